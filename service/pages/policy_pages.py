"""Policy parameters in force, each with its day and source; a change that one proposes and another confirms."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Post
from domain.errors import Invalid, NotFound
from domain.level import LEVELS
from domain.money import format_yuan, parse_yuan
from domain.policy import FORMS, OneOf, SomeOf
from service.database import Tx
from service.funds.queries import fund_names
from service.pages.catalog_desk import Visit, chosen, pick
from service.pages.forms import Fault, Typed
from service.policies import commands, queries
from service.policies.schemas import NewPolicy, PolicyView, ProposalView
from service.web import as_wanted
from service.wording import wording, words

_Page = Response[Any]
_NONE: Typed = {}
AT = "/catalog-desk/policies"
_FEN_MOST = 10**12
#: What a number counts, by what stands in its name; the first that does.
_UNITS = {
    "working_days": "个工作日",
    "permille": "‰",
    "percent": "%",
    "points": "分",
    "years": "岁",
    "months": "个月",
    "minutes": "分钟",
    "reference_hours": "学时",
    "day_hours": "学时",
    "hours": "小时",
    "_hour": "点",
    "days": "天",
}
#: Texts that may be typed anew: days, and hours of the day. Any other text names something.
_TYPED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}")
#: A stored value forgets the order of its names: people read who, how long, how often, from, to.
_READ_IN = (
    "bank",
    "format",
    "way",
    "opens",
    "cut_off",
    "every_day",
    "scope",
    "window",
    "count",
    "from",
    "to",
    *LEVELS,
)
_ORDER = {name: place for place, name in enumerate(_READ_IN)}
Names = Mapping[str, str]


@dataclass(frozen=True)
class Leaf:
    """One value inside of a parameter: where it stands, what it is called, how it is shown and typed."""

    field: str
    place: tuple[str | int, ...]
    label: str
    value: Any
    said: str
    kind: str
    unit: str


async def called(tx: Tx) -> dict[str, str]:
    """What groups, funds and levels are called."""
    found = {code: each.name for code, each in queries.groups().items()}
    return found | {code: level.short for code, level in LEVELS.items()} | await fund_names(tx)


def name_of(key: str) -> str:
    """A parameter as people call it."""
    signal = key.removeprefix("signal_")
    code = f"signal_name.{signal}"
    return f"风险信号：{words(code)}" if code in wording() else words(f"policy_name.{key}")


def leaves(key: str, value: Any, names: Names) -> list[Leaf]:
    """The values inside of a parameter, in their order."""
    found = list[Leaf]()
    for place, each in _walked(value):
        last = next((str(part) for part in reversed(place) if isinstance(part, str)), key)
        inside = next((part for part in place if isinstance(part, str) and part.endswith("fen_a_day")), last)
        own = "" if key.startswith("signal_") and place else key
        kind, unit = _kind(each), (_unit(inside) or _unit(own)) if isinstance(each, int) else ""
        label = "：".join(_part(part, names) for part in place) or name_of(key)
        found.append(Leaf(f"v{len(found)}", place, label, each, _said(each, kind, unit, inside, names), kind, unit))
    return found


def _walked(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for name, inner in sorted(value.items(), key=lambda each: _ORDER.get(each[0], len(_ORDER))):
            yield from _walked(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walked(inner, (*place, number))
    else:
        yield place, value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "choice"
    if isinstance(value, int):
        return "number"
    return "text" if _TYPED.fullmatch(str(value)) else "fixed"


def _unit(name: str) -> str:
    if "fen" in name.split("_"):
        return "元"
    return next((unit for part, unit in _UNITS.items() if part in name), "")


def _part(part: str | int, names: Names) -> str:
    if isinstance(part, int):
        return f"第 {part + 1} 条"
    return names.get(part) or _option(part)


def _option(word: str) -> str:
    """A word of a parameter in Chinese; names of banks and the like are said as they are."""
    codes = (code for code in (f"policy_word.{word}", f"register.{word}") if code in wording())
    return words(next(codes, word))


def _said(value: Any, kind: str, unit: str, name: str, names: Names) -> str:
    if kind == "choice":
        return "是" if value else "否"
    if kind == "number" and unit == "元":
        return format_yuan(value)
    if kind == "number":
        return f"{value:,}{'' if unit in {'%', '‰'} else ' '}{unit}".strip()
    return names.get(value) or _option(str(value))


def told(key: str, value: Any, names: Names) -> list[tuple[str, str]]:
    """(label, value) of everything a parameter says; a plain one has no label."""
    if isinstance(value, list) and not any(isinstance(each, (dict, list)) for each in value):
        return [("", "、".join(_option(str(each)) for each in value))]
    found = leaves(key, value, names)
    plain = len(found) == 1 and not found[0].place
    return [("" if plain else each.label, each.said) for each in found] or [("", "没有")]


async def listed(visit: Visit, faults: Sequence[Fault] = ()) -> _Page:
    """Every parameter in force today, and what is proposed."""
    names = await called(visit.tx)
    found = (await queries.policies_on(visit.tx, visit.today)).policies
    proposed = (await queries.proposals(visit.tx, visit.me)).proposals
    given = {
        "policies": [(each, name_of(each.key), told(each.key, each.value, names)) for each in found],
        "proposals": [
            (each, name_of(each.key), told(each.key, each.value, names), _may_confirm(visit, each))
            for each in proposed
        ],
        "may_propose": visit.me.holds(Post.CATALOG_EDITOR),
    }
    return visit.shown("policies", _NONE, faults, **given)


def _may_confirm(visit: Visit, each: ProposalView) -> bool:
    fits = not each.confirmed and not each.mine and each.first >= visit.today
    return fits and visit.me.holds(Post.CATALOG_PUBLISHER)


async def proposal_page(visit: Visit, key: str, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form to propose what a parameter shall be. NotFound `policy.not_found`."""
    policy, names = await _policy(visit, key), await called(visit.tx)
    form = FORMS[key]
    inside = leaves(key, policy.value, names)
    options = form.options if isinstance(form, (OneOf, SomeOf)) else ()
    now = {each.field: _typed(each) for each in inside}
    now |= {"value": policy.value if isinstance(form, OneOf) else "", "basis": policy.basis}
    given = {
        "policy": policy,
        "name": name_of(key),
        "said": told(key, policy.value, names),
        "leaves": [each for each in inside if each.kind != "fixed" and not options],
        "options": [(each, _option(each)) for each in options],
        "many": isinstance(form, SomeOf),
    }
    chosen_now = [each for each in options if typed.get(f"option_{each}")] if typed else policy.value
    return visit.shown("policy", {**now, **typed}, faults, **given, chosen_now=chosen_now)


