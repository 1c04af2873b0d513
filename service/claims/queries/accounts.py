"""Accounts that claimants named for money that came back, which another person has to confirm."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from domain.actor import Actor
from domain.errors import NotFound
from domain.identity import mask_name
from domain.money import format_yuan
from service.claims.queries.care import in_district
from service.claims.schemas import AccountCheckList, AccountCheckView
from service.claims.tables import AccountCheckRow, ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.people.tables import AccountRow


async def open_check(tx: Tx, claim_id: UUID) -> UUID | None:
    """The account of a claim that waits to be confirmed."""
    row = AccountCheckRow
    asked = select(row.id).where(row.claim_id == claim_id, row.answered_at.is_(None))
    return (await tx.execute(asked)).scalar_one_or_none()


async def locked_check(tx: Tx, me: Actor, check_id: UUID) -> Any:
    """One of my district, with its claim locked. NotFound `account.no_check`."""
    row, claim = AccountCheckRow, ClaimRow
    asked = select(row.__table__).join(claim, claim.id == row.claim_id).where(row.id == check_id, in_district(me))
    found = (await tx.execute(asked.with_for_update(of=(row, claim)))).one_or_none()
    if found is None:
        raise NotFound("account.no_check")
    return found


def _checks() -> Select[*tuple[Any, ...]]:
    row, claim, account = AccountCheckRow, ClaimRow, AccountRow
    return (
        select(
            *(row.id, row.claim_id, claim.amount_fen, account.id.label("account_id"), account.holder_sealed),
            *(account.number_sealed, account.bank_code, row.proposed_at, row.confirmed, row.note),
        )
        .join(claim, claim.id == row.claim_id)
        .join(account, account.id == row.account_id)
    )


async def check_view(tx: Tx, check_id: UUID) -> AccountCheckView:
    """One that the caller may answer."""
    return _view((await tx.execute(_checks().where(AccountCheckRow.id == check_id))).one())


async def find_check(tx: Tx, me: Actor, check_id: UUID) -> AccountCheckView:
    """One of my district. NotFound `account.no_check`."""
    found = (await tx.execute(_checks().where(AccountCheckRow.id == check_id, in_district(me)))).one_or_none()
    if found is None:
        raise NotFound("account.no_check")
    return _view(found)


async def open_checks(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> AccountCheckList:
    """A page of those of my district that wait; `cursor` is the last one seen."""
    row = AccountCheckRow
    asked = _checks().where(row.answered_at.is_(None), in_district(me))
    if cursor is not None:
        asked = asked.where(row.id > cursor)
    rows = (await tx.execute(asked.order_by(row.id).limit(limit + 1))).all()
    return AccountCheckList([_view(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def _view(row: Row[Any]) -> AccountCheckView:
    """With the number's last four digits, as everywhere: whoever checks compares them with the claimant's card."""
    keys = keyring()
    return AccountCheckView(
        id=row.id,
        claim_id=row.claim_id,
        amount_fen=row.amount_fen,
        amount=format_yuan(row.amount_fen),
        holder=mask_name(keys.open(row.holder_sealed, row.account_id)),
        account_tail=keys.open(row.number_sealed, row.account_id)[-4:],
        bank_code=row.bank_code,
        proposed_at=row.proposed_at,
        confirmed=row.confirmed,
        note=row.note,
    )
