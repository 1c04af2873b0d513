"""The bank states every account that paid; each district's maker hands its statements in, and every line is owned."""

from uuid import NAMESPACE_URL, uuid5

from service.local.rehearsal.calls import Desk, Unexpected
from service.local.rehearsal.officers import read_today
from service.local.rehearsal.people import DISTRICTS
from service.local.rehearsal.season import Season


async def hand_in_statements(desk: Desk, season: Season) -> None:
    """Unexpected when a line is nobody's, or a statement does not follow the last: the bank behaved well."""
    day = (await read_today(desk)).isoformat()
    accounts = [(district, account) for district in DISTRICTS for account in await _accounts(desk, district)]
    async with season.stage("statements", len(accounts)) as bar:
        for district, account in accounts:
            stated = await desk.control("bank", "POST", "/control/statement", {"account": account, "day": day})
            key = str(uuid5(NAMESPACE_URL, f"zhida:statement:{account}:{day}"))
            reply = await desk.ask("POST", "/api/statements", stated, login=f"maker-{district}", key=key)
            if reply.body["blocked"] or reply.body["exceptions"]:
                told = {name: reply.body[name] for name in ("blocked", "exceptions", "owned")}
                raise Unexpected(f"statement of {account}: {told}")
            bar.advance(1)


async def _accounts(desk: Desk, district: str) -> list[str]:
    batches = (await desk.ask("GET", "/api/batches?status=settled", login=f"maker-{district}")).body["batches"]
    return sorted({batch["debit_account"] for batch in batches})
