"""Rules about an enterprise that claims for somebody it hired and trained, and is paid itself (notice 三.8).

A claim of any other channel passes them all; so does one without a contract of its own, but for the first.
"""

from datetime import timedelta

from domain.claim import Channel
from domain.eligibility.facts import ContractFacts, Facts
from domain.eligibility.outcome import Said, failed, passed
from domain.period import Period, add_months


def contract_holds(facts: Facts) -> Said:
    """Its own contract with this person, in force when training started."""
    if facts.channel is not Channel.ENTERPRISE:
        return _NONE
    contract = _contract(facts)
    if contract is None:
        return failed("contract.missing")
    started = facts.training_started_on
    if started not in Period(contract.first, contract.last):
        days = {"first": contract.first.isoformat(), "started": started.isoformat()}
        return failed("contract.not_in_force", **days)
    return passed("contract.holds", first=contract.first.isoformat())


def contract_long_enough(facts: Facts) -> Said:
    """Of the months that policy asks for, both ends counted; a contract of no fixed term is."""
    contract, months = _contract(facts), facts.parameters.enterprise_contract_months
    if contract is None or months == 0:
        return _NONE
    if contract.last is None:
        return passed("contract.no_fixed_term")
    days = {"first": contract.first.isoformat(), "last": contract.last.isoformat(), "months": months}
    if contract.last + timedelta(days=1) < add_months(contract.first, months):
        return failed("contract.too_short", **days)
    return passed("contract.long_enough", **days)


def newly_hired(facts: Facts) -> Said:
    """Trained within some months of signing, under the first contract with this enterprise."""
    contract, months = _contract(facts), facts.parameters.enterprise_hired_months
    if contract is None:
        return _NONE
    if contract.employed_before:
        return failed("contract.employed_before")
    if months == 0:
        return _NONE
    started, signed = facts.training_started_on, contract.signed_on
    told = {"started": started.isoformat(), "signed_on": signed.isoformat(), "months": months}
    if not signed <= started <= add_months(signed, months):
        return failed("contract.not_newly_hired", **told)
    return passed("contract.newly_hired", **told)


def payee_may_file(facts: Facts) -> Said:
    """No sanction keeps an organisation that is paid itself from filing claims."""
    paid_itself = facts.channel is Channel.ENTERPRISE or facts.project is not None
    if not paid_itself or facts.institution is None or facts.institution.suspended is None:
        return passed("payee.may_file")
    first, last = facts.institution.suspended.first.isoformat(), facts.institution.suspended.last
    if last is None:
        return failed("institution.suspended_until_further_notice", first=first)
    return failed("institution.suspended", first=first, last=last.isoformat())


def payee_stands(facts: Facts) -> Said:
    """As `payee_may_file`, and it was not told to leave (清退)."""
    paid_itself = facts.channel is Channel.ENTERPRISE or facts.project is not None
    if paid_itself and facts.institution is not None and facts.institution.left is not None:
        return failed("payee.left", day=facts.institution.left.isoformat())
    return payee_may_file(facts)


def payee_has_account(facts: Facts) -> Said:
    """An organisation is paid on the account that two persons put in force."""
    return passed("account.there") if facts.payee_has_account else failed("account.none_in_force")


def _contract(facts: Facts) -> ContractFacts | None:
    ours = facts.channel is Channel.ENTERPRISE and facts.contract is not None and facts.contract.same_enterprise
    return facts.contract if ours else None


_NONE = passed("contract.not_needed")
