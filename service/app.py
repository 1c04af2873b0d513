"""The service: every feature's routes, in one place."""

from litestar import Litestar, get, post
from litestar.exceptions import NotFoundException
from litestar.middleware import DefineMiddleware
from litestar.params import JSONBody
from msgspec import Struct
from sqlalchemy import text

from domain.errors import Invalid
from service import clock, logs, openapi
from service.access import routes as access
from service.accounting import routes as accounting
from service.assessments import routes as assessments
from service.audit import routes as audit
from service.batches import routes as batches
from service.catalog import routes as catalog
from service.claims import routes as claims
from service.clawbacks import routes as clawbacks
from service.database import dispose
from service.employment import routes as employment
from service.funds import routes as funds
from service.institutions import routes as institutions
from service.messages import routes as messages
from service.notices import routes as notices
from service.offers import routes as offers
from service.operations import routes as operations
from service.oversight import routes as oversight
from service.pages import routes as pages
from service.pages.errors import for_people
from service.pages.keeping import KeepForms
from service.pages.language import InLanguage
from service.pages.routes.schema import SchemaPage
from service.policies import routes as policies
from service.problems import HANDLERS
from service.projects import routes as projects
from service.reconciliation import routes as reconciliation
from service.registers import routes as registers
from service.security import PUBLIC, Authentication, forms_of_pages
from service.standards import routes as standards
from service.statements import routes as statements
from service.statistics import routes as statistics
from service.training import routes as training
from service.verification import routes as verification
from service.web import DEPENDENCIES, StrictRequest, Today, Tx, close_left_open, refuse_strange_query
from service.work import routes as work


class HealthView(Struct):
    database: str


class DayView(Struct):
    """The business day; `offset_days` is how far the demo's clock is from the real one."""

    today: str
    offset_days: int


class NewDay(Struct, forbid_unknown_fields=True):
    days: int


@get("/health", opt={PUBLIC: True})
async def health(tx: Tx) -> HealthView:
    """Whether this process can reach the database."""
    await tx.execute(text("SELECT 1"))
    return HealthView("ok")


@get("/api/today", opt={PUBLIC: True})
async def day(today: Today) -> DayView:
    """The day this service plays."""
    return DayView(today.isoformat(), clock.offset().days)


@post("/api/demo/clock", opt={PUBLIC: True})
async def advance_clock(data: JSONBody[NewDay]) -> DayView:
    """In the demo only: let days pass."""
    if not clock.can_be_moved():
        raise NotFoundException
    if not 0 < data.days <= clock.ADVANCE_DAYS_MAX:
        raise Invalid("clock.range", field="days", most=clock.ADVANCE_DAYS_MAX)
    return DayView(clock.advance(data.days).isoformat(), clock.offset().days)


FEATURES = [
    *(access, policies, registers, catalog, funds, standards, institutions, employment, projects),
    *(training, assessments),
    *(
        claims,
        work,
        verification,
        notices,
        oversight,
        offers,
        batches,
        reconciliation,
        statements,
        operations,
        clawbacks,
        statistics,
        accounting,
        messages,
        audit,
    ),
]


def create_app() -> Litestar:
    """The ASGI application of this process."""
    logs.configure()
    routes = openapi.describe([health, day, advance_clock, *(route for each in FEATURES for route in each.ROUTES)])
    app = Litestar(
        route_handlers=[*routes, *pages.ROUTES],
        dependencies={**DEPENDENCIES, **pages.DEPENDENCIES},
        exception_handlers=for_people(HANDLERS),
        middleware=[InLanguage(), DefineMiddleware(Authentication), KeepForms()],
        csrf_config=forms_of_pages(),
        request_class=StrictRequest,
        before_request=refuse_strange_query,
        after_exception=[close_left_open],
        on_shutdown=[dispose],
        openapi_config=openapi.config(SchemaPage()),
    )
    openapi.close_bodies(app)
    return app
