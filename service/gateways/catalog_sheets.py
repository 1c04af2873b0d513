"""A catalog as CSV or XLSX with the notice's columns: a column for the list, or one sheet a list."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath

from domain.catalog.published import INDUSTRIES, PublishedCatalog, PublishedList, PublishedRow
from domain.catalog.reading import tight
from domain.errors import Invalid
from service.gateways.spreadsheets import Sheet, SheetRow, read_sheets

_LABELS = {
    "list": ("目录", "目录名称", "list"),
    "serial": ("序号", "serial"),
    "code": ("编码", "代码", "职业编码", "code"),
    "name": ("名称", "职业名称", "项目名称", "职业名称（包括所含工种）", "职业名称(包括所含工种)", "name"),
    "tag": ("标识", "tag"),
    "industry": ("行业分类", "行业", "行业类别", "industry"),
}
_NO_LIST = "（未标目录名）"
_NEEDED = ("serial", "name", "industry")
#: A sheet may carry a title and remarks above its headings.
_HEADINGS_WITHIN = 10


def read_catalog_sheets(data: bytes, filename: str, industries: tuple[str, ...] = INDUSTRIES) -> PublishedCatalog:
    """The catalog in a CSV or XLSX file; a row's `line` is its row in the sheet.

    Invalid as `read_sheets`, or `sheet.no_headings` with the sheet's name as field (`file` for a CSV).
    """
    reader = _Reader(PurePath(filename).stem)
    for sheet in read_sheets(data, filename):
        if sheet.rows:
            reader.take(sheet)
    return reader.published(industries)


def _columns_in(row: SheetRow) -> dict[str, int]:
    """Role → place of the column, as far as a row holds the headings."""
    found: dict[str, int] = {}
    for place, cell in enumerate(row.cells):
        label = tight(cell).lower()
        for role, words in _LABELS.items():
            if label in words:
                found.setdefault(role, place)
    return found


def _is_heading(row: SheetRow) -> bool:
    found = _columns_in(row)
    return all(role in found for role in _NEEDED)


@dataclass
class _Reader:
    """`found` holds the first row of each list, `repeated` the rows where a heading stands once more."""

    file_stem: str
    found: dict[str, int] = field(default_factory=dict)
    repeated: dict[str, list[int]] = field(default_factory=dict)
    rows: list[PublishedRow] = field(default_factory=list)

    def take(self, sheet: Sheet) -> None:
        heading = next((row for row in sheet.rows[:_HEADINGS_WITHIN] if _is_heading(row)), None)
        if heading is None:
            raise Invalid("sheet.no_headings", sheet.name or "file", needed=["序号", "名称", "行业分类"])
        columns = _columns_in(heading)
        list_name = sheet.name or self.file_stem
        if "list" not in columns:
            self.found.setdefault(list_name, heading.number)
        for row in sheet.rows:
            if row.number <= heading.number:
                continue
            if _is_heading(row):
                self.repeated.setdefault(list_name, []).append(row.number)
                continue
            texts = {role: row.cells[place] for role, place in columns.items() if place < len(row.cells)}
            if "list" in columns:
                list_name = texts.get("list", "") or _NO_LIST
            self._take_row(list_name, row.number, texts)

    def _take_row(self, list_name: str, number: int, texts: dict[str, str]) -> None:
        self.found.setdefault(list_name, number)
        name, tag = texts.get("name", ""), texts.get("tag", "")
        self.rows.append(
            PublishedRow(
                list_name=list_name,
                line=number,
                serial_text=texts.get("serial", ""),
                code_text=texts.get("code", ""),
                name_text=f"{name} {tag}" if tag else name,
                industry_text=texts.get("industry", ""),
            )
        )

    def published(self, industries: tuple[str, ...]) -> PublishedCatalog:
        """One column serves all lists, so a list in which no row has a code is one without codes (项目制)."""
        coded = {row.list_name for row in self.rows if row.code_text}
        rows = (row if row.list_name in coded else replace(row, code_text=None) for row in self.rows)
        lists = (
            PublishedList(name, number, tuple(self.repeated.get(name, ())), untitled=name == _NO_LIST)
            for name, number in self.found.items()
        )
        return PublishedCatalog(tuple(lists), tuple(rows), industries=industries)
