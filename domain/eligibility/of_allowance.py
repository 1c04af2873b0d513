"""Rules about 生活费补贴: for days attended of a class, to persons of the groups that policy names."""

from domain.eligibility.facts import Facts
from domain.eligibility.outcome import Said, failed, passed
from domain.money import Fen


def group_gets_allowance(facts: Facts) -> Said:
    if facts.group is None:
        return failed("allowance.no_group")
    if _fen_a_day(facts) == 0:
        return failed("allowance.not_of_group")
    return passed("allowance.of_group", amount_fen=_fen_a_day(facts))


def beside_training_claim(facts: Facts) -> Said:
    """It is claimed with the training or after it, and the claim for that stands."""
    claimed = facts.allowance is not None and facts.allowance.training_claimed
    return passed("allowance.beside") if claimed else failed("allowance.training_first")


def class_is_over(facts: Facts) -> Said:
    """The days that count are those of a class that has ended."""
    over = facts.of_class is not None and facts.of_class.status in ("finished", "closed")
    return passed("allowance.class_over") if over else failed("allowance.class_under_way")


def days_attended(facts: Facts) -> Said:
    days = facts.allowance.days if facts.allowance else 0
    return passed("allowance.days", days=days, counted=_days(facts)) if days else failed("allowance.no_days")


def allowance_due(facts: Facts) -> Fen | None:
    """So much a day, for no more days than policy allows; None where nothing is due."""
    return _days(facts) * _fen_a_day(facts) or None


def _days(facts: Facts) -> int:
    days = facts.allowance.days if facts.allowance else 0
    return min(days, int(facts.parameters.living_allowance.get("days_most", 0)))


def _fen_a_day(facts: Facts) -> Fen:
    return int(facts.parameters.living_allowance.get("fen_a_day", {}).get(facts.group_code, 0))
