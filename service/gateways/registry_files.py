"""What the registry's owner sends as a file: CSV or XLSX, one line a certificate."""

import re
from dataclasses import dataclass, field
from datetime import date

from domain.catalog.reading import CODE, read_code
from domain.certificate import Certificate
from domain.errors import Invalid
from domain.faults import Faults
from domain.level import level_told
from domain.period import parse_date
from domain.verification import RegistryEntry
from service.gateways.headed_sheets import Column, Form, HeadedLine, must_be_some
from service.gateways.spreadsheets import Limits, read_rows

LINES_MAX = 200_000
#: A workbook of so many lines does not fit its means: whoever has that many sends CSV.
LIMITS = Limits(file_bytes=32 * 1024 * 1024, rows=LINES_MAX + 20, cpu_seconds=90, wall_seconds=180)
#: Lines that cannot be read are named up to here: nobody mends more at once.
_FAULTS_MAX = 100

FORM = Form(
    (
        Column("certificate_number", ("证书编号", "证书号", "证书号码"), digits="certificate"),
        Column("holder_name", ("姓名", "持证人")),
        Column("id_number", ("证件号码", "身份证号", "身份证号码", "公民身份号码"), digits="id"),
        Column("occupation_code", ("职业编码", "职业代码")),
        Column("level", ("等级", "技能等级", "职业技能等级")),
        Column("issued_on", ("发证日期", "证书日期", "核发日期"), day=True),
        Column("status", ("状态", "证书状态")),
        Column("revoked_on", ("撤销日期", "注销日期"), day=True, needed=False),
    ),
    known_by=("certificate_number", "id_number"),
)
#: Without these a line says nothing of anybody's certificate. About what else is blank the registry is silent.
_FILLED = ("certificate_number", "holder_name", "id_number", "status")
_REVOKED = {
    **dict.fromkeys(("有效", "正常", "在用"), False),
    **dict.fromkeys(("撤销", "已撤销", "注销", "已注销", "作废", "已作废", "无效"), True),
}
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")


@dataclass(frozen=True)
class EntryLine:
    """`entry` is of whom it says, as the registry wrote it; numbers of certificates and levels are in our form."""

    line: int
    entry: RegistryEntry = field(repr=False)


def read_registry_file(data: bytes, filename: str) -> list[EntryLine]:
    """The whole file, or nothing of it.

    Invalid as `Form.read`, and with the first hundred lines that cannot be read, each under its place
    (`line 3.status`). Callers in a loop use a thread.
    """
    faults, lines = Faults(), list[EntryLine]()
    for line in FORM.lines_of(iter(read_rows(data, filename, LIMITS, keep_strange=True))):
        lines.append(EntryLine(line.number, faults.read(_entry, line)))
        if len(faults.found) == _FAULTS_MAX:
            break
    faults.raise_all()
    must_be_some(lines, LINES_MAX)
    return lines


def _entry(line: HeadedLine) -> RegistryEntry:
    """What a line says; Invalid with the place of its first cell that cannot be read."""
    said, at = line.cells, {told: f"{line.place}.{told}" for told in line.cells}
    for fault in line.faults():
        raise fault
    for told, written in said.items():
        if found := _UNSTORABLE.search(written):
            raise Invalid("words.characters", at[told], place=found.start() + 1)
        if not written and told in _FILLED:
            raise Invalid("value.missing", at[told])
    if said["status"] not in _REVOKED:
        raise Invalid("registry_file.status", at["status"], known=list(_REVOKED))
    revoked, day = _REVOKED[said["status"]], said.get("revoked_on")
    if day and not revoked:
        raise Invalid("registry_file.revoked", at["status"])
    return RegistryEntry(
        Certificate.parse(said["certificate_number"], at["certificate_number"]).number,
        said["holder_name"],
        said["id_number"],
        _occupation(said["occupation_code"], at["occupation_code"]),
        level_told(said["level"]) or None,
        _day(said["issued_on"], at["issued_on"]),
        revoked,
        _day(day, at["revoked_on"]) if day else None,
    )


def _occupation(written: str, at: str) -> str | None:
    code = read_code(written)
    if code and not CODE.fullmatch(code):
        raise Invalid("register.occupation", at)
    return code or None


def _day(written: str, at: str) -> date | None:
    return parse_date(written, at) if written else None
