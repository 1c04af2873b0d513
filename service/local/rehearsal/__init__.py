"""A season rehearsed on a whole stack, through HTTP, the command line and the stand-ins' controls alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress

from service.local.rehearsal.calls import Desk
from service.local.rehearsal.classes import close_classes, hold_classes, read_rules, with_numbers
from service.local.rehearsal.courses import plan_courses
from service.local.rehearsal.filing import Filed, file_singly, read_offers, sign_in, sign_up, tell_registry
from service.local.rehearsal.ground import Ground
from service.local.rehearsal.kills import Killer
from service.local.rehearsal.mending import let_money_come_back, mend_accounts
from service.local.rehearsal.money import pay
from service.local.rehearsal.officers import (
    counts,
    look_again,
    publish_and_let_pass,
    read_today,
    review,
    wait_for_checks,
)
from service.local.rehearsal.people import Wish, make_trainees
from service.local.rehearsal.report import Report, read_report, wait_for_jobs
from service.local.rehearsal.rosters import file_rosters
from service.local.rehearsal.season import Season, progress_columns
from service.local.rehearsal.statements import hand_in_statements

#: A stage may take this long, and so much longer for every claim; all stages together so many times that.
_STAGE_SECONDS, _SECONDS_PER_CLAIM, _STAGES = 120, 0.5, 3
#: With kills everything may take so many times longer.
_KILLED_FACTOR = 2
#: Filing takes so long when parts are killed, so that they are killed, and messages lost, while people file.
_FILING_SECONDS_KILLED = 30.0
#: A call is repeated for so long.
_PATIENCE_SECONDS = 45


async def rehearse(ground: Ground, wish: Wish, console: Console, *, kill: bool = False) -> Report:
    """Rehearse a season of `wish` on `ground`; progress and kills go to `console`.

    Raises NoGround; calls.Unexpected when the service cannot even be asked for its figures.
    """
    factor = _KILLED_FACTOR if kill else 1
    environment = ground.environment()
    desk = Desk(ground.address, ground.stand_ins(), _PATIENCE_SECONDS * factor)
    stage_seconds = (_STAGE_SECONDS + _SECONDS_PER_CLAIM * wish.claims) * factor
    with Progress(*progress_columns(), console=console) as progress:
        season = Season(progress, stage_seconds, stage_seconds * _STAGES)
        async with desk.http:
            earlier = sum((await counts(desk)).values())
            own = replace(wish, earlier=earlier)
            killer = Killer(ground.place, wish.seed, progress.console.print) if kill else None
            filed = await _act(desk, season, own, killer)
            await wait_for_jobs(desk, season)
            report = await read_report(desk, environment, filed, earlier, season)
            return replace(report, violence=dict(killer.done)) if killer else report


async def _act(desk: Desk, season: Season, wish: Wish, killer: Killer | None) -> Filed:
    """The whole way, from signing in to the money."""
    today, filed = await read_today(desk), Filed()
    offers, rules = await read_offers(desk, wish, today), await read_rules(desk)
    courses, trainees = plan_courses(wish, make_trainees(wish, offers, today), offers, rules, today)
    async with _while_killed(killer):
        await sign_in(desk, season)
        await sign_up(desk, season, trainees)
        filed.classes = await hold_classes(desk, season, courses, wish.seed)
        trainees = with_numbers(trainees, filed.classes)
        await tell_registry(desk, season, trainees)
        over_seconds = _FILING_SECONDS_KILLED if killer else 0.0
        async with asyncio.TaskGroup() as both:
            for file in (file_singly, file_rosters):
                both.create_task(file(desk, season, trainees, today, over_seconds, filed))
        await wait_for_checks(desk, season)
        await review(desk, season, trainees)
        await look_again(desk, season)
        await publish_and_let_pass(desk, season)
        await pay(desk, season, strange=killer is not None)
        await let_money_come_back(desk, season, wish.seed)
        await mend_accounts(desk, season, trainees)
        await pay(desk, season, "pay_again", strange=killer is not None)
        await hand_in_statements(desk, season)
        await close_classes(desk, season, filed.classes)
    return filed


@asynccontextmanager
async def _while_killed(killer: Killer | None) -> AsyncIterator[None]:
    """Parts fall while the block runs; at its end each has fallen at least once."""
    if killer is None:
        yield
        return
    killing = asyncio.create_task(killer.run())
    try:
        yield
        killing.cancel()
        with suppress(asyncio.CancelledError):
            await killing
        await killer.finish_round()
    finally:
        killing.cancel()
