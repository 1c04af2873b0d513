"""Promises about batches: three persons, what they signed, and the bytes that went to the bank.

What was signed is recomputed from the opened lines, one batch at a time: a batch is at most one bank file.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, exists, select

from domain.agent_bank import BankFormat, BankTerms
from domain.batch import AttemptStatus, BatchContent, BatchStatus, PaymentLine, content_of
from domain.errors import Invalid
from service.audit.queries.checks import Breach, Check, Promise
from service.batches.tables import AttemptRow, BankFileRow, BatchRow, LeftOutRow, TreasuryTransferRow
from service.crypto import CannotOpen, keyring
from service.database import Tx
from service.gateways.bank_files import FORMS, BankFileHeader, write

THREE_PERSONS = Promise(
    7,
    "three_persons",
    "batch_signatures",
    (
        Check(
            "batch_signatures",
            "同一人在一个批次上签了两次，或同一环节签了两次",
            """SELECT s.batch_id FROM batch_signatures s JOIN people p ON p.id = s.person_id
                GROUP BY s.batch_id
               HAVING count(DISTINCT coalesce(p.merged_into, p.id)) < count(*)
                   OR count(DISTINCT s.step) < count(*)""",
        ),
        Check(
            "batch_signatures",
            "签字的用户不是签字的人",
            """SELECT s.batch_id || '/' || s.step FROM batch_signatures s JOIN users u ON u.id = s.user_id
                WHERE u.person_id <> s.person_id""",
        ),
        Check(
            "batches",
            "缺少签字",
            """SELECT DISTINCT b.id FROM batches b
                 JOIN unnest(CAST(:signed_statuses AS text[]), CAST(:signed_checks AS integer[]),
                             CAST(:signed_steps AS text[])) AS needed (status, checks, step)
                   ON needed.status = b.status AND needed.checks = b.checks_needed
                WHERE NOT EXISTS (SELECT FROM batch_signatures s WHERE s.batch_id = b.id AND s.step = needed.step)""",
        ),
        Check(
            "batches",
            "按定下复核人数那天的参数，人数不够",
            """SELECT b.id FROM batches b
                 JOIN LATERAL (SELECT j.at FROM journal j
                                WHERE j.subject_kind = 'batch' AND j.subject_id = b.id
                                  AND j.action IN ('freeze', 'refreeze', 'submit') AND j.after ? 'checks_needed'
                                ORDER BY j.id DESC LIMIT 1) settled ON true
                 JOIN policies p ON p.key = 'batch_check_steps'
                  AND p.in_force @> (settled.at AT TIME ZONE 'Asia/Shanghai')::date
                CROSS JOIN LATERAL (SELECT greatest(b.sum_fen, (b.together ->> 'fen')::bigint)) paid (fen)
                WHERE b.status <> 'dissolved'
                  AND b.checks_needed < 1 + (paid.fen >= (p.value ->> 'two_from_fen')::bigint)::integer
                                          + (paid.fen >= (p.value ->> 'three_from_fen')::bigint)::integer""",
        ),
        Check(
            "batch_signatures",
            "代签的人没有经两人同意的委托，或委托不是这个区、这一环节、这一天的",
            """SELECT s.batch_id || '/' || s.step FROM batch_signatures s
                 JOIN batches b ON b.id = s.batch_id
                 LEFT JOIN batch_delegations d ON d.id = s.delegation_id
                 LEFT JOIN people p ON p.id = d.proposed_person
                 LEFT JOIN people q ON q.id = d.confirmed_person
                WHERE s.delegation_id IS NOT NULL
                  AND (d.district, d.delegate_user, d.delegate_person, d.post,
                       (s.signed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN d.first_day AND d.last_day,
                       coalesce(p.merged_into, p.id) <> coalesce(q.merged_into, q.id))
                      IS DISTINCT FROM
                      (b.district, s.user_id, s.person_id,
                       CASE s.step WHEN 'assemble' THEN 'maker' WHEN 'release' THEN 'releaser' ELSE 'checker' END,
                       true, true)""",
        ),
        Check(
            "batch_holds",
            "整批冻结由同一个人解除，或冻结没有解除就签了字、送了银行",
            """SELECT h.id FROM batch_holds h
                 JOIN people p ON p.id = h.placed_person LEFT JOIN people q ON q.id = h.lifted_person
                WHERE coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id)
                   OR EXISTS (SELECT FROM batch_signatures s
                               WHERE s.batch_id = h.batch_id AND s.signed_at > h.placed_at
                                 AND s.signed_at < coalesce(h.lifted_at, 'infinity'))
                   OR (h.lifted_at IS NULL
                       AND EXISTS (SELECT FROM payment_attempts a
                                    WHERE a.batch_id = h.batch_id AND a.status NOT IN ('prepared', 'void')))""",
        ),
    ),
)

SIGNED_CONTENT = Promise(
    8,
    "signed_content",
    "batches WHERE content_hash IS NOT NULL",
    (
        Check(
            "batches",
            "已冻结，却没有内容",
            """SELECT id FROM batches WHERE status NOT IN ('opened', 'dissolved')
                  AND (content_hash IS NULL OR line_count IS NULL OR sum_fen IS NULL)""",
        ),
        Check(
            "batch_signatures",
            "签字所签的内容与批次的内容不符",
            """SELECT s.batch_id || '/' || s.step FROM batch_signatures s JOIN batches b ON b.id = s.batch_id
                WHERE (s.content_hash, s.line_count, s.sum_fen)
                      IS DISTINCT FROM (b.content_hash, b.line_count, b.sum_fen)""",
        ),
    ),
)

FILE_BYTES = Promise(
    4,
    "file_before_sending",
    "bank_files",
    (
        Check(
            "payment_attempts",
            "已经送出，却没有存下代发文件",
            """SELECT a.id FROM payment_attempts a WHERE a.status NOT IN ('prepared', 'void')
                  AND NOT EXISTS (SELECT FROM bank_files f WHERE f.batch_id = a.batch_id)""",
        ),
    ),
)


BYTES_LEFT = Promise(
    5,
    "bytes_leave_as_agreed",
    "bank_file_sendings",
    (
        Check(
            "bank_file_sendings",
            "送出的不是存下的代发文件",
            """SELECT s.id FROM bank_file_sendings s LEFT JOIN bank_files f USING (batch_id)
                WHERE s.sha256 IS DISTINCT FROM f.sha256""",
        ),
        Check(
            "bank_file_sendings",
            "再送一次，却不在银行约定的时限内，或没有两个人决定",
            """SELECT s.id FROM bank_file_sendings s JOIN batches b ON b.id = s.batch_id
                 LEFT JOIN bank_file_sendings f ON f.batch_id = s.batch_id AND f.kind <> 'resent'
                 LEFT JOIN bank_file_resends r ON r.id = s.resend_id AND r.batch_id = s.batch_id
                WHERE s.kind = 'resent'
                  AND (r.confirmed_person IS NULL OR f.began_at IS NULL OR b.terms ->> 'way' <> 'http'
                       OR s.began_at
                          >= f.began_at + make_interval(mins => (b.terms ->> 'duplicate_minutes')::integer))""",
        ),
        Check(
            "bank_file_sendings",
            "再送的代发文件里，有支付已经算作没有付成",
            """SELECT s.id FROM bank_file_sendings s
                 JOIN journal left_again ON left_again.subject_kind = 'bank_file' AND left_again.action = 'resent'
                  AND left_again.subject_id = s.batch_id
                  AND left_again.after ->> 'resend_id' = CAST(s.resend_id AS text)
                 JOIN payment_attempts a ON a.batch_id = s.batch_id
                 JOIN journal ended ON ended.subject_kind = 'attempt' AND ended.subject_id = a.id
                  AND ended.after ->> 'status' = 'failed' AND ended.id < left_again.id""",
        ),
        Check(
            "bank_file_sendings",
            "同一份代发文件头一次送出记了两次",
            """SELECT batch_id FROM bank_file_sendings WHERE kind <> 'resent'
                GROUP BY batch_id HAVING count(*) > 1""",
        ),
        *(
            Check(
                table,
                "两次说的是同一个人",
                f"""SELECT d.id FROM {table} d
                     JOIN people p ON p.id = d.proposed_person JOIN people c ON c.id = d.confirmed_person
                    WHERE coalesce(p.merged_into, p.id) = coalesce(c.merged_into, c.id)""",  # noqa: S608 (our own names)
            )
            for table in ("bank_file_resends", "bank_file_handovers")
        ),
        Check(
            "payment_attempts",
            "由人带去的代发文件，去向没有两个人说定",
            """SELECT a.id FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
                WHERE b.terms ->> 'way' = 'files' AND a.status NOT IN ('void', 'prepared', 'sending')
                  AND NOT EXISTS (SELECT FROM bank_file_handovers h
                                   WHERE h.batch_id = a.batch_id AND h.confirmed_person IS NOT NULL)
                  AND NOT EXISTS (SELECT FROM restores)""",
        ),
    ),
)


@dataclass(frozen=True)
class Recomputed:
    """What opening the batches found: the first breach of promise 8 and of promise 4."""

    content: Breach | None
    file: Breach | None


async def reopen(tx: Tx) -> Recomputed:
    """Open every frozen batch's lines and file, and compare with what was signed and hashed."""
    content: Breach | None = None
    file: Breach | None = None
    async for batch_id, lines in _frozen(tx):
        if isinstance(lines, Breach):
            content = content or lines
            continue
        content = content or await _content_differs(tx, batch_id, content_of(lines))
        file = file or await _file_differs(tx, batch_id, lines)
    return Recomputed(content, file)


