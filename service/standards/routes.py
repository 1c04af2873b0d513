"""Look up amounts."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from domain.period import parse_date
from service.security import PUBLIC
from service.standards.queries import standards_on
from service.standards.schemas import StandardsView
from service.web import Today, Tx


@get("/api/standards", opt={PUBLIC: True})
async def standards(
    tx: Tx,
    today: Today,
    occupation: Annotated[str, QueryParameter(max_length=20)],
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
) -> StandardsView:
    """The amounts of an occupation on a day (today when none is given), by level."""
    return StandardsView(await standards_on(tx, occupation, parse_date(on, "on") if on else today))


ROUTES = [standards]
