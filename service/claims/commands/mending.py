"""A payment that did not arrive: another account, or another attempt, and the claim is payable again.

For much money another person confirms the account first: whoever can mend a claim could send its money anywhere.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update

from domain.account import BankAccount, needs_check
from domain.actor import Actor, Post
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.identity import same_name
from domain.reconciliation import Remedy, remedy_for
from domain.step_up import Decision
from domain.text import public_words
from service.access.commands import proven
from service.claims.commands.moves import move_claim
from service.claims.queries.accounts import check_view, locked_check, open_check
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import claimed_by, failure_of, lock_for_officer
from service.claims.queries.views import claim_view
from service.claims.schemas import AccountCheckView, ClaimView, NewAccount, NewAccountAnswer, NewMending
from service.claims.tables import AccountCheckRow, ClaimRow
from service.clock import business_day
from service.database import Tx
from service.institutions.commands.accounts import payable_account
from service.institutions.queries.registry import account_on
from service.journal import By, record
from service.people.commands import ensure_account
from service.people.queries import name_of
from service.policies.queries import parameters


async def mend_account(tx: Tx, me: Actor, claim_id: UUID, new: NewMending, now: datetime) -> ClaimView:
    """The claimant, or the institution that filed, names the account to be paid to; the next batch pays there. From
    the amount `new_account_check_fen` on the claim waits until a checker has confirmed another account.

    Invalid for what is no account, `account.holder_differs`, `account.unchanged` where it is this very account that
    cannot be paid to; Conflict `wrong_status` unless the claim bounced, `account.check_open` while one waits to be
    confirmed; NotFound for a claim that is not the asker's.
    """
    row = ClaimRow
    asked = select(row.person_id, row.account_id, row.status, row.payee_institution_id, row.amount_fen)
    mine = asked.where(row.id == claim_id, claimed_by(me))
    claim = (await tx.execute(mine.with_for_update())).one_or_none()
    if claim is None:
        raise NotFound("claim.not_found")
    CLAIM_LIFECYCLE.after(ClaimStatus(claim.status), ClaimAction.MEND)
    account_id = await _account(tx, claim, new.account, business_day(now))
    if account_id == claim.account_id and remedy_for(await failure_of(tx, claim_id)) is Remedy.NEW_ACCOUNT:
        raise Invalid("account.unchanged", field="account.number")
    by = By.actor(me, Post.TRAINEE if claim.person_id == me.person_id else Post.CLERK, now)
    if await open_check(tx, claim_id) is not None:
        raise Conflict("account.check_open")
    if account_id != claim.account_id and await _needs_check(tx, claim, business_day(now)):
        await _ask_for_check(tx, me, claim_id, account_id, by)
    else:
        await move_claim(tx, ClaimAction.MEND, claim_id, by, changes={"account_id": account_id})
    return await claim_view(tx, me, claim_id)


async def _needs_check(tx: Tx, claim: Row[*tuple[Any, ...]], today: date) -> bool:
    """What an institution is paid to was confirmed when it was put in force."""
    from_fen = (await parameters(tx, today)).get("new_account_check_fen")
    return claim.payee_institution_id is None and needs_check(claim.amount_fen, from_fen)


async def _ask_for_check(tx: Tx, me: Actor, claim_id: UUID, account_id: UUID, by: By) -> None:
    check_id, about = uuid4(), {"claim_id": claim_id, "account_id": account_id}
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": by.at}
    await tx.execute(insert(AccountCheckRow).values(id=check_id, **about, **who))
    noted = {name: str(value) for name, value in about.items()}
    await record(tx, "account_check", [check_id], "propose", by, [noted])


async def answer_check(tx: Tx, me: Actor, check_id: UUID, new: NewAccountAnswer, now: datetime) -> AccountCheckView:
    """A checker of the district confirms the account that was named, and the claim is payable again; or declines it,
    and the claimant names another.

    NotFound `account.no_check`; Invalid `words.…`; Forbidden as `must_be_impartial`, `account.same_person`; Conflict
    `account.answered`, `wrong_status`; to confirm it, what `proven` refuses.
    """
    me.must_hold(Post.CHECKER)
    note, check = public_words(new.note, "note"), await locked_check(tx, me, check_id)
    await must_be_impartial(tx, me, check.claim_id)
    if check.proposed_person == me.person_id:
        raise Forbidden("account.same_person")
    if check.answered_at is not None:
        raise Conflict("account.answered")
    if new.confirm:
        await proven(tx, me, Decision.ACCOUNT, check_id, now)
    row, by = AccountCheckRow, By.actor(me, Post.CHECKER, now)
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(row).where(row.id == check_id).values(confirmed=new.confirm, note=note, **who))
    action = "confirm" if new.confirm else "decline"
    await record(tx, "account_check", [check_id], action, by, [{"confirmed": new.confirm}], reason=note)
    if new.confirm:
        changes = {"account_id": check.account_id}
        await move_claim(tx, ClaimAction.MEND, check.claim_id, by, changes=changes)
    return await check_view(tx, check_id)


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

    Conflict `claim.needs_account` when only another account mends it, `account.check_open`, `wrong_status`;
    Forbidden `claim.own`.
    """
    me.must_hold(Post.MAKER)
    claim = await lock_for_officer(tx, me, claim_id)
    if claim.person_id == me.person_id:
        raise Forbidden("claim.own")
    CLAIM_LIFECYCLE.after(ClaimStatus(claim.status), ClaimAction.MEND)
    if await open_check(tx, claim_id) is not None:
        raise Conflict("account.check_open")
    if remedy_for(await failure_of(tx, claim_id)) is not Remedy.TRY_AGAIN:
        raise Conflict("claim.needs_account")
    by = By.actor(me, Post.MAKER, now)
    await move_claim(tx, ClaimAction.MEND, claim_id, by, reason=note)
    return await claim_view(tx, me, claim_id)
