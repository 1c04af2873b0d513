"""Bring institutions into the catalog, stop what they may do, let them go."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict
from domain.identity import CreditCode
from domain.institution import InstitutionKind, Stop
from domain.period import Period
from domain.text import trimmed
from service.database import Tx, range_of
from service.institutions.tables import (
    EvaluationRow,
    InstitutionExitRow,
    InstitutionListingRow,
    InstitutionRow,
    InstitutionSanctionLiftRow,
    InstitutionSanctionRow,
    InstitutionScopeRow,
)
from service.journal import By, record


async def add_institution(
    tx: Tx, credit_code: CreditCode, name: str, district: str, kind: InstitutionKind, *, sample: bool = False
) -> UUID:
    """An institution that is known, and stands in no catalog."""
    institution_id = uuid4()
    about = {"credit_code": credit_code.code, "name": name, "district": district, "kind": str(kind)}
    await tx.execute(insert(InstitutionRow).values(id=institution_id, sample=sample, **about))
    return institution_id


async def list_institution(
    tx: Tx,
    credit_code: CreditCode,
    name: str,
    district: str,
    first: date,
    source: str,
    *,
    sample: bool = False,
    kind: InstitutionKind = InstitutionKind.PRIVATE_SCHOOL,
    scopes: Mapping[str, Collection[str]] | None = None,
) -> UUID:
    """An institution that stands in the catalog from `first` on, to teach or assess `scopes`: canonical occupation →
    levels."""
    institution_id = await add_institution(tx, credit_code, name, district, kind, sample=sample)
    in_force: Range[date] = Range(first, None, bounds="[)")
    await tx.execute(
        insert(InstitutionListingRow).values(
            id=uuid4(), institution_id=institution_id, in_force=in_force, source=source
        )
    )
    same = {"institution_id": institution_id, "in_force": in_force, "source": source}
    rows = [
        {"id": uuid4(), "occupation": occupation, "levels": sorted(levels), **same}
        for occupation, levels in (scopes or {}).items()
    ]
    if rows:
        await tx.execute(insert(InstitutionScopeRow), rows)
    return institution_id


async def impose(
    tx: Tx, me: Actor, institution_id: UUID, days: Period, stops: Collection[Stop], reason: str, now: datetime
) -> UUID:
    """A sanction: what the institution must not do on which days.

    Forbidden `post_missing`, `city_only`; Invalid `words.empty`.
    """
    by, reason = _officer(me, now), trimmed(reason, "reason", "words")
    sanction_id, told = uuid4(), {"institution_id": institution_id, "stops": sorted(map(str, stops))}
    signed = {"imposed_person": me.person_id, "imposed_at": now, "reason": reason}
    await tx.execute(insert(InstitutionSanctionRow).values(id=sanction_id, days=range_of(days), **told, **signed))
    noted = {**told, "institution_id": str(institution_id), "first": str(days.first), "last": str(days.last or "")}
    await record(tx, "institution_sanction", [sanction_id], "impose", by, [noted], reason=reason)
    return sanction_id


async def lift(tx: Tx, me: Actor, sanction_id: UUID, first: date, reason: str, now: datetime) -> None:
    """A sanction no longer holds from `first` on. Forbidden and Invalid as `impose`."""
    by, reason = _officer(me, now), trimmed(reason, "reason", "words")
    signed = {"lifted_person": me.person_id, "lifted_at": now, "reason": reason}
    await tx.execute(insert(InstitutionSanctionLiftRow).values(sanction_id=sanction_id, lifted_on=first, **signed))
    noted = {"lifted_on": first.isoformat()}
    await record(tx, "institution_sanction", [sanction_id], "lift", by, [noted], reason=reason)


async def let_go(tx: Tx, me: Actor, institution_id: UUID, left_on: date, reason: str, now: datetime) -> None:
    """An institution leaves the catalog on a day. Forbidden and Invalid as `impose`."""
    by, reason = _officer(me, now), trimmed(reason, "reason", "words")
    row = insert(InstitutionExitRow).values(id=uuid4(), institution_id=institution_id, left_on=left_on, reason=reason)
    await tx.execute(row)
    noted = {"left_on": left_on.isoformat()}
    await record(tx, "institution", [institution_id], "leave", by, [noted], reason=reason)


async def record_evaluation(
    tx: Tx, by: By, institution_id: UUID, year: int, passed: bool, source: str, version: int = 1
) -> None:
    """What the third party found of an institution's year: a renewal for the next year asks for the latest version.

    Conflict `institution.evaluated`.
    """
    row, source = EvaluationRow, trimmed(source, "source", "words")
    found = {"institution_id": institution_id, "year": year, "version": version, "passed": passed, "source": source}
    once = upsert(row).values(**found, recorded_person=by.person_id, recorded_at=by.at).on_conflict_do_nothing()
    if (await tx.execute(once.returning(row.year))).first() is None:
        raise Conflict("institution.evaluated", year=year)
    noted = {"year": year, "version": version, "passed": passed, "source": source}
    await record(tx, "institution", [institution_id], "evaluate", by, [noted])


def _officer(me: Actor, now: datetime) -> By:
    me.must_hold(Post.INSTITUTION_OFFICER)
    me.must_serve_the_city()
    return By.actor(me, Post.INSTITUTION_OFFICER, now)
