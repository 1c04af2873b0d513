"""Credit of institutions, the steps that follow from it, and appeals against these."""

from typing import Any

from domain.actor import Post
from domain.errors import Conflict, Invalid, NotFound
from domain.penalty import PENALTY_LIFECYCLE, EventKind, PenaltyAction, PenaltyStatus
from service.oversight.commands import appeals, crediting, penalties
from service.oversight.queries import credit
from service.oversight.queries.penalties import penalty_list, penalty_view
from service.oversight.schemas import (
    CreditEventView,
    NewAppealAnswer,
    NewCorrection,
    NewCreditEvent,
    NewPenalty,
    PenaltyView,
)
from service.pages.field.acts import Act, Said
from service.pages.forms import Fault
from service.web import as_wanted
from service.wording import words

_PENALTIES_A_PAGE = 50
_S, _A, _K = PenaltyStatus, PenaltyAction, EventKind
TONES = {
    **dict.fromkeys((_S.PROPOSED, _S.APPEALED), "amber"),
    **dict.fromkeys((_S.IMPOSED, _S.UPHELD), "red"),
    _S.OVERTURNED: "green",
}
_NOT_TOLD = (_K.CORRECTION, _K.APPEAL_GRANTED)


# ---- penalties


async def listed(said: Said) -> dict[str, Any]:
    """What the rules call for, and the penalties of my district, newest first."""
    cursor = said.cursor()
    found = await penalty_list(said.tx, said.me, cursor, _PENALTIES_A_PAGE)
    return {"due": await _due(said), "penalties": found.penalties, "next": found.next, "tones": TONES}


async def _due(said: Said) -> list[Any]:
    """Nothing, where no ladder holds or it is not mine to know."""
    if not said.me.holds(Post.INSTITUTION_OFFICER, Post.AUDITOR):
        return []
    try:
        return (await credit.due_list(said.tx, said.me, said.today)).due
    except Conflict:
        return []


async def _to_propose(said: Said) -> dict[str, Any]:
    steps = (await credit.ladder_on(said.tx, said.today)).ladder.steps
    return {"steps": [(each.code, each.name) for each in steps]}


async def _propose(said: Said) -> PenaltyView:
    told = {
        "institution": said.text("institution"),
        "step": said.text("step"),
        "first": said.day("first"),
        "reason": said.text("reason"),
        "document_sha256": said.fingerprint("document_sha256"),
    }
    return await penalties.propose(said.tx, said.me, as_wanted(told, NewPenalty), said.today, said.now)


PROPOSE = Act(
    "field/penalty_new.html",
    _to_propose,
    _propose,
    PenaltyView,
    lambda _, view: f"/desk/penalties/{view.id}",
    "penalty_proposed",
    frozenset({"institution", "step", "first", "reason", "document_sha256"}),
)


async def _penalty(said: Said) -> dict[str, Any]:
    """One penalty, and what I can do about it. NotFound `penalty.not_found`."""
    view = await penalty_view(said.tx, said.me, said.id)
    officer = said.me.holds(Post.INSTITUTION_OFFICER)
    can = {str(act) for status, act in PENALTY_LIFECYCLE.moves if status == view.status} if officer else set()
    return {"penalty": view, "can": can, "to_decide": bool(can & {"impose", "uphold"}), "tones": TONES}


async def _impose(said: Said) -> PenaltyView:
    return await penalties.impose(said.tx, said.me, said.id, said.today, said.now)


async def _drop(said: Said) -> PenaltyView:
    return await penalties.drop(said.tx, said.me, said.id, said.today, said.now)


async def _answer(said: Said) -> PenaltyView:
    granted = {"yes": True, "no": False}.get(said.text("granted"))
    told: dict[str, Any] = {"granted": granted, "answer": said.text("answer")}
    if granted:
        told["lifted_on"] = said.later_day("lifted_on")
        told["points"] = said.whole("points") if said.text("points") else 0
        told["document_sha256"] = said.text("document_sha256") or None
    return await appeals.answer(said.tx, said.me, said.id, as_wanted(told, NewAppealAnswer), said.today, said.now)


def _at_penalty(said: Said, _: Any) -> str:
    return f"/desk/penalties/{said.id}"


_PAGE = "field/penalty.html"
#: By the last part of the address.
ON_PENALTY = {
    "impose": Act(_PAGE, _penalty, _impose, PenaltyView, _at_penalty, "penalty_imposed"),
    "drop": Act(_PAGE, _penalty, _drop, PenaltyView, _at_penalty, "penalty_dropped"),
    "answer": Act(
        _PAGE,
        _penalty,
        _answer,
        PenaltyView,
        _at_penalty,
        "appeal_answered",
        frozenset({"granted", "answer", "lifted_on", "points", "document_sha256"}),
    ),
}


# ---- credit


async def standing(said: Said) -> dict[str, Any]:
    """What follows for whom; and the credit of one institution in a year, where one is named."""
    code, year = said.text("institution"), said.year() or said.today.year
    view, faults = None, list[Fault]()
    try:
        view = await credit.credit(said.tx, said.me, code, year, said.today) if code else None
    except (Conflict, Invalid, NotFound) as refusal:
        faults.append(("institution", words(refusal.code, refusal.facts)))
    mended = {each.corrects for each in view.events} if view else set()
    due = await _due(said)
    return {"due": due, "view": view, "year": year, "mended": mended, "not_told": _NOT_TOLD, "faults": faults}


async def _to_record(_: Said) -> dict[str, Any]:
    return {"kinds": [(str(each), words(f"credit_event.{each}")) for each in _K if each not in _NOT_TOLD]}


async def _record(said: Said) -> CreditEventView:
    told: dict[str, Any] = {
        "institution": said.text("institution"),
        "kind": said.text("kind"),
        "happened_on": said.day("happened_on"),
        "words": said.text("words"),
        "document_sha256": said.fingerprint("document_sha256"),
        "points": said.whole("points") if said.text("points") else 0,
    }
    for counted in ("classes_held", "classes_failed"):
        told[counted] = said.whole(counted) if said.text(counted) else None
    return await crediting.record_event(said.tx, said.me, as_wanted(told, NewCreditEvent), said.today, said.now)


def _at_credit(_: Said, view: CreditEventView) -> str:
    return f"/desk/credit?institution={view.institution}&year={view.happened_on.year}"


RECORD = Act(
    "field/credit_new.html",
    _to_record,
    _record,
    CreditEventView,
    _at_credit,
    "credit_recorded",
    frozenset(
        {"institution", "kind", "happened_on", "words", "document_sha256", "points", "classes_held", "classes_failed"}
    ),
)


async def _to_mend(said: Said) -> dict[str, Any]:
    return {"event": await credit.event_to_mend(said.tx, said.me, said.id)}


async def _mend(said: Said) -> CreditEventView:
    told = {
        "points": said.whole("points"),
        "words": said.text("words"),
        "document_sha256": said.fingerprint("document_sha256"),
    }
    return await crediting.correct_event(said.tx, said.me, said.id, as_wanted(told, NewCorrection), said.now)


MEND = Act(
    "field/credit_mend.html",
    _to_mend,
    _mend,
    CreditEventView,
    _at_credit,
    "credit_mended",
    frozenset({"points", "words", "document_sha256"}),
)
