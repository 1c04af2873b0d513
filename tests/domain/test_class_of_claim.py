"""The rules about the class that a claim names, one thing changed at a time."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.claim import Channel
from domain.eligibility import ClassFacts, Facts, decide, taught_in
from domain.errors import Invalid
from domain.training import class_number, read_class_number
from service.claims.queries.decisions import decided_again, stored_decision, stored_facts
from tests.facts import INSTITUTION, MANDATE, PARAMETERS, STARTED, WELDER, eligible

NUMBER = "KB370102-2026-0001"
HELD = ClassFacts("class", "finished", WELDER, "4", date(2026, 2, 20), STARTED, on_roster=True)


def _naming(**changed: Any) -> Facts:
    return eligible(class_number=NUMBER, of_class=replace(HELD, **changed))


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, []),
        *(({"status": status}, []) for status in ("approved", "running", "closed")),
        *(({"status": status}, ["claim_class.not_held"]) for status in ("filed", "sent_back", "denied", "withdrawn")),
        ({"filed_on": STARTED}, ["claim_class.filed_late"]),
        ({"on_roster": False}, ["claim_class.not_on_roster"]),
        ({"level": "5"}, ["claim_class.teaches_other"]),
        ({"occupation": "4-04-05-01"}, ["claim_class.teaches_other"]),
        ({"typed_start": date(2026, 3, 3)}, ["claim_class.other_day"]),
        ({"attended_percent": 80}, []),
        ({"attended_percent": 79}, ["attendance.too_little"]),
        (
            {"status": "denied", "on_roster": False, "level": "5", "typed_start": date(2026, 3, 3)},
            [
                "claim_class.not_held",
                "claim_class.not_on_roster",
                "claim_class.teaches_other",
                "claim_class.other_day",
            ],
        ),
    ],
)
def test_what_does_not_fit_is_told(changed: dict[str, Any], failed: list[str]) -> None:
    facts = _naming(**changed)
    decision = decide(facts)
    assert decision.failed == failed
    assert taught_in(facts) == (None if [each for each in failed if each.startswith("claim_class")] else "class")
    assert decided_again(stored_decision(facts, decision)) == decision


def test_an_unknown_class_is_one_reason_and_no_class() -> None:
    facts = eligible(class_number=NUMBER)
    assert decide(facts).failed == ["claim_class.unknown"]
    assert taught_in(facts) is None


def test_policy_asks_institutions_alone() -> None:
    asking = replace(PARAMETERS, institution_claim_needs_class=True)
    through = {"channel": Channel.INSTITUTION, "mandate": MANDATE, "institution": INSTITUTION}
    assert decide(eligible(parameters=asking)).failed == []
    assert decide(eligible(parameters=asking, **through)).failed == ["claim_class.missing"]
    assert decide(eligible(parameters=asking, **through, class_number=NUMBER, of_class=HELD)).eligible
    assert decide(eligible(**through)).eligible


def test_attendance_is_not_asked_where_policy_does_not() -> None:
    facts = replace(_naming(attended_percent=1), parameters=replace(PARAMETERS, attendance_share_least=0))
    assert decide(facts).eligible


def test_facts_of_before_know_no_class() -> None:
    stored = stored_decision(eligible(), decide(eligible(), 3))
    for later in ("class_number", "of_class"):
        del stored["facts"][later]
    assert stored_facts(stored).of_class is None
    assert decided_again(stored).rules_version == 3


def test_numbers_are_read_as_they_are_given() -> None:
    for district, year, serial in (("370102", 2026, 1), ("370100-GX", 2026, 12345)):
        number = class_number(district, year, serial)
        assert read_class_number(f" {number.lower()} ") == number
    for typed in ("", "KB1", "370102199001011234", NUMBER + " 370102199001011234", "KB370102-2026-1"):
        with pytest.raises(Invalid, match=r"class_number\.form"):
            read_class_number(typed)
