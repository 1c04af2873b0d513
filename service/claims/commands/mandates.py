"""代领协议: record that trainees let an institution claim for them, and that one takes it back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, insert, select
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.claim import DEAD
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.faults import Faults
from domain.period import Period, parse_date
from service.claims.schemas import MandateView, NewMandate, NewTrainee
from service.claims.tables import ClaimRow, MandateRevocationRow, MandateRow
from service.database import Tx, relation
from service.journal import By, record
from service.people.commands import NewPerson, ensure_person, read_person
from service.people.queries import lock_person

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: What makes two mandates of one person and one institution the same paper.
_PAPER = ("institution_id", "person_id", "signed_on", "in_force", "document_sha256")


@dataclass(frozen=True)
class Mandate:
    """A mandate whose every value is well formed. No fee is charged for it."""

    signed_on: date
    days: Period
    document_sha256: str


async def record_mandate(tx: Tx, me: Actor, new: NewMandate, today: date) -> MandateView:
    """A signed mandate for `me`'s institution. Invalid when a value is malformed, when a fee is charged, when it was
    signed in the future; Forbidden when the clerk would be their own trainee."""
    me.must_hold(Post.CLERK)
    faults = Faults()
    trainee, mandate = read_trainee(new.trainee, today, faults), read_mandate(new, today, faults)
    faults.raise_first()
    person_id = await ensure_person(tx, trainee, "trainee.")
    if person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    (mandate_id,) = await record_mandates(tx, me, [(person_id, mandate)])
    last = mandate.days.last
    assert last is not None, "read from a value that is required"
    return MandateView(mandate_id, trainee.name.masked(), mandate.days.first, last)


def read_trainee(new: NewTrainee, today: date, faults: Faults) -> NewPerson:
    """Parse who is named; what is malformed stands in `faults`."""
    return read_person(new.name, new.id_number, new.phone, today, faults, "trainee.")


def read_mandate(new: NewMandate, today: date, faults: Faults) -> Mandate:
    """Parse what is written on the paper; what is malformed stands in `faults`."""
    faults.read(_must_be_free, new.fee_fen)
    return Mandate(
        faults.read(_signed_on, new.signed_on, today),
        faults.read(_days, new.valid_from, new.valid_to),
        faults.read(_sha256, new.document_sha256),
    )


def _must_be_free(fee_fen: int) -> None:
    if fee_fen != 0:
        raise Invalid("mandate.fee", field="fee_fen")


def _signed_on(text: str, today: date) -> date:
    signed_on = parse_date(text, "signed_on")
    if signed_on > today:
        raise Invalid("mandate.signed_in_future", field="signed_on")
    return signed_on


def _days(valid_from: str, valid_to: str) -> Period:
    first, last = parse_date(valid_from, "valid_from"), parse_date(valid_to, "valid_to")
    try:
        return Period(first, last)
    except Invalid as reversed_:
        reversed_.field = "valid_to"
        raise


def _sha256(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise Invalid("sha256.format", field="document_sha256")
    return text


async def papers_known(tx: Tx, me: Actor, signed: Sequence[tuple[UUID, Mandate]]) -> list[UUID | None]:
    """The mandate of `me`'s institution that was recorded from each person's paper, in order; None for a new paper.

    A paper that was taken back stays so, however often it is typed.
    """
    if not signed:
        return []
    asked = relation([_row(me, person_id, mandate) for person_id, mandate in signed], MandateRow)
    known = MandateRow.__table__
    same = and_(*(known.c[name] == asked.c[name] for name in _PAPER))
    latest = select(known.c.id).where(same).order_by(known.c.recorded_at.desc(), known.c.id).limit(1)
    rows = await tx.execute(select(latest.scalar_subquery()).select_from(asked).order_by(asked.c.n))
    return list(rows.scalars())


async def record_mandates(tx: Tx, me: Actor, signed: Sequence[tuple[UUID, Mandate]]) -> list[UUID]:
    """A mandate of each person for `me`'s institution, in order."""
    if not signed:
        return []
    rows = [_row(me, person_id, mandate) for person_id, mandate in signed]
    asked = relation(rows, MandateRow)
    await tx.execute(insert(MandateRow).from_select(list(rows[0]), select(*(asked.c[name] for name in rows[0]))))
    return [row["id"] for row in rows]


def _row(me: Actor, person_id: UUID, mandate: Mandate) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "institution_id": me.institution_id,
        "person_id": person_id,
        "signed_on": mandate.signed_on,
        "in_force": Range(mandate.days.first, mandate.days.last, bounds="[]"),
        "document_sha256": mandate.document_sha256,
        "fee_fen": 0,
        "recorded_by": me.user_id,
    }


async def revoke_mandate(tx: Tx, me: Actor, mandate_id: UUID, note: str, today: date, now: datetime) -> list[UUID]:
    """Take back a mandate in one's own name, from today on; answers its claims that are not refused, withdrawn,
    lapsed or recovered.

    The person is locked first, as filing does: no claim under the mandate comes in meanwhile. NotFound
    `mandate.not_found`; Conflict `mandate.revoked`.
    """
    person = await tx.execute(select(MandateRow.person_id).where(MandateRow.id == mandate_id))
    if person.scalar_one_or_none() != me.person_id:
        raise NotFound("mandate.not_found")
    await lock_person(tx, me.person_id)
    before = select(MandateRevocationRow.revoked_on).where(MandateRevocationRow.mandate_id == mandate_id)
    revoked_on = (await tx.execute(before)).scalar_one_or_none()
    if revoked_on is not None:
        raise Conflict("mandate.revoked", revoked_on=revoked_on.isoformat())
    told = {"revoked_on": today, "note": note, "revoked_by": me.user_id, "revoked_at": now}
    await tx.execute(insert(MandateRevocationRow).values(mandate_id=mandate_id, **told))
    noted = {"revoked_on": today.isoformat()}
    await record(tx, "mandate", [mandate_id], "revoke", By.actor(me, Post.TRAINEE, now), [noted], reason=note)
    live = select(ClaimRow.id).where(ClaimRow.mandate_id == mandate_id, ClaimRow.status.not_in(DEAD))
    return list((await tx.execute(live.order_by(ClaimRow.id))).scalars())
