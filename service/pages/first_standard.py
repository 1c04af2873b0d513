"""A city's first set, before there is a formula whose figures could be changed: the usual one, to be filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from domain.catalog.lists import LIST_KINDS
from domain.errors import Invalid
from domain.level import LEVELS, WHOLE_PROJECT
from service.pages import figures
from service.pages.forms import Typed
from service.policies.queries import groups
from service.statistics.queries.share import LIST_NAMES

_WHOLE = 100
_NEUTRAL = f"{_WHOLE}"
#: Lists of projects and of courses to found a business, whose rows have no level.
_WITHOUT_LEVELS = frozenset({"project", "startup"})
_CAP = "最高不超过（空着：不封顶）"
_BASE = "按等级（空着：这一级没有标准）"


def _percents(by: str, keys: Iterable[str]) -> dict[str, Any]:
    return {
        "kind": "table",
        "by": by,
        "unit": "percent",
        "values": dict.fromkeys(keys, _WHOLE),
        "default": _WHOLE,
    }


def usual() -> dict[str, Any]:
    """By level, more for some lists and for some groups (notice 三.6), up to a most; no amount in it yet."""
    lists = [kind for kind in LIST_NAMES if kind in LIST_KINDS - _WITHOUT_LEVELS - {"other"}]
    levels = [code for code in LEVELS if code != WHOLE_PROJECT]
    return {
        "result": "amount",
        "terms": {
            "base": {"kind": "table", "by": "level", "unit": "fen", "values": dict.fromkeys(levels, 0)},
            "list": _percents("lists", lists),
            "group": _percents("group", groups()),
            "cap": {"kind": "constant", "unit": "fen", "value": 0},
        },
    }


def usual_of_projects() -> dict[str, Any]:
    """So much for each who is trained."""
    return {"result": "amount", "terms": {"base": {"kind": "per_unit", "by": "heads", "fen": 0, "default": 1}}}


def parts() -> list[figures.Part]:
    """The figures to be typed."""
    base, *others, cap = figures.parts_of(usual())
    return [replace(base, name=_BASE), *others, replace(cap, name=_CAP)]


def project_parts() -> list[figures.Part]:
    (base,) = figures.parts_of(usual_of_projects(), "p")
    return [replace(base, name="每人多少（空着：还没有项目制的标准）")]


def blank() -> dict[str, str]:
    """As the form shows it first: no amount, and nothing that changes one."""
    return {each.field: _NEUTRAL if each.unit == "%" else "" for part in parts() for each in part.figures}


def formula_of(typed: Typed) -> dict[str, Any]:
    """The formula that was filled in, without the levels that were left empty, without what changes nothing. Invalid
    at the field of a figure that is none; `value.missing` at the first amount where there is none."""
    empty = {each.field: "0" for part in parts() for each in part.figures if each.unit == "元"}
    told = {**typed, **{field: "0" for field in empty if not typed.get(field)}}
    terms = figures.with_figures(usual(), told)["terms"]
    amounts = figures.parts_of(usual())[0].figures
    left_out = {each.place[-1] for each in amounts if not typed.get(each.field)}
    terms["base"]["values"] = {level: fen for level, fen in terms["base"]["values"].items() if level not in left_out}
    if not terms["base"]["values"]:
        raise Invalid("value.missing", amounts[0].field)
    factors = [name for name in ("list", "group") if _changes(terms[name])]
    kept = {name: terms[name] for name in ("base", *factors)}
    last = "base"
    if factors:
        kept["whole"], last = {"kind": "product", "of": ["base", *factors]}, "whole"
    if terms["cap"]["value"]:
        kept["cap"], kept["capped"] = terms["cap"], {"kind": "least", "of": [last, "cap"]}
        last = "capped"
    return {"result": "amount", "terms": {**kept, "amount": _rounded(last)}}


def projects_of(typed: Typed) -> dict[str, Any] | None:
    """The same for projects; None where nothing was filled in. Invalid at the field of a figure that is none."""
    (amount,) = project_parts()[0].figures
    if not typed.get(amount.field):
        return None
    terms = figures.with_figures(usual_of_projects(), typed, "p")["terms"]
    return {"result": "amount", "terms": {**terms, "amount": _rounded("base")}}


def _changes(term: Mapping[str, Any]) -> bool:
    return {*term["values"].values(), term["default"]} != {_WHOLE}


def _rounded(of: str) -> dict[str, str]:
    return {"kind": "round", "of": of, "to": "yuan", "how": "half_up"}
