"""How it stands with the services that are not ours, and what waits for them: figures, nothing of a person."""

from sqlalchemy import text

from service import clock
from service.database import Tx
from service.operations.schemas import OutsideView, OutsideViews
from service.queue import WAITS, Outside
from service.verification.queries.queue import registry_line
from service.wording import words

_WAITING = text("""
    SELECT count(*) AS jobs, min(made_at) AS oldest, min(next_at) AS next_at
      FROM jobs
     WHERE state = 'ready' AND kind = ANY (CAST(:kinds AS text[])) AND last_error = ANY (CAST(:reasons AS text[]))
       AND next_at > now()
""")


async def outside(tx: Tx) -> OutsideViews:
    """Each of them."""
    return OutsideViews([await one_outside(tx, each) for each in Outside])


async def one_outside(tx: Tx, service: Outside) -> OutsideView:
    """Of the services the registry alone is ever left alone; the others are asked again within a minute."""
    waits = WAITS[service]
    asked = {"kinds": [str(each) for each in waits.kinds], "reasons": list(waits.reasons)}
    found = (await tx.execute(_WAITING, asked)).one()
    standing, until = await registry_line(tx) if service is Outside.REGISTRY else ("closed", None)
    if standing == "closed" and found.jobs:
        standing = "silent"
    ahead = clock.offset()  # jobs live by the database's clock, people by ours
    return OutsideView(
        service=service,
        name=words(f"outside.{service}"),
        standing=standing,
        standing_name=words(f"outside_standing.{standing}"),
        resting_until=until + ahead if until and standing == "open" else None,
        waiting=found.jobs,
        oldest_since=found.oldest + ahead if found.oldest else None,
        next_at=found.next_at + ahead if found.next_at else None,
    )
