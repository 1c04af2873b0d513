"""Registers that claims are looked up in: what was loaded, a file to load, and the confirmation of another person."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Post
from domain.errors import Invalid
from domain.register import needed_in
from service.gateways.register_files import FORM
from service.pages.catalog_desk import Visit, pick
from service.pages.forms import Fault, Typed
from service.registers import commands, queries
from service.registers.schemas import NewSnapshot, SnapshotView
from service.web import as_wanted
from service.wording import words

_Page = Response[Any]
_NONE: Typed = {}
AT = "/catalog-desk/registers"
#: Lines that are named on the page; the first of those that cannot be read.
_LINES_SHOWN = 20


async def listed(
    visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = (), wrong: Sequence[dict[str, Any]] = ()
) -> _Page:
    """What was loaded, newest first; the form to load; the lines of a file that could not be read."""
    kinds = [
        (
            str(each),
            words(f"register.{each}"),
            [FORM.by_field[cell].heading for cell in ("id_number", *needed_in(each))],
        )
        for each in queries.registers()
    ]
    lines = [(each["line"], _heading(each["field"]), words(each["code"], each["facts"])) for each in wrong]
    city = visit.me.district is None
    given = {
        "snapshots": (await queries.list_snapshots(visit.tx, visit.me, visit.today)).snapshots,
        "kinds": kinds,
        "lines": lines[:_LINES_SHOWN],
        "may_load": city and visit.me.holds(*commands.LOADERS),
        "may_confirm": city and visit.me.holds(Post.CATALOG_PUBLISHER),
    }
    return visit.shown("registers", typed, faults, **given)


def _heading(field: str) -> str:
    return FORM.by_field[field].heading if field in FORM.by_field else "身份证号"


async def load(visit: Visit) -> _Page:
    """Load a file, whole or not at all."""
    typed, wrong = await visit.typed(), list[dict[str, Any]]()

    async def effect() -> None:
        told = {**pick(typed, "register", "as_of", "source"), "from": typed.get("from") or None}
        new = as_wanted({**told, "to": typed.get("to") or None}, NewSnapshot)
        name, data = await visit.file()
        once, put = visit.once(typed), commands.load_register
        try:
            await once(
                visit.tx,
                SnapshotView,
                lambda: put(visit.tx, visit.me, new, BytesIO(data), name, visit.today, visit.now),
            )
        except Invalid as refusal:
            wrong.extend(refusal.facts.get("lines", []))
            raise

    return await visit.does(effect, lambda: AT, "register_loaded", lambda faults: listed(visit, typed, faults, wrong))


async def confirm(visit: Visit, snapshot_id: UUID) -> _Page:
    """Vouch for what another person loaded."""
    typed = await visit.typed()

    async def effect() -> None:
        once, put = visit.once(typed), commands.confirm_register
        await once(visit.tx, SnapshotView, lambda: put(visit.tx, visit.me, snapshot_id, visit.today, visit.now))

    return await visit.does(effect, lambda: AT, "register_confirmed", lambda faults: listed(visit, faults=faults))
