"""Decisions as a table that a policy officer can read and add to: `decisions.csv` beside this file.

An empty cell is as in the first case. 结论 is 可以, 不可以 (one may insist and appeal) or 不受理 (at the door).
"""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.claim import Channel, ClaimStatus, PlaceLink
from domain.eligibility import (
    RULES,
    RULES_VERSION,
    AgeFacts,
    EarlierClaim,
    Facts,
    FeeFacts,
    GroupFacts,
    InstitutionFacts,
    ItemFacts,
    Result,
    StandardFacts,
    StandingClaim,
    amount_due,
    decide,
)
from domain.eligibility.registers import CHECKS, objections_of
from domain.institution import Standing
from domain.level import LEVELS
from domain.money import parse_yuan
from domain.period import Period, whole_months
from domain.policy import Limit
from domain.register import FoundEntry, Looked, Register, register_of_group
from domain.retirement import RetirementTable
from service.claims.queries.decisions import decided_again, stored_decision, stored_facts
from service.wording import wording, words
from tests.facts import INSTITUTION, MANDATE, STARTED, TODAY, WELDER, eligible

HERE = Path(__file__).parent
AGES = RetirementTable.from_csv((HERE.parents[1] / "data/retirement-ages.csv").read_text("utf-8").splitlines())
CASES = list(csv.DictReader((HERE / "decisions.csv").read_text("utf-8").splitlines()))
OTHER = "4-04-05-01"
STOPPED = Period(date(2026, 11, 1), date(2026, 12, 31))

_LEVELS = {level.short: code for code, level in LEVELS.items()}
_STATUSES = {words(f"status.{status}"): str(status) for status in ClaimStatus}
_LISTS = {words(f"list.{kind}"): kind for kind in ("shortage", "specific_skill", "project")}
_LINKS = {words(f"place_link.{link}"): link for link in PlaceLink}


def _limit(window: str) -> Callable[[str], dict[str, Any]]:
    return lambda count: {"counting_limits": (Limit("person", window, int(count), date(2022, 1, 1), None),)}


_POLICIES: dict[str, Callable[..., dict[str, Any]]] = {
    r"申领期(\d+)个月": lambda months: {"claim_window_months": int(months)},
    r"每年可再领": lambda: {"once_in": "year"},
    r"低等级也补": lambda: {"lower_level_after_higher": "granted"},
    r"每年(\d+)次": _limit("calendar_year"),
    r"不限次数": lambda: {"counting_limits": ()},
    r"(\d+)岁起": lambda years: {"age_from_years": int(years)},
    r"补贴不超过缴费": lambda: {"subsidy_capped_by_fee": True},
    r"须与本市有关联": lambda: {"place_link_required": True},
    r"只认户籍": lambda: {"place_links": ("household",)},
    r"只排除退休": lambda: {"excluding_registers": ("pensioners",)},
    r"毕业年度不补": lambda: {"graduating_students": "refused"},
    r"两项补贴都可领": lambda: {"sister_scheme_paid": "granted"},
}

_CHECKED = {check.__name__ for check in CHECKS}
#: Registers as the table calls them; 人群 is that of the group which a case names.
_REGISTERS = {
    "财政供养": Register.PUBLIC_PAYROLL,
    "在校学生": Register.STUDENTS,
    "退休": Register.PENSIONERS,
    "死亡": Register.DECEASED,
    "姊妹补贴": Register.SISTER_PAYMENTS,
    "人群": register_of_group("graduate"),
}
_ENTRY = re.compile(r"(?:(\d+)年毕业)?(?:自([\d-]+))?(?:至([\d-]+))?")

_BESIDE: dict[str, Callable[[Facts], Facts]] = {
    "目录里没有": lambda facts: replace(facts, item=None),
    "没有编码": lambda facts: replace(facts, item=facts.item and replace(facts.item, code=None)),
    "没有标准": lambda facts: replace(facts, standard=None),
    "证书已被用": lambda facts: replace(facts, certificate_used=True),
    "没有协议": lambda facts: replace(facts, mandate=None),
    "机构不在目录": lambda facts: replace(facts, institution=replace(INSTITUTION, trained=Standing.NEVER)),
    "机构到期后才培训": lambda facts: replace(facts, institution=replace(INSTITUTION, trained=Standing.EXPIRED)),
    "机构培训后到期": lambda facts: replace(facts, institution=replace(INSTITUTION, files=Standing.EXPIRED)),
    "机构培训前退出": lambda facts: replace(facts, institution=InstitutionFacts(Standing.EXITED, Standing.EXITED)),
    "机构培训后退出": lambda facts: replace(facts, institution=replace(INSTITUTION, files=Standing.EXITED)),
    "机构只停开班": lambda facts: replace(facts, institution=replace(INSTITUTION, files=Standing.SUSPENDED)),
    "机构停代领": lambda facts: replace(facts, institution=replace(INSTITUTION, suspended=STOPPED)),
    "机构停代领未定期": lambda facts: replace(facts, institution=replace(INSTITUTION, suspended=Period(STARTED))),
    "户名不是本人": lambda facts: replace(facts, holder_is_payee=False),
    "卡号存疑": lambda facts: replace(facts, warnings=("account.luhn",)),
}


