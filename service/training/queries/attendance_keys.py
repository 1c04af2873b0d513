"""Keys by which devices hand in attendance: whose a key is, and which there are."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, literal, or_, select

from domain.actor import Actor, Post
from domain.errors import NotFound
from service.clock import business_day
from service.database import Tx, fetch_alone, period_of
from service.institutions.tables import InstitutionRow
from service.training.schemas.attendance import AttendanceKeysView, AttendanceKeyView
from service.training.tables import AttendanceKeyRow

#: The latest keys that are listed.
KEYS_MAX = 200

_KEY = re.compile("zdk_([0-9a-f]{32})_[A-Za-z0-9_-]{43}")
_WHOSE = """
    SELECT institution_id, key_sha256 FROM attendance_keys
     WHERE id = $1::uuid AND revoked_at IS NULL AND in_force @> $2::date
"""


@dataclass(frozen=True)
class Device:
    """Who hands in marks by a key."""

    key_id: UUID
    institution_id: UUID


def digest_of(key: str) -> bytes:
    """A key is 256 random bits, so that a plain hash of it cannot be guessed back."""
    return hashlib.sha256(key.encode()).digest()


async def device_with(key: str, now: datetime) -> Device | None:
    """The device with this key, while the key holds; compared in constant time."""
    written = _KEY.fullmatch(key)
    if written is None:
        return None
    key_id = UUID(written[1])
    for institution_id, digest in await fetch_alone(_WHOSE, key_id, business_day(now)):
        if hmac.compare_digest(digest, digest_of(key)):
            return Device(key_id, institution_id)
    return None


def keys_of(me: Actor) -> ColumnElement[bool]:
    """Which institutions' keys `me` may see and revoke: one's own, one's district's."""
    allowed: list[ColumnElement[bool]] = [false()]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        allowed.append(InstitutionRow.id == me.institution_id)
    if me.holds(Post.INSTITUTION_OFFICER, Post.AUDITOR):
        allowed.append(InstitutionRow.district == me.district if me.district else literal(True))
    return or_(*allowed)


async def keys(tx: Tx, me: Actor) -> AttendanceKeysView:
    """The latest, newest first."""
    row = AttendanceKeyRow
    return AttendanceKeysView([key_view(each) for each in await _rows(tx, me, row.id.is_not(None))])


async def key_row(tx: Tx, me: Actor, key_id: UUID) -> Any:
    """NotFound `attendance.no_key`."""
    found = await _rows(tx, me, AttendanceKeyRow.id == key_id)
    if not found:
        raise NotFound("attendance.no_key")
    return found[0]


def key_view(row: Any) -> AttendanceKeyView:
    days = period_of(row.in_force)
    assert days.last is not None, "a key ends"
    return AttendanceKeyView(row.id, row.institution_id, row.name, days.first, days.last, row.revoked_at)


async def _rows(tx: Tx, me: Actor, where: ColumnElement[bool]) -> list[Any]:
    row, institution = AttendanceKeyRow, InstitutionRow
    asked = select(*row.__table__.c).join(institution, institution.id == row.institution_id)
    latest = asked.where(keys_of(me), where).order_by(row.issued_at.desc(), row.id).limit(KEYS_MAX)
    return list((await tx.execute(latest)).all())
