"""A formula from what a bureau wrote (TOML or JSON): whatever is not right is refused with its place."""

import re
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any

from domain.errors import Invalid
from domain.level import LEVELS
from domain.money import Fen
from domain.standard.formula import (
    FACTS,
    OF_OCCUPATIONS,
    STEPS,
    WAYS,
    Bands,
    Combined,
    Constant,
    Formula,
    PerUnit,
    Round,
    Shape,
    Table,
    Term,
    Unit,
)

#: What one person may get for one occupation and level, whatever a formula says: a slip of the pen is more. What is
#: priced by heads may be that for each of them.
AMOUNT_MOST_FEN: Fen = 100_000_000
#: No step on the way is larger (fen), no factor (percent), no term divides by a hundred more often.
FEN_MOST, PERCENT_MOST, PLACES_MOST = 10**14, 100_000, 12
TERMS_MOST, VALUES_MOST = 50, 1_000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WORD_LENGTH_MOST = 40

#: The words that a fact may be, where they are known; a table may name no other.
Known = Mapping[str, Collection[str]]


def parse_formula(
    raw: object,
    *,
    known: Known | None = None,
    asks: Collection[str] = OF_OCCUPATIONS,
    most_fen: Fen = AMOUNT_MOST_FEN,
) -> Formula:
    """The formula that `raw` (`result`, and `terms` by name) says; it may ask the facts in `asks` only.

    Invalid `formula.…` with its place, such as `terms.group.values.六类`: an unknown kind, term, fact or word, a
    cycle, a negative or fractional figure, a missing default, terms that do not go together, a term that the
    result does not stand on, a result that is no whole amount or could be more than `most_fen`.
    """
    outer = _object(raw, "formula", {"result", "terms"})
    written = _object(outer["terms"], "terms")
    if not 0 < len(written) <= TERMS_MOST:
        raise Invalid("formula.too_many", "terms", most=TERMS_MOST)
    words = {"level": LEVELS.keys(), **(known or {})}
    for name in written:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Invalid("formula.name", f"terms.{name}"[:80])
    terms = {name: _term(each, f"terms.{name}", words, written) for name, each in written.items()}
    for name, term in terms.items():
        if term.by and term.by not in asks:
            raise Invalid("formula.unknown_fact", f"terms.{name}.by", known=sorted(asks))
    result = _one_of(outer["result"], "result", terms, "unknown_term")
    return _bounded(_ordered(terms, result), most_fen)


# ---- one term


def _term(raw: object, place: str, known: Known, terms: Collection[str]) -> Term:
    if not isinstance(raw, dict):
        raise Invalid("formula.not_object", place)
    kind = _one_of(raw.get("kind"), f"{place}.kind", _KINDS, "unknown_kind")
    return _KINDS[kind](raw, place, known, terms)


def _constant(raw: dict[str, Any], place: str, known: Known, terms: Collection[str]) -> Term:
    _object(raw, place, {"kind", "unit", "value"})
    unit = _unit(raw, place)
    return Constant(unit, _whole(raw["value"], f"{place}.value", unit))


def _table(raw: dict[str, Any], place: str, known: Known, terms: Collection[str]) -> Term:
    _object(raw, place, {"kind", "by", "unit", "values"}, {"default"})
    by, unit = _fact(raw, place, Shape.WORD, Shape.WORDS), _unit(raw, place)
    values = _object(raw["values"], f"{place}.values")
    if not 0 < len(values) <= VALUES_MOST:
        raise Invalid("formula.too_many", f"{place}.values", most=VALUES_MOST)
    for word in values:
        at = f"{place}.values.{word}"[:120]
        if not isinstance(word, str) or not 0 < len(word) <= _WORD_LENGTH_MOST:
            raise Invalid("formula.word", at)
        if by in known and word not in known[by]:
            raise Invalid("formula.unknown_word", at, fact=by, known=sorted(known[by]))
    figures = {word: _whole(value, f"{place}.values.{word}", unit) for word, value in values.items()}
    if "default" not in raw:
        # whoever claims may belong to no group; only a level or a project that is not named has no standard
        if by not in ("level", "project"):
            raise Invalid("formula.no_default", f"{place}.default")
        return Table(unit, by, figures, None)
    return Table(unit, by, figures, _whole(raw["default"], f"{place}.default", unit))


