"""The lines of a roster are read as a single claim is, decided together and filed; what became of each is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import func, insert, select, update

from domain.actor import Actor, Post
from domain.claim import Channel
from domain.errors import Conflict, Forbidden, Invalid
from domain.roster import ROSTER_LIFECYCLE, LineOutcome, Reason, RosterAction, reasons_of
from service.access.tables import UserRow
from service.catalog.queries.editions import codes_named
from service.claims.commands.deciding import ROUNDS_MAX, Claimant, Wanted, decide_and_file
from service.claims.commands.filing import count_door_refusals, turned_away_by
from service.claims.commands.mandates import papers_known
from service.claims.commands.roster_reading import Draft, read_line
from service.claims.tables import RosterLineRow, RosterPortionRow, RosterRow
from service.crypto import keyring
from service.database import Tx, relation
from service.gateways.roster_sheets import RosterPart
from service.institutions.tables import InstitutionRow
from service.journal import By, move
from service.people.commands import must_be_named
from service.people.queries import Known, find_people
from service.queue import Job
from service.training.queries.numbers import first_days


@dataclass(frozen=True)
class _Portion:
    """`me` is the clerk who uploaded it, `today` the day it came."""

    id: UUID
    roster_id: UUID
    me: Actor
    district: str
    today: date
    part: RosterPart
    class_number: str | None


@dataclass
class _Outcomes:
    """What became of each line, by its number."""

    filed: dict[int, UUID] = field(default_factory=dict)
    refused: dict[int, Sequence[Reason]] = field(default_factory=dict)
    #: Why the rules turned well-formed lines away, as it is counted for single claims.
    turned_away: list[str] = field(default_factory=list)


async def file_portion(tx: Tx, portion_id: UUID, now: datetime) -> None:
    """Decide and file a portion's lines, and keep what became of each, in this one transaction. Nothing when that was
    done before. Conflict `busy` when others were quicker again and again."""
    portion = await _portion(tx, portion_id)
    if portion is None:
        return
    outcomes, drafts = _Outcomes(), {}
    for line in portion.part.lines:
        drafted = read_line(portion.part, line, portion.today, portion.class_number)
        if isinstance(drafted, Draft):
            drafts[line.number] = drafted
        else:
            outcomes.refused[line.number] = drafted
    await _name_occupations(tx, portion.me, drafts, outcomes)
    for _ in range(ROUNDS_MAX):
        await _file(tx, portion, drafts, outcomes, now)
    if drafts:
        raise Conflict("busy")
    await _keep(tx, portion, outcomes, now)
    await _finish(tx, portion.roster_id, now)


async def _portion(tx: Tx, portion_id: UUID) -> _Portion | None:
    """The portion, unless its lines have been filed."""
    portion, roster = RosterPortionRow, RosterRow
    row = (
        await tx.execute(
            select(
                portion.roster_id,
                portion.lines_sealed,
                roster.institution_id,
                roster.uploaded_by,
                roster.received_on,
                roster.class_number,
                UserRow.person_id,
                InstitutionRow.district,
            )
            .join(roster, roster.id == portion.roster_id)
            .join(UserRow, UserRow.id == roster.uploaded_by)
            .join(InstitutionRow, InstitutionRow.id == roster.institution_id)
            .where(portion.id == portion_id, portion.done_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        return None
    me = Actor(row.uploaded_by, row.person_id, frozenset({Post.CLERK}), row.district, row.institution_id)
    part = msgspec.json.decode(keyring().open_bytes(row.lines_sealed, portion_id), type=RosterPart)
    return _Portion(portion_id, row.roster_id, me, row.district, row.received_on, part, row.class_number)


async def _name_occupations(tx: Tx, me: Actor, drafts: dict[int, Draft], outcomes: _Outcomes) -> None:
    """A line may name its occupation where one code bears that name on the day training started."""
    named = [(line, draft) for line, draft in drafts.items() if not draft.read.item_code]
    reads = [draft.read for _, draft in named]
    classes = await first_days(tx, me.institution_id, {read.class_number for read in reads if read.class_number})
    days = [classes.get(read.class_number or "") or read.training_started_on or read.issued_on for read in reads]
    names = [draft.item_name for _, draft in named]
    found = await codes_named(tx, list(zip(names, days, strict=True)))
    for (line, draft), codes in zip(named, found, strict=True):
        if len(codes) == 1:
            drafts[line] = replace(draft, read=replace(draft.read, item_code=codes[0]))
            continue
        code = "roster.name_ambiguous" if codes else "roster.name_unknown"
        outcomes.refused[line] = [Reason("item_name", code, {"codes": codes} if codes else {})]
        del drafts[line]


async def _file(tx: Tx, portion: _Portion, drafts: dict[int, Draft], outcomes: _Outcomes, now: datetime) -> None:
    """One round: who is known is locked, all are decided, and what another was quicker with stays in `drafts`."""
    if not drafts:
        return
    known = await find_people(tx, [draft.trainee.id_number for draft in drafts.values()], lock=True)
    wanted = {}
    for line, draft in drafts.items():
        try:
            claimant = _claimant(portion, draft, known.get(draft.trainee.id_number.number))
        except (Invalid, Forbidden) as refusal:
            outcomes.refused[line] = [Reason.of(refusal)]
            continue
        wanted[line] = Wanted(draft.read, claimant, draft.mandate)
    await _recall_papers(tx, portion.me, wanted)
    settled = await decide_and_file(tx, portion.me, list(wanted.values()), portion.today, now)
    for line, each in zip(wanted, settled, strict=True):
        if each.filed is not None:
            outcomes.filed[line] = each.filed["id"]
        elif not each.decision.eligible:
            outcomes.refused[line] = reasons_of(each.decision)
            outcomes.turned_away.append(turned_away_by(each.decision))
    for line in [line for line in drafts if line in outcomes.filed or line in outcomes.refused]:
        del drafts[line]


async def _recall_papers(tx: Tx, me: Actor, wanted: dict[int, Wanted]) -> None:
    """A paper that was recorded before is the mandate that it is, not another."""
    typed = [
        (line, each.claimant.person_id, each.mandate)
        for line, each in wanted.items()
        if each.mandate is not None and each.claimant.newcomer is None
    ]
    found = await papers_known(tx, me, [(person_id, mandate) for _, person_id, mandate in typed])
    for (line, *_), mandate_id in zip(typed, found, strict=True):
        if mandate_id is not None:
            each = wanted[line]
            wanted[line] = replace(each, read=replace(each.read, mandate_id=mandate_id), mandate=None)


def _claimant(portion: _Portion, draft: Draft, known: Known | None) -> Claimant:
    """Invalid when the number is known under another name, Forbidden for the clerk's own claim."""
    person = Known(uuid4(), draft.trainee.name.text) if known is None else known
    must_be_named(person, draft.trainee, "trainee.name")
    if person.id == portion.me.person_id:
        raise Forbidden("claim.own_through_institution")
    return Claimant(
        person_id=person.id,
        name=person.name,
        channel=Channel.INSTITUTION,
        district=portion.district,
        institution_id=portion.me.institution_id,
        newcomer=draft.trainee if known is None else None,
    )


