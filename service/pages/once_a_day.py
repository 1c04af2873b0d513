"""Figures that take long to count and may be a day old: a process counts them once a day, and the page says when.

Where little is counted, it is counted anew each time. Kept under whose figures they are: nothing of one district, or
of one database, is shown to another.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from service.clock import business_day
from service.settings import settings

KEPT_MAX = 500

_T = TypeVar("_T")
_kept: OrderedDict[tuple[Hashable, ...], tuple[Any, datetime]] = OrderedDict()


@dataclass(frozen=True)
class Counted(Generic[_T]):
    """`kept_at`: when they were counted, if they are kept; None: just now."""

    figures: _T
    kept_at: datetime | None = None


async def once_a_day(
    named: tuple[Hashable, ...], now: datetime, count: Callable[[], Awaitable[_T]], many: Callable[[_T], bool]
) -> Counted[_T]:
    """The figures of that name as they were first counted today; anew where they are not of `many`."""
    key = (settings().database_url, business_day(now), *named)
    if key in _kept:
        return Counted(*_kept[key])
    figures = await count()
    if not many(figures):
        return Counted(figures)
    _kept[key] = figures, now
    while len(_kept) > KEPT_MAX:
        _kept.popitem(last=False)
    return Counted(figures, now)
