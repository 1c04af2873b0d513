"""What the registry's owner sends as a file: CSV or XLSX, one line a certificate."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from domain.catalog.reading import CODE, read_code, tight
from domain.certificate import Certificate
from domain.errors import Invalid
from domain.faults import Faults
from domain.level import level_told
from domain.period import parse_date
from domain.verification import RegistryEntry
from service.gateways.roster_sheets import one_form
from service.gateways.sheet_files import without_mark
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A workbook of so many lines does not fit its means: whoever has that many sends CSV.
LIMITS = Limits(file_bytes=32 * 1024 * 1024, rows=200_000, cpu_seconds=90, wall_seconds=180)
_HEADINGS_WITHIN = 10
#: Cells that cannot be read are named up to here: nobody mends more at once.
_FAULTS_MAX = 100

#: What a cell tells → the headings by which it is known; the first is what is asked for.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "certificate_number": ("证书编号", "证书号", "证书号码"),
    "holder_name": ("姓名", "持证人"),
    "id_number": ("证件号码", "身份证号", "身份证号码", "公民身份号码"),
    "occupation_code": ("职业编码", "职业代码"),
    "level": ("等级", "技能等级", "职业技能等级"),
    "issued_on": ("发证日期", "证书日期", "核发日期"),
    "status": ("状态", "证书状态"),
    "revoked_on": ("撤销日期", "注销日期"),
}
_BY_HEADING = {heading: cell for cell, headings in HEADINGS.items() for heading in headings}
_NEEDED = HEADINGS.keys() - {"revoked_on"}
#: Without these a line says nothing of anybody's certificate. What else is blank the registry is silent about.
_FILLED = ("certificate_number", "holder_name", "id_number", "status")
#: What a workbook that stored a number has lost: digits.
_DIGITS = {"id_number": "id.not_text", "certificate_number": "certificate.not_text"}
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")
_STANDING = {
    **dict.fromkeys(("有效", "正常", "在用"), False),
    **dict.fromkeys(("撤销", "已撤销", "注销", "已注销", "作废", "已作废", "无效"), True),
}


@dataclass(frozen=True)
class EntryLine:
    """`entry` is of whom it says, as the registry wrote it; numbers of certificates and levels are in our form."""

    line: int
    entry: RegistryEntry = field(repr=False)


def read_registry_file(data: bytes, filename: str) -> list[EntryLine]:
    """The whole file, or nothing of it.

    Invalid as `spreadsheets.read_rows`, `sheet.no_headings` (needed), `roster.column_twice` (column), `roster.empty`,
    and with the first hundred cells that cannot be read, each under its place (`line 3.level`). Callers in a loop
    use a thread.
    """
    rows = read_rows(data, filename, LIMITS, keep_strange=True)
    above = enumerate(rows[:_HEADINGS_WITHIN])
    place = next((place for place, row in above if "certificate_number" in map(_told_by, row.cells)), None)
    columns = {} if place is None else _columns(rows[place])
    if missing := [headings[0] for cell, headings in HEADINGS.items() if cell in _NEEDED and cell not in columns]:
        raise Invalid("sheet.no_headings", "file", needed=missing)
    assert place is not None, "then every heading is missing"
    faults, lines = Faults(), list[EntryLine]()
    for row in rows[place + 1 :]:
        if any(map(str.strip, row.cells)):
            lines.append(EntryLine(row.number, faults.read(_entry, row, columns)))
        if len(faults.found) == _FAULTS_MAX:
            break
    faults.raise_all()
    if not lines:
        raise Invalid("roster.empty", "file")
    return lines


def template() -> list[list[str]]:
    """The sheet that the registry's owner fills in: its heading."""
    return [[headings[0] for headings in HEADINGS.values()]]


def _told_by(heading: str) -> str | None:
    return _BY_HEADING.get(tight(heading))


def _columns(heading: SheetRow) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, cell in enumerate(heading.cells):
        told = _told_by(cell)
        if told in found:
            raise Invalid("roster.column_twice", f"line {heading.number}", column=HEADINGS[told][0])
        if told is not None:
            found[told] = place
    return found


def _entry(row: SheetRow, columns: Mapping[str, int]) -> RegistryEntry:
    """What a line says; Invalid with the place of its first cell that cannot be read."""

    def at(cell: str) -> str:
        return f"line {row.number}.{cell}"

    said: dict[str, str] = {}
    for cell, place in columns.items():
        said[cell] = without_mark(row.cells[place]).strip() if place < len(row.cells) else ""
        if place in row.strange:
            raise Invalid(row.strange[place], at(cell))
        if said[cell] and place in row.numbers and cell in _DIGITS:
            raise Invalid(_DIGITS[cell], at(cell))
        if found := _UNSTORABLE.search(said[cell]):
            raise Invalid("words.characters", at(cell), place=found.start() + 1)
        if not said[cell] and cell in _FILLED:
            raise Invalid("value.missing", at(cell))
    if said["status"] not in _STANDING:
        raise Invalid("registry_file.status", at("status"), known=list(_STANDING))
    revoked_on = _day(said.get("revoked_on", ""), at("revoked_on"))
    if revoked_on and not _STANDING[said["status"]]:
        raise Invalid("registry_file.revoked", at("status"))
    return RegistryEntry(
        Certificate.parse(said["certificate_number"], at("certificate_number")).number,
        said["holder_name"],
        said["id_number"],
        _occupation(said["occupation_code"], at("occupation_code")),
        level_told(said["level"]) or None,
        _day(said["issued_on"], at("issued_on")),
        _STANDING[said["status"]],
        revoked_on,
    )


def _occupation(written: str, at: str) -> str | None:
    code = read_code(written)
    if code and not CODE.fullmatch(code):
        raise Invalid("register.occupation", at)
    return code or None


def _day(written: str, at: str) -> date | None:
    return parse_date(one_form(written), at) if written else None
