"""A claim keyed in at a counter: individual, for who stands there, by an acceptor who reviews it no more."""

from dataclasses import replace
from datetime import date, datetime

from domain.actor import Actor, Post
from domain.claim import Channel, Via
from domain.errors import Forbidden, Invalid
from domain.faults import Faults
from service.access.commands import must_know_district
from service.claims.commands.deciding import Claimant, Wanted
from service.claims.commands.filing import settle
from service.claims.commands.mandates import read_trainee
from service.claims.commands.reading import read_all
from service.claims.schemas import ClaimView, NewCounterClaim
from service.database import Tx
from service.people.commands import ensure_person
from service.people.queries import lock_person


async def file_at_counter(tx: Tx, me: Actor, new: NewCounterClaim, today: date, now: datetime) -> ClaimView:
    """A claim of the acceptor's district for a person who is named, and told of it that day.

    Refusals as for `file_claim`; Invalid `person.name_differs`, `counter.own_claim`, `district.elsewhere`; Forbidden
    `claim.own`.
    """
    me.must_hold(Post.ACCEPTOR)
    if new.mandate_id is not None or new.contract_id is not None:
        raise Invalid("counter.own_claim", field="mandate_id" if new.mandate_id is not None else "contract_id")
    faults = Faults()
    trainee, read = read_trainee(new.trainee, today, faults), read_all(new, faults)
    faults.raise_first()
    district = await _district(tx, me, new.district)
    person_id = await ensure_person(tx, trainee, "trainee.")
    if person_id == me.person_id:
        raise Forbidden("claim.own")
    name = await lock_person(tx, person_id)
    claimant = Claimant(person_id, name, Channel.INDIVIDUAL, district)
    wanted = Wanted(replace(read, via=Via.COUNTER), claimant, insist=new.insist)
    return await settle(tx, me, wanted, today, now)


async def _district(tx: Tx, me: Actor, named: str | None) -> str:
    """The acceptor's own; who serves the whole city names one."""
    if me.district is not None:
        if named not in (None, me.district):
            raise Invalid("district.elsewhere", field="district")
        return me.district
    if named is None:
        raise Invalid("district.missing", field="district")
    await must_know_district(tx, named)
    return named
