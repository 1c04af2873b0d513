"""How far a roster is, told each time it has come further, to whoever keeps listening."""

from collections.abc import AsyncIterator
from uuid import UUID

from domain.actor import Actor
from domain.roster import ROSTER_LIFECYCLE
from service.claims.queries.rosters import roster_view
from service.claims.schemas import RosterView
from service.watching import watched


def progress(me: Actor, roster_id: UUID) -> AsyncIterator[RosterView]:
    """The roster as it is, then whenever it has changed, until nothing more comes. NotFound `roster.not_found`."""
    return watched(lambda tx: roster_view(tx, me, roster_id), lambda view: view.status in ROSTER_LIFECYCLE.final())
