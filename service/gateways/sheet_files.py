"""Rows of text → a CSV or XLSX file whose every cell is inert: nothing in it is ever taken for a formula."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO, StringIO
from zipfile import ZIP_DEFLATED, ZipFile

CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Rows = Iterable[Sequence[str]]

# What spreadsheets calculate, also after blanks and in full width; tab and line ends let a cell break out of its own.
_DANGEROUS = re.compile(r"[\t\r\n]|[ \u00a0\u3000]*[=+\-@＝＋－＠]")
#: What such a cell begins with: nearly every cell is told by its first sign.
_BEGINS = frozenset("\t\r\n \u00a0\u3000=+-@＝＋－＠")
_MARK = "'"


def with_mark(text: str) -> str:
    """`text` as a CSV cell: an apostrophe before what a spreadsheet would calculate."""
    return _MARK + text if text[:1] in _BEGINS and _DANGEROUS.match(text) else text


def without_mark(text: str) -> str:
    """What was written by `with_mark`, as it was."""
    return text[1:] if text[:1] == _MARK and _DANGEROUS.match(text, 1) else text


class CsvFile:
    """UTF-8 with the mark by which spreadsheets know it."""

    def __init__(self) -> None:
        self._text = StringIO(newline="")
        self._writer = csv.writer(self._text)

    def add(self, rows: Rows) -> None:
        self._writer.writerows([with_mark(cell) for cell in row] for row in rows)

    def content(self) -> bytes:
        return self._text.getvalue().encode("utf-8-sig")


class XlsxFile:
    """A workbook of one sheet. Each cell is text and formatted as text, so it stays text when somebody edits it."""

    def __init__(self) -> None:
        self._stream = BytesIO()
        self._archive = ZipFile(self._stream, "w", ZIP_DEFLATED, compresslevel=3)
        for name, content in _PARTS.items():
            self._archive.writestr(name, _XML + content)
        self._sheet = self._archive.open("xl/worksheets/sheet1.xml", "w")
        self._sheet.write(f"{_XML}<worksheet {_MAIN}>{_COLUMNS}<sheetData>".encode())

    def add(self, rows: Rows) -> None:
        for row in rows:
            cells = "".join(
                f'<c s="1" t="inlineStr"><is><t xml:space="preserve">{_escaped(cell)}</t></is></c>' for cell in row
            )
            self._sheet.write(f"<row>{cells}</row>".encode())

    def content(self) -> bytes:
        """The finished file; nothing can be added any more."""
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()
        return self._stream.getvalue()


#: By the kind of file.
FILES: Mapping[str, type[CsvFile] | type[XlsxFile]] = {"csv": CsvFile, "xlsx": XlsxFile}
TYPES: Mapping[str, str] = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE}
KINDS: Mapping[str, str] = {media_type: kind for kind, media_type in TYPES.items()}


def as_sheet(rows: Rows, kind: str) -> bytes:
    """A whole sheet, `csv` or `xlsx`."""
    file = FILES[kind]()
    file.add(rows)
    return file.content()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPES}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPES}.worksheet+xml"/></Types>',
    "xl/workbook.xml": f"<workbook {_MAIN} {_RELATIONS}>"
    '<sheets><sheet name="名册" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # format 49 is “text”; quotePrefix keeps what begins with = from being calculated once it was edited
    "xl/styles.xml": f"<styleSheet {_MAIN}><fonts><font/></fonts>"
    '<fills><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
    '<cellXfs><xf/><xf numFmtId="49" applyNumberFormat="1" quotePrefix="1"/>'
    '</cellXfs><cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
# Each column is formatted as text as well: what is typed into an empty cell stays as it was typed.
_COLUMNS = '<cols><col min="1" max="100" width="20" style="1" customWidth="1"/></cols>'
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _escaped(text: str) -> str:
    plain = _NOT_IN_XML.sub("\ufffd", text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
