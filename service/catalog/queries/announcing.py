"""What is said when an edition is published: a feed entry, a short text, the items as a file."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID

from domain.catalog.difference import Change
from domain.errors import NotFound
from service.catalog.queries.differences import difference_of
from service.catalog.queries.drafts import aliases
from service.catalog.queries.editions import edition_view, editions, items_of_edition
from service.catalog.queries.published import keep
from service.catalog.schemas import AnnouncementView, EditionView, ItemView
from service.clock import SHANGHAI
from service.database import Tx
from service.gateways.publication_files import FeedEntry, as_csv, as_feed, as_workbook
from service.wording import words

_SUMMARIES_KEPT = 100
#: By edition, the one before it, and what codes mean now.
_summaries: OrderedDict[tuple[UUID, UUID | None, frozenset[tuple[str, str]]], str] = OrderedDict()
_HEADING = ("目录", "序号", "编码", "名称", "标识", "行业分类")


async def published_edition(tx: Tx, edition_id: UUID) -> EditionView:
    """NotFound `edition.none`, also for a draft."""
    edition = await edition_view(tx, edition_id)
    if edition.first is None:
        raise NotFound("edition.none")
    return edition


def edition_file(items: Sequence[ItemView], suffix: str) -> bytes:
    """The items of an edition as CSV, or as XLSX with a sheet a list."""
    rows = [(item.list_name, item.serial, item.code or "", item.name, item.tag, item.industry) for item in items]
    if suffix == "csv":
        return as_csv(_HEADING, rows)
    lists = dict.fromkeys(row[0] for row in rows)
    sheets = {name: [row[1:] for row in rows if row[0] == name] for name in lists}
    return as_workbook(_HEADING[1:], sheets)


async def feed(tx: Tx, base: str) -> bytes:
    """An Atom feed of the published editions, newest first, each with what it changed. `base` is our own address."""
    published = (await editions(tx, drafts=False)).editions
    entries = []
    for each, before in zip(published, [*published[1:], None], strict=True):
        assert each.first is not None
        updated = datetime.combine(each.first, time(), SHANGHAI)
        summary = await _summary(tx, each, before)
        entries.append(FeedEntry(f"urn:uuid:{each.id}", _title(each), updated, f"{base}/catalog", summary))
    return as_feed(words("catalog.feed"), f"{base}/catalog/feed.atom", entries)


async def announcement(tx: Tx, edition_id: UUID, base: str) -> AnnouncementView:
    """A short text for a public account, with a link; NotFound `edition.none`, also for a draft."""
    published = (await editions(tx, drafts=False)).editions
    place = next((place for place, each in enumerate(published) if each.id == edition_id), None)
    if place is None:
        raise NotFound("edition.none")
    edition, before = published[place], next(iter(published[place + 1 : place + 2]), None)
    facts = {"title": _title(edition), "first": edition.first, "changes": await _summary(tx, edition, before)}
    return AnnouncementView(words("catalog.announcement", {**facts, "link": f"{base}/catalog"}))


def _title(edition: EditionView) -> str:
    kind = "catalog.adjustment" if edition.revision else "catalog.edition"
    return words(kind, {"year": edition.year, "revision": edition.revision})


async def _summary(tx: Tx, edition: EditionView, before: EditionView | None) -> str:
    """How many rows there are, and how many changed in each way; published editions are compared once a process."""
    key = edition.id, before.id if before else None, frozenset((await aliases(tx)).items())
    if (known := _summaries.get(key)) is not None:
        return known
    rows = len(await items_of_edition(tx, edition.id))
    said = [words("catalog.rows", {"count": rows})]
    if before is not None:
        found = await difference_of(tx, before.id, edition.id)
        counted = {change: len(getattr(found, str(change))) for change in Change}
        said += [words(f"change.{change}", {"count": count}) for change, count in counted.items() if count]
    summary = "，".join(said) + "。"
    keep(_summaries, key, summary, _SUMMARIES_KEPT)
    return summary
