"""Issue a key to a device of an institution, and revoke it."""

import secrets
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.period import Period, parse_date
from domain.text import plain_words, public_words
from service.database import Tx, range_of
from service.institutions.tables import InstitutionRow
from service.journal import By, record
from service.training.queries.attendance_keys import digest_of, key_row, key_view, keys_of
from service.training.schemas.attendance import AttendanceKeyView, IssuedKeyView, NewAttendanceKey, NewRevocation
from service.training.tables import AttendanceKeyRow

#: For how long a key holds at most.
DAYS_MAX = 366


async def issue_key(tx: Tx, me: Actor, new: NewAttendanceKey, today: date, now: datetime) -> IssuedKeyView:
    """A key for a device of my institution, or of one of my district; it is answered once. NotFound
    `institution.not_found`; Invalid `attendance.key_days` (most), and for a name that is none."""
    by, institution_id = _by(me, now), await _institution(tx, me, new.institution_id)
    name, until = plain_words(new.name, "name"), parse_date(new.until, "until")
    if not today <= until <= today + timedelta(days=DAYS_MAX):
        raise Invalid("attendance.key_days", "until", most=DAYS_MAX)
    key_id = uuid4()
    key = f"zdk_{key_id.hex}_{secrets.token_urlsafe(32)}"
    about = {"institution_id": str(institution_id), "name": name, "until": until.isoformat()}
    await record(tx, "attendance_key", [key_id], "issue", by, [about])
    kept = {"institution_id": institution_id, "name": name, "in_force": range_of(Period(today, until))}
    signed = {"key_sha256": digest_of(key), "issued_by": me.user_id, "issued_at": now}
    await tx.execute(insert(AttendanceKeyRow).values(id=key_id, **kept, **signed))
    return IssuedKeyView(key_id, institution_id, name, today, until, None, key)


async def revoke_key(tx: Tx, me: Actor, key_id: UUID, new: NewRevocation, now: datetime) -> AttendanceKeyView:
    """From now on nothing comes in by it. NotFound `attendance.no_key`; Conflict `attendance.key_revoked`."""
    by, reason = _by(me, now), public_words(new.reason, "reason")
    await key_row(tx, me, key_id)
    row = AttendanceKeyRow
    said = {"revoked_by": me.user_id, "revoked_at": now, "revoke_reason": reason}
    await record(tx, "attendance_key", [key_id], "revoke", by, [{"revoked_at": now.isoformat()}], reason)
    revoked = update(row).where(row.id == key_id, row.revoked_at.is_(None)).values(**said)
    if not (await tx.execute(revoked)).rowcount:
        raise Conflict("attendance.key_revoked")
    return key_view(await key_row(tx, me, key_id))


def _by(me: Actor, now: datetime) -> By:
    me.must_hold(Post.CLERK, Post.INSTITUTION_OFFICER)
    return By.actor(me, Post.CLERK if me.holds(Post.CLERK) else Post.INSTITUTION_OFFICER, now)


async def _institution(tx: Tx, me: Actor, named: UUID | None) -> UUID:
    """A clerk's own; an officer names one."""
    row = InstitutionRow
    wanted = named or me.institution_id
    found = (await tx.execute(select(row.id).where(row.id == wanted, keys_of(me)))).scalar_one_or_none()
    if found is None:
        raise NotFound("institution.not_found")
    return found
