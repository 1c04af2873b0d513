"""A clerk's day: what is to be mended, what is to be handed in, what has a last day, and what is stopped."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.actor import Actor
from domain.claim import ClaimStatus
from domain.institution import InstitutionKind, Sanction, Stop
from domain.money import format_yuan
from domain.penalty import PENALTY_LIFECYCLE, PenaltyAction, PenaltyStatus
from domain.period import Period
from domain.training import ClassStatus
from service.claims.queries import care, views
from service.claims.queries.rosters import rosters_page
from service.clawbacks.queries.mine import our_demands
from service.database import Tx
from service.institutions.queries.registry import sanctions_of
from service.institutions.schemas import SanctionView
from service.oversight.queries.penalties import penalty_list
from service.oversight.schemas import PenaltyView
from service.pages.institution.frame import doors_of, mine
from service.training.queries.views import classes_page
from service.wording import words

_SHOWN_MAX = 10
_STANDS = frozenset({PenaltyStatus.IMPOSED, PenaltyStatus.APPEALED, PenaltyStatus.UPHELD})


@dataclass(frozen=True)
class Dated:
    """Something with a last day."""

    due_on: date
    what: str
    href: str


@dataclass(frozen=True)
class Stopped:
    """A sanction of today: what must not be done meanwhile, in words."""

    what: str
    reason: str
    until: date | None


async def home(tx: Tx, me: Actor, today: date) -> dict[str, Any]:
    """Read through the features' queries, ten of a kind at most: the lists have all of them."""
    known = await mine(tx, me)
    sent_back = (await classes_page(tx, me, **_first(ClassStatus.SENT_BACK))).classes
    finished = (await classes_page(tx, me, **_first(ClassStatus.FINISHED))).classes
    claims = [
        each
        for status in (ClaimStatus.SENT_BACK, ClaimStatus.BOUNCED)
        for each in (await views.claims_page(tx, me, **_first(status), of_institution=True)).claims
    ]
    rosters = (await rosters_page(tx, me, cursor=None, limit=_SHOWN_MAX)).rosters
    to_mend = [each for each in rosters if each.refused or each.rejection]
    teaches = any(href == "/institution/classes" for _, href in doors_of(known.kind))
    return {
        "classes": sent_back,
        "claims": claims,
        "rosters": to_mend,
        "running": [each for each in rosters if each.status in {"received", "filing"}],
        "finished": finished,
        "teaches": teaches,
        "employs": known.kind == InstitutionKind.ENTERPRISE,
        "assesses": known.kind == InstitutionKind.ASSESSMENT_BODY,
        "dated": sorted(await _dated(tx, me, claims, today), key=lambda each: each.due_on),
        "stopped": stopped_on(await sanctions_of(tx, known.id), today),
    }


def _first(status: str) -> dict[str, Any]:
    return {"status": status, "district": None, "cursor": None, "limit": _SHOWN_MAX}


async def _dated(tx: Tx, me: Actor, claims: list[Any], today: date) -> list[Dated]:
    days = await care.due_days(tx, [each.id for each in claims])
    found = [
        Dated(days[each.id], f"{each.claimant}的申领要补改", f"/institution/claims/{each.id}")
        for each in claims
        if each.id in days
    ]
    penalties = (await penalty_list(tx, me, None, _SHOWN_MAX)).penalties
    for penalty in to_mend(penalties):
        if penalty.mend_until and penalty.mend_until >= today:
            found.append(Dated(penalty.mend_until, f"“{penalty.step_name}”要整改", "/institution/standing"))
    for penalty in penalties:
        if penalty.appeal_until and may_appeal(penalty, today):
            found.append(Dated(penalty.appeal_until, f"对“{penalty.step_name}”可以申诉", "/institution/standing"))
    for owed in (await our_demands(tx, me, today))[:_SHOWN_MAX]:
        if owed.open and owed.clawback.due_on:
            what = f"退回 {format_yuan(owed.left_fen)}"
            found.append(Dated(owed.clawback.due_on, what, f"/institution/demands/{owed.clawback.id}"))
    return found


def to_mend(penalties: list[PenaltyView]) -> list[PenaltyView]:
    """Those that ask for something to be mended, and stand."""
    return [each for each in penalties if each.mend_until and each.status in _STANDS and each.lifted_on is None]


def may_appeal(penalty: PenaltyView, today: date) -> bool:
    """Whether it is one that can be appealed against, and in time."""
    can_be = (PenaltyStatus(penalty.status), PenaltyAction.APPEAL) in PENALTY_LIFECYCLE.moves
    return can_be and penalty.appeal_until is not None and today <= penalty.appeal_until


def stopped_on(sanctions: list[SanctionView], today: date) -> list[Stopped]:
    """Those that hold on that day."""
    return [
        Stopped(stops_in_words(each.stops), each.reason, each.days.last)
        for each in sanctions
        if holds_on(each, today)
    ]


def holds_on(view: SanctionView, day: date) -> bool:
    days = Period(view.days.first, view.days.last)
    return Sanction(days, frozenset(map(Stop, view.stops)), view.lifted_on).holds_on(day)


def stops_in_words(stops: list[Any]) -> str:
    """不开新班、暂停代领."""
    return "、".join(words(f"sanction_stop.{each}") for each in stops)
