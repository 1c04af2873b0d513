"""One claim by a paper that my institution holds: of somebody my enterprise hired, or of a trainee with a mandate.

What the rules say of it, with the amount, is shown before it is sent.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response

from domain.errors import DomainError
from service.catalog.queries.published import catalog_on
from service.claims.commands.filing import channel_of, check_claim, file_claim
from service.claims.queries.mandates import mandate_of
from service.claims.schemas import ClaimView, DecisionView
from service.employment.queries import contract_of
from service.pages import filing_form, forms
from service.pages.filing_form import Filled, Under
from service.pages.forms import Fault, Typed
from service.pages.institution.visit import Visit, placed

#: A field of the form → its label, before what is wrong with it.
_LABELS: Mapping[str, str] = {
    "item": "职业或工种",
    "level": "等级",
    "certificate_number": "证书编号",
    "certificate_issued_on": "证书日期",
    "training_started_on": "开始培训的日期",
    "class_number": "开班编号",
    "account_holder": "户名",
    "account_number": "卡号",
    "account_bank_code": "开户银行",
    "group_code": "人员类别和证明",
    "group_proof_number": "证明编号",
    "group_valid_from": "证明从哪天起有效",
    "place_link": "和济南的联系",
}
#: What the API calls otherwise.
_NAMED = {"item_code": "item", "group_proof_kind": "group_code"}


async def form(visit: Visit, under: Under) -> Response[bytes]:
    """An empty form. NotFound `contract.not_found`, `mandate.not_found`."""
    typed = {"class_number": visit.request.query_params.get("class_number", "")[:40]}
    return await _page(visit, under, typed, [])


async def sent(visit: Visit, under: Under) -> Response[Any]:
    """Say what the rules say of it; or file it, and show it. The form again, with what is wrong, where it is
    refused."""
    await _whose(visit, under)
    typed = await visit.typed()
    filled = await _filled(visit, under, typed)
    if filled.faults:
        return await _page(visit, under, typed, filled.faults)
    if typed.get("act") != "file":
        decision = list[DecisionView]()

        async def ask() -> None:
            decision.append(await check_claim(visit.tx, visit.me, filled.new, visit.today))

        faults = await forms.refused(visit.tx, ask)
        return await _page(visit, under, typed, faults, next(iter(decision), None))

    async def file() -> ClaimView:
        return await file_claim(visit.tx, visit.me, filled.new, visit.today, visit.now)

    filed, faults = await visit.files(typed, channel_of(visit.me, filled.new), file)
    if faults:
        return await _page(visit, under, typed, faults, await _decided(visit, filled))
    return forms.see(f"/institution/claims/{filed[0].id}", "filed")


async def _decided(visit: Visit, filled: Filled) -> DecisionView | None:
    """What the rules say; None where they cannot be asked."""
    try:
        return await check_claim(visit.tx, visit.me, filled.new, visit.today)
    except DomainError:
        return None


async def _filled(visit: Visit, under: Under, typed: Typed) -> Filled:
    try:
        items = (await catalog_on(visit.tx, visit.today)).items
    except DomainError:
        items = []
    return filing_form.filled(typed, items, typed.get("account_holder", ""), under=under)


async def _whose(visit: Visit, under: Under) -> dict[str, Any]:
    """Whose claim it is, masked, and where the form is sent to."""
    if under.contract_id is not None:
        contract = await contract_of(visit.tx, visit.me, under.contract_id)
        return {"who": contract.employee, "paper": contract, "action": f"/institution/contracts/{contract.id}/claim"}
    mandate = await mandate_of(visit.tx, visit.me, under.mandate_id or UUID(int=0))
    return {"who": mandate.trainee, "paper": mandate, "action": f"/institution/mandates/{mandate.id}/claim"}


async def _page(
    visit: Visit, under: Under, typed: Typed, faults: list[Fault], decision: DecisionView | None = None
) -> Response[bytes]:
    try:
        names = sorted({row.name for row in (await catalog_on(visit.tx, visit.today)).items if row.code})
    except DomainError:
        names = []
    return await visit.shown(
        "claim_new",
        typed,
        placed([(_NAMED.get(field, field), said) for field, said in faults], _LABELS),
        names=names,
        decision=decision,
        hired=under.contract_id is not None,
        **await _whose(visit, under),
        **filing_form.choices(),
    )
