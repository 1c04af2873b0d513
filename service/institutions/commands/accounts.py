"""The account an institution is paid to changes only when another person confirms what one proposed."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.account import CorporateAccount
from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound
from domain.faults import Faults
from domain.identity import same_name
from domain.institution import must_be_another
from domain.period import parse_date
from domain.text import plain_words
from service.crypto import keyring
from service.database import Tx
from service.institutions.commands.registering import officer
from service.institutions.queries.registry import institution_for
from service.institutions.schemas import AddedView, NewInstitutionAccount
from service.institutions.tables import AccountAnswerRow, AccountProposalRow
from service.journal import By, record
from service.people.tables import AccountRow


async def propose_account(
    tx: Tx, me: Actor, institution_id: UUID, new: NewInstitutionAccount, today: date, now: datetime
) -> AddedView:
    """What the account shall be from a day on, by an officer or the institution's clerk; nothing changes yet.

    Invalid for everything that is wrong at once: the digits, `institution.holder_differs`, `institution.in_past`.
    """
    me.must_hold(Post.INSTITUTION_OFFICER, Post.CLERK)
    known, faults = await institution_for(tx, me, institution_id), Faults()
    account = CorporateAccount.parse(new.number, new.holder, new.bank_code, faults)
    if account.holder is not None and not same_name(account.holder, known.name):
        faults.tell("institution.holder_differs", "holder")
    reason = faults.read(plain_words, new.reason, "reason")
    first = faults.read(parse_date, new.first, "from")
    if first is not None and first < today:
        faults.tell("institution.in_past", "from", today=today.isoformat())
    faults.raise_all()
    proposal_id, keys = uuid4(), keyring()
    await tx.execute(
        insert(AccountProposalRow).values(
            id=proposal_id,
            institution_id=institution_id,
            holder_sealed=keys.seal(account.holder, proposal_id),
            number_sealed=keys.seal(account.number, proposal_id),
            number_index=keys.blind_index("account", account.number),
            tail=account.tail,
            bank_code=account.bank_code,
            first=first,
            reason=reason,
            proposer_id=me.person_id,
            proposed_by=me.user_id,
            proposed_at=now,
        )
    )
    post = Post.CLERK if me.holds(Post.CLERK) else Post.INSTITUTION_OFFICER
    noted = {"institution_id": str(institution_id), "tail": account.tail, "first": first.isoformat()}
    await record(tx, "institution_account", [proposal_id], "propose", By.actor(me, post, now), [noted], reason=reason)
    return AddedView(proposal_id)


async def confirm_account(
    tx: Tx, me: Actor, institution_id: UUID, proposal_id: UUID, today: date, now: datetime
) -> AddedView:
    """Another person puts the account in force from its day on.

    Forbidden `institution.same_person`; Conflict `institution.account_answered`, `institution.account_too_late`.
    """
    by = officer(me, now)
    proposal = await _proposal(tx, me, institution_id, proposal_id)
    if proposal.first < today:
        raise Conflict("institution.account_too_late", first=proposal.first.isoformat())
    await _answer(tx, by, me, proposal, "confirmed", "")
    return AddedView(proposal_id)


async def decline_account(
    tx: Tx, me: Actor, institution_id: UUID, proposal_id: UUID, reason: str, now: datetime
) -> AddedView:
    """Another person says no, and why. Refusals as `confirm_account`, without its day."""
    by, reason = officer(me, now), plain_words(reason, "reason")
    await _answer(tx, by, me, await _proposal(tx, me, institution_id, proposal_id), "declined", reason)
    return AddedView(proposal_id)


async def payable_account(tx: Tx, proposal_id: UUID) -> UUID:
    """The confirmed account as what claims are paid on, under its id and seal. The database refuses any other."""
    proposed, paid_on = AccountProposalRow.__table__.c, ("holder_sealed", "number_sealed", "number_index", "tail")
    names = ("id", "institution_id", *paid_on, "bank_code")
    confirmed = select(*(proposed[name] for name in names)).where(proposed.id == proposal_id)
    await tx.execute(upsert(AccountRow).from_select(list(names), confirmed).on_conflict_do_nothing())
    return proposal_id


async def _proposal(tx: Tx, me: Actor, institution_id: UUID, proposal_id: UUID) -> Row[UUID, UUID, date]:
    await institution_for(tx, me, institution_id)
    row, answered = AccountProposalRow, AccountAnswerRow
    asked = select(row.id, row.proposer_id, row.first).where(row.id == proposal_id)
    found = (await tx.execute(asked.where(row.institution_id == institution_id))).one_or_none()
    if found is None:
        raise NotFound("institution.no_such_account")
    must_be_another(found.proposer_id, me.person_id)
    if (await tx.execute(select(answered.answer).where(answered.proposal_id == proposal_id))).first() is not None:
        raise Conflict("institution.account_answered")
    return found


async def _answer(tx: Tx, by: By, me: Actor, proposal: Row[UUID, UUID, date], answer: str, reason: str) -> None:
    signed = {"person_id": me.person_id, "answered_by": me.user_id, "answered_at": by.at}
    said = {"answer": answer, "reason": reason}
    row = insert(AccountAnswerRow).values(proposal_id=proposal.id, proposer_id=proposal.proposer_id, **signed, **said)
    await tx.execute(row)
    await record(tx, "institution_account", [proposal.id], answer, by, [{"answer": answer}], reason=reason)
