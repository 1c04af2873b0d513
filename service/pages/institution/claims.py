"""Claims that my institution filed: by state with their sums, one of them, and what may be done about it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.claim import ClaimStatus
from domain.errors import NotFound
from service.batches.commands import withdraw
from service.batches.queries import live_attempt
from service.claims.commands.appeals import appeal
from service.claims.commands.correcting import correct_claim
from service.claims.commands.mending import mend_account
from service.claims.queries import views
from service.claims.schemas import (
    AppealView,
    ClaimView,
    NewAccount,
    NewAppeal,
    NewCorrection,
    NewMending,
    NewNote,
)
from service.clawbacks.commands.amounts import appeal_amount
from service.clawbacks.queries.amounts import appeals_over
from service.clawbacks.queries.mine import our_demands
from service.clawbacks.schemas import AmountAppealView, NewAmountAppeal
from service.database import Tx
from service.pages import filing_form, forms, stages
from service.pages.forms import Fault, Typed
from service.pages.institution.frame import Ask, shown
from service.web import as_wanted
from service.wording import words

_CLAIMS_A_PAGE = 50
CLAIMS = "/institution/claims"


@dataclass(frozen=True)
class Sum:
    """How many claims stand in a status, and what they come to."""

    status: str
    name: str
    count: int
    sum_fen: int


async def listed(
    request: Ask, tx: Tx, me: Actor, today: date, status: str | None, cursor: str | None
) -> Response[bytes]:
    """A page of the claims in a status, or of all, with the sums of every status."""
    asked: dict[str, Any] = {"status": status, "district": None, "cursor": cursor, "limit": _CLAIMS_A_PAGE}
    found = await views.claims_page(tx, me, **asked, of_institution=True)
    known = await views.sums_of_institution(tx, me)
    sums = [Sum(each, words(f"status.{each}"), *known[each]) for each in map(str, ClaimStatus) if each in known]
    return await shown(
        request,
        tx,
        me,
        "claims",
        today,
        claims=[(each, stages.stage_of(each)) for each in found.claims],
        next=found.next,
        sums=sums,
        count=sum(each.count for each in sums),
        sum_fen=sum(each.sum_fen for each in sums),
        asked=status or "",
        later=cursor is not None,
    )


async def one(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    claim_id: UUID,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """One claim and the forms of what waits for us. NotFound `claim.not_found`."""
    view = await views.claim_view(tx, me, claim_id)
    paying = await live_attempt(tx, claim_id)
    attempt, supplement = AttemptStatus(paying.status) if paying else None, view.supplement_of is not None
    return await shown(
        request,
        tx,
        me,
        "claim",
        today,
        status=422 if faults else 200,
        claim=view,
        stage=stages.stage_of(view, attempt, view.to_do.due_on if view.to_do else None),
        asked=_asked(view),
        appeals=await _amount_appeals(tx, me, view, today),
        demands=await our_demands(tx, me, today, claim_id),
        may_withdraw=stages.may_withdraw(ClaimStatus(view.status), attempt, supplement=supplement),
        typed=typed or {},
        faults=faults or [],
        once=uuid4(),
        **filing_form.choices(),
    )


async def _amount_appeals(tx: Tx, me: Actor, view: ClaimView, today: date) -> list[AmountAppealView] | None:
    """What was said against the amount; None where nothing can be: before it is paid, and of a supplement."""
    if view.status not in {ClaimStatus.PAID, ClaimStatus.RECOVERED} or view.supplement_of is not None:
        return None
    return await appeals_over(tx, me, view.id, today)


def _asked(view: ClaimView) -> set[str]:
    """The fields in question of a claim that was sent back."""
    return {str(each.field) for each in view.to_do.faults} if view.to_do else set()


@dataclass(frozen=True)
class _Said:
    """Who says what of which claim, and when."""

    tx: Tx
    me: Actor
    view: ClaimView
    typed: Typed
    today: date
    now: datetime

    @property
    def account(self) -> NewAccount | None:
        """The card that was typed, under the name that was; an institution that is paid itself names none."""
        if self.view.payee is not None:
            return None
        return filing_form.account_typed(self.typed, self.typed.get("account_holder", ""))


async def _correct(said: _Said) -> ClaimView:
    typed, asked = said.typed, _asked(said.view)
    new = NewCorrection(
        **{each: typed.get(each, "") for each in ("level", "certificate_number", "item_code") if each in asked},
        **{
            each: forms.day_typed(typed, each)
            for each in ("certificate_issued_on", "training_started_on")
            if each in asked
        },
        account=said.account if "account" in asked else None,
    )
    return await correct_claim(said.tx, said.me, said.view.id, new, said.today, said.now)


async def _account(said: _Said) -> ClaimView:
    return await mend_account(said.tx, said.me, said.view.id, NewMending(said.account), said.now)


async def _appeal(said: _Said) -> AppealView:
    new = as_wanted({"reason": said.typed.get("reason", "")}, NewAppeal)
    return await appeal(said.tx, said.me, said.view.id, new, said.today, said.now)


async def _appeal_amount(said: _Said) -> AmountAppealView:
    new = as_wanted({"reason": said.typed.get("reason", "")}, NewAmountAppeal)
    return await appeal_amount(said.tx, said.me, said.view.id, new, said.today, said.now)


async def _withdraw(said: _Said) -> ClaimView:
    new = as_wanted({"note": said.typed.get("note", "")}, NewNote)
    return await withdraw(said.tx, said.me, said.view.id, new.note, said.now)


#: By the last part of the address: what it does, and what that answers.
_ACTS: Mapping[str, tuple[Callable[[_Said], Awaitable[Any]], type]] = {
    "correct": (_correct, ClaimView),
    "account": (_account, ClaimView),
    "appeal": (_appeal, AppealView),
    "appeal-amount": (_appeal_amount, AmountAppealView),
    "withdraw": (_withdraw, ClaimView),
}


async def done(
    request: Ask, tx: Tx, me: Actor, today: date, now: datetime, claim_id: UUID, act: str
) -> Response[Any]:
    """Do it, once however often the form is sent; the claim again, with what is wrong, where it is refused."""
    if act not in _ACTS:
        raise NotFound("page.not_found")
    typed = await forms.typed(request)
    effect, answer = _ACTS[act]
    said = _Said(tx, me, await views.claim_view(tx, me, claim_id), typed, today, now)

    async def do() -> None:
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        await once(tx, answer, lambda: effect(said))

    if faults := await forms.refused(tx, do):
        return await one(request, tx, me, today, claim_id, typed, faults)
    return forms.see(f"{CLAIMS}/{claim_id}", act.replace("-", "_"))
