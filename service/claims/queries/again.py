"""A stored claim as it was asked for, to be decided once more."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from domain.eligibility import ProjectFacts
from service.claims.queries.decisions import stored_facts
from service.claims.queries.facts import Asked
from service.claims.queries.kinds import AttendedClass, Drawn


def asked_again(claim: Row[Any]) -> Asked:
    """`claim` has the columns of a claim, and the `code` of its catalog item. It stands in its own way no more."""
    before = stored_facts(claim.decision)
    # with a class, training began when that did; without one and a day of its own, with the certificate
    beside = before.class_number is None and claim.training_started_on != before.issued_on
    return Asked(
        person_id=claim.person_id,
        channel=before.channel,
        item_code=claim.code or before.subsidy_key,
        list_kind=claim.list_kind,
        level=claim.level,
        certificate_number=claim.certificate_number or "",
        issued_on=before.issued_on,
        training_started_on=claim.training_started_on if beside else None,
        class_number=before.class_number,
        holder_is_payee=before.holder_is_payee,
        mandate_id=claim.mandate_id,
        contract_id=claim.contract_id,
        payee_has_account=before.payee_has_account,
        institution_id=claim.institution_id,
        warnings=before.warnings,
        group=before.group,
        invoice_number=claim.invoice_number,
        fee_fen=before.fee.fee_fen if before.fee else None,
        payer_is_claimant=before.fee is not None and before.fee.payer_is_claimant,
        place_link=before.place_link,
        excluding=claim.id,
        project=_drawn(claim.project_id, before.project),
        attended=AttendedClass(claim.allowance_class_id, before.allowance.days) if before.allowance else None,
    )


def _drawn(project_id: UUID | None, before: ProjectFacts | None) -> Drawn | None:
    """As it was priced, whatever was recorded since."""
    if project_id is None or before is None:
        return None
    return Drawn(project_id, before.result_id, before.price_fen)
