"""Put institutions into the registry, and what is known of them on which days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.faults import Faults
from domain.identity import CreditCode, PersonName, Phone
from domain.institution import check_scope, must_be_free
from domain.period import Period, parse_date, read_period
from domain.text import plain_words
from service.access.queries import district_names
from service.catalog.queries.canonical import canonical_codes
from service.crypto import keyring
from service.database import Tx, period_of, range_of
from service.institutions.queries.registry import institution_for
from service.institutions.schemas import (
    AddedView,
    NewBranch,
    NewContact,
    NewEnd,
    NewGrade,
    NewInstitution,
    NewScope,
    NewScopes,
)
from service.institutions.tables import (
    BranchRow,
    ContactRow,
    GradeRow,
    InstitutionRow,
    InstitutionScopeRow,
)
from service.journal import By, record

#: Dated facts that an officer may end, by the part of the record.
_ENDING: dict[str, Any] = {
    "branches": BranchRow,
    "contacts": ContactRow,
    "grades": GradeRow,
    "scopes": InstitutionScopeRow,
}


async def register(tx: Tx, me: Actor, new: NewInstitution, now: datetime) -> AddedView:
    """An institution that may apply to a selection; it is not in the catalog yet.

    Forbidden `city_only`; Invalid for everything that is wrong at once; Conflict `institution.known`.
    """
    by, faults = officer(me, now, city=True), Faults()
    code = faults.read(CreditCode.parse, new.credit_code)
    name = faults.read(plain_words, new.name, "name", most=100)
    await _check_district(tx, new.district, faults)
    faults.raise_all()
    row = InstitutionRow
    if (await tx.execute(select(row.id).where(row.credit_code == code.code))).first() is not None:
        raise Conflict("institution.known")
    institution_id = uuid4()
    about = {"credit_code": code.code, "name": name, "kind": str(new.kind), "district": new.district}
    await record(tx, "institution", [institution_id], "register", by, [about])
    await tx.execute(insert(row).values(id=institution_id, **about))
    return AddedView(institution_id)


async def add_branch(
    tx: Tx, me: Actor, institution_id: UUID, new: NewBranch, today: date, now: datetime
) -> AddedView:
    """A place where it teaches, on which days. Invalid `institution.in_past`, and `institution.branch_then` where it
    has been told of before."""
    by, faults = officer(me, now), Faults()
    await institution_for(tx, me, institution_id)
    name = faults.read(plain_words, new.name, "name", most=100)
    address = faults.read(plain_words, new.address, "address")
    await _check_district(tx, new.district, faults)
    days = _read_days(new, today, faults)
    taken = await _taken(tx, BranchRow, institution_id, address=address)
    if days is not None:
        faults.read(must_be_free, days, taken, "institution.branch_then", "from")
    faults.raise_all()
    said = {"name": name, "district": new.district, "address": address}
    return await _add(tx, by, BranchRow, institution_id, days, said, said)


async def add_contact(tx: Tx, me: Actor, institution_id: UUID, new: NewContact, now: datetime) -> AddedView:
    """Whom one asks, sealed. Invalid `institution.contact_then` where there is another in that role."""
    by, faults = officer(me, now), Faults()
    await institution_for(tx, me, institution_id)
    name = faults.read(PersonName.parse, new.name)
    phone = faults.read(Phone.parse, new.phone)
    days = read_period(new.first, new.last, faults)
    taken = await _taken(tx, ContactRow, institution_id, role=str(new.role))
    if days is not None:
        faults.read(must_be_free, days, taken, "institution.contact_then", "from")
    faults.raise_all()
    contact_id, keys, said = uuid4(), keyring(), {"role": str(new.role)}
    sealed = {"name_sealed": keys.seal(name.text, contact_id), "phone_sealed": keys.seal(phone.number, contact_id)}
    return await _add(tx, by, ContactRow, institution_id, days, said, {"id": contact_id, **said, **sealed})


async def give_grade(tx: Tx, me: Actor, institution_id: UUID, new: NewGrade, today: date, now: datetime) -> AddedView:
    """A, B or C within its class. Forbidden `city_only`; Invalid `institution.in_past`, and `institution.grade_then`
    where it has one."""
    by, faults = officer(me, now, city=True), Faults()
    known = await institution_for(tx, me, institution_id)
    source = faults.read(plain_words, new.source, "source")
    days = _read_days(new, today, faults)
    if days is not None:
        taken = await _taken(tx, GradeRow, institution_id)
        faults.read(must_be_free, days, taken, "institution.grade_then", "from")
    faults.raise_all()
    said = {"kind": known.kind, "grade": str(new.grade), "source": source}
    return await _add(tx, by, GradeRow, institution_id, days, said, said)


async def add_scopes(
    tx: Tx, me: Actor, institution_id: UUID, new: NewScopes, today: date, now: datetime
) -> list[AddedView]:
    """What it may teach or assess: all of it, or nothing where something is wrong.

    Forbidden `city_only`; Invalid `institution.in_past`, and `institution.scope_then` (first) where an occupation has
    levels on those days.
    """
    by, faults = officer(me, now, city=True), Faults()
    await institution_for(tx, me, institution_id)
    source = faults.read(plain_words, new.source, "source")
    days = _read_days(new, today, faults)
    scopes = await read_scopes(tx, new.scopes, faults)
    for number, scope in enumerate(scopes):
        if days is not None:
            taken = await _taken(tx, InstitutionScopeRow, institution_id, occupation=scope["occupation"])
            at = f"scopes.{number}.occupation"
            faults.read(must_be_free, days, taken, "institution.scope_then", at)
    faults.raise_all()
    said = [{**scope, "source": source} for scope in scopes]
    return [await _add(tx, by, InstitutionScopeRow, institution_id, days, each, each) for each in said]


async def check_scopes_free(
    tx: Tx, institution_id: UUID, scopes: Sequence[Mapping[str, Any]], days: Period, faults: Faults
) -> None:
    """Tell of every occupation with levels that begin on these days; what began before may end where they begin."""
    for number, scope in enumerate(scopes):
        taken = await _taken(tx, InstitutionScopeRow, institution_id, occupation=scope["occupation"])
        begin = [Period(other.first, other.first) for other in taken]
        faults.read(must_be_free, days, begin, "institution.scope_then", f"scopes.{number}.occupation")


async def read_scopes(tx: Tx, scopes: Sequence[NewScope], faults: Faults) -> list[dict[str, Any]]:
    """Each occupation as it is called now, with the codes of its levels; what is wrong goes to `faults`."""
    canonical = await canonical_codes(tx, {each.occupation for each in scopes})
    found: list[dict[str, Any]] = []
    if not scopes:
        faults.tell("institution.no_scope", "scopes")
    for number, each in enumerate(scopes):
        at, occupation = f"scopes.{number}", canonical.get(each.occupation)
        if occupation is None:
            faults.tell("standards.unknown_occupation", f"{at}.occupation", occupation=each.occupation)
            continue
        if any(other["occupation"] == occupation for other in found):
            faults.tell("institution.scope_twice", f"{at}.occupation")
        found.append({"occupation": occupation, "levels": check_scope(occupation, each.levels, at, faults)})
    return found


async def end(tx: Tx, me: Actor, institution_id: UUID, new: NewEnd, today: date, now: datetime) -> AddedView:
    """A dated fact ends on a day, today or later, or sooner than was said.

    NotFound `institution.no_such_fact`; Invalid `institution.ends` (first, last): the days it may end on.
    """
    row = _ENDING[new.part]
    by = officer(me, now, city=row in (GradeRow, InstitutionScopeRow))
    await institution_for(tx, me, institution_id)
    last = parse_date(new.last, "to")
    held = select(row.in_force).where(row.id == new.id, row.institution_id == institution_id).with_for_update()
    found = (await tx.execute(held)).scalar_one_or_none()
    if found is None:
        raise NotFound("institution.no_such_fact")
    days = period_of(found)
    earliest = max(days.first, today)
    if last < earliest or last not in days:
        raise Invalid("institution.ends", "to", first=earliest.isoformat(), last=str(days.last or ""))
    await tx.execute(update(row).where(row.id == new.id).values(in_force=range_of(Period(days.first, last))))
    noted = {"part": row.__tablename__, "id": str(new.id), "last": last.isoformat()}
    await record(tx, "institution", [institution_id], "end", by, [noted])
    return AddedView(new.id)


def officer(me: Actor, now: datetime, *, city: bool = False) -> By:
    """Forbidden `post_missing`, and `city_only` for what a district does not do."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    if city:
        me.must_serve_the_city()
    return By.actor(me, Post.INSTITUTION_OFFICER, now)


