"""What an officer does about one claim: decided over what was read, and once however often the form is sent."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response
from litestar.datastructures import UploadFile

from domain.actor import Actor
from domain.correction import Correctable
from domain.errors import Invalid, NotFound
from service.batches.commands import hold, lift
from service.batches.schemas import HeldView
from service.claims.commands.review import refuse_claim
from service.claims.commands.sending_back import send_back
from service.claims.commands.unmasking import unmask
from service.claims.schemas import (
    ClaimView,
    HoldView,
    NewHold,
    NewNote,
    NewRefusal,
    NewSendBack,
    NewUnmasking,
    UnmaskedView,
)
from service.database import Tx
from service.pages import desk_case, forms
from service.pages.desk import shown
from service.pages.forms import Fault, Typed
from service.verification.commands import asking, manual
from service.verification.queries.versions import must_be_as_seen
from service.verification.schemas import AskingView, ManualCheckView, NewManualCheck, NewSecondCheck
from service.web import as_wanted
from service.wording import words
from service.work.commands import looking_again, taking
from service.work.schemas import ApprovalsView, LeaseView, NewRecusal, NewSecondFinding, RecusedView

_Request = Request[Any, Any, Any]

#: Of what a claim can be sent back for, and which of its fields is then to be mended; None: the officer names it.
FAULTS: Mapping[str, Correctable | None] = {
    "certificate_unreadable": Correctable.CERTIFICATE_NUMBER,
    "certificate_differs": Correctable.CERTIFICATE_NUMBER,
    "day_differs": Correctable.CERTIFICATE_ISSUED_ON,
    "level_differs": Correctable.LEVEL,
    "item_differs": Correctable.ITEM_CODE,
    "training_differs": Correctable.TRAINING_STARTED_ON,
    "account_doubtful": Correctable.ACCOUNT,
    "other": None,
}
#: Holds that are not an officer's to place.
_OF_MACHINES = ("penalty", "signal", "register")


@dataclass(frozen=True)
class _Said:
    """Who says what of which claim, and when; `evidence`: media type and bytes of a file that came with it."""

    tx: Tx
    me: Actor
    claim_id: UUID
    typed: Typed
    today: date
    now: datetime
    evidence: tuple[str, bytes] | None

    async def as_seen(self) -> None:
        await must_be_as_seen(self.tx, self.me, self.claim_id, self.typed.get("seen", ""))

    def text(self, field: str) -> str:
        """What must not be missing. Invalid `value.missing`."""
        if not self.typed.get(field):
            raise Invalid("value.missing", field=field)
        return self.typed[field]

    def note(self) -> str:
        """Invalid where it is too long."""
        new: NewNote = as_wanted({"note": self.typed.get("note", "")}, NewNote)
        return new.note


async def _take(said: _Said) -> LeaseView:
    return await taking.take_one(said.tx, said.me, said.claim_id, said.today, said.now)


async def _return(said: _Said) -> LeaseView:
    return await taking.return_one(said.tx, said.me, said.claim_id)


async def _recuse(said: _Said) -> RecusedView:
    new = as_wanted({"reason": said.text("reason")}, NewRecusal)
    return await taking.recuse(said.tx, said.me, said.claim_id, new, said.now)


async def _approve(said: _Said) -> ClaimView:
    await said.as_seen()
    return await manual.approve_claim(said.tx, said.me, said.claim_id, said.note(), said.now)


async def _send_back(said: _Said) -> ClaimView:
    await said.as_seen()
    faults = [
        {"code": code, "field": FAULTS[code] or said.text("field"), "note": said.typed.get(f"note_{code}", "")}
        for code in _named(said.typed)
    ]
    if not faults:
        raise Invalid("send_back.nothing_named", field="faults")
    new = as_wanted({"faults": faults}, NewSendBack)
    return await send_back(said.tx, said.me, said.claim_id, new, said.today, said.now)


def _named(typed: Typed) -> list[str]:
    return [code for code in FAULTS if typed.get(f"fault_{code}")]


async def _refuse(said: _Said) -> ClaimView:
    await said.as_seen()
    codes = [code for code, _ in desk_case.reasons("reason") if said.typed.get(f"reason_{code}")]
    new = as_wanted({"reasons": codes, "note": said.typed.get("note", "")}, NewRefusal)
    return await refuse_claim(said.tx, said.me, said.claim_id, new, said.now)


async def _hold(said: _Said) -> HeldView:
    new = as_wanted({"code": said.text("code"), "note": said.typed.get("note", "")}, NewHold)
    if new.code in _OF_MACHINES:
        raise Invalid("holding.reason", field="code", unknown=[new.code])
    return await hold(said.tx, said.me, said.claim_id, new, said.now)


async def _lift(said: _Said) -> HoldView:
    said.text("note")
    return await lift(said.tx, said.me, said.claim_id, said.note(), said.today, said.now)


async def _look_again(said: _Said) -> ApprovalsView:
    await said.as_seen()
    told = {"finding": said.text("finding"), "reason": said.typed.get("note", "")}
    return await looking_again.look_again(
        said.tx, said.me, said.claim_id, as_wanted(told, NewSecondFinding), said.now
    )


async def _check(said: _Said) -> ManualCheckView:
    """Hand in what it rests on, and say what came of asking."""
    if said.evidence is None:
        raise Invalid("document.empty", field="evidence")
    told = {"finding": said.text("finding"), "how": said.text("how"), "note": said.text("note")}
    media_type, data = said.evidence
    kept = await manual.hand_in_evidence(said.tx, said.me, said.claim_id, media_type, data, said.now)
    new = as_wanted({**told, "evidence_sha256": kept.sha256}, NewManualCheck)
    return await manual.check_by_hand(said.tx, said.me, said.claim_id, new, said.today, said.now)


async def _check_again(said: _Said) -> ManualCheckView:
    told = {"finding": said.text("second_finding"), "note": said.typed.get("second_note", "")}
    new = as_wanted(told, NewSecondCheck)
    return await manual.confirm_check(said.tx, said.me, as_wanted(said.text("check"), UUID), new, said.now)


async def _ask_again(said: _Said) -> AskingView:
    return await asking.ask_again(said.tx, said.me, said.claim_id, said.now)


async def _unmask(said: _Said) -> UnmaskedView:
    new = NewUnmasking(said.text("why"))
    return await unmask(said.tx, said.me, said.claim_id, new, said.now)


@dataclass(frozen=True)
class _Act:
    """`form`: the page that asks for it, where that is not the claim's own; `told`: what is said when it is done."""

    do: Callable[[_Said], Awaitable[Any]]
    view: type[Any]
    told: str
    form: str = ""


