"""代领协议: record that a trainee lets an institution claim for them."""

import re
from datetime import date
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.errors import Forbidden, Invalid
from domain.identity import NationalId, PersonName, Phone
from domain.period import Period, parse_date
from service.claims.schemas import MandateView, NewMandate
from service.claims.tables import MandateRow
from service.database import Tx
from service.people.commands import NewPerson, ensure_person

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def record_mandate(tx: Tx, me: Actor, new: NewMandate, today: date) -> MandateView:
    """A signed mandate for `me`'s institution. Invalid when a value is malformed, when a fee is charged, when it was
    signed in the future; Forbidden when the clerk would be their own trainee."""
    me.must_hold(Post.CLERK)
    trainee = NewPerson(
        PersonName.parse(new.trainee.name, field="trainee.name"),
        NationalId.parse(new.trainee.id_number, field="trainee.id_number", today=today),
        Phone.parse(new.trainee.phone, field="trainee.phone") if new.trainee.phone else None,
    )
    days = Period(parse_date(new.valid_from, "valid_from"), parse_date(new.valid_to, "valid_to"))
    signed_on = parse_date(new.signed_on, "signed_on")
    if signed_on > today:
        raise Invalid("mandate.signed_in_future", field="signed_on")
    if not _SHA256.fullmatch(new.document_sha256):
        raise Invalid("sha256.format", field="document_sha256")
    if new.fee_fen != 0:
        raise Invalid("mandate.fee", field="fee_fen")
    person_id = await ensure_person(tx, trainee, "trainee.")
    if person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    mandate_id = uuid4()
    assert days.last is not None, "read from a value that is required"
    in_force: Range[date] = Range(days.first, days.last, bounds="[]")
    await tx.execute(
        insert(MandateRow).values(
            id=mandate_id,
            institution_id=me.institution_id,
            person_id=person_id,
            signed_on=signed_on,
            in_force=in_force,
            document_sha256=new.document_sha256,
            fee_fen=new.fee_fen,
            recorded_by=me.user_id,
        )
    )
    return MandateView(mandate_id, trainee.name.masked(), days.first, days.last)
