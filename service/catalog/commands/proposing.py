"""What the next catalog should hold: sources the city is given, proposals of districts, opinions, and decisions."""

import hashlib
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from msgspec import to_builtins
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.catalog import PublishedCatalog, items_of
from domain.catalog.edition import must_be_editor
from domain.catalog.sources import PROPOSAL_LIFECYCLE, ProposalAction, SourceKind
from domain.errors import Conflict, Forbidden, Invalid
from domain.period import parse_date
from domain.text import public_words, trimmed
from service.catalog.commands.editing import add_item, check_item
from service.catalog.queries.editions import edition_view
from service.catalog.queries.proposals import proposal_view, source_view
from service.catalog.schemas import NewOpinion, NewProposal, NewProposalDecision, ProposalView, SourceView
from service.catalog.tables import OpinionRow, ProposalRow, SourceItemRow, SourceRow
from service.database import Tx
from service.journal import By, move, record

_PROPOSALS = ProposalRow.__table__


async def take_source(
    tx: Tx,
    me: Actor,
    kind: SourceKind,
    name: str,
    dated_on: date,
    published: PublishedCatalog,
    data: bytes,
    now: datetime,
) -> SourceView:
    """Keep a source's rows with its day and SHA-256; the same bytes of the same kind are the source that is there."""
    must_be_editor(me)
    source_id, digest, row = uuid4(), hashlib.sha256(data).digest(), SourceRow
    said = {"kind": str(kind), "name": public_words(name, "name"), "dated_on": dated_on}
    made = upsert(row).values(id=source_id, sha256=digest, received_at=now, **said).on_conflict_do_nothing()
    if (await tx.execute(made.returning(row.id))).first() is None:
        known = select(row.id).where(row.kind == str(kind), row.sha256 == digest)
        return await source_view(tx, (await tx.execute(known)).scalar_one())
    items = [
        {"source_id": source_id, "place": place, "list_name": item.list_name, "code": item.code}
        | {"name": item.name, "tag": item.tag, "industry": item.industry}
        for place, item in enumerate(items_of(published), 1)
    ]
    if not items:
        raise Invalid("catalog.source_empty", field="file")
    await tx.execute(insert(SourceItemRow), items)
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    await record(tx, "source", [source_id], "take", by, [{"sha256": digest.hex(), **to_builtins(said)}])
    return await source_view(tx, source_id)


async def propose(tx: Tx, me: Actor, new: NewProposal, now: datetime) -> ProposalView:
    """A district proposes a row for the catalog of a year.

    Forbidden `district_missing` for whoever works for the city: it decides. Invalid as a row of a draft.
    """
    me.must_hold(Post.CATALOG_EDITOR)
    if me.district is None:
        raise Forbidden("district_missing")
    proposal_id, reason = uuid4(), public_words(new.item.reason, "item.reason")
    figures = to_builtins(new.figures)
    about = {"status": str(PROPOSAL_LIFECYCLE.first), "district": me.district, "year": new.year}
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    await record(tx, "proposal", [proposal_id], "propose", by, [about], reason=reason)
    await tx.execute(
        insert(ProposalRow).values(
            id=proposal_id,
            item=check_item(new.item),
            reason=reason,
            figures={each["name"]: {"value": each["value"], "source": each["source"]} for each in figures},
            proposed_by_person=me.person_id,
            proposed_at=now,
            **about,
        )
    )
    return await proposal_view(tx, me, proposal_id)


async def record_opinion(
    tx: Tx, me: Actor, proposal_id: UUID, new: NewOpinion, today: date, now: datetime
) -> ProposalView:
    """What somebody who was asked said, with the SHA-256 of the document that says so.

    NotFound `proposal.none`, Conflict `proposal.decided`, Invalid `opinion.document`, `date.in_future`.
    """
    me.must_hold(Post.CATALOG_EDITOR)
    await _open_proposal(tx, me, proposal_id)
    heard_on = parse_date(new.heard_on, "heard_on")
    if heard_on > today:
        raise Invalid("date.in_future", field="heard_on")
    said = {name: public_words(getattr(new, name), name) for name in ("name", "said")}
    try:
        document = bytes.fromhex(new.document_sha256)
    except ValueError:
        raise Invalid("opinion.document", field="document_sha256") from None
    opinion = {"asked": new.asked, "stance": new.stance, **said}
    opinion_id = uuid4()
    await tx.execute(
        insert(OpinionRow).values(
            id=opinion_id,
            proposal_id=proposal_id,
            document_sha256=document,
            heard_on=heard_on,
            recorded_by_person=me.person_id,
            **opinion,
        )
    )
    noted: dict[str, Any] = {"opinion": str(opinion_id), "document_sha256": document.hex()}
    await record(tx, "proposal", [proposal_id], "hear", By.actor(me, Post.CATALOG_EDITOR, now), [noted])
    return await proposal_view(tx, me, proposal_id)


async def accept(tx: Tx, me: Actor, proposal_id: UUID, new: NewProposalDecision, now: datetime) -> ProposalView:
    """Carry a proposal into a draft: its row goes in, and each names the other.

    Forbidden `city_only`; NotFound `proposal.none`, `edition.none`; Conflict `proposal.decided`,
    `proposal.other_year`, `edition.not_a_draft`; Invalid `proposal.edition` without a draft.
    """
    must_be_editor(me)
    proposed = await _open_proposal(tx, me, proposal_id)
    if new.edition_id is None:
        raise Invalid("proposal.edition", field="edition_id")
    edition = await edition_view(tx, new.edition_id)
    if edition.year != proposed.year:
        raise Conflict("proposal.other_year", year=proposed.year)
    reason = trimmed(new.reason, "reason", "words")
    item = await add_item(tx, me, new.edition_id, proposed.as_new(reason), now, proposal_id)
    await _decide(tx, me, proposal_id, ProposalAction.ACCEPT, reason, now, {"item_id": item.id})
    return await proposal_view(tx, me, proposal_id)


async def decline(tx: Tx, me: Actor, proposal_id: UUID, new: NewProposalDecision, now: datetime) -> ProposalView:
    """Say no, with a reason; refusals as `accept`."""
    must_be_editor(me)
    await _open_proposal(tx, me, proposal_id)
    await _decide(tx, me, proposal_id, ProposalAction.DECLINE, trimmed(new.reason, "reason", "words"), now, {})
    return await proposal_view(tx, me, proposal_id)


async def _decide(
    tx: Tx, me: Actor, proposal_id: UUID, action: ProposalAction, reason: str, now: datetime, changes: dict[str, Any]
) -> None:
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    await move(tx, _PROPOSALS, PROPOSAL_LIFECYCLE, action, proposal_id, by, reason=reason, changes=changes)


async def _open_proposal(tx: Tx, me: Actor, proposal_id: UUID) -> ProposalView:
    """Held for this transaction; of my district, or any for the city."""
    row = ProposalRow
    await tx.execute(select(row.id).where(row.id == proposal_id).with_for_update())
    found = await proposal_view(tx, me, proposal_id)
    if found.status != PROPOSAL_LIFECYCLE.first:
        raise Conflict("proposal.decided", status=found.status)
    return found
