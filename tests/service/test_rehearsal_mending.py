"""Money that comes back in a later season, out of a file of which some has come back before."""

from typing import Any

from rich.progress import Progress

from service.local.rehearsal.calls import Desk
from service.local.rehearsal.mending import let_money_come_back
from service.local.rehearsal.season import Season


class Listening(Desk):
    """Of a bank that has paid two lines of one file, and a service that takes what is handed in."""

    def __init__(self) -> None:
        super().__init__("http://nowhere.invalid", {}, 1)
        self.book = [{"reference": f"JN2026120400000300000{n}", "returned": False} for n in (1, 2)]
        self.handed_in: dict[str, set[str]] = {}

    async def control(self, name: str, method: str, path: str, body: Any = None) -> Any:
        if path == "/control/ledger":
            return self.book
        if path == "/control/return":
            for row in self.book:
                row["returned"] |= row["reference"] in body["references"]
        return {"returned": [row["reference"] for row in self.book if row["returned"]]}

    async def ask(self, method: str, path: str, body: Any = None, **given: Any) -> Any:
        self.handed_in.setdefault(given["key"], set()).add(str(body))


async def test_what_comes_back_later_is_handed_in_under_another_key() -> None:
    desk = Listening()
    for seed in (1, 2):
        await let_money_come_back(desk, Season(Progress(), 10, 10), seed)
    await desk.http.aclose()
    assert all(row["returned"] for row in desk.book)
    assert [bodies for bodies in desk.handed_in.values() if len(bodies) > 1] == []
