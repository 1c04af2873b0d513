"""Rounds of selection: announced and publicised for everybody; applied for, scored and decided."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from domain.actor import Post
from service.institutions.commands import admitting, applying, rounds
from service.institutions.queries import selection
from service.institutions.routes.registry import OFFICER, SELECTS
from service.institutions.schemas import (
    ApplicationsView,
    ApplicationView,
    NewApplication,
    NewGrounds,
    NewRound,
    NewSheet,
    RoundsView,
    RoundView,
)
from service.security import PUBLIC, allow
from service.web import Me, Now, Once, Today, Tx, answered


@get("/api/selections", opt={PUBLIC: True})
async def list_rounds(tx: Tx) -> RoundsView:
    """The latest rounds of selection, newest first."""
    return await selection.rounds(tx)


@get("/api/selections/{round_id:uuid}", opt={PUBLIC: True})
async def show_round(tx: Tx, round_id: FromPath[UUID]) -> RoundView:
    """A round as it was announced, with its results once they are publicised."""
    return await selection.round_view(tx, round_id)


@post("/api/selections", guards=[OFFICER])
async def announce(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewRound]
) -> Response[RoundView]:
    """Announce a round: who may apply when, by what it is scored, and for which days one is admitted."""
    return answered(await once(tx, RoundView, lambda: rounds.announce(tx, me, data, today, now)))


@post("/api/selections/{round_id:uuid}/publicise", guards=[OFFICER], status_code=200)
async def publicise(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, round_id: FromPath[UUID]
) -> Response[RoundView]:
    """Nominate whoever reaches the pass mark, and let the public object."""
    return answered(await once(tx, RoundView, lambda: rounds.publicise(tx, me, round_id, today, now)), 200)


@post("/api/selections/{round_id:uuid}/close", guards=[OFFICER], status_code=200)
async def close(tx: Tx, me: Me, today: Today, now: Now, once: Once, round_id: FromPath[UUID]) -> Response[RoundView]:
    """End a round in which everything is decided."""
    return answered(await once(tx, RoundView, lambda: rounds.close(tx, me, round_id, today, now)), 200)


@post("/api/selections/{round_id:uuid}/drop", guards=[OFFICER], status_code=200)
async def drop_round(
    tx: Tx, me: Me, now: Now, once: Once, round_id: FromPath[UUID], data: JSONBody[NewGrounds]
) -> Response[RoundView]:
    """Give a round up before it is publicised."""
    return answered(await once(tx, RoundView, lambda: rounds.drop_round(tx, me, round_id, data.reason, now)), 200)


@get("/api/selections/{round_id:uuid}/applications", guards=[SELECTS])
async def list_applications(tx: Tx, me: Me, round_id: FromPath[UUID]) -> ApplicationsView:
    """The applications of a round that I may see."""
    return await selection.applications(tx, me, round_id)


@post("/api/selections/{round_id:uuid}/applications", guards=[allow(Post.CLERK)])
async def apply(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, round_id: FromPath[UUID], data: JSONBody[NewApplication]
) -> Response[ApplicationView]:
    """Apply for my institution."""
    effect = once(tx, ApplicationView, lambda: applying.apply(tx, me, round_id, data, today, now))
    return answered(await effect)


@get("/api/selections/applications/{application_id:uuid}", guards=[SELECTS])
async def show_application(tx: Tx, me: Me, application_id: FromPath[UUID]) -> ApplicationView:
    """An application with its documents, and the score sheets that I may see."""
    return await selection.application_view(tx, me, application_id)


@post("/api/selections/applications/{application_id:uuid}/withdraw", guards=[allow(Post.CLERK)], status_code=200)
async def withdraw(tx: Tx, me: Me, now: Now, once: Once, application_id: FromPath[UUID]) -> Response[ApplicationView]:
    """Take my institution's application back."""
    return answered(await once(tx, ApplicationView, lambda: applying.withdraw(tx, me, application_id, now)), 200)


@post("/api/selections/applications/{application_id:uuid}/scores", guards=[allow(Post.ASSESSOR)])
async def score(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, application_id: FromPath[UUID], data: JSONBody[NewSheet]
) -> Response[ApplicationView]:
    """Score an application, once."""
    effect = once(tx, ApplicationView, lambda: applying.score(tx, me, application_id, data, today, now))
    return answered(await effect)


@post("/api/selections/applications/{application_id:uuid}/admit", guards=[OFFICER], status_code=200)
async def admit(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, application_id: FromPath[UUID]
) -> Response[ApplicationView]:
    """Admit an institution after publicity, into the catalog for the announced days."""
    effect = once(tx, ApplicationView, lambda: admitting.admit(tx, me, application_id, today, now))
    return answered(await effect, 200)


@post("/api/selections/applications/{application_id:uuid}/turn-down", guards=[OFFICER], status_code=200)
async def turn_down(
    tx: Tx, me: Me, now: Now, once: Once, application_id: FromPath[UUID], data: JSONBody[NewGrounds]
) -> Response[ApplicationView]:
    """Turn an application down, with a reason."""
    effect = once(tx, ApplicationView, lambda: admitting.turn_down(tx, me, application_id, data.reason, now))
    return answered(await effect, 200)


ROUTES = [
    list_rounds,
    show_round,
    announce,
    publicise,
    close,
    drop_round,
    list_applications,
    apply,
    show_application,
    withdraw,
    score,
    admit,
    turn_down,
]
