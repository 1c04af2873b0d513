"""What the board's closer look draws in the browser: who filed, month by month, as shares."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from domain.claim import Channel
from service.pages.board_months import name_of_month
from service.wording import words


class CloserLine(Struct):
    """Per cent of each month, one decimal; None: nobody filed."""

    name: str
    data: list[float | None]


class CloserLook(Struct):
    """`goal`: per cent as in force at the end of the last month; None: there is none."""

    title: str
    months: list[str]
    goal: int | None
    series: list[CloserLine]


def closer(figures: Mapping[str, Mapping[str, int]], every: Sequence[str], goal: int | None) -> str:
    """As JSON, from the first month with a claim on. `figures`: month → channel → claims or fen, none of them empty;
    `every`: the months in order, 2026-01."""
    months = every[every.index(min(figures)) :] if figures else []
    look = CloserLook(
        title=words("closer.title"),
        months=[name_of_month(month) for month in months],
        goal=goal,
        series=[
            CloserLine(words(f"channel.{channel}"), [_per_cent(figures.get(month), channel) for month in months])
            for channel in Channel
        ],
    )
    return msgspec.json.encode(look).decode()


def _per_cent(figures: Mapping[str, int] | None, channel: Channel) -> float | None:
    return round(100 * figures.get(channel, 0) / sum(figures.values()), 1) if figures else None
