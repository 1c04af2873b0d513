"""The registry of institutions: public as far as the notice says, the rest for officers and own clerks."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from domain.institution import InstitutionKind, Standing
from domain.period import parse_date
from service.gateways.file_store import FILE_BYTES_MAX, TYPES
from service.gateways.sheet_files import CSV_TYPE
from service.institutions.commands import accounts, applying, registering
from service.institutions.queries import registry, selection
from service.institutions.schemas import (
    AddedView,
    DocumentView,
    InstitutionsView,
    InstitutionView,
    NewBranch,
    NewContact,
    NewEnd,
    NewGrade,
    NewGrounds,
    NewInstitution,
    NewInstitutionAccount,
    NewScopes,
    RecordView,
)
from service.openapi import files
from service.security import PUBLIC, allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

OFFICER = allow(Post.INSTITUTION_OFFICER)
KEEPS = allow(Post.INSTITUTION_OFFICER, Post.CLERK, Post.AUDITOR)
SELECTS = allow(Post.INSTITUTION_OFFICER, Post.CLERK, Post.ASSESSOR, Post.AUDITOR)

Day = Annotated[str | None, QueryParameter(max_length=10)]
District = Annotated[str | None, QueryParameter(max_length=20)]
Kind = Annotated[InstitutionKind | None, QueryParameter()]
Stands = Annotated[Standing | None, QueryParameter()]
After = Annotated[str, QueryParameter(max_length=18)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/institutions", opt={PUBLIC: True})
async def list_institutions(
    tx: Tx,
    today: Today,
    on: Day = None,
    district: District = None,
    kind: Kind = None,
    standing: Stands = None,
    after: After = "",
    limit: Limit = 50,
) -> InstitutionsView:
    """The catalog of institutions on a day (today when none is given), a page at a time, by credit code."""
    sought = _sought(parse_date(on, "on") if on else today, district, kind, standing)
    return await registry.public_page(tx, sought, after, limit)


@get("/api/institutions/file", opt={PUBLIC: True}, operation_class=files(gives=(CSV_TYPE,)))
async def institutions_file(
    tx: Tx,
    today: Today,
    on: Day = None,
    district: District = None,
    kind: Kind = None,
    standing: Stands = None,
) -> Response[bytes]:
    """The same as CSV, all of it."""
    sought = _sought(parse_date(on, "on") if on else today, district, kind, standing)
    headers = {"Content-Disposition": f'attachment; filename="institutions-{sought.on}.csv"'}
    return Response(await registry.public_file(tx, sought), media_type=CSV_TYPE, headers=headers)


def _sought(
    on: date, district: str | None, kind: InstitutionKind | None, standing: Standing | None
) -> registry.Sought:
    return registry.Sought(on, district, kind, standing)


@get("/api/institutions/{institution_id:uuid}", opt={PUBLIC: True})
async def show_institution(tx: Tx, today: Today, institution_id: FromPath[UUID], on: Day = None) -> InstitutionView:
    """An institution that is or was in the catalog, as it stands on a day (today when none is given)."""
    return await registry.public_view(tx, institution_id, parse_date(on, "on") if on else today)


@get("/api/institutions/{institution_id:uuid}/record", guards=[KEEPS])
async def show_record(tx: Tx, me: Me, today: Today, institution_id: FromPath[UUID], on: Day = None) -> RecordView:
    """Everything about an institution of my district, or my own."""
    return await registry.record_of(tx, me, institution_id, parse_date(on, "on") if on else today)


@post("/api/institutions", guards=[OFFICER])
async def register(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewInstitution]) -> Response[AddedView]:
    """Put an institution into the registry, so that it may apply."""
    return answered(await once(tx, AddedView, lambda: registering.register(tx, me, data, now)))


@post("/api/institutions/{institution_id:uuid}/branches", guards=[OFFICER])
async def add_branch(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, institution_id: FromPath[UUID], data: JSONBody[NewBranch]
) -> Response[AddedView]:
    """A place where it teaches or assesses."""
    effect = once(tx, AddedView, lambda: registering.add_branch(tx, me, institution_id, data, today, now))
    return answered(await effect)


@post("/api/institutions/{institution_id:uuid}/contacts", guards=[OFFICER])
async def add_contact(
    tx: Tx, me: Me, now: Now, once: Once, institution_id: FromPath[UUID], data: JSONBody[NewContact]
) -> Response[AddedView]:
    """Whom one asks; kept sealed."""
    effect = once(tx, AddedView, lambda: registering.add_contact(tx, me, institution_id, data, now))
    return answered(await effect)


@post("/api/institutions/{institution_id:uuid}/grades", guards=[OFFICER])
async def give_grade(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, institution_id: FromPath[UUID], data: JSONBody[NewGrade]
) -> Response[AddedView]:
    """A, B or C within its class, from a day on."""
    effect = once(tx, AddedView, lambda: registering.give_grade(tx, me, institution_id, data, today, now))
    return answered(await effect)


@post("/api/institutions/{institution_id:uuid}/scopes", guards=[OFFICER])
async def add_scopes(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, institution_id: FromPath[UUID], data: JSONBody[NewScopes]
) -> Response[list[AddedView]]:
    """What it may teach or assess, from a day on."""
    effect = once(tx, list[AddedView], lambda: registering.add_scopes(tx, me, institution_id, data, today, now))
    return answered(await effect)


@post("/api/institutions/{institution_id:uuid}/ends", guards=[OFFICER], status_code=200)
async def end(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, institution_id: FromPath[UUID], data: JSONBody[NewEnd]
) -> Response[AddedView]:
    """End one of its branches, contacts, grades or scopes on a day."""
    effect = once(tx, AddedView, lambda: registering.end(tx, me, institution_id, data, today, now))
    return answered(await effect, 200)


@post("/api/institutions/{institution_id:uuid}/accounts", guards=[allow(Post.INSTITUTION_OFFICER, Post.CLERK)])
async def propose_account(
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    institution_id: FromPath[UUID],
    data: JSONBody[NewInstitutionAccount],
) -> Response[AddedView]:
    """Propose the account it is paid to from a day on; another person confirms it."""
    effect = once(tx, AddedView, lambda: accounts.propose_account(tx, me, institution_id, data, today, now))
    return answered(await effect)


@post(
    "/api/institutions/{institution_id:uuid}/accounts/{proposal_id:uuid}/confirm", guards=[OFFICER], status_code=200
)
async def confirm_account(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, institution_id: FromPath[UUID], proposal_id: FromPath[UUID]
) -> Response[AddedView]:
    """Confirm an account that another person proposed."""
    about = institution_id, proposal_id, today, now
    return answered(await once(tx, AddedView, lambda: accounts.confirm_account(tx, me, *about)), 200)


@post(
    "/api/institutions/{institution_id:uuid}/accounts/{proposal_id:uuid}/decline", guards=[OFFICER], status_code=200
)
async def decline_account(
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    institution_id: FromPath[UUID],
    proposal_id: FromPath[UUID],
    data: JSONBody[NewGrounds],
) -> Response[AddedView]:
    """Decline an account that another person proposed."""
    about = institution_id, proposal_id, data.reason, now
    return answered(await once(tx, AddedView, lambda: accounts.decline_account(tx, me, *about)), 200)


@post(
    "/api/institutions/{institution_id:uuid}/documents",
    guards=[allow(Post.CLERK)],
    request_max_body_size=FILE_BYTES_MAX,
    operation_class=files(takes=TYPES),
)
async def hand_in_document(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    institution_id: FromPath[UUID],
    name: Annotated[str, QueryParameter(min_length=1, max_length=100)],
) -> Response[DocumentView]:
    """Hand in a file of my institution (PDF, JPEG or PNG), to be named in applications."""
    media_type = taken(request, TYPES)
    about = institution_id, name, media_type, await request.body(), now
    return answered(await once(tx, DocumentView, lambda: applying.hand_in_document(tx, me, *about)))


@get(
    "/api/institutions/{institution_id:uuid}/documents/{document_id:uuid}",
    guards=[SELECTS],
    operation_class=files(gives=TYPES),
)
async def show_document(
    tx: Tx, me: Me, institution_id: FromPath[UUID], document_id: FromPath[UUID]
) -> Response[bytes]:
    """The file itself; for assessors as far as it belongs to an application."""
    name, media_type, content = await selection.document(tx, me, institution_id, document_id)
    return private_file(content, media_type, name)


ROUTES = [
    list_institutions,
    institutions_file,
    show_institution,
    show_record,
    register,
    add_branch,
    add_contact,
    give_grade,
    add_scopes,
    end,
    propose_account,
    confirm_account,
    decline_account,
    hand_in_document,
    show_document,
]
