"""Devices that hand in attendance: their keys, of which each is shown once, and revoking one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response

from domain.faults import Faults
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.institution.visit import Visit, placed
from service.training.commands.attendance_keys import DAYS_MAX, issue_key, revoke_key
from service.training.queries.attendance_keys import keys
from service.training.schemas.attendance import AttendanceKeyView, IssuedKeyView, NewAttendanceKey, NewRevocation
from service.web import as_wanted

DEVICES = "/institution/devices"
#: A field of the form → its label, before what is wrong with it.
_LABELS: Mapping[str, str] = {"name": "设备名称", "until": "用到哪天"}


async def listed(visit: Visit) -> Response[bytes]:
    """Keys, newest first, and the form of another."""
    return await _page(visit, {}, [])


async def issued(visit: Visit) -> Response[Any]:
    """A key for a device, on this page and never again: what is kept of the form has no key, and sent again it says
    so."""
    typed, fresh = await visit.typed(), list[IssuedKeyView]()

    async def issue() -> AttendanceKeyView:
        told = {"name": typed.get("name", ""), "until": forms.day_typed(typed, "until")}
        faults = Faults()
        for field in (name for name, value in told.items() if not value):
            faults.tell("value.missing", field)
        faults.raise_all()
        new = as_wanted(told, NewAttendanceKey)
        key = await issue_key(visit.tx, visit.me, new, visit.today, visit.now)
        fresh.append(key)
        return AttendanceKeyView(key.id, key.institution_id, key.name, key.first, key.last, key.revoked_at)

    _, faults = await visit.does(typed, AttendanceKeyView, issue)
    if faults:
        return await _page(visit, typed, faults)
    if not fresh:
        return forms.see(DEVICES, "key_shown_before")
    return await _page(visit, {}, [], fresh=fresh[0])


async def revoked(visit: Visit, key_id: UUID) -> Response[Any]:
    """From now on nothing comes in by it. NotFound `attendance.no_key`."""
    typed = await visit.typed()

    async def revoke() -> AttendanceKeyView:
        new = as_wanted({"reason": typed.get("reason", "")}, NewRevocation)
        return await revoke_key(visit.tx, visit.me, key_id, new, visit.now)

    _, faults = await visit.does(typed, AttendanceKeyView, revoke)
    if faults:
        at = f"reason_{key_id}"
        here = [(at if field == "reason" else field, said) for field, said in faults]
        return await _page(visit, {at: typed.get("reason", "")}, here, revoking=key_id)
    return forms.see(DEVICES, "key_revoked")


async def _page(
    visit: Visit,
    typed: Typed,
    faults: list[Fault],
    *,
    fresh: IssuedKeyView | None = None,
    revoking: UUID | None = None,
) -> Response[bytes]:
    labels = {**_LABELS, **({f"reason_{revoking}": "为什么停用"} if revoking else {})}
    return await visit.shown(
        "devices",
        typed,
        placed(faults, labels),
        keys=(await keys(visit.tx, visit.me)).keys,
        fresh=fresh,
        revoking=revoking,
        days_most=DAYS_MAX,
    )
