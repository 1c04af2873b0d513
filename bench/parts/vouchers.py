"""The vouchers of a batch, written as CSV and as XLSX, beside writers that put down the same cells and know nothing.
Processor time, since nothing here waits; each memory in a process of its own."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from tempfile import TemporaryFile

from xlsxwriter import Workbook

from bench.beside import grown_mib, ratio
from bench.figures import Figure
from bench.ground import Ground
from bench.wish import Wish
from domain.voucher import Entry, EntryKind, PayeeKind
from service.accounting.queries.vouchers import HEADING, PAGE, WIDTHS, VoucherBook, economic_codes
from service.gateways.account_books import AccountSheet, csv_piece

PART = "vouchers"
_LINES = 100_000
#: As bank files: times a plain writer's.
_AIM, _MEMORY_MIB = 3, 64


def measure(_: Ground, wish: Wish) -> Iterator[Figure]:
    count = wish.of(_LINES)
    pages, book = list(_pages(count)), _book()
    rows = [[str(cell) for cell in row] for page in pages for row in book.rows(page)]
    for kind, mine, bare in (("CSV", _as_csv, _bare_csv), ("XLSX", _as_xlsx, _bare_xlsx)):
        name = f"{kind}: {count:,} payments written"
        yield ratio(PART, wish, name, partial(mine, pages), partial(bare, rows), _AIM)
        grown = grown_mib(_from_the_database, mine, small=PAGE, count=count)
        yield Figure(PART, f"{kind}: memory beyond the start", grown, "MiB", target=_MEMORY_MIB)


def _book() -> VoucherBook:
    return VoucherBook(
        "JN20260901-000001", "就业补助资金专户-370102", "就业补助资金支出", economic_codes("employment_subsidy")
    )


def _pages(count: int) -> Iterator[list[Entry]]:
    """As they are read from the database: every hundredth payment came back."""
    for first in range(1, count + 1, PAGE):
        yield [entry for n in range(first, min(first + PAGE, count + 1)) for entry in _entries(n)]


def _entries(n: int) -> Iterator[Entry]:
    reference, fen = f"JN20260901000001{n:06d}", 100_000 + n
    yield Entry(date(2026, 9, 2), EntryKind.PAYMENT, reference, PayeeKind.PERSON, fen)
    if n % 100 == 0:
        yield Entry(date(2026, 9, 9), EntryKind.RETURN, reference, PayeeKind.PERSON, fen)


def _from_the_database(write: Callable[[Iterable[list[Entry]]], int], count: int) -> int:
    """A page at a time, as they come from there."""
    return write(_pages(count))


def _as_csv(pages: Iterable[list[Entry]]) -> int:
    book = _book()
    written = len(csv_piece([HEADING], first=True))
    for page in pages:
        written += len(csv_piece(book.rows(page)))
    return written + len(csv_piece([book.total()]))


def _as_xlsx(pages: Iterable[list[Entry]]) -> int:
    book = _book()
    with TemporaryFile() as file, AccountSheet(file, "凭证", WIDTHS) as sheet:
        sheet.add([HEADING])
        for page in pages:
            sheet.add(book.rows(page))
        sheet.add([book.total()])
        sheet.finish()
        return file.tell()


def _bare_csv(rows: list[list[str]]) -> int:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return len(out.getvalue().encode())


def _bare_xlsx(rows: list[list[str]]) -> int:
    """XlsxWriter as it comes, of text alone."""
    with TemporaryFile() as file:
        with Workbook(file, {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            for line, row in enumerate(rows):
                for column, cell in enumerate(row):
                    sheet.write_string(line, column, cell)
        return file.tell()