def facts_of(case: dict[str, str]) -> Facts:
    """The facts that a row describes."""
    facts, code = eligible(), case["职业"] or WELDER
    days = {"提交日": "today", "培训开始": "training_started_on", "发证日": "issued_on"}
    facts = replace(facts, **{name: date.fromisoformat(case[own]) for own, name in days.items() if case[own]})
    for said in filter(None, case["政策"].split("；")):
        facts = replace(facts, parameters=replace(facts.parameters, **_policy(said)))
    facts = replace(
        facts,
        item=ItemFacts("item", "edition", code, _LISTS[case["目录"] or "急需紧缺"], "制造业"),
        subsidy_key=code,
        level=_LEVELS[case["等级"] or "四级"],
        certificate_number=case["证书编号"] or facts.certificate_number,
        age=_age(case["出生"] or "男 1993-01-15", facts.training_started_on),
    )
    if case["途径"] == "机构":
        facts = replace(facts, channel=Channel.INSTITUTION, mandate=MANDATE, institution=INSTITUTION)
    if case["人群有效日"]:
        facts = replace(facts, group=GroupFacts("graduate", "diploma", date.fromisoformat(case["人群有效日"])))
    if case["缴费"]:
        yuan, payer, *used = case["缴费"].split()
        facts = replace(facts, fee=FeeFacts(parse_yuan(yuan, cap_fen=10**8), payer == "本人", bool(used)))
    if case["关联"]:
        facts = replace(facts, place_link=_LINKS[case["关联"]])
    facts = replace(facts, registers=tuple(_looked(said) for said in filter(None, case["名册"].split("；"))))
    facts = with_earlier(facts, [_standing(said, code) for said in filter(None, case["已有申领"].split("；"))])
    return _BESIDE[case["其他"]](facts) if case["其他"] else facts


def _looked(said: str) -> Looked:
    """`退休 自2025-01-01`: in that register from that day on; `在` says no day, `无` that they are not in it."""
    register, entry = said.split()
    found = ()
    if entry != "无":
        match = _ENTRY.fullmatch(entry.removeprefix("在"))
        assert match is not None
        year, first, last = match.groups()
        days = (day and date.fromisoformat(day) for day in (first, last))
        found = (FoundEntry(1, *days, graduates=year and int(year)),)
    return Looked(_REGISTERS[register], "snapshot", TODAY, found)


def with_earlier(facts: Facts, standing: list[StandingClaim]) -> Facts:
    """As the service reads them: those of the same occupation and level once more, with their span."""
    yearly = facts.parameters.once_in == "year"
    same = tuple(
        EarlierClaim("individual", each.status, each.filed_on, str(each.filed_on.year) if yearly else "ever")
        for each in standing
        if (each.subsidy_key, each.level) == (facts.subsidy_key, facts.level)
    )
    return replace(facts, standing=tuple(standing), earlier=same)


def _policy(said: str) -> dict[str, Any]:
    found = next(
        filter(
            None,
            ((re.fullmatch(form, said), change) for form, change in _POLICIES.items() if re.fullmatch(form, said)),
        )
    )
    match, change = found
    assert match is not None
    return change(*match.groups())


def _age(said: str, day: date) -> AgeFacts:
    sex, born = said.split()
    birth = date.fromisoformat(born)
    retires = AGES.age_of({"男": "male", "女": "female"}[sex], birth)
    return AgeFacts(whole_months(birth, day), retires.earliest_months, retires.latest_months)


def _standing(said: str, code: str) -> StandingClaim:
    filed_on, occupation, level, status = said.split()
    key = {"同职业": code, "别的职业": OTHER}[occupation]
    return StandingClaim(key, _LEVELS[level], _STATUSES[status], date.fromisoformat(filed_on))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["情形"])
