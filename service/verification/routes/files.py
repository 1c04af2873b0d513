"""How it stands with checking certificates; and the files that the registry's owner sent: one person loads, another
confirms."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from domain.actor import Post
from service.gateways.registry_files import LIMITS
from service.gateways.sheet_files import CSV_TYPE, KINDS, XLSX_TYPE
from service.openapi import files
from service.security import allow
from service.verification.commands.files import LOADERS
from service.verification.commands.files import confirm_file as confirm
from service.verification.commands.files import load_file as load
from service.verification.queries import files as sent
from service.verification.queries import queue as owed
from service.verification.schemas import NewRegistryFile, QueueView, RegistryFilesView, RegistryFileView
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, taken

_READERS = (*LOADERS, Post.CATALOG_PUBLISHER, Post.AUDITOR, Post.REVIEWER)


@get("/api/verification/queue", guards=[allow(Post.OPERATOR, Post.REVIEWER, Post.AUDITOR)])
async def show_queue(tx: Tx) -> QueueView:
    """How many checks are owed and why they wait, and how it stands with the registry."""
    return await owed.queue(tx)


@get("/api/verification/files", guards=[allow(*_READERS)])
async def list_files(tx: Tx, me: Me) -> RegistryFilesView:
    """What the registry's owner sent, newest first: files with their hash and day, never a person."""
    return await sent.list_files(tx, me)


@post(
    "/api/verification/files",
    guards=[allow(*LOADERS)],
    request_max_body_size=LIMITS.file_bytes,
    operation_class=files(takes=(CSV_TYPE, XLSX_TYPE)),
)
async def load_file(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    as_of: Annotated[str, QueryParameter(max_length=10)],
    source: Annotated[str, QueryParameter(max_length=500)],
) -> Response[RegistryFileView]:
    """Load a registry's file as CSV or XLSX, whole or not at all. The same bytes are the same file."""
    kind = KINDS[taken(request, KINDS)]
    new, data = NewRegistryFile(as_of, source), await request.body()
    effect = once(tx, RegistryFileView, lambda: load(tx, me, new, data, f"registry.{kind}", today, now))
    return answered(await effect)


@post("/api/verification/files/{file_id:uuid}/confirm", guards=[allow(Post.CATALOG_PUBLISHER)], status_code=200)
async def confirm_file(tx: Tx, me: Me, now: Now, once: Once, file_id: FromPath[UUID]) -> Response[RegistryFileView]:
    """Confirm what another person loaded; certificates are answered from it from now on."""
    return answered(await once(tx, RegistryFileView, lambda: confirm(tx, me, file_id, now)), 200)


ROUTES = [show_queue, list_files, load_file, confirm_file]
