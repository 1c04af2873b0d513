"""Money is held for claims when they are approved, and follows them: to the bank, to the claimant, or back.

Whoever calls has locked the claims. Every line goes into the ledger; what stands in positions and reservations, the
database adds up (`post_fund_movements`), and refuses a line that takes money from where it is not.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from domain.errors import Conflict
from domain.fund import WAYS, Movement, Position, Pot, fund_of, ways_into, while_it_lasts
from domain.money import Fen
from service.database import Tx
from service.funds.queries import Place, fund_names, fund_policy, locked_positions
from service.journal import By

_RESERVE = text("""
    INSERT INTO fund_movements (position_id, claim_id, amount_fen, kind, source, target,
                                actor_user_id, actor_person_id, actor_name, at)
    SELECT held.*, CAST(:kind AS text), CAST(:source AS text), CAST(:target AS text),
           CAST(:actor_user_id AS uuid), CAST(:actor_person_id AS uuid), CAST(:actor_name AS text),
           CAST(:at AS timestamptz)
      FROM unnest(CAST(:positions AS uuid[]), CAST(:claims AS uuid[]), CAST(:amounts AS bigint[])) AS held
""")

# A claim whose money is there already needs no line; one whose money has no way there gets none, and cannot move.
_FOLLOW = text("""
    INSERT INTO fund_movements (position_id, claim_id, amount_fen, kind, source, target,
                                actor_user_id, actor_person_id, actor_name, at)
    SELECT r.position_id, r.claim_id, r.amount_fen, way.kind, way.source, CAST(:target AS text),
           CAST(:actor_user_id AS uuid), CAST(:actor_person_id AS uuid), CAST(:actor_name AS text),
           CAST(:at AS timestamptz)
      FROM fund_reservations r
      JOIN unnest(CAST(:kinds AS text[]), CAST(:sources AS text[])) AS way (kind, source) ON way.source = r.pot
     WHERE r.claim_id = ANY (CAST(:claims AS uuid[]))
""")


@dataclass(frozen=True)
class Due:
    """A claim that asks for money of its district; the group of persons decides about the fund."""

    claim_id: UUID
    district: str
    group_code: str
    amount_fen: Fen


@dataclass(frozen=True)
class _Asked:
    """`places[i]` is the position that pays for `due[i]`; `there` holds those that exist, locked."""

    places: Sequence[Place]
    there: dict[Place, tuple[UUID, Position]]


async def lasting(tx: Tx, due: Sequence[Due], on: date) -> list[UUID]:
    """Those of `due`, in their order, for which the money of the day's year lasts; their positions stay locked."""
    asked = await _positions(tx, due, on)
    positions = {place: position for place, (_, position) in asked.there.items()}
    amounts = [(place, each.amount_fen) for place, each in zip(asked.places, due, strict=True)]
    return [each.claim_id for each, lasts in zip(due, while_it_lasts(positions, amounts), strict=True) if lasts]


async def reserve(tx: Tx, due: Sequence[Due], on: date, by: By) -> None:
    """Hold money of the day's year for all of `due`, or refuse.

    Conflict `fund.none` where a district has no position in the fund, `fund.insufficient` where it lacks money.
    """
    asked = await _positions(tx, due, on)
    wanted: dict[Place, Fen] = defaultdict(int)
    for place, each in zip(asked.places, due, strict=True):
        wanted[place] += each.amount_fen
    for place, amount_fen in wanted.items():
        if place not in asked.there:
            district, fund = place
            raise Conflict("fund.none", district=district, fund=(await fund_names(tx)).get(fund, fund), year=on.year)
        asked.there[place][1].after(Movement.RESERVE, amount_fen)
    source, target = WAYS[Movement.RESERVE]
    await tx.execute(
        _RESERVE,
        {
            "positions": [asked.there[place][0] for place in asked.places],
            "claims": [each.claim_id for each in due],
            "amounts": [each.amount_fen for each in due],
            "kind": str(Movement.RESERVE),
            "source": str(source),
            "target": str(target),
            **by.columns(),
        },
    )


async def follow(tx: Tx, claim_ids: Sequence[UUID], into: Pot, by: By) -> None:
    """Bring the money held for these claims into a pot, wherever it is now."""
    ways = ways_into(into)
    await tx.execute(
        _FOLLOW,
        {
            "claims": list(claim_ids),
            "kinds": [str(movement) for movement in ways.values()],
            "sources": [str(source) for source in ways],
            "target": str(into),
            **by.columns(),
        },
    )


async def _positions(tx: Tx, due: Sequence[Due], on: date) -> _Asked:
    policy = await fund_policy(tx, on)
    places = [(each.district, fund_of(policy, each.group_code)) for each in due]
    return _Asked(places, await locked_positions(tx, set(places), on.year))
