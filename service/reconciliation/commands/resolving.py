"""A person works off a line of a return that settled nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from service.database import Tx
from service.journal import By, record
from service.reconciliation.queries import exception_of, exception_view
from service.reconciliation.schemas import ExceptionView, NewResolution
from service.reconciliation.tables import ResolutionRow
from service.wording import wording

RESOLVERS = (Post.CHECKER, Post.RELEASER)


async def resolve_line(
    tx: Tx, me: Actor, return_id: UUID, line_no: int, new: NewResolution, now: datetime
) -> ExceptionView:
    """Say how an exception of my district was worked off. It moves no payment: only the bank's lines and decisions of
    two persons do.

    Invalid `resolving.code`; NotFound `exception.not_found`; Forbidden `claim.own`; Conflict `exception.resolved`.
    """
    me.must_hold(*RESOLVERS)
    if f"resolution.{new.code}" not in wording():
        raise Invalid("resolving.code", field="code", unknown=[new.code])
    line = await exception_of(tx, me, return_id, line_no)
    if line.person_id == me.person_id:
        raise Forbidden("claim.own")
    if line.resolved:
        raise Conflict("exception.resolved")
    told = {"code": new.code, "note": new.note, "resolved_by": me.user_id, "resolved_at": now}
    await tx.execute(insert(ResolutionRow).values(return_file_id=return_id, line_no=line_no, **told))
    by = By.actor(me, next(post for post in RESOLVERS if me.holds(post)), now)
    noted = {"line_no": line_no, "resolution": new.code}
    await record(tx, "return_file", [return_id], "resolve", by, [noted], reason=new.note)
    return await exception_view(tx, return_id, line_no)
