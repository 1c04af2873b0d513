"""Every rule of a class. A rule says all that it has to say: each session, each line of the roster for itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from domain.eligibility.outcome import Decision, Outcome, Said, failed, passed, warned
from domain.level import LEVELS, schemes_for
from domain.training.facts import Busy, Facts, Whose
from domain.training.timetable import clock_time, overlapping

#: Raised when any rule comes, goes, or changes its meaning; stored with each decision.
RULES_VERSION = 1
#: What one rule says at most: whoever has mended so many files again and is told the rest.
SAID_MAX = 50


def filed_in_time(facts: Facts) -> list[Said]:
    told = {"first": facts.starts_on.isoformat(), "earliest": facts.earliest_on.isoformat()}
    if facts.starts_on < facts.earliest_on:
        return [failed("class.too_late", working_days=facts.parameters.class_filing_working_days, **told)]
    return [passed("class.in_time", **told)]


def in_catalog(facts: Facts) -> list[Said]:
    day = facts.starts_on.isoformat()
    if facts.item_id is None:
        return [failed("class.not_in_catalog", day=day)]
    return [passed("class.in_catalog", day=day)]


def level_fits(facts: Facts) -> list[Said]:
    level = LEVELS[facts.level]
    if level.scheme not in schemes_for(facts.item_code):
        return [failed("class.level_not_of_occupation", level=level.short)]
    return [passed("class.level_fits", level=level.short)]


def standard_in_force(facts: Facts) -> list[Said]:
    day = facts.starts_on.isoformat()
    return [failed("class.no_standard", day=day) if facts.standard is None else passed("class.standard", day=day)]


def institution_may(facts: Facts) -> list[Said]:
    """It is in the catalog and not stopped, when it files, when it changes the class, and when that starts."""
    stopped = [each for each in facts.standings if not each.may_file]
    return [
        failed("class.institution_may_not", day=each.day.isoformat(), standing=f"standing.{each.standing}")
        for each in stopped
    ] or [passed("class.institution_may")]


def in_scope(facts: Facts) -> list[Said]:
    level = LEVELS[facts.level].short
    if facts.level in facts.scope:
        return [passed("class.in_scope", level=level)]
    admitted = [LEVELS[each].short for each in facts.scope]
    if admitted:
        return [failed("class.level_out_of_scope", level=level, admitted=admitted)]
    return [failed("class.out_of_scope", day=facts.starts_on.isoformat())]


def first_inspection(facts: Facts) -> list[Said]:
    """Notice 二.4: an institution that has held no class yet is inspected on site first."""
    if facts.held_before:
        return [passed("training.not_the_first")]
    if facts.inspection is None:
        return [failed("training.first_inspection")]
    inspected = facts.inspection.inspected_on.isoformat()
    if not facts.inspection.passed:
        return [failed("training.inspection_failed", inspected_on=inspected)]
    return [passed("training.inspected", inspected_on=inspected)]


def size_fits(facts: Facts) -> list[Said]:
    told = {"least": facts.parameters.class_size_least, "most": facts.parameters.class_size_most}
    size = len(facts.trainees)
    if told["least"] <= size <= told["most"]:
        return [passed("class.size_fits", size=size)]
    return [failed("class.size", size=size, **told)]


def hours_enough(facts: Facts) -> list[Said]:
    known = facts.standard.hours if facts.standard else None
    least = known or facts.parameters.class_reference_hours.get(facts.level, 0)
    if facts.planned_hours < least:
        return [failed("class.hours_few", planned=facts.planned_hours, least=least)]
    return [passed("class.hours_enough", planned=facts.planned_hours)]


def hours_add_up(facts: Facts) -> list[Said]:
    found = sum(each.hours for each in facts.sessions)
    if found != facts.planned_hours:
        return [failed("class.hours_differ", planned=facts.planned_hours, found=found)]
    return [passed("class.hours_add_up", planned=facts.planned_hours)]


def sessions_possible(facts: Facts) -> list[Said]:
    """Each session ends after it begins, by day, and is long enough for its hours; no day has too many."""
    rules = facts.parameters
    earliest, latest = rules.class_earliest_hour * 60, rules.class_latest_hour * 60
    said = []
    for place, each in enumerate(facts.sessions, 1):
        if each.minutes <= 0:
            said.append(failed("class.session_reversed", session=place))
        elif each.begins < earliest or each.ends > latest:
            within = {"earliest": clock_time(earliest), "latest": clock_time(latest)}
            said.append(failed("class.session_at_night", session=place, **within))
        elif each.minutes < each.hours * rules.class_hour_minutes:
            needed = {"hours": each.hours, "minutes": each.hours * rules.class_hour_minutes}
            said.append(failed("class.session_short", session=place, **needed))
    hours: dict[str, int] = {}
    for each in facts.sessions:
        hours[each.day.isoformat()] = hours.get(each.day.isoformat(), 0) + each.hours
    most = rules.class_day_hours_most
    said += [failed("class.day_full", day=day, hours=n, most=most) for day, n in sorted(hours.items()) if n > most]
    return said or [passed("class.sessions_possible")]


def sessions_apart(facts: Facts) -> list[Said]:
    return [
        failed("class.sessions_overlap", session=place, other=other) for place, other in overlapping(facts.sessions)
    ] or [passed("class.sessions_apart")]


def trainees_once(facts: Facts) -> list[Said]:
    return [failed("class.trainee_twice", line=each.line, first=each.first) for each in facts.repeated] or [
        passed("class.trainees_once")
    ]


def trainees_of_age(facts: Facts) -> list[Said]:
    """Of working age on the first day; where a woman's age of retirement is not known, the later one."""
    said = []
    for each in facts.trainees:
        if each.months < facts.parameters.age_from_years * 12:
            said.append(failed("class.trainee_young", line=each.line, years=facts.parameters.age_from_years))
        elif each.months >= each.retires_latest_months:
            years, months = divmod(each.retires_latest_months, 12)
            said.append(failed("class.trainee_retired", line=each.line, years=years, months=months))
        elif each.months >= each.retires_earliest_months:
            said.append(warned("class.trainee_may_be_retired", line=each.line))
    return said or [passed("class.trainees_of_age")]


