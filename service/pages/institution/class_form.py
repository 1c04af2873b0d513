"""A class as a clerk types it on a page: one line a session, a teacher, a trainee, as pasted from a sheet; the
trainees from a sheet as well. Every fault is said with its line."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.errors import Invalid
from domain.faults import Faults
from service.gateways.headed_sheets import HeadedLine
from service.pages.forms import Fault, Typed
from service.training.commands.reading import read_class
from service.training.schemas import ClassSessionView, NewClass, NewPlace, NewSession, NewSite, NewTeacher

#: Characters of a field that holds many lines.
LINES_LENGTH_MAX = 60_000

_SESSION = ("day", "begins", "ends", "hours", "room", "teacher")
_TEACHER = ("name", "id_number")
_TRAINEE = ("name", "id_number", "phone")
_COLUMNS = {"sessions": _SESSION, "teachers": _TEACHER, "trainees": _TRAINEE}
_COUNTS = ("hours", "teacher")
_NAMES: Mapping[str, str] = {
    "day": "日期",
    "begins": "上课时间",
    "ends": "下课时间",
    "hours": "学时",
    "room": "教室",
    "teacher": "教师",
    "name": "姓名",
    "id_number": "身份证号",
    "phone": "手机号",
}
#: A field of a form → its label, before what is wrong with it.
_LABELS: Mapping[str, str] = {
    "item_code": "职业",
    "level": "等级",
    "planned_hours": "总学时",
    "site_name": "教学点",
    "site_address": "地址",
    "site_district": "所在区",
    "reason": "原因",
    "sessions": "课程表",
    "teachers": "教师",
    "trainees": "学员",
    "sheet": "表",
}
#: As a form has them: `trainees_3_name` counts from 1, `trainees[2]_name` from 0.
_LINE = re.compile(r"(sessions|teachers|trainees)([_\[])([0-9]{1,5})\]?_?(\w*)")
_SHEET_LINE = re.compile(r"line ([0-9]{1,9})_?(\w*)")
_SEPARATORS = (re.compile(r"\t"), re.compile(r"[,，;；]"), re.compile(r"\s+"))


@dataclass(frozen=True)
class Lines:
    """What was typed in a field that holds many lines; `numbers`: which line of the field each is."""

    cells: list[dict[str, Any]]
    numbers: list[int]
    from_sheet: bool = False

    @classmethod
    def of(cls, text: str, columns: Sequence[str]) -> "Lines":
        """Cells stand apart by tabs, as pasted from a sheet, else by commas, else by blanks."""
        found, numbers = [], []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                parts = [part.strip() for part in _apart(line.strip())]
                found.append({name: part for name, part in zip(columns, parts, strict=False) if part})
                numbers.append(number)
        return cls(found, numbers)

    @classmethod
    def of_sheet(cls, lines: Iterable[HeadedLine]) -> "Lines":
        """The trainees of a sheet, under the numbers of its rows. Invalid with every cell that cannot be read."""
        read, faults = list(lines), Faults()
        faults.found.extend(fault for line in read for fault in line.faults())
        faults.raise_all()
        cells = [{name: line.cells.get(name, "") for name in _TRAINEE if line.cells.get(name)} for line in read]
        return cls(cells, [line.number for line in read], from_sheet=True)


def _apart(line: str) -> list[str]:
    return next((found for by in _SEPARATORS if len(found := by.split(line)) > 1), [line])


def lines_of(typed: Typed, field: str) -> Lines:
    """The lines of `sessions`, `teachers` or `trainees`."""
    return Lines.of(typed.get(field, ""), _COLUMNS[field])


def site_of(typed: Typed) -> dict[str, str]:
    """`name`, `address`, `district`."""
    return {part: typed.get(f"site_{part}", "") for part in ("name", "address", "district")}


def whole(read: Lines, defaults: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells with what was left out, and counts as numbers; what is no number stays as it was typed."""
    return [{name: _count(name, cell) for name, cell in {**defaults, **each}.items()} for each in read.cells]


#: A session without a teacher's place has the first one; other cells that are missing are told where they are read.
SESSION_DEFAULTS: Mapping[str, Any] = {"day": "", "begins": "", "ends": "", "hours": "", "room": "", "teacher": 1}
PERSON_DEFAULTS: Mapping[str, Any] = {"name": "", "id_number": ""}


def _count(name: str, cell: Any) -> Any:
    return count_of(cell) if name in _COUNTS else cell


def count_of(cell: Any) -> Any:
    """A whole number of at most five digits as one; anything else as it is, to be refused where it is read."""
    is_one = isinstance(cell, str) and cell.isascii() and cell.isdigit() and len(cell) <= 5
    return int(cell) if is_one else cell


def must_be_well_formed(body: Mapping[str, Any], today: date) -> None:
    """Everything that is missing or malformed in a class at once; a body of JSON is told of its types first. Invalid
    as `read_class`, and `value.missing`, `value.form`, `district.missing`."""
    faults = Faults()
    hours = _counted(faults, body["planned_hours"], "planned_hours")
    read = [
        NewSession(**{**each, **{name: _counted(faults, each[name], f"sessions.{n}.{name}") for name in _COUNTS}})
        for n, each in enumerate(body["sessions"], 1)
    ]
    for part in ("sessions", "teachers", "trainees"):
        if not body[part]:
            faults.tell("value.missing", part)
    if not body["site"]["district"]:
        faults.tell("district.missing", "site.district")
    new = NewClass(
        item_code=body["item_code"],
        level=body["level"],
        planned_hours=hours,
        site=NewSite(**body["site"]),
        teachers=[NewTeacher(**each) for each in body["teachers"]],
        sessions=read,
        trainees=[NewPlace(**each) for each in body["trainees"]],
    )
    try:
        read_class(new, today)
    except Invalid as refusal:
        faults.found.extend((refusal, *refusal.others))
    faults.raise_all()


def _counted(faults: Faults, count: Any, field: str) -> int:
    """A number as it was typed; 1 where it is none, which is told."""
    if isinstance(count, int):
        return count
    faults.tell("value.form" if count else "value.missing", field)
    return 1


def as_lines(sessions: Iterable[ClassSessionView]) -> str:
    """Sessions as one would type them."""
    return "\n".join(
        f"{each.day} {each.begins} {each.ends} {each.hours} {each.room} {each.teacher}" for each in sessions
    )


def placed(faults: Iterable[Fault], lines: Mapping[str, Lines]) -> list[Fault]:
    """Each fault at the field of the form that it is of, with its line and cell."""
    return [_placed(field, message, lines) for field, message in faults]


def _placed(field: str, message: str, lines: Mapping[str, Lines]) -> Fault:
    if found := _LINE.match(field):
        of, n, cell = found[1], int(found[3]) + (found[2] == "["), found[4]
        read = lines.get(of)
        number = read.numbers[n - 1] if read and 0 < n <= len(read.numbers) else n
        at = "sheet" if read and read.from_sheet else of
        return at, _LABELS[of] + _said(number, cell, message)
    if found := _SHEET_LINE.match(field):
        return "sheet", _said(int(found[1]), found[2], message)
    field = "sheet" if field == "file" else field
    return (field, f"{_LABELS[field]}：{message}") if field in _LABELS else ("form", message)


def _said(number: int, cell: str, message: str) -> str:
    name = _NAMES.get(cell, "")
    return f"第 {number} 行{f' {name}' if name else ''}：{message}"
