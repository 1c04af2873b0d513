"""What keeps an edition from being published today, before anybody tries."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from domain.actor import Actor, Post
from domain.catalog.edition import IN_FORCE, EditionStatus, Publishing, calendar_faults
from service.catalog.queries.editing import open_findings
from service.catalog.schemas import EditionView, ObstacleView
from service.database import Tx
from service.journal import acted_on
from service.wording import words

_EARLY = (EditionStatus.DRAFT, EditionStatus.IN_CONSULTATION)


async def obstacles(tx: Tx, me: Actor, edition: EditionView, today: date) -> list[ObstacleView]:
    """In the order in which they are met; each is what `consult`, `approve` or `publish` would answer."""
    if edition.status in IN_FORCE:
        return []
    found = [*await _unsettled(tx, edition), *_not_yet(edition, today)]
    if faults := list(calendar_faults(Publishing(edition.year, edition.revision, today))):
        found.append(("edition.calendar", {"faults": faults}))
    mine = await acted_on(tx, "edition", [edition.id], me.person_id, [Post.CATALOG_EDITOR])
    if mine and me.holds(Post.CATALOG_PUBLISHER):
        found.append(("edition.own_work", {}))
    return [ObstacleView(code, words(code, facts)) for code, facts in found]


async def _unsettled(tx: Tx, edition: EditionView) -> list[tuple[str, dict[str, Any]]]:
    """Findings count until the approval, which is about them."""
    if edition.status not in _EARLY:
        return []
    errors, warnings = await open_findings(tx, edition.id)
    counted = (("edition.open_errors", errors), ("edition.open_warnings", warnings))
    return [(code, {"count": count}) for code, count in counted if count]


def _not_yet(edition: EditionView, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    status = EditionStatus(edition.status)
    if status == EditionStatus.DRAFT:
        yield "edition.not_consulted", {}
    if status == EditionStatus.IN_CONSULTATION:
        last = edition.consultation_last
        if last and last >= today:
            yield "edition.consultation_runs", {"last": last}
        yield "edition.not_approved", {}
