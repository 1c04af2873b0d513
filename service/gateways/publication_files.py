"""What the bureau publishes as files and as a feed: CSV, XLSX with a sheet a list, Atom (RFC 4287)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from xlsxwriter import Workbook

from service.gateways.sheet_files import CsvFile

ATOM_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SHEET_NAME_MAX = 31
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")


class FeedEntry(NamedTuple):
    """`link` absolute; `summary` plain text."""

    urn: str
    title: str
    updated: datetime
    link: str
    summary: str


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it; no cell is taken for a formula."""
    file = CsvFile()
    file.add([heading])
    file.add(rows)
    return file.content()


def as_workbook(heading: Sequence[str], sheets: Mapping[str, Iterable[Sequence[str]]]) -> bytes:
    """A workbook with a sheet for each name; every cell is text."""
    stream = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(stream, options) as book:
        as_text, bold = book.add_format({"num_format": "@", "quote_prefix": True}), book.add_format({"bold": True})
        taken: set[str] = set()
        for name, rows in sheets.items():
            sheet = book.add_worksheet(_sheet_name(name, taken))
            sheet.set_column(0, len(heading) - 1, 20, as_text)
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, heading, bold)
            for number, row in enumerate(rows, 1):
                sheet.write_row(number, 0, row, as_text)
    return stream.getvalue()


def _sheet_name(name: str, taken: set[str]) -> str:
    """As Excel allows it: at most 31 characters, some signs not, none twice."""
    plain = _NOT_IN_SHEET_NAMES.sub("_", name)[:_SHEET_NAME_MAX] or "_"
    number = 2
    while plain.lower() in taken:
        tail = f"_{number}"
        plain, number = plain[: _SHEET_NAME_MAX - len(tail)].removesuffix(f"_{number - 1}") + tail, number + 1
    taken.add(plain.lower())
    return plain


def as_feed(title: str, address: str, entries: Sequence[FeedEntry]) -> bytes:
    """An Atom feed; `address` is its own, absolute."""
    Xml.register_namespace("", _ATOM)
    feed = Xml.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "zh-CN"})
    _add(feed, "id", address)
    _add(feed, "title", title)
    _add(feed, "link", None, rel="self", href=address)
    _add(feed, "updated", max((each.updated for each in entries), default=_NEVER).isoformat())
    author = _add(feed, "author", None)
    _add(author, "name", title)
    for each in entries:
        entry = _add(feed, "entry", None)
        _add(entry, "id", each.urn)
        _add(entry, "title", each.title)
        _add(entry, "updated", each.updated.isoformat())
        _add(entry, "link", None, href=each.link)
        _add(entry, "summary", each.summary)
    content: bytes = Xml.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _add(parent: Xml.Element, name: str, text: str | None, **attributes: str) -> Xml.Element:
    element = Xml.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = text
    return element
