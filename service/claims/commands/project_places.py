"""A place in a procured project (项目制): its contractor claims it and is paid, and an officer weighs the result."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.claim import Channel, ClaimAction, Via
from domain.errors import Conflict, Forbidden
from domain.faults import Faults
from domain.level import WHOLE_PROJECT
from service.claims.commands.deciding import Claimant, Wanted, decide_and_file
from service.claims.commands.filing import payee_of, refusal_for
from service.claims.commands.mandates import read_trainee
from service.claims.commands.moves import move_claim
from service.claims.commands.proofs import Proofs, read_group
from service.claims.commands.reading import Read
from service.claims.queries.kinds import Drawn
from service.claims.queries.refusals import RULES
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewPlace
from service.database import Tx
from service.institutions.commands.accounts import payable_account
from service.journal import By
from service.people.commands import ensure_person
from service.people.queries import lock_person
from service.projects.queries import Contracted, contracted
from service.projects.tables import ProjectRow


async def file_place(tx: Tx, me: Actor, project_id: UUID, new: NewPlace, today: date, now: datetime) -> ClaimView:
    """Claim one person's place in a project of my institution; it is in review at once, for no registry knows of it.

    The person is locked, then the project: who counts its places waits for who has taken one (promise 20). Refusals
    as for a single claim; NotFound `project.not_found`; Forbidden `claim.own_through_institution`.
    """
    me.must_hold(Post.CLERK)
    project, faults = await contracted(tx, me, project_id), Faults()
    trainee = read_trainee(new.trainee, today, faults)
    proofs = Proofs(faults.read(read_group, new.group), None, new.place_link)
    faults.raise_first()
    person_id = await ensure_person(tx, trainee, "trainee.")
    if person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    name = await lock_person(tx, person_id)
    await tx.execute(select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update(key_share=True))
    payee = await payee_of(tx, project.institution_id, project.contractor, today)
    if payee.account_id is not None:
        await payable_account(tx, payee.account_id)
    result_id = str(project.result_id) if project.result_id else None
    drawn = Drawn(project_id, result_id, project.price_fen)
    whose = Claimant(
        person_id, name, Channel.INSTITUTION, project.district, project.institution_id, None, payee, drawn
    )
    (settled,) = await decide_and_file(tx, me, [Wanted(_read(project, proofs, today), whose)], today, now)
    if not settled.decision.eligible:
        raise refusal_for(settled.decision)
    if settled.filed is None:
        raise Conflict("busy")
    claim_id = settled.filed["id"]
    await move_claim(tx, ClaimAction.QUESTION, claim_id, By(RULES, now), reason="project.officer_looks")
    return await claim_view(tx, me, claim_id)


def _read(project: Contracted, proofs: Proofs, today: date) -> Read:
    """As a claim for a certificate is read: the item by its name, whatever edition it stands in, and the day of the
    result where a certificate has its own."""
    return Read(
        item_code=f"project:{project.item}",
        level=WHOLE_PROJECT,
        list_kind=None,
        certificate=None,
        issued_on=project.reached_on or today,
        training_started_on=project.first,
        class_number=None,
        account=None,
        district=None,
        mandate_id=None,
        contract_id=None,
        via=Via.WEB,
        proofs=proofs,
    )
