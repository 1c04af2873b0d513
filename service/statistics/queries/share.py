"""The share of individual claims, read from the figures kept with the claims."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import text

from domain.claim import Channel
from domain.errors import Invalid
from domain.level import LEVELS
from domain.period import Period, add_months, months_within, parse_date
from domain.share import DEFINITION, share_of
from domain.suppression import hidden
from service.database import Tx
from service.settings import settings
from service.statistics.schemas import IndividualShareView, ShareRowView, ShareTotalView, ShareView

YEARS_MAX = 10

LIST_NAMES = {
    "shortage": "急需紧缺",
    "general": "一般性",
    "manufacturing": "制造业",
    "specific_skill": "专项职业能力",
    "project": "项目制",
    "startup": "创业",
    "other": "其他",
}


class By(StrEnum):
    """What the share can be broken down by."""

    MONTH = "month"
    DISTRICT = "district"
    LIST = "list"
    INDUSTRY = "industry"
    LEVEL = "level"


@dataclass
class _Figures:
    count: Counter[str] = field(default_factory=Counter)
    amount_fen: Counter[str] = field(default_factory=Counter)

    def add(self, channel: str, count: int, amount_fen: int) -> None:
        self.count[channel] += count
        self.amount_fen[channel] += amount_fen


@dataclass
class _Found:
    """By key; `districts` are what districts are called. `sample`: a standard in the database is a sample."""

    sample: bool
    figures: dict[str, _Figures] = field(default_factory=dict)
    districts: dict[str, str] = field(default_factory=dict)


def parse_span(first: str | None, last: str | None, today: date) -> Period:
    """The days asked for: what is not said runs from 1 January, to today.

    Invalid with the field `from` or `to`: as `domain.period.parse_date`, `period.reversed` (first, last) or
    `period.too_long` (years).
    """
    end = today if last is None else parse_date(last, "to")
    start = date(end.year, 1, 1) if first is None else parse_date(first, "from")
    if end < start:
        raise Invalid("period.reversed", "to", first=str(start), last=str(end))
    if end >= add_months(start, 12 * YEARS_MAX):
        raise Invalid("period.too_long", "to", years=YEARS_MAX)
    return Period(start, end)


def parse_by(text: str) -> By:
    """Invalid `statistics.unknown_by` (by, known) for anything that the share is not broken down by."""
    if text not in list(By):
        raise Invalid("statistics.unknown_by", "by", by=text[:40], known=[str(each) for each in By])
    return By(text)


async def individual_share(tx: Tx, span: Period, by: By, *, public: bool) -> IndividualShareView:
    """The share over `span`, by the definition of `domain.share`; lines over few claims are hidden from the public.

    The total over the city is always shown: it singles nobody out, and it is what the city is measured by.
    """
    assert span.last is not None
    found = await _found(tx, span.first, span.last, by)
    figures, total = found.figures, _Figures()
    for each in figures.values():
        total.count.update(each.count)
        total.amount_fen.update(each.amount_fen)
    few = hidden({key: each.count.total() for key, each in figures.items()}) if public else frozenset()
    names = found.districts if by is By.DISTRICT else _names(by, figures)
    rows = [_row(key, names.get(key, key), None if key in few else figures[key]) for key in sorted(figures)]
    sample = _is_sample(found.sample)
    return IndividualShareView(span.first, span.last, by, rows, _total(total), DEFINITION, sample)


async def rests_on_samples(tx: Tx) -> bool:
    """Whether amounts of claims may be those of sample standards, which whoever shows them then says."""
    return _is_sample((await tx.execute(text("SELECT EXISTS (SELECT FROM standards WHERE sample)"))).scalar_one())


def _is_sample(any_sample: bool) -> bool:
    """In the demo nothing is real, whatever its standards say of themselves."""
    return settings().demo or any_sample


async def _found(tx: Tx, first: date, last: date, by: By) -> _Found:
    begin, end = months_within(first, last)
    asked = {"by": str(by), "first": first, "last": last, "begin": begin, "end": end}
    rows = (await tx.execute(_FIGURES, asked)).all()
    found = _Found(sample=rows[0].sample)
    for row in rows:
        if row.key is not None:  # as it is where nothing was filed
            figures = found.figures.setdefault(row.key, _Figures())
            figures.add(row.channel, int(row.number), int(row.amount_fen))
            found.districts[row.key] = row.district
    return found


# Folded and unfolded figures in one statement, hence of one snapshot: each change is seen in exactly one. Of what is
# folded, whole months are read as such, and by their days only those before and after. There is always a row.
_FIGURES = text("""
    WITH filed AS (
        SELECT key, channel, count, amount_fen FROM claim_tally_sums
         WHERE along = :by AND grain = 'month' AND filed_on >= :begin AND filed_on < :end
         UNION ALL
        SELECT key, channel, count, amount_fen FROM claim_tally_sums
         WHERE along = :by AND grain = 'day' AND filed_on >= :first AND filed_on < :begin
         UNION ALL
        SELECT key, channel, count, amount_fen FROM claim_tally_sums
         WHERE along = :by AND grain = 'day' AND filed_on >= :end AND filed_on <= :last
         UNION ALL
        SELECT CASE CAST(:by AS text)
               WHEN 'month' THEN to_char(filed_on, 'YYYY-MM') WHEN 'district' THEN district
               WHEN 'list' THEN list_kind WHEN 'industry' THEN industry WHEN 'level' THEN level END,
               channel, count, amount_fen
          FROM claim_tally_deltas
         WHERE filed_on BETWEEN :first AND :last
    ), figures AS (
        SELECT key, channel, sum(count) AS number, sum(amount_fen) AS amount_fen
          FROM filed
         GROUP BY key, channel
        HAVING sum(count) <> 0
    )
    SELECT any_.sample, figures.key, coalesce(districts.name, figures.key) AS district,
           figures.channel, figures.number, figures.amount_fen
      FROM (SELECT EXISTS (SELECT FROM standards WHERE sample) AS sample) AS any_
      LEFT JOIN figures ON true
      LEFT JOIN districts ON CAST(:by AS text) = 'district' AND districts.code = figures.key
""")


def _names(by: By, keys: Iterable[str]) -> Mapping[str, str]:
    """What people call each key; a key that is not among them is called by itself."""
    match by:
        case By.LIST:
            return LIST_NAMES
        case By.LEVEL:
            return {code: level.name for code, level in LEVELS.items()}
        case By.MONTH:
            return {key: f"{key[:4]}年{int(key[5:])}月" for key in keys}
        case _:
            return {}


def _row(key: str, name: str, figures: _Figures | None) -> ShareRowView:
    if figures is None:
        return ShareRowView(key, name, None, None, ShareView(None, None), suppressed=True)
    total = _total(figures)
    return ShareRowView(key, name, total.count, total.amount_fen, total.share, suppressed=False)


def _total(figures: _Figures) -> ShareTotalView:
    count, amount_fen = _by_channel(figures.count), _by_channel(figures.amount_fen)
    share = ShareView(_rounded(share_of(count)), _rounded(share_of(amount_fen)))
    return ShareTotalView(_named(count), _named(amount_fen), share)


def _by_channel(figures: Mapping[str, int]) -> dict[Channel, int]:
    return {channel: figures.get(channel, 0) for channel in Channel}


def _named(figures: Mapping[Channel, int]) -> dict[str, int]:
    return {str(channel): figure for channel, figure in figures.items()}


def _rounded(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 4)
