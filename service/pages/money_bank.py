"""What the bank sends back: returns, lines that fit nothing, payments of unknown fate, statements, closed days."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.fund_month import month_after, parse_month
from domain.period import parse_date
from domain.step_up import SIGNERS, Decision
from service.batches.queries import find_batch
from service.clawbacks.commands import repaying
from service.clawbacks.queries.repayments import waiting_proposal
from service.clawbacks.schemas import NewRepayment, RepaymentProposalView
from service.database import Tx
from service.operations.queries.desk import STATEMENT, UNKNOWN, desk
from service.pages.acts import Act, Asked, codes, uuid_of
from service.reconciliation import commands, queries
from service.reconciliation.queries.lines import odd_words
from service.reconciliation.schemas import AttemptDecisionView, ExceptionView, NewAttemptDecision, NewResolution
from service.statements.commands import closing, resolving, taking
from service.statements.queries import closes, statements
from service.statements.schemas import (
    CloseView,
    NewClose,
    NewLineResolution,
    NewSettingAside,
    StatementLineView,
    StatementView,
)
from service.web import as_wanted

_ANSWERERS = (Post.CHECKER, Post.RELEASER)


async def exceptions(tx: Tx, me: Actor, now: datetime, kind: str, cursor: str, *, resolved: bool) -> dict[str, Any]:
    """Lines that fit no open payment, how many of each kind, and lines of statements that are nobody's."""
    waiting = await desk(tx, me.district, now)
    kinds = dict[str, int]()
    for each in waiting.exceptions:
        if each.kind != UNKNOWN and not each.kind.startswith(STATEMENT):
            kinds[each.kind] = kinds.get(each.kind, 0) + each.count
    return {
        "found": await queries.list_exceptions(
            tx, me, line_place(cursor) if cursor else None, 50, resolved=resolved, kind=kind or None
        ),
        "kinds": [(code, odd_words(code), count) for code, count in kinds.items()],
        "kind": kind,
        "resolved": resolved,
        "lines": (await statements.list_lines(tx, me, None, 100, odd=True)).lines,
    }


def line_place(text: str) -> tuple[UUID, int]:
    """A return and the number of a line in it, as an address names them. NotFound `exception.not_found`."""
    return_id, _, line_no = text.partition(".")
    if not (line_no.isascii() and line_no.isdigit() and len(line_no) <= 9):
        raise NotFound("exception.not_found")
    return uuid_of(return_id), int(line_no)


async def _odd_line(asked: Asked) -> dict[str, Any]:
    line = await queries.find_exception(asked.tx, asked.me, *line_place(asked.subject))
    return {"line": line, "back": "/finance/exceptions", "at": "/finance/returns", "reasons": _resolutions()}


def _resolutions() -> list[tuple[str, str]]:
    return codes("resolution", frozenset({resolving.REPAID}))


async def _resolve(asked: Asked) -> ExceptionView:
    new = as_wanted({"code": asked.text("code"), "note": asked.text("note")}, NewResolution)
    return await commands.resolve_line(asked.tx, asked.me, *line_place(asked.subject), new, asked.now)


async def _statement_line(asked: Asked) -> dict[str, Any]:
    line = await statements.find_line(asked.tx, asked.me, asked.id)
    return {
        "line": line,
        "proposal": await waiting_proposal(asked.tx, line.id),
        "back": f"/finance/statements/{line.statement_id}",
        "at": "/finance/statements",
        "reasons": _resolutions(),
    }


async def _resolve_line(asked: Asked) -> StatementLineView:
    new = as_wanted({"code": asked.text("code"), "note": asked.text("note")}, NewLineResolution)
    return await resolving.resolve_line(asked.tx, asked.me, asked.id, new, asked.now)


async def _repayment(asked: Asked) -> RepaymentProposalView:
    told = {
        "number": asked.text("number").upper(),
        "amount_fen": asked.amount("amount", 10**12),
        "note": asked.text("note"),
    }
    return await repaying.propose_repayment(asked.tx, asked.me, asked.id, as_wanted(told, NewRepayment), asked.now)


