"""A person works off a line of a statement that is nobody's; it moves no money."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from domain.text import must_hold_no_personal_number
from service.database import Tx
from service.journal import By, record
from service.statements.queries.statements import exception_of, line_view
from service.statements.schemas import NewLineResolution, StatementLineView
from service.statements.tables import LineResolutionRow
from service.wording import wording

RESOLVERS = (Post.CHECKER, Post.RELEASER)
#: Said where two persons found whose clawback a line repays, and of nothing else.
REPAID = "repaid"


async def resolve_line(tx: Tx, me: Actor, line_id: UUID, new: NewLineResolution, now: datetime) -> StatementLineView:
    """Say how an exception of my district was worked off.

    Invalid `resolving.code`, `text.personal_number`; NotFound `exception.not_found`; Forbidden `claim.own`; Conflict
    `exception.resolved`.
    """
    me.must_hold(*RESOLVERS)
    if f"resolution.{new.code}" not in wording() or new.code == REPAID:
        raise Invalid("resolving.code", field="code", unknown=[new.code])
    must_hold_no_personal_number(new.note, "note")
    line = await exception_of(tx, me, line_id)
    if line.person_id == me.person_id:
        raise Forbidden("claim.own")
    if line.resolved:
        raise Conflict("exception.resolved")
    by = By.actor(me, next(post for post in RESOLVERS if me.holds(post)), now)
    await resolve(tx, line_id, new.code, new.note, me, by)
    return await line_view(tx, line_id)


async def resolve(tx: Tx, line_id: UUID, code: str, note: str, me: Actor, by: By) -> None:
    """Written once, for a line that is locked."""
    told = {"code": code, "note": note, "resolved_by": me.user_id, "resolved_at": by.at}
    await tx.execute(insert(LineResolutionRow).values(line_id=line_id, **told))
    await record(tx, "statement_line", [line_id], "resolve", by, [{"resolution": code}], reason=note)
