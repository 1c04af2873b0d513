"""The promise about owed work: every job ends done or dead."""

from sqlalchemy import text

from service.audit.queries.checks import Check, Promise
from service.database import Tx

_CHECKS = (
    Check("jobs", "待办的状态不合规定", "SELECT id FROM jobs WHERE state NOT IN ('ready', 'done', 'dead')"),
    Check(
        "jobs",
        "同一件待办重复",
        "SELECT max(id) FROM jobs WHERE state = 'ready' GROUP BY kind, subject HAVING count(*) > 1",
    ),
)

ENDED = Promise(
    18,
    "jobs_end",
    "jobs",
    (
        *_CHECKS,
        # leases and retries are over in hours; whatever is a day old is forgotten
        Check(
            "jobs",
            "待办超过一天仍未办结",
            "SELECT id FROM jobs WHERE state = 'ready' AND made_at < now() - interval '1 day'",
        ),
    ),
)

#: When all work is said to be over, nothing may be left.
ALL_ENDED = Promise(
    18, "jobs_end", "jobs", (*_CHECKS, Check("jobs", "待办仍未办结", "SELECT id FROM jobs WHERE state = 'ready'"))
)


async def ready_and_dead(tx: Tx) -> tuple[int, int]:
    """How many jobs wait to be done, and how many wait for an operator."""
    asked = text("SELECT count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'dead') FROM jobs")
    ready, dead = (await tx.execute(asked)).one()
    return ready, dead
