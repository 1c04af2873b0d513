"""The finance staff's part: batches are opened, signed by three persons, released, settled by the bank's return."""

import asyncio
from typing import Any
from uuid import uuid4

from service.local.rehearsal.calls import Desk
from service.local.rehearsal.officers import counts, read_today
from service.local.rehearsal.people import DISTRICTS
from service.local.rehearsal.season import Bar, Season

#: A season's payable claims travel in about this many batches a district, so that there is more than one.
_BATCHES_A_DISTRICT = 3
_LINES_MIN = 5
_LATE_MS = 4_000
#: Batches in one of these are still on their way.
_UNDER_WAY = ("opened", "frozen", "submitted", "checked", "released", "sent")
#: Status of a batch → what is signed next, and by whom; a large one is checked by several, one after the other.
_NEXT = {"frozen": ("submit", "maker"), "submitted": ("check", "checker"), "checked": ("release", "releaser")}
_CHECKERS = ("checker", "checker2", "checker3")


async def pay(desk: Desk, season: Season, stage: str = "pay") -> None:
    """Until no claim of any district is payable or in a batch. The bank takes its first file and hangs up without a
    word, so that somebody has to ask what became of it; and it takes its time with that file's return."""
    payable = (await counts(desk)).get("payable", 0)
    async with season.stage(stage, payable) as bar:
        first = {"mode": "drop_after", "until_calls": 1, "delay_ms": _LATE_MS}
        await desk.control("bank", "POST", "/control/behaviour", first)
        limit = max(_LINES_MIN, -(-payable // (_BATCHES_A_DISTRICT * len(DISTRICTS))))

        async with asyncio.TaskGroup() as group:
            for district in DISTRICTS:
                group.create_task(_pay_district(desk, district, limit))
            group.create_task(_show(desk, season, bar, payable))


async def _show(desk: Desk, season: Season, bar: Bar, payable: int) -> None:
    """The bar follows the service's figures until nothing is left."""

    async def all_paid() -> bool:
        now = await counts(desk)
        left = now.get("payable", 0) + now.get("batched", 0)
        bar.reach(payable - left)
        return left == 0

    await season.until(all_paid)


async def _pay_district(desk: Desk, district: str, limit: int) -> None:
    """Each round every batch of the district gets the signature it waits for, and each fund from which something is
    due and of which no batch waits for its claims gets one. What a killed process left is taken up."""
    maker = f"maker-{district}"
    while True:
        waiting = [each for status in _UNDER_WAY for each in await _batches(desk, maker, status)]
        for batch in waiting:
            if batch["status"] in _NEXT:
                await _sign(desk, district, batch)
        filling = {each["fund"] for each in waiting if each["status"] == "opened"}
        for due in (await desk.ask("GET", "/api/batches/due", login=maker)).body["due"]:
            if due["fund"] not in filling:
                body = {"fund": due["fund"], "filter": {}, "limit": limit}
                await desk.ask("POST", "/api/batches", body, login=maker, key=str(uuid4()))
        now = await counts(desk, maker)
        if not now.get("payable", 0) and not now.get("batched", 0) and not waiting:
            return
        await asyncio.sleep(0.3)


async def _batches(desk: Desk, login: str, status: str) -> list[dict[str, Any]]:
    return list((await desk.ask("GET", f"/api/batches?status={status}", login=login)).body["batches"])


async def _sign(desk: Desk, district: str, batch: dict[str, Any]) -> None:
    step, post = _NEXT[batch["status"]]
    signed = [each["step"] for each in batch["signatures"]]
    if step == "check":
        post = _CHECKERS[len(signed) - 1]  # the maker's stands before
    body = {name: batch[name] for name in ("content_hash", "line_count", "sum_fen")}
    if step == "release":
        body |= {"voucher": f"V-{batch['number']}", "transferred_on": (await read_today(desk)).isoformat()}
    # The key is that of the batch, what it holds and the step: whoever repeats it repeats the same signature.
    path, key = f"/api/batches/{batch['id']}/{step}", f"{batch['id']}-{batch['content_hash'][:16]}-{post}"
    await desk.ask("POST", path, body, login=f"{post}-{district}", key=key)
