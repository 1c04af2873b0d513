"""Decisions as a table that a policy officer can read and add to: `decisions.csv` beside this file.

`tests/decisions.py` says what its words mean. 结论 is 可以, 需要人看 (filed, and an officer looks), 不可以 (one may
insist and appeal) or 不受理 (at the door). 原因 is why it is not granted or why a person must look; 提醒, the rest.
"""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.claim import Channel, PlaceLink
from domain.eligibility import (
    RULES,
    RULES_VERSION,
    AgeFacts,
    AllowanceFacts,
    ContractFacts,
    Decision,
    Facts,
    FeeFacts,
    GroupFacts,
    InstitutionFacts,
    ItemFacts,
    ProjectFacts,
    Result,
    StandardFacts,
    StandingClaim,
    Verdict,
    amount_due,
    decide,
    rules_in,
)
from domain.eligibility.registers import CHECKS, objections_of
from domain.institution import Standing
from domain.level import LEVELS
from domain.money import parse_yuan
from domain.period import Period
from domain.register import FoundEntry, Looked
from service.claims.queries.decisions import decided_again, result_of, stored_decision, stored_facts
from service.wording import wording
from tests.decisions import CASES, LISTS, OTHER, REGISTERS, facts_of, with_earlier
from tests.facts import MANDATE, STARTED, TODAY, WELDER, eligible

GOLDEN_FILES = Path(__file__).parent / "golden"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["情形"])
def test_cases(case: dict[str, str]) -> None:
    decision = decide(facts_of(case))
    odd = (each.code for each in decision.outcomes if each.outcome in {Result.WARNED, Result.NEEDS_HUMAN})
    warned = [code for code in odd if code not in decision.reasons]
    assert (_verdict(decision), decision.reasons, warned) == (
        case["结论"],
        _codes(case["原因"]),
        _codes(case["提醒"]),
    )
    assert decision.amount_fen == (parse_yuan(case["金额元"], cap_fen=10**8) if case["金额元"] else None)


def _verdict(decision: Decision) -> str:
    if decision.may_insist:
        return "不可以"
    return {Verdict.ELIGIBLE: "可以", Verdict.NEEDS_HUMAN: "需要人看", Verdict.REFUSED: "不受理"}[decision.verdict]


def _codes(said: str) -> list[str]:
    return said.split("、") if said else []


def test_the_table_is_long_and_names_every_refusal_and_warning_of_the_new_rules() -> None:
    assert len(CASES) >= 150
    assert len({case["情形"] for case in CASES}) == len(CASES)
    assert len({tuple(case.values())[1:] for case in CASES}) == len(CASES)
    told = {code for case in CASES for code in (*_codes(case["原因"]), *_codes(case["提醒"]))}
    beginnings = (
        *("level.", "limit.", "age.", "group.", "place.", "fee.", "invoice.", "excluded.", "sister.", "certificate."),
        *("claim_class.", "attendance.", "mandate.", "institution."),
    )
    ours = {code.removeprefix("next.") for code in wording() if code.startswith("next.")}
    assert {code for code in ours if code.startswith(beginnings)} - {"age.unknown"} <= told


def test_an_unknown_age_is_no_age_to_be_paid_at() -> None:
    assert decide(eligible(age=None)).failed == ["age.unknown"]


# ---- decisions as they were stored, of every version


GOLDEN = {
    (version, name): stored
    for version in range(1, RULES_VERSION + 1)
    for name, stored in json.loads((GOLDEN_FILES / f"decisions-v{version}.json").read_text("utf-8")).items()
}


@pytest.mark.parametrize(("version", "name"), GOLDEN)
def test_a_decision_stored_under_any_version_is_computed_again_as_it_was(version: int, name: str) -> None:
    stored = GOLDEN[version, name]
    again = decided_again(stored)
    assert (again.failed, again.amount_fen) == (stored["failed"], stored["amount_fen"])
    assert {each.rule: each.version for each in again.outcomes} == stored["rules"]
    assert again.rules_version == stored["rules_version"] == version
    assert result_of(again).items() <= stored.items()


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
_CONTRACT = st.builds(ContractFacts, st.booleans(), _DAYS, _DAYS, st.none() | _DAYS, st.booleans()).filter(
    lambda contract: contract.last is None or contract.first <= contract.last
)
_FEN = st.integers(0, 10**7)
_PROJECT = st.builds(
    ProjectFacts,
    *(st.just("p"), st.booleans(), st.just(STARTED), st.just(TODAY), st.integers(1, 9), st.integers(0, 9)),
    *(_FEN, _FEN, st.none() | st.just("r"), st.none() | _FEN),
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
    st.sampled_from(sorted(REGISTERS.values())),
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
    item = ItemFacts("item", "edition", code, draw(st.sampled_from(sorted(LISTS.values()))), "制造业")
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
        contract=draw(st.none() | _CONTRACT),
        payee_has_account=draw(st.booleans()),
        project=draw(st.none() | _PROJECT),
        allowance=draw(st.none() | st.builds(AllowanceFacts, st.integers(0, 40), st.booleans())),
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
    assert len(decision.outcomes) == len(rules_in(RULES_VERSION, facts.kind))
    assert decision.eligible == (decision.amount_fen is not None)
    assert not (decision.eligible and decision.may_insist)
    assert decision.eligible == (decision.verdict is not Verdict.REFUSED)
    assert bool(decision.reasons) == (decision.verdict is not Verdict.ELIGIBLE)
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
    checked = {check.__name__ for check in CHECKS}
    again = [said.code for said in objections_of(facts)]
    assert again == [each.code for each in decide(facts).outcomes if each.rule in checked and each.code in again]
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
