"""Rules about who is paid, through whom, and how much."""

from domain.claim import Channel
from domain.eligibility.facts import Facts
from domain.eligibility.of_allowance import allowance_due
from domain.eligibility.outcome import Result, Said, failed, passed
from domain.institution import LISTED, Standing
from domain.money import Fen
from domain.standard import capped_by_fee


def holder_is_payee(facts: Facts) -> Said:
    return passed("account.holder_fits") if facts.holder_is_payee else failed("account.holder_differs")


def mandate_holds(facts: Facts) -> Said:
    if facts.channel is not Channel.INSTITUTION:
        return passed("mandate.not_needed")
    if facts.mandate is None or not facts.mandate.same_institution:
        return failed("mandate.missing")
    if facts.mandate.fee_fen:
        return failed("mandate.fee")
    if not facts.mandate.first <= facts.today <= facts.mandate.last:
        first, last = facts.mandate.first.isoformat(), facts.mandate.last.isoformat()
        return failed("mandate.not_in_force", first=first, last=last)
    return passed("mandate.holds", last=facts.mandate.last.isoformat())


def institution_listed(facts: Facts) -> Said:
    if facts.channel is not Channel.INSTITUTION:
        return passed("institution.not_needed")
    if facts.mandate is None or not facts.mandate.listed:
        return failed("institution.not_listed", day=facts.training_started_on.isoformat())
    return passed("institution.listed", day=facts.training_started_on.isoformat())


def institution_may_file(facts: Facts) -> Said:
    """It was in the catalog when training started, has not left since, and no sanction stops it. A listing that only
    ran out since is no hindrance: the training was given under it."""
    if facts.channel is not Channel.INSTITUTION:
        return passed("institution.not_needed")
    day, institution = facts.training_started_on.isoformat(), facts.institution
    if institution is None:
        return failed("institution.not_listed", day=day)
    if institution.trained is Standing.EXITED:
        return failed("institution.left", day=day)
    if institution.trained not in LISTED:
        return failed("institution.not_listed", day=day)
    if institution.files is Standing.EXITED:
        return failed("institution.left", day=facts.today.isoformat())
    if (days := institution.suspended) is None:
        return passed("institution.listed", day=day)
    if days.last is None:
        return failed("institution.suspended_until_further_notice", first=days.first.isoformat())
    return failed("institution.suspended", first=days.first.isoformat(), last=days.last.isoformat())


def fee_proved(facts: Facts) -> Said:
    """Whoever files alone shows an invoice where the fee bounds the subsidy; no institution may have taken a fee."""
    if facts.channel is Channel.INSTITUTION:
        return failed("fee.through_institution") if facts.fee else passed("fee.not_asked")
    if facts.fee is None:
        return failed("fee.missing") if facts.parameters.subsidy_capped_by_fee else passed("fee.not_asked")
    if not facts.fee.payer_is_claimant:
        return failed("fee.payer_differs")
    if (due := amount_due(facts)) is not None and facts.standard and due < facts.standard.amount_fen:
        return passed("fee.caps", fee_fen=facts.fee.fee_fen, amount_fen=due)
    return passed("fee.proved", fee_fen=facts.fee.fee_fen)


def invoice_not_used(facts: Facts) -> Said:
    if facts.fee is None:
        return passed("invoice.none")
    return failed("invoice.used") if facts.fee.invoice_used else passed("invoice.not_used")


def amount_due(facts: Facts) -> Fen | None:
    """What is paid if no rule objects: the standard, or the fee where policy bounds it; for a project what a place is
    worth, for an allowance its days. None without a standard, and without a price."""
    if facts.project is not None:
        return facts.project.price_fen
    if facts.allowance is not None:
        return allowance_due(facts)
    if facts.standard is None:
        return None
    if facts.fee is None or not facts.parameters.subsidy_capped_by_fee:
        return facts.standard.amount_fen
    return capped_by_fee(facts.standard.amount_fen, facts.fee.fee_fen)


def nothing_odd(facts: Facts) -> Said:
    if facts.warnings:
        return Said(Result.WARNED, facts.warnings[0], {"all": list(facts.warnings)})
    return passed("input.plain")
