"""Numbers that people say to each other: two letters, eight digits, and two more by which a slip shows."""

import re
from dataclasses import dataclass

from domain.text import half_width

_CHECKED_BY = 97


@dataclass(frozen=True)
class Numbering:
    """What one kind of thing is called by; `letters` keep it from being taken for a number of a person."""

    letters: str

    def number(self, serial: int) -> str:
        """Such as ZC0000001263, for a serial from 1."""
        return f"{self.letters}{serial:08d}{_check_digits(serial):02d}"

    def serials_in(self, *words: str) -> set[int]:
        """The serials whose numbers stand in `words` as they were printed."""
        form = re.compile(rf"(?<![A-Z0-9]){self.letters}([0-9]{{8}})([0-9]{{2}})(?![A-Z0-9])", re.ASCII)
        found = (each for said in words for each in form.findall(said))
        return {int(serial) for serial, check in found if _check_digits(int(serial)) == int(check)}

    def typed(self, said: str) -> int | None:
        """The serial of one number as somebody typed it who heard it: in either width and case, with blanks."""
        found = self.serials_in("".join(half_width(said).split()).replace("-", "").upper())
        return found.pop() if len(found) == 1 else None


def _check_digits(serial: int) -> int:
    return _CHECKED_BY + 1 - serial * 100 % _CHECKED_BY


CLAWBACKS, COMPLAINTS, OBJECTIONS = Numbering("ZC"), Numbering("TS"), Numbering("YY")