def test_cases(case: dict[str, str]) -> None:
    decision = decide(facts_of(case))
    verdict = "可以" if decision.eligible else "不可以" if decision.may_insist else "不受理"
    warned = [each.code for each in decision.outcomes if each.outcome is Result.WARNED]
    assert (verdict, decision.failed, warned) == (case["结论"], _codes(case["原因"]), _codes(case["提醒"]))
    assert decision.amount_fen == (parse_yuan(case["金额元"], cap_fen=10**8) if case["金额元"] else None)


def _codes(said: str) -> list[str]:
    return said.split("、") if said else []


def test_the_table_is_long_and_names_every_refusal_and_warning_of_the_new_rules() -> None:
    assert len(CASES) >= 60
    assert len({case["情形"] for case in CASES}) == len(CASES)
    told = {code for case in CASES for code in (*_codes(case["原因"]), *_codes(case["提醒"]))}
    beginnings = ("level.", "limit.", "age.", "group.", "place.", "fee.", "invoice.", "excluded.", "sister.")
    ours = {code.removeprefix("next.") for code in wording() if code.startswith("next.")}
    assert {code for code in ours if code.startswith(beginnings)} - {"age.unknown"} <= told


def test_an_unknown_age_is_no_age_to_be_paid_at() -> None:
    assert decide(eligible(age=None)).failed == ["age.unknown"]


# ---- decisions stored before these rules


GOLDEN = {
    (version, name): stored
    for version in range(1, RULES_VERSION)
    for name, stored in json.loads((HERE / f"golden/decisions-v{version}.json").read_text("utf-8")).items()
}


@pytest.mark.parametrize(("version", "name"), GOLDEN)
def test_a_decision_stored_under_an_earlier_version_is_computed_again_as_it_was(version: int, name: str) -> None:
    stored = GOLDEN[version, name]
    again = decided_again(stored)
    assert (again.failed, again.amount_fen) == (stored["failed"], stored["amount_fen"])
    assert {each.rule: each.version for each in again.outcomes} == stored["rules"]
    assert again.rules_version == stored["rules_version"] == version


def test_rules_of_a_version_that_never_was() -> None:
    for version in (0, RULES_VERSION + 1):
        with pytest.raises(ValueError, match="no version"):
            decide(eligible(), version)


def test_every_rule_has_a_name_of_its_own_a_basis_and_a_beginning() -> None:
    now = [rule for rule in RULES if rule.holds_in(RULES_VERSION)]
    assert len({rule.check.__name__ for rule in now}) == len(now)
    assert all(rule.basis and 1 <= rule.since <= RULES_VERSION for rule in RULES)


# ---- whatever the facts are

