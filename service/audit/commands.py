"""What an operator does about owed work."""

from datetime import datetime

from domain.actor import Actor, Post
from service import jobs
from service.database import Tx
from service.journal import By, record


async def do_again(tx: Tx, me: Actor, job_id: int, now: datetime) -> None:
    """Let a dead job be tried again; the journal knows who wanted it. Conflict `job.not_dead`."""
    me.must_hold(Post.OPERATOR)
    kind, subject = await jobs.revive(tx, job_id)
    await record(tx, "job", [subject], "again", By.actor(me, Post.OPERATOR, now), [{"kind": kind}])