async def _frozen(tx: Tx) -> AsyncIterator[tuple[UUID, list[PaymentLine] | Breach]]:
    """Each frozen batch with its lines, or with the first line that does not open. Only the ids are held at once."""
    batch = BatchRow
    asked = select(batch.id, batch.status).where(batch.content_hash.is_not(None)).order_by(batch.id)
    for batch_id, status in (await tx.execute(asked)).all():
        try:
            yield batch_id, await _lines(tx, batch_id, status)
        except _Sealed as sealed:
            yield batch_id, Breach("payment_attempts", str(sealed.attempt_id), "收款人或账户的密文打不开")


class _Sealed(Exception):
    def __init__(self, attempt_id: UUID) -> None:
        super().__init__(str(attempt_id))
        self.attempt_id = attempt_id


async def _lines(tx: Tx, batch_id: UUID, status: str) -> list[PaymentLine]:
    """The lines as they were frozen last; dissolving voids them all, so a dissolved batch is all its void ones but
    those that had left before."""
    attempt = AttemptRow
    asked = select(
        attempt.id,
        attempt.reference,
        attempt.payee_sealed,
        attempt.account_sealed,
        attempt.bank_code,
        attempt.amount_fen,
    ).where(attempt.batch_id == batch_id)
    if status == BatchStatus.DISSOLVED:
        left = exists().where(
            LeftOutRow.batch_id == batch_id, LeftOutRow.claim_id == attempt.claim_id, LeftOutRow.step == "submit"
        )
        asked = asked.where(~left)
    else:
        asked = asked.where(attempt.status != str(AttemptStatus.VOID))
    return [_line(row) for row in await tx.execute(asked)]


