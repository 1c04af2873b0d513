"""补正: mend what a claim was sent back for; it is decided again by the same rules as when it was filed."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, and_, insert, select, update

from domain.account import BankAccount
from domain.actor import Actor, Post
from domain.certificate import Certificate
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.correction import Correctable
from domain.eligibility import Decision, Facts, amount_due, decide
from domain.errors import Conflict, Ineligible, Invalid, NotFound
from domain.identity import same_name
from domain.level import level_of
from domain.period import parse_date
from service.catalog.tables import CatalogItemRow
from service.claims.commands.moves import move_claim
from service.claims.queries.again import asked_again
from service.claims.queries.care import claimed_by
from service.claims.queries.decisions import stored_decision
from service.claims.queries.facts import Asked, facts_for
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, DecisionView, NewCorrection
from service.claims.tables import ClaimCorrectionRow, ClaimRow, ClaimTallyDeltaRow
from service.database import Tx
from service.jobs import owe
from service.journal import By, record
from service.people.commands import ensure_account
from service.people.queries import lock_person
from service.queue import Job

#: By what a claim is counted, beside its filing day, district and channel.
_COUNTED = ("list_kind", "industry", "level", "amount_fen")


@dataclass(frozen=True)
class _Mended:
    """What was typed, well formed; None where nothing was."""

    item_code: str | None
    level: str | None
    certificate: Certificate | None
    issued_on: date | None
    training_started_on: date | None
    account: BankAccount | None


async def correct_claim(
    tx: Tx, me: Actor, claim_id: UUID, new: NewCorrection, today: date, now: datetime
) -> ClaimView:
    """The claimant, or the institution that filed, mends fields that were in question; the claim is filed again.

    It keeps its filing day, by whose policies it is decided. Ineligible `claim.ineligible` with the whole decision:
    then nothing changes, and it may be mended otherwise. Invalid `correction.nothing`, `correction.not_asked`;
    Conflict `correction.too_late`, `wrong_status`; NotFound for a claim that is not the asker's.
    """
    mended = _read(new)
    mine = select(ClaimRow.person_id).where(ClaimRow.id == claim_id, claimed_by(me))
    person_id = (await tx.execute(mine)).scalar_one_or_none()
    if person_id is None:
        raise NotFound("claim.not_found")
    payee = await lock_person(tx, person_id)
    claim = await _sent_back(tx, claim_id)
    _must_be_in_question(claim, new, today)
    facts = await _facts(tx, claim, mended, payee)
    decision = decide(facts)
    if not decision.eligible:
        raise Ineligible("claim.ineligible", decision=msgspec.to_builtins(DecisionView.of(decision)))
    changes = _changes(facts, decision)
    if mended.account is not None:
        changes["account_id"] = await ensure_account(tx, person_id, mended.account)
    by = By.actor(me, Post.TRAINEE if person_id == me.person_id else Post.CLERK, now)
    await _store(tx, me, claim, changes, by)
    await move_claim(tx, ClaimAction.CORRECT, claim_id, by)
    await owe(tx, Job.VERIFY_CERTIFICATE, claim_id)
    return await claim_view(tx, me, claim_id)


def _read(new: NewCorrection) -> _Mended:
    account = new.account
    return _Mended(
        item_code=new.item_code.strip() if new.item_code is not None else None,
        level=level_of(new.level).code if new.level is not None else None,
        certificate=Certificate.parse(new.certificate_number) if new.certificate_number is not None else None,
        issued_on=_day(new.certificate_issued_on, "certificate_issued_on"),
        training_started_on=_day(new.training_started_on, "training_started_on"),
        account=BankAccount.parse(account.number, account.holder, account.bank_code) if account else None,
    )


def _day(typed: str | None, field: str) -> date | None:
    return None if typed is None else parse_date(typed, field)


async def _sent_back(tx: Tx, claim_id: UUID) -> Row[Any]:
    """The claim, locked, with the corrections it waits for."""
    claim, wanted = ClaimRow, ClaimCorrectionRow
    beside = (CatalogItemRow.code, wanted.id.label("wanted_id"), wanted.faults, wanted.due_on)
    asked = (
        select(ClaimRow.__table__, *beside)
        .join(CatalogItemRow, CatalogItemRow.id == claim.item_id)
        .outerjoin(wanted, and_(wanted.claim_id == claim.id, wanted.corrected_at.is_(None)))
        .where(claim.id == claim_id)
    )
    found = (await tx.execute(asked.with_for_update(of=claim))).one()
    CLAIM_LIFECYCLE.after(ClaimStatus(found.status), ClaimAction.CORRECT)
    return found


def _must_be_in_question(claim: Row[Any], new: NewCorrection, today: date) -> None:
    if today > claim.due_on:
        raise Conflict("correction.too_late", due_on=claim.due_on.isoformat())
    in_question = {fault["field"] for fault in claim.faults}
    given = [str(field) for field in Correctable if getattr(new, field) is not None]
    if not given:
        raise Invalid("correction.nothing", field="body", fields=sorted(in_question))
    stray = next((name for name in given if name not in in_question), None)
    if stray is not None:
        raise Invalid("correction.not_asked", field=stray, fields=sorted(in_question))


async def _facts(tx: Tx, claim: Row[Any], mended: _Mended, payee: str) -> Facts:
    """The facts of its filing day. A claim that was filed after it, for a higher level say, does not count."""
    (facts,) = await facts_for(tx, [_asked(claim, mended, payee)], claim.filed_on)
    return replace(facts, standing=tuple(each for each in facts.standing if each.filed_on <= claim.filed_on))


def _asked(claim: Row[Any], mended: _Mended, payee: str) -> Asked:
    """The claim as it is asked for now: what was mended, and what stays."""
    asked, account = asked_again(claim), mended.account
    if mended.item_code:
        asked = replace(asked, item_code=mended.item_code, list_kind=None)
    if account:
        warnings = tuple(remark.code for remark in account.warnings)
        asked = replace(asked, holder_is_payee=same_name(account.holder.text, payee), warnings=warnings)
    return replace(
        asked,
        level=mended.level or asked.level,
        certificate_number=mended.certificate.number if mended.certificate else asked.certificate_number,
        issued_on=mended.issued_on or asked.issued_on,
        training_started_on=mended.training_started_on or asked.training_started_on,
    )


def _changes(facts: Facts, decision: Decision) -> dict[str, Any]:
    """The claim's own columns, as filing copies them."""
    assert facts.item is not None, "an eligible claim has an item"
    assert facts.standard is not None, "an eligible claim has a standard"
    return {
        "item_id": UUID(facts.item.id),
        "list_kind": facts.item.list_kind,
        "industry": facts.item.industry,
        "subsidy_key": facts.subsidy_key,
        "level": facts.level,
        "certificate_number": facts.certificate_number,
        "certificate_issued_on": facts.issued_on,
        "training_started_on": facts.training_started_on,
        "standard_id": UUID(facts.standard.id),
        "amount_fen": amount_due(facts),
        "decision": stored_decision(facts, decision),
    }


