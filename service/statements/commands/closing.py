"""日终: a day of an account is closed once the bank's statement is there and every line of it is somebody's."""

from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.close import figures_of
from domain.errors import Conflict
from service.clock import business_day
from service.database import Tx
from service.journal import By, record
from service.logs import log
from service.queue import Sweep
from service.statements.commands.taking import lock_account
from service.statements.queries.closes import (
    NextDay,
    close_view,
    day_sums,
    differences_of,
    ledger_of,
    must_be_mine,
    next_days,
)
from service.statements.schemas import CloseView, NewClose
from service.statements.tables import CloseRow

CLOSERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)
#: Days that one run of the sweep closes of an account.
DAYS_MAX = 31


async def close_by_hand(tx: Tx, me: Actor, new: NewClose, now: datetime) -> CloseView:
    """Close the next day of an account of my district.

    NotFound `statement.account_unknown`; Conflict `close.not_next` (day: which is next), `close.waits`
    (close_waits: why).
    """
    me.must_hold(*CLOSERS)
    await must_be_mine(tx, me, new.account)
    await lock_account(tx, new.account)
    (upcoming,) = await next_days(tx, business_day(now), account=new.account)
    if upcoming.day != new.day:
        raise Conflict("close.not_next", day=upcoming.day.isoformat())
    if upcoming.why is not None:
        raise Conflict("close.waits", close_waits=str(upcoming.why), lines=upcoming.lines_open)
    by = By.actor(me, next(post for post in CLOSERS if me.holds(post)), now)
    return await close_view(tx, await _close(tx, upcoming, by))


async def accounts_to_close(tx: Tx, today: date) -> list[str]:
    """Those whose next day can be closed."""
    return [each.account for each in await next_days(tx, today) if each.why is None]


async def close_what_can_be(tx: Tx, account: str, now: datetime) -> int:
    """Close the days of an account up to the first that must wait; how many."""
    await lock_account(tx, account)
    by, closed = By(str(Sweep.CLOSE_DAYS), now), 0
    while closed < DAYS_MAX:
        (upcoming,) = await next_days(tx, business_day(now), account=account)
        if upcoming.why is not None:
            break
        await _close(tx, upcoming, by)
        closed += 1
    return closed


async def _close(tx: Tx, upcoming: NextDay, by: By) -> UUID:
    sums, lines = await day_sums(tx, upcoming.account, upcoming.day)
    figures = figures_of(upcoming.opening_fen, sums)
    differences = await differences_of(tx, upcoming.account, upcoming.day)
    close_id = uuid4()
    about = {"account": upcoming.account, "district": upcoming.district, "fund": upcoming.fund}
    counted = {**asdict(figures), "closing_fen": figures.closing_fen, "line_count": lines}
    await tx.execute(
        insert(CloseRow).values(
            id=close_id,
            day=upcoming.day,
            ledger=await ledger_of(tx, upcoming.district, upcoming.fund, upcoming.day),
            differences=differences,
            closed_by=by.user_id,
            closed_at=by.at,
            **about,
            **counted,
        )
    )
    noted = {**about, "day": upcoming.day.isoformat(), **counted, "differences": len(differences)}
    await record(tx, "daily_close", [close_id], "close", by, [noted])
    if differences:
        log.warning("close_differs", close=str(close_id), differences=len(differences))
    return close_id
