"""Results of classes over HTTP."""

import asyncio
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from domain.period import parse_date
from service.assessments.commands import affiliating, filing
from service.assessments.queries import bodies, rates, results
from service.assessments.schemas import (
    AffiliationsView,
    AffiliationView,
    AssessmentsView,
    NewAffiliation,
    NewAssessment,
    RatesView,
)
from service.gateways.assessment_sheets import FORM, LIMITS, read_assessment
from service.gateways.sheet_files import CSV_TYPE, KINDS, TYPES, XLSX_TYPE, as_sheet
from service.openapi import files
from service.security import allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

FILES_RESULTS = allow(Post.CLERK)
SEES = allow(Post.CLERK, *results.READERS)
DECLARES = allow(Post.INSTITUTION_OFFICER)
KNOWS_TIES = allow(Post.INSTITUTION_OFFICER, Post.INSPECTOR, Post.EVALUATOR, Post.AUDITOR)

Day = Annotated[str | None, QueryParameter(max_length=10)]
SheetKind = Literal["csv", "xlsx"]


@post("/api/assessments", guards=[FILES_RESULTS])
async def file_assessment(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewAssessment]
) -> Response[AssessmentsView]:
    """Tell the results of a class, or correct what my institution told of it."""
    return answered(await once(tx, AssessmentsView, lambda: filing.file_assessment(tx, me, data, today, now)))


@post(
    "/api/assessments/sheet",
    guards=[FILES_RESULTS],
    request_max_body_size=LIMITS.file_bytes,
    operation_class=files(takes=(CSV_TYPE, XLSX_TYPE)),
)
async def upload_assessment(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    class_number: Annotated[str, QueryParameter(max_length=60)],
    assessed_on: Annotated[str, QueryParameter(max_length=10)],
    corrects: FromQuery[int | None] = None,
    reason: Annotated[str, QueryParameter(max_length=500)] = "",
) -> Response[AssessmentsView]:
    """The same from a sheet: CSV in UTF-8 or GB18030, or XLSX. Who examined stands in lines of their own."""
    kind = KINDS[taken(request, KINDS)]
    sheet = await asyncio.to_thread(read_assessment, await request.body(), f"results.{kind}")
    about = {"class_number": class_number, "assessed_on": assessed_on, "corrects": corrects, "reason": reason}

    async def effect() -> AssessmentsView:
        return await filing.file_sheet(tx, me, sheet, about, today, now)

    return answered(await once(tx, AssessmentsView, effect))


@get("/api/assessments/template", guards=[FILES_RESULTS], operation_class=files(gives=(XLSX_TYPE, CSV_TYPE)))
async def assessment_template(kind: Annotated[SheetKind, QueryParameter()] = "xlsx") -> Response[bytes]:
    """The sheet to fill in."""
    return private_file(as_sheet(FORM.template(), kind), TYPES[kind], f"results-template.{kind}")


@get("/api/assessments/rates", guards=[SEES])
async def pass_rates(tx: Tx, me: Me, today: Today, first: Day = None, last: Day = None) -> RatesView:
    """How the trainees of each institution did in classes assessed from `first` to `last`; this year's without."""
    since = parse_date(first, "first") if first else date(today.year, 1, 1)
    return await rates.rates(tx, me, since, parse_date(last, "last") if last else today)


@get("/api/classes/{class_id:uuid}/assessments", guards=[SEES])
async def class_assessments(tx: Tx, me: Me, class_id: FromPath[UUID]) -> AssessmentsView:
    """The results of a class, version by version, the one that holds first."""
    return await results.results_of(tx, me, class_id)


@get("/api/affiliations", guards=[KNOWS_TIES])
async def list_affiliations(tx: Tx, me: Me, institution_id: FromQuery[UUID | None] = None) -> AffiliationsView:
    """Institutions that belong together, as far as officers have found."""
    return await bodies.affiliations(tx, institution_id)


@post("/api/affiliations", guards=[DECLARES])
async def declare_affiliation(
    tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewAffiliation]
) -> Response[AffiliationView]:
    """Say that two institutions belong together: neither assesses whom the other taught."""
    return answered(await once(tx, AffiliationView, lambda: affiliating.declare_affiliation(tx, me, data, now)))


ROUTES = [
    file_assessment,
    upload_assessment,
    assessment_template,
    pass_rates,
    class_assessments,
    list_affiliations,
    declare_affiliation,
]
