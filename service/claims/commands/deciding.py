"""Decide claims together and file those that are granted: the one implementation for a single claim and a roster."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Text, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.claim import CLAIM_LIFECYCLE, Channel
from domain.eligibility import Decision, Facts, amount_due, decide, once_in
from domain.identity import same_name
from service.claims.commands.mandates import Mandate, record_mandates
from service.claims.commands.reading import Read
from service.claims.queries.decisions import stored_decision
from service.claims.queries.facts import Asked, facts_for
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow
from service.database import Tx, relation
from service.jobs import owe_all
from service.journal import By, JournalRow
from service.people.commands import NewPerson, ensure_accounts, make_people
from service.queue import Job

#: How often claims are decided again because another was quicker, before the caller is asked to come back.
ROUNDS_MAX = 3


@dataclass(frozen=True)
class Claimant:
    """For whom, through whom and in which district it is filed. `name` is the payee's.

    `newcomer` is not in the database yet, and is made under `person_id` when the claim is granted.
    """

    person_id: UUID
    name: str
    channel: Channel
    district: str
    institution_id: UUID | None = None
    newcomer: NewPerson | None = None


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
    """`claim_id` is None when the decision refuses and nobody insists, or when another was quicker."""

    decision: Decision
    claim_id: UUID | None


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
        certificate_number=read.certificate.number,
        issued_on=read.issued_on,
        training_started_on=read.training_started_on,
        holder_is_payee=same_name(read.account.holder.text, claimant.name),
        mandate_id=read.mandate_id,
        institution_id=claimant.institution_id,
        warnings=tuple(remark.code for remark in read.account.warnings),
        id_number=claimant.newcomer.id_number if claimant.newcomer else None,
        mandate=wanted.mandate.days if wanted.mandate else None,
        **read.proofs.asked(claimant.name),
    )


_Granted = tuple[Wanted, Facts, Decision]


async def _file(tx: Tx, me: Actor, granted: Sequence[_Granted], now: datetime) -> list[UUID | None]:
    """The id of each claim, in order; None for one that another's claim kept out."""
    if not granted:
        return []
    owners = [each.claimant.person_id for each, _, _ in granted]
    accounts = await ensure_accounts(
        tx, [(owner, each.read.account) for owner, (each, _, _) in zip(owners, granted, strict=True)]
    )
    mandates = await _mandates(tx, me, [each for each, _, _ in granted])
    rows = [
        {**_row(me, *each, now), "account_id": account, "mandate_id": mandate}
        for each, account, mandate in zip(granted, accounts, mandates, strict=True)
    ]
    filed = await _insert(tx, me, rows, now)
    eligible = [decision.eligible for _, _, decision in granted]
    to_verify = [row["id"] for row, is_so in zip(rows, eligible, strict=True) if is_so and row["id"] in filed]
    await owe_all(tx, Job.VERIFY_CERTIFICATE, to_verify)
    return [row["id"] if row["id"] in filed else None for row in rows]


async def _mandates(tx: Tx, me: Actor, granted: Sequence[Wanted]) -> list[UUID | None]:
    signed = [(each.claimant.person_id, each.mandate) for each in granted if each.mandate is not None]
    recorded = iter(await record_mandates(tx, me, signed))
    return [next(recorded) if each.mandate else each.read.mandate_id for each in granted]


def _row(me: Actor, wanted: Wanted, facts: Facts, decision: Decision, now: datetime) -> dict[str, Any]:
    """The claim, but for its account and its mandate."""
    assert facts.item is not None, "a claim that may be stored has an item"
    assert facts.standard is not None, "a claim that may be stored has a standard"
    claimant, claim_id = wanted.claimant, uuid4()
    return {
        "id": claim_id,
        "person_id": claimant.person_id,
        "channel": str(claimant.channel),
        "via": str(wanted.read.via),
        "filed_by": me.user_id,
        "institution_id": claimant.institution_id,
        "district": claimant.district,
        "item_id": UUID(facts.item.id),
        "list_kind": facts.item.list_kind,
        "industry": facts.item.industry,
        "subsidy_key": facts.subsidy_key,
        "level": facts.level,
        "once_in": once_in(facts.parameters, facts.today),
        "certificate_number": facts.certificate_number,
        "certificate_issued_on": facts.issued_on,
        "training_started_on": facts.training_started_on,
        "standard_id": UUID(facts.standard.id),
        "amount_fen": amount_due(facts),
        "status": str(CLAIM_LIFECYCLE.first),
        "filed_on": facts.today,
        "filed_at": now,
        "decision": stored_decision(facts, decision),
        **wanted.read.proofs.columns(claim_id),
    }


_COUNTED_BY = ("filed_on", "district", "list_kind", "industry", "level", "channel")
_JOURNALLED = ("status", "amount_fen", "account_id", "subsidy_key", "level")


async def _insert(tx: Tx, me: Actor, rows: Sequence[dict[str, Any]], now: datetime) -> set[UUID]:
    """The claims, their journal rows and their figures, in one statement; the ids of those that were not kept out.

    In order of the certificate, so that two who file the same certificates wait for each other and not around each
    other; whoever waits holds the locks on persons already.
    """
    asked = relation(sorted(rows, key=lambda row: str(row["certificate_number"])), ClaimRow)
    claim = ClaimRow.__table__.c
    filed = (
        upsert(ClaimRow)
        .from_select(list(rows[0]), select(*(asked.c[name] for name in rows[0])).order_by(asked.c.n))
        .on_conflict_do_nothing()
        .returning(claim.id, *(claim[name] for name in dict.fromkeys((*_COUNTED_BY, *_JOURNALLED))))
        .cte("filed")
    )
    post = Post.CLERK if rows[0]["channel"] == Channel.INSTITUTION else Post.TRAINEE
    by = By.actor(me, post, now).columns()
    after = func.jsonb_build_object(*(part for name in _JOURNALLED for part in (literal(name, Text), filed.c[name])))
    said = (literal("claim"), filed.c.id, literal("file"), after)
    noted = insert(JournalRow).from_select(
        ["subject_kind", "subject_id", "action", "after", *by],
        select(*said, *(literal(value, JournalRow.__table__.c[name].type) for name, value in by.items())),
    )
    figures = [filed.c[name] for name in _COUNTED_BY]
    counted = insert(ClaimTallyDeltaRow).from_select(
        [*_COUNTED_BY, "count", "amount_fen"],
        select(*figures, func.count(), func.sum(filed.c.amount_fen)).group_by(*figures),
    )
    ids = await tx.execute(select(filed.c.id).add_cte(noted.cte("noted"), counted.cte("counted")))
    return set(ids.scalars())
