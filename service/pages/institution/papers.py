"""Papers by which an institution claims for somebody: mandates of trainees, contracts of an enterprise's employees.

The signed paper is chosen as a file: what is kept of it is its fingerprint, the paper itself stays where it is.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from service.claims.commands.mandates import record_mandate
from service.claims.queries.mandates import list_mandates
from service.claims.schemas import MandateView, NewMandate, NewTrainee
from service.database import Tx
from service.employment.commands import record_contract
from service.employment.queries import list_contracts
from service.employment.schemas import ContractView, NewContract, NewEmployee
from service.gateways.file_store import FILE_BYTES_MAX
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.institution.frame import Ask, shown

_A_PAGE = 50
#: A mandate that ends within these days is marked.
_ENDS_SOON = timedelta(days=30)


async def mandates(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    cursor: UUID | None,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """My institution's mandates, and the form of a new one."""
    page = {"found": await list_mandates(tx, me, cursor, _A_PAGE), "soon": today + _ENDS_SOON}
    return await _listed(request, tx, me, "mandates", today, cursor, typed, faults, page)


async def contracts(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    cursor: UUID | None,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """My enterprise's contracts, and the form of a new one."""
    page = {"found": await list_contracts(tx, me, cursor, _A_PAGE)}
    return await _listed(request, tx, me, "contracts", today, cursor, typed, faults, page)


async def _listed(
    request: Ask,
    tx: Tx,
    me: Actor,
    template: str,
    today: date,
    cursor: UUID | None,
    typed: Typed | None,
    faults: list[Fault] | None,
    page: dict[str, Any],
) -> Response[bytes]:
    again = {"typed": typed or {}, "faults": faults or [], "once": uuid4(), "later": cursor is not None}
    about = {**page, **again, "bytes_max": FILE_BYTES_MAX}
    return await shown(request, tx, me, template, today, status=422 if faults else 200, **about)


async def mandate_recorded(request: Ask, tx: Tx, me: Actor, today: date) -> Response[Any]:
    """Record a signed mandate, once however often the form is sent."""
    typed = await forms.typed(request)

    async def record(paper: str) -> None:
        who = NewTrainee(typed.get("name", ""), typed.get("id_number", ""), typed.get("phone") or None)
        signed_on, first, last = [forms.day_typed(typed, each) for each in ("signed_on", "valid_from", "valid_to")]
        # a fee of any height is refused: who does not say that there was none is asked
        new = NewMandate(who, signed_on, first, last, paper, fee_fen=0 if typed.get("fee") == "none" else 1)
        once = forms.once_of(request, me, {**typed, "paper": paper}, typed.get("once", ""))
        await once(tx, MandateView, lambda: record_mandate(tx, me, new, today))

    if faults := await _recorded(request, tx, record):
        return await mandates(request, tx, me, today, None, typed, faults)
    return forms.see("/institution/mandates", "mandate_recorded")


async def contract_recorded(request: Ask, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Record a signed contract, once however often the form is sent."""
    typed = await forms.typed(request)

    async def record(paper: str) -> None:
        who = NewEmployee(typed.get("name", ""), typed.get("id_number", ""), typed.get("phone") or None)
        signed_on, first, last = [forms.day_typed(typed, each) for each in ("signed_on", "valid_from", "valid_to")]
        new = NewContract(who, typed.get("number", ""), signed_on, first, paper, last or None)
        once = forms.once_of(request, me, {**typed, "paper": paper}, typed.get("once", ""))
        await once(tx, ContractView, lambda: record_contract(tx, me, new, today, now))

    if faults := await _recorded(request, tx, record):
        return await contracts(request, tx, me, today, None, typed, faults)
    return forms.see("/institution/contracts", "contract_recorded")


async def _recorded(request: Ask, tx: Tx, record: Callable[[str], Awaitable[None]]) -> list[Fault]:
    """What is wrong, at the fields of the form."""

    async def effect() -> None:
        await record((await forms.file_of(request, "document_sha256")).sha256)

    faults = [(_FIELDS.get(field, field), message) for field, message in await forms.refused(tx, effect)]
    return [
        (field, f"{_LABELS[field]}：{message}") if field in _LABELS else ("form", message)
        for field, message in faults
    ]


#: A field of the form → its label, before what is wrong with it.
_LABELS = {
    "name": "姓名",
    "id_number": "身份证号",
    "phone": "手机号",
    "number": "合同编号",
    "signed_on": "签字日期",
    "valid_from": "开始日期",
    "valid_to": "结束日期",
    "document_sha256": "签好的原件",
    "fee": "收费",
}
#: A field of the command → the field of the form.
_FIELDS = {
    **{f"{of}_{name}": name for of in ("trainee", "employee") for name in ("name", "id_number", "phone")},
    "fee_fen": "fee",
}
