"""投诉和意见: anybody complains of an institution; the officer of its district answers once."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import exists, insert, select

from domain.actor import Actor, Post
from domain.complaint import must_not_answer_oneself
from domain.errors import Conflict, Invalid, NotFound
from domain.institution import Standing
from domain.numbering import COMPLAINTS
from domain.text import trimmed
from domain.training import read_class_number
from service.crypto import keyring
from service.database import Tx
from service.institutions.queries import standings
from service.institutions.tables import InstitutionRow
from service.journal import ANYBODY, By, record
from service.oversight.queries.whom import named, visible_to
from service.oversight.schemas import AnsweredView, ComplaintReceipt, NewComplaint, NewComplaintAnswer
from service.oversight.tables import ComplaintAnswerRow, ComplaintRow
from service.policies.queries import deadline
from service.training.tables import ClassRow


async def complain(
    tx: Tx, me: Actor | None, new: NewComplaint, today: date, now: datetime, complaint_id: UUID | None = None
) -> ComplaintReceipt:
    """Complain of an institution, or say an opinion; without `me`, anonymously. The words are kept sealed.

    `complaint_id`: as the form chose it, so that sent twice it is one complaint.

    NotFound `oversight.no_institution`, also for one that never was in the catalog; Invalid `words.empty`,
    `complaint.no_class` where the institution has no class of that number; Conflict `policy.missing`.
    """
    institution, said = await named(tx, new.institution), trimmed(new.words, "words", "words")
    stands = (await standings(tx, [institution.id], today))[institution.id]
    if stands.standing is Standing.NEVER:
        raise NotFound("oversight.no_institution")
    due, complaint_id = await deadline(tx, "complaint_working_days", today), complaint_id or uuid4()
    about = await _class_of(tx, institution.id, new.class_number) if new.class_number else None
    row = {"institution_id": institution.id, "class_id": about, "kind": str(new.kind), "due_on": due.on}
    by = By.actor(me, Post.TRAINEE, now) if me else By(ANYBODY, now)
    noted = {name: str(value) for name, value in row.items() if value is not None}
    await record(tx, "complaint", [complaint_id], "complain", by, [noted])
    kept = insert(ComplaintRow).values(
        id=complaint_id,
        words_sealed=keyring().seal(said, complaint_id),
        person_id=me and me.person_id,
        filed_on=today,
        filed_at=now,
        **row,
    )
    serial = (await tx.execute(kept.returning(ComplaintRow.serial))).scalar_one()
    return ComplaintReceipt(complaint_id, due.on, due.provisional, COMPLAINTS.number(serial))


async def _class_of(tx: Tx, institution_id: UUID, number: str) -> UUID:
    row, named = ClassRow, read_class_number(number)
    asked = select(row.id).where(row.institution_id == institution_id, row.number == named)
    class_id = (await tx.execute(asked)).scalar_one_or_none()
    if class_id is None:
        raise Invalid("complaint.no_class", field="class_number")
    return class_id


async def answer(
    tx: Tx, me: Actor, complaint_id: UUID, new: NewComplaintAnswer, today: date, now: datetime
) -> AnsweredView:
    """The officer of the institution's district answers, once. NotFound `complaint.not_found`; Forbidden
    `complaint.own`; Conflict `complaint.answered`; Invalid `words.empty`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    said, row = trimmed(new.answer, "answer", "words"), ComplaintRow
    asked = select(row.person_id, row.due_on).join(InstitutionRow, InstitutionRow.id == row.institution_id)
    found = (await tx.execute(asked.where(row.id == complaint_id, visible_to(me)))).one_or_none()
    if found is None:
        raise NotFound("complaint.not_found")
    must_not_answer_oneself(me.person_id, found.person_id)
    answered = exists().where(ComplaintAnswerRow.complaint_id == complaint_id)
    if (await tx.execute(select(answered))).scalar_one():
        raise Conflict("complaint.answered")
    by, told = By.actor(me, Post.INSTITUTION_OFFICER, now), {"founded": new.founded, "answered_on": today}
    await record(tx, "complaint", [complaint_id], "answer", by, [{**told, "answered_on": today.isoformat()}])
    await tx.execute(
        insert(ComplaintAnswerRow).values(
            complaint_id=complaint_id,
            answer_sealed=keyring().seal(said, complaint_id),
            answered_by=me.user_id,
            answered_person=me.person_id,
            answered_at=now,
            **told,
        )
    )
    return AnsweredView(complaint_id, today, new.founded, late=today > found.due_on)