async def _store(tx: Tx, me: Actor, claim: Row[Any], changes: dict[str, Any], by: By) -> None:
    """The new facts with their journal row, the old ones beside the faults, and the figures of the filing day."""
    now_so = {name: value for name, value in changes.items() if value != getattr(claim, name)}
    told = {name: _plain(value) for name, value in now_so.items() if name not in {"certificate_number", "decision"}}
    await record(tx, "claim", [claim.id], "amend", by, [{"status": claim.status, **told}])
    await tx.execute(update(ClaimRow).where(ClaimRow.id == claim.id).values(**now_so))
    replaced = {name: _plain(getattr(claim, name)) for name in now_so}
    await tx.execute(
        update(ClaimCorrectionRow)
        .where(ClaimCorrectionRow.id == claim.wanted_id)
        .values(corrected_at=by.at, corrected_by=me.user_id, replaced=replaced)
    )
    if now_so.keys() & set(_COUNTED):
        kept = {name: getattr(claim, name) for name in ("filed_on", "district", "channel", *_COUNTED)}
        counted = {**kept, **{name: changes[name] for name in _COUNTED}}
        out = {**kept, "count": -1, "amount_fen": -claim.amount_fen}
        await tx.execute(insert(ClaimTallyDeltaRow).values([out, {**counted, "count": 1}]))


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, str, dict)) else str(value)
