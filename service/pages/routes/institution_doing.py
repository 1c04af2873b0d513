"""A clerk's pages of what is done one at a time: a claim by a paper, projects, the account, devices, selections."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from service.gateways.file_store import FILE_BYTES_MAX
from service.institutions.queries.selection import document
from service.pages.filing_form import Under
from service.pages.forms import BESIDE_A_FILE
from service.pages.institution import account, demands, devices, findings, projects, selections, single
from service.pages.institution.visit import AtDesk
from service.pages.routes.institution import CLERKS
from service.web import private_file

Page = Response[Any]
_GET: dict[str, Any] = {"guards": CLERKS, "include_in_schema": False}
_FORM: dict[str, Any] = {**_GET, "status_code": 303}
_FILE: dict[str, Any] = {**_FORM, "request_max_body_size": FILE_BYTES_MAX + BESIDE_A_FILE}


@get("/institution/contracts/{contract_id:uuid}/claim", **_GET)
async def claim_of_hired(clerk: AtDesk, contract_id: FromPath[UUID]) -> Page:
    """The form of a claim for somebody we hired."""
    return await single.form(clerk, Under(contract_id=contract_id))


@post("/institution/contracts/{contract_id:uuid}/claim", **_FORM)
async def file_for_hired(clerk: AtDesk, contract_id: FromPath[UUID]) -> Page:
    """Ask what the rules say, or file it."""
    return await single.sent(clerk, Under(contract_id=contract_id))


@get("/institution/mandates/{mandate_id:uuid}/claim", **_GET)
async def claim_by_mandate(clerk: AtDesk, mandate_id: FromPath[UUID]) -> Page:
    """The form of a claim for a trainee who gave us a mandate."""
    return await single.form(clerk, Under(mandate_id=mandate_id))


@post("/institution/mandates/{mandate_id:uuid}/claim", **_FORM)
async def file_by_mandate(clerk: AtDesk, mandate_id: FromPath[UUID]) -> Page:
    """Ask what the rules say, or file it."""
    return await single.sent(clerk, Under(mandate_id=mandate_id))


@get("/institution/projects", **_GET)
async def list_projects(clerk: AtDesk, cursor: FromQuery[UUID | None] = None) -> Page:
    """Our contracts over projects."""
    return await projects.listed(clerk, cursor)


@get("/institution/projects/{project_id:uuid}", **_GET)
async def show_project(clerk: AtDesk, project_id: FromPath[UUID]) -> Page:
    """One of them."""
    return await projects.one(clerk, project_id)


@post("/institution/projects/{project_id:uuid}/results", **_FILE)
async def record_result(clerk: AtDesk, project_id: FromPath[UUID]) -> Page:
    """Say what was reached."""
    return await projects.reached(clerk, project_id)


@post("/institution/projects/{project_id:uuid}/claims", **_FORM)
async def file_place(clerk: AtDesk, project_id: FromPath[UUID]) -> Page:
    """Claim one person's place."""
    return await projects.place_claimed(clerk, project_id)


@get("/institution/account", **_GET)
async def show_account(clerk: AtDesk) -> Page:
    """The account we are paid to."""
    return await account.shown(clerk)


@post("/institution/account", **_FORM)
async def propose_account(clerk: AtDesk) -> Page:
    """Propose another."""
    return await account.proposed(clerk)


@get("/institution/demands/{clawback_id:uuid}", **_GET)
async def show_demand(clerk: AtDesk, clawback_id: FromPath[UUID]) -> Page:
    """What is demanded back of us."""
    return await demands.one(clerk, clawback_id)


@get("/institution/demands/{clawback_id:uuid}/appeal", **_GET)
async def appeal_page(clerk: AtDesk, clawback_id: FromPath[UUID]) -> Page:
    """Why it is not to be paid back."""
    return await demands.appeal_form(clerk, clawback_id)


@post("/institution/demands/{clawback_id:uuid}/appeal", **_FORM)
async def appeal_demand(clerk: AtDesk, clawback_id: FromPath[UUID]) -> Page:
    """Have it looked at again."""
    return await demands.appealed(clerk, clawback_id)


@get("/institution/devices", **_GET)
async def list_devices(clerk: AtDesk) -> Page:
    """Keys of our devices."""
    return await devices.listed(clerk)


@post("/institution/devices", **{**_FORM, "status_code": 200})
async def issue_key(clerk: AtDesk) -> Page:
    """A key for a device, shown this once."""
    return await devices.issued(clerk)


@post("/institution/devices/{key_id:uuid}/revoke", **_FORM)
async def revoke_key(clerk: AtDesk, key_id: FromPath[UUID]) -> Page:
    """Revoke one."""
    return await devices.revoked(clerk, key_id)


@get("/institution/findings", **_GET)
async def list_findings(clerk: AtDesk) -> Page:
    """What patrols and inspections found."""
    return await findings.listed(clerk)


@get("/institution/patrols/{patrol_id:uuid}/evidence/{sha256:str}", **_GET)
async def show_photo(clerk: AtDesk, patrol_id: FromPath[UUID], sha256: FromPath[str]) -> Page:
    """A photo or paper of a patrol."""
    return await findings.photo(clerk, patrol_id, sha256)


@get("/institution/selections", **_GET)
async def list_selections(clerk: AtDesk) -> Page:
    """The latest rounds."""
    return await selections.listed(clerk)


@get("/institution/selections/{round_id:uuid}", **_GET)
async def show_selection(clerk: AtDesk, round_id: FromPath[UUID]) -> Page:
    """One of them, with our application."""
    return await selections.one(clerk, round_id)


@post("/institution/selections/{round_id:uuid}", **_FORM)
async def apply(clerk: AtDesk, round_id: FromPath[UUID]) -> Page:
    """Apply."""
    return await selections.applied(clerk, round_id)


@post("/institution/selections/{round_id:uuid}/documents", **_FILE)
async def hand_in(clerk: AtDesk, round_id: FromPath[UUID]) -> Page:
    """Hand a document in."""
    return await selections.handed_in(clerk, round_id)


@post("/institution/selections/applications/{application_id:uuid}/withdraw", **_FORM)
async def withdraw(clerk: AtDesk, application_id: FromPath[UUID]) -> Page:
    """Take our application back."""
    return await selections.withdrawn(clerk, application_id)


@get("/institution/documents/{document_id:uuid}", **_GET)
async def show_document(clerk: AtDesk, document_id: FromPath[UUID]) -> Page:
    """A file that we handed in."""
    name, media_type, content = await document(clerk.tx, clerk.me, clerk.institution_id, document_id)
    return private_file(content, media_type, name)


ROUTES = [
    *(claim_of_hired, file_for_hired, claim_by_mandate, file_by_mandate),
    *(list_projects, show_project, record_result, file_place),
    *(show_demand, appeal_page, appeal_demand),
    *(show_account, propose_account, list_devices, issue_key, revoke_key),
    *(list_findings, show_photo),
    *(list_selections, show_selection, apply, hand_in, withdraw, show_document),
]
