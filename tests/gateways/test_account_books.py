"""Books for accounting: the vouchers' CSV byte for byte, and amounts that are numbers."""

from datetime import date
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from openpyxl import load_workbook

from domain.voucher import Entry, EntryKind, PayeeKind
from service.accounting.queries.vouchers import HEADING, VoucherBook, economic_codes
from service.gateways.account_books import AccountSheet, Amount, account_book, csv_piece

GOLDEN = Path(__file__).parent / "golden" / "vouchers.csv"
DAY, LATER = date(2026, 3, 2), date(2026, 3, 9)
ENTRIES = [
    Entry(DAY, EntryKind.PAYMENT, "B0000010001", PayeeKind.PERSON, 120_000),
    Entry(DAY, EntryKind.PAYMENT, "B0000010002", PayeeKind.PERSON, 70_050),
    Entry(LATER, EntryKind.RETURN, "B0000010002", PayeeKind.PERSON, 70_050),
    Entry(DAY, EntryKind.PAYMENT, "B0000010003", PayeeKind.ENTERPRISE, 300_000),
    Entry(DAY, EntryKind.PAYMENT, "B0000010004", PayeeKind.INSTITUTION, 1),
]


def book() -> VoucherBook:
    return VoucherBook("B000001", "就业补助资金专户-370102", "就业补助资金支出", economic_codes("employment_subsidy"))


def test_vouchers_are_written_byte_for_byte() -> None:
    written = book()
    pieces = [csv_piece([HEADING], first=True)]
    pieces += [csv_piece(written.rows(each)) for each in (ENTRIES[:2], ENTRIES[2:])]  # as they are read, page by page
    assert b"".join([*pieces, csv_piece([written.total()])]) == GOLDEN.read_bytes()


def test_a_workbook_holds_numbers_and_text_that_stays_text() -> None:
    written = book()
    rows = [HEADING, *written.rows(ENTRIES), ["=1+1", "", *[""] * 6, Amount(-5), 7, "@x"]]
    sheet = load_workbook(BytesIO(account_book({"凭证": rows}, (8,)))).active
    assert sheet is not None
    told = list(sheet.iter_rows(values_only=True))
    assert told[0] == HEADING
    assert [row[8] for row in told[1:5]] == [1200, None, 700.5, None]
    assert [round(sum(row[side] or 0 for row in told[1:11]), 2) for side in (8, 9)] == [5601.01] * 2
    assert (told[11][0], told[11][8], told[11][9], told[11][10]) == ("=1+1", -0.05, 7, "@x")
    assert sheet["A12"].data_type == "s"
    assert sheet["I12"].number_format == "#,##0.00"


def test_a_sheet_that_comes_in_pieces_is_the_same_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    written, whole = book(), book()
    with TemporaryFile() as file, AccountSheet(file, "凭证", (8,)) as sheet:
        sheet.add([HEADING])
        for each in (ENTRIES[:2], ENTRIES[2:]):
            sheet.add(written.rows(each))
        sheet.finish()
        file.seek(0)
        in_pieces = load_workbook(BytesIO(file.read())).active
    at_once = load_workbook(BytesIO(account_book({"凭证": [HEADING, *whole.rows(ENTRIES)]}, (8,)))).active
    assert in_pieces is not None
    assert at_once is not None
    assert list(in_pieces.iter_rows(values_only=True)) == list(at_once.iter_rows(values_only=True))
    assert [in_pieces["A1"].font.bold, in_pieces["A2"].font.bold] == [True, False]
    assert list(tmp_path.iterdir()) == []


def test_what_lay_beside_a_sheet_that_nobody_waited_for_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> None:
        with TemporaryFile() as file, AccountSheet(file, "凭证", (8,)) as sheet:
            sheet.add([HEADING])
            sheet.add(book().rows(ENTRIES))
            assert len(list(tmp_path.rglob("*"))) > 1  # the rows, and the directory that they lie in
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_amounts_keep_every_fen() -> None:
    assert [str(Amount(fen)) for fen in (0, 1, -1, 120_000, 10**15 + 1)] == [
        "0.00",
        "0.01",
        "-0.01",
        "1200.00",
        "10000000000000.01",
    ]
    assert csv_piece([["=1+1", Amount(-1), 3]]) == b"'=1+1,-0.01,3\r\n"