_DAYS = st.dates(date(2019, 1, 1), date(2030, 12, 31))
_CODES = st.sampled_from(sorted(LEVELS))
_NUMBERS = st.sampled_from(
    [
        "S000037010023264000418",
        "ST00003701002326000418",
        "1937010001400123",
        "ZX3701202600017",
        "SO0003701002326O000418",
    ]
)
_INSTITUTION = st.builds(
    InstitutionFacts,
    st.sampled_from(Standing),
    st.sampled_from(Standing),
    st.none() | st.builds(Period, st.just(STARTED), st.none() | st.just(TODAY)),
)
_STANDING = st.builds(
    StandingClaim,
    st.sampled_from([WELDER, OTHER, "2-02-38-01"]),
    _CODES,
    st.sampled_from(["filed", "verified", "paid", "bounced"]),
    _DAYS,
)
_ENTRIES = st.builds(FoundEntry, st.integers(1, 9), *([st.none() | _DAYS] * 2), st.none() | st.integers(2019, 2030))
_LOOKED = st.builds(
    Looked,
    st.sampled_from(sorted(_REGISTERS.values())),
    st.just("snapshot"),
    _DAYS,
    st.lists(_ENTRIES, max_size=2).map(tuple),
)


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    parameters = replace(
        eligible().parameters,
        claim_window_months=draw(st.integers(1, 120)),
        once_in=draw(st.sampled_from(["ever", "year"])),
        lower_level_after_higher=draw(st.sampled_from(["refused", "granted"])),
        subsidy_capped_by_fee=draw(st.booleans()),
        place_link_required=draw(st.booleans()),
    )
    code = draw(st.sampled_from([WELDER, "2-02-38-01", None]))
    item = ItemFacts("item", "edition", code, draw(st.sampled_from(sorted(_LISTS.values()))), "制造业")
    bounds = sorted(draw(st.tuples(st.integers(600, 660), st.integers(600, 760))))
    facts = eligible(
        today=draw(_DAYS),
        channel=draw(st.sampled_from(Channel)),
        training_started_on=draw(_DAYS),
        issued_on=draw(_DAYS),
        level=draw(_CODES),
        certificate_number=draw(_NUMBERS),
        subsidy_key=code or "",
        item=draw(st.sampled_from([item, item, None])),
        standard=draw(st.none() | st.builds(StandardFacts, st.just("s"), st.integers(1, 10**7), st.booleans())),
        certificate_used=draw(st.booleans()),
        holder_is_payee=draw(st.booleans()),
        mandate=draw(st.sampled_from([None, MANDATE])),
        institution=draw(st.none() | _INSTITUTION),
        parameters=parameters,
        age=draw(st.none() | st.builds(AgeFacts, st.integers(-10, 1500), st.just(bounds[0]), st.just(bounds[1]))),
        group=draw(st.none() | st.builds(GroupFacts, st.just("graduate"), st.just("diploma"), _DAYS)),
        fee=draw(st.none() | st.builds(FeeFacts, st.integers(100, 10**8), st.booleans(), st.booleans())),
        place_link=draw(st.none() | st.sampled_from(PlaceLink)),
        registers=tuple(draw(st.lists(_LOOKED, max_size=4, unique_by=lambda each: each.register))),
    )
    return with_earlier(facts, draw(st.lists(_STANDING, max_size=4)))


@settings(max_examples=300, deadline=None)
@given(_facts())
def test_a_decision_is_always_made_and_always_made_again_alike(facts: Facts) -> None:
    decision = decide(facts)
    stored = json.loads(json.dumps(stored_decision(facts, decision)))
    again = decided_again(stored)
    assert again == decision
    assert json.loads(json.dumps(stored_decision(stored_facts(stored), again))) == stored
    assert len(decision.outcomes) == sum(rule.holds_in(RULES_VERSION) for rule in RULES)
    assert decision.eligible == (decision.amount_fen is not None)
    assert not (decision.eligible and decision.may_insist)
    if decision.may_insist:
        assert facts.item is not None
        assert amount_due(facts)


@settings(max_examples=300, deadline=None)
@given(_facts(), _STANDING)
def test_an_earlier_claim_more_never_makes_anybody_eligible(facts: Facts, more: StandingClaim) -> None:
    before, after = decide(facts), decide(with_earlier(facts, [*facts.standing, more]))
    assert set(before.failed) <= set(after.failed)
    assert before.eligible or not after.eligible


@settings(max_examples=300, deadline=None)
@given(_facts())
def test_a_register_that_is_not_loaded_refuses_nobody_and_is_not_passed_over(facts: Facts) -> None:
    without = decide(replace(facts, registers=()))
    assert set(without.failed) <= set(decide(facts).failed)
    assert not [code for code in without.failed if code.startswith(("excluded.", "sister.", "group.not_"))]
    said = {each.rule: each.code for each in without.outcomes}
    assert {said[check.__name__] for check in CHECKS} <= {"register.not_checked", "group.none"}


@settings(max_examples=300, deadline=None)
@given(_facts())
def test_what_is_looked_at_again_is_what_filing_looks_at(facts: Facts) -> None:
    again = [said.code for said in objections_of(facts)]
    assert again == [each.code for each in decide(facts).outcomes if each.rule in _CHECKED and each.code in again]
    assert set(again) <= set(decide(facts).failed)


@given(st.integers(1, 10**7), st.integers(100, 10**8))
def test_a_capped_subsidy_is_within_the_standard_and_the_fee(amount_fen: int, fee_fen: int) -> None:
    parameters = replace(eligible().parameters, subsidy_capped_by_fee=True)
    standard = StandardFacts("s", amount_fen, sample=True)
    due = amount_due(eligible(parameters=parameters, standard=standard, fee=FeeFacts(fee_fen, True, False)))
    assert due is not None
    assert 0 < due <= min(amount_fen, fee_fen)
    assert due == amount_fen or due % 100 == 0


def test_the_day_of_these_tests_lies_within_the_window() -> None:
    assert decide(eligible(today=TODAY)).eligible