def teachers_teach(facts: Facts) -> list[Said]:
    """Nobody is taught by themself."""
    return [failed("class.teacher_on_roster", teacher=each) for each in facts.teachers_on_roster] or [
        passed("class.teachers_teach")
    ]


def trainees_free(facts: Facts) -> list[Said]:
    return _elsewhere(facts, Whose.TRAINEE, lambda each: failed("class.trainee_busy", **_told(each, "line")))


def teachers_free(facts: Facts) -> list[Said]:
    return _elsewhere(facts, Whose.TEACHER, lambda each: failed("class.teacher_busy", **_told(each, "teacher")))


def rooms_free(facts: Facts) -> list[Said]:
    return _elsewhere(facts, Whose.ROOM, lambda each: failed("class.room_busy", **_told(each, "session")))


def _elsewhere(facts: Facts, whose: Whose, say: Callable[[Busy], Said]) -> list[Said]:
    return [say(each) for each in facts.busy if each.whose is whose] or [passed(f"class.{whose}s_free")]


def _told(busy: Busy, place: str) -> dict[str, str | int]:
    times = f"{clock_time(busy.begins)}–{clock_time(busy.ends)}"
    return {place: busy.place, "who": busy.who, "day": busy.day.isoformat(), "times": times}


@dataclass(frozen=True)
class Rule:
    """`version` counts the changes of this one rule."""

    check: Callable[[Facts], list[Said]]
    basis: str
    version: int = 1

    def outcomes(self, facts: Facts) -> Iterable[Outcome]:
        said = self.check(facts)[:SAID_MAX]
        return (Outcome(self.check.__name__, self.version, *each, self.basis) for each in said)


_NOTICE = "济人社函〔2023〕28号"

#: In the order in which a person reads them.
RULES: tuple[Rule, ...] = (
    Rule(filed_in_time, "开班前申报（政策参数 class_filing_working_days）"),
    Rule(in_catalog, f"{_NOTICE} 二"),
    Rule(level_fits, f"{_NOTICE} 二（一）3；国家职业分类大典"),
    Rule(standard_in_force, f"{_NOTICE} 三"),
    Rule(institution_may, f"{_NOTICE} 二（四）、二（五）"),
    Rule(in_scope, f"{_NOTICE} 二（四）：备案的职业和等级"),
    Rule(first_inspection, f"{_NOTICE} 二（四）：首次承担培训的机构先实地检查"),
    Rule(size_fits, "班额（政策参数 class_size_least、class_size_most）"),
    Rule(hours_enough, f"{_NOTICE} 三；补贴标准的参考学时（政策参数 class_reference_hours）"),
    Rule(hours_add_up, "课程表各次课的学时合计等于计划学时"),
    Rule(
        sessions_possible,
        "课程表（政策参数 class_hour_minutes、class_day_hours_most、class_earliest_hour、class_latest_hour）",
    ),
    Rule(sessions_apart, "同一班级同一时间只上一次课"),
    Rule(trainees_once, "名册一人一行"),
    Rule(trainees_of_age, "劳动法第十五条；关于实施渐进式延迟法定退休年龄的决定（2025 年施行）"),
    Rule(teachers_teach, "教师不是本班学员"),
    Rule(trainees_free, "同一人同一时间只在一个班"),
    Rule(teachers_free, "同一教师同一时间只在一个班"),
    Rule(rooms_free, "同一教室同一时间只有一个班"),
)


def decide(facts: Facts) -> Decision:
    """Every rule's outcomes over `facts`; a class has no amount of its own."""
    return Decision(tuple(said for rule in RULES for said in rule.outcomes(facts)), None, RULES_VERSION)