async def _check_district(tx: Tx, district: str, faults: Faults) -> None:
    if district not in await district_names(tx):
        faults.tell("district.unknown", "district")


def _read_days(new: NewBranch | NewGrade | NewScopes, today: date, faults: Faults) -> Any:
    """The days of a fact, none of them past, for what passed was judged by what was known then.

    Adds `institution.in_past` (today) to `faults`.
    """
    days = read_period(new.first, new.last, faults)
    if days is not None and days.first < today:
        faults.tell("institution.in_past", "from", today=today.isoformat())
    return days


async def _taken(tx: Tx, row: Any, institution_id: UUID, **same: str) -> list[Period]:
    """The days of an institution's facts of a kind, as far as they are the `same`."""
    asked = select(row.in_force).filter_by(institution_id=institution_id, **same)
    return [period_of(days) for days in (await tx.execute(asked)).scalars()]


async def _add(
    tx: Tx, by: By, row: Any, institution_id: UUID, days: Period, noted: dict[str, Any], stored: dict[str, Any]
) -> AddedView:
    """One dated fact: `stored` goes into its row, `noted` into the journal."""
    stored = {"id": uuid4(), **stored}
    about = {
        "part": row.__tablename__,
        "id": str(stored["id"]),
        "first": str(days.first),
        "last": str(days.last or ""),
    }
    await record(tx, "institution", [institution_id], "add", by, [{**about, **noted}])
    await tx.execute(insert(row).values(institution_id=institution_id, in_force=range_of(days), **stored))
    return AddedView(stored["id"])
