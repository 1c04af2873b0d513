"""File a claim, or say what would be decided."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert, select

from domain.account import BankAccount
from domain.actor import Actor, Post
from domain.certificate import Certificate
from domain.claim import CLAIM_LIFECYCLE, Channel, Via
from domain.eligibility import Decision, Facts, amount_due, decide, once_in
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from domain.identity import same_name
from domain.level import level_of
from domain.period import parse_date
from service.access.tables import DistrictRow
from service.claims.commands.insisting import refuse_at_once
from service.claims.commands.proofs import Proofs, read_proofs
from service.claims.queries.decisions import stored_decision
from service.claims.queries.facts import Asked, facts_for
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, DecisionView, NewClaim
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow, DoorRefusalRow, MandateRow
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.jobs import owe
from service.journal import By, JournalRow
from service.people.commands import ensure_account
from service.people.queries import lock_person, name_of
from service.queue import Job

_LIST_KINDS = {"shortage", "manufacturing", "general", "specific_skill", "project", "startup", "other"}


@dataclass(frozen=True)
class _Read:
    """A NewClaim whose every value is well formed."""

    item_code: str
    level: str
    list_kind: str | None
    certificate: Certificate
    issued_on: date
    training_started_on: date
    account: BankAccount
    district: str | None
    mandate_id: UUID | None
    via: Via
    proofs: Proofs


@dataclass(frozen=True)
class _Claimant:
    """For whom, through whom and in which district it is filed."""

    person_id: UUID
    channel: Channel
    district: str
    institution_id: UUID | None


def read_claim(new: NewClaim) -> _Read:
    """Parse what was typed; Invalid names the first field that is malformed."""
    issued_on = parse_date(new.certificate_issued_on, "certificate_issued_on")
    started = new.training_started_on
    if new.list_kind is not None and new.list_kind not in _LIST_KINDS:
        raise Invalid("list.unknown", field="list_kind")
    return _Read(
        item_code=new.item_code.strip(),
        level=level_of(new.level).code,
        list_kind=new.list_kind,
        certificate=Certificate.parse(new.certificate_number),
        issued_on=issued_on,
        training_started_on=parse_date(started, "training_started_on") if started else issued_on,
        account=BankAccount.parse(new.account.number, new.account.holder, new.account.bank_code),
        district=new.district,
        mandate_id=new.mandate_id,
        via=new.via,
        proofs=read_proofs(new),
    )


async def check_claim(tx: Tx, me: Actor, new: NewClaim, today: date) -> DecisionView:
    """What would be decided now; nothing is stored."""
    read = read_claim(new)
    claimant = await _claimant(tx, me, read)
    payee = await name_of(tx, claimant.person_id)
    return DecisionView.of(decide(await _facts(tx, read, claimant, payee, today)))


async def file_claim(tx: Tx, me: Actor, new: NewClaim, today: date, now: datetime) -> ClaimView:
    """File a claim for oneself, or as a clerk for a trainee with a mandate.

    Ineligible `claim.ineligible` with the whole decision; Conflict `claim.already_filed` when a live claim stands for
    the same person, occupation and level. Who insists on a claim that is not eligible, but could be stored, gets it
    stored and refused. The person's row is locked before facts are read (promise 20).
    """
    read = read_claim(new)
    claimant = await _claimant(tx, me, read)
    payee = await lock_person(tx, claimant.person_id)
    facts = await _facts(tx, read, claimant, payee, today)
    decision = decide(facts)
    insisted = new.insist and decision.may_insist
    if not insisted:
        _refuse_unless_eligible(decision)
    account_id = await ensure_account(tx, claimant.person_id, read.account)
    claim_id = uuid4()
    await _insert(tx, claim_id, me, read, claimant, facts, decision, account_id, now)
    if insisted:
        await refuse_at_once(tx, claim_id, now)
    else:
        await owe(tx, Job.VERIFY_CERTIFICATE, claim_id)
    return await claim_view(tx, me, claim_id)


async def count_door_refusal(tx: Tx, code: str, channel: Channel, today: date) -> None:
    """Remember that somebody was turned away, and why: a figure, without a person."""
    await tx.execute(insert(DoorRefusalRow).values(on=today, code=code, channel=str(channel)))


def channel_of(me: Actor, new: NewClaim) -> Channel:
    """A clerk with a mandate files for the institution; anybody else for themself."""
    return Channel.INSTITUTION if new.mandate_id is not None and me.holds(Post.CLERK) else Channel.INDIVIDUAL


async def _claimant(tx: Tx, me: Actor, read: _Read) -> _Claimant:
    if read.mandate_id is not None:
        return await _through_institution(tx, me, read.mandate_id)
    me.must_hold(Post.TRAINEE)
    if read.district is None:
        raise Invalid("district.missing", field="district")
    known = select(DistrictRow.code).where(DistrictRow.code == read.district, DistrictRow.kind != "city")
    if (await tx.execute(known)).first() is None:
        raise Invalid("district.unknown", field="district")
    return _Claimant(me.person_id, Channel.INDIVIDUAL, read.district, None)


async def _through_institution(tx: Tx, me: Actor, mandate_id: UUID) -> _Claimant:
    """Another institution's mandate is as if it were not there."""
    me.must_hold(Post.CLERK)
    found = (
        await tx.execute(
            select(MandateRow.person_id, InstitutionRow.district)
            .join(InstitutionRow, InstitutionRow.id == MandateRow.institution_id)
            .where(MandateRow.id == mandate_id, MandateRow.institution_id == me.institution_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("mandate.not_found")
    if found.person_id == me.person_id:
        raise Forbidden("claim.own_through_institution")
    return _Claimant(found.person_id, Channel.INSTITUTION, found.district, me.institution_id)


async def _facts(tx: Tx, read: _Read, claimant: _Claimant, payee: str, today: date) -> Facts:
    asked = Asked(
        person_id=claimant.person_id,
        channel=claimant.channel,
        item_code=read.item_code,
        list_kind=read.list_kind,
        level=read.level,
        certificate_number=read.certificate.number,
        issued_on=read.issued_on,
        training_started_on=read.training_started_on,
        holder_is_payee=same_name(read.account.holder.text, payee),
        mandate_id=read.mandate_id,
        institution_id=claimant.institution_id,
        warnings=tuple(remark.code for remark in read.account.warnings),
        **read.proofs.asked(payee),
    )
    return (await facts_for(tx, [asked], today))[0]


def _refuse_unless_eligible(decision: Decision) -> None:
    if decision.eligible:
        return
    told = msgspec.to_builtins(DecisionView.of(decision))
    if "claim.already_filed" in decision.failed:
        same = next(each for each in decision.outcomes if each.code == "claim.already_filed")
        raise Conflict("claim.already_filed", **same.facts)
    raise Ineligible("claim.ineligible", decision=told)


async def _insert(
    tx: Tx,
    claim_id: UUID,
    me: Actor,
    read: _Read,
    claimant: _Claimant,
    facts: Facts,
    decision: Decision,
    account_id: UUID,
    now: datetime,
) -> None:
    """The claim, its journal row and its figure, in one statement."""
    assert facts.item is not None, "a claim that may be stored has an item"
    assert facts.standard is not None, "a claim that may be stored has a standard"
    amount_fen = amount_due(facts)
    counted = {
        "filed_on": facts.today,
        "district": claimant.district,
        "list_kind": facts.item.list_kind,
        "industry": facts.item.industry,
        "level": facts.level,
        "channel": str(claimant.channel),
        "amount_fen": amount_fen,
    }
    claim = {
        **counted,
        "id": claim_id,
        "person_id": claimant.person_id,
        "via": str(read.via),
        "filed_by": me.user_id,
        "institution_id": claimant.institution_id,
        "mandate_id": read.mandate_id,
        "item_id": UUID(facts.item.id),
        "subsidy_key": facts.subsidy_key,
        "once_in": once_in(facts.parameters, facts.today),
        "certificate_number": facts.certificate_number,
        "certificate_issued_on": facts.issued_on,
        "training_started_on": facts.training_started_on,
        "standard_id": UUID(facts.standard.id),
        "account_id": account_id,
        "status": str(CLAIM_LIFECYCLE.first),
        "filed_at": now,
        "decision": stored_decision(facts, decision),
        **read.proofs.columns(claim_id),
    }
    after = {
        "status": str(CLAIM_LIFECYCLE.first),
        "amount_fen": amount_fen,
        "account_id": str(account_id),
        "subsidy_key": facts.subsidy_key,
        "level": facts.level,
    }
    post = Post.CLERK if claimant.channel is Channel.INSTITUTION else Post.TRAINEE
    by = By.actor(me, post, now)
    noted = {"subject_kind": "claim", "subject_id": claim_id, "action": "file", "after": after, **by.columns()}
    await tx.execute(
        insert(ClaimTallyDeltaRow)
        .values(**counted, count=1)
        .add_cte(
            insert(ClaimRow).values(**claim).returning(ClaimRow.id).cte("filed"),
            insert(JournalRow).values(**noted).returning(JournalRow.id).cte("noted"),
        )
    )
