"""The account that my institution is paid to: which holds, what was proposed, and proposing another."""

from collections.abc import Mapping
from typing import Any

from litestar import Response

from domain.faults import Faults
from service.institutions.commands.accounts import propose_account
from service.institutions.queries.registry import account_on, record_of
from service.institutions.schemas import AddedView, NewInstitutionAccount
from service.pages import filing_form, forms
from service.pages.forms import Fault, Typed
from service.pages.institution.visit import Visit, placed
from service.web import as_wanted

ACCOUNT = "/institution/account"
#: A field of the form → its label, before what is wrong with it.
_LABELS: Mapping[str, str] = {
    "bank_code": "开户银行",
    "number": "账号",
    "holder": "户名",
    "reason": "为什么换",
    "from": "从哪天起用",
}


async def shown(visit: Visit) -> Response[bytes]:
    """Accounts, newest first, and the form of another."""
    return await _page(visit, {}, [])


async def proposed(visit: Visit) -> Response[Any]:
    """Propose one; nothing changes until an officer confirms it."""
    typed = await visit.typed()

    async def propose() -> AddedView:
        told = {**{each: typed.get(each, "") for each in _LABELS}, "from": forms.day_typed(typed, "from")}
        faults = Faults()
        for field in (name for name, value in told.items() if not value):
            faults.tell("value.missing", field)
        faults.raise_all()
        new = as_wanted(told, NewInstitutionAccount)
        return await propose_account(visit.tx, visit.me, visit.institution_id, new, visit.today, visit.now)

    _, faults = await visit.does(typed, AddedView, propose)
    return await _page(visit, typed, faults) if faults else forms.see(ACCOUNT, "account_proposed")


async def _page(visit: Visit, typed: Typed, faults: list[Fault]) -> Response[bytes]:
    record = await record_of(visit.tx, visit.me, visit.institution_id, visit.today)
    used = await account_on(visit.tx, visit.institution_id, visit.today)
    return await visit.shown(
        "account",
        {"holder": record.institution.name, **typed},
        placed(faults, _LABELS),
        accounts=record.accounts,
        used=used[0] if used else None,
        bank_names=filing_form.banks(),
        banks=list(filing_form.banks().items()),
    )
