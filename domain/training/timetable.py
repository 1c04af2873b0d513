"""课程表: sessions of a class, each with its day, its times, a room and a teacher."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import Invalid
from domain.text import half_width

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SECONDS = re.compile(r"(?::([0-5][0-9]))?")
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Session:
    """`begins` and `ends` are minutes since midnight; `hours` are 学时, as planned; `teacher` counts the class's
    teachers from 1."""

    day: date
    begins: int
    ends: int
    hours: int
    room: str
    teacher: int

    @property
    def minutes(self) -> int:
        return self.ends - self.begins


def minutes_of(text: object, field: str) -> int:
    """Minutes since midnight of a time written 09:30 and in no other way; Invalid `time.format`."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Invalid("time.format", field)
    return int(match[1]) * 60 + int(match[2])


def seconds_of(text: object, field: str) -> int:
    """Seconds since midnight of a time written 09:30 or 09:30:15; Invalid `time.format`."""
    minutes, seconds = (text[:5], text[5:]) if isinstance(text, str) else (text, "")
    found = _SECONDS.fullmatch(seconds)
    if found is None:
        raise Invalid("time.format", field)
    return minutes_of(minutes, field) * 60 + int(found[1] or 0)


def clock_time(minutes: int) -> str:
    """570 → 09:30."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def overlapping(sessions: Sequence[Session]) -> list[tuple[int, int]]:
    """Places (from 1) of sessions that begin while another is on → the one that is; sessions that touch do not
    overlap, and those that end before they begin are left out."""
    in_order = sorted(
        (place for place, each in enumerate(sessions) if each.minutes > 0),
        key=lambda place: (sessions[place].day, sessions[place].begins, place),
    )
    found, on = [], None
    for place in in_order:
        each = sessions[place]
        if on is not None and sessions[on].day == each.day and each.begins < sessions[on].ends:
            found.append((place + 1, on + 1))
        if on is None or (sessions[on].day, sessions[on].ends) < (each.day, each.ends):
            on = place
    return found


def key_of(text: str) -> str:
    """A room or an address as it is compared: width, case, blanks and signs aside, so that 301 室 is 301室; but signs
    between two digits are one dash, so that 1-101 is not 11-01."""
    return _NO_LETTER.sub(_kept, half_width(text)).casefold()


def _kept(signs: re.Match[str]) -> str:
    before, after = signs.string[: signs.start()][-1:], signs.string[signs.end() :][:1]
    return "-" if before.isdigit() and after.isdigit() and not signs[0].isspace() else ""
