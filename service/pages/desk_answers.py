"""What officers answer: objections, appeals against refusals, amounts and demands, objections to notices."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from service.claims.commands.appeals import answer_appeal
from service.claims.commands.objections import close_objection
from service.claims.queries import appeals, objections
from service.claims.schemas import AppealView, NewAppealAnswer, NewFinding, ObjectionView
from service.clawbacks.commands.amounts import answer_amount
from service.clawbacks.commands.appealing import answer_clawback_appeal
from service.clawbacks.queries import amounts, appealed
from service.clawbacks.schemas import AmountAppealView, ClawbackAppealView, NewAmountAnswer, NewClawbackAnswer
from service.database import Tx
from service.notices.commands import answer_objection
from service.notices.queries import list_objections
from service.notices.schemas import NewNoticeAnswer, NoticeObjectionState
from service.pages import forms
from service.pages.desk import shown, working_days_left
from service.pages.forms import Fault, Typed
from service.policies.queries import work_calendar
from service.web import as_wanted

_Request = Request[Any, Any, Any]
_A_PAGE = 20


@dataclass(frozen=True)
class _Said:
    """Who answers what, and when."""

    tx: Tx
    me: Actor
    id: UUID
    typed: Typed
    today: date
    now: datetime

    def text(self, field: str) -> str:
        """What must not be missing. Invalid `value.missing`."""
        if not self.typed.get(field):
            raise Invalid("value.missing", field=field)
        return self.typed[field]


async def _close(said: _Said) -> ObjectionView:
    new = as_wanted({"finding": said.text("answer"), "reason": said.text("reason")}, NewFinding)
    return await close_objection(said.tx, said.me, said.id, new, said.now)


async def _answer(said: _Said) -> AppealView:
    new = as_wanted({"grant": said.text("answer") == "grant", "answer": said.text("reason")}, NewAppealAnswer)
    return await answer_appeal(said.tx, said.me, said.id, new, said.today, said.now)


async def _answer_amount(said: _Said) -> AmountAppealView:
    shown_fen = said.typed.get("right_fen", "")
    if not (shown_fen.isascii() and shown_fen.isdigit() and len(shown_fen) <= 13):
        raise Conflict("busy")  # nobody types it: the page was not sent as it was shown
    new = as_wanted({"right_fen": int(shown_fen), "answer": said.text("reason")}, NewAmountAnswer)
    return await answer_amount(said.tx, said.me, said.id, new, said.today, said.now)


async def _answer_demand(said: _Said) -> ClawbackAppealView:
    new = as_wanted({"grant": said.text("answer") == "grant", "answer": said.text("reason")}, NewClawbackAnswer)
    return await answer_clawback_appeal(said.tx, said.me, said.id, new, said.today, said.now)


async def _answer_notice(said: _Said) -> NoticeObjectionState:
    new = as_wanted({"finding": said.text("answer"), "answer": said.text("reason")}, NewNoticeAnswer)
    return await answer_objection(said.tx, said.me, said.id, new, said.today, said.now)


@dataclass(frozen=True)
class _Kind:
    """A list of what waits for an answer: on which page, and who answers."""

    page: str
    post: Post
    do: Callable[[_Said], Awaitable[Any]]
    view: type[Any]


#: By the first part of the address.
_KINDS: Mapping[str, _Kind] = {
    "objections": _Kind("objections", Post.REVIEWER, _close, ObjectionView),
    "appeals": _Kind("appeals", Post.REVIEWER, _answer, AppealView),
    "amounts": _Kind("appeals", Post.REVIEWER, _answer_amount, AmountAppealView),
    "demands": _Kind("appeals", Post.REVIEWER, _answer_demand, ClawbackAppealView),
    "notice-objections": _Kind("notice-objections", Post.NOTICE_PUBLISHER, _answer_notice, NoticeObjectionState),
}


@dataclass(frozen=True)
class AfterEach:
    """Behind which one each list of a page goes on, by the name of its cursor in the address; None: at its first.
    `number`: the one that is looked for, where a page looks for one."""

    cursor: UUID | None = None
    amounts: UUID | None = None
    demands: UUID | None = None
    number: str = ""

    @property
    def query(self) -> str:
        """As the address says it; empty where every list is at its first."""
        named = {name: seen for name, seen in vars(self).items() if seen}
        return f"?{urlencode(named)}" if named else ""


async def waiting(
    request: _Request, tx: Tx, me: Actor, kind: str, after: AfterEach, today: date, *, closed: bool = False
) -> Response[bytes]:
    """The list, those that are due first."""
    return await _page(request, tx, me, kind, after, today, closed=closed)


async def answered(
    request: _Request, tx: Tx, me: Actor, kind: str, about: UUID, after: AfterEach, today: date, now: datetime
) -> Response[Any]:
    """Answer it; the list again as it was, with what was typed at its place, where that is refused. NotFound for
    another kind; Forbidden `post_missing`."""
    if kind not in _KINDS:
        raise NotFound("page.not_found")
    what, typed = _KINDS[kind], await forms.typed(request)
    me.must_hold(what.post)
    said = _Said(tx, me, about, typed, today, now)

    async def once() -> None:
        key = forms.once_of(request, me, typed, typed.get("once") or str(uuid4()))
        await key(tx, what.view, lambda: what.do(said))

    if faults := await forms.refused(tx, once):
        named = {"finding": "answer", "answer": "reason", "reason": "reason"}
        placed = [("answer" if said == "answer" else named.get(said, "form"), words) for said, words in faults]
        return await _page(
            request, tx, me, what.page, after, today, typed={**typed, "about": str(about)}, faults=placed
        )
    return forms.see(f"/desk/{what.page}", "answered")


async def _page(
    request: _Request,
    tx: Tx,
    me: Actor,
    kind: str,
    after: AfterEach,
    today: date,
    *,
    closed: bool = False,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    what, typed = _KINDS[kind], typed or {}
    me.must_hold(what.post)
    given = await _listed(tx, me, kind, after, today, closed=closed)
    status = 409 if faults and all(field == "form" for field, _ in faults) else 422 if faults else 200
    frame = {
        "closed": closed,
        "about": typed.get("about", ""),
        "once": uuid4(),
        "left": _left(today),
        "at_page": after.query,
    }
    return await shown(
        request,
        tx,
        me,
        what.page.replace("-", "_"),
        today,
        f"/desk/{what.page}",
        status=status,
        typed=typed,
        faults=[(f"{field}-{typed['about']}" if field != "form" else field, said) for field, said in faults or []],
        **frame,
        **given,
    )


async def _listed(tx: Tx, me: Actor, kind: str, after: AfterEach, today: date, *, closed: bool) -> dict[str, Any]:
    if kind == "objections":
        found = await objections.list_objections(tx, me, after.cursor, _A_PAGE, closed=closed)
        return {"found": found.objections, "next": found.next}
    if kind == "notice-objections":
        heard = await list_objections(tx, me, today, after.cursor, _A_PAGE, closed=closed, number=after.number)
        return {"found": heard.objections, "next": heard.next, "number": after.number}
    refusals = await appeals.list_appeals(tx, me, today, after.cursor, _A_PAGE, closed=closed)
    return {
        "found": refusals.appeals,
        "next": refusals.next,
        "amounts": await amounts.list_appeals(tx, me, today, after.amounts, _A_PAGE, closed=closed),
        "demands": await appealed.list_appeals(tx, me, today, after.demands, _A_PAGE, closed=closed),
    }


def _left(today: date) -> Callable[[date], int]:
    return lambda due_on: working_days_left(work_calendar(), today, due_on)
