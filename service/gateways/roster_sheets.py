"""A roster (代领名册) as CSV or XLSX: one heading, one line a trainee; and the same sheet back with reasons."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from domain.catalog.reading import tight
from domain.errors import Invalid
from domain.roster import repeated
from service.gateways.headed_sheets import Column, Form, filled, must_be_some
from service.gateways.sheet_files import without_mark
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A workbook of 50,000 lines takes about 20 seconds and 400 MB.
LIMITS = Limits(cpu_seconds=90, wall_seconds=180)

#: The column in which a sheet that goes back says what to mend. Coming in, it is nobody's.
REASONS = "须改的内容"


#: In the order of the template. A value that a claim may leave out is not needed.
COLUMNS: tuple[Column, ...] = (
    Column("trainee.name", ("姓名", "学员姓名")),
    Column("trainee.id_number", ("身份证号", "身份证号码", "证件号码", "公民身份号码"), digits="id"),
    Column("trainee.phone", ("手机号", "手机", "手机号码", "联系电话"), needed=False),
    Column("item_code", ("职业编码", "职业代码"), needed=False),
    Column("item_name", ("职业名称", "职业", "职业（工种）"), needed=False),
    Column("level", ("等级", "技能等级", "职业技能等级")),
    Column("list_kind", ("目录", "培训目录"), needed=False),
    Column("certificate_number", ("证书编号", "证书号", "证书号码"), digits="certificate"),
    Column("certificate_issued_on", ("证书日期", "发证日期", "证书核发日期"), day=True),
    Column("training_started_on", ("培训开始日期", "开班日期", "开班时间"), day=True, needed=False),
    Column("class_number", ("开班编号", "班级编号", "开班号"), needed=False),
    Column("account.number", ("收款卡号", "银行卡号", "社保卡卡号", "卡号"), digits="account"),
    Column("account.holder", ("户名", "开户名"), needed=False),
    Column("account.bank_code", ("开户行联行号", "联行号")),
    Column("mandate_id", ("代领协议编号", "协议编号"), needed=False),
    Column("signed_on", ("协议签订日期",), day=True, needed=False),
    Column("valid_from", ("协议开始日期",), day=True, needed=False),
    Column("valid_to", ("协议结束日期",), day=True, needed=False),
    Column("document_sha256", ("协议文件指纹", "协议文件sha-256", "协议文件sha256"), needed=False),
    Column("group.code", ("人员类别", "人群类别"), needed=False),
    Column("group.proof_kind", ("类别证明",), needed=False),
    Column("group.proof_number", ("类别证明编号",), digits="proof", needed=False),
    Column("group.valid_from", ("类别证明生效日期",), day=True, needed=False),
    Column("place_link", ("与本市的关联",), needed=False),
)
FORM = Form(COLUMNS, known_by=("trainee.name", "trainee.id_number"))
BY_FIELD = FORM.by_field


class RosterLine(Struct, array_like=True):
    """One line as it was typed. `spoilt` are fields whose cell holds nothing to be read, each with a code; `repeats`
    is the earlier line in which the same person stands, or 0."""

    number: int
    cells: list[str]
    spoilt: dict[str, str]
    repeats: int = 0


class RosterPart(Struct):
    """Some lines of a roster with all that is needed to read them, and to give them back."""

    heading: list[str]
    columns: dict[str, int]  # field → place
    lines: list[RosterLine]

    def typed(self, line: RosterLine) -> dict[str, str]:
        """Field → what was typed there, as far as there is anything."""
        return {field: line.cells[place] for field, place in self.columns.items() if line.cells[place].strip()}


def read_roster(data: bytes, filename: str, lines_max: int) -> RosterPart:
    """The whole roster in one part.

    Invalid as `spreadsheets.read_rows`, or `roster.no_headings`, `roster.columns_missing` (columns),
    `roster.column_twice` (column), `roster.empty`, `roster.too_many_lines` (most). Callers in a loop use a thread.
    """
    rows = read_rows(data, filename, LIMITS, keep_strange=True)
    place = FORM.heading_among(rows)
    if place is None:
        raise Invalid("roster.no_headings", "file")
    heading = [_clean(cell) for cell in rows[place].cells]
    columns = _columns(rows[place])
    lines = [_line(row, columns, len(heading)) for row in filled(rows[place + 1 :])]
    must_be_some(lines, lines_max)
    by_number, place = {line.number: line for line in lines}, columns["trainee.id_number"]
    for number, first in repeated((line.number, line.cells[place]) for line in lines).items():
        by_number[number].repeats = first
    return RosterPart(heading, columns, lines)


def _columns(heading: SheetRow) -> dict[str, int]:
    found = FORM.places(heading)
    missing = [column.heading for column in COLUMNS if column.needed and column.field not in found]
    if not {"item_code", "item_name"} & found.keys():
        missing.append(BY_FIELD["item_code"].heading)
    if missing:
        raise Invalid("roster.columns_missing", f"line {heading.number}", columns=missing)
    return found


def _line(row: SheetRow, columns: Mapping[str, int], width: int) -> RosterLine:
    """A line as wide as its heading."""
    cells = [_clean(cell) for cell in row.cells[:width]]
    cells += [""] * (width - len(cells))
    return RosterLine(row.number, cells, FORM.spoilt(row, columns))


_UNSTORABLE = re.compile("[\ud800-\udfff\0]")


def _clean(cell: str) -> str:
    """Without the mark that a sheet of ours puts before dangerous text; what no database holds becomes U+FFFD,
    which every reader of names and numbers refuses."""
    return _UNSTORABLE.sub("\ufffd", without_mark(cell))


def heading_with_reasons(part: RosterPart) -> list[str]:
    """The heading of the sheet that goes back."""
    return [*(cell for cell in part.heading if tight(cell) != REASONS), REASONS]


def lines_with_reasons(part: RosterPart, reasons: Mapping[int, str], *, every: bool) -> Iterator[Sequence[str]]:
    """The lines as they came, with what `reasons` says of each; without `every` only those it says something of."""
    said_before = [place for place, cell in enumerate(part.heading) if tight(cell) == REASONS]
    for line in part.lines:
        if every or line.number in reasons:
            yield [*_without(line.cells, said_before), reasons.get(line.number, "")]


def _without(cells: Iterable[str], places: Sequence[int]) -> Iterator[str]:
    return (cell for place, cell in enumerate(cells) if place not in places)