def _line(row: Row[UUID, str, bytes, bytes, str, int]) -> PaymentLine:
    keys = keyring()
    try:
        payee, account = keys.open(row.payee_sealed, row.id), keys.open(row.account_sealed, row.id)
    except CannotOpen as cause:
        raise _Sealed(row.id) from cause
    return PaymentLine(row.reference, payee, account, row.bank_code, row.amount_fen)


async def _content_differs(tx: Tx, batch_id: UUID, found: BatchContent) -> Breach | None:
    batch = BatchRow
    asked = select(batch.content_hash, batch.line_count, batch.sum_fen).where(batch.id == batch_id)
    if tuple((await tx.execute(asked)).one()) == (found.content_hash, found.line_count, found.sum_fen):
        return None
    return Breach("batches", str(batch_id), "逐笔重算的散列、笔数或合计与批次不符")


async def _file_differs(tx: Tx, batch_id: UUID, lines: list[PaymentLine]) -> Breach | None:
    file = BankFileRow
    asked = (
        select(
            *(file.bytes_sealed, file.sha256, file.file_id, BatchRow.debit_account, BatchRow.terms),
            TreasuryTransferRow.transferred_on,
        )
        .join(BatchRow, BatchRow.id == file.batch_id)
        .join(TreasuryTransferRow, TreasuryTransferRow.batch_id == file.batch_id)
        .where(file.batch_id == batch_id)
    )
    row = (await tx.execute(asked)).one_or_none()
    if row is None:
        return None
    try:
        plain = keyring().open_bytes(row.bytes_sealed, batch_id)
    except CannotOpen:
        return Breach("bank_files", str(batch_id), "代发文件的密文打不开")
    if hashlib.sha256(plain).hexdigest() != row.sha256:
        return Breach("bank_files", str(batch_id), "代发文件的散列不符")
    terms = BankTerms.read(row.terms)
    total = sum(line.amount_fen for line in lines)
    header = BankFileHeader(row.file_id, row.transferred_on, row.debit_account, len(lines), total, terms.bank)
    if not _gives(terms.format, header, lines, plain):
        return Breach("bank_files", str(batch_id), "由批次重新生成的代发文件与存下的不同")
    return None


def _gives(form: BankFormat, header: BankFileHeader, lines: list[PaymentLine], plain: bytes) -> bool:
    """Whether the file written once more has these bytes; piece by piece, it may be large."""
    at = 0
    try:
        for piece in write(FORMS[form], header, sorted(lines, key=lambda each: each.reference)):
            if not plain.startswith(piece, at):
                return False
            at += len(piece)
    except Invalid:
        return False
    return at == len(plain)