async def _policy(visit: Visit, key: str) -> PolicyView:
    found = (await queries.policies_on(visit.tx, visit.today)).policies
    policy = next((each for each in found if each.key == key and key in FORMS), None)
    if policy is None:
        raise NotFound("policy.not_found")
    return policy


def _typed(leaf: Leaf) -> str:
    if leaf.kind == "choice":
        return "yes" if leaf.value else "no"
    return leaf.said.removesuffix(" 元").replace(",", "") if leaf.unit == "元" else str(leaf.value)


async def propose(visit: Visit, key: str) -> _Page:
    """Propose it; nothing changes before another person confirms it."""
    typed, policy = await visit.typed(), await _policy(visit, key)
    names = await called(visit.tx)

    async def effect() -> None:
        value = _value(key, policy.value, typed, names)
        new = as_wanted({**pick(typed, "from", "source", "basis"), "key": key, "value": value}, NewPolicy)
        once, put = visit.once(typed), commands.propose
        await once(visit.tx, ProposalView, lambda: put(visit.tx, visit.me, new, visit.today, visit.now))

    return await visit.does(
        effect, lambda: AT, "policy_proposed", lambda faults: proposal_page(visit, key, typed, faults)
    )


def _value(key: str, now: Any, typed: Typed, names: Names) -> Any:
    """The parameter with the values that were typed. Invalid at the field of one that cannot be."""
    form = FORMS[key]
    if isinstance(form, OneOf):
        return chosen(typed, "value", form.options)
    if isinstance(form, SomeOf):
        return [each for each in form.options if typed.get(f"option_{each}")]
    changed: Any = deepcopy(now)
    for leaf in leaves(key, now, names):
        if leaf.kind == "fixed":
            continue
        value = _read(leaf, typed)
        if not leaf.place:
            return value
        inner = changed
        for step in leaf.place[:-1]:
            inner = inner[step]
        inner[leaf.place[-1]] = value
    return changed


def _read(leaf: Leaf, typed: Typed) -> Any:
    text = typed.get(leaf.field, "").replace(",", "")
    if leaf.kind == "choice":
        return chosen(typed, leaf.field, {"yes", "no"}) == "yes"
    if leaf.kind == "text":
        return text
    if leaf.unit == "元":
        return 0 if text == "0" else parse_yuan(text, cap_fen=_FEN_MOST, field=leaf.field)
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Invalid("figure.whole", leaf.field)
    return int(text)


async def confirm(visit: Visit, proposal_id: UUID) -> _Page:
    """Put in force what another person proposed."""
    typed = await visit.typed()

    async def effect() -> None:
        once, put = visit.once(typed), commands.confirm
        await once(visit.tx, ProposalView, lambda: put(visit.tx, visit.me, proposal_id, visit.today, visit.now))

    return await visit.does(effect, lambda: AT, "policy_confirmed", lambda faults: listed(visit, faults))
