"""The headline share, for everybody."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from domain.actor import Actor, Post
from service.security import PUBLIC
from service.statistics.queries import By, individual_share, parse_by, parse_span
from service.statistics.schemas import IndividualShareView
from service.web import StrictRequest, Today, Tx

#: Who works with the figures and is shown the small ones too.
_STAFF = frozenset(Post) - {Post.TRAINEE, Post.CLERK}


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


ROUTES = [share]
