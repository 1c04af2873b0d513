"""What an operator does about owed work, and the journal's seal."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from domain.actor import Actor, Post
from service import jobs
from service.audit.schemas import SealView
from service.database import Tx
from service.journal import By, record


async def do_again(tx: Tx, me: Actor, job_id: int, now: datetime) -> None:
    """Let a dead job be tried again; the journal knows who wanted it. Conflict `job.not_dead`."""
    me.must_hold(Post.OPERATOR)
    kind, subject = await jobs.revive(tx, job_id)
    await record(tx, "job", [subject], "again", By.actor(me, Post.OPERATOR, now), [{"kind": kind}])


#: Rows of a block, and rows that one call seals: what it holds in memory are their ids.
BLOCK_ROWS, CALL_ROWS = 1_000, 50_000

#: In the data directory, so that whoever changes the database does not change it too.
HEADS_FILE = "seal-heads.log"


async def seal_journal(tx: Tx) -> bool:
    """Append what is over to the chain; whether there may be more to seal. One caller at a time, others wait.

    Refused by the database (ZD255) where transactions count anew and `zhida restored` was not run.
    """
    sealed = (await tx.execute(select(func.seal_journal(CALL_ROWS, BLOCK_ROWS)))).scalar_one()
    return bool(sealed == CALL_ROWS)


def note_head(head: SealView, directory: Path) -> bool:
    """Write the head down outside of the database, a line each; whether it was not the last one there already."""
    file = directory / HEADS_FILE
    if file.exists() and head.hash in noted_heads(file)[-1:]:
        return False
    with file.open("a") as notes:
        notes.write(f"{head.sealed_at.isoformat()} {head.number} {head.hash}\n")
    return True


def noted_heads(file: Path) -> list[str]:
    """The hashes of a file that `note_head` wrote, the earliest first."""
    return [line.split()[-1] for line in file.read_text().splitlines() if line.strip()]
