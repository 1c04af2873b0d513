"""A payment that did not arrive: another account, or another attempt, and the claim is payable again."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from domain.account import BankAccount
from domain.actor import Actor, Post
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.identity import same_name
from domain.reconciliation import Remedy, remedy_for
from service.claims.commands.moves import move_claim
from service.claims.queries.care import claimed_by, failure_of, lock_for_officer
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewAccount, NewMending
from service.claims.tables import ClaimRow
from service.clock import business_day
from service.database import Tx
from service.institutions.commands.accounts import payable_account
from service.institutions.queries.registry import account_on
from service.journal import By
from service.people.commands import ensure_account
from service.people.queries import name_of


async def mend_account(tx: Tx, me: Actor, claim_id: UUID, new: NewMending, now: datetime) -> ClaimView:
    """The claimant, or the institution that filed, names the account to be paid to; the next batch pays there.

    Invalid for what is no account, `account.holder_differs`, `account.unchanged` where it is this very account that
    cannot be paid to; Conflict `wrong_status` unless the claim bounced; NotFound for a claim that is not the asker's.
    """
    row = ClaimRow
    asked = select(row.person_id, row.account_id, row.status, row.payee_institution_id)
    mine = asked.where(row.id == claim_id, claimed_by(me))
    claim = (await tx.execute(mine.with_for_update())).one_or_none()
    if claim is None:
        raise NotFound("claim.not_found")
    CLAIM_LIFECYCLE.after(ClaimStatus(claim.status), ClaimAction.MEND)
    account_id = await _account(tx, claim, new.account, business_day(now))
    if account_id == claim.account_id and remedy_for(await failure_of(tx, claim_id)) is Remedy.NEW_ACCOUNT:
        raise Invalid("account.unchanged", field="account.number")
    by = By.actor(me, Post.TRAINEE if claim.person_id == me.person_id else Post.CLERK, now)
    changes = {"account_id": account_id}
    await move_claim(tx, ClaimAction.MEND, claim_id, by, changes=changes)
    return await claim_view(tx, me, claim_id)


async def _account(tx: Tx, claim: Row[*tuple[Any, ...]], typed: NewAccount | None, today: date) -> UUID:
    """The account that is typed for a person; an institution that is paid has the one confirmed for today."""
    if claim.payee_institution_id is not None:
        if typed is not None:
            raise Invalid("account.of_enterprise", field="account")
        found = await account_on(tx, claim.payee_institution_id, today)
        if found is None:
            raise Conflict("account.none_in_force")
        return await payable_account(tx, found[0])
    if typed is None:
        raise Invalid("value.missing", field="account")
    account = BankAccount.parse(typed.number, typed.holder, typed.bank_code)
    if not same_name(account.holder.text, await name_of(tx, claim.person_id)):
        raise Invalid("account.holder_differs", field="account.holder")
    return await ensure_account(tx, claim.person_id, account)


async def try_again(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """A maker of the district lets a payment be made again that failed for a passing reason, to the same account.

    Conflict `claim.needs_account` when only another account mends it, `wrong_status`; Forbidden `claim.own`.
    """
    me.must_hold(Post.MAKER)
    claim = await lock_for_officer(tx, me, claim_id)
    if claim.person_id == me.person_id:
        raise Forbidden("claim.own")
    CLAIM_LIFECYCLE.after(ClaimStatus(claim.status), ClaimAction.MEND)
    if remedy_for(await failure_of(tx, claim_id)) is not Remedy.TRY_AGAIN:
        raise Conflict("claim.needs_account")
    by = By.actor(me, Post.MAKER, now)
    await move_claim(tx, ClaimAction.MEND, claim_id, by, reason=note)
    return await claim_view(tx, me, claim_id)
