"""What comes after the money: some comes back, claimants name another card, and those claims are paid again."""

import random
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from service.local.rehearsal.calls import Desk
from service.local.rehearsal.officers import claims
from service.local.rehearsal.people import DISTRICTS, Trainee
from service.local.rehearsal.season import Season

#: The part of what the bank paid that comes back days later.
_COMES_BACK = 0.02
#: One of so many claimants is never heard of again: their claim stays with them.
_SILENT_ONE_OF = 5
_SERIAL_DIGITS = 6


async def let_money_come_back(desk: Desk, season: Season, seed: int) -> None:
    """The bank sends back some of what it had paid; the makers hand in the returns that say so."""
    book = await desk.control("bank", "GET", "/control/ledger")
    paid = [row["reference"] for row in book if not row["returned"]]
    chance = random.Random(f"back {seed}")  # noqa: S311 (not for secrets: it must repeat)
    back = chance.sample(paid, max(1, round(len(paid) * _COMES_BACK))) if paid else []
    async with season.stage("come_back", len(back)) as bar:
        await desk.control("bank", "POST", "/control/return", {"references": back})
        for file_id in sorted({_file_of(reference) for reference in back}):
            said = await desk.control("bank", "GET", f"/files/{file_id}/return")
            key = str(uuid4())  # not the file's: a later season may hand in what came back of it after that
            for district in DISTRICTS:  # another district's file is as if it were not there
                login, unknown = f"maker-{district}", {"return.file_unknown"}
                await desk.ask("POST", "/api/returns", said, login=login, key=key, refusals=unknown)
        bar.advance(len(back))


def _file_of(reference: str) -> str:
    """JN20261204000003000001, the first payment of the file JN20261204-000003."""
    number = reference[:-_SERIAL_DIGITS]
    return f"{number[:-_SERIAL_DIGITS]}-{number[-_SERIAL_DIGITS:]}"


async def mend_accounts(desk: Desk, season: Season, trainees: Sequence[Trainee]) -> None:
    """Whoever's money did not arrive names another card, alone or through the institution that filed; for much money
    a checker confirms it."""
    by_certificate = {each.certificate: each for each in trainees}
    bounced = [claim async for claim in claims(desk, "auditor", "bounced") if _answers(claim, by_certificate)]
    async with season.stage("mend", len(bounced)) as bar:

        async def mend(claim: dict[str, Any]) -> None:
            trainee = by_certificate[claim["certificate_number"]]
            body = {"account": trainee.account(trainee.other_card)}
            path, key = f"/api/claims/{claim['id']}/account", f"mend-{claim['id']}"
            await desk.ask("POST", path, body, login=trainee.filer, key=key)

        await season.each(bounced, mend, bar)
    for district in DISTRICTS:
        login, path = f"checker-{district}", "/api/account-checks"
        while checks := (await desk.ask("GET", path, login=login)).body["checks"]:
            signs = [{"purpose": "account.confirm", "subject": each["id"]} for each in checks]
            proof = await desk.step_up(login, signs)
            for each in checks:
                told, key = {"confirm": True, "note": "已电话核对"}, f"account-{each['id']}"
                await desk.ask("POST", f"{path}/{each['id']}/answer", told, login=login, key=key, step_up=proof)


def _answers(claim: Mapping[str, Any], known: Mapping[str, Trainee]) -> bool:
    """Whether the claimant of a claim of this season is one who mends."""
    number = claim["certificate_number"]
    return number in known and random.Random(f"silent {number}").randrange(_SILENT_ONE_OF) > 0  # noqa: S311
