"""An officer corrects a mark: by a further row, with the reason; what was there stays to be seen."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.faults import Faults
from domain.text import public_words
from domain.training import MarkSource, Stay, instant_of, must_have_happened, session_of
from service.database import Tx
from service.journal import By, record
from service.training.commands.attendance import HeldClass, held_class
from service.training.queries.attendance import mark_view
from service.training.queries.plans import stored_plan
from service.training.queries.views import visible_to
from service.training.schemas.attendance import MarkView, NewMarkCorrection
from service.training.tables import AttendanceMarkRow, ClassRow


async def correct_mark(
    tx: Tx, me: Actor, mark_id: UUID, new: NewMarkCorrection, today: date, now: datetime
) -> MarkView:
    """Other times for a mark of a class of one's district, or none: they were not there.

    NotFound `attendance.no_mark`; Forbidden `class.own` for whoever teaches or learns there; Conflict
    `attendance.corrected`, and as for a class that is not held; Invalid `attendance.half`, and as for any mark.
    """
    me.must_hold(Post.INSTITUTION_OFFICER)
    row = AttendanceMarkRow
    about = select(row.class_id, row.session_id, row.person_id).join(ClassRow, ClassRow.id == row.class_id)
    mark = (await tx.execute(about.where(row.id == mark_id, visible_to(me)))).one_or_none()
    if mark is None:
        raise NotFound("attendance.no_mark")
    of = await held_class(tx, today, ClassRow.id == mark.class_id)
    if me.person_id in (await stored_plan(tx, of.id)).people:
        raise Forbidden("class.own")
    if (await tx.execute(select(row.id).where(row.corrects_id == mark_id))).first() is not None:
        raise Conflict("attendance.corrected")
    reason, stay = public_words(new.reason, "reason"), _stay(of, mark.session_id, new, now)
    correction_id, by = uuid4(), By.actor(me, Post.INSTITUTION_OFFICER, now)
    told = {"mark_id": str(correction_id), "corrects_id": str(mark_id)}
    await record(tx, "attendance", [of.id], "correct", by, [told], reason)
    during = Range(stay.came, stay.left, bounds="[)") if stay else None
    where = {"class_id": of.id, "session_id": mark.session_id, "person_id": mark.person_id}
    signed = {"received_by": me.user_id, "received_at": now, "corrects_id": mark_id, "reason": reason}
    source = str(MarkSource.OFFICER)
    await tx.execute(insert(row).values(id=correction_id, during=during, source=source, **where, **signed))
    return await mark_view(tx, correction_id)


def _stay(of: HeldClass, session_id: UUID, new: NewMarkCorrection, now: datetime) -> Stay | None:
    if new.came is None and new.left is None:
        return None
    if new.came is None or new.left is None:
        raise Invalid("attendance.half", "came" if new.came is None else "left")
    faults = Faults()
    came, left = faults.read(instant_of, new.came, "came"), faults.read(instant_of, new.left, "left")
    faults.raise_all()
    stay, own = Stay(came, left), [each for each in of.sessions if each.id == session_id]
    must_have_happened(stay, now)
    session_of(stay, own, of.rules.around)
    return stay
