"""The GB18030 sample of an agent bank: its bytes are golden, its codes mean what the table says."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.agent_bank import BankFormat
from domain.batch import AttemptStatus, PaymentLine
from domain.errors import Invalid
from domain.reconciliation import AttemptFacts, ExceptionKind, ReturnLineFacts, VerdictKind, match
from service.gateways import bank_files
from service.gateways.bank_files import FORMS, BankFileHeader, ReturnLine
from service.gateways.bank_files.agent_gbk import RESULTS, carries, read_return

GOLDEN = Path(__file__).parent / "golden"
LINES = [
    PaymentLine("ZD250000010001", "张梅", "6222021602012345678", "102451000016", 150_000),
    PaymentLine("ZD250000010002", "阿依古丽·买买提", "6222021602012345686", "102451000016", 100_005),
    PaymentLine("ZD250000010003", "𠮷田㐂", "6222021602012340000", "102451000016", 70_000),
    PaymentLine("ZD250000010004", "=SUM(A1)", "37001602345", "105451000018", 1),
]
HEADER = BankFileHeader("ZDF-2025-000001", date(2025, 9, 18), "济南就业补助资金专户", 4, 320_006)


def write(header: BankFileHeader, lines: Iterable[PaymentLine]) -> bytes:
    return b"".join(bank_files.write(FORMS[BankFormat.AGENT_GBK], header, lines))


def one(line: PaymentLine) -> bytes:
    return write(replace(HEADER, line_count=1, sum_fen=line.amount_fen), [line])


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        act()
    return refused.value.code, refused.value.field


def test_the_bytes_are_golden() -> None:
    golden = (GOLDEN / "payments.gbk.txt").read_bytes()
    assert write(HEADER, LINES) == golden
    assert golden.count(b"\r\n") == golden.count(b"\n") == len(LINES) + 1
    assert "𠮷".encode("gb18030") in golden  # four bytes
    assert len("𠮷".encode("gb18030")) == 4


@pytest.mark.parametrize("payee", ["张|梅", "\ue863玉明", "梅" * 61])
def test_a_name_that_the_file_cannot_hold_is_refused(payee: str) -> None:
    assert refusal(lambda: one(replace(LINES[0], payee=payee))) == ("bank_file.not_carried", "line 1")


def test_more_lines_than_the_bank_takes_are_refused() -> None:
    assert refusal(lambda: write(replace(HEADER, line_count=10_000), LINES)) == ("bank_file.too_long", "header")


RESULT = (GOLDEN / "result.gbk.txt").read_bytes()


def test_a_result_file_is_read() -> None:
    read = read_return(RESULT)
    assert (read.form, read.file_id, read.account) == (
        BankFormat.AGENT_GBK,
        "ZDF-2025-000001",
        "济南就业补助资金专户",
    )
    assert (read.line_count, read.sum_fen) == (5, 320_007)
    assert read.lines == [
        ReturnLine(1, "ZD250000010001", 150_000, "done", "0000 交易成功"),
        ReturnLine(2, "ZD250000010002", 100_005, "failed:permanent", "1002 户名不符：㐂"),
        ReturnLine(3, "ZD250000010003", 70_000, "failed:temporary", "2002 超过当日限额"),
        ReturnLine(4, "ZD250000010004", 1, "7777", "7777 本行自定"),
        ReturnLine(5, "ZD250000010004", 1, "returned", "3001"),
    ]


def test_every_code_of_the_table_settles_and_any_other_is_for_a_person() -> None:
    attempt = AttemptFacts("R", 1, AttemptStatus.SENT)
    for code, meaning in RESULTS.items():
        assert match(attempt, ReturnLineFacts("R", 1, meaning)).kind != VerdictKind.EXCEPTION, code
    assert match(attempt, ReturnLineFacts("R", 1, "7777")).exception == ExceptionKind.UNKNOWN_CODE


def test_every_truncation_is_noticed() -> None:
    for length in range(len(RESULT)):
        with pytest.raises(Invalid) as refused:
            read_return(RESULT[:length])
        assert refused.value.code.startswith("return.")


def made(*rows: str, head: str = "HP|F1|20250918|ACC|1|10.00") -> bytes:
    return "\r\n".join([head, *rows, ""]).encode("gb18030")


GOOD = "1|REF1|10.00|0000|"


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "return.form", "header"),
        (made(GOOD, head="HP|F1|20250918|ACC|1"), "return.form", "header"),
        (made(GOOD, head="HP|F1|2025-09-18|ACC|1|10.00"), "return.form", "header"),
        (made(GOOD, head="HP|F1|20250918|ACC|x|10.00"), "return.form", "header"),
        (made(GOOD, head="HP|F1|20250918|ACC|2|10.00"), "return.count_differs", "header"),
        (made(GOOD, head="HP|F1|20250918|ACC|1|10.01"), "return.sum_differs", "header"),
        (made("2|REF1|10.00|0000|"), "return.form", "line 2"),
        (made("1|REF1|10.00|0000"), "return.form", "line 2"),
        (made("1|REF1|10|0000|"), "return.amount", "line 2"),
        (made("1|REF1|0.00|0000|"), "return.amount", "line 2"),
        (made("1|RE\x00F1|10.00|0000|"), "return.form", "line 2"),
        (made(GOOD) + b"\xff", "return.encoding", "file"),
        ((GOLDEN / "payments.gbk.txt").read_bytes(), "return.form", "header"),
    ],
)
def test_what_is_not_whole_and_true_is_refused(data: bytes, code: str, field: str) -> None:
    assert read_return(made(GOOD)).lines == [ReturnLine(1, "REF1", 1000, "done", "0000")]
    assert refusal(lambda: read_return(data)) == (code, field)


@settings(max_examples=60, deadline=None)
@given(st.text("张梅·𠮷㐂é\u3000'\" a0", min_size=1, max_size=40), st.integers(1, 10**12))
def test_whatever_is_written_the_bank_reads_back(payee: str, amount_fen: int) -> None:
    assume(payee.strip() and carries("payee", payee))
    line = replace(LINES[0], payee=payee, amount_fen=amount_fen)
    data = one(line)
    head, row, end = data.decode("gb18030").split("\r\n")
    assert (head.split("|")[4], end) == ("1", "")
    assert row.split("|")[1:4] == [line.reference, line.account, payee]
    assert int(row.split("|")[5].replace(".", "")) == amount_fen
