"""How people look an item up: a part of its name or of a trade, the beginning of a code, initials of the pinyin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.catalog.reading import half_width, tight


def as_sought(text: str) -> str:
    """Blanks, widths and cases evened out."""
    return half_width(tight(text)).lower()


@dataclass(frozen=True, slots=True)
class Findable:
    """What an item is found by, each as `as_sought` gives it. `words` are its name and its trades; `initials` those
    of each word (`hg` of 焊工)."""

    code: str
    words: tuple[str, ...]
    initials: tuple[str, ...]

    def found_by(self, sought: str) -> bool:
        """`sought` as `as_sought` gives it; an empty one finds everything."""
        if self.code.startswith(sought) or any(sought in word for word in self.words):
            return True
        return sought.isalpha() and sought.isascii() and any(sought in initials for initials in self.initials)


def places_of(findable: Sequence[Findable], text: str) -> Iterable[int]:
    """The places of what `text` finds, in order."""
    sought = as_sought(text)
    return (place for place, each in enumerate(findable) if each.found_by(sought))
