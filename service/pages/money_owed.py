"""What is owed back: raised, demanded, waived or enforced by two persons; and amounts that a standard corrects."""

from datetime import date
from typing import Any
from uuid import UUID

from domain.actor import Actor, Post
from domain.clawback import BY_HAND, REPAYABLE, ClawbackStatus
from domain.errors import Invalid, NotFound
from domain.step_up import Decision
from service.clawbacks.commands import correcting, demanding, raising
from service.clawbacks.queries import appealed, corrections, repayments, views
from service.clawbacks.schemas import (
    ClawbackAppealView,
    ClawbackView,
    CorrectionShown,
    CorrectionView,
    NewClawback,
    NewCorrection,
    NewCorrectionAnswer,
    NewDemand,
    NewEnforcement,
    NewWaiver,
    NewWaiverAnswer,
)
from service.database import Tx
from service.pages.acts import Act, Asked, uuid_of
from service.pages.money_batches import number_typed
from service.web import as_wanted
from service.wording import words

_CLAWBACKS_A_PAGE = 50
_S = ClawbackStatus
TONES = {
    _S.RAISED: "amber",
    _S.DEMANDED: "blue",
    _S.PART_REPAID: "blue",
    _S.REPAID: "green",
    _S.ENFORCED: "red",
}
_OFFICERS = demanding.OFFICERS


async def one(tx: Tx, me: Actor, clawback_id: UUID, today: date) -> dict[str, Any]:
    """A clawback and what of it has come back. NotFound `clawback.not_found`."""
    clawback = await views.find_clawback(tx, me, clawback_id)
    return {
        "clawback": clawback,
        "repaid": await repayments.list_repayments(tx, me, clawback_id),
        "tones": TONES,
        "acts": _open_to(clawback),
        "appeal": await _appeal_against(tx, clawback_id, today),
    }


def _open_to(clawback: ClawbackView) -> list[str]:
    """The acts that its status, and what waits for another person, leave open."""
    waived, ordered = clawback.waiver, clawback.enforcement
    if waived is not None and waived.granted is None:
        return ["waiver-answer"]
    if ordered is not None and ordered.granted is None:
        return ["enforcement-answer"]
    if clawback.status == ClawbackStatus.RAISED:
        return ["demand", "waiver"]
    return ["waiver", "enforcement"] if clawback.status in REPAYABLE - {ClawbackStatus.ENFORCED} else []


async def listed(tx: Tx, me: Actor, status: str, cursor: UUID | None, today: Any, *, overdue: bool) -> dict[str, Any]:
    """A page of what is owed back in my district."""
    wanted = ClawbackStatus(status) if status in set(ClawbackStatus) else None
    found = await views.list_clawbacks(tx, me, wanted, cursor, _CLAWBACKS_A_PAGE, today if overdue else None)
    names = [(str(each), words(f"status.{each}")) for each in ClawbackStatus]
    return {"found": found, "wanted": str(wanted or ""), "names": names, "overdue": overdue, "tones": TONES}


async def _clawback(asked: Asked) -> dict[str, Any]:
    """Whoever decides reads what was said against it, and answered."""
    view = await views.find_clawback(asked.tx, asked.me, asked.id)
    about = {"clawback": view, "appeal": await _appeal_against(asked.tx, view.id, asked.today)}
    return {**about, "back": f"/finance/clawbacks/{view.id}", "at": "/finance/clawbacks"}


async def _appeal_against(tx: Tx, clawback_id: UUID, today: date) -> ClawbackAppealView | None:
    return (await appealed.appeals_against(tx, [clawback_id], today)).get(clawback_id)


async def _new(asked: Asked) -> dict[str, Any]:
    causes = [(str(each), words(f"clawback_cause.{each}")) for each in sorted(BY_HAND)]
    return {"back": "/finance/clawbacks", "at": "/finance/clawbacks", "causes": causes}


async def _raise(asked: Asked) -> ClawbackView:
    told = {
        "claim_id": str(await _claim(asked)),
        "cause": asked.text("cause"),
        "note": asked.text("note"),
        "amount_fen": asked.amount("amount", 10**12) if asked.text("amount") else None,
    }
    return await raising.raise_by_hand(asked.tx, asked.me, as_wanted(told, NewClawback), asked.now)


