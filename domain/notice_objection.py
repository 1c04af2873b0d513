"""公示异议: anybody objects to one line of a notice, or to the whole of it, while it stands before the public."""

from dataclasses import dataclass
from datetime import date

from domain.errors import Conflict, Forbidden, Invalid

#: Within how many working days an objection is answered (异议, 5 working days); no parameter changes it.
ANSWER_WORKING_DAYS = 5
WORDS_MAX = 1_800
#: How to find whoever objects: a name, a telephone, an address.
CONTACT_MAX = 100
#: Open at one time to one notice: of one person who is signed in, and of all who are not. Each keeps the money of a
#: line back, so nobody may keep back a whole district's by sending forms.
OF_ONE_MAX, UNSIGNED_MAX = 5, 50


@dataclass(frozen=True)
class Standing:
    """A notice before the public: its last day, whether it was taken down, how many lines it has."""

    closes_on: date
    closed: bool
    line_count: int


def check_may_object(notice: Standing, line: int | None, today: date) -> None:
    """Conflict `notice.over` (last) once its days are over; Invalid `notice.no_line` (lines) for a line that it
    does not have. `line` counts from 1; None: the whole notice."""
    if notice.closed or today > notice.closes_on:
        raise Conflict("notice.over", last=notice.closes_on.isoformat())
    if line is not None and not 1 <= line <= notice.line_count:
        raise Invalid("notice.no_line", field="line", lines=notice.line_count)


def check_not_too_many(open_count: int, *, signed_in: bool) -> None:
    """Conflict `notice_objection.too_many` for one more than may be open, of one person or of all who are unknown."""
    if open_count >= (OF_ONE_MAX if signed_in else UNSIGNED_MAX):
        raise Conflict("notice_objection.too_many")


def must_not_answer_oneself(person: object, objector: object) -> None:
    """Forbidden `notice_objection.own`: nobody answers their own objection."""
    if person == objector:
        raise Forbidden("notice_objection.own")
