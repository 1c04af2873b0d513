"""The neutral bank file: its bytes are golden, and a return is read whole or not at all."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from domain.batch import PaymentLine
from domain.errors import Invalid
from service.gateways.bank_files import FORMS, BankFileHeader, ReturnLine
from service.gateways.bank_files import write as pieces
from service.gateways.bank_files.form import LINES_MAX
from service.gateways.bank_files.neutral import FORMAT, read_return

GOLDEN = Path(__file__).parent / "golden"
LINES = [
    PaymentLine("ZD250000010001", "张梅", "6222021602012345678", "102451000016", 150_000),
    PaymentLine("ZD250000010002", "阿依古丽·买买提", "6222021602012345686", "102451000016", 100_005),
    PaymentLine("ZD250000010003", "𠮷田, 里\"玉\"", "6222021602012340000", "102451000016", 70_000),
    PaymentLine("ZD250000010004", "=SUM(A1)", "37001602345", "105451000018", 1),
]  # fmt: skip
HEADER = BankFileHeader("ZDF-2025-000001", date(2025, 9, 18), "济南就业补助资金专户", 4, 320_006)


def write(header: BankFileHeader, lines: Iterable[PaymentLine]) -> bytes:
    return b"".join(pieces(FORMS[FORMAT], header, lines))


def test_the_bytes_are_golden() -> None:
    golden = (GOLDEN / "payments.csv").read_bytes()
    assert write(HEADER, LINES) == write(HEADER, iter(LINES)) == golden
    assert golden.count(b"\r\n") == golden.count(b"\n") == len(LINES) + 2


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        act()
    assert not any(line.payee in repr(refused.value.facts) for line in LINES)
    return refused.value.code, refused.value.field


@pytest.mark.parametrize(
    "payee",
    ["", "  ", "张\n梅", "张\x00梅", "张\t梅", "张\u200b梅", "张\u2028梅", "张\u202e梅", "张\ud800梅", "梅" * 201],
)
def test_a_payee_that_is_no_text_is_refused(payee: str) -> None:
    lines = [LINES[0], replace(LINES[1], payee=payee)]
    assert refusal(lambda: write(HEADER, lines)) == ("bank_file.text", "line 2")


@pytest.mark.parametrize("cell", ["reference", "account", "bank_code"])
def test_other_cells_are_text_too(cell: str) -> None:
    broken = replace(LINES[0], **{cell: "1\r\n2"})  # type: ignore[arg-type]  # the cell varies
    assert refusal(lambda: write(HEADER, [broken]))[0] == "bank_file.text"
    assert refusal(lambda: write(replace(HEADER, debit_account="a\nb"), LINES)) == ("bank_file.text", "header")


@pytest.mark.parametrize("amount_fen", [0, -1, 2**63])
def test_an_amount_that_cannot_be_paid(amount_fen: int) -> None:
    assert refusal(lambda: write(HEADER, [replace(LINES[0], amount_fen=amount_fen)])) == (
        "bank_file.amount",
        "line 1",
    )


def test_a_rare_surname_from_the_private_area_is_text() -> None:
    line = replace(LINES[0], payee="\ue863玉\u3000明")
    data = write(replace(HEADER, line_count=1, sum_fen=line.amount_fen), [line])
    assert line.payee.encode() in data


def test_lines_that_are_not_what_was_signed() -> None:
    assert refusal(lambda: write(HEADER, LINES[:3])) == ("bank_file.count_differs", "header")
    other = [*LINES[:3], replace(LINES[3], amount_fen=2)]
    assert refusal(lambda: write(HEADER, other)) == ("bank_file.sum_differs", "header")
    assert refusal(lambda: write(HEADER, [*LINES[:2], LINES[1]])) == ("bank_file.reference_repeats", "line 3")
    assert refusal(lambda: write(HEADER, [*LINES[:3], LINES[0]])) == ("bank_file.out_of_order", "line 4")


RETURN = (GOLDEN / "return.csv").read_bytes()


def test_a_return_is_read() -> None:
    read = read_return(RETURN)
    assert (read.file_id, read.account) == ("ZDF-2025-000001", "济南就业补助资金专户")
    assert (read.line_count, read.sum_fen) == (6, 392_108)
    assert read.lines == [
        ReturnLine(1, "ZD250000010001", 150_000, "done", ""),
        ReturnLine(2, "ZD250000010002", 100_005, "returned", "账户已销户, 退回"),
        ReturnLine(3, "ZD250000010003", 70_000, "failed:permanent", "no_such_account"),
        ReturnLine(4, "ZD250000010004", 1, "E-77", "a code of the bank's own"),
        ReturnLine(5, "ZD250000010004", 2, "unknown", ""),
        ReturnLine(6, "NOBODY'S", 72_100, "failed:temporary", ""),
    ]


def test_an_empty_return_says_nothing_and_is_whole() -> None:
    read = read_return(b"H,ZHIDA-RETURN-1,F1,ACC,0,0.00\r\nT,F1,0,0.00\r\n")
    assert (read.lines, read.sum_fen) == ([], 0)


def test_every_truncation_is_noticed() -> None:
    whole = read_return(RETURN)
    for length in range(len(RETURN) - 2):  # without the last CRLF nothing is missing
        with pytest.raises(Invalid) as refused:
            read_return(RETURN[:length])
        assert refused.value.code.startswith("return.")
    assert read_return(RETURN[:-2]) == whole


def made(*rows: str, head: str = "H,ZHIDA-RETURN-1,F1,ACC,1,10.00", tail: str = "T,F1,1,10.00") -> bytes:
    return "\r\n".join([head, *rows, tail, ""]).encode()


GOOD = "R,1,REF1,10.00,done,"


def test_the_frame_of_the_table_below_is_good() -> None:
    assert read_return(made(GOOD)).lines == [ReturnLine(1, "REF1", 1000, "done", "")]


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "return.form", "header"),
        (b"\r\n", "return.form", "header"),
        (RETURN.replace(b"ZHIDA-RETURN-1", b"OTHERBANK-9"), "return.form", "header"),
        ((GOLDEN / "payments.csv").read_bytes(), "return.form", "header"),
        (made(GOOD, head="H,ZHIDA-RETURN-1,F1,,1,10.00"), "return.form", "header"),
        (made(GOOD, head="H,ZHIDA-RETURN-1,F1,ACC,1"), "return.form", "header"),
        (made(GOOD, head="H,ZHIDA-RETURN-1,F1,ACC,one,10.00"), "return.form", "header"),
        (made(GOOD, head="H,ZHIDA-RETURN-1,F1,ACC,1,NaN"), "return.amount", "header"),
        (made(GOOD, head="H,ZHIDA-RETURN-1,F1,ACC,2,10.00"), "return.count_differs", "header"),
        (made(GOOD, head="H,ZHIDA-RETURN-1,F1,ACC,1,10.01"), "return.sum_differs", "header"),
        (made(GOOD, tail="T,F1,2,10.00"), "return.count_differs", "trailer"),
        (made(GOOD, tail="T,F1,1,9.99"), "return.sum_differs", "trailer"),
        (made(GOOD, tail="T,F2,1,10.00"), "return.file_differs", "trailer"),
        (made(GOOD, tail="T,F1,1"), "return.form", "trailer"),
        (made(GOOD, tail=""), "return.form", "line 3"),
        (made(GOOD)[:-14], "return.truncated", "trailer"),
        (made(GOOD) + b"R,2,REF2,1.00,done,\r\n", "return.after_trailer", "line 4"),
        (made(GOOD) + made(GOOD), "return.after_trailer", "line 4"),
        (made("R,2,REF1,10.00,done,"), "return.form", "line 2"),
        (made("R,1,REF1,10.00,done"), "return.form", "line 2"),
        (made("D,1,REF1,10.00,done,"), "return.form", "line 2"),
        (made('R,1,"REF1,10.00,done,'), "return.form", "line 3"),
        (made('R,1,"REF1"x,10.00,done,'), "return.form", "line 2"),
        (made('R,1,"RE\nF1",10.00,done,'), "return.form", "line 2"),
        (made("R,1,RE\x00F1,10.00,done,"), "return.form", "line 2"),
        (made("R,1,RE\u200bF1,10.00,done,"), "return.form", "line 2"),
        (made("R,1,REF1,10.00,done," + "x" * 201), "return.form", "line 2"),
        (made("R,1,REF1,10.00,done," + "x" * 200_000), "return.form", "line 2"),
        (b"\xef\xbb\xbf" + made(GOOD), "return.form", "line 1"),
        (made(GOOD).replace(b"REF1", "张".encode("gb18030")), "return.encoding", "file"),
    ],
)
def test_what_is_not_whole_and_true_is_refused(data: bytes, code: str, field: str) -> None:
    assert refusal(lambda: read_return(data)) == (code, field)


NO_AMOUNT = (
    *("NaN", "Infinity", "1e3", "100.005", "-1.00", "+1.00", "0.00", "true", '"1,000.00"', "１０.００", "٣.٠٠"),
    *("10", "10.0", ".10", "010.00", " 10.00", "10.00 ", "", "10,00", "¥10.00"),
    *("92233720368547758.08", "99999999999999999999.00"),
)


@pytest.mark.parametrize("amount", NO_AMOUNT)
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    data = made(f"R,1,REF1,{amount},done,")
    code, field = refusal(lambda: read_return(data))
    assert field == "line 2"
    assert code == ("return.form" if amount == "10,00" else "return.amount")  # an unquoted comma is another cell


def test_the_largest_amount_is_read() -> None:
    largest = "92233720368547758.07"
    data = made(f"R,1,REF1,{largest},done,", head=f"H,ZHIDA-RETURN-1,F1,ACC,1,{largest}", tail=f"T,F1,1,{largest}")
    assert read_return(data).sum_fen == 2**63 - 1


def test_a_return_without_end_is_refused() -> None:
    rows = [f"R,{n},REF{n},1.00,done," for n in range(1, LINES_MAX + 2)]
    assert refusal(lambda: read_return(made(*rows))) == ("return.too_long", f"line {LINES_MAX + 2}")
