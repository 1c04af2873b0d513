"""Reference tables as CSV or XLSX: the national classification, and trades inside its occupations."""

from collections.abc import Iterator

from domain.catalog.reading import CODE, read_code, read_name, tidy_name, tight
from domain.errors import Invalid
from service.gateways.spreadsheets import read_rows

_Role = tuple[str, ...]
_CODE: _Role = ("编码", "代码", "职业编码", "code")
_NAME: _Role = ("名称", "职业名称", "工种", "工种名称", "name")
_TAG: _Role = ("标识", "tag")


def read_occupations(data: bytes, filename: str) -> list[dict[str, str]]:
    """Rows `code`, `name`, `tag` of the classification; a tag may stand in its column or after the name.

    Invalid as `read_rows`, `sheet.no_headings` (field `file`), `reference.code` (field `line N`).
    """
    rows = []
    for place, code, cells in _coded(data, filename):
        name, tag = read_name(" ".join(filter(None, (cells[_NAME], cells[_TAG]))))
        rows.append(_named({"code": code, "name": name, "tag": tag}, place))
    return rows


def read_trades(data: bytes, filename: str) -> list[dict[str, str]]:
    """Rows `name`, `code` of the occupation a trade belongs to; refusals as `read_occupations`."""
    return [
        _named({"code": code, "name": tidy_name(cells[_NAME])}, place)
        for place, code, cells in _coded(data, filename)
    ]


def _coded(data: bytes, filename: str) -> Iterator[tuple[str, str, dict[_Role, str]]]:
    rows = read_rows(data, filename)
    labels = [tight(cell).lower() for cell in rows[0].cells] if rows else []
    columns = {
        role: next((i for i, label in enumerate(labels) if label in role), None) for role in (_CODE, _NAME, _TAG)
    }
    if columns[_CODE] is None or columns[_NAME] is None:
        raise Invalid("sheet.no_headings", "file", needed=["编码", "名称"])
    for row in rows[1:]:
        cells = {
            role: row.cells[place] if place is not None and place < len(row.cells) else ""
            for role, place in columns.items()
        }
        code, place = read_code(cells[_CODE]), f"line {row.number}"
        if not CODE.fullmatch(code):
            raise Invalid("reference.code", place)
        yield place, code, cells


def _named(row: dict[str, str], place: str) -> dict[str, str]:
    if not row["name"]:
        raise Invalid("reference.name", place)
    return row
