"""Every way in which cities write stepped standards (domain facts §4), with the cities' own numbers."""

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from domain.level import LEVELS, Scheme
from domain.standard import Given, form, parse_formula, recompute

SAMPLE = Path(__file__).parents[2] / "data/standards-sample.toml"

XIAMEN_BASE = {
    "kind": "table",
    "by": "level",
    "unit": "fen",
    "values": {"5": 70_000, "4": 100_000, "3": 150_000, "2": 200_000, "1": 300_000},
}
LISTS = {
    "kind": "table",
    "by": "lists",
    "unit": "percent",
    "values": {"shortage": 130, "manufacturing": 120},
    "default": 100,
}
GROUP = {"kind": "table", "by": "group", "unit": "percent", "values": {"hard_to_place": 120}, "default": 100}
MODE = {"kind": "table", "by": "mode", "unit": "percent", "values": {"blended": 70}, "default": 100}


def to_yuan(of: str) -> dict[str, Any]:
    return {"kind": "round", "of": of, "to": "yuan", "how": "half_up"}


def product(*of: str) -> dict[str, Any]:
    return {"kind": "product", "of": list(of)}


XIAMEN = {
    "result": "amount",
    "terms": {
        "base": XIAMEN_BASE,
        "list": LISTS,
        "group": GROUP,
        "whole": product("base", "list", "group"),
        "amount": to_yuan("whole"),
    },
}
TIANJIN = {
    "result": "amount",
    "terms": {
        "base": XIAMEN_BASE,
        "scarcity": {
            "kind": "table",
            "by": "scarcity",
            "unit": "percent",
            "values": {"urgent": 100, "short": 90, "ordinary": 80},
            "default": 80,
        },
        "whole": product("base", "scarcity"),
        "amount": to_yuan("whole"),
    },
}
TAIAN = {
    "result": "amount",
    "terms": {
        "by_hours": {"kind": "per_unit", "by": "hours", "fen": 1_000, "default": 40},
        "cap": {"kind": "constant", "unit": "fen", "value": 50_000},
        "amount": {"kind": "least", "of": ["by_hours", "cap"]},
    },
}
BLENDED = {
    "result": "amount",
    "terms": {
        "base": XIAMEN_BASE,
        "mode": MODE,
        "group": GROUP,
        "whole": product("base", "mode", "group"),
        "amount": to_yuan("whole"),
    },
}
EMPLOYED = {
    "kind": "bands",
    "by": "employment_percent",
    "unit": "percent",
    "bands": [
        {"from": 0, "value": 0},
        {"from": 50, "value": 60},
        {"from": 65, "value": 80},
        {"from": 80, "value": 100},
    ],
    "default": 100,
}
XIAN = {
    "result": "amount",
    "terms": {
        "full": {"kind": "constant", "unit": "fen", "value": 450_000},
        "result": EMPLOYED,
        "whole": product("full", "result"),
        "amount": to_yuan("whole"),
    },
}
PROJECT = {
    "result": "amount",
    "terms": {
        "heads": {"kind": "per_unit", "by": "heads", "fen": 240_000, "default": 1},
        "result": EMPLOYED,
        "whole": product("heads", "result"),
        "amount": to_yuan("whole"),
    },
}
#: Percentages that are added up instead of multiplied, and the better of two ways.
ADDED = {
    "result": "amount",
    "terms": {
        "base": XIAMEN_BASE,
        "one": {"kind": "constant", "unit": "percent", "value": 100},
        "list": {**LISTS, "values": {"shortage": 30}, "default": 0},
        "group": {**GROUP, "values": {"hard_to_place": 20}, "default": 0},
        "factor": {"kind": "sum", "of": ["one", "list", "group"]},
        "by_level": product("base", "factor"),
        "by_hours": {"kind": "per_unit", "by": "hours", "fen": 2_000, "default": 0},
        "better": {"kind": "best", "of": ["by_level", "by_hours"]},
        "amount": to_yuan("better"),
    },
}