#: By the last part of the address.
_ACTS: Mapping[str, _Act] = {
    "take": _Act(_take, LeaseView, "taken"),
    "return": _Act(_return, LeaseView, "given_back"),
    "recuse": _Act(_recuse, RecusedView, "recused", "recuse"),
    "approve": _Act(_approve, ClaimView, "approved"),
    "send-back": _Act(_send_back, ClaimView, "sent_back", "send_back"),
    "refuse": _Act(_refuse, ClaimView, "claim_refused", "refuse"),
    "hold": _Act(_hold, HeldView, "claim_held", "hold"),
    "lift": _Act(_lift, HoldView, "claim_lifted", "hold"),
    "second-review": _Act(_look_again, ApprovalsView, "looked_again"),
    "check": _Act(_check, ManualCheckView, "checked", "check"),
    "check-again": _Act(_check_again, ManualCheckView, "checked", "check"),
    "ask-again": _Act(_ask_again, AskingView, "registry_asked"),
    "unmask": _Act(_unmask, UnmaskedView, "unmasked"),
}
#: The fields of each page that something may be wrong with; what is wrong with anything else is said of the form.
_FIELDS: Mapping[str, frozenset[str]] = {
    "case": frozenset({"note", "why"}),
    "act_recuse": frozenset({"reason"}),
    "act_send_back": frozenset({"faults", "field", *(f"note_{code}" for code in FAULTS)}),
    "act_refuse": frozenset({"reasons", "note"}),
    "act_hold": frozenset({"code", "note"}),
    "act_check": frozenset({"evidence", "finding", "how", "note", "second_finding", "second_note"}),
}
_NOTE_OF_FAULT = re.compile(r"faults\D+([0-9]+)\D+note")
#: After these the claim is not on my desk any more.
_AWAY = frozenset({"recuse", "return"})


