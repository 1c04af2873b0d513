"""Rules about a place in a procured project (项目制), which its contractor claims and is paid for."""

from domain.eligibility.facts import Facts
from domain.eligibility.outcome import Said, failed, passed
from domain.period import Period


def project_contracted(facts: Facts) -> Said:
    """Its contract was confirmed by a second person."""
    if facts.project is None:
        return _NONE
    return passed("project.contracted") if facts.project.confirmed else failed("project.unconfirmed")


def project_reached(facts: Facts) -> Said:
    """A result is recorded, it was reached in the days of the contract, and earns something."""
    project = facts.project
    if project is None:
        return _NONE
    if project.result_id is None:
        return failed("project.no_result")
    reached = facts.issued_on
    if reached not in Period(project.first, project.last):
        days = {"first": project.first.isoformat(), "last": project.last.isoformat()}
        return failed("project.reached_otherwise", reached_on=reached.isoformat(), **days)
    return passed("project.reached", reached_on=reached.isoformat())


def project_priced(facts: Facts) -> Said:
    """By the standards of the contract's first day, and no more than was agreed for a place."""
    if facts.project is None:
        return _NONE
    if facts.project.price_fen is None:
        return failed("project.no_price")
    if not facts.project.price_fen:
        return failed("project.earned_nothing")
    return passed("project.priced", amount_fen=facts.project.price_fen)


def project_has_room(facts: Facts) -> Said:
    """Live claims stay within the places and the money of the contract."""
    project = facts.project
    if project is None:
        return _NONE
    told = {"taken": project.taken, "places": project.places, "cap_fen": project.cap_fen}
    return passed("project.has_room", **told) if project.has_room else failed("project.full", **told)


_NONE = passed("project.none")
