"""生活费补贴: a person of a named group claims for the days they attended of a class; an officer looks at it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select

from domain.account import BankAccount
from domain.actor import Actor, Post
from domain.claim import Channel, ClaimAction, Via
from domain.errors import Conflict, NotFound
from domain.faults import Faults
from domain.training import read_class_number
from service.claims.commands.deciding import Claimant, Wanted, decide_and_file
from service.claims.commands.filing import refusal_for
from service.claims.commands.moves import move_claim
from service.claims.commands.proofs import Proofs, read_group
from service.claims.commands.reading import Read
from service.claims.queries.kinds import AttendedClass
from service.claims.queries.refusals import RULES
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewAllowance
from service.database import Tx
from service.journal import By
from service.people.queries import lock_person
from service.training.queries.attendance_rates import attended
from service.training.tables import ClassRow, PlaceRow


async def file_allowance(tx: Tx, me: Actor, new: NewAllowance, today: date, now: datetime) -> ClaimView:
    """Claim for the days of a class that I attended, in its district; in review at once, for no registry knows of it.

    Refusals as for a single claim; NotFound `allowance.no_such_class` where I had no place in it.
    """
    me.must_hold(Post.TRAINEE)
    faults, account = Faults(), new.account
    number = faults.read(read_class_number, new.class_number)
    paid_on = faults.read(BankAccount.parse, account.number, account.holder, account.bank_code)
    proofs = Proofs(faults.read(read_group, new.group), None, new.place_link)
    faults.raise_first()
    name = await lock_person(tx, me.person_id)
    of_class = await _class(tx, me, number)
    days = sum(row.days for row in await attended(tx, [of_class.id], [me.person_id]))
    whose = Claimant(
        me.person_id, name, Channel.INDIVIDUAL, of_class.district, attended=AttendedClass(of_class.id, days)
    )
    wanted = Wanted(_read(of_class, paid_on, proofs), whose)
    (settled,) = await decide_and_file(tx, me, [wanted], today, now)
    if not settled.decision.eligible:
        raise refusal_for(settled.decision)
    if settled.filed is None:
        raise Conflict("busy")
    claim_id = settled.filed["id"]
    await move_claim(tx, ClaimAction.QUESTION, claim_id, By(RULES, now), reason="allowance.officer_looks")
    return await claim_view(tx, me, claim_id)


async def _class(tx: Tx, me: Actor, number: str) -> Row[*tuple[Any, ...]]:
    row, place = ClassRow, PlaceRow
    mine = select(place.class_id).where(place.person_id == me.person_id)
    asked = select(row.id, row.number, row.district, row.occupation, row.level, row.first, row.last)
    found = (await tx.execute(asked.where(row.number == number, row.id.in_(mine)))).one_or_none()
    if found is None:
        raise NotFound("allowance.no_such_class")
    return found


def _read(of_class: Row[*tuple[Any, ...]], account: BankAccount, proofs: Proofs) -> Read:
    """As a claim for a certificate is read; the class's last day stands for the certificate's."""
    return Read(
        item_code=of_class.occupation,
        level=of_class.level,
        list_kind=None,
        certificate=None,
        issued_on=of_class.last,
        training_started_on=of_class.first,
        class_number=of_class.number,
        account=account,
        district=of_class.district,
        mandate_id=None,
        contract_id=None,
        via=Via.WEB,
        proofs=proofs,
    )
