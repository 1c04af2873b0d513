"""The vouchers of a batch, read as they are written: a page of payments at a time, whatever the batch holds."""

import tomllib
from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.voucher import EconomicCode, Entry, EntryKind, PayeeKind, Side, VoucherLine, codes_of, lines_of
from service.batches.queries import find_batch
from service.batches.schemas import BatchView
from service.clock import business_day
from service.database import Tx, transaction
from service.gateways.account_books import AccountSheet, Amount, Cell, csv_piece
from service.policies.queries import DATA

#: Payments that are read at a time, and bytes of a workbook that are sent at a time.
PAGE, PIECE = 2_000, 256 * 1024

# What the bank paid and what it brought back, by the journal of each payment: a payment that came back before it was
# known to be paid was never spent. No name, no account: a reference is all there is of a person.
_ENTRIES = text("""
    SELECT a.reference, a.amount_fen, j.action, j.at,
           CASE WHEN c.payee_institution_id IS NULL THEN 'person' WHEN c.channel = 'enterprise' THEN 'enterprise'
                ELSE 'institution' END AS payee
      FROM (SELECT id, reference, amount_fen, claim_id FROM payment_attempts
             WHERE batch_id = :batch AND status IN ('done', 'returned') AND reference > :after
             ORDER BY reference LIMIT :page) AS a
      JOIN claims c ON c.id = a.claim_id
      LEFT JOIN journal j ON j.subject_kind = 'attempt' AND j.subject_id = a.id
       AND (j.action = 'succeed' OR (j.action = 'return' AND j.before ->> 'status' = 'done'))
     ORDER BY a.reference, j.id
""")
_KINDS = {"succeed": EntryKind.PAYMENT, "return": EntryKind.RETURN}


@cache
def _codes() -> tuple[Mapping[str, Any], ...]:
    return tuple(tomllib.loads((DATA / "economic_codes.toml").read_text("utf-8"))["code"])


def economic_codes(fund: str) -> dict[PayeeKind, EconomicCode]:
    """Under which codes a fund's payments are accounted for, by the kind of payee."""
    return codes_of(_codes(), fund)


async def batch_to_account(tx: Tx, me: Actor, batch_id: UUID) -> BatchView:
    """A batch of my district; NotFound `batch.not_found`."""
    return await find_batch(tx, me, batch_id)


async def entries_of(batch_id: UUID) -> AsyncIterator[list[Entry]]:
    """The entries of a batch in order of reference, page by page, all as of one moment."""
    async with transaction() as tx:
        await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        after = ""
        while rows := (await tx.execute(_ENTRIES, {"batch": batch_id, "after": after, "page": PAGE})).all():
            after = rows[-1].reference
            yield _entries(rows)


def _entries(rows: Sequence[Any]) -> list[Entry]:
    return [
        Entry(business_day(row.at), _KINDS[row.action], row.reference, PayeeKind(row.payee), row.amount_fen)
        for row in rows
        if row.action is not None
    ]


HEADING = (
    *("序号", "批次", "日期", "摘要", "付款号", "科目", "政府支出经济分类", "部门支出经济分类"),
    *("借方金额（元）", "贷方金额（元）", "备注"),
)
#: Of the columns of a workbook, in signs.
WIDTHS = (8, 14, 12, 12, 26, 30, 28, 30, 16, 16, 16)
_SUMMARIES = {EntryKind.PAYMENT: "发放补贴", EntryKind.RETURN: "退票冲回"}


@dataclass
class VoucherBook:
    """The lines of one batch as rows, numbered and added up as they come. `account` is the label of the bank account
    that was debited, `expenditure` what the other side is called."""

    number: str
    account: str
    expenditure: str
    codes: Mapping[PayeeKind, EconomicCode]
    totals: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    count: int = 0

    @classmethod
    def of(cls, batch: BatchView) -> "VoucherBook":
        """The book of a batch, still empty."""
        return cls(batch.number, batch.debit_account, f"{batch.fund_name}支出", economic_codes(batch.fund))

    def rows(self, entries: Sequence[Entry]) -> list[list[Cell]]:
        """The next rows: two an entry."""
        return [self._row(line) for line in lines_of(entries, self.codes)]

    def total(self) -> list[Cell]:
        """The last row. Debits and credits are equal: each entry is both."""
        return ["合计", self.number, *[""] * 6, *(Amount(self.totals[side]) for side in Side), ""]

    def _row(self, line: VoucherLine) -> list[Cell]:
        entry, code, amount = line.entry, line.code, Amount(line.entry.amount_fen)
        self.count += 1
        self.totals[line.side] += entry.amount_fen
        about = (self.count, self.number, entry.on.isoformat(), _SUMMARIES[entry.kind], entry.reference)
        amounts: tuple[Cell, Cell] = (amount, "") if line.side is Side.DEBIT else ("", amount)
        if code is None:
            return [*about, self.account, "", "", *amounts, ""]
        return [*about, self.expenditure, *_classified(code), *amounts, "经济分类为示例" if code.sample else ""]


def _piece(book: VoucherBook, entries: Sequence[Entry]) -> bytes:
    return csv_piece(book.rows(entries))


@cache
def _classified(code: EconomicCode) -> tuple[str, str]:
    return f"{code.government} {code.government_name}", f"{code.department} {code.department_name}"


async def vouchers_csv(batch: BatchView) -> AsyncIterator[bytes]:
    """The vouchers as CSV, a piece a page of payments."""
    book = VoucherBook.of(batch)
    yield csv_piece([HEADING], first=True)
    async for entries in entries_of(batch.id):
        yield await to_thread(_piece, book, entries)
    yield csv_piece([book.total()])


async def vouchers_xlsx(batch: BatchView) -> AsyncIterator[bytes]:
    """The vouchers as a workbook, which lies in a temporary file until it is whole; written in threads, for it takes
    its time."""
    book = VoucherBook.of(batch)
    with TemporaryFile() as file, AccountSheet(file, "凭证", WIDTHS) as sheet:
        sheet.add([HEADING])
        async for entries in entries_of(batch.id):
            await to_thread(sheet.add, book.rows(entries))
        sheet.add([book.total()])
        await to_thread(sheet.finish)
        file.seek(0)
        while piece := await to_thread(file.read, PIECE):
            yield piece
