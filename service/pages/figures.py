"""A formula as a bureau reads it: how it goes in words, and its figures, each of which may be typed anew."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from domain.errors import Invalid
from domain.level import LEVELS
from domain.money import fen_display, parse_yuan
from domain.standard import AMOUNT_MOST_FEN
from service.pages.forms import Typed
from service.policies.queries import groups
from service.statistics.queries.share import LIST_NAMES
from service.wording import words

Raw = Mapping[str, Any]
_PERCENT_DIGITS = 6


@dataclass(frozen=True)
class FormulaFigure:
    """One figure of a formula: where it stands in it, what it is called, and how it is written."""

    field: str
    place: tuple[str | int, ...]
    label: str
    unit: str
    written: str


@dataclass(frozen=True)
class Part:
    """A term with figures, and what it asks for."""

    name: str
    figures: list[FormulaFigure]


def parts_of(formula: Raw, prefix: str = "f") -> list[Part]:
    """The terms that hold figures, in the order in which they were written."""
    found = list[Part]()
    for name, term in formula["terms"].items():
        first = sum(len(each.figures) for each in found)
        rows = [
            FormulaFigure(f"{prefix}{first + number}", ("terms", name, *place), label, unit, _written(value, unit))
            for number, (place, label, unit, value) in enumerate(_leaves(term))
        ]
        if rows:
            found.append(Part(_asked(term), rows))
    return found


def _leaves(term: Raw) -> Iterator[tuple[tuple[str | int, ...], str, str, int]]:
    """(place in the term, label, unit, value) of each figure."""
    unit = "元" if term.get("unit") == "fen" else "%"
    match term["kind"]:
        case "constant":
            yield ("value",), "数额", unit, term["value"]
        case "table":
            order = list(LEVELS)  # a stored formula forgets the order in which it was written
            for word, value in sorted(term["values"].items(), key=lambda each: _place(order, each[0])):
                yield ("values", word), _called(term["by"], word), unit, value
            if "default" in term:
                yield ("default",), "其他", unit, term["default"]
        case "bands":
            for number, band in enumerate(term["bands"]):
                yield ("bands", number, "value"), f"{band['from']} 起", unit, band["value"]
            yield ("default",), "不知道时", unit, term["default"]
        case "per_unit":
            yield ("fen",), "每一个", "元", term["fen"]


def _place(order: list[str], word: str) -> tuple[int, str]:
    """Levels from the lowest, anything else by its name."""
    return order.index(word) if word in order else len(order), word


def _called(fact: str, word: str) -> str:
    """A word of a fact as people say it."""
    if fact == "level" and word in LEVELS:
        return LEVELS[word].short
    if fact == "group" and word in groups():
        return groups()[word].name
    return LIST_NAMES.get(word, word) if fact == "lists" else word


def _asked(term: Raw) -> str:
    return words(f"by_fact.{term['by']}") if term.get("by") else "固定的数额"


def _written(value: int, unit: str) -> str:
    return fen_display(value).replace(",", "").removesuffix(".00") if unit == "元" else str(value)


def typed_of(formula: Raw | None, prefix: str = "f") -> dict[str, str]:
    """Its figures as a form shows them first."""
    return (
        {each.field: each.written for part in parts_of(formula, prefix) for each in part.figures} if formula else {}
    )


def with_figures(formula: Raw, typed: Typed, prefix: str = "f") -> dict[str, Any]:
    """The same formula with the figures that were typed. Invalid at the field of one that is none."""
    changed: dict[str, Any] = deepcopy(dict(formula))
    for part in parts_of(formula, prefix):
        for figure in part.figures:
            inner: Any = changed
            for step in figure.place[:-1]:
                inner = inner[step]
            inner[figure.place[-1]] = _read(typed.get(figure.field, ""), figure)
    return changed


def _read(text: str, figure: FormulaFigure) -> int:
    plain = text.replace(",", "").replace(" ", "")
    if figure.unit == "元":
        return 0 if plain in {"0", "0.00"} else parse_yuan(plain, cap_fen=AMOUNT_MOST_FEN, field=figure.field)
    percent = plain.removesuffix("%")
    if not (percent.isascii() and percent.isdigit() and len(percent) <= _PERCENT_DIGITS):
        raise Invalid("figure.percent", figure.field)
    return int(percent)


def sentence(formula: Raw) -> str:
    """How the amount is formed: 按等级的数额 × 按目录的比例，取整到元."""
    return _said(formula["terms"], formula["result"])


def _said(terms: Mapping[str, Raw], name: str) -> str:
    term = terms[name]
    match term["kind"]:
        case "round":
            way = words(f"rounding.{term['to']}_{term['how']}")
            return f"{_said(terms, term['of'])}，{way}"
        case "product":
            return " × ".join(_said(terms, each) for each in term["of"])
        case "sum":
            return f"（{' ＋ '.join(_said(terms, each) for each in term['of'])}）"
        case "best":
            return f"较高的（{'，'.join(_said(terms, each) for each in term['of'])}）"
        case "least":
            return f"较低的（{'，'.join(_said(terms, each) for each in term['of'])}）"
        case "constant":
            return f"{_written(term['value'], '元')} 元" if term["unit"] == "fen" else f"{term['value']}%"
    kind = "数额" if term.get("unit", "fen") == "fen" else "比例"
    return f"{_asked(term)}的{kind}"
