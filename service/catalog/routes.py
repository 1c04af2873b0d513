"""Look items up."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from domain.period import parse_date
from service.catalog.queries import catalog_on
from service.catalog.schemas import CatalogView
from service.security import PUBLIC
from service.web import Today, Tx


@get("/api/catalog", opt={PUBLIC: True})
async def catalog(
    tx: Tx,
    today: Today,
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
    q: Annotated[str, QueryParameter(max_length=60)] = "",
    list_kind: Annotated[str, QueryParameter(name="list", max_length=30)] = "",
) -> CatalogView:
    """The edition in force on a day (today when none is given) and its items, rows as published."""
    return await catalog_on(tx, parse_date(on, "on") if on else today, q.strip(), list_kind)


ROUTES = [catalog]
