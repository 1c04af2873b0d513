"""Decide claims together and file those that are granted: the one implementation for a single claim and a roster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from domain.actor import Actor
from domain.claim import CLAIM_LIFECYCLE, Channel, ClaimKind
from domain.eligibility import Decision, Facts, amount_due, decide, once_in, taught_in
from domain.identity import same_name
from service.claims.commands.mandates import Mandate, record_mandates
from service.claims.commands.reading import Read
from service.claims.commands.storing import store_claims
from service.claims.queries.decisions import stored_decision
from service.claims.queries.facts import Asked, facts_for
from service.claims.queries.kinds import AttendedClass, Drawn
from service.database import Tx
from service.people.commands import NewPerson, account_there, make_people, sealed_account

#: How often claims are decided again because another was quicker, before the caller is asked to come back.
ROUNDS_MAX = 3


@dataclass(frozen=True)
class Payee:
    """An institution that is paid in the claimant's place. `account_id`: the account it is paid on, whose holder is
    who they should be where `is_holder`; None where it has none."""

    institution_id: UUID
    name: str
    account_id: UUID | None
    tail: str
    is_holder: bool


@dataclass(frozen=True)
class Claimant:
    """For whom, through whom and in which district it is filed. `name` is the claimant's, who is paid, unless
    there is another `payee`.

    `newcomer` is not in the database yet, and is made under `person_id` when the claim is granted.
    """

    person_id: UUID
    name: str
    channel: Channel
    district: str
    institution_id: UUID | None = None
    newcomer: NewPerson | None = None
    payee: Payee | None = None
    project: Drawn | None = None
    attended: AttendedClass | None = None

    @property
    def paid(self) -> str:
        """The name of who is paid."""
        return self.payee.name if self.payee else self.name


@dataclass(frozen=True)
class Wanted:
    """A claim to decide and file. `mandate` is recorded when the claim is filed, and then is the claim's.

    Who insists has a claim that is refused filed too, where it could be stored; the caller then refuses it.
    """

    read: Read
    claimant: Claimant
    mandate: Mandate | None = None
    insist: bool = False


@dataclass(frozen=True)
class Settled:
    """`filed` is the new claim by the names of its columns, its account's, and `item_code` and `item_name`; None when
    the decision refuses and nobody insists, or when another was quicker."""

    decision: Decision
    filed: Mapping[str, Any] | None


async def decide_and_file(tx: Tx, me: Actor, wanted: Sequence[Wanted], today: date, now: datetime) -> list[Settled]:
    """Decide each, and file what is granted or insisted on: few statements for any number, and none hinders another.

    The rows of known persons must be locked before (promise 20). Where another was quicker (with the certificate,
    with the newcomer) a granted claim is not filed: the caller asks again, and is told what stands then.
    """
    facts = await facts_for(tx, [asked_of(each) for each in wanted], today)
    decisions = [decide(each) for each in facts]
    granted = [place for place, decision in enumerate(decisions) if is_to_be_filed(wanted[place], decision)]
    newcomers = {
        claimant.person_id: claimant.newcomer
        for claimant in (wanted[place].claimant for place in granted)
        if claimant.newcomer is not None
    }
    strangers = newcomers.keys() - await make_people(tx, newcomers)
    here = [place for place in granted if wanted[place].claimant.person_id not in strangers]
    filed = await _file(tx, me, [(wanted[place], facts[place], decisions[place]) for place in here], now)
    claims = dict(zip(here, filed, strict=True))
    return [Settled(decision, claims.get(place)) for place, decision in enumerate(decisions)]


def is_to_be_filed(wanted: Wanted, decision: Decision) -> bool:
    """Whether it is granted, or insisted on and fit to be stored."""
    return decision.eligible or (wanted.insist and decision.may_insist)


def asked_of(wanted: Wanted) -> Asked:
    read, claimant = wanted.read, wanted.claimant
    return Asked(
        person_id=claimant.person_id,
        channel=claimant.channel,
        item_code=read.item_code,
        list_kind=read.list_kind,
        level=read.level,
        certificate_number=read.certificate.number if read.certificate else "",
        issued_on=read.issued_on,
        training_started_on=read.training_started_on,
        class_number=read.class_number,
        holder_is_payee=_holder_is_payee(wanted),
        mandate_id=read.mandate_id,
        contract_id=read.contract_id,
        project=claimant.project,
        attended=claimant.attended,
        payee_has_account=claimant.payee is None or claimant.payee.account_id is not None,
        institution_id=claimant.institution_id,
        warnings=tuple(remark.code for remark in read.account.warnings) if read.account else (),
        id_number=claimant.newcomer.id_number if claimant.newcomer else None,
        mandate=wanted.mandate.days if wanted.mandate else None,
        **read.proofs.asked(claimant.paid),
    )


def _holder_is_payee(wanted: Wanted) -> bool:
    """Of an institution's account it is known; where it has none, there is no holder who could differ."""
    if wanted.claimant.payee is not None:
        return wanted.claimant.payee.is_holder
    assert wanted.read.account is not None, "a person names an account"
    return same_name(wanted.read.account.holder.text, wanted.claimant.name)


