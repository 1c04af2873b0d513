"""How long claims took from step to step, as anybody may read it: a year's steps, and one of them month by month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.period import FIRST_YEAR, LAST_YEAR
from domain.suppression import FEW, SHOWN_MIN
from service.database import Tx
from service.pages import charts, names
from service.pages.board_months import name_of_month
from service.pages.figure_tables import Cell, Line, Table
from service.pages.language import gettext, later
from service.pages.public_figures import UNSHOWN
from service.statistics.queries.step_counts import steps_of_year, years_counted
from service.statistics.queries.steps import PaidStep
from service.statistics.schemas import StepsView, StepTookView
from service.wording import words

#: Beside what a line is called.
_HEADING = (later("笔数"), later("一半不超过"), later("九成不超过"))
_WHOLE_YEAR = "全年"
_FILE_HEADING = ("月份", "步骤", "笔数", "一半不超过（工作日）", "九成不超过（工作日）")
#: The file of a year of which nothing was counted.
NOTHING = Table(_FILE_HEADING)


@dataclass(frozen=True)
class StepQuestion:
    """A year, and the step of which months are told."""

    year: int
    step: PaidStep

    @classmethod
    def read(cls, given: Mapping[str, str], years: list[int], today: date) -> "StepQuestion":
        """What is not said, or cannot be asked, is the latest year that was counted, and all of the way."""
        said, step = given.get("year", ""), given.get("step", "")
        plain = said.isascii() and said.isdigit() and FIRST_YEAR <= int(said[:9]) <= LAST_YEAR
        latest = years[-1] if years else today.year
        return cls(int(said) if plain else latest, PaidStep(step) if step in list(PaidStep) else PaidStep.WHOLE)


async def steps(tx: Tx, given: Mapping[str, str], today: date) -> dict[str, Any]:
    """A year's steps with their tables, or which years there are figures of."""
    years = await years_counted(tx)
    asked = StepQuestion.read(given, years, today)
    view = await steps_of_year(tx, asked.year)
    whole, of_step = {each.step: each for each in view.whole}, _months_of(view, asked.step)
    return {
        "asked": asked,
        "years": sorted({*years, asked.year}, reverse=True),
        "counted": years,
        "steps": [(str(step), words(f"paid_step.{step}")) for step in PaidStep],
        "view": view if view.months else None,
        "way": _cells(whole[PaidStep.WHOLE]),
        "year_table": Table((later("步骤"), *_HEADING), [Line(each.step_name, _cells(each)) for each in view.whole]),
        "table": Table((later("月份"), *_HEADING), [Line(name, _cells(each)) for name, each in of_step]),
        "names": {each.step_name: each.step_name for each in view.whole}
        | {name_of_month(each.month): names.month_of(each.month) for each in view.months},
        "chart": _chart(view, asked.step),
        "every": max((each.every for each in view.months), default=1),
        "few": SHOWN_MIN,
    }


def file_of(view: StepsView) -> Table:
    """All of it: each month and the year, step by step."""
    parts = [(name_of_month(each.month), each.steps) for each in view.months] + [(_WHOLE_YEAR, view.whole)]
    lines = [
        Line(name, (words(f"paid_step.{each.step}", language="zh"), *_cells(each)))
        for name, steps in parts
        for each in steps
    ]
    return Table(_FILE_HEADING, lines)


def _months_of(view: StepsView, step: PaidStep) -> list[tuple[str, StepTookView]]:
    return [(name_of_month(month.month), each) for month in view.months for each in month.steps if each.step == step]


def _cells(took: StepTookView) -> tuple[Cell, ...]:
    if took.suppressed:
        return (FEW if took.few else UNSHOWN,) * len(_HEADING)
    return tuple("—" if each is None else each for each in (took.claims, took.half_days, took.nine_tenths_days))


def _chart(view: StepsView, step: PaidStep) -> dict[str, charts.Chart] | None:
    """Within how many days a half was done, of the months that are shown, in two widths; none where there is nothing
    to compare."""
    days = {month.month: each.half_days for month in view.months for each in month.steps if each.step == step}
    there = [month for month, half in days.items() if half is not None]
    if len(there) < 2:
        return None
    months = [f"{view.year}-{month:02d}" for month in range(int(there[0][5:]), int(there[-1][5:]) + 1)]
    values = [None if (half := days.get(month)) is None else float(half) for month in months]
    low, high, space = charts.axis([0.0, *(each for each in values if each is not None)])
    return {
        name: charts.trend(
            values, months, [], width=width, height=height, low=low, high=high, step=space, unit=gettext(" 天"),
            digits=0, every=max(1, -(-len(months) // labels)),
        )
        for name, width, height, labels in (("large", 820, 220, 6), ("small", 380, 200, 3))
    }  # fmt: skip
