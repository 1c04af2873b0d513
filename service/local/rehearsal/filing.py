"""The trainees' part: who takes part, signing up, filing alone or through a clerk one by one, thinking again."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from service.local.rehearsal.calls import PASSWORD, Desk, GaveUp, Unexpected
from service.local.rehearsal.classes import HeldClass
from service.local.rehearsal.people import (
    BODY_CLERK,
    CLERKS,
    DISTRICTS,
    INSPECTORS,
    Level,
    Offer,
    Trainee,
    Trouble,
    Way,
    Wish,
)
from service.local.rehearsal.season import Season

_OFFICERS = ("reviewer", "second", "publisher", "maker", "checker", "checker2", "checker3", "releaser", "officer")
_CERTIFICATES_PER_CALL = 500
#: The registry leaves this many questions, and one more for every so many claims, unanswered at first; at most so
#: many: it is left alone after a few, and each further one costs a rest of up to ten minutes.
_LATE_CALLS_MIN, _CLAIMS_PER_LATE_CALL, _LATE_CALLS_MAX = 2, 50, 8
_SLOW_CALLS, _SLOW_MS = 3, 300
#: For so many calls the registry is not there at all.
_DOWN_CALLS = 4


@dataclass
class Filed:
    """What the service acknowledged. `claim_ids`: from 201s and from rosters; `unsure`: filings that never got an
    answer; `classes` that were approved."""

    claim_ids: set[str] = field(default_factory=set)
    unsure: int = 0
    classes: list[HeldClass] = field(default_factory=list)


async def read_offers(desk: Desk, wish: Wish, today: date) -> list[Offer]:
    """As many items as there are claims, by the seed, from the edition in force on `today`; those without a code or
    without a standard cannot be claimed for."""
    catalog = (await desk.ask("GET", f"/api/catalog?on={today}")).body
    items = [item for item in catalog["items"] if item["code"]]
    chance = random.Random(wish.seed)  # noqa: S311 (not for secrets: it must repeat)
    chosen = chance.sample(items, min(len(items), wish.claims))

    async def levels(code: str) -> tuple[str, tuple[Level, ...]]:
        answer = await desk.ask("GET", f"/api/standards?occupation={code}&on={today}")
        return code, tuple(Level(each["level"], each["level_name"]) for each in answer.body["standards"])

    known = dict(await asyncio.gather(*(levels(code) for code in {item["code"] for item in chosen})))
    return [Offer(item["code"], item["list_kind"], found) for item in chosen if (found := known[item["code"]])]


async def sign_in(desk: Desk, season: Season) -> None:
    """Everybody of the cast comes to work."""
    logins = [f"{name}-{district}" for district in DISTRICTS for name in _OFFICERS] + [
        *(*CLERKS.values(), BODY_CLERK, *INSPECTORS, "auditor")
    ]

    async def one(login: str) -> None:
        await desk.sign_in(login)

    async with season.stage("sign_in", len(logins)) as bar:
        await season.each(logins, one, bar)


async def sign_up(desk: Desk, season: Season, trainees: Sequence[Trainee]) -> None:
    """Those who file for themselves get a login; one that is taken was made by a call whose answer was lost."""
    alone = [each for each in trainees if each.way is Way.ALONE]

    async def one(trainee: Trainee) -> None:
        person = trainee.person
        body = {"name": person.name, "id_number": person.id_number, "phone": person.phone}
        await desk.ask(
            "POST",
            "/api/sign-up",
            {"login": trainee.login, "password": PASSWORD, **body},
            refusals={"user.login_taken"},
        )
        await desk.sign_in(trainee.filer)

    async with season.stage("sign_up", len(alone)) as bar:
        await season.each(alone, one, bar)


async def tell_registry(desk: Desk, season: Season, trainees: Sequence[Trainee]) -> None:
    """The registry learns the certificates, and is slow when it is asked first."""
    known = [row for each in trainees if (row := each.known_to_registry())]
    async with season.stage("certificates", len(known)) as bar:
        for start in range(0, len(known), _CERTIFICATES_PER_CALL):
            part = known[start : start + _CERTIFICATES_PER_CALL]
            await desk.control("registry", "POST", "/control/certificates", part)
            bar.advance(len(part))
        slow = {"mode": "slow", "delay_ms": _SLOW_MS, "until_calls": _SLOW_CALLS}
        await desk.control("registry", "POST", "/control/behaviour", slow)


async def file_singly(
    desk: Desk, season: Season, everybody: Sequence[Trainee], today: date, over_seconds: float, filed: Filed
) -> None:
    """Whoever stands in no roster files, at once or spread over some time; whoever withdraws does it at once.

    Half-way the registry stops being slow and is late for a while; later it is down for a while, then well.
    """
    trainees = [each for each in everybody if each.way is not Way.ROSTER]
    calls = min(_LATE_CALLS_MIN + len(everybody) // _CLAIMS_PER_LATE_CALL, _LATE_CALLS_MAX)
    moods = {
        trainees[len(trainees) // 2].certificate: {"mode": "late", "times": 1, "until_calls": calls},
        trainees[len(trainees) * 4 // 5].certificate: {"mode": "down", "until_calls": _DOWN_CALLS},
    }

    async def one(trainee: Trainee) -> None:
        if trainee.certificate in moods:
            await desk.control("registry", "POST", "/control/behaviour", moods[trainee.certificate])
        try:
            await _file(desk, trainee, today, filed)
        except GaveUp:
            filed.unsure += 1
            raise

    async with season.stage("file", len(trainees)) as bar:
        await season.each(trainees, one, bar, over_seconds)


async def _file(desk: Desk, trainee: Trainee, today: date, filed: Filed) -> None:
    """File under one key however often it takes; a second filing under another key is refused."""
    claim = trainee.claim(await _mandate(desk, trainee, today))
    key, login = f"file-{trainee.certificate}", trainee.filer
    if trainee.trouble is Trouble.OVERDUE:
        await _refused(desk, claim, login, key, "claim.ineligible")
        return
    reply = await desk.ask("POST", "/api/claims", claim, login=login, key=key)
    filed.claim_ids.add(reply.body["id"])
    if trainee.trouble is Trouble.REPEATED:
        await _refused(desk, claim, login, f"{key}-again", "claim.already_filed")
    if trainee.trouble is Trouble.WITHDRAWN:
        # refused as wrong_status: the call whose answer was lost has withdrawn it
        path = f"/api/claims/{reply.body['id']}/withdraw"
        await desk.ask("POST", path, {"note": "彩排：申领人改变主意"}, login=login, refusals={"wrong_status"})


async def _refused(desk: Desk, claim: dict[str, object], login: str, key: str, code: str) -> None:
    reply = await desk.ask("POST", "/api/claims", claim, login=login, key=key, refusals={code})
    if reply.code != code:
        raise Unexpected(f"应以 {code} 拒绝的申领被受理了：{reply.body['id']}")


async def _mandate(desk: Desk, trainee: Trainee, today: date) -> str | None:
    """The id of a mandate for the institution that files; None for whoever files alone."""
    if trainee.way is Way.ALONE:
        return None
    person = trainee.person
    named = {"name": person.name, "id_number": person.id_number, "phone": person.phone}
    mandate = {"trainee": named, **trainee.paper(today), "fee_fen": 0}
    reply = await desk.ask("POST", "/api/mandates", mandate, login=trainee.filer)
    return str(reply.body["id"])
