"""The journal's seal: rows are chained as they settle, and the head is noted outside of the database."""

import asyncio
from pathlib import Path

from service.audit import commands
from service.audit.queries.seal import seal_head
from service.database import transaction
from service.logs import log
from service.queue import Sweep
from service.settings import settings
from tasks.runtime import sweep

#: One sweep ends well within a task's time; a long backlog, as after an upgrade, is left to the next ones.
_CALLS_MAX = 10


@sweep(Sweep.SEAL_JOURNAL)
async def seal_journal() -> None:
    """A transaction a portion: killed half way, what stands is a shorter chain."""
    for _ in range(_CALLS_MAX):
        async with transaction() as tx:
            if not await commands.seal_journal(tx):
                return


@sweep(Sweep.NOTE_SEAL)
async def note_seal() -> None:
    """The head goes to the log, which travels elsewhere, and to a file beside the database."""
    async with transaction() as tx:
        head = await seal_head(tx)
    if head is None:
        return
    try:
        is_new = await asyncio.to_thread(commands.note_head, head, Path(settings().data_dir))
    except OSError:  # a worker that may write nowhere still has its log
        is_new = True
    if is_new:
        log.info("journal_sealed", block=head.number, hash=head.hash)
