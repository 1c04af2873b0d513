"""An editor works on a draft: rows corrected, added, removed, findings decided, each with a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update

from domain.actor import Actor, Post
from domain.catalog.deciding import FindingDecision, must_be_code, must_be_tag, must_be_words
from domain.catalog.edition import EditionStatus, must_be_editable, must_be_editor
from domain.catalog.lists import kind_of_list
from domain.errors import Conflict, NotFound
from domain.text import trimmed
from service.catalog.commands.checking import check_again
from service.catalog.queries.editing import finding_view, findings_named, item_values, item_view, next_serial
from service.catalog.schemas import (
    DraftItemView,
    FindingsDecidedView,
    FindingView,
    NewFindingDecision,
    NewFindingDecisions,
    NewItem,
)
from service.catalog.tables import CatalogItemRow, EditionRow, FindingRow, ItemChangeRow
from service.database import Tx
from service.journal import By, record


async def locked_draft(tx: Tx, edition_id: UUID) -> None:
    """Hold the draft for this transaction; NotFound `edition.none`, Conflict `edition.not_a_draft`."""
    found = select(EditionRow.status).filter_by(id=edition_id).with_for_update()
    status = (await tx.execute(found)).scalar_one_or_none()
    if status is None:
        raise NotFound("edition.none")
    must_be_editable(EditionStatus(status))


async def add_item(
    tx: Tx, me: Actor, edition_id: UUID, new: NewItem, now: datetime, proposal_id: UUID | None = None
) -> DraftItemView:
    """Put a row into a draft, after its last; `proposal_id` is the proposal that it comes from."""
    must_be_editor(me)
    await locked_draft(tx, edition_id)
    reason, values = _reason(new.reason), check_item(new)
    row, item_id = CatalogItemRow, uuid4()
    if new.serial is None:
        values["serial"] = str(await next_serial(tx, edition_id, new.list_name))
    last = select(func.coalesce(func.max(row.place), 0), func.coalesce(func.max(row.line), 0))
    place, line = (await tx.execute(last.where(row.edition_id == edition_id))).one()
    made = insert(row).values(id=item_id, edition_id=edition_id, place=place + 1, line=line + 1)
    await tx.execute(made.values(**_stored(values)))
    await _trace(tx, me, edition_id, item_id, "added", None, values, reason, now, proposal_id)
    return await item_view(tx, item_id)


async def correct_item(
    tx: Tx, me: Actor, edition_id: UUID, item_id: UUID, new: NewItem, now: datetime
) -> DraftItemView:
    """Give a row of a draft other values; what was printed stays on record.

    Conflict `catalog.nothing_changed` when the values are those that are there.
    """
    must_be_editor(me)
    await locked_draft(tx, edition_id)
    before, values, reason = await item_values(tx, edition_id, item_id), check_item(new), _reason(new.reason)
    if new.serial is None:
        values["serial"] = before["serial"]
    if before == values:
        raise Conflict("catalog.nothing_changed")
    corrected = update(CatalogItemRow).where(CatalogItemRow.id == item_id)
    await tx.execute(corrected.values(printed=None, **_stored(values)))
    await _trace(tx, me, edition_id, item_id, "corrected", before, values, reason, now)
    return await item_view(tx, item_id)


async def remove_item(tx: Tx, me: Actor, edition_id: UUID, item_id: UUID, reason: str, now: datetime) -> None:
    """Take a row out of a draft; the change keeps what it was."""
    must_be_editor(me)
    await locked_draft(tx, edition_id)
    before = await item_values(tx, edition_id, item_id)
    await tx.execute(delete(CatalogItemRow).where(CatalogItemRow.id == item_id))
    await _trace(tx, me, edition_id, item_id, "removed", before, None, _reason(reason), now)


async def decide_finding(
    tx: Tx, me: Actor, edition_id: UUID, finding_id: UUID, new: NewFindingDecision, now: datetime
) -> FindingView:
    """Accept a finding as published, or note that the source was asked. A correction is made at the row itself.

    NotFound `finding.none`; Conflict `finding.corrected` when its row was corrected meanwhile.
    """
    must_be_editor(me)
    await locked_draft(tx, edition_id)
    note = _reason(new.note)
    known = (await findings_named(tx, edition_id, [finding_id]))[finding_id]
    if known.decision == FindingDecision.CORRECT.value:
        raise Conflict("finding.corrected")
    await _decide(tx, me, edition_id, [finding_id], new.decision, note, now)
    return await finding_view(tx, finding_id)


async def decide_findings(
    tx: Tx, me: Actor, edition_id: UUID, new: NewFindingDecisions, now: datetime
) -> FindingsDecidedView:
    """Answer many findings alike, each with a journal row of its own.

    One that is not any more what was read, or whose row was corrected, is left as it is, and named. NotFound
    `finding.none` where one is none of this edition's: then none is answered.
    """
    must_be_editor(me)
    await locked_draft(tx, edition_id)
    note, seen = _reason(new.note), {each.id: each.version for each in new.findings}
    known = await findings_named(tx, edition_id, seen)
    as_seen = [
        finding_id
        for finding_id, each in known.items()
        if each.version == seen[finding_id] and each.decision != FindingDecision.CORRECT.value
    ]
    await _decide(tx, me, edition_id, as_seen, new.decision, note, now)
    return FindingsDecidedView(len(as_seen), [each for each in known.values() if each.id not in set(as_seen)])


async def _decide(
    tx: Tx, me: Actor, edition_id: UUID, ids: Sequence[UUID], decision: str, note: str, now: datetime
) -> None:
    told = {"status": str(EditionStatus.DRAFT), "decision": decision}
    after = [{**told, "finding": str(each)} for each in ids]
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    await record(tx, "edition", [edition_id] * len(ids), "decide", by, after, reason=note)
    decided = update(FindingRow).where(FindingRow.id.in_(ids))
    await tx.execute(decided.values(decision=decision, note=note, decided_at=now))


async def _trace(
    tx: Tx,
    me: Actor,
    edition_id: UUID,
    item_id: UUID,
    kind: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    reason: str,
    now: datetime,
    proposal_id: UUID | None = None,
) -> None:
    """The change with its reason, its journal row, and the findings as they are after it."""
    change = {"id": uuid4(), "edition_id": edition_id, "item_id": item_id, "kind": kind, "reason": reason}
    await tx.execute(
        insert(ItemChangeRow).values(
            **change, before=before, after=after, person_id=me.person_id, at=now, proposal_id=proposal_id
        )
    )
    noted = {"status": str(EditionStatus.DRAFT), "item": str(item_id), "change": str(change["id"])}
    await record(tx, "edition", [edition_id], kind, By.actor(me, Post.CATALOG_EDITOR, now), [noted], reason=reason)
    await check_again(tx, edition_id, now, reason)


def check_item(new: NewItem) -> dict[str, Any]:
    """The values of a row, well formed. Invalid `catalog.words`, `catalog.code`, `catalog.tag`."""
    must_be_words(new.list_name, "list_name")
    must_be_words(new.name, "name")
    must_be_words(new.industry, "industry")
    must_be_code(new.code, "code")
    must_be_tag(new.tag, "tag")
    serial = "" if new.serial is None else str(new.serial)
    return {
        **{name: getattr(new, name) for name in ("list_name", "code", "name", "tag", "industry")},
        "serial": serial,
    }


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "list_kind": kind_of_list(values["list_name"])}


def _reason(text: object) -> str:
    return trimmed(text, "reason", "words")
