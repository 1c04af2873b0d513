"""Propose a set: a formula over an edition, and every amount that it gives, with the steps that made it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from domain.actor import Actor, Post
from domain.errors import Invalid, NotFound
from domain.period import Period, day_before, parse_date
from domain.standard import SetStatus, content_of
from domain.text import must_hold_no_personal_number, public_words
from service.database import Tx
from service.journal import By, record
from service.standards.queries.forming import edition_of, formed_amounts, must_price_projects
from service.standards.queries.sets import set_view
from service.standards.schemas import NewStandardSet, SetView
from service.standards.tables import StandardRow, StandardSetRow


@dataclass(frozen=True)
class Proposal:
    """What a set shall be, read. `days` are those it is for."""

    year: int
    days: Period
    edition_id: UUID
    formula: dict[str, Any]
    facts: dict[str, Any]
    source: str
    projects: dict[str, Any] | None = None
    reason: str = ""
    sample: bool = False
    corrects: UUID | None = None


async def propose(tx: Tx, me: Actor, new: NewStandardSet, today: date, now: datetime) -> SetView:
    """A draft with all its amounts; nothing is in force before two bureaus have signed it and it is published.

    Invalid `formula.…` with the place; Invalid `standards.reason` where days are past and nothing says why; Conflict
    `standards.no_edition`; NotFound `standards.not_found` for a set to correct that is not published.
    """
    me.must_hold(Post.STANDARD_EDITOR)
    first, last = parse_date(new.first, "from"), parse_date(new.last, "to") if new.last else None
    if new.corrects:
        last = last or await _last_of(tx, new.corrects)
    reason = new.reason.strip()
    must_hold_no_personal_number(reason, "reason")
    if (first < today or new.corrects) and not reason:
        raise Invalid("standards.reason", field="reason")
    edition_id = new.edition_id or await edition_of(tx, first)
    source = public_words(new.source, "source")
    days = Period(first, last)
    what = (new.formula, new.facts, source, new.projects)
    proposal = Proposal(new.year, days, edition_id, *what, reason, corrects=new.corrects)
    set_id = await store(tx, By.actor(me, Post.STANDARD_EDITOR, now), proposal, me)
    return await set_view(tx, me, set_id)


async def _last_of(tx: Tx, corrected: UUID) -> date | None:
    """The last day that a published set was for."""
    row = StandardSetRow
    published = select(row.until).where(row.id == corrected, row.place.is_not(None))
    found = (await tx.execute(published)).one_or_none()
    if found is None:
        raise NotFound("standards.not_found")
    return day_before(found.until)


async def store(tx: Tx, by: By, proposal: Proposal, me: Actor | None) -> UUID:
    """The draft, its amounts and its journal row. `me` None: nobody proposed it (a sample)."""
    formed = await formed_amounts(tx, proposal.edition_id, proposal.formula, proposal.facts)
    await must_price_projects(tx, proposal.edition_id, proposal.projects)
    amounts = [{"id": uuid4(), **each} for each in formed]
    # two who propose for the same year wait for each other
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("standard_sets"), proposal.year)))
    row = StandardSetRow
    taken = select(func.max(row.revision)).where(row.year == proposal.year, row.status != SetStatus.DROPPED)
    latest = (await tx.execute(taken)).scalar_one()
    until = proposal.days.last and proposal.days.last + timedelta(days=1)
    told = {
        "year": proposal.year,
        "revision": 0 if latest is None else latest + 1,
        "first": proposal.days.first.isoformat(),
        "until": until and until.isoformat(),
        "edition_id": str(proposal.edition_id),
        "source": proposal.source,
        "reason": proposal.reason,
        "sample": proposal.sample,
        "corrects_id": proposal.corrects and str(proposal.corrects),
    }
    said = {**told, "formula": proposal.formula, "projects": proposal.projects, "facts": proposal.facts}
    content_hash = content_of(
        said, [(each["occupation"], each["level"], each["facts"], each["amount_fen"]) for each in amounts]
    )
    set_id = uuid4()
    await record(
        tx, "standard_set", [set_id], "propose", by, [{"status": "draft", **told, "content_hash": content_hash}]
    )
    own = {"edition_id": proposal.edition_id, "corrects_id": proposal.corrects}
    days = {"first": proposal.days.first, "until": until}
    proposer = {"proposer_id": me and me.person_id, "proposed_by": me and me.user_id, "proposed_at": by.at}
    await tx.execute(
        insert(row).values(
            **{**said, **own, **days, **proposer}, id=set_id, status="draft", content_hash=content_hash
        )
    )
    await tx.execute(insert(StandardRow), [{**each, "set_id": set_id, "sample": proposal.sample} for each in amounts])
    return set_id
