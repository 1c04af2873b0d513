"""Rounds of selection: for everybody as announced and publicised; applications for those who have to do with them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.institution import History
from domain.selection import (
    APPLICATION_LIFECYCLE,
    ApplicationAction,
    ApplicationStatus,
    Criterion,
    Evaluation,
    Round,
    RoundStatus,
    evaluated_year,
)
from service.database import Tx, period_of
from service.gateways.file_store import content_of
from service.institutions.queries.registry import documents_of_applications, institution_for, term_view
from service.institutions.queries.standing import histories_of
from service.institutions.schemas import (
    ApplicationsView,
    ApplicationView,
    CriterionView,
    ResultView,
    RoundsView,
    RoundView,
    ScopeView,
    SheetView,
)
from service.institutions.tables import (
    ApplicationDocumentRow,
    ApplicationRow,
    DocumentRow,
    EvaluationRow,
    InstitutionRow,
    RoundRow,
    ScoreSheetRow,
)
from service.journal import JournalRow
from service.people.tables import PersonRow
from service.wording import words

#: The latest rounds that are listed, and the applications of one.
ROUNDS_MAX, APPLICATIONS_MAX = 100, 2_000
_PUBLICISED = (ApplicationStatus.NOMINATED, ApplicationStatus.ADMITTED)


async def round_row(tx: Tx, round_id: UUID, *, lock: bool = False) -> Row[Any]:
    """What is stored of a round; with `lock` nobody else moves it meanwhile. NotFound `selection.none`."""
    asked = select(RoundRow.__table__).where(RoundRow.id == round_id)
    found = (await tx.execute(asked.with_for_update() if lock else asked)).one_or_none()
    if found is None:
        raise NotFound("selection.none")
    return found


def as_announced(row: Row[Any]) -> Round:
    """The round as rules see it."""
    return Round(
        year=row.year,
        kinds=frozenset(row.kinds),
        applications=period_of(row.applications),
        admits=period_of(row.admits),
        criteria=[Criterion(each["name"], each["weight"]) for each in row.criteria],
        pass_mark=row.pass_mark,
        assessors=row.assessors,
    )


async def rounds(tx: Tx) -> RoundsView:
    """The latest rounds, newest first, without their results."""
    row = RoundRow
    found = await tx.execute(select(row.__table__).order_by(row.announced_at.desc(), row.id).limit(ROUNDS_MAX))
    return RoundsView([_round(each, []) for each in found])


async def round_view(tx: Tx, round_id: UUID) -> RoundView:
    """A round with its results, once they are publicised. NotFound `selection.none`."""
    row = await round_row(tx, round_id)
    public = row.status in (RoundStatus.IN_PUBLICITY, RoundStatus.CLOSED)
    return _round(row, await _results(tx, round_id) if public else [])


def _round(row: Row[Any], results: list[ResultView]) -> RoundView:
    return RoundView(
        id=row.id,
        year=row.year,
        title=row.title,
        status=row.status,
        status_name=words(f"status.{row.status}"),
        kinds=row.kinds,
        criteria=[CriterionView(each["name"], each["weight"]) for each in row.criteria],
        pass_mark=row.pass_mark,
        assessors=row.assessors,
        applications=term_view(row.applications),
        admits=term_view(row.admits),
        publicity_working_days=row.publicity_working_days,
        publicity=None if row.publicity is None else term_view(row.publicity),
        results=results,
    )


async def _results(tx: Tx, round_id: UUID) -> list[ResultView]:
    row, institution = ApplicationRow, InstitutionRow
    found = (
        select(institution.id, institution.name, institution.credit_code, row.status, row.score)
        .join(institution, institution.id == row.institution_id)
        .where(row.round_id == round_id, row.status.in_(_PUBLICISED))
        .order_by(row.score.desc(), institution.credit_code)
    )
    return [
        ResultView(each.id, each.name, each.credit_code, each.status, words(f"status.{each.status}"), each.score)
        for each in await tx.execute(found)
    ]


async def applications(tx: Tx, me: Actor, round_id: UUID) -> ApplicationsView:
    """Those of a round that I may see, in the order in which they came. NotFound `selection.none`."""
    await round_row(tx, round_id)
    return ApplicationsView(await _applications(tx, me, ApplicationRow.round_id == round_id))


async def applications_of_mine(tx: Tx, me: Actor) -> list[ApplicationView]:
    """My institution's in every round, in the order in which they came."""
    return await _applications(tx, me, ApplicationRow.institution_id == me.institution_id)


async def application_view(tx: Tx, me: Actor, application_id: UUID) -> ApplicationView:
    """NotFound `selection.no_application`, also for another institution's."""
    found = await _applications(tx, me, ApplicationRow.id == application_id)
    if not found:
        raise NotFound("selection.no_application")
    return found[0]


