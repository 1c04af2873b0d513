"""File a claim, or say what would be decided."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from asyncpg import Record

from domain.actor import Actor, Post
from domain.claim import Channel, Via
from domain.eligibility import Decision, decide
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from domain.identity import same_name
from service.claims.commands.deciding import (
    ROUNDS_MAX,
    Claimant,
    Payee,
    Wanted,
    asked_of,
    decide_and_file,
    is_to_be_filed,
)
from service.claims.commands.insisting import refuse_at_once
from service.claims.commands.reading import read_claim
from service.claims.queries.facts import facts_for
from service.claims.queries.views import claim_view, view_of
from service.claims.schemas import ClaimView, DecisionView, NewClaim
from service.crypto import keyring
from service.database import Tx, fetch
from service.idempotency import Query
from service.institutions.commands.accounts import payable_account
from service.institutions.queries.registry import account_on


async def check_claim(tx: Tx, me: Actor, new: NewClaim, today: date) -> DecisionView:
    """What would be decided now; nothing is stored."""
    read = read_claim(new)
    wanted = Wanted(read, await _claimant(tx, me, new, await _found(tx, _whose(me, new)), today))
    (facts,) = await facts_for(tx, [asked_of(wanted)], today)
    return DecisionView.of(decide(facts))


async def file_claim(
    tx: Tx, me: Actor, new: NewClaim, today: date, now: datetime, found: Record | None = None
) -> ClaimView:
    """File a claim for oneself, as a clerk for a trainee with a mandate, or as an enterprise's for somebody it hired.

    Ineligible `claim.ineligible` with the whole decision; Conflict `claim.already_filed` when a live claim stands for
    the same person, occupation and level. Who insists on a claim that is not eligible, but could be stored, gets it
    stored and refused. `found`: what the query `lock_claimant` has found, where it came with the caller's key.
    """
    read = read_claim(new)
    if found is None:
        found = await _found(tx, lock_claimant(me, new))
    wanted = Wanted(read, await _claimant(tx, me, new, found, today), insist=new.insist)
    if wanted.claimant.payee and wanted.claimant.payee.account_id:
        await payable_account(tx, wanted.claimant.payee.account_id)
    return await settle(tx, me, wanted, today, now)


async def settle(tx: Tx, me: Actor, wanted: Wanted, today: date, now: datetime) -> ClaimView:
    """Decide one claim, whose person is locked, and answer it as it was filed, or refuse as `file_claim` does."""
    for _ in range(ROUNDS_MAX):
        (settled,) = await decide_and_file(tx, me, [wanted], today, now)
        if not is_to_be_filed(wanted, settled.decision):
            raise refusal_for(settled.decision)
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
        await fetch(tx, _TURNED_AWAY, today, str(channel), codes)


_TURNED_AWAY = 'INSERT INTO door_refusals ("on", channel, code) SELECT $1::date, $2::text, unnest($3::text[])'


def turned_away_by(decision: Decision) -> str:
    """The code under which a decision that refuses is answered and counted."""
    return "claim.already_filed" if "claim.already_filed" in decision.failed else "claim.ineligible"


def channel_of(me: Actor, new: NewClaim) -> Channel:
    """A clerk with a mandate files for the institution, with a contract for the enterprise; anybody else for
    themself."""
    if not me.holds(Post.CLERK) or new.mandate_id is None is new.contract_id:
        return Channel.INDIVIDUAL
    return Channel.ENTERPRISE if new.contract_id is not None else Channel.INSTITUTION


# For whom one claims, and in which district: for oneself in any but the whole city, or for whom a mandate of one's
# institution, or a contract of one's enterprise, names in that one's. Another's is as if it were not there.
_MYSELF = """
    SELECT person.id, person.name_sealed,
           (SELECT d.code FROM districts d WHERE d.code = $2 AND d.kind <> 'city') AS district
      FROM people person WHERE person.id = $1::uuid
