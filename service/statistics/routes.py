"""The headline share, for everybody; what other standards would have cost, for whoever forms them."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Actor, Post
from domain.period import FIRST_YEAR, LAST_YEAR
from domain.standard import WORKS_ON_STANDARDS
from service.security import PUBLIC, allow
from service.statistics import commands
from service.statistics.queries import offers as became_of
from service.statistics.queries import simulation
from service.statistics.queries.overdue import overdue
from service.statistics.queries.share import By, individual_share, parse_by, parse_span
from service.statistics.queries.step_counts import steps_of_year
from service.statistics.schemas import (
    IndividualShareView,
    NewSimulation,
    OffersStatisticsView,
    OverdueView,
    SimulationsView,
    SimulationView,
    StepsView,
)
from service.web import Me, Now, StrictRequest, Today, Tx

#: Who works with the figures and is shown the small ones too.
_STAFF = frozenset(Post) - {Post.TRAINEE, Post.CLERK}
#: Who is to see what is late: whoever moves claims, and the auditor.
_DESKS = (
    *(Post.REVIEWER, Post.SECOND_REVIEWER, Post.NOTICE_PUBLISHER),
    *(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR),
)


@get("/api/statistics/individual-share", opt={PUBLIC: True})
async def share(
    request: StrictRequest,
    tx: Tx,
    today: Today,
    first: Annotated[str | None, QueryParameter(name="from")] = None,
    last: Annotated[str | None, QueryParameter(name="to")] = None,
    by: Annotated[str, QueryParameter(name="by")] = By.MONTH,
) -> IndividualShareView:
    """The share of claims filed by individuals, by month, district, list, industry or level."""
    staff = isinstance(request.user, Actor) and request.user.holds(*_STAFF)
    return await individual_share(tx, parse_span(first, last, today), parse_by(by), public=not staff)


@get("/api/statistics/offers", guards=[allow(*_STAFF)])
async def offers(
    tx: Tx,
    today: Today,
    first: Annotated[str | None, QueryParameter(name="from")] = None,
    last: Annotated[str | None, QueryParameter(name="to")] = None,
) -> OffersStatisticsView:
    """How many offers (免申即享) were made, by month, and how many of them became claims."""
    return await became_of.offers(tx, parse_span(first, last, today))


@get("/api/statistics/steps", opt={PUBLIC: True})
async def steps(
    tx: Tx, today: Today, year: Annotated[int | None, QueryParameter(ge=FIRST_YEAR, le=LAST_YEAR)] = None
) -> StepsView:
    """How many working days each step took of the claims that were paid, by month and over a year (this one)."""
    return await steps_of_year(tx, today.year if year is None else year)


@get("/api/statistics/overdue", guards=[allow(*_DESKS)])
async def late_claims(tx: Tx, me: Me, today: Today) -> OverdueView:
    """Claims in my district that are reviewed or paid later than policy allows, the oldest first."""
    return await overdue(tx, me, today)


@post("/api/statistics/simulations", guards=[allow(*WORKS_ON_STANDARDS)], status_code=200)
async def simulate(tx: Tx, me: Me, today: Today, now: Now, data: JSONBody[NewSimulation]) -> SimulationView:
    """What the claims of a period would have cost under other standards; nothing changes, the result is kept."""
    return await commands.simulate(tx, me, data, today, now)


@get("/api/statistics/simulations", guards=[allow(*WORKS_ON_STANDARDS)])
async def list_simulations(tx: Tx, me: Me) -> SimulationsView:
    """The latest results that were kept, newest first."""
    return await simulation.simulations(tx, me)


@get("/api/statistics/simulations/{simulation_id:uuid}", guards=[allow(*WORKS_ON_STANDARDS)])
async def show_simulation(tx: Tx, me: Me, simulation_id: FromPath[UUID]) -> SimulationView:
    """One result with everything it follows from."""
    return await simulation.simulation(tx, me, simulation_id)


ROUTES = [share, offers, steps, late_claims, simulate, list_simulations, show_simulation]
