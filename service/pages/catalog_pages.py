"""What the catalog's pages show: rows as published, gathered by occupation; what was asked for, kindly read."""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urlencode

from domain.level import LEVELS, Scheme, SkillLevel
from domain.money import Fen
from domain.text import half_width
from service.catalog.schemas import ItemView
from service.pages.language import later
from service.standards.schemas import StandardView

_LENGTH_MAX = 60
_NEAR_MAX = 5
_PLACES_MAX = 6

#: The levels that have a column of their own, lowest first: most occupations have these and no others.
COLUMNS = tuple(LEVELS[code] for code in ("5", "4", "3", "2", "1"))

#: The tags of the national classification, by what the catalog prints.
TAGS = {"L": later("绿色职业"), "S": later("数字职业")}
#: The levels by which one looks for something.
SOUGHT = tuple(level for level in LEVELS.values() if level.scheme is not Scheme.PROJECT)

#: The lists that notice 二.1 names, in its order, and whom they are for.
_MEANT_FOR = {
    "shortage": later("企业最缺人的职业"),
    "general": later("覆盖面最广"),
    "manufacturing": later("面向工厂的职业"),
    "specific_skill": later("单项技能"),
    "project": later("整班采购，个人不用申领"),
}


@dataclass(frozen=True)
class ListLine:
    """A list by its key, and how many rows the edition prints in it."""

    kind: str
    meant_for: str
    count: int


def lists_of(rows: Iterable[ItemView]) -> list[ListLine]:
    """The lists that the notice names, also those that the edition leaves out, then whatever else it prints."""
    count = Counter(row.list_kind for row in rows)
    kinds = dict.fromkeys([*_MEANT_FOR, *count])
    return [ListLine(kind, _MEANT_FOR.get(kind, ""), count[kind]) for kind in kinds]


def industries_of(rows: Iterable[ItemView]) -> list[str]:
    """The industries as printed, the largest first (a misprinted one stands last, with its few rows)."""
    return [name for name, _ in Counter(row.industry for row in rows).most_common()]


@dataclass(frozen=True)
class Entry:
    """An occupation (or a project item, without a code) with every row in which the edition prints it."""

    code: str | None
    rows: tuple[ItemView, ...]

    @property
    def address(self) -> str:
        return f"/catalog/{quote(self.code or '', safe='')}"

    @property
    def name(self) -> str:
        return self.rows[0].name

    @property
    def other_names(self) -> list[str]:
        """The same code under another name: a mistake of the published text, shown and not hidden."""
        return [name for name in dict.fromkeys(row.name for row in self.rows) if name != self.name]

    @property
    def industries(self) -> list[str]:
        return list(dict.fromkeys(row.industry for row in self.rows))

    @property
    def lists(self) -> list[str]:
        return list(dict.fromkeys(row.list_kind for row in self.rows))

    @property
    def tags(self) -> str:
        """Letters of all rows: L green, S digital."""
        return "".join(row.tag for row in self.rows)


def of_tag(rows: Iterable[ItemView], tag: str) -> list[ItemView]:
    """Those that bear it; all of them without one."""
    return [row for row in rows if tag in TAGS and tag in row.tag] if tag else list(rows)


def entries_of(found: Iterable[ItemView], rows: Iterable[ItemView]) -> list[Entry]:
    """What was found, in its order, gathered by code; each with all `rows` of its code, also those not found."""
    gathered: dict[str, list[ItemView]] = {_key(row): [] for row in found}
    for row in rows:
        if _key(row) in gathered:
            gathered[_key(row)].append(row)
    return [Entry(each[0].code, tuple(each)) for each in gathered.values()]


def _key(row: ItemView) -> str:
    return row.code or str(row.id)


@dataclass(frozen=True)
class Search:
    """What the address asks for. Nothing in it is an error: what cannot be meant finds nothing, or is left out."""

    text: str = ""
    list_kind: str = ""
    industry: str = ""
    first: int = 1
    level: str = ""
    tag: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Search":
        first = asked.get("first", "")
        number = int(first) if first.isascii() and first.isdigit() and len(first) <= _PLACES_MAX else 1
        text, list_kind, industry, level, tag = (
            readable(asked.get(name, "")) for name in ("q", "list", "industry", "level", "tag")
        )
        return cls(text, list_kind, industry, max(number, 1), level, tag)

    def address(self, first: int) -> str:
        """The same search from another place on."""
        asked = {"q": self.text, "list": self.list_kind, "industry": self.industry}
        asked |= {"level": self.level, "tag": self.tag}
        return "/catalog?" + urlencode({name: value for name, value in asked.items() if value} | {"first": first})


def readable(text: str) -> str:
    """What can be printed, and asked of the database (no NUL, no lone surrogate); a code in half-width characters."""
    plain = "".join(each for each in text[:_LENGTH_MAX] if each.isprintable()).strip()
    return half_width(plain) if half_width(plain).isascii() else plain


@dataclass(frozen=True)
class Slice:
    """Some of the entries found: the `first`-th to the `last`-th of `total`, and where the neighbours begin."""

    size: ClassVar = 30

    entries: Sequence[Entry]
    total: int
    first: int
    last: int
    before: int | None
    after: int | None

    @classmethod
    def of(cls, entries: Sequence[Entry], first: int) -> "Slice":
        """From the `first`-th on; from the beginning when there are not so many."""
        first = first if first <= len(entries) else 1
        shown = entries[first - 1 : first - 1 + cls.size]
        last = first - 1 + len(shown)
        before = max(first - cls.size, 1) if first > 1 else None
        return cls(shown, len(entries), first, last, before, last + 1 if last < len(entries) else None)

    @property
    def codes(self) -> list[str]:
        return [entry.code for entry in self.entries if entry.code]


def names_near(text: str, rows: Iterable[ItemView]) -> list[str]:
    """Names that look like what was typed, the likest first."""
    return difflib.get_close_matches(text, {row.name: None for row in rows}, _NEAR_MAX, cutoff=0.4)


@dataclass(frozen=True)
class Price:
    """An occupation's amounts as a line of the table shows them."""

    ladder: Sequence[StandardView]

    @property
    def cells(self) -> list[tuple[SkillLevel, Fen | None]]:
        """One for each column; none where a level has no column, so that no amount is left out (engineers)."""
        by_level = {view.level: view.amount_fen for view in self.ladder}
        if by_level.keys() - {level.code for level in COLUMNS}:
            return []
        return [(level, by_level.get(level.code)) for level in COLUMNS]
