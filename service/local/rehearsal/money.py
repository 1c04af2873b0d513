"""The finance staff's part: batches are opened, signed by three persons, released, settled by the bank's return."""

import asyncio
from typing import Any
from uuid import uuid4

from service.local.rehearsal.calls import Desk
from service.local.rehearsal.officers import counts, let_go, read_today
from service.local.rehearsal.people import DISTRICTS
from service.local.rehearsal.season import Bar, Season

#: A season's payable claims travel in about this many batches a district, so that there is more than one.
_BATCHES_A_DISTRICT = 3
_LINES_MIN = 5
#: A step-up names no more signatures.
_SIGNED_AT_ONCE = 100
_LATE_MS = 4_000
#: Batches in one of these are still on their way; what is opened is asked for last, for who freezes may open another.
_UNDER_WAY = ("frozen", "submitted", "checked", "released", "sent", "opened")
#: Status of a batch → what is signed next, and by whom; a large one is checked by several, one after the other.
_NEXT = {"frozen": ("submit", "maker"), "submitted": ("check", "checker"), "checked": ("release", "releaser")}
_CHECKERS = ("checker", "checker2", "checker3")
#: As a step-up names what is signed.
_PURPOSES = {"submit": "batch.assemble", "check": "batch.check", "release": "batch.release"}
#: The bank's first return of each file is cut short, and the next tells every line twice, the last first, with a
#: line that is nobody's.
_STRANGE_RETURNS = {"garble": 1, "repeat": True, "shuffle": True, "stranger_lines": 1}
#: The clock jumps so far, so many seconds after one another.
_JUMPS_DAYS, _JUMP_SECONDS = (1, 3), 1.5
#: What one hears who clicks second, or too early.
_TOO_LATE = {"wrong_status", "batch.same_person", "step_up.needed"}
#: Step → the next, and by whom.
_THEN = {"submit": ("check", "checker"), "check": ("release", "releaser")}


async def pay(desk: Desk, season: Season, stage: str = "pay", *, strange: bool = False) -> None:
    """Until no claim of any district is payable or in a batch. The bank takes its first file and hangs up without a
    word, so that somebody has to ask what became of it; and it takes its time with that file's return. With `strange`
    its returns are as `_STRANGE_RETURNS` says, every signature is clicked by two at once, and the clock jumps."""
    payable = (await counts(desk)).get("payable", 0)
    async with season.stage(stage, payable) as bar:
        first = {"mode": "drop_after", "until_calls": 1, "delay_ms": _LATE_MS}
        await desk.control("bank", "POST", "/control/behaviour", first | (_STRANGE_RETURNS if strange else {}))
        limit = max(_LINES_MIN, -(-payable // (_BATCHES_A_DISTRICT * len(DISTRICTS))))

        async with asyncio.TaskGroup() as group:
            for district in DISTRICTS:
                group.create_task(_pay_district(desk, district, limit, strange))
            group.create_task(_show(desk, season, bar, payable))
            if strange:
                group.create_task(_jump(desk))


async def _jump(desk: Desk) -> None:
    """The clock jumps by days while files are with the bank."""
    for days in _JUMPS_DAYS:
        await asyncio.sleep(_JUMP_SECONDS)
        await desk.ask("POST", "/api/demo/clock", {"days": days})


async def _show(desk: Desk, season: Season, bar: Bar, payable: int) -> None:
    """The bar follows the service's figures until nothing is left."""

    async def all_paid() -> bool:
        now = await counts(desk)
        left = now.get("payable", 0) + now.get("batched", 0)
        bar.reach(payable - left)
        return left == 0

    await season.until(all_paid)


async def _pay_district(desk: Desk, district: str, limit: int, twice: bool) -> None:
    """Each round, each fund from which something is due and of which no batch waits for its claims gets one; when all
    that is due stands in batches, they get the signatures they wait for, and what is held is looked at. What a killed
    process left is taken up."""
    maker = f"maker-{district}"
    while True:
        waiting = [each for status in _UNDER_WAY for each in await _batches(desk, maker, status)]
        filling = {each["fund"] for each in waiting if each["status"] == "opened"}
        dues = (await desk.ask("GET", "/api/batches/due", login=maker)).body["due"]
        if not dues and not filling:
            await _sign_all(desk, district, waiting, twice)
            await let_go(desk, district)
        for due in dues:
            if due["fund"] not in filling:
                body = {"fund": due["fund"], "filter": {}, "limit": limit}
                await desk.ask("POST", "/api/batches", body, login=maker, key=str(uuid4()))
        now = await counts(desk, maker)
        if not now.get("payable", 0) and not now.get("batched", 0) and not waiting:
            return
        await asyncio.sleep(0.3)


async def _batches(desk: Desk, login: str, status: str) -> list[dict[str, Any]]:
    return list((await desk.ask("GET", f"/api/batches?status={status}", login=login)).body["batches"])


async def _sign_all(desk: Desk, district: str, waiting: list[dict[str, Any]], twice: bool) -> None:
    """One code serves for all that a person signs now: the next comes only after half a minute."""
    by_signer: dict[str, list[dict[str, Any]]] = {}
    for batch in waiting:
        if batch["status"] in _NEXT:
            by_signer.setdefault(_wanted(batch)[1], []).append(batch)
    for post, batches in by_signer.items():
        now = batches[:_SIGNED_AT_ONCE]
        signs = [{"purpose": _PURPOSES[_wanted(each)[0]], "subject": each["id"]} for each in now]
        token = await desk.step_up(f"{post}-{district}", signs)
        for batch in now:
            await _sign(desk, district, batch, token, twice)


def _wanted(batch: dict[str, Any]) -> tuple[str, str]:
    """What is signed next, and by whom; a large batch is checked by several, one after the other."""
    step, post = _NEXT[batch["status"]]
    if step == "check":
        post = _CHECKERS[len(batch["signatures"]) - 1]  # the maker's stands before
    return step, post


async def _sign(desk: Desk, district: str, batch: dict[str, Any], token: str, twice: bool) -> None:
    """With `twice` the same person clicks in another window too, and whoever signs next does not wait for them."""
    step, post = _wanted(batch)
    if not twice:
        await _click(desk, district, batch, step, post, token)
        return
    clicks = [_click(desk, district, batch, step, post, token, mark) for mark in ("", "-again")]
    if (after := _THEN.get(step)) is not None:
        clicks.append(_click(desk, district, batch, *after, None, "-early"))
    await asyncio.gather(*clicks)


async def _click(
    desk: Desk,
    district: str,
    batch: dict[str, Any],
    step: str,
    post: str,
    token: str | None,
    mark: str | None = None,
) -> None:
    """Without a `mark` nobody else clicks, so no refusal is right."""
    body = {name: batch[name] for name in ("content_hash", "line_count", "sum_fen")}
    if step == "release":
        body |= {"voucher": f"V-{batch['number']}", "transferred_on": (await read_today(desk)).isoformat()}
    # The key is that of the batch, what it holds and the step: whoever repeats it repeats the same signature.
    path, key = f"/api/batches/{batch['id']}/{step}", f"{batch['id']}-{batch['content_hash'][:16]}-{post}{mark or ''}"
    refusals = () if mark is None else _TOO_LATE
    await desk.ask("POST", path, body, login=f"{post}-{district}", key=key, refusals=refusals, step_up=token)
