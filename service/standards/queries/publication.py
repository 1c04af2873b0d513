"""All amounts in force on a day as they are published, and a feed of what was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256

from sqlalchemy import Date, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from domain.level import LEVELS
from domain.money import fen_display
from domain.standard import SetStatus
from service.catalog.tables import AliasRow, CatalogItemRow, EditionRow
from service.clock import SHANGHAI
from service.database import Tx
from service.gateways.publication_files import FeedEntry, as_csv, as_feed, as_workbook
from service.standards.queries.sets import sets
from service.standards.schemas import SetView
from service.standards.tables import StandardRow, StandardSetRow
from service.wording import words

_HEADING = ("职业编码", "名称", "等级", "补贴标准（元）", "出处", "说明")
_OUT = (SetStatus.PUBLISHED, SetStatus.SUPERSEDED)
_SAMPLE = "示例，不是本市公布的标准"


@dataclass(frozen=True)
class Publication:
    """The rows of a day. `tag` is another where anything that is printed is."""

    rows: Sequence[tuple[str, ...]]

    @property
    def tag(self) -> str:
        return sha256(repr(self.rows).encode()).hexdigest()[:32]

    def file(self, suffix: str) -> bytes:
        """A file of that kind; without standards on that day only its heading."""
        return as_csv(_HEADING, self.rows) if suffix == "csv" else as_workbook(_HEADING, {"补贴标准": self.rows})


async def publication(tx: Tx, on: date) -> Publication:
    """By occupation, then from the lowest level; named as the edition of that day names it first, by any of its codes
    (an amount stands at the canonical one)."""
    row, of, item, edition, alias = StandardRow, StandardSetRow, CatalogItemRow, EditionRow, AliasRow
    occupation = func.coalesce(alias.canonical, item.code)
    named = (
        select(occupation.label("occupation"), item.name)
        .ext(distinct_on(occupation))
        .join(edition, edition.id == item.edition_id)
        .outerjoin(alias, alias.code == item.code)
        .where(edition.in_force.contains(on))
        .order_by(occupation, item.place)
        .subquery()
    )
    found = await tx.execute(
        select(row.occupation, func.coalesce(named.c.name, ""), row.level, row.amount_fen, of.source, row.sample)
        .join(of, of.id == row.set_id)
        .outerjoin(named, named.c.occupation == row.occupation)
        .where(row.in_force.op("@>")(literal(on, Date)))
    )
    ordered = sorted(found, key=lambda each: (each[0], LEVELS[each[2]].rank))
    return Publication(
        [
            (code, name, LEVELS[level].name, fen_display(amount_fen), source, _SAMPLE if sample else "")
            for code, name, level, amount_fen, source, sample in ordered
        ]
    )


async def feed(tx: Tx, base: str) -> bytes:
    """An Atom feed of the sets that are out, newest first. `base` is our own address."""
    entries = [_entry(each, base) for each in (await sets(tx, None)).sets if each.status in _OUT]
    return as_feed(words("standards.feed"), f"{base}/standards/feed.atom", entries)


def _entry(published: SetView, base: str) -> FeedEntry:
    revised = "standards.revised_set" if published.revision else "standards.set"
    title = words(revised, {"year": published.year, "revision": published.revision})
    facts = {"first": published.first, "count": published.amounts, "source": published.source}
    summary = words("standards.feed_entry", facts) + (f"（{_SAMPLE}）" if published.sample else "")
    updated = datetime.combine(published.published_on or published.first, time(), SHANGHAI)
    return FeedEntry(f"urn:uuid:{published.id}", title, updated, f"{base}/catalog", summary)
