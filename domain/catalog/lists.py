"""Which list of the annex is which list of the text, although their names drift."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from domain.catalog.published import Finding, Kind, NamedList, PublishedCatalog, PublishedList
from domain.catalog.reading import tight

_TAIL = re.compile(r"(?:职业技能|职业)?(?:培训)?(?:项目)?(?:目录)?(?:[（(](?:续|试行)[)）])?$")
_ALIKE = 0.5
#: Beyond this many lists a text is no catalog, and likeness is not worth seeking.
_LISTS_MAX = 100


def core(name: str) -> str:
    """What tells a list from the others: 急需紧缺 of 急需紧缺职业技能培训项目目录."""
    short = tight(name)[:80]
    return _TAIL.sub("", short) or short


def likeness(one: str, other: str) -> float:
    """0 to 1: the share of characters that the cores of two names have in common."""
    left, right = Counter(core(one)), Counter(core(other))
    return 2 * (left & right).total() / (left.total() + right.total() or 1)


def resembles(name: str, named: Sequence[NamedList]) -> bool:
    """Whether the text names a list like this."""
    return any(likeness(name, each.name) >= _ALIKE for each in named[:_LISTS_MAX])


def compare_lists(published: PublishedCatalog) -> Iterator[Finding]:
    """`list_name_differs` under the name in the annex, `list_missing` under the name in the text."""
    if not published.named:
        return
    pairs = _pair(published.lists, published.named)
    for index, each in enumerate(published.lists):
        if each.untitled:
            continue
        if index not in pairs:
            yield _differs(each, "正文没有列出这个目录。", "核对正文，或从附件中去掉这个目录。")
        elif tight(each.name) != tight(published.named[pairs[index]].name):
            named = published.named[pairs[index]]
            yield _differs(each, f"附件中的目录名与正文（第 {named.line} 行）“{named.name}”不一致。", named.name)
    for index, named in enumerate(published.named):
        if index not in pairs.values():
            message = f"正文列出“{named.name}”，附件中没有这个目录。"
            advice = _advice(published.lists, index, pairs)
            yield Finding(Kind.LIST_MISSING, named.name, None, named.line, None, message, advice)


def _advice(lists: Sequence[PublishedList], named: int, pairs: dict[int, int]) -> str:
    """A table without a title may be the list that is missing, if it stands where that should."""
    for index, each in enumerate(lists):
        before = max((j for i, j in pairs.items() if i < index), default=-1)
        after = min((j for i, j in pairs.items() if i > index), default=named + 1)
        if each.untitled and before < named < after:
            return f"第 {each.line} 行起的表没有目录标题，核对是否就是这个目录。"
    return "补上这个目录，或在本版说明它为空。"


def _differs(found: PublishedList, message: str, suggestion: str) -> Finding:
    return Finding(Kind.LIST_NAME_DIFFERS, found.name, None, found.line, None, message, suggestion)


def _pair(lists: Sequence[PublishedList], named: Sequence[NamedList]) -> dict[int, int]:
    """Index in the annex → index in the text: the likest first, then by place between lists already paired."""
    if max(len(lists), len(named)) > _LISTS_MAX:
        places = {tight(each.name): index for index, each in enumerate(named)}
        return {i: places[tight(each.name)] for i, each in enumerate(lists) if tight(each.name) in places}
    ranked = sorted(
        (tight(one.name) != tight(other.name), -likeness(one.name, other.name), i, j)
        for i, one in enumerate(lists)
        for j, other in enumerate(named)
        if not one.untitled and likeness(one.name, other.name) >= _ALIKE
    )
    pairs: dict[int, int] = {}
    for _, _, i, j in ranked:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    by_place = _pair_by_place(len(lists), len(named), pairs)
    return pairs | {i: j for i, j in by_place.items() if not lists[i].untitled}


def _pair_by_place(lists: int, named: int, pairs: dict[int, int]) -> dict[int, int]:
    """A renamed list still stands where it stood: equally many left over between two pairs are paired in order."""
    added: dict[int, int] = {}
    fences = [(-1, -1), *sorted(pairs.items()), (lists, named)]
    for (i, j), (next_i, next_j) in pairwise(fences):
        left, right = range(i + 1, next_i), [k for k in range(j + 1, next_j) if k not in pairs.values()]
        if len(left) == len(right):
            added |= dict(zip(left, right, strict=True))
    return added


OTHER = "other"

#: What stands in a list's name, by the key under which its claims are counted (notice 二.1).
_KINDS = (
    ("急需紧缺", "shortage"),
    ("制造业", "manufacturing"),
    ("一般", "general"),
    ("专项职业能力", "specific_skill"),
    ("项目制", "project"),
    ("创业", "startup"),
)

#: Every key that a list may have.
LIST_KINDS = frozenset({kind for _, kind in _KINDS} | {OTHER})


def kind_of_list(name: str) -> str:
    """The key of a published list by its name; `other` for a list the notice does not know."""
    return next((kind for word, kind in _KINDS if word in tight(name)), OTHER)
