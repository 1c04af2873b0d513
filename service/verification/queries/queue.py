"""How many checks are owed, why they wait, and how it stands with the registry: figures, nothing of a person."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from service.database import Tx
from service.queue import Job
from service.settings import settings
from service.verification.schemas import QueueView, WaitingView
from service.wording import wording, words

_OWED = text(f"""
    SELECT count(*) AS checks, count(*) FILTER (WHERE next_at <= now()) AS due, min(made_at) AS oldest,
           last_error AS reason, count(*) FILTER (WHERE next_at > now()) AS waiting
      FROM jobs WHERE kind = '{Job.VERIFY_CERTIFICATE}' AND state = 'ready'
     GROUP BY last_error ORDER BY checks DESC, last_error
""")  # noqa: S608 (a name of ours)
_DEAD = text(f"SELECT count(*) FROM jobs WHERE state = 'dead' AND kind = '{Job.VERIFY_CERTIFICATE}'")  # noqa: S608 (likewise)
_LINE = text("""
    SELECT failures, open_until, last_failure, last_failed_at,
           CASE WHEN open_until IS NULL THEN 'closed' WHEN open_until > now() AND NOT on_trial THEN 'open'
                ELSE 'trial' END AS standing
      FROM registry_lines WHERE source = :source
""")
_CALLS = text("""
    SELECT coalesce(sum(calls) FILTER (WHERE minute = date_trunc('minute', now())), 0)::integer AS minute,
           coalesce(sum(calls), 0)::integer AS hour
      FROM registry_minutes WHERE source = :source AND minute > now() - interval '1 hour'
""")


async def queue(tx: Tx) -> QueueView:
    """As it stands now, for the registry that is set."""
    source = {"source": settings().registry_url}
    owed = (await tx.execute(_OWED)).all()
    line = (await tx.execute(_LINE, source)).one_or_none()
    calls = (await tx.execute(_CALLS, source)).one()
    standing = line.standing if line else "closed"
    return QueueView(
        owed=sum(each.checks for each in owed),
        due=sum(each.due for each in owed),
        dead=(await tx.execute(_DEAD)).scalar_one(),
        oldest_since=min((each.oldest for each in owed), default=None),
        postponed=[_waiting(each) for each in owed if each.reason and each.waiting],
        standing=standing,
        standing_name=words(f"registry_standing.{standing}"),
        open_until=line.open_until if line else None,
        silences=line.failures if line else 0,
        last_failure=line.last_failure if line else None,
        last_failed_at=line.last_failed_at if line else None,
        calls_last_minute=calls.minute,
        calls_last_hour=calls.hour,
        calls_a_minute_max=settings().registry_calls_a_minute,
    )


async def registry_line(tx: Tx) -> tuple[str, datetime | None]:
    """How it stands with asking the registry that is set, as `QueueView` says it, and until when it is so."""
    found = (await tx.execute(_LINE, {"source": settings().registry_url})).one_or_none()
    return (found.standing, found.open_until) if found else ("closed", None)


def _waiting(row: Row[Any]) -> WaitingView:
    """What is no reason of ours is the name of a failure."""
    code = row.reason if row.reason in wording() else "registry.failed"
    return WaitingView(row.reason, words(code), row.waiting)
