"""File a claim, or say what would be decided."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.claim import Channel
from domain.eligibility import Decision, decide
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from service.claims.commands.deciding import (
    ROUNDS_MAX,
    Claimant,
    Wanted,
    asked_of,
    decide_and_file,
    is_to_be_filed,
)
from service.claims.commands.insisting import refuse_at_once
from service.claims.commands.reading import Read, read_claim
from service.claims.queries.facts import facts_for
from service.claims.queries.views import claim_view, view_of
from service.claims.schemas import ClaimView, DecisionView, NewClaim
from service.claims.tables import DoorRefusalRow, MandateRow
from service.crypto import keyring
from service.database import Tx, fetch
from service.institutions.tables import InstitutionRow


async def check_claim(tx: Tx, me: Actor, new: NewClaim, today: date) -> DecisionView:
    """What would be decided now; nothing is stored."""
    read = read_claim(new)
    wanted = Wanted(read, await _claimant(tx, me, read, _CLAIMANT))
    (facts,) = await facts_for(tx, [asked_of(wanted)], today)
    return DecisionView.of(decide(facts))


async def file_claim(tx: Tx, me: Actor, new: NewClaim, today: date, now: datetime) -> ClaimView:
    """File a claim for oneself, or as a clerk for a trainee with a mandate.

    Ineligible `claim.ineligible` with the whole decision; Conflict `claim.already_filed` when a live claim stands for
    the same person, occupation and level. Who insists on a claim that is not eligible, but could be stored, gets it
    stored and refused. The person's row is locked before facts are read (promise 20).
    """
    read = read_claim(new)
    wanted = Wanted(read, await _claimant(tx, me, read, _LOCKED), insist=new.insist)
    for _ in range(ROUNDS_MAX):
        (settled,) = await decide_and_file(tx, me, [wanted], today, now)
        if not is_to_be_filed(wanted, settled.decision):
            raise _refusal(settled.decision)
        if settled.filed is not None and settled.decision.eligible:
            claim = {**settled.filed, "account_tail": settled.filed["tail"]}
            return view_of(claim, wanted.claimant.name, settled.decision)
        if settled.filed is not None:
            await refuse_at_once(tx, settled.filed["id"], now)
            return await claim_view(tx, me, settled.filed["id"])
    raise Conflict("busy")


async def count_door_refusal(tx: Tx, code: str, channel: Channel, today: date) -> None:
    """Remember that somebody was turned away, and why: a figure, without a person."""
    await count_door_refusals(tx, [code], channel, today)


async def count_door_refusals(tx: Tx, codes: Sequence[str], channel: Channel, today: date) -> None:
    """The same for many at once."""
    if codes:
        rows = [{"on": today, "code": code, "channel": str(channel)} for code in codes]
        await tx.execute(insert(DoorRefusalRow), rows)


def turned_away_by(decision: Decision) -> str:
    """The code under which a decision that refuses is answered and counted."""
    return "claim.already_filed" if "claim.already_filed" in decision.failed else "claim.ineligible"


def channel_of(me: Actor, new: NewClaim) -> Channel:
    """A clerk with a mandate files for the institution; anybody else for themself."""
    return Channel.INSTITUTION if new.mandate_id is not None and me.holds(Post.CLERK) else Channel.INDIVIDUAL


# A person as a claimant in a district, which must be one: the whole city is none to file in.
_CLAIMANT = """
    SELECT name_sealed, EXISTS (SELECT FROM districts d WHERE d.code = $2 AND d.kind <> 'city') AS district_known
      FROM people WHERE id = $1::uuid
"""
# Locked before facts about their claims are read (promise 20). From here on plans are kept: the facts' takes
# PostgreSQL several times longer to make than to follow, and it would make it anew for every set of one.
_LOCKED = f"""
    WITH person AS ({_CLAIMANT} FOR NO KEY UPDATE)
    SELECT person.*, set_config('plan_cache_mode', 'force_generic_plan', true) FROM person
"""  # noqa: S608 (our own constants)


async def _claimant(tx: Tx, me: Actor, read: Read, asked: str) -> Claimant:
    """`asked` is one of the two statements above."""
    if read.mandate_id is None:
        me.must_hold(Post.TRAINEE)
        if read.district is None:
            raise Invalid("district.missing", field="district")
        person_id, district, channel, institution_id = me.person_id, read.district, Channel.INDIVIDUAL, None
    else:
        person_id, district = await _of_mandate(tx, me, read.mandate_id)
        channel, institution_id = Channel.INSTITUTION, me.institution_id
    ((name_sealed, district_known, *_),) = await fetch(tx, asked, person_id, district)
    if not district_known:
        raise Invalid("district.unknown", field="district")
    return Claimant(person_id, keyring().open(name_sealed, person_id), channel, district, institution_id)


async def _of_mandate(tx: Tx, me: Actor, mandate_id: UUID) -> tuple[UUID, str]:
    """Whose mandate it is, and the institution's district. Another institution's is as if it were not there."""
    me.must_hold(Post.CLERK)
    found = (
        await tx.execute(
            select(MandateRow.person_id, InstitutionRow.district)
            .join(InstitutionRow, InstitutionRow.id == MandateRow.institution_id)
            .where(MandateRow.id == mandate_id, MandateRow.institution_id == me.institution_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("mandate.not_found")
    if found.person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    return found.person_id, found.district


def _refusal(decision: Decision) -> Conflict | Ineligible:
    if turned_away_by(decision) == "claim.already_filed":
        same = next(each for each in decision.outcomes if each.code == "claim.already_filed")
        return Conflict("claim.already_filed", **same.facts)
    return Ineligible("claim.ineligible", decision=msgspec.to_builtins(DecisionView.of(decision)))