async def _repayment_answer(asked: Asked) -> RepaymentProposalView:
    grant = asked.yes("grant")
    return await repaying.answer_repayment(asked.tx, asked.me, asked.id, grant=grant, now=asked.now)


async def _statement(asked: Asked) -> dict[str, Any]:
    view = await statements.find_statement(asked.tx, asked.me, asked.id)
    return {"statement": view, "back": "/finance/statements", "at": "/finance/statements"}


async def _set_aside(asked: Asked) -> StatementView:
    new = as_wanted({"note": asked.text("note")}, NewSettingAside)
    return await taking.set_aside(asked.tx, asked.me, asked.id, new, asked.now)


async def unknown(tx: Tx, me: Actor, reference: str) -> dict[str, Any]:
    """A payment of which the bank cannot tell, and its batch. NotFound `attempt.not_found`."""
    view = await queries.find_unknown(tx, me, reference)
    return {"payment": view, "batch": await find_batch(tx, me, view.batch_id)}


async def _unknown(asked: Asked) -> dict[str, Any]:
    view = await queries.find_unknown(asked.tx, asked.me, asked.subject)
    return {"payment": view, "back": f"/finance/unknown/{view.reference}", "at": "/finance/unknown"}


async def _attempt(asked: Asked) -> UUID:
    return (await queries.find_unknown(asked.tx, asked.me, asked.subject)).attempt_id


async def _decide(asked: Asked) -> AttemptDecisionView:
    told = {
        "outcome": asked.text("outcome"),
        "evidence_sha256": asked.evidence(),
        "note": asked.text("note"),
    }
    new = as_wanted(told, NewAttemptDecision)
    return await commands.decide_attempt(asked.tx, asked.me, asked.subject, new, asked.now)


async def closed(tx: Tx, me: Actor, of: str, today: date) -> dict[str, Any]:
    """A day's closes, or a month's. Invalid what `parse_date` and `parse_month` say."""
    if len(of) == len("2026-03"):
        first = parse_month(of)
        return {
            "month": f"{first:%Y-%m}",
            "first": first,
            "closes": await closes.closes_between(
                tx, me, first, date.fromordinal(month_after(first).toordinal() - 1)
            ),
            "open": (await closes.list_closes(tx, me, today, today)).open,
        }
    day = parse_date(of, "day")
    return {"month": f"{day:%Y-%m}", "day": day, **_shown(await closes.list_closes(tx, me, day, today))}


def _shown(found: Any) -> dict[str, Any]:
    return {"closes": found.closes, "open": found.open}


async def _next_day(asked: Asked) -> dict[str, Any]:
    """The account is named by whoever closes it: there is none to be shown before."""
    waiting = await closes.list_closes(asked.tx, asked.me, asked.today, asked.today)
    return {"open": waiting.open, "back": f"/finance/close/{asked.today:%Y-%m}", "at": "/finance/statements"}


async def _close(asked: Asked) -> CloseView:
    new = as_wanted({"account": asked.text("account"), "day": asked.text("day")}, NewClose)
    return await closing.close_by_hand(asked.tx, asked.me, new, asked.now)


_D = Decision
ACTS = {
    "resolve": Act(_ANSWERERS, ExceptionView, _odd_line, _resolve, "resolved", ("code",)),
    "resolve-line": Act(_ANSWERERS, StatementLineView, _statement_line, _resolve_line, "resolved", ("code",)),
    "repayment": Act(
        SIGNERS, RepaymentProposalView, _statement_line, _repayment, "proposed", ("number", "amount", "note")
    ),
    "repayment-answer": Act(
        SIGNERS, RepaymentProposalView, _statement_line, _repayment_answer, "answered", decision=_D.REPAYMENT
    ),
    "set-aside": Act(SIGNERS, StatementView, _statement, _set_aside, "resolved", ("note",)),
    "decide": Act(SIGNERS, AttemptDecisionView, _unknown, _decide, "said", ("outcome",), _D.FATE, _attempt),
    "close-day": Act(SIGNERS, CloseView, _next_day, _close, "closed", ("account", "day")),
}
