"""A clerk hands in documents, applies for the institution, and may withdraw; assessors score."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound
from domain.faults import Faults
from domain.selection import (
    APPLICATION_LIFECYCLE,
    ApplicationAction,
    ApplicationStatus,
    RoundStatus,
    check_applicant,
    check_points,
    must_be_closed_to_applications,
    must_not_score_own,
)
from domain.text import plain_words
from service.database import Tx
from service.gateways.file_store import must_be_document, store
from service.institutions.commands.registering import check_scopes_free, read_scopes
from service.institutions.queries.registry import documents_where, institution_for
from service.institutions.queries.selection import (
    application_row,
    application_view,
    as_announced,
    evaluation_of,
    round_row,
)
from service.institutions.queries.standing import histories_of
from service.institutions.schemas import ApplicationView, DocumentView, NewApplication, NewSheet
from service.institutions.tables import (
    ApplicationDocumentRow,
    ApplicationRow,
    DocumentRow,
    ScoreSheetRow,
)
from service.journal import By, move, record

#: What one institution may hand in, and one application may hold.
DOCUMENTS_MAX, DOCUMENTS_EACH_MAX = 500, 30


async def hand_in_document(
    tx: Tx, me: Actor, institution_id: UUID, name: str, media_type: str, data: bytes, now: datetime
) -> DocumentView:
    """Keep a file of my institution; the same bytes again are the document that is there.

    NotFound `institution.not_found`; Invalid `document.…` for what it is; Conflict `document.too_many` (most).
    """
    me.must_hold(Post.CLERK)
    await institution_for(tx, me, institution_id)
    name = plain_words(name, "name", most=100)
    must_be_document(data, media_type, "body")
    digest, row = await store(tx, data, now), DocumentRow
    known = await documents_where(tx, row.institution_id == institution_id, row.sha256 == digest)
    if known:
        return known[0]
    count = select(func.count()).where(row.institution_id == institution_id)
    if (await tx.execute(count)).scalar_one() >= DOCUMENTS_MAX:
        raise Conflict("document.too_many", most=DOCUMENTS_MAX)
    document_id, about = uuid4(), {"name": name, "media_type": media_type}
    by, kept = By.actor(me, Post.CLERK, now), {"handed_in_by": me.user_id, "handed_in_at": now}
    new = {"id": document_id, "institution_id": institution_id, "sha256": digest}
    await tx.execute(insert(row).values(**new, **about, **kept))
    noted = {"document": str(document_id), "sha256": digest.hex(), **about}
    await record(tx, "institution", [institution_id], "hand_in", by, [noted])
    return (await documents_where(tx, row.id == document_id))[0]


async def apply(
    tx: Tx, me: Actor, round_id: UUID, new: NewApplication, today: date, now: datetime
) -> ApplicationView:
    """Apply for my institution.

    NotFound `selection.none`, `institution.not_found`; Conflict `selection.applied`, `wrong_status`; Invalid for
    everything that keeps it out at once.
    """
    me.must_hold(Post.CLERK)
    if me.institution_id is None:
        raise NotFound("institution.not_found")
    known = await institution_for(tx, me, me.institution_id)
    found, faults = await round_row(tx, round_id), Faults()
    announced, history = as_announced(found), (await histories_of(tx, [known.id]))[known.id]
    if found.status != RoundStatus.ANNOUNCED:
        raise Conflict("wrong_status", noun="selection_round", status=found.status, action="file")
    evaluation = await evaluation_of(tx, known.id, found.year, history)
    check_applicant(announced, known.kind, history, evaluation, today, faults)
    scopes = await read_scopes(tx, new.scopes, faults)
    await check_scopes_free(tx, known.id, scopes, announced.admits, faults)
    documents = await _read_documents(tx, known.id, new.documents, faults)
    faults.raise_all()
    row = ApplicationRow
    live = select(row.id).where(row.round_id == round_id, row.institution_id == known.id)
    if (await tx.execute(live.where(row.status != ApplicationStatus.WITHDRAWN))).first() is not None:
        raise Conflict("selection.applied")
    application_id, status = uuid4(), {"status": str(APPLICATION_LIFECYCLE.first)}
    by = By.actor(me, Post.CLERK, now)
    about = {"round_id": str(round_id), "institution_id": str(known.id), "scopes": scopes}
    await record(tx, "selection_application", [application_id], "file", by, [{**about, **status}])
    filed = {"filed_by": me.user_id, "filed_by_person": me.person_id, "filed_at": now}
    whose = {"id": application_id, "round_id": round_id, "institution_id": known.id}
    await tx.execute(insert(row).values(**whose, scopes=scopes, **filed, **status))
    own = {"application_id": application_id, "institution_id": known.id}
    await tx.execute(insert(ApplicationDocumentRow), [{"document_id": each, **own} for each in documents])
    return await application_view(tx, me, application_id)


async def withdraw(tx: Tx, me: Actor, application_id: UUID, now: datetime) -> ApplicationView:
    """Take my institution's application back before it is decided. NotFound `selection.no_application`; Conflict
    `wrong_status`."""
    me.must_hold(Post.CLERK)
    await application_row(tx, me, application_id)
    by, action = By.actor(me, Post.CLERK, now), ApplicationAction.WITHDRAW
    await move(tx, ApplicationRow.__table__, APPLICATION_LIFECYCLE, action, application_id, by)
    return await application_view(tx, me, application_id)


async def score(
    tx: Tx, me: Actor, application_id: UUID, new: NewSheet, today: date, now: datetime
) -> ApplicationView:
    """What I give an application, once, when no more may come in.

    NotFound `selection.no_application`; Forbidden `selection.own_application`; Conflict `selection.still_open`,
    `selection.scored`, `wrong_status`; Invalid with every criterion that is not scored well.
    """
    me.must_hold(Post.ASSESSOR)
    row, faults = await application_row(tx, me, application_id), Faults()
    announced = as_announced(await round_row(tx, row.round_id))
    must_not_score_own(me.person_id, row.filed_by_person)
    must_be_closed_to_applications(announced.applications, today)
    if row.status != ApplicationStatus.FILED:
        raise Conflict("wrong_status", noun="selection_application", status=row.status, action="score")
    check_points(announced.criteria, new.points, faults)
    remark = faults.read(plain_words, new.remark, "remark") if new.remark.strip() else ""
    faults.raise_all()
    sheet, sheet_id = ScoreSheetRow, uuid4()
    mine = select(sheet.id).where(sheet.application_id == application_id, sheet.person_id == me.person_id)
    if (await tx.execute(mine)).first() is not None:
        raise Conflict("selection.scored")
    by, said = By.actor(me, Post.ASSESSOR, now), {"application_id": application_id, "points": new.points}
    await tx.execute(
        insert(sheet).values(
            id=sheet_id, person_id=me.person_id, remark=remark, given_by=me.user_id, given_at=now, **said
        )
    )
    noted = {"application_id": str(application_id), "points": new.points}
    await record(tx, "selection_sheet", [sheet_id], "score", by, [noted])
    return await application_view(tx, me, application_id)


async def _read_documents(tx: Tx, institution_id: UUID, ids: list[UUID], faults: Faults) -> list[UUID]:
    """Each once; `document.count` (most), and `document.none` for what the institution has not handed in."""
    if not 1 <= len(ids) <= DOCUMENTS_EACH_MAX:
        faults.tell("document.count", "documents", most=DOCUMENTS_EACH_MAX)
    row = DocumentRow
    asked = select(row.id).where(row.institution_id == institution_id, row.id.in_(ids))
    own = set((await tx.execute(asked)).scalars())
    for number, each in enumerate(ids):
        if each not in own:
            faults.tell("document.none", f"documents.{number}")
    return sorted(own)
