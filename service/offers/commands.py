"""Offers are prepared and expire by sweeps; only the person to whom one is made confirms or declines it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Row, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.claim import Channel
from domain.eligibility import Decision, Facts, decide
from domain.errors import Conflict, Invalid, NotFound
from domain.offer import OFFER_LIFECYCLE, OfferAction, OfferStatus, last_day
from domain.verification import Outcome, Question, compare
from service.claims.commands.filing import file_claim
from service.claims.queries.decisions import stored_decision
from service.claims.queries.facts import Asked, facts_for
from service.claims.schemas import NewClaim
from service.crypto import keyring
from service.database import Tx, relation
from service.journal import By, JournalRow, move, move_all
from service.offers.queries import PORTION, Place, candidates, candidates_on_file, ended, lock_mine, my_offer
from service.offers.schemas import ConfirmedView, NewConfirmation, OfferView
from service.offers.tables import OfferRow
from service.policies.queries import parameters
from service.queue import Sweep
from service.verification.queries.files import entry_of

_OFFERS = OfferRow.__table__


async def prepare_portion(tx: Tx, after: Place, today: date, now: datetime) -> Place | None:
    """Offer what the rules grant of a portion of results; the last one looked at, None when there are no more.

    What an officer has to look at is offered too: whoever confirms it has filed, and the officer looks then. What the
    rules do not grant leaves nothing behind, and is looked at again the next time. A city that has not set
    `offer_days` offers nothing.
    """
    terms = await _terms(tx, today, now)
    if terms is None:
        return None
    found = await candidates(tx, after, terms.months, today)
    certificates = [
        _Certificate(
            each.holder,
            each.code,
            each.level,
            each.number,
            {
                "assessment_id": each.assessment_id,
                "person_id": each.person_id,
                "class_id": each.class_id,
                "entry_id": None,
                "district": each.district,
                "certificate_number": each.certificate_number,
                "issued_on": each.certificate_issued_on,
            },
        )
        for each in found
    ]
    await _offer(tx, certificates, terms)
    return Place(found[-1].assessment_id, found[-1].person_id) if len(found) == PORTION else None


async def prepare_from_files(tx: Tx, after: UUID, today: date, now: datetime) -> UUID | None:
    """The same of a portion of entries in the registry's files, where name and number are those of a person known
    here."""
    terms = await _terms(tx, today, now)
    if terms is None:
        return None
    found = await candidates_on_file(tx, after, terms.months, today)
    certificates = [
        _Certificate(
            each.holder,
            each.occupation_code,
            each.level,
            None,
            {
                "assessment_id": None,
                "person_id": each.person_id,
                "class_id": None,
                "entry_id": each.id,
                "district": None,
                "certificate_number": each.certificate_number,
                "issued_on": each.issued_on,
            },
        )
        for each in found
        if _is_theirs(each)
    ]
    await _offer(tx, certificates, terms)
    return found[-1].id if len(found) == PORTION else None


@dataclass(frozen=True)
class _Terms:
    """How long an offer stands, how late one may claim, and when it is."""

    offer_days: int
    months: int
    today: date
    now: datetime


@dataclass(frozen=True)
class _Certificate:
    """Whose it is and for what; `row` is what its offer says of where it was found."""

    holder: UUID
    code: str
    level: str
    class_number: str | None
    row: dict[str, Any]


async def _terms(tx: Tx, today: date, now: datetime) -> _Terms | None:
    policy = await parameters(tx, today)
    offer_days, months = policy.get("offer_days"), policy.get("claim_window_months")
    return None if offer_days is None or months is None else _Terms(offer_days, months, today, now)


def _is_theirs(entry: Row[Any]) -> bool:
    """Whether the registry would confirm the certificate to this person."""
    keys, told = keyring(), entry_of(entry)
    name, number = (keys.open(sealed, entry.person_id) for sealed in (entry.name_sealed, entry.id_number_sealed))
    said = Question(told.number, name, number, entry.occupation_code, entry.level, entry.issued_on)
    return compare(said, [told]).outcome is Outcome.FOUND


async def _offer(tx: Tx, certificates: Sequence[_Certificate], terms: _Terms) -> None:
    facts = await facts_for(tx, [_asked(each) for each in certificates], terms.today) if certificates else []
    decided = [(each, known, decide(known)) for each, known in zip(certificates, facts, strict=True)]
    granted = [_row(*each, terms) for each in decided if each[2].eligible]
    if granted:
        await _store(tx, granted, By(str(Sweep.PREPARE_OFFERS), terms.now))


def _asked(certificate: _Certificate) -> Asked:
    """As the holder would ask for it. Whether the account is theirs is seen when they name it."""
    return Asked(
        person_id=certificate.holder,
        channel=Channel.INDIVIDUAL,
        item_code=certificate.code,
        list_kind=None,
        level=certificate.level,
        certificate_number=certificate.row["certificate_number"],
        issued_on=certificate.row["issued_on"],
        training_started_on=None,
        holder_is_payee=True,
        mandate_id=None,
        institution_id=None,
        warnings=(),
        class_number=certificate.class_number,
    )


def _row(certificate: _Certificate, facts: Facts, decision: Decision, terms: _Terms) -> dict[str, Any]:
    assert facts.item is not None, "what is granted has an item"
    months = facts.parameters.claim_window_months
    return {
        "id": uuid4(),
        **certificate.row,
        "item_id": UUID(facts.item.id),
        "level": certificate.level,
        "amount_fen": decision.amount_fen,
        "decision": msgspec.to_builtins(stored_decision(facts, decision)),
        "made_on": terms.today,
        "made_at": terms.now,
        "expires_on": last_day(terms.today, terms.offer_days, certificate.row["issued_on"], months),
        "status": str(OFFER_LIFECYCLE.first),
    }


async def _store(tx: Tx, rows: Sequence[dict[str, Any]], by: By) -> None:
    """With a journal row each, in one statement; what another sweep has offered meanwhile is left out."""
    given = relation(rows, OfferRow)
    made = (
        upsert(OfferRow)
        .from_select(list(rows[0]), select(*(given.c[name] for name in rows[0])))
        .on_conflict_do_nothing()
        .returning(OfferRow.id, OfferRow.status, OfferRow.amount_fen)
        .cte("made")
    )
    told = func.jsonb_build_object("status", made.c.status, "amount_fen", made.c.amount_fen)
    noted = (
        insert(JournalRow)
        .from_select(
            ["subject_kind", "subject_id", "action", "after", *by.columns()],
            select(
                literal(OFFER_LIFECYCLE.noun),
                made.c.id,
                literal("prepare"),
                told,
                *(literal(value, JournalRow.__table__.c[name].type) for name, value in by.columns().items()),
            ),
        )
        .cte("noted")
    )
    await tx.execute(select(made.c.id).add_cte(noted))


async def expire_portion(tx: Tx, today: date, now: datetime) -> bool:
    """End a portion of the offers that nobody can confirm any more; whether there may be more."""
    by, found = By(str(Sweep.EXPIRE_OFFERS), now), await ended(tx, today)
    for why, ids in found.items():
        await move_all(tx, _OFFERS, OFFER_LIFECYCLE, OfferAction.EXPIRE, ids, by, reason=str(why))
    return sum(map(len, found.values())) == PORTION


async def confirm_offer(
    tx: Tx, me: Actor, offer_id: UUID, new: NewConfirmation, today: date, now: datetime
) -> ConfirmedView:
    """File what was offered as one's own claim, by the rules of today: refused as `file_claim` refuses.

    An offer that names no district is claimed where the holder says. Invalid `offer.truth`, `district.missing`;
    NotFound `offer.not_found`, also while one lets the institution claim; Conflict `wrong_status`, and `offer.over`
    once its days are past or what it rests on was corrected.
    """
    if not new.truth:
        raise Invalid("offer.truth", field="truth")
    offer = await lock_mine(tx, me, offer_id, today)
    if offer.mandated:
        raise NotFound("offer.not_found")
    OFFER_LIFECYCLE.after(OfferStatus(offer.status), OfferAction.CONFIRM)
    if offer.over:
        raise Conflict("offer.over", expires_on=offer.expires_on.isoformat())
    claim = await file_claim(tx, me, _claim(offer, new), today, now)
    by = By.actor(me, Post.TRAINEE, now)
    await move(tx, _OFFERS, OFFER_LIFECYCLE, OfferAction.CONFIRM, offer.id, by, changes={"claim_id": claim.id})
    differs = claim.amount_fen != offer.amount_fen
    return ConfirmedView(offer.id, str(OfferStatus.CONFIRMED), offer.amount_fen, differs, claim)


async def decline_offer(tx: Tx, me: Actor, offer_id: UUID, today: date, now: datetime) -> OfferView:
    """Not to be offered this certificate again; one may still claim for it. NotFound `offer.not_found`; Conflict
    `wrong_status`."""
    offer = await lock_mine(tx, me, offer_id, today)
    by = By.actor(me, Post.TRAINEE, now)
    await move(tx, _OFFERS, OFFER_LIFECYCLE, OfferAction.DECLINE, offer.id, by)
    return await my_offer(tx, me, offer_id, today)


def _claim(offer: Row[Any], new: NewConfirmation) -> NewClaim:
    return NewClaim(
        item_code=offer.item_code,
        level=offer.level,
        certificate_number=offer.certificate_number,
        certificate_issued_on=offer.issued_on.isoformat(),
        account=new.account,
        district=offer.district or new.district,
        class_number=offer.class_number,
    )
