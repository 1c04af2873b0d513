"""A file as agent banks take it at the counter (代发文件), and its result file (回盘): a sample, no real bank's.

Every bank has a layout of its own; this one is made up after the common shape, and docs/banks.md shows how to turn it
into a real bank's. GB18030, rows end in CRLF, cells stand between bars, amounts are yuan with exactly two decimals.
At most 9,999 payments. Rows of a payment file:

    DF|<file id>|<released on, YYYYMMDD>|<debit account>|<count>|<sum>|CNY
    <line number, 4 digits>|<reference>|<account>|<payee>|<bank code>|<amount>|职业培训补贴     in order of reference

and of a result file, in which the bank may say less or more than was sent:

    HP|<file id>|<processed on, YYYYMMDD>|<debit account>|<count>|<sum>
    <line number from 1>|<reference>|<amount>|<result code>|<the bank's words>

The count in the head shows where a file is cut off. A bar cannot be quoted, so no cell may hold one. Names from the
private area are refused as well: readers of GB18030 of 2005 and of 2022 see other characters there.
"""

import re
import unicodedata
from collections.abc import Mapping

from domain.agent_bank import LINES_MAX, BankFormat
from domain.batch import PaymentLine
from domain.errors import Invalid
from service.gateways.bank_files.form import LINES_MAX as RETURN_LINES_MAX
from service.gateways.bank_files.form import (
    BankFileHeader,
    ReturnFile,
    ReturnLine,
    are_texts,
    fen,
    must_agree,
    yuan,
)

FORMAT = BankFormat.AGENT_GBK
EXTENSION, MEDIA_TYPE = "txt", "text/plain; charset=gb18030"
RETURN_MEDIA_TYPES: tuple[str, ...] = ("text/plain",)

PAY, RESULT, PURPOSE = "DF", "HP", "职业培训补贴"

#: Bytes that a cell may take in GB18030.
_BYTES_MAX: Mapping[str, int] = {"payee": 120, "account": 32, "bank_code": 14, "debit_account": 60}

#: What the result codes of this sample mean; the bank's annex would stand here. Any other code is for a person.
RESULTS: Mapping[str, str] = {
    "0000": "done",
    "1001": "failed:permanent",  # 账号不存在
    "1002": "failed:permanent",  # 户名与账号不符
    "1003": "failed:permanent",  # 账户已销户
    "1004": "failed:permanent",  # 账户类型不能入账
    "2001": "failed:temporary",  # 账户暂停收付
    "2002": "failed:temporary",  # 超过当日限额
    "2003": "failed:temporary",  # 付款账户余额不足
    "2999": "failed:unknown",  # 未入账，原因不详
    "3001": "returned",  # 已退汇
    "8001": "pending",  # 处理中
    "9999": "unknown",  # 结果不明
}

_COUNT = re.compile(r"0|[1-9][0-9]{0,5}")
_DAY = re.compile(r"[0-9]{8}")


def head(header: BankFileHeader) -> bytes:
    limit = LINES_MAX[FORMAT]
    if header.line_count > limit:
        raise Invalid("bank_file.too_long", "header", limit=limit)
    day, total = f"{header.released_on:%Y%m%d}", yuan(header.sum_fen)
    return _bytes(PAY, header.file_id, day, header.debit_account, str(header.line_count), total, "CNY")


def line(number: int, line: PaymentLine) -> bytes:
    cells = (line.reference, line.account, line.payee, line.bank_code, yuan(line.amount_fen), PURPOSE)
    return _bytes(f"{number:04d}", *cells)


def tail(header: BankFileHeader) -> bytes:
    return b""


def carries(cell: str, text: str) -> bool:
    # no character takes more than four bytes, so that nearly every cell need not be encoded to be measured
    size, most = len(text) if text.isascii() else 4 * len(text), _BYTES_MAX.get(cell, 60)
    if "|" in text or (size > most and len(text.encode("gb18030")) > most):
        return False
    return text.isprintable() or not any(unicodedata.category(each) == "Co" for each in text)


def recognises(data: bytes) -> bool:
    return data.startswith(f"{RESULT}|".encode())


def _bytes(*cells: str) -> bytes:
    return ("|".join(cells) + "\r\n").encode("gb18030")


def read_return(data: bytes) -> ReturnFile:
    """A result file that is whole and adds up, or nothing of it.

    Raises Invalid with the fields `file`, `header` or `line N` (N: the row in the file, from 1) and the codes
    `return.encoding`, `return.form`, `return.amount`, `return.truncated`, `return.count_differs` and
    `return.sum_differs` (stated, actual), `return.too_long` (limit).
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise Invalid("return.encoding", "file") from None
    first, *rows = text.split("\r\n")
    file_id, account, count, total = _head(first)
    if not rows or rows.pop() != "":
        raise Invalid("return.truncated", f"line {len(rows) + 2}")
    if len(rows) > RETURN_LINES_MAX:
        raise Invalid("return.too_long", "file", limit=RETURN_LINES_MAX)
    lines = [_line(number, row) for number, row in enumerate(rows, start=1)]
    actual = len(lines), sum(line.amount_fen for line in lines)
    must_agree("return", "header", (count, total), actual)
    return ReturnFile(FORMAT, file_id, account, *actual, lines)


def _head(row: str) -> tuple[str, str, int, int]:
    """File id, account, count and sum."""
    cells = row.split("|")
    if len(cells) != 6 or cells[0] != RESULT or not all(cells) or not are_texts(cells):
        raise Invalid("return.form", "header")
    _, file_id, day, account, count, total = cells
    if not _DAY.fullmatch(day) or not _COUNT.fullmatch(count):
        raise Invalid("return.form", "header")
    return file_id, account, int(count), fen(total, "header")


def _line(number: int, row: str) -> ReturnLine:
    field = f"line {number + 1}"
    cells = row.split("|")
    if len(cells) != 5 or cells[0] != str(number) or not are_texts(cells):
        raise Invalid("return.form", field)
    _, reference, amount, code, words = cells
    amount_fen = fen(amount, field)
    if amount_fen == 0:
        raise Invalid("return.amount", field)
    return ReturnLine(number, reference, amount_fen, RESULTS.get(code, code), f"{code} {words}".strip())
