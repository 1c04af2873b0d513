"""Whether the registry may be asked now, and what became of asking: known to all workers, since it is in rows.

Two things are kept of a registry. How many calls each of the last sixty minutes had: no more than were agreed. And
how often it was silent one time after another: then it is left alone, for longer each time, until one call on trial
is answered. Times are the database's own, as those of jobs.
"""

from dataclasses import dataclass

from sqlalchemy import text

from domain.errors import Conflict, Unavailable
from domain.verification import rest_seconds
from service.database import Tx
from service.jobs import owe
from service.queue import Job, Outside
from service.settings import settings

#: A trial that nobody tells the end of (its worker was killed) is over after this: longer than a call may take.
_TRIAL_SECONDS = 20

_STANDING = text("""
    SELECT failures > 0 AS troubled, open_until IS NOT NULL AS open,
           coalesce(extract(epoch FROM open_until - now()), 0)::float8 AS seconds
      FROM registry_lines WHERE source = :source
""")
_TRIAL = text("""
    UPDATE registry_lines SET open_until = now() + make_interval(secs => :seconds), on_trial = true
     WHERE source = :source AND open_until <= now() RETURNING source
""")
# A minute takes the place of the one an hour before it: the table does not grow.
_COUNT = text("""
    INSERT INTO registry_minutes AS m (source, slot, minute, calls)
    VALUES (:source, extract(minute FROM now()), date_trunc('minute', now()), 1)
    ON CONFLICT (source, slot) DO UPDATE
       SET minute = excluded.minute, calls = CASE WHEN m.minute = excluded.minute THEN m.calls + 1 ELSE 1 END
     WHERE m.minute <> excluded.minute OR m.calls < :most OR :most = 0
    RETURNING calls
""")
_REST_OF_MINUTE = text("SELECT (60 - extract(second FROM now()))::float8")
_SILENT = text("""
    INSERT INTO registry_lines AS l (source, failures, last_failure, last_failed_at)
    VALUES (:source, 1, :reason, now())
    ON CONFLICT (source) DO UPDATE
       SET failures = l.failures + 1, last_failure = excluded.last_failure, last_failed_at = excluded.last_failed_at
    RETURNING failures, rests, open_until IS NOT NULL AS open
""")
_REST = text("""
    UPDATE registry_lines SET rests = :rests, open_until = now() + make_interval(secs => :seconds), on_trial = false
     WHERE source = :source
""")
_ANSWERED = text("""
    UPDATE registry_lines SET failures = 0, rests = 0, open_until = NULL, on_trial = false WHERE source = :source
""")
# A trial that a person wanted does not count as one more: silent, the registry rests for as long as it did.
_END_REST = text("""
    UPDATE registry_lines SET open_until = now(), rests = greatest(rests - 1, 0)
     WHERE source = :source AND open_until > now() AND NOT on_trial RETURNING source
""")
_ON_TRIAL = text("SELECT source FROM registry_lines WHERE source = :source AND open_until > now() AND on_trial")


@dataclass(frozen=True)
class Leave:
    """That the registry may be asked once. `troubled`: it was silent the last time; `trial`: this call finds out
    whether it is back."""

    troubled: bool = False
    trial: bool = False


async def take_leave(tx: Tx, source: str) -> Leave:
    """May this worker ask the registry now? Counted as a call.

    Unavailable `registry.resting` while it is left alone, `registry.calls_used_up` for the rest of this minute; both
    with `seconds`, after which asking makes sense.
    """
    row = (await tx.execute(_STANDING, {"source": source})).one_or_none()
    if row is not None and row.open:
        if row.seconds > 0:
            raise Unavailable("registry.resting", seconds=row.seconds)
        if (await tx.execute(_TRIAL, {"source": source, "seconds": _TRIAL_SECONDS})).first() is None:
            raise Unavailable("registry.resting", seconds=_TRIAL_SECONDS)
    most = settings().registry_calls_a_minute
    if (await tx.execute(_COUNT, {"source": source, "most": most})).first() is None:
        raise Unavailable("registry.calls_used_up", seconds=(await tx.execute(_REST_OF_MINUTE)).scalar_one())
    return Leave(row is not None and row.troubled, row is not None and row.open)


async def note_silence(tx: Tx, source: str, leave: Leave, reason: str) -> None:
    """It gave no answer: one time too many, or on trial, and it is left alone, for longer than the last time.

    A call that began before that and ends only now changes nothing more.
    """
    line = (await tx.execute(_SILENT, {"source": source, "reason": reason})).one()
    if leave.trial or (not line.open and line.failures >= settings().registry_silences_max):
        rests = line.rests + 1
        await tx.execute(_REST, {"source": source, "rests": rests, "seconds": rest_seconds(rests)})


async def note_answer(tx: Tx, source: str, leave: Leave) -> None:
    """It answers: whatever was held against it is over, and after a rest nobody goes on waiting for its end."""
    await tx.execute(_ANSWERED, {"source": source})
    if leave.trial:
        await owe(tx, Job.HURRY_WAITING, Outside.REGISTRY.id)


async def end_rest(tx: Tx, source: str) -> bool:
    """The next call goes on trial, now; whether it was left alone. Conflict `outside.being_asked` while one is."""
    about = {"source": source}
    if (await tx.execute(_END_REST, about)).first() is not None:
        return True
    if (await tx.execute(_ON_TRIAL, about)).first() is not None:
        raise Conflict("outside.being_asked")
    return False