def _bands(raw: dict[str, Any], place: str, known: Known, terms: Collection[str]) -> Term:
    _object(raw, place, {"kind", "by", "unit", "bands"}, {"default"})
    by, unit = _fact(raw, place, Shape.NUMBER), _unit(raw, place)
    if not isinstance(raw["bands"], list) or not 0 < len(raw["bands"]) <= VALUES_MOST:
        raise Invalid("formula.bands", f"{place}.bands", most=VALUES_MOST)
    bands: list[tuple[int, int]] = []
    for number, each in enumerate(raw["bands"]):
        at = f"{place}.bands.{number}"
        band = _object(each, at, {"from", "value"})
        first = _count(band["from"], f"{at}.from", FACTS[by].most)
        if first <= bands[-1][0] if bands else first != 0:
            raise Invalid("formula.bands", f"{at}.from", most=VALUES_MOST)
        bands.append((first, _whole(band["value"], f"{at}.value", unit)))
    if "default" not in raw:
        raise Invalid("formula.no_default", f"{place}.default")
    return Bands(unit, by, tuple(bands), _whole(raw["default"], f"{place}.default", unit))


def _per_unit(raw: dict[str, Any], place: str, known: Known, terms: Collection[str]) -> Term:
    _object(raw, place, {"kind", "by", "fen"}, {"default"})
    by = _fact(raw, place, Shape.NUMBER)
    fen = _whole(raw["fen"], f"{place}.fen", Unit.FEN)
    if "default" not in raw:
        raise Invalid("formula.no_default", f"{place}.default")
    return PerUnit(by, fen, _count(raw["default"], f"{place}.default", FACTS[by].most))


def _combined(raw: dict[str, Any], place: str, known: Known, terms: Collection[str]) -> Term:
    _object(raw, place, {"kind", "of"})
    # the unit follows from the terms it is of, which may not be read yet
    return Combined(raw["kind"], Unit.PERCENT, _several(raw["of"], f"{place}.of", terms))


def _round(raw: dict[str, Any], place: str, known: Known, terms: Collection[str]) -> Term:
    _object(raw, place, {"kind", "of", "to", "how"})
    to, how = _one_of(raw["to"], f"{place}.to", STEPS), _one_of(raw["how"], f"{place}.how", WAYS)
    return Round((_one_of(raw["of"], f"{place}.of", terms, "unknown_term"),), to, how)


_Reader = Callable[[dict[str, Any], str, Known, Collection[str]], Term]
_KINDS: Mapping[str, _Reader] = {
    "constant": _constant,
    "table": _table,
    "bands": _bands,
    "per_unit": _per_unit,
    **dict.fromkeys(("product", "sum", "best", "least"), _combined),
    "round": _round,
}


# ---- how terms stand on each other


def _ordered(terms: Mapping[str, Term], result: str) -> Formula:
    """Every term after those it is of. Invalid `formula.cycle` (which), `formula.unused`."""
    done: dict[str, Term] = {}
    way: list[str] = []  # from the result down to where we are

    def visit(name: str) -> None:
        if name in done:
            return
        if name in way:
            circle = [*way[way.index(name) :], name]
            raise Invalid("formula.cycle", f"terms.{circle[0]}.of", cycle=" → ".join(circle))
        way.append(name)
        for each in terms[name].of:
            visit(each)
        way.pop()
        done[name] = terms[name]

    visit(result)
    if unused := sorted(terms.keys() - done.keys()):
        for name in unused:  # a circle beside the result is told as a circle
            visit(name)
        raise Invalid("formula.unused", f"terms.{unused[0]}")
    return Formula(done)


