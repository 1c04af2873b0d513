"""Record the contract by which an enterprise claims for somebody it hired."""

import re
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.errors import Forbidden, Invalid, NotFound
from domain.faults import Faults
from domain.institution import EMPLOYERS
from domain.period import parse_date, read_period
from domain.text import is_no_text, trimmed
from service.crypto import keyring
from service.database import Tx, range_of
from service.employment.schemas import ContractView, NewContract
from service.employment.tables import EmploymentContractRow
from service.institutions.queries.registry import institution_for
from service.journal import By, record
from service.people.commands import ensure_person, read_person

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER_LENGTH_MAX = 64


async def record_contract(tx: Tx, me: Actor, new: NewContract, today: date, now: datetime) -> ContractView:
    """A signed contract of my enterprise with somebody; the number is sealed.

    Invalid for everything that is wrong at once; Forbidden `contract.not_an_enterprise`, and
    `claim.own_through_institution` for the clerk's own.
    """
    me.must_hold(Post.CLERK)
    if me.institution_id is None:
        raise NotFound("institution.not_found")
    employer, faults = await institution_for(tx, me, me.institution_id), Faults()
    if employer.kind not in EMPLOYERS:
        raise Forbidden("contract.not_an_enterprise")
    asked = new.employee
    person = read_person(asked.name, asked.id_number, asked.phone, today, faults, "employee.")
    number = faults.read(_number, new.number)
    signed_on = faults.read(_signed_on, new.signed_on, today)
    days = read_period(new.valid_from, new.valid_to, faults, "valid_")
    document = faults.read(_sha256, new.document_sha256)
    faults.raise_all()
    person_id = await ensure_person(tx, person, "employee.")
    if person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    contract_id = uuid4()
    await tx.execute(
        insert(EmploymentContractRow).values(
            id=contract_id,
            institution_id=me.institution_id,
            employer_kind=employer.kind,
            person_id=person_id,
            number_sealed=keyring().seal(number, contract_id),
            signed_on=signed_on,
            in_force=range_of(days),
            document_sha256=document,
            recorded_by=me.user_id,
            recorded_at=now,
        )
    )
    told = {"signed_on": str(signed_on), "first": str(days.first), "last": days.last and str(days.last)}
    noted = {**told, "document_sha256": document, "person_id": str(person_id)}
    await record(tx, "contract", [contract_id], "record", By.actor(me, Post.CLERK, now), [noted])
    return ContractView(contract_id, person.name.masked(), employer.name, signed_on, days.first, days.last)


def _signed_on(typed: str, today: date) -> date:
    signed_on = parse_date(typed, "signed_on")
    if signed_on > today:
        raise Invalid("contract.signed_in_future", field="signed_on")
    return signed_on


def _number(typed: str) -> str:
    """As printed; it is sealed, so it may look like whatever it likes."""
    number = trimmed(typed, "number", "words")
    if len(number) > _NUMBER_LENGTH_MAX:
        raise Invalid("words.too_long", field="number", limit=_NUMBER_LENGTH_MAX)
    for place, character in enumerate(number, start=1):
        if is_no_text(character):
            raise Invalid("words.characters", field="number", place=place)
    return number


def _sha256(typed: str) -> str:
    if not _SHA256.fullmatch(typed):
        raise Invalid("sha256.format", field="document_sha256")
    return typed