@pytest.mark.parametrize(
    ("formula", "given", "yuan"),
    [
        # Xiamen: the single best list, then the group
        (XIAMEN, {"level": "5", "lists": ()}, 700),
        (XIAMEN, {"level": "5", "lists": ("general",)}, 700),
        (XIAMEN, {"level": "4", "lists": ("general", "manufacturing")}, 1_200),
        (XIAMEN, {"level": "4", "lists": ("manufacturing", "shortage")}, 1_300),
        (XIAMEN, {"level": "4", "lists": ("shortage",), "group": "hard_to_place"}, 1_560),
        (XIAMEN, {"level": "1", "lists": ("general",), "group": "graduate"}, 3_000),
        # Tianjin: 100, 90, 80 percent
        (TIANJIN, {"level": "3", "scarcity": "urgent"}, 1_500),
        (TIANJIN, {"level": "3", "scarcity": "short"}, 1_350),
        (TIANJIN, {"level": "3", "scarcity": "ordinary"}, 1_200),
        (TIANJIN, {"level": "3"}, 1_200),
        # Tai'an: 10 yuan an hour, at most 500
        (TAIAN, {"hours": 49}, 490),
        (TAIAN, {"hours": 50}, 500),
        (TAIAN, {"hours": 51}, 500),
        (TAIAN, {}, 400),
        # partly online 70 percent; a group 20 percent on top
        (BLENDED, {"level": "3", "mode": "blended"}, 1_050),
        (BLENDED, {"level": "3", "mode": "classroom"}, 1_500),
        (BLENDED, {"level": "3", "mode": "blended", "group": "hard_to_place"}, 1_260),
        # Xi'an: 0, 60, 80, 100 percent of 4,500
        (XIAN, {"employment_percent": 49}, 0),
        (XIAN, {"employment_percent": 50}, 2_700),
        (XIAN, {"employment_percent": 64}, 2_700),
        (XIAN, {"employment_percent": 65}, 3_600),
        (XIAN, {"employment_percent": 79}, 3_600),
        (XIAN, {"employment_percent": 80}, 4_500),
        (XIAN, {"employment_percent": 100}, 4_500),
        # a project: heads × price × result
        (PROJECT, {"heads": 30, "employment_percent": 66}, 57_600),
        (PROJECT, {}, 2_400),
        # added up, and the better of two
        (ADDED, {"level": "4", "lists": ("shortage",), "group": "hard_to_place"}, 1_500),
        (ADDED, {"level": "5", "lists": (), "hours": 60}, 1_200),
    ],
)
def test_a_city_gives(formula: dict[str, Any], given: Given, yuan: int) -> None:
    formed = form(parse_formula(formula), given)
    assert formed is not None
    assert formed.amount_fen == yuan * 100
    assert recompute(formed.steps) == formed.amount_fen


def test_a_level_that_is_not_named_has_no_standard() -> None:
    assert form(parse_formula(XIAMEN), {"level": "junior", "lists": ()}) is None


def test_engineers_have_three_grades_and_samples_are_as_they_were() -> None:
    """What stood in `data/standards-sample.toml` before it was a formula: base by level, then the best list."""
    base = {
        "5": 700,
        "4": 1000,
        "3": 1500,
        "2": 2000,
        "1": 3000,
        "junior": 1500,
        "intermediate": 2000,
        "senior": 3000,
    }
    on_top = {"shortage": 20, "manufacturing": 10}
    formula = parse_formula(tomllib.loads(SAMPLE.read_text("utf-8"))["formula"])
    formed = 0
    for level in LEVELS:
        for lists in ((), ("general",), ("manufacturing", "general"), ("shortage", "manufacturing"), ("special",)):
            amount = form(formula, {"level": level, "lists": lists})
            if level not in base:
                assert amount is None
                continue
            best = max([on_top.get(each, 0) for each in lists], default=0)
            assert amount is not None
            assert amount.amount_fen == Fraction(base[level] * (100 + best), 100) * 100
            formed += 1
    assert formed == len(base) * 5
    assert {level for level in base if LEVELS[level].scheme is Scheme.ENGINEER} == {
        "junior",
        "intermediate",
        "senior",
    }


def test_a_person_can_follow_every_step() -> None:
    formed = form(parse_formula(XIAMEN), {"level": "4", "lists": ("general", "shortage"), "group": "graduate"})
    assert formed is not None
    assert formed.steps == [
        {"term": "base", "kind": "table", "unit": "fen", "by": "level", "fact": "4", "value": 100_000},
        {"term": "list", "kind": "table", "unit": "percent", "by": "lists", "fact": "shortage", "value": 130},
        {"term": "group", "kind": "table", "unit": "percent", "by": "group", "fact": None, "value": 100},
        {"term": "whole", "kind": "product", "unit": "fen", "of": ["base", "list", "group"], "value": 130_000},
        {"term": "amount", "kind": "round", "unit": "fen", "of": ["whole"], "to": "yuan", "how": "half_up",
         "value": 130_000},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "to", "how", "fen"),
    [
        (12_349, "yuan", "half_up", 12_300),
        (12_350, "yuan", "half_up", 12_400),
        (12_399, "yuan", "down", 12_300),
        (12_399, "fen", "half_up", 12_399),
    ],
)
def test_rounding_is_the_formula_s_own(value: int, to: str, how: str, fen: int) -> None:
    terms = {
        "all": {"kind": "constant", "unit": "fen", "value": value},
        "amount": {"kind": "round", "of": "all", "to": to, "how": how},
    }
    formed = form(parse_formula({"result": "amount", "terms": terms}), {})
    assert formed is not None
    assert formed.amount_fen == fen


def test_half_a_fen_goes_up_exactly() -> None:
    """33 percent of 50 fen is 16.5: no float is near it by chance."""
    terms = {
        "all": {"kind": "constant", "unit": "fen", "value": 50},
        "part": {"kind": "constant", "unit": "percent", "value": 33},
        "exact": product("all", "part"),
        "amount": {"kind": "round", "of": "exact", "to": "fen", "how": "half_up"},
    }
    formed = form(parse_formula({"result": "amount", "terms": terms}), {})
    assert formed is not None
    assert [each["value"] for each in formed.steps] == [50, 33, "33/2", 17]
    assert recompute(formed.steps) == 17
