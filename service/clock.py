"""The one reader of the clock. Business days are Asia/Shanghai; the demo may play another day."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from service.settings import settings

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: The demo moves its clock by at most this much at once.
ADVANCE_DAYS_MAX = 366


def offset() -> timedelta:
    """How far the demo's day is from the real one; zero everywhere else.

    Raises RuntimeError when an offset is set outside the demo: a bureau's clock is the real one.
    """
    text = settings().clock_offset
    if not text:
        return timedelta(0)
    if not settings().demo:
        raise RuntimeError("ZHIDA_CLOCK_OFFSET is for the demo only (ZHIDA_DEMO=1)")
    if text.startswith("@"):
        file = Path(text[1:])
        text = file.read_text().strip() if file.exists() else "0"
    return timedelta(days=int(text or "0"))


def now() -> datetime:
    """This instant, with the demo's offset, in UTC."""
    return datetime.now(UTC) + offset()


def business_day(at: datetime) -> date:
    """The business day of an instant."""
    return at.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """When that day begins here."""
    return datetime.combine(day, time(), SHANGHAI)


def today() -> date:
    """The business day."""
    return business_day(now())


def can_be_moved() -> bool:
    """Whether this is a demo whose offset stands in a file that every process reads."""
    return settings().demo and settings().clock_offset.startswith("@")


def advance(days: int) -> date:
    """Move the demo's clock forward by whole days and answer the new business day."""
    if not can_be_moved():
        raise RuntimeError("only the demo's clock can be moved")
    file = Path(settings().clock_offset[1:])
    beside = file.with_suffix(".new")
    beside.write_text(str(offset().days + days))
    beside.replace(file)
    return today()