_Granted = tuple[Wanted, Facts, Decision]


async def _file(tx: Tx, me: Actor, granted: Sequence[_Granted], now: datetime) -> list[Mapping[str, Any] | None]:
    """Each claim in order; None for one that another's kept out."""
    if not granted:
        return []
    mandates = await _mandates(tx, me, [each for each, _, _ in granted])
    rows = [_row(me, *each, mandate, now) for each, mandate in zip(granted, mandates, strict=True)]
    names = await store_claims(tx, me, rows, now)
    return [{**row, "item_name": names[row["id"]]} if row["id"] in names else None for row in rows]


async def _mandates(tx: Tx, me: Actor, granted: Sequence[Wanted]) -> list[UUID | None]:
    signed = [(each.claimant.person_id, each.mandate) for each in granted if each.mandate is not None]
    recorded = iter(await record_mandates(tx, me, signed))
    return [next(recorded) if each.mandate else each.read.mandate_id for each in granted]


def _row(
    me: Actor, wanted: Wanted, facts: Facts, decision: Decision, mandate: UUID | None, now: datetime
) -> dict[str, Any]:
    """A claim and its account, as `store_claims` takes them."""
    assert facts.item is not None, "a claim that may be stored has an item"
    claimant, claim_id, class_id = (
        wanted.claimant,
        uuid4(),
        taught_in(facts),
    )  # an allowance draws on no class's money
    return {
        "id": claim_id,
        "person_id": claimant.person_id,
        "channel": str(claimant.channel),
        "via": str(wanted.read.via),
        "filed_by": me.user_id,
        "institution_id": claimant.institution_id,
        "mandate_id": mandate,
        "kind": str(facts.kind),
        "project_id": claimant.project.project_id if claimant.project else None,
        "allowance_class_id": claimant.attended.class_id if claimant.attended else None,
        "contract_id": wanted.read.contract_id,
        "payee_institution_id": claimant.payee.institution_id if claimant.payee else None,
        "district": claimant.district,
        "item_id": UUID(facts.item.id),
        "item_code": facts.item.code,
        "list_kind": facts.item.list_kind,
        "industry": facts.item.industry,
        "subsidy_key": facts.subsidy_key,
        "level": facts.level,
        "once_in": once_in(facts.parameters, facts.today),
        "certificate_number": facts.certificate_number or None,
        "certificate_issued_on": facts.issued_on if facts.certificate_number else None,
        "training_started_on": facts.training_started_on,
        "class_id": UUID(class_id) if class_id else None,
        "class_number": facts.class_number if class_id else None,
        "standard_id": UUID(facts.standard.id) if facts.standard else None,
        "amount_fen": amount_due(facts),
        "status": str(CLAIM_LIFECYCLE.first),
        "filed_on": facts.today,
        "filed_at": now,
        "payee": claimant.payee.name if claimant.payee else None,
        "decision": msgspec.json.encode(stored_decision(facts, decision)).decode(),
        "to_verify": decision.eligible and facts.kind is ClaimKind.TRAINING,
        **wanted.read.proofs.columns(claim_id),
        **_account(wanted),
    }


def _account(wanted: Wanted) -> dict[str, Any]:
    """Typed for a person; of an institution it is there already."""
    if wanted.read.account is not None:
        return sealed_account(wanted.claimant.person_id, wanted.read.account)
    assert wanted.claimant.payee is not None, "who names no account has one"
    return account_there(wanted.claimant.payee.account_id, wanted.claimant.payee.tail)
