"""What the references on a statement's lines name: payments, files, vouchers of the treasury."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, SQLColumnExpression, Text, Uuid, func, literal, or_, select, union

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.errors import NotFound
from domain.statement import Owner, Payment, Side, Total
from service.access.tables import DistrictRow
from service.batches.tables import AttemptRow, BankFileRow, BatchRow, TreasuryTransferRow
from service.database import Tx
from service.funds.queries import repaid_among
from service.funds.tables import FundRow
from service.statements.tables import StatementLineRow


@dataclass(frozen=True)
class Account:
    """An account that pays: a district's, of a fund."""

    label: str
    district: str
    fund: str


@dataclass(frozen=True)
class Named:
    """What a reference names: `facts` decide, the ids are kept with the line."""

    facts: Payment | Total
    batch_id: UUID
    attempt_id: UUID | None = None
    claim_id: UUID | None = None


async def account_of(tx: Tx, label: str, me: Actor | None) -> Account:
    """The account with this label, of my district. NotFound `statement.account_unknown`, also for another's."""
    named = FundRow.name + "专户-" + DistrictRow.code
    now = select(FundRow.code, DistrictRow.code.label("district")).join(DistrictRow, named == label)
    once = select(BatchRow.fund, BatchRow.district).where(BatchRow.debit_account == label)
    found = (await tx.execute(union(now, once))).one_or_none()
    if found is None or (me is not None and me.district and me.district != found[1]):
        raise NotFound("statement.account_unknown")
    return Account(label, found[1], found[0])


def _among(column: SQLColumnExpression[str], values: Collection[str]) -> ColumnElement[bool]:
    return column == func.any(literal(list(values), ARRAY(Text)))


async def batches_named(tx: Tx, references: Collection[str]) -> list[UUID]:
    """The batches whose payments or files these name, in order of id."""
    of_payments = select(AttemptRow.batch_id).where(_among(AttemptRow.reference, references))
    of_files = select(BankFileRow.batch_id).where(_among(BankFileRow.file_id, references))
    return sorted((await tx.execute(union(of_payments, of_files))).scalars())


async def what_is_named(tx: Tx, account: Account, references: Collection[str]) -> dict[str, Named]:
    """Reference → what it names. The batches are locked: nobody else counts their lines meanwhile."""
    payments = await _payments(tx, account, references)
    return {**await _vouchers(tx, account, references), **await _files(tx, account, references), **payments}


async def _payments(tx: Tx, account: Account, references: Collection[str]) -> dict[str, Named]:
    attempt, batch = AttemptRow, BatchRow
    asked = select(
        *(attempt.id, attempt.reference, attempt.claim_id, attempt.batch_id, attempt.amount_fen, attempt.status),
        batch.debit_account,
    ).join(batch, batch.id == attempt.batch_id)
    rows = (await tx.execute(asked.where(_among(attempt.reference, references)))).all()
    counted = await _counted(tx, [row.id for row in rows], [row.batch_id for row in rows])
    repaid = await repaid_among(tx, [row.claim_id for row in rows])
    return {
        row.reference: Named(
            Payment(
                AttemptStatus(row.status),
                row.amount_fen,
                row.debit_account == account.label,
                counted.get(row.id, frozenset()) | counted.get(row.batch_id, frozenset()),
                row.claim_id in repaid,
            ),
            row.batch_id,
            row.id,
            row.claim_id,
        )
        for row in rows
    }


async def _counted(tx: Tx, attempts: Sequence[UUID], batches: Sequence[UUID]) -> Mapping[UUID, frozenset[Side]]:
    """Attempt, or batch that was debited in one sum → the sides on which a line of it was counted."""
    line = StatementLineRow
    of_attempts = (line.attempt_id == func.any(literal(list(attempts), ARRAY(Uuid)))) & line.owner.in_(
        (str(Owner.PAYMENT), str(Owner.RETURN))
    )
    of_batches = (line.batch_id == func.any(literal(list(set(batches)), ARRAY(Uuid)))) & (
        line.owner == str(Owner.BATCH)
    )
    found: dict[UUID, frozenset[Side]] = {}
    for row in await tx.execute(
        select(line.attempt_id, line.batch_id, line.owner, line.side).where(or_(of_attempts, of_batches))
    ):
        key = row.batch_id if row.owner == Owner.BATCH else row.attempt_id
        found[key] = found.get(key, frozenset()) | {Side(row.side)}
    return found


async def _files(tx: Tx, account: Account, references: Collection[str]) -> dict[str, Named]:
    """A bank debits a file in one sum: of all it was sent, or without what it could not pay."""
    batch, file, attempt, line = BatchRow, BankFileRow, AttemptRow, StatementLineRow
    failed = select(func.coalesce(func.sum(attempt.amount_fen), 0)).where(
        attempt.batch_id == batch.id, attempt.status == str(AttemptStatus.FAILED)
    )
    counted = select(line.id).where(line.batch_id == batch.id, line.owner.in_((str(Owner.BATCH), str(Owner.PAYMENT))))
    asked = (
        select(
            *(batch.id, file.file_id, file.sum_fen, batch.debit_account),
            failed.scalar_subquery().label("failed_fen"),
            counted.exists().label("counted"),
        )
        .join(file, file.batch_id == batch.id)
        .where(_among(file.file_id, references))
    )
    return {
        row.file_id: Named(
            Total(
                Owner.BATCH,
                (row.sum_fen, row.sum_fen - int(row.failed_fen)),
                row.debit_account == account.label,
                row.counted,
            ),
            row.id,
        )
        for row in await tx.execute(asked)
    }


async def _vouchers(tx: Tx, account: Account, references: Collection[str]) -> dict[str, Named]:
    """A voucher that was carried over to another batch is over what it was first."""
    transfer, batch, line = TreasuryTransferRow, BatchRow, StatementLineRow
    counted = select(line.id).where(
        line.reference == transfer.voucher, line.account == account.label, line.owner == str(Owner.TREASURY)
    )
    asked = (
        select(
            *(transfer.voucher, transfer.sum_fen, transfer.batch_id, batch.district, batch.fund),
            counted.exists().label("counted"),
        )
        .join(batch, batch.id == transfer.batch_id)
        .where(_among(transfer.voucher, references))
        .order_by(transfer.sum_fen, batch.id)
    )
    return {
        row.voucher: Named(
            Total(
                Owner.TREASURY,
                (row.sum_fen,),
                (row.district, row.fund) == (account.district, account.fund),
                row.counted,
            ),
            row.batch_id,
        )
        for row in await tx.execute(asked)
    }
