"""What the board's closer look draws in the browser: who filed, month by month, as shares."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from domain.claim import Channel
from service.database import Tx
from service.pages.board import monthly_targets, name_of_month, weighed_by
from service.pages.board_months import Looked, months_of
from service.statistics.queries.drilled import months_filed
from service.statistics.queries.share import By, individual_share
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


async def closer(tx: Tx, asked: str | None, by: str | None, today: date) -> CloserLook:
    """The two years that the board's trend goes through, from the first month with a claim on. Invalid
    `month.format`."""
    looked, weighed = Looked.at(asked, await months_filed(tx), today), weighed_by(by)
    rows = (await individual_share(tx, looked.two_years, By.MONTH, public=False)).rows
    figures = {row.key: weighed.figures(row) for row in rows if weighed.filed(row).total}
    every = [f"{month:%Y-%m}" for month in months_of(looked.two_years)]
    months = every[every.index(min(figures)) :] if figures else []
    return CloserLook(
        title=words("closer.title"),
        months=[name_of_month(month) for month in months],
        goal=(await monthly_targets(tx, looked, weighed))[-1],
        series=[
            CloserLine(words(f"channel.{channel}"), [_per_cent(figures.get(month), channel) for month in months])
            for channel in Channel
        ],
    )


def _per_cent(figures: Mapping[str, int] | None, channel: Channel) -> float | None:
    return round(100 * figures.get(channel, 0) / sum(figures.values()), 1) if figures else None
