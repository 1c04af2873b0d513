"""What the prose of a notice says about its annex: which lists there are, which industries.

The text is read as one: page breaks cut its sentences at any place. Everything here is linear in its length.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from domain.catalog.published import NamedList
from domain.catalog.reading import tight

_CLAUSE = re.compile(r"[^。；，：;:,]+")
_LEADS = ("包括", "包含", "分为", "涉及", "涵盖")
_QUOTES = '“”"《》〈〉「」'
#: Longer enumerations are no catalog's.
_ITEMS_MAX = 60
_NAME_MAX = 40


def prose_of(lines: Sequence[str]) -> tuple[tuple[NamedList, ...], tuple[str, ...]]:
    """Lists named and industries named (each () where the prose names none). `lines` start with line 1."""
    pieces = [tight(line) for line in lines]
    starts = list(accumulate(map(len, pieces), initial=0))
    text = "".join(pieces)
    named: tuple[NamedList, ...] = ()
    industries: tuple[str, ...] = ()
    for clause in _CLAUSE.finditer(text):
        items = list(_enumerated(clause[0]))
        if not industries:
            industries = _industries(items)
        names = _list_names(items)
        if len(names) > len(named):
            places = (text.find(name, clause.start(), clause.end()) for name in names)
            named = tuple(
                NamedList(name, bisect_right(starts, place)) for name, place in zip(names, places, strict=True)
            )
    return named, industries


def _enumerated(clause: str) -> Iterator[str]:
    """The members of an enumeration by 、; the first without what leads to it."""
    if not 1 <= clause.count("、") < _ITEMS_MAX:
        return
    first, *others = clause.split("、")
    for lead in _LEADS:
        first = first.rpartition(lead)[2]
    yield from (first, *others)


def _list_names(items: Sequence[str]) -> list[str]:
    """包括A项目目录、…、E项目目录等: every member a list of projects, or it is another enumeration."""
    if not items:
        return []
    *others, last = items
    until, etc, _ = last.partition("等")
    names = [name.strip(_QUOTES) for name in (*others, until if etc and until.endswith("目录") else last)]
    fits = all(name.endswith("目录") and "项目" in name and len(name) <= _NAME_MAX for name in names)
    return list(dict.fromkeys(names)) if fits else []


def _industries(items: Sequence[str]) -> tuple[str, ...]:
    """涉及A类、…、J类等 10 个行业类别."""
    if not items:
        return ()
    *others, last = items
    counted = re.fullmatch(r"(.{2,9}?)等?[0-9一二三四五六七八九十]{0,3}个?行业.*", last[:_NAME_MAX])
    if not counted:
        return ()
    names = [name.strip(_QUOTES).removesuffix("类") for name in (*others, counted[1])]
    return tuple(dict.fromkeys(names)) if all(2 <= len(name) <= 8 for name in names) else ()
