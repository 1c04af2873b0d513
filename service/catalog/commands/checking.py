"""Keep a draft's findings in step with its rows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select, update

from domain.catalog import Finding, find_mistakes
from domain.catalog.deciding import SETTLED, FindingDecision
from service.catalog.queries.drafts import aliases, catalog_of, classification
from service.catalog.tables import FindingRow
from service.database import Tx

_Place = tuple[str, str, int | None, int | None, int]


async def check_again(tx: Tx, edition_id: UUID, now: datetime, reason: str) -> None:
    """Check the rows as they are now.

    What is newly wrong is added; what no longer is counts as corrected, for `reason`; what was corrected and is wrong
    again is open again; what was accepted stays accepted as long as it says the same.
    """
    found = find_mistakes(await catalog_of(tx, edition_id), await classification(tx), await aliases(tx))
    row = FindingRow
    stored = await tx.execute(
        select(row.id, row.kind, row.list_name, row.line, row.serial, row.decision, row.message)
        .where(row.edition_id == edition_id)
        .order_by(row.line, row.id)
        .with_for_update()
    )
    known = dict(_placed((each.kind, each.list_name, each.line, each.serial, each) for each in stored))
    now_found = dict(_placed((str(each.kind), each.list_name, each.line, each.serial, each) for each in found))
    gone = [each.id for place, each in known.items() if place not in now_found and each.decision not in SETTLED]
    back = [
        each.id
        for place, each in known.items()
        if place in now_found
        and (
            each.decision == FindingDecision.CORRECT
            or (each.decision == FindingDecision.ACCEPT and each.message != now_found[place].message)
        )
    ]
    corrected = {"decision": str(FindingDecision.CORRECT), "note": reason, "decided_at": now}
    await tx.execute(update(row).where(row.id.in_(gone)).values(**corrected))
    await tx.execute(update(row).where(row.id.in_(back)).values(decision=None, note=None, decided_at=None))
    said = [
        {"known": known[place].id, "message": each.message, "suggestion": each.suggestion, "code": each.code}
        for place, each in now_found.items()
        if place in known
    ]
    if said:
        again = update(cast(Table, row.__table__)).where(row.id == bindparam("known"))
        await tx.execute(again.values({name: bindparam(name) for name in ("message", "suggestion", "code")}), said)
    fresh = [_row(edition_id, each) for place, each in now_found.items() if place not in known]
    if fresh:
        await tx.execute(insert(row), fresh)


def _placed(findings: Iterable[tuple[str, str, int | None, int | None, Any]]) -> Iterable[tuple[_Place, Any]]:
    """Each under its place; several of one kind in one row are told apart by their order."""
    seen: dict[tuple[str, str, int | None, int | None], int] = defaultdict(int)
    for kind, list_name, line, serial, finding in findings:
        place = (kind, list_name, line, serial)
        seen[place] += 1
        yield (*place, seen[place]), finding


def _row(edition_id: UUID, finding: Finding) -> dict[str, Any]:
    facts = finding.facts()
    return {"edition_id": edition_id, **{("list_name" if name == "list" else name): facts[name] for name in facts}}  # type: ignore[literal-required]
