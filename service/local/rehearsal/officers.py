"""The officers' part: claims are verified, reviewed, brought before the public, and wait until that is over."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from service.local.rehearsal.calls import Desk, Unexpected
from service.local.rehearsal.people import DISTRICTS, Trainee, Trouble
from service.local.rehearsal.season import Bar, Season

APPROVED_PER_CALL = 100
_PAGE = 200
#: What a hold says whose cause is a risk signal.
_SIGNALLED = "signal"
#: The service moves its clock by so many days at once.
_STRIDE_MAX = 366

#: Why a claim that the registry did not confirm is refused.
_REASONS = {Trouble.UNKNOWN: "certificate_not_found", Trouble.OTHER_NAME: "certificate_differs"}


async def counts(desk: Desk, login: str = "auditor") -> dict[str, int]:
    """Claims by status, as `login` may see them."""
    return dict((await desk.ask("GET", "/api/claims/counts", login=login)).body["counts"])


async def claims(desk: Desk, login: str, status: str | None = None) -> AsyncIterator[dict[str, Any]]:
    """Every claim that `login` may see, page by page."""
    chosen, cursor = f"&status={status}" if status else "", ""
    while True:
        page = (await desk.ask("GET", f"/api/claims?limit={_PAGE}{chosen}{cursor}", login=login)).body
        for claim in page["claims"]:
            yield claim
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


async def read_today(desk: Desk) -> date:
    """The day the service plays."""
    return date.fromisoformat((await desk.ask("GET", "/api/today")).body["today"])


async def wait_for_checks(desk: Desk, season: Season) -> None:
    """Until the registry has answered for every claim."""
    now = await counts(desk)
    checked = sum(now.get(status, 0) for status in ("filed", "verified", "in_review"))
    async with season.stage("verify", checked) as bar:

        async def all_answered() -> bool:
            left = (await counts(desk)).get("filed", 0)
            bar.reach(checked - left)
            return left == 0

        await season.until(all_answered)


async def review(desk: Desk, season: Season, trainees: Iterable[Trainee]) -> None:
    """Reviewers approve what the registry confirmed, set by set, and refuse with a reason what it did not."""
    reasons = {each.certificate: _REASONS[each.trouble] for each in trainees if each.trouble in _REASONS}
    now = await counts(desk)
    async with season.stage("review", now.get("verified", 0) + now.get("in_review", 0)) as bar:
        for district in DISTRICTS:
            login = f"reviewer-{district}"
            await _approve_all(desk, district, bar)
            doubtful = [claim async for claim in claims(desk, login, "in_review")]

            async def refuse(claim: dict[str, Any], login: str = login) -> None:
                reason = reasons.get(claim["certificate_number"], "not_eligible")
                body = {"reasons": [reason], "note": "彩排"}
                # refused as wrong_status: the call whose answer was lost has refused it
                path = f"/api/claims/{claim['id']}/refuse"
                await desk.ask("POST", path, body, login=login, refusals={"wrong_status"})

            await season.each(doubtful, refuse, bar)


async def look_again(desk: Desk, season: Season) -> None:
    """A second officer confirms what was drawn, is large, or was checked by hand."""
    waiting = {district: await _work(desk, f"second-{district}") for district in DISTRICTS}
    async with season.stage("second_review", sum(map(len, waiting.values()))) as bar:
        for district, claim_ids in waiting.items():

            async def confirm(claim_id: str, login: str = f"second-{district}") -> None:
                path, key = f"/api/claims/{claim_id}/second-review", f"confirm-{claim_id}"
                await desk.ask("POST", path, {"finding": "confirmed"}, login=login, key=key)

            await season.each(claim_ids, confirm, bar)


async def _work(desk: Desk, login: str) -> list[str]:
    """The claims that wait for `login`, page by page."""
    found, cursor = list[str](), ""
    while True:
        page = (await desk.ask("GET", f"/api/work?limit={_PAGE}{cursor}", login=login)).body
        found += [each["claim_id"] for each in page["work"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def _approve_all(desk: Desk, district: str, bar: Bar) -> None:
    """Set by set; when the district runs out of money, its fund office sees to more."""
    login, supplemented = f"reviewer-{district}", False
    body = {"status": "verified", "limit": APPROVED_PER_CALL}
    while True:
        approved = (await desk.ask("POST", "/api/claims/approve", body, login=login)).body
        bar.advance(approved["approved"])
        if approved["left"] == 0:
            return
        if approved["approved"] == 0 and (supplemented or not approved["unfunded"]):
            raise Unexpected(f"{login} 不能审核余下的 {approved['left']} 笔")
        if supplemented := bool(approved["unfunded"]):
            await supplement(
                desk, district, sum([claim["amount_fen"] async for claim in claims(desk, login, "verified")])
            )


async def supplement(desk: Desk, district: str, amount_fen: int) -> None:
    """Money for a district, by two persons; in each fund, for the service alone knows which one pays for whom."""
    maker, year = f"maker-{district}", (await read_today(desk)).year
    for fund in (await desk.ask("GET", "/api/funds", login=maker)).body["funds"]:
        new = {"fund": fund["code"], "year": year, "amount_fen": amount_fen}
        body = {**new, "document": "彩排追加文件", "reason": "彩排：额度用完"}
        proposed = (await desk.ask("POST", "/api/funds/appropriations", body, login=maker, key=str(uuid4()))).body
        path, key = f"/api/funds/appropriations/{proposed['id']}/confirm", f"confirm-{proposed['id']}"
        checker, sign = f"checker-{district}", {"purpose": "appropriation.confirm", "subject": proposed["id"]}
        proof = await desk.step_up(checker, [sign])
        await desk.ask("POST", path, {}, login=checker, key=key, step_up=proof)


async def publish_and_let_pass(desk: Desk, season: Season) -> None:
    """Publish what was approved; let days pass until the last notice is over and its claims are payable."""
    async with season.stage("notice", (await counts(desk)).get("approved", 0)) as bar:
        for district in DISTRICTS:
            # nothing left to publish: the call whose answer was lost has published it
            login, nothing = f"publisher-{district}", {"notice.nothing"}
            while not (await desk.ask("POST", "/api/notices", {}, login=login, refusals=nothing)).code:
                pass  # a notice holds only so many: the rest goes into the next
        noticed = (await counts(desk)).get("noticed", 0)
        await _let_notices_pass(desk)

        async def all_cleared() -> bool:
            left = (await counts(desk)).get("noticed", 0)
            bar.reach(noticed - left)
            return left == 0

        await season.until(all_cleared)


async def _let_notices_pass(desk: Desk) -> None:
    notices = (await desk.ask("GET", "/api/notices")).body["notices"]
    last = max((date.fromisoformat(each["closes_on"]) for each in notices), default=None)
    if last:
        await let_days_pass(desk, last + timedelta(days=1))


async def let_days_pass(desk: Desk, day: date, stride: int = _STRIDE_MAX) -> None:
    """Move the clock until it is that day or later. A call that is repeated because its answer was lost moves it
    twice: whoever must not come late by more takes a shorter `stride`."""
    while (today := await read_today(desk)) < day:
        await desk.ask("POST", "/api/demo/clock", {"days": min(stride, (day - today).days)})


async def let_go(desk: Desk, district: str) -> None:
    """What the risk signals hold is looked at and let go: certificates come in bursts in a large season."""
    login, path = f"reviewer-{district}", f"/api/holds?limit={_PAGE}"
    while True:
        holds = (await desk.ask("GET", path, login=login)).body["holds"]
        signalled = [each for each in holds if each["code"] == _SIGNALLED]
        if not signalled:
            return
        async with asyncio.TaskGroup() as group:
            for each in signalled:
                said, key = {"note": "彩排：已核对"}, f"let-go-{each['id']}"
                lifting = desk.ask("POST", f"/api/claims/{each['claim_id']}/lift", said, login=login, key=key)
                group.create_task(lifting)