"""
_TRAINEE = """
    SELECT person.id, person.name_sealed, institution.district
      FROM mandates m
      JOIN institutions institution ON institution.id = m.institution_id
      JOIN people person ON person.id = m.person_id
     WHERE m.id = $1::uuid AND m.institution_id = $2::uuid
"""
_EMPLOYEE = """
    SELECT person.id, person.name_sealed, employer.district, employer.name AS employer
      FROM employment_contracts k
      JOIN institutions employer ON employer.id = k.institution_id
      JOIN people person ON person.id = k.person_id
     WHERE k.id = $1::uuid AND k.institution_id = $2::uuid
"""
_LOCKED = """
    SELECT locked.*, set_config('plan_cache_mode', 'force_generic_plan', true)
      FROM ({} FOR NO KEY UPDATE OF person) AS locked
"""


def _whose(me: Actor, new: NewClaim) -> Query:
    if new.contract_id is not None:
        return Query(_EMPLOYEE, (new.contract_id, me.institution_id))
    if new.mandate_id is None:
        return Query(_MYSELF, (me.person_id, new.district))
    return Query(_TRAINEE, (new.mandate_id, me.institution_id))


def lock_claimant(me: Actor, new: NewClaim) -> Query:
    """Who claims and where; their row is locked before facts about their claims are read (promise 20).

    From here on the transaction keeps its plans: PostgreSQL would make that of the facts anew for every claim, which
    takes it several times longer than to follow it.
    """
    whose = _whose(me, new)
    return Query(_LOCKED.format(whose.sql), whose.values)


async def _found(tx: Tx, asked: Query) -> Record | None:
    return next(iter(await fetch(tx, asked.sql, *asked.values)), None)


async def _claimant(tx: Tx, me: Actor, new: NewClaim, found: Record | None, today: date) -> Claimant:
    alone = new.mandate_id is None is new.contract_id
    me.must_hold(Post.TRAINEE if alone else Post.CLERK)
    _must_fit_together(new, alone=alone)
    if found is None or found["id"] is None:
        raise NotFound("contract.not_found" if new.contract_id is not None else "mandate.not_found")
    person_id, district = found["id"], found["district"]
    if district is None:
        raise Invalid("district.unknown", field="district")
    name = keyring().open(found["name_sealed"], person_id)
    if alone:
        return Claimant(person_id, name, Channel.INDIVIDUAL, district)
    if person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    assert me.institution_id is not None, "a mandate or a contract of theirs was found"
    if new.contract_id is None:
        return Claimant(person_id, name, Channel.INSTITUTION, district, me.institution_id)
    payee = await payee_of(tx, me.institution_id, found["employer"], today)
    return Claimant(person_id, name, Channel.ENTERPRISE, district, me.institution_id, payee=payee)


def _must_fit_together(new: NewClaim, *, alone: bool) -> None:
    if new.via is Via.COUNTER:
        raise Invalid("via.counter_by_acceptor", field="via")
    if new.mandate_id is not None and new.contract_id is not None:
        raise Invalid("contract.or_mandate", field="contract_id")
    if alone and new.district is None:
        raise Invalid("district.missing", field="district")


async def payee_of(tx: Tx, institution_id: UUID, name: str, today: date) -> Payee:
    """An institution that is paid itself, with the account that was confirmed for the day."""
    account = await account_on(tx, institution_id, today)
    if account is None:
        return Payee(institution_id, name, None, "", is_holder=True)
    account_id, held = account
    return Payee(institution_id, name, account_id, held.tail, same_name(held.holder, name))


def refusal_for(decision: Decision) -> Conflict | Ineligible:
    """How a decision that refuses is answered: a duplicate as such, else with every rule's outcome."""
    if turned_away_by(decision) == "claim.already_filed":
        same = next(each for each in decision.outcomes if each.code == "claim.already_filed")
        return Conflict("claim.already_filed", **same.facts)
    return Ineligible("claim.ineligible", decision=msgspec.to_builtins(DecisionView.of(decision)))
