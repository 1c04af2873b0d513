"""Record contracts over projects, confirm them as a second person, and record what was reached."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from domain.faults import Faults
from domain.period import parse_date, read_period
from domain.text import plain_words
from service.catalog.tables import CatalogItemRow, EditionRow
from service.database import Tx, range_of
from service.institutions.queries.registry import institution_for
from service.journal import By, record
from service.projects.queries import project_row, project_view
from service.projects.schemas import NewProject, NewResult, ProjectView
from service.projects.tables import ProjectResultRow, ProjectRow


async def propose_project(tx: Tx, me: Actor, new: NewProject, now: datetime) -> ProjectView:
    """A contract with an institution of my district, recorded by an officer; nothing is claimed on it yet.

    Invalid for everything that is wrong at once: the days, `project.not_in_catalog`, `project.cap_below_place`.
    """
    me.must_hold(Post.INSTITUTION_OFFICER)
    contractor, faults = await institution_for(tx, me, new.institution_id), Faults()
    number = faults.read(plain_words, new.contract_number, "contract_number", most=64)
    days = read_period(new.valid_from, new.valid_to, faults, "valid_")
    item_id = await _item(tx, new.item, days.first) if days else None
    if days and item_id is None:
        faults.tell("project.not_in_catalog", "item", day=days.first.isoformat())
    if new.cap_fen < new.place_fen:
        faults.tell("project.cap_below_place", "cap_fen")
    faults.raise_all()
    project_id = uuid4()
    over = {"places": new.places, "cap_fen": new.cap_fen, "place_fen": new.place_fen}
    about = {
        **over,
        "contract_number": number,
        "document_sha256": new.document_sha256,
        "district": contractor.district,
    }
    await tx.execute(
        insert(ProjectRow).values(
            id=project_id,
            item_id=item_id,
            institution_id=contractor.id,
            in_force=range_of(days),
            proposed_by=me.user_id,
            proposed_person=me.person_id,
            proposed_at=now,
            **about,
        )
    )
    noted = {**about, "institution_id": str(contractor.id), "item": new.item}
    noted |= {"first": str(days.first), "last": str(days.last)}
    await record(tx, "project", [project_id], "propose", By.actor(me, Post.INSTITUTION_OFFICER, now), [noted])
    return await project_view(tx, me, project_id)


async def _item(tx: Tx, name: str, on: date) -> UUID | None:
    """The project of that name in the edition of the day."""
    item, edition = CatalogItemRow, EditionRow
    asked = (
        select(item.id)
        .join(edition, edition.id == item.edition_id)
        .where(edition.in_force.contains(on), item.code.is_(None), item.name == name.strip())
        .order_by(item.place)
        .limit(1)
    )
    return (await tx.execute(asked)).scalar_one_or_none()


async def confirm_project(tx: Tx, me: Actor, project_id: UUID, now: datetime) -> ProjectView:
    """Another officer of the district confirms what was recorded. Forbidden `project.same_person`; Conflict
    `project.confirmed`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    project = await project_row(tx, me, project_id)
    if project.confirmed_at is not None:
        raise Conflict("project.confirmed")
    if project.proposed_person == me.person_id:
        raise Forbidden("project.same_person")
    who = {"confirmed_by": me.user_id, "confirmed_person": me.person_id, "confirmed_at": now}
    await tx.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(**who))
    await record(tx, "project", [project_id], "confirm", By.actor(me, Post.INSTITUTION_OFFICER, now), [{}])
    return await project_view(tx, me, project_id)


async def record_result(
    tx: Tx, me: Actor, project_id: UUID, new: NewResult, today: date, now: datetime
) -> ProjectView:
    """The contractor says what was reached, by which evidence; an officer weighs it with each claim.

    Invalid `date.…`, `project.result_in_future`; Conflict `project.unconfirmed`.
    """
    me.must_hold(Post.CLERK)
    project = await project_row(tx, me, project_id)
    if project.confirmed_at is None:
        raise Conflict("project.unconfirmed")
    reached_on = parse_date(new.reached_on, "reached_on")
    if reached_on > today:
        raise Invalid("project.result_in_future", field="reached_on")
    said = {"employment_percent": new.employment_percent, "evidence_sha256": new.evidence_sha256}
    result = {"id": uuid4(), "reached_on": reached_on, "recorded_by": me.user_id, "recorded_at": now, **said}
    await tx.execute(insert(ProjectResultRow).values(project_id=project_id, **result))
    noted = {"employment_percent": new.employment_percent, "document_sha256": new.evidence_sha256}
    noted |= {"result": str(result["id"]), "reached_on": reached_on.isoformat()}
    await record(tx, "project", [project_id], "reach", By.actor(me, Post.CLERK, now), [noted])
    return await project_view(tx, me, project_id)
