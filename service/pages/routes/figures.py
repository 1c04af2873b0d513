"""Figures and files for anybody."""

from litestar import Response, get
from litestar.response import Stream

from service.pages import public_figures, public_steps
from service.pages.figure_tables import streamed
from service.pages.rendering import page
from service.security import NO_FORM
from service.web import StrictRequest, Today, Tx


@get("/statistics", opt=NO_FORM, include_in_schema=False)
async def statistics(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """The share of a year, by month, district, list, level or industry."""
    found = await public_figures.statistics(tx, request.query_params, today)
    return page(request, "public/statistics.html", today, **found)


@get("/statistics/file", opt=NO_FORM, include_in_schema=False)
async def statistics_file(request: StrictRequest, tx: Tx, today: Today) -> Stream:
    """The same table as CSV."""
    found = await public_figures.statistics(tx, request.query_params, today)
    asked = found["asked"]
    return streamed(found["table"], f"individual-share-{asked.year}-{asked.by}.csv", private=False)


@get("/statistics/steps", opt=NO_FORM, include_in_schema=False)
async def steps(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """How long claims took from step to step."""
    return page(request, "public/steps.html", today, **await public_steps.steps(tx, request.query_params, today))


@get("/statistics/steps/file", opt=NO_FORM, include_in_schema=False)
async def steps_file(request: StrictRequest, tx: Tx, today: Today) -> Stream:
    """Every month and every step as CSV."""
    found = await public_steps.steps(tx, request.query_params, today)
    table = public_steps.file_of(found["view"]) if found["view"] else public_steps.NOTHING
    return streamed(table, f"steps-{found['asked'].year}.csv", private=False)


@get("/open-data", opt=NO_FORM, include_in_schema=False)
async def open_data(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """Every file that anybody may have."""
    return page(request, "public/open_data.html", today, **await public_figures.open_files(tx))


ROUTES = [statistics, statistics_file, steps, steps_file, open_data]