def _bounded(formula: Formula, most_fen: Fen) -> Formula:
    """The formula with every unit known, once nothing in it can run over."""
    terms: dict[str, Term] = {}
    most: dict[str, Fraction] = {}
    places: dict[str, int] = {}
    for name, term in formula.terms.items():
        place = f"terms.{name}"
        terms[name] = _with_unit(term, [terms[each].unit for each in term.of], f"{place}.of")
        places[name] = terms[name].places([places[each] for each in term.of])
        if places[name] > PLACES_MOST:
            raise Invalid("formula.too_fine", place, most=PLACES_MOST)
        most[name] = terms[name].most([most[each] for each in term.of])
        limit = FEN_MOST if terms[name].unit is Unit.FEN else PERCENT_MOST
        if most[name] > limit:
            raise Invalid("formula.too_large", place, most=limit)
    result = formula.result
    if terms[result].unit is not Unit.FEN or places[result]:
        raise Invalid("formula.no_whole_amount", "result")
    if most[result] > most_fen * (FACTS["heads"].most if "heads" in formula.asks() else 1):
        raise Invalid("formula.above_most", "result", most_fen=most_fen)
    return Formula(terms)


def _with_unit(term: Term, inner: list[Unit], place: str) -> Term:
    amounts = inner.count(Unit.FEN)
    if isinstance(term, Round):
        fits = amounts == 1
    elif not isinstance(term, Combined):
        return term
    elif term.kind == "product":
        fits = amounts <= 1
    else:
        fits = amounts in (0, len(inner))
    if not fits:
        raise Invalid("formula.units", place)
    if isinstance(term, Combined):
        return Combined(term.kind, Unit.FEN if amounts else Unit.PERCENT, term.of)
    return term


# ---- figures and names


def _object(
    raw: object, place: str, needed: Collection[str] | None = None, others: Collection[str] = ()
) -> dict[str, Any]:
    """A JSON object; with just the keys that are `needed`, and those of `others` that it wants."""
    if not isinstance(raw, dict):
        raise Invalid("formula.not_object", place)
    if needed is not None:
        at = "" if place == "formula" else f"{place}."
        if missing := sorted(set(needed) - raw.keys()):
            raise Invalid("formula.missing", f"{at}{missing[0]}")
        if strange := sorted(map(str, raw.keys() - {*needed, *others})):
            raise Invalid("formula.unknown_key", f"{at}{strange[0]}"[:120], known=sorted({*needed, *others}))
    return raw


def _one_of(raw: object, place: str, options: Collection[str], code: str = "not_an_option") -> str:
    if not isinstance(raw, str) or raw not in options:
        raise Invalid(f"formula.{code}", place, known=sorted(options))
    return raw


def _several(raw: object, place: str, terms: Collection[str]) -> tuple[str, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= TERMS_MOST:
        raise Invalid("formula.too_many", place, most=TERMS_MOST)
    names = [_one_of(each, f"{place}.{number}", terms, "unknown_term") for number, each in enumerate(raw)]
    if twice := next((number for number, name in enumerate(names) if name in names[:number]), None):
        raise Invalid("formula.twice", f"{place}.{twice}")
    return tuple(names)


def _fact(raw: Mapping[str, Any], place: str, *shapes: Shape) -> str:
    fitting = [name for name, fact in FACTS.items() if fact.shape in shapes]
    return _one_of(raw["by"], f"{place}.by", fitting, "unknown_fact")


def _unit(raw: Mapping[str, Any], place: str) -> Unit:
    return Unit(_one_of(raw["unit"], f"{place}.unit", tuple(Unit)))


def _whole(raw: object, place: str, unit: Unit) -> int:
    """Whole fen or percent, not below 0 (true is no number)."""
    return _count(raw, place, FEN_MOST if unit is Unit.FEN else PERCENT_MOST)


def _count(raw: object, place: str, most: int) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise Invalid("formula.not_whole", place)
    if raw < 0:
        raise Invalid("formula.negative", place)
    if raw > most:
        raise Invalid("formula.too_large", place, most=most)
    return raw
