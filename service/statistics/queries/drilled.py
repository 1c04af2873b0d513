"""The share within a district, a list or a level: read from the tally's cells, of a year at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from domain.errors import Invalid
from domain.period import Period, add_months
from service.database import Tx
from service.statistics.queries.share import By

#: There are as many cells as combinations occur: more than a year of them takes too long for a page (decision 54).
MONTHS_MAX = 12


@dataclass(frozen=True)
class Within:
    """Which claims are meant; empty: all of them."""

    district: str = ""
    list_kind: str = ""
    level: str = ""

    def __bool__(self) -> bool:
        return bool(self.district or self.list_kind or self.level)


_COLUMNS = {
    By.MONTH: "to_char(filed_on, 'YYYY-MM')",
    By.DISTRICT: "district",
    By.LIST: "list_kind",
    By.INDUSTRY: "industry",
    By.LEVEL: "level",
}
_CELLS = """
    SELECT {column} AS key, channel, sum(count) AS number, sum(amount_fen) AS amount_fen
      FROM (SELECT filed_on, district, list_kind, industry, level, channel, count, amount_fen FROM claim_tally
             UNION ALL
            SELECT filed_on, district, list_kind, industry, level, channel, count, amount_fen
              FROM claim_tally_deltas) AS cell
     WHERE filed_on BETWEEN :first AND :last
       AND (CAST(:district AS text) = '' OR district = :district)
       AND (CAST(:list_kind AS text) = '' OR list_kind = :list_kind)
       AND (CAST(:level AS text) = '' OR level = :level)
     GROUP BY 1, 2 HAVING sum(count) <> 0
"""
_FIGURES = {by: text(_CELLS.format(column=column)) for by, column in _COLUMNS.items()}

#: Key → channel → (claims, fen).
Cells = Mapping[str, Mapping[str, tuple[int, int]]]


async def drilled(tx: Tx, span: Period, by: By, within: Within) -> Cells:
    """Invalid `period.too_long` (field `to`) beyond a year."""
    assert span.last is not None, "a period that is asked for ends"
    if span.last >= add_months(span.first, MONTHS_MAX):
        raise Invalid("period.too_long", "to", years=1)
    asked = {"first": span.first, "last": span.last, **vars(within)}
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for key, channel, number, amount_fen in await tx.execute(_FIGURES[by], asked):
        found.setdefault(key, {})[channel] = int(number), int(amount_fen)
    return dict(sorted(found.items()))


_MONTHS = text("""
    SELECT DISTINCT key FROM claim_tally_sums WHERE along = 'month' AND grain = 'month' AND count <> 0
     UNION
    SELECT DISTINCT to_char(filed_on, 'YYYY-MM') FROM claim_tally_deltas
     ORDER BY key
""")


async def months_filed(tx: Tx) -> list[date]:
    """The first day of each month in which anything was filed."""
    return [date(int(key[:4]), int(key[5:]), 1) for key in (await tx.execute(_MONTHS)).scalars()]
