"""Formulas that are refused, each with its place; and what holds of every formula that is not."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.standard import AMOUNT_MOST_FEN, FACTS, OF_OCCUPATIONS, Given, Shape, form, parse_formula, recompute
from service.wording import wording
from tests.domain.test_standard_ways import ADDED, BLENDED, PROJECT, TAIAN, TIANJIN, XIAMEN, XIAN

KNOWN = {"group": ["graduate", "hard_to_place"], "lists": ["shortage", "manufacturing", "general"]}
FEN = {"kind": "constant", "unit": "fen", "value": 100}
PERCENT = {"kind": "constant", "unit": "percent", "value": 50}
ROUND = {"kind": "round", "of": "a", "to": "fen", "how": "down"}
EACH = {"kind": "per_unit", "by": "hours", "fen": 10_001, "default": 1}


def formula(result: object = "amount", **terms: Any) -> dict[str, Any]:
    return {"result": result, "terms": terms}


def table(**changed: Any) -> dict[str, Any]:
    whole = {"kind": "table", "by": "group", "unit": "fen", "values": {"graduate": 100}, "default": 100, **changed}
    return {name: value for name, value in whole.items() if value is not ...}


def bands(*pairs: tuple[Any, Any], **changed: Any) -> dict[str, Any]:
    inner = [{"from": first, "value": value} for first, value in pairs]
    return {"kind": "bands", "by": "hours", "unit": "fen", "bands": inner, "default": 0, **changed}


def of(kind: str, *names: Any) -> dict[str, Any]:
    return {"kind": kind, "of": list(names)}


def doubling(times: int) -> dict[str, Any]:
    """Each term is the one before by itself and another: without a bound its digits would double each time."""
    terms: dict[str, Any] = {"p0": PERCENT, "q0": PERCENT, "fen": FEN}
    for n in range(times):
        terms |= {f"p{n + 1}": of("product", f"p{n}", f"q{n}"), f"q{n + 1}": of("product", f"q{n}", f"p{n}")}
    last = of("product", "fen", f"p{times}", f"q{times}")
    return formula(all=last, amount={"kind": "round", "of": "all", "to": "fen", "how": "half_up"}, **terms)


REFUSED = [
    ("formula", "formula.not_object", []),
    ("formula", "formula.not_object", None),
    ("terms", "formula.missing", {"result": "amount"}),
    ("rounding", "formula.unknown_key", {**formula(amount=FEN), "rounding": "yuan"}),
    ("terms", "formula.not_object", {"result": "amount", "terms": [FEN]}),
    ("terms", "formula.too_many", formula()),
    ("terms", "formula.too_many", formula(**{f"t{n}": FEN for n in range(51)})),
    ("terms.Amount", "formula.name", formula("Amount", Amount=FEN)),
    ("result", "formula.unknown_term", formula("sum", amount=FEN)),
    ("result", "formula.unknown_term", formula(["amount"], amount=FEN)),
    ("terms.amount", "formula.not_object", formula(amount=100)),
    ("terms.amount.kind", "formula.unknown_kind", formula(amount={"value": 100})),
    ("terms.amount.kind", "formula.unknown_kind", formula(amount={**FEN, "kind": "power"})),
    ("terms.amount.kind", "formula.unknown_kind", formula(amount={**FEN, "kind": {}})),
    ("terms.amount.unit", "formula.not_an_option", formula(amount={**FEN, "unit": "yuan"})),
    ("terms.amount.round", "formula.unknown_key", formula(amount={**FEN, "round": 1})),
    # figures
    ("terms.amount.value", "formula.not_whole", formula(amount={**FEN, "value": True})),
    ("terms.amount.value", "formula.not_whole", formula(amount={**FEN, "value": 100.0})),
    ("terms.amount.value", "formula.not_whole", formula(amount={**FEN, "value": float("inf")})),
    ("terms.amount.value", "formula.not_whole", formula(amount={**FEN, "value": "100"})),
    ("terms.amount.value", "formula.negative", formula(amount={**FEN, "value": -1})),
    ("terms.amount.value", "formula.too_large", formula(amount={**FEN, "value": 10**4_000})),
    ("terms.f.value", "formula.negative", formula(f={**PERCENT, "value": -20}, amount=FEN)),
    # facts and words
    ("terms.amount.by", "formula.unknown_fact", formula(amount=table(by="age"))),
    ("terms.amount.by", "formula.unknown_fact", formula(amount=table(by="hours"))),
    ("terms.amount.by", "formula.unknown_fact", formula(amount=bands((0, 0), by="group"))),
    ("terms.group.values.六类", "formula.unknown_word", formula("group", group=table(values={"六类": 100}))),
    ("terms.amount.values.6", "formula.unknown_word", formula(amount=table(by="level", values={"6": 100}))),
    ("terms.amount.values.", "formula.word", formula(amount=table(by="mode", values={"": 100}))),
    ("terms.amount.values", "formula.too_many", formula(amount=table(values={}))),
    ("terms.amount.values", "formula.not_object", formula(amount=table(values=[1]))),
    ("terms.amount.values.graduate", "formula.negative", formula(amount=table(values={"graduate": -1}))),
    ("terms.amount.default", "formula.no_default", formula(amount=table(default=...))),
    ("terms.amount.default", "formula.not_whole", formula(amount=table(default=None))),
    ("terms.amount.bands", "formula.bands", formula(amount=bands())),
    ("terms.amount.bands.0.from", "formula.bands", formula(amount=bands((1, 5)))),
    ("terms.amount.bands.2.from", "formula.bands", formula(amount=bands((0, 1), (5, 2), (5, 3)))),
    ("terms.amount.bands.1.value", "formula.negative", formula(amount=bands((0, 1), (5, -2)))),
    ("terms.amount.bands.1.from", "formula.too_large", formula(amount=bands((0, 1), (10**9, 2)))),
    ("terms.amount.default", "formula.no_default", formula(amount={"kind": "per_unit", "by": "hours", "fen": 1})),
    # terms that stand on each other
    ("terms.amount.of.1", "formula.unknown_term", formula(a=FEN, amount=of("sum", "a", "b"))),
    ("terms.amount.of.0", "formula.unknown_term", formula(a=FEN, amount=of("sum", ["a"]))),
    ("terms.amount.of.1", "formula.twice", formula(a=FEN, amount=of("sum", "a", "a"))),
    ("terms.amount.of", "formula.too_many", formula(amount=of("sum"))),
    ("terms.amount.of", "formula.cycle", formula(amount=of("sum", "amount"))),
    ("terms.a.of", "formula.cycle", formula(a=of("sum", "b"), b=of("sum", "a"), amount=of("best", "a"))),
    ("terms.a.of", "formula.cycle", formula(amount=FEN, a=of("sum", "b"), b=of("sum", "a"))),
    ("terms.b", "formula.unused", formula(amount=FEN, b=FEN)),
    ("terms.amount.of", "formula.units", formula(a=FEN, b=PERCENT, amount=of("sum", "a", "b"))),
    ("terms.amount.of", "formula.units", formula(a=FEN, b=FEN, amount=of("product", "a", "b"))),
    ("terms.amount.of", "formula.units", formula(a=PERCENT, amount=ROUND)),
    ("terms.amount.to", "formula.not_an_option", formula(a=FEN, amount={**ROUND, "to": "jiao"})),
    # a result that is none
    ("result", "formula.no_whole_amount", formula(amount=PERCENT)),
    ("result", "formula.no_whole_amount", formula(a=FEN, b=PERCENT, amount=of("product", "a", "b"))),
    ("result", "formula.above_most", formula(amount={**FEN, "value": AMOUNT_MOST_FEN + 1})),
    ("result", "formula.above_most", formula(amount=EACH)),
    ("terms.amount", "formula.too_large", formula(amount={**EACH, "fen": 10**11})),
    ("terms.all", "formula.too_large", formula(all=of("product", "p", "q"), p={**PERCENT, "value": 100_000},
                                              q={**PERCENT, "value": 101}, a=FEN, amount=of("product", "a", "all"))),
]  # fmt: skip


@pytest.mark.parametrize(("place", "code", "raw"), REFUSED, ids=[f"{n}-{each[1]}" for n, each in enumerate(REFUSED)])
def test_what_is_not_right_is_refused_with_its_place(place: str, code: str, raw: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse_formula(raw, known=KNOWN)
    assert (refused.value.field, refused.value.code) == (place, code)
    assert code in wording()


def test_a_cycle_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        parse_formula(formula(a=of("sum", "b"), b=of("sum", "c"), c=of("sum", "a"), amount=of("best", "a")))
    assert refused.value.facts["cycle"] == "a → b → c → a"


def test_no_formula_grows_without_bounds() -> None:
    """Forty terms that double would have 2⁴⁰ digits; they are told from their names, before any is computed."""
    with pytest.raises(Invalid) as refused:
        parse_formula(doubling(20))
    assert refused.value.code == "formula.too_fine"


# ---- what holds of every formula

_WORDS = {"level": ["5", "4", "junior"], "lists": KNOWN["lists"], "scarcity": ["urgent", "short"], "cost": ["high"],
          "mode": ["blended"], "group": KNOWN["group"], "result": ["employed"]}  # fmt: skip


@st.composite
def givens(draw: st.DrawFn) -> Given:
    """Some facts, each perhaps known; the level always."""
    known: dict[str, Any] = {"level": draw(st.sampled_from(_WORDS["level"]))}
    for name in sorted(draw(st.sets(st.sampled_from(sorted(OF_OCCUPATIONS - {"level"}))))):
        match FACTS[name].shape:
            case Shape.NUMBER:
                known[name] = draw(st.integers(0, FACTS[name].most))
            case Shape.WORDS:
                known[name] = tuple(sorted(draw(st.sets(st.sampled_from(_WORDS[name])))))
            case Shape.WORD:
                known[name] = draw(st.sampled_from([*_WORDS[name], "another"]))
    return known


@st.composite
def formulas(draw: st.DrawFn) -> dict[str, Any]:
    """A formula of random leaves and terms on them, that need not be well formed."""
    terms: dict[str, Any] = {}
    for n in range(draw(st.integers(1, 6))):
        unit, figure = draw(st.sampled_from(["fen", "percent"])), st.integers(0, draw(st.sampled_from([200, 10**6])))
        by = draw(st.sampled_from(sorted(OF_OCCUPATIONS)))
        if FACTS[by].shape is Shape.NUMBER:
            firsts = sorted({0, *draw(st.sets(st.integers(1, FACTS[by].most), max_size=3))})
            leaf: dict[str, Any] = {"kind": "bands", "by": by, "unit": unit, "default": draw(figure)}
            leaf["bands"] = [{"from": first, "value": draw(figure)} for first in firsts]
            if draw(st.booleans()):
                leaf = {"kind": "per_unit", "by": by, "fen": draw(figure), "default": 1}
        else:
            leaf = {"kind": "table", "by": by, "unit": unit, "default": draw(figure)}
            leaf["values"] = draw(st.dictionaries(st.sampled_from(_WORDS[by]), figure, min_size=1))
        terms[f"leaf{n}"] = leaf
    for n in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["product", "sum", "best", "least"]))
        inner = draw(st.lists(st.sampled_from(sorted(terms)), min_size=1, max_size=3, unique=True))
        terms[f"term{n}"] = of(kind, *inner)
    last = draw(st.sampled_from(sorted(terms)))
    how = {"to": draw(st.sampled_from(["fen", "yuan"])), "how": draw(st.sampled_from(["half_up", "down"]))}
    return formula(amount={"kind": "round", "of": last, **how}, **_reached(terms, last))


def _reached(terms: dict[str, Any], name: str) -> dict[str, Any]:
    """The term and those under it; others would be refused as unused."""
    found = {name: terms[name]}
    for each in terms[name].get("of", []):
        found |= _reached(terms, each)
    return found


def naive(raw: dict[str, Any], name: str, given_: Given) -> Fraction:  # noqa: C901, PLR0911 (a case a kind)
    """The same, read straight from what was written."""
    term = raw["terms"][name]
    match term["kind"]:
        case "table":
            said = given_.get(term["by"], ())
            words = (said,) if isinstance(said, str) else said
            return Fraction(max([term["values"].get(word, term["default"]) for word in words] or [term["default"]]))
        case "bands":
            if term["by"] not in given_:
                return Fraction(term["default"])
            return Fraction([each["value"] for each in term["bands"] if each["from"] <= given_[term["by"]]][-1])
        case "per_unit":
            return Fraction(term["fen"] * given_.get(term["by"], term["default"]))
        case "round":
            step = {"fen": 1, "yuan": 100}[term["to"]]
            exact = naive(raw, term["of"], given_) / step
            whole = exact.numerator // exact.denominator
            return Fraction((whole + (term["how"] == "half_up" and exact - whole >= Fraction(1, 2))) * step)
    inner = [naive(raw, each, given_) for each in term["of"]]
    match term["kind"]:
        case "sum":
            return sum(inner, Fraction(0))
        case "best":
            return max(inner)
        case "least":
            return min(inner)
    units = Fraction(1)
    for each in inner:
        units *= each
    return units / 100 ** (len(inner) - 1)


@settings(max_examples=150, deadline=None)
@given(formulas(), givens())
def test_a_formula_gives_what_it_says_and_its_steps_give_it_again(raw: dict[str, Any], known: Given) -> None:
    try:
        parsed = parse_formula(raw, known=KNOWN)
    except Invalid as refused:
        if refused.code in {"formula.units", "formula.no_whole_amount", "formula.too_large", "formula.above_most"}:
            return
        raise
    formed = form(parsed, known)
    assert formed is not None
    assert formed.amount_fen == naive(raw, "amount", known)
    stored = json.loads(json.dumps(formed.steps))  # as the database keeps it
    assert recompute(stored) == formed.amount_fen
    assert form(parse_formula(json.loads(json.dumps(raw)), known=KNOWN), known) == formed
    heads = FACTS["heads"].most if "heads" in parsed.asks() else 1
    assert 0 <= formed.amount_fen <= AMOUNT_MOST_FEN * heads


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([XIAMEN, TIANJIN, TAIAN, BLENDED, XIAN, PROJECT, ADDED]), givens(), st.data())
def test_a_step_that_was_touched_is_found(raw: dict[str, Any], known: Given, data: st.DataObject) -> None:
    formed = form(parse_formula(raw), {**known, "level": "4"})
    assert formed is not None
    steps = [dict(each) for each in formed.steps]
    computed = [each for each in steps if each["kind"] not in {"table", "bands", "constant"}]
    touched = data.draw(st.sampled_from(computed))
    touched["value"] = 7 if touched["value"] != 7 else 8
    with pytest.raises(ValueError, match=r".+"):
        recompute(steps)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["result", "terms", "kind", "of", "by", "unit", "values", "a"]), inner)
        ),
    )
)
def test_whatever_is_written_is_refused_and_never_an_error(raw: Any) -> None:
    with pytest.raises(Invalid):
        parse_formula(raw)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("hours", True),
        ("hours", -1),
        ("hours", 10_001),
        ("hours", "40"),
        ("group", 1),
        ("lists", "shortage"),
        ("x", "y"),
    ],
)
def test_facts_are_of_their_shape(fact: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        form(parse_formula(TAIAN), {fact: value})
    assert (refused.value.code, refused.value.field) == ("formula.fact", fact)
