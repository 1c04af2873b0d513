"""How my institution stands: what is stopped and until when, penalties and appeals, credit, the year's evaluation;
and the money that came through it, or that it is to pay back."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from domain.errors import Conflict
from domain.evaluation import Indicator
from domain.level import LEVELS
from domain.penalty import PenaltyStatus
from service.batches.queries.paid_through import paid_through
from service.catalog.queries.published import catalog_on
from service.clawbacks.queries.mine import our_demands
from service.database import Tx
from service.institutions.queries.registry import record_of
from service.institutions.schemas import ScopeView
from service.oversight.commands.appeals import appeal
from service.oversight.queries.credit import credit
from service.oversight.queries.evaluations import evaluations_of
from service.oversight.queries.penalties import penalty_list
from service.oversight.schemas import CreditView, NewAppeal, PenaltyView
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.institution.frame import Ask, mine, shown
from service.pages.institution.home import may_appeal, stopped_on, stops_in_words
from service.web import as_wanted
from service.wording import words

_PENALTIES_MAX, _BATCHES_A_PAGE = 50, 30
_TONES = {
    **dict.fromkeys((PenaltyStatus.IMPOSED, PenaltyStatus.UPHELD), "red"),
    PenaltyStatus.APPEALED: "amber",
    PenaltyStatus.OVERTURNED: "green",
}


@dataclass(frozen=True)
class Decided:
    """A penalty, what it stops in words, and whether one may still appeal."""

    view: PenaltyView
    stops: str
    may_appeal: bool


async def standing(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    appealed: UUID | None = None,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """Grade, scope, what is stopped, penalties, credit. `appealed`: the penalty whose appeal was not taken."""
    record = await record_of(tx, me, (await mine(tx, me)).id, today)
    penalties = (await penalty_list(tx, me, None, _PENALTIES_MAX)).penalties
    return await shown(
        request,
        tx,
        me,
        "standing",
        today,
        status=422 if faults else 200,
        record=record,
        stopped=stopped_on(record.sanctions, today),
        scopes=await _scopes(tx, record.institution.scopes, today),
        penalties=[Decided(each, stops_in_words(each.stops), may_appeal(each, today)) for each in penalties],
        tones=_TONES,
        credit=await _credit(tx, me, record.institution.credit_code, today),
        appealed=appealed,
        typed=typed or {},
        faults=faults or [],
        once=uuid4(),
    )


async def _scopes(tx: Tx, scopes: list[ScopeView], today: date) -> list[tuple[str, str]]:
    """(name of the occupation, its levels in words)."""
    names = {row.code: row.name for row in (await catalog_on(tx, today)).items if row.code}
    return sorted(
        (names.get(each.occupation, each.occupation), "、".join(LEVELS[level].short for level in each.levels))
        for each in scopes
    )


async def _credit(tx: Tx, me: Actor, code: str, today: date) -> CreditView | None:
    """This year's; None while no ladder of penalties is in force."""
    try:
        return await credit(tx, me, code, today.year, today)
    except Conflict:
        return None


async def appealed(request: Ask, tx: Tx, me: Actor, today: date, now: datetime, penalty_id: UUID) -> Response[Any]:
    """Appeal for my institution, once and in time. NotFound `penalty.not_found`."""
    typed = await forms.typed(request)

    async def effect() -> None:
        new = as_wanted({"reason": typed.get("reason", "")}, NewAppeal)
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        await once(tx, PenaltyView, lambda: appeal(tx, me, penalty_id, new, today, now))

    if faults := await forms.refused(tx, effect):
        named = [(f"reason_{penalty_id}" if field == "reason" else "form", message) for field, message in faults]
        at_it = {f"reason_{penalty_id}": typed.get("reason", "")}
        return await standing(request, tx, me, today, penalty_id, at_it, named)
    return forms.see("/institution/standing", "penalty_appealed")


async def evaluation(request: Ask, tx: Tx, me: Actor, today: date, year: int | None) -> Response[bytes]:
    """Our result of a year, of the last one when none is asked for, beside how many passed."""
    record = await record_of(tx, me, (await mine(tx, me)).id, today)
    view = await evaluations_of(tx, year or today.year - 1)
    ours = next((each for each in view.results if each.institution == record.institution.credit_code), None)
    weights = [
        (words(f"indicator.{each}"), view.weights[each]) for each in map(str, Indicator) if each in view.weights
    ]
    about: dict[str, Any] = {
        "view": view,
        "ours": ours,
        "weights": weights,
        "years": [each.year for each in record.evaluations],
    }
    return await shown(request, tx, me, "evaluation", today, **about)


async def money(request: Ask, tx: Tx, me: Actor, today: date, cursor: str | None) -> Response[bytes]:
    """What was paid to us or to our trainees, batch by batch; what we are to pay back, and by when."""
    return await shown(
        request,
        tx,
        me,
        "money",
        today,
        paid=await paid_through(tx, me, cursor, _BATCHES_A_PAGE),
        owed=await our_demands(tx, me, today),
        later=cursor is not None,
    )
