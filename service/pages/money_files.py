"""Files of the bank that a person hands in on a page: returns and statements, as they came."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound
from domain.step_up import SIGNERS
from service.database import Tx
from service.journal import By
from service.pages import forms, money
from service.pages.acts import typed_of, uploaded
from service.pages.forms import Fault
from service.reconciliation import commands, queries
from service.reconciliation.schemas import ReturnView
from service.statements.commands import taking
from service.statements.queries import statements
from service.statements.schemas import StatementView

V = TypeVar("V")
_Request = Request[Any, Any, Any]
_A_PAGE = 50
_FILE = "file"


async def returns(
    request: _Request, tx: Tx, me: Actor, today: date, cursor: UUID | None, faults: list[Fault]
) -> Response[bytes]:
    """Return files that came, with the form to hand one in."""
    found = await queries.list_returns(tx, me, cursor, _A_PAGE)
    status = 422 if faults else 200
    return money.page(request, "returns", today, me, status=status, found=found, faults=faults, once=uuid4())


async def take_return(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Store it and settle what its lines say; the page with what is wrong where it is refused, and nothing kept."""
    typed, views = await typed_of(request), list[ReturnView]()

    async def take() -> None:
        data, _ = await uploaded(request, _FILE)
        file, by = commands.read(data), By.actor(me, Post.MAKER, now)
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        effect = _as_a_fault(lambda: commands.take_return(tx, me, file, data, "upload", by))
        answer = await once(tx, ReturnView, effect)
        views.append(answer.view)

    if faults := await forms.refused(tx, take):
        return await returns(request, tx, me, today, None, _at_the_file(faults))
    return forms.see("/finance/returns", "return_known" if views[0].known else "return_taken")


async def statements_page(
    request: _Request, tx: Tx, me: Actor, today: date, cursor: UUID | None, faults: list[Fault]
) -> Response[bytes]:
    """Statements that were taken, those that do not follow, and the form to hand one in."""
    return money.page(
        request,
        "statements",
        today,
        me,
        status=422 if faults else 200,
        found=await statements.list_statements(tx, me, cursor, _A_PAGE),
        blocked=(await statements.list_blocked(tx, me)).statements,
        faults=faults,
        month=f"{today:%Y-%m}",
        may_take=me.holds(*SIGNERS),
        once=uuid4(),
    )


async def take_statement(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Count a statement's lines, or keep it as blocked; the page with what is wrong where it cannot be read."""
    typed, views = await typed_of(request), list[StatementView]()

    async def take() -> None:
        data, _ = await uploaded(request, _FILE)
        form = "camt053" if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "neutral"
        file = taking.read(form, data)
        by = By.actor(me, next(each for each in taking.TAKERS if me.holds(each)), now)
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        effect = _as_a_fault(lambda: taking.take_statement(tx, me, form, file, data, by))
        answer = await once(tx, StatementView, effect)
        views.append(answer.view)

    if faults := await forms.refused(tx, take):
        return await statements_page(request, tx, me, today, None, _at_the_file(faults))
    told = "return_known" if views[0].known else "statement_blocked" if views[0].blocked else "statement_taken"
    return forms.see("/finance/statements", told)


def _as_a_fault(effect: Callable[[], Awaitable[V]]) -> Callable[[], Awaitable[V]]:
    """The file names what is not there, or not mine: that is a fault of the file, the page is there."""

    async def found() -> V:
        try:
            return await effect()
        except NotFound as refusal:
            raise Conflict(refusal.code, **refusal.facts) from None

    return found


def _at_the_file(faults: list[Fault]) -> list[Fault]:
    """Whatever is wrong in a file is said beside the box that it was chosen in, each fault once."""
    return [(_FILE, said) for said in dict.fromkeys(said for _, said in faults)][:20]
