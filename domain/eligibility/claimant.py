"""Rules about the claimant: what they were granted before, their age, their group, their link to the city."""

from domain.eligibility.facts import Facts, StandingClaim, once_in
from domain.eligibility.outcome import Said, failed, needs_human, passed, warned
from domain.eligibility.registers import without_pension
from domain.level import LEVELS
from domain.policy import Limit


def only_once(facts: Facts) -> Said:
    mine = once_in(facts.parameters, facts.today)
    same = [each for each in facts.earlier if each.once_in == mine or "ever" in (mine, each.once_in)]
    if same:
        first = min(same, key=lambda each: each.filed_on)
        channel, status = f"channel.{first.channel}", f"status.{first.status}"
        return failed("claim.already_filed", channel=channel, status=status, filed_on=first.filed_on.isoformat())
    return passed("claim.first", once_in=mine)


def no_higher_level_before(facts: Facts) -> Said:
    """Only levels of one scheme compare: an engineer's grade says nothing of a worker's level."""
    if facts.parameters.lower_level_after_higher == "granted":
        return passed("level.order_free")
    higher = [each for each in facts.standing if each.subsidy_key == facts.subsidy_key and _outranks(each, facts)]
    if not higher:
        return passed("level.none_higher")
    first = min(higher, key=lambda each: each.filed_on)
    status, level = f"status.{first.status}", LEVELS[first.level].short
    return failed("level.higher_before", level=level, status=status, filed_on=first.filed_on.isoformat())


def _outranks(standing: StandingClaim, facts: Facts) -> bool:
    theirs, mine = LEVELS[standing.level], LEVELS[facts.level]
    return theirs.scheme == mine.scheme and theirs.outranks(mine)


def within_limits(facts: Facts) -> Said:
    """Claims that are live or paid count, by their day of filing; refused, withdrawn and repaid ones do not."""
    limits = [each for each in facts.parameters.counting_limits if each.holds_on(facts.today)]
    if not limits:
        return passed("limit.none")
    tightest = min(limits, key=lambda each: each.count - _used(each, facts))
    used, said = _used(tightest, facts), {"span": f"span.{tightest.window}", "count": tightest.count}
    if used >= tightest.count:
        return failed("limit.reached", used=used, **said)
    return passed("limit.free", used=used, **said)


def _used(limit: Limit, facts: Facts) -> int:
    return sum(limit.counts(each.filed_on, facts.today) for each in facts.standing if not each.is_allowance)


def of_age(facts: Facts) -> Said:
    """Of working age on the day training started; where a woman's age of retirement is not known, the later one."""
    if facts.age is None:
        return failed("age.unknown")
    started, age = facts.training_started_on.isoformat(), facts.age
    if age.months < facts.parameters.age_from_years * 12:
        return failed("age.under", started=started, years=facts.parameters.age_from_years)
    if age.months >= age.retires_latest_months:
        years, months = divmod(age.retires_latest_months, 12)
        return failed("age.retired", started=started, years=years, months=months)
    if age.months >= age.retires_earliest_months:
        years, months = divmod(age.retires_earliest_months, 12)
        return warned("age.may_be_retired", started=started, years=years, months=months)
    return passed("age.fits", started=started)


def of_working_age(facts: Facts) -> Said:
    """As `of_age`; whether somebody has retired is looked at by a person, unless the register of pensioners tells."""
    said = of_age(facts)
    if said.code != "age.may_be_retired":
        return said
    if (as_of := without_pension(facts)) is not None:
        return passed("age.draws_no_pension", as_of=as_of.isoformat())
    return needs_human(said.code, **said.facts)


def group_holds(facts: Facts) -> Said:
    if facts.group is None:
        return passed("group.none")
    first, started = facts.group.valid_from, facts.training_started_on
    if first > started:
        return failed("group.too_late", first=first.isoformat(), started=started.isoformat())
    return passed("group.holds", first=first.isoformat())


def linked_to_place(facts: Facts) -> Said:
    if not facts.parameters.place_link_required:
        return passed("place.not_asked")
    accepted = [f"place_link.{each}" for each in facts.parameters.place_links]
    if facts.place_link is None:
        return failed("place.missing", accepted=accepted)
    if facts.place_link not in facts.parameters.place_links:
        return failed("place.not_accepted", link=f"place_link.{facts.place_link}", accepted=accepted)
    return passed("place.linked", link=f"place_link.{facts.place_link}")
