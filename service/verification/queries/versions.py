"""How a claim stood when an officer read it, so that nobody decides over what they did not see."""

import re
from dataclasses import astuple, dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.claim import ClaimStatus
from domain.errors import Conflict
from service.claims.queries.care import lock_for_officer
from service.database import Tx

_NOW = text("""
    SELECT c.status, c.amount_fen,
           (SELECT max(j.id) FROM journal j WHERE j.subject_kind = 'claim' AND j.subject_id = c.id) AS step,
           (SELECT count(*) FROM registry_replies r WHERE r.claim_id = c.id) AS replies,
           (SELECT count(*) FROM claim_holds h WHERE h.claim_id = c.id AND h.lifted_at IS NULL) AS holds,
           (SELECT count(*) + count(m.second_at) FROM manual_checks m WHERE m.claim_id = c.id) AS checks
      FROM claims c WHERE c.id = :claim
""")
_WRITTEN = re.compile(r"([a-z_]{1,20})" + r"\.([0-9]{1,18})" * 5)


@dataclass(frozen=True)
class Version:
    """`step`: the last row of its journal; besides, how often the registry answered, how many holds are live, and
    how often persons said what a check by hand found."""

    status: str
    amount_fen: int
    step: int
    replies: int
    holds: int
    checks: int

    def __str__(self) -> str:
        return ".".join(map(str, astuple(self)))

    @classmethod
    def read(cls, written: str) -> Self | None:
        """None for what no page has written."""
        found = _WRITTEN.fullmatch(written)
        if found is None or found[1] not in set(map(str, ClaimStatus)):
            return None
        return cls(found[1], *map(int, found.groups()[1:]))


async def version_of(tx: Tx, claim_id: UUID) -> Version:
    """As it is now; whether the asker may see the claim is the caller's to ask."""
    return Version(*(await tx.execute(_NOW, {"claim": claim_id})).one())


async def must_be_as_seen(tx: Tx, me: Actor, claim_id: UUID, seen: str) -> None:
    """NotFound `claim.not_found`; Conflict `claim.changed` where it is not as `seen` says. It stays locked."""
    await lock_for_officer(tx, me, claim_id)
    if seen != str(await version_of(tx, claim_id)):
        raise Conflict("claim.changed")
