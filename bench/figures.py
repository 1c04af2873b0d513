"""What a bench found: figures beside their ceilings, as a table for people and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ratio` is what `target` speaks about; without a ratio, `value` is.

    `least`: the target is a minimum, otherwise a maximum. `ceiling` is what was measured beside it, in `unit`.
    """

    part: str
    name: str
    value: float
    unit: str
    ceiling: float | None = None
    ratio: float | None = None
    target: float | None = None
    least: bool = False
    note: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the first target is reached; None where there is none."""
        if self.target is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return judged >= self.target if self.least else judged <= self.target


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    return [{**asdict(each), "held": each.held} for each in figures]


def show(figures: Sequence[Figure], console: Console) -> None:
    """The table. Below its target is no failure: it is explained in `docs/performance.md`."""
    table = Table(title="what each hot path costs", title_justify="left")
    table.add_column("part")
    table.add_column("figure")
    for name in ("measured", "ceiling", "ratio", "target", ""):
        table.add_column(name, justify="right", no_wrap=True)
    before, notes = "", list[str]()
    for each in figures:
        if each.note:
            notes.append(each.note)
        table.add_row(
            each.part if each.part != before else "",
            f"{each.name} \\[{len(notes)}]" if each.note else each.name,
            f"{_short(each.value)} {each.unit}",
            "" if each.ceiling is None else f"{_short(each.ceiling)} {each.unit}",
            "" if each.ratio is None else f"{each.ratio:.2f}",
            "" if each.target is None else f"{'≥' if each.least else '≤'} {each.target:,g}",
            {True: "held", False: "missed", None: ""}[each.held],
        )
        before = each.part
    console.print(table)
    for number, note in enumerate(notes, start=1):
        console.print(f"[{number}] {note}", markup=False, highlight=False)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
