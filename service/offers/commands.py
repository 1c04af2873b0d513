"""Offers are prepared and expire by sweeps; only the person to whom one is made confirms or declines it."""

from collections.abc import Sequence
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
from service.claims.commands.filing import file_claim
from service.claims.queries.decisions import stored_decision
from service.claims.queries.facts import Asked, facts_for
from service.claims.schemas import NewClaim
from service.database import Tx, relation
from service.journal import By, JournalRow, move, move_all
from service.offers.queries import PORTION, Place, candidates, ended, lock_mine, my_offer
from service.offers.schemas import ConfirmedView, NewConfirmation, OfferView
from service.offers.tables import OfferRow
from service.policies.queries import parameters
from service.queue import Sweep

_OFFERS = OfferRow.__table__


async def prepare_portion(tx: Tx, after: Place, today: date, now: datetime) -> Place | None:
    """Offer what the rules grant of a portion of results; the last one looked at, None when there are no more.

    What an officer has to look at is offered too: whoever confirms it has filed, and the officer looks then. What the
    rules do not grant leaves nothing behind, and is looked at again the next time. A city that has not set
    `offer_days` offers nothing.
    """
    policy = await parameters(tx, today)
    offer_days, months = policy.get("offer_days"), policy.get("claim_window_months")
    if offer_days is None or months is None:
        return None
    found = await candidates(tx, after, months, today)
    facts = await facts_for(tx, [_asked(each) for each in found], today)
    decided = [(each, known, decide(known)) for each, known in zip(found, facts, strict=True)]
    granted = [_row(*each, offer_days, now) for each in decided if each[2].eligible]
    if granted:
        await _store(tx, granted, By(str(Sweep.PREPARE_OFFERS), now))
    return Place(found[-1].assessment_id, found[-1].person_id) if len(found) == PORTION else None


def _asked(result: Row[Any]) -> Asked:
    """As the holder would ask for it. Whether the account is theirs is seen when they name it."""
    return Asked(
        person_id=result.holder,
        channel=Channel.INDIVIDUAL,
        item_code=result.code,
        list_kind=None,
        level=result.level,
        certificate_number=result.certificate_number,
        issued_on=result.certificate_issued_on,
        training_started_on=None,
        holder_is_payee=True,
        mandate_id=None,
        institution_id=None,
        warnings=(),
        class_number=result.number,
    )


def _row(result: Row[Any], facts: Facts, decision: Decision, offer_days: int, now: datetime) -> dict[str, Any]:
    assert facts.item is not None, "what is granted has an item"
    months = facts.parameters.claim_window_months
    return {
        "id": uuid4(),
        "assessment_id": result.assessment_id,
        "person_id": result.person_id,
        "class_id": result.class_id,
        "district": result.district,
        "item_id": UUID(facts.item.id),
        "level": result.level,
        "certificate_number": result.certificate_number,
        "issued_on": result.certificate_issued_on,
        "amount_fen": decision.amount_fen,
        "decision": msgspec.to_builtins(stored_decision(facts, decision)),
        "made_on": facts.today,
        "made_at": now,
        "expires_on": last_day(facts.today, offer_days, result.certificate_issued_on, months),
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

    Invalid `offer.truth`; NotFound `offer.not_found`, also while one lets the institution claim; Conflict
    `wrong_status`, and `offer.over` once its days are past or the result was corrected.
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
        district=offer.district,
        class_number=offer.class_number,
    )