async def application_row(tx: Tx, me: Actor, application_id: UUID) -> Row[Any]:
    """What is stored of an application that I may see, which nobody else moves meanwhile, nor its round: the round
    is held first, by everybody. NotFound `selection.no_application`."""
    row = ApplicationRow
    await application_view(tx, me, application_id)
    round_id = (await tx.execute(select(row.round_id).where(row.id == application_id))).scalar_one()
    await tx.execute(select(RoundRow.id).where(RoundRow.id == round_id).with_for_update(key_share=True))
    held = select(row.__table__).where(row.id == application_id).with_for_update()
    return (await tx.execute(held)).one()


def _visible(me: Actor) -> list[ColumnElement[bool]]:
    if me.institution_id is not None or me.holds(Post.CLERK):
        return [ApplicationRow.institution_id == me.institution_id]
    return [] if me.district is None else [InstitutionRow.district == me.district]


async def _applications(tx: Tx, me: Actor, *where: ColumnElement[bool]) -> list[ApplicationView]:
    row, institution, held = ApplicationRow, InstitutionRow, RoundRow
    asked = (
        select(row.__table__, institution.name, held.year, held.status.label("stage"))
        .join(institution, institution.id == row.institution_id)
        .join(held, held.id == row.round_id)
        .where(*where, *_visible(me))
        .order_by(row.filed_at, row.id)
        .limit(APPLICATIONS_MAX)
    )
    found = (await tx.execute(asked)).all()
    ids = [each.id for each in found]
    documents, sheets = await documents_of_applications(tx, ids), await sheets_of(tx, ids)
    histories = await histories_of(tx, {each.institution_id for each in found})
    evaluations = {
        each.id: await evaluation_of(tx, each.institution_id, each.year, histories[each.institution_id])
        for each in found
    }
    shown, reasons = not me.holds(Post.CLERK), await _reasons(tx, ids)
    return [
        ApplicationView(
            id=each.id,
            round_id=each.round_id,
            institution_id=each.institution_id,
            institution_name=each.name,
            status=each.status,
            status_name=words(f"status.{each.status}"),
            renewal=evaluations[each.id] != Evaluation.NOT_NEEDED,
            scopes=[ScopeView(scope["occupation"], scope["levels"]) for scope in each.scopes],
            documents=documents[each.id],
            sheets_given=len(sheets[each.id]),
            sheets=[_sheet(sheet, me) for sheet in sheets[each.id] if shown and _may_read(sheet, me)],
            score=each.score if each.stage != RoundStatus.ANNOUNCED else None,
            reason=reasons.get(each.id, ""),
        )
        for each in found
    ]


async def _reasons(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Why each of those that were not admitted was turned down, as the journal has it."""
    row = JournalRow
    asked = select(row.subject_id, row.reason).where(
        row.subject_kind == APPLICATION_LIFECYCLE.noun,
        row.subject_id.in_(ids),
        row.action == ApplicationAction.TURN_DOWN,
    )
    return {each.subject_id: each.reason for each in await tx.execute(asked)}


def _may_read(sheet: Row[Any], me: Actor) -> bool:
    """An assessor reads only their own sheet, so that nobody scores after another."""
    return me.holds(Post.INSTITUTION_OFFICER, Post.AUDITOR) or sheet.person_id == me.person_id


def _sheet(sheet: Row[Any], me: Actor) -> SheetView:
    return SheetView(sheet.person_id == me.person_id, sheet.points, sheet.remark, sheet.given_at)


async def sheets_of(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, Sequence[Row[Any]]]:
    """The score sheets of each application, in the order in which they were given; `human` is whom a person with two
    ids was merged into."""
    row, person, sheets = ScoreSheetRow, PersonRow, defaultdict(list)
    human = func.coalesce(person.merged_into, person.id).label("human")
    asked = select(row.__table__, human).join(person, person.id == row.person_id).where(row.application_id.in_(ids))
    for each in await tx.execute(asked.order_by(row.given_at, row.id)):
        sheets[each.application_id].append(each)
    return sheets


async def evaluation_of(tx: Tx, institution_id: UUID, year: int, history: History) -> Evaluation:
    """What a round of that year finds of the institution's evaluation."""
    row, asked = EvaluationRow, evaluated_year(year)
    passed = select(row.passed).where(row.institution_id == institution_id, row.year == asked)
    latest = passed.order_by(row.version.desc()).limit(1)
    return Evaluation.of(history, asked, (await tx.execute(latest)).scalar_one_or_none())


async def document(tx: Tx, me: Actor, institution_id: UUID, document_id: UUID) -> tuple[str, str, bytes]:
    """Name, media type and plain bytes. An assessor reads what belongs to an application.

    NotFound `institution.not_found`, `document.none`.
    """
    await institution_for(tx, me, institution_id)
    row, used = DocumentRow, ApplicationDocumentRow
    asked = select(row.name, row.media_type, row.sha256)
    asked = asked.where(row.id == document_id, row.institution_id == institution_id)
    if not me.holds(Post.INSTITUTION_OFFICER, Post.AUDITOR, Post.CLERK):
        asked = asked.where(select(func.count()).where(used.document_id == row.id).scalar_subquery() > 0)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("document.none")
    return found.name, found.media_type, await content_of(tx, found.sha256)
