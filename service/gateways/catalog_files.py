"""A published catalog in any of the forms it comes in: text, CSV, XLSX."""

from pathlib import PurePath

from domain.catalog import PublishedCatalog
from service.gateways.catalog_sheets import read_catalog_sheets
from service.gateways.notice_text import read_notice
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE

#: Media types of an upload, and the suffix of a file of that kind.
TYPES = {"text/plain": "txt", CSV_TYPE: "csv", XLSX_TYPE: "xlsx"}
FILE_BYTES_MAX = 20 * 1024 * 1024
#: Suffixes that say a file is a table; everything else is read as text.
_TABLES = {".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods", ".et"}


def read_catalog(data: bytes, filename: str) -> PublishedCatalog:
    """The catalog in a file of that name. Invalid as `read_notice` and `read_catalog_sheets`. Takes its time, and a
    workbook a process: outside of any event loop."""
    if PurePath(filename).suffix.lower() in _TABLES:
        return read_catalog_sheets(data, filename)
    return read_notice(data)