async def _claim(asked: Asked) -> UUID:
    """By the number of its payment, which people have; by its own id, which programs have."""
    typed = asked.text("claim_id")
    try:
        return UUID(typed)
    except ValueError:
        pass
    claim_id = await views.claim_paid_as(asked.tx, asked.me, typed.upper())
    if claim_id is None:
        raise Invalid("claim.number_unknown", "claim_id")
    return claim_id


async def _demand(asked: Asked) -> ClawbackView:
    new = as_wanted({"letter_number": asked.text("letter_number")}, NewDemand)
    return await demanding.demand(asked.tx, asked.me, asked.id, new, asked.now)


async def _waiver(asked: Asked) -> ClawbackView:
    new = as_wanted({"law": asked.text("law"), "note": asked.text("note")}, NewWaiver)
    return await demanding.propose_waiver(asked.tx, asked.me, asked.id, new, asked.now)


async def _waiver_answer(asked: Asked) -> ClawbackView:
    new = as_wanted({"grant": asked.yes("grant"), "answer": asked.text("answer")}, NewWaiverAnswer)
    return await demanding.answer_waiver(asked.tx, asked.me, asked.id, new, asked.now)


async def _enforcement(asked: Asked) -> ClawbackView:
    told = {"order_number": asked.text("order_number"), "ordered_on": asked.text("ordered_on")}
    new = as_wanted(told, NewEnforcement)
    return await demanding.propose_enforcement(asked.tx, asked.me, asked.id, new, asked.now)


async def _enforcement_answer(asked: Asked) -> ClawbackView:
    grant = asked.yes("grant")
    return await demanding.answer_enforcement(asked.tx, asked.me, asked.id, grant=grant, now=asked.now)


async def _preview(asked: Asked) -> dict[str, Any]:
    """What a set changes, read anew. NotFound `standards.not_found`."""
    return {
        "preview": await corrections.preview(asked.tx, asked.me, asked.id),
        "back": "/finance/corrections",
        "at": "/finance/clawbacks",
    }


async def _correction(asked: Asked) -> CorrectionView:
    told = {"set_id": str(asked.id), "shown": _figures(asked), "note": asked.text("note")}
    return await correcting.propose_correction(asked.tx, asked.me, as_wanted(told, NewCorrection), asked.now)


async def _waiting(asked: Asked) -> dict[str, Any]:
    listed = (await corrections.list_corrections(asked.tx, asked.me)).corrections
    found = next((each for each in listed if each.id == uuid_of(asked.subject)), None)
    if found is None:
        raise NotFound("amount_correction.not_found")
    return {"correction": found, "back": "/finance/corrections", "at": "/finance/clawbacks"}


async def _correction_answer(asked: Asked) -> CorrectionView:
    told = {"grant": asked.yes("grant"), "shown": _figures(asked)}
    new = as_wanted(told, NewCorrectionAnswer)
    return await correcting.answer_correction(asked.tx, asked.me, asked.id, new, asked.now)


def _figures(asked: Asked) -> dict[str, Any]:
    """As the page showed them."""
    fields = CorrectionShown.__struct_fields__
    return {name: asked.text(name) if name == "content_hash" else number_typed(asked.text(name)) for name in fields}


_REVIEWER, _D = (Post.REVIEWER,), Decision
ACTS = {
    "clawback": Act(_REVIEWER, ClawbackView, _new, _raise, "raised", ("claim_id", "cause", "note")),
    "demand": Act(_OFFICERS, ClawbackView, _clawback, _demand, "demanded", ("letter_number",)),
    "waiver": Act(_OFFICERS, ClawbackView, _clawback, _waiver, "proposed", ("law", "note")),
    "waiver-answer": Act(_OFFICERS, ClawbackView, _clawback, _waiver_answer, "answered", decision=_D.WAIVER),
    "enforcement": Act(_OFFICERS, ClawbackView, _clawback, _enforcement, "proposed", ("order_number", "ordered_on")),
    "enforcement-answer": Act(
        _OFFICERS, ClawbackView, _clawback, _enforcement_answer, "answered", decision=_D.ENFORCEMENT
    ),
    "correction": Act(_REVIEWER, CorrectionView, _preview, _correction, "proposed", ("note",)),
    "correction-answer": Act(
        _REVIEWER, CorrectionView, _waiting, _correction_answer, "answered", decision=_D.CORRECTION
    ),
}
