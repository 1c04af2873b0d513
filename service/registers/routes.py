"""Registers: which there are and how they stand; one person loads a file, another confirms it."""

from io import BytesIO
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from domain.actor import Post
from domain.register import needed_in
from service.gateways.register_files import FORM, LIMITS
from service.gateways.sheet_files import CSV_TYPE, KINDS, XLSX_TYPE
from service.openapi import files
from service.registers import commands, queries
from service.registers.schemas import NewSnapshot, RegistersView, RegisterView, SnapshotsView, SnapshotView
from service.security import allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, taken
from service.wording import words

_READERS = (*commands.LOADERS, Post.CATALOG_PUBLISHER, Post.AUDITOR, Post.REVIEWER, Post.CHECKER)
Day = Annotated[str, QueryParameter(max_length=10)]


@get("/api/registers", guards=[allow(*_READERS)])
async def list_snapshots(tx: Tx, me: Me, today: Today) -> SnapshotsView:
    """What was loaded, newest first: files with their hash, days and source, never a person."""
    return await queries.list_snapshots(tx, me, today)


@get("/api/registers/kinds", guards=[allow(*_READERS)])
async def list_registers() -> RegistersView:
    """The registers that may be loaded, and the headings that a file of each must have."""
    return RegistersView(
        [
            RegisterView(
                each,
                words(f"register.{each}"),
                [FORM.by_field[cell].heading for cell in ("id_number", *needed_in(each))],
            )
            for each in queries.registers()
        ]
    )


@post(
    "/api/registers",
    guards=[allow(*commands.LOADERS)],
    request_max_body_size=LIMITS.file_bytes,
    operation_class=files(takes=(CSV_TYPE, XLSX_TYPE)),
)
async def load_register(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    register: Annotated[str, QueryParameter(max_length=60)],
    as_of: Day,
    source: Annotated[str, QueryParameter(max_length=500)],
    first: Annotated[str | None, QueryParameter(name="from", max_length=10)] = None,
    last: Annotated[str | None, QueryParameter(name="to", max_length=10)] = None,
) -> Response[SnapshotView]:
    """Load a register as CSV or XLSX, whole or not at all. The same bytes for the same day are the same snapshot."""
    kind = KINDS[taken(request, KINDS)]
    new, data = NewSnapshot(register, as_of, source, first, last), BytesIO(await request.body())
    effect = once(tx, SnapshotView, lambda: commands.load_register(tx, me, new, data, f"register.{kind}", today, now))
    return answered(await effect)


@post("/api/registers/{snapshot_id:uuid}/confirm", guards=[allow(Post.CATALOG_PUBLISHER)], status_code=200)
async def confirm_register(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, snapshot_id: FromPath[UUID]
) -> Response[SnapshotView]:
    """Confirm what another person loaded; claims are looked up in it from now on."""
    effect = once(tx, SnapshotView, lambda: commands.confirm_register(tx, me, snapshot_id, today, now))
    return answered(await effect, 200)


ROUTES = [list_snapshots, list_registers, load_register, confirm_register]
