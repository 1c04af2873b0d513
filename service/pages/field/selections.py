"""Rounds of selection: announced, applied for, scored, publicised, decided."""

from typing import Any

from domain.actor import Post
from domain.errors import Invalid, NotFound
from domain.selection import APPLICATION_LIFECYCLE, ROUND_LIFECYCLE, ApplicationStatus, RoundStatus
from service.institutions.commands import admitting, applying, rounds
from service.institutions.queries import selection
from service.institutions.schemas import (
    ApplicationView,
    NewGrounds,
    NewRound,
    NewSheet,
    RoundView,
)
from service.pages.field.acts import Act, Said
from service.pages.field.institutions import KIND_CHOICES, occupations
from service.web import as_wanted

_CRITERIA_ROWS = 6
TONES = {
    "announced": "blue",
    "in_publicity": "amber",
    "filed": "blue",
    "nominated": "amber",
    "admitted": "green",
    "not_admitted": "red",
}


async def listed(said: Said) -> dict[str, Any]:
    """The latest rounds, newest first."""
    return {"rounds": (await selection.rounds(said.tx)).rounds, "tones": TONES}


async def _to_announce(said: Said) -> dict[str, Any]:
    return {"kinds": KIND_CHOICES, "rows": range(_CRITERIA_ROWS), "next_year": said.today.year + 1}


async def _announce(said: Said) -> RoundView:
    rows = [n for n in range(_CRITERIA_ROWS) if said.text(f"criteria_{n}_name") or said.text(f"criteria_{n}_weight")]
    told = {
        "year": said.whole("year"),
        "title": said.text("title"),
        "kinds": [code for code, _ in KIND_CHOICES if said.text(f"kind_{code}")],
        "criteria": [
            {"name": said.text(f"criteria_{n}_name"), "weight": said.whole(f"criteria_{n}_weight")} for n in rows
        ],
        "pass_mark": said.whole("pass_mark"),
        "assessors": said.whole("assessors"),
        "applications": {"from": said.day("applications_from"), "to": said.day("applications_to")},
        "admits": {"from": said.day("admits_from"), "to": said.day("admits_to")},
    }
    return await rounds.announce(said.tx, said.me, as_wanted(told, NewRound), said.today, said.now)


_ANNOUNCED = frozenset(
    {
        *("year", "title", "kinds", "criteria", "pass_mark", "assessors"),
        *("applications_from", "applications_to", "admits_from", "admits_to"),
        *(f"criteria_{n}_{part}" for n in range(_CRITERIA_ROWS) for part in ("name", "weight")),
    }
)
ANNOUNCE = Act(
    "field/round_new.html",
    _to_announce,
    _announce,
    RoundView,
    lambda _, view: f"/desk/selections/{view.id}",
    "round_announced",
    _ANNOUNCED,
)


async def _round(said: Said) -> dict[str, Any]:
    """A round with the applications that I may see. NotFound `selection.none`."""
    view = await selection.round_view(said.tx, said.id)
    applications = (await selection.applications(said.tx, said.me, said.id)).applications
    officer = said.me.holds(Post.INSTITUTION_OFFICER) and said.me.district is None
    return {
        "round": view,
        "applications": applications,
        "can": {str(act) for status, act in ROUND_LIFECYCLE.moves if status == view.status} if officer else set(),
        "to_score": said.me.holds(Post.ASSESSOR) and view.status == RoundStatus.ANNOUNCED,
        "tones": TONES,
    }


async def _move_round(said: Said) -> RoundView:
    act = said.text("act")
    if act == "publicise":
        return await rounds.publicise(said.tx, said.me, said.id, said.today, said.now)
    if act == "close":
        return await rounds.close(said.tx, said.me, said.id, said.today, said.now)
    if act == "drop":
        reason = as_wanted({"reason": said.text("reason")}, NewGrounds).reason
        return await rounds.drop_round(said.tx, said.me, said.id, reason, said.now)
    raise Invalid("value.missing", "form")


MOVE_ROUND = Act(
    "field/round.html",
    _round,
    _move_round,
    RoundView,
    lambda said, _: f"/desk/selections/{said.id}",
    "round_moved",
    frozenset({"reason"}),
)


async def _application(said: Said) -> dict[str, Any]:
    """One application, and what I can do about it. NotFound `selection.no_application`."""
    view = await selection.application_view(said.tx, said.me, said.id)
    of = await selection.round_view(said.tx, view.round_id)
    officer = said.me.holds(Post.INSTITUTION_OFFICER) and said.me.district is None
    nominated = officer and view.status == ApplicationStatus.NOMINATED
    mine = any(each.mine for each in view.sheets)
    return {
        "application": view,
        "round": of,
        "can": {str(act) for status, act in APPLICATION_LIFECYCLE.moves if status == view.status}
        if nominated
        else set(),
        "may_score": said.me.holds(Post.ASSESSOR) and view.status == ApplicationStatus.FILED and not mine,
        "open_still": of.applications.last is not None and said.today <= of.applications.last,
        "occupations": await occupations(said),
        "tones": TONES,
    }


async def _score(said: Said) -> ApplicationView:
    view = await selection.application_view(said.tx, said.me, said.id)
    criteria = (await selection.round_view(said.tx, view.round_id)).criteria
    points = {each.name: said.whole(f"points_{n}") for n, each in enumerate(criteria)}
    new = as_wanted({"points": points, "remark": said.text("remark")}, NewSheet)
    return await applying.score(said.tx, said.me, said.id, new, said.today, said.now)


async def _admit(said: Said) -> ApplicationView:
    return await admitting.admit(said.tx, said.me, said.id, said.today, said.now)


async def _turn_down(said: Said) -> ApplicationView:
    reason = as_wanted({"reason": said.text("reason")}, NewGrounds).reason
    return await admitting.turn_down(said.tx, said.me, said.id, reason, said.now)


def _at_application(said: Said, _: Any) -> str:
    return f"/desk/selections/applications/{said.id}"


_PAGE = "field/application.html"
SCORE = Act(_PAGE, _application, _score, ApplicationView, _at_application, "scored", frozenset({"points", "remark"}))
_DECIDING = {
    "admit": Act(_PAGE, _application, _admit, ApplicationView, _at_application, "admitted"),
    "turn-down": Act(
        _PAGE, _application, _turn_down, ApplicationView, _at_application, "turned_down", frozenset({"reason"})
    ),
}


def deciding(name: str) -> Act[ApplicationView]:
    """By the last part of the address. NotFound `page.not_found`."""
    if name not in _DECIDING:
        raise NotFound("page.not_found")
    return _DECIDING[name]