async def _keep(tx: Tx, portion: _Portion, outcomes: _Outcomes, now: datetime) -> None:
    rows = [
        *(_kept(portion, line, LineOutcome.FILED, claim_id) for line, claim_id in outcomes.filed.items()),
        *(_kept(portion, line, LineOutcome.REFUSED, None, said) for line, said in outcomes.refused.items()),
    ]
    asked = relation(rows, RosterLineRow)
    await tx.execute(insert(RosterLineRow).from_select(list(rows[0]), select(*(asked.c[name] for name in rows[0]))))
    await tx.execute(
        update(RosterPortionRow)
        .where(RosterPortionRow.id == portion.id)
        .values(filed=len(outcomes.filed), refused=len(outcomes.refused), done_at=now)
    )
    await count_door_refusals(tx, outcomes.turned_away, Channel.INSTITUTION, portion.today)


def _kept(
    portion: _Portion, line: int, outcome: LineOutcome, claim_id: UUID | None, reasons: Sequence[Reason] = ()
) -> Mapping[str, Any]:
    return {
        "roster_id": portion.roster_id,
        "line": line,
        "portion_id": portion.id,
        "outcome": str(outcome),
        "claim_id": claim_id,
        "reasons": [msgspec.to_builtins(each) for each in reasons],
    }


async def _finish(tx: Tx, roster_id: UUID, now: datetime) -> None:
    """The last portion ends the roster. Its row is locked first: of two that end at once, one sees the other."""
    roster, portion = RosterRow, RosterPortionRow
    # not FOR UPDATE: that would wait for whoever has written a line of this roster, and they for us
    await tx.execute(select(roster.id).where(roster.id == roster_id).with_for_update(key_share=True))
    waiting = select(func.count()).where(portion.roster_id == roster_id, portion.done_at.is_(None))
    if (await tx.execute(waiting)).scalar_one() == 0:
        by = By(Job.FILE_ROSTER, now)
        await move(tx, roster.__table__, ROSTER_LIFECYCLE, RosterAction.FINISH, roster_id, by)
