"""What changed between two editions, row by row, in the words of an editor.

Rows are paired from the surest likeness to the loosest, each row at most once, in the order of the lists; what stays
alone was removed or added. A pair may differ in several ways and is then said under each.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.catalog.lists import OTHER, kind_of_list
from domain.catalog.published import CatalogItem
from domain.catalog.reading import read_code, tidy_name, tight


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    RECODED = "recoded"
    RELISTED = "relisted"
    RETAGGED = "retagged"
    RECLASSED = "reclassed"


@dataclass(frozen=True, slots=True)
class Listed:
    """A row as it is compared: blanks and widths evened out, and a list the same when it is of the same kind, since
    the names of lists drift from year to year."""

    list_name: str = field(compare=False)
    list_key: str
    code: str | None
    name: str
    tag: str
    industry: str

    @classmethod
    def of(cls, item: CatalogItem) -> "Listed":
        code = read_code(item.code) if item.code else None
        name = tight(item.list_name)
        kind = kind_of_list(name)
        return cls(name, name if kind == OTHER else kind, code, tidy_name(item.name), item.tag, tight(item.industry))


@dataclass(frozen=True, slots=True)
class Pair:
    """The same row in both editions."""

    before: Listed
    after: Listed

    def changes(self) -> list[Change]:
        """Everything in which the two differ."""
        compared = (
            (Change.RENAMED, self.before.name, self.after.name),
            (Change.RECODED, self.before.code, self.after.code),
            (Change.RELISTED, self.before.list_key, self.after.list_key),
            (Change.RETAGGED, self.before.tag, self.after.tag),
            (Change.RECLASSED, self.before.industry, self.after.industry),
        )
        return [change for change, before, after in compared if before != after]


@dataclass(frozen=True, slots=True)
class Difference:
    """`changed` holds the pairs that differ in anything."""

    added: tuple[Listed, ...]
    removed: tuple[Listed, ...]
    changed: tuple[Pair, ...]

    def having(self, change: Change) -> list[Pair]:
        return [pair for pair in self.changed if change in pair.changes()]


_Likeness = Callable[[Listed], Hashable]


def compare_editions(
    before: Iterable[CatalogItem], after: Iterable[CatalogItem], aliases: Mapping[str, str]
) -> Difference:
    """The difference; `aliases` gives the occupation that a code of an older classification means now.

    Linear in the rows. A row is the same as another when, in this order: all is equal; list and code and name; list
    and code; list and meant occupation; list and name; code and name; code; meant occupation; name. So an occupation
    that moves to another list is relisted, one that gains a second list is added there.
    """
    left, right = [Listed.of(item) for item in before], [Listed.of(item) for item in after]

    def meant(row: Listed) -> str | None:
        return aliases.get(row.code, row.code) if row.code else None

    likenesses: tuple[_Likeness, ...] = (
        lambda row: row,
        lambda row: (row.list_key, row.code, row.name),
        lambda row: row.code and (row.list_key, row.code),
        lambda row: row.code and (row.list_key, meant(row)),
        lambda row: row.name and (row.list_key, row.name),
        lambda row: row.code and row.name and (row.code, row.name),
        lambda row: row.code,
        meant,
        lambda row: row.name,
    )
    pairs = _pair(left, right, likenesses)
    changed = [Pair(left[i], right[j]) for i, j in sorted(pairs.items()) if left[i] != right[j]]
    kept = set(pairs.values())
    added = [row for j, row in enumerate(right) if j not in kept]
    removed = [row for i, row in enumerate(left) if i not in pairs]
    return Difference(tuple(added), tuple(removed), tuple(changed))


def _pair(left: Sequence[Listed], right: Sequence[Listed], likenesses: Iterable[_Likeness]) -> dict[int, int]:
    """Index before → index after."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for likeness in likenesses:
        free: dict[Hashable, list[int]] = defaultdict(list)
        for j in reversed(range(len(right))):
            if j not in taken and (key := likeness(right[j])):
                free[key].append(j)
        for i, row in enumerate(left):
            if i not in pairs and (key := likeness(row)) and free[key]:
                pairs[i] = free[key].pop()
                taken.add(pairs[i])
    return pairs