async def case_shown(
    request: _Request, tx: Tx, me: Actor, claim_id: UUID, today: date, now: datetime
) -> Response[bytes]:
    page = await desk_case.case(tx, me, claim_id, today, now)
    return await shown(request, tx, me, "case", today, "/desk", **page)


async def form_shown(
    request: _Request, tx: Tx, me: Actor, claim_id: UUID, act: str, today: date, now: datetime
) -> Response[bytes]:
    """The form of an act that has a page of its own; NotFound for any other."""
    if act not in _ACTS or not _ACTS[act].form:
        raise NotFound("page.not_found")
    return await _again(request, tx, me, claim_id, act, today, now, {}, [])


async def done(
    request: _Request, tx: Tx, me: Actor, claim_id: UUID, act: str, today: date, now: datetime
) -> Response[Any]:
    """Do it, and back to the claim; the page again, with what was typed, where it is refused."""
    if act not in _ACTS:
        raise NotFound("page.not_found")
    typed, evidence = await forms.typed(request), await _evidence(request)
    said, what = _Said(tx, me, claim_id, typed, today, now, evidence), _ACTS[act]
    sent = {**typed, "evidence": hashlib.sha256(evidence[1]).hexdigest() if evidence else ""}

    async def once() -> None:
        key = forms.once_of(request, me, sent, typed.get("once") or str(uuid4()))
        await key(tx, what.view, lambda: what.do(said))

    if faults := await forms.refused(tx, once):
        return await _again(request, tx, me, claim_id, act, today, now, typed, faults)
    return forms.see("/desk" if act in _AWAY else f"/desk/claims/{claim_id}", what.told)


async def _evidence(request: _Request) -> tuple[str, bytes] | None:
    file = (await request.form()).get("evidence")
    if not isinstance(file, UploadFile):
        return None
    return (file.content_type, data) if (data := await file.read()) else None


async def _again(
    request: _Request,
    tx: Tx,
    me: Actor,
    claim_id: UUID,
    act: str,
    today: date,
    now: datetime,
    typed: Typed,
    faults: list[Fault],
) -> Response[bytes]:
    page = await desk_case.case(tx, me, claim_id, today, now, typed)
    changed = page["read_before"] is not None
    status = 409 if changed or (faults and all(field == "form" for field, _ in faults)) else 422 if faults else 200
    # what was decided over something else is decided anew, over all that is there now
    template = "case" if changed or not _ACTS[act].form else f"act_{_ACTS[act].form}"
    page |= {
        "faults": [(_place(field, act, template, typed), said) for field, said in faults],
        "act": act,
        "fault_codes": [(code, words(f"fault.{code}")) for code in FAULTS],
        "fields": [(str(each), words(f"field.{each}")) for each in Correctable],
        "refusals": desk_case.reasons("reason"),
        "hold_codes": desk_case.reasons("hold", _OF_MACHINES),
        "hows": desk_case.reasons("manual_check_how"),
    }
    return await shown(request, tx, me, template, today, "/desk", status=status, **page)


def _place(field: str, act: str, template: str, typed: Typed) -> str:
    """The field of the page that a field of the API stands for."""
    if found := _NOTE_OF_FAULT.fullmatch(field):
        field = f"note_{_named(typed)[int(found[1])]}"
    field = {"body": "evidence", "reason": "note" if act == "second-review" else "reason"}.get(field, field)
    if act == "check-again" and f"second_{field}" in _FIELDS[template]:
        field = f"second_{field}"
    return field if field in _FIELDS[template] else "form"
