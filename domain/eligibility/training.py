"""Rules about what was learnt: the item, its level and standard, the days, the certificate."""

from domain.certificate import Certificate, check_kind, cross_check, year_is_far
from domain.eligibility.facts import Facts
from domain.eligibility.outcome import Said, failed, gravest, passed, remarked
from domain.level import LEVELS, schemes_for
from domain.period import add_months


def in_catalog(facts: Facts) -> Said:
    day = facts.training_started_on.isoformat()
    if facts.item is None:
        return failed("item.not_in_catalog", day=day)
    if facts.item.code is None:
        return failed("item.project")
    return passed("item.in_catalog", day=day, list=f"list.{facts.item.list_kind}")


def level_fits(facts: Facts) -> Said:
    level = LEVELS[facts.level]
    if facts.item and facts.item.code and level.scheme not in schemes_for(facts.item.code):
        return failed("level.not_of_occupation", level=level.short)
    return passed("level.fits", level=level.short)


def standard_in_force(facts: Facts) -> Said:
    day = facts.training_started_on.isoformat()
    if facts.standard is None:
        return failed("standard.none", day=day)
    if not facts.standard.amount_fen:
        return failed("standard.zero")
    return passed("standard.in_force", day=day, amount_fen=facts.standard.amount_fen)


def in_time(facts: Facts) -> Said:
    last = add_months(facts.issued_on, facts.parameters.claim_window_months)
    months = facts.parameters.claim_window_months
    if facts.today > last:
        return failed("window.over", last=last.isoformat(), months=months)
    return passed("window.open", last=last.isoformat(), months=months)


def training_before_certificate(facts: Facts) -> Said:
    if facts.training_started_on > facts.issued_on:
        return failed("training.after_certificate", started=facts.training_started_on.isoformat())
    return passed("training.before_certificate", started=facts.training_started_on.isoformat())


def certificate_fits(facts: Facts) -> Said:
    certificate = Certificate.parse(facts.certificate_number)
    remarks = [*certificate.warnings, *cross_check(certificate, facts.level, facts.issued_on, facts.today)]
    worst = next((each for each in remarks if each.refuses), remarks[0] if remarks else None)
    return passed("certificate.fits") if worst is None else remarked(worst)


def certificate_kind_fits(facts: Facts) -> Said:
    """Which kinds of certificate there are for a level and a list (特级技师, 职业资格, 专项职业能力, 培训合格)."""
    list_kind = facts.item.list_kind if facts.item else ""
    remark = check_kind(Certificate.parse(facts.certificate_number), facts.level, list_kind)
    return passed("certificate.kind_fits") if remark is None else remarked(remark)


#: Remarks by which a number contradicts the claim softly: the registry may agree with either, so a person looks.
_DOUBTS = frozenset({"certificate.level_unreadable", "certificate.year_far", "certificate.qualification_late"})


def certificate_agrees(facts: Facts) -> Said:
    """As `certificate_fits`, but the gravest remark is told, and a person settles what the number makes doubtful."""
    certificate = Certificate.parse(facts.certificate_number)
    remarks = [*certificate.warnings, *cross_check(certificate, facts.level, facts.issued_on, facts.today)]
    if far := year_is_far(certificate, facts.issued_on):
        remarks.append(far)
    return gravest((remarked(each, _DOUBTS) for each in remarks), passed("certificate.fits"))


def certificate_kind_agrees(facts: Facts) -> Said:
    """As `certificate_kind_fits`, but a person looks at 职业资格 of years when hardly any was given."""
    list_kind = facts.item.list_kind if facts.item else ""
    remark = check_kind(Certificate.parse(facts.certificate_number), facts.level, list_kind)
    return passed("certificate.kind_fits") if remark is None else remarked(remark, _DOUBTS)


def certificate_not_used(facts: Facts) -> Said:
    return failed("certificate.used") if facts.certificate_used else passed("certificate.not_used")
