"""Money is held for claims when they are approved, and follows them: to the bank, to the claimant, or back.

Whoever calls has locked the claims. Every line goes into the ledger; what stands in positions and reservations, the
database adds up (`post_fund_movements`), and refuses a line that takes money from where it is not.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn
from uuid import UUID

from sqlalchemy import text

from domain.errors import Conflict
from domain.fund import WAYS, Asking, Movement, Position, Pot, fund_of, ways_into, while_it_lasts
from domain.money import Fen
from service.database import Tx
from service.funds.queries import HeldForClass, Place, class_pots, fund_names, fund_policy, locked_positions
from service.journal import By

_RESERVE = text("""
    INSERT INTO fund_movements (position_id, claim_id, amount_fen, kind, source, target,
                                actor_user_id, actor_person_id, actor_name, at)
    SELECT held.*, CAST(:kind AS text), CAST(:source AS text), CAST(:target AS text),
           CAST(:actor_user_id AS uuid), CAST(:actor_person_id AS uuid), CAST(:actor_name AS text),
           CAST(:at AS timestamptz)
      FROM unnest(CAST(:positions AS uuid[]), CAST(:claims AS uuid[]), CAST(:amounts AS bigint[])) AS held
""")

_DRAW = text("""
    INSERT INTO fund_movements (position_id, class_id, claim_id, amount_fen, kind, source, target,
                                actor_user_id, actor_person_id, actor_name, at)
    SELECT drawn.*, CAST(:kind AS text), CAST(:source AS text), CAST(:target AS text),
           CAST(:actor_user_id AS uuid), CAST(:actor_person_id AS uuid), CAST(:actor_name AS text),
           CAST(:at AS timestamptz)
      FROM unnest(CAST(:positions AS uuid[]), CAST(:classes AS uuid[]), CAST(:claims AS uuid[]),
                  CAST(:amounts AS bigint[])) AS drawn
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

_REPAY = text("""
    INSERT INTO fund_movements (position_id, repayment_id, amount_fen, kind, source, target,
                                actor_user_id, actor_person_id, actor_name, at)
    SELECT r.position_id, CAST(:repayment AS uuid), CAST(:amount AS bigint), CAST(:kind AS text),
           CAST(:source AS text), CAST(:target AS text), CAST(:actor_user_id AS uuid),
           CAST(:actor_person_id AS uuid), CAST(:actor_name AS text), CAST(:at AS timestamptz)
      FROM fund_reservations r WHERE r.claim_id = CAST(:claim AS uuid)
 RETURNING (SELECT amount_fen - repaid_fen FROM fund_reservations r WHERE r.claim_id = CAST(:claim AS uuid))
""")


@dataclass(frozen=True)
class Due:
    """A claim that asks for money of its district; the group of persons decides about the fund. A claim of a class
    (`class_id`) draws on what was set aside for that."""

    claim_id: UUID
    district: str
    group_code: str
    amount_fen: Fen
    class_id: UUID | None = None


@dataclass(frozen=True)
class _Asked:
    """`asking[i]` is what `due[i]` asks for; `there` holds the positions that exist, and `pots` what is left for the
    classes, locked. `given[i]`: how much the class's pot gives; None where the money does not last."""

    asking: Sequence[Asking[Place]]
    there: dict[Place, tuple[UUID, Position]]
    pots: dict[UUID, HeldForClass]
    given: Sequence[Fen | None]


async def lasting(tx: Tx, due: Sequence[Due], on: date) -> list[UUID]:
    """Those of `due`, in their order, for which the money of the day's year lasts, and that of their classes; their
    positions stay locked."""
    asked = await _asked(tx, due, on)
    return [each.claim_id for each, gives in zip(due, asked.given, strict=True) if gives is not None]


async def reserve(tx: Tx, due: Sequence[Due], on: date, by: By) -> None:
    """Hold money for all of `due`, or refuse: first what was set aside for their classes, then free money of the
    day's year.

    Conflict `fund.none` where a district has no position in the fund, `fund.insufficient` where it lacks money.
    """
    asked = await _asked(tx, due, on)
    if None in asked.given:
        await _refuse(tx, asked, on.year)
    drawn, positions = [], []
    for each, asking, gives in zip(due, asked.asking, asked.given, strict=True):
        position_id = asked.pots[_class_of(each)].position_id if gives else asked.there[asking.place][0]
        positions.append(position_id)
        if gives:
            drawn.append((position_id, each.class_id, each.claim_id, gives))
    if drawn:
        names = ("positions", "classes", "claims", "amounts")
        columns = dict(zip(names, map(list, zip(*drawn, strict=True)), strict=True))
        await tx.execute(_DRAW, {**columns, **_way(Movement.DRAW), **by.columns()})
    held = {"positions": positions, "claims": [each.claim_id for each in due]}
    amounts = [each.amount_fen for each in due]
    await tx.execute(_RESERVE, {**held, "amounts": amounts, **_way(Movement.RESERVE), **by.columns()})


def _class_of(due: Due) -> UUID:
    assert due.class_id is not None, "only a class's pot gives"
    return due.class_id


def _way(movement: Movement) -> dict[str, str]:
    source, target = WAYS[movement]
    return {"kind": str(movement), "source": str(source), "target": str(target)}


async def _refuse(tx: Tx, asked: _Asked, year: int) -> NoReturn:
    """With what is there and what is missing for all that was asked for."""
    wanted: dict[Place, Fen] = defaultdict(int)
    for asking, gives in zip(asked.asking, asked.given, strict=True):
        wanted[asking.place] += asking.amount_fen - (gives or 0)
    for place, amount_fen in wanted.items():
        if place in asked.there:
            asked.there[place][1].after(Movement.RESERVE, amount_fen)
        elif amount_fen:
            await refuse_nothing(tx, place, year)
    raise AssertionError("the money did not last, and yet suffices")


async def refuse_nothing(tx: Tx, place: Place, year: int) -> NoReturn:
    """Conflict `fund.none`: nothing was ever appropriated to this district for the fund and year."""
    district, fund = place
    raise Conflict("fund.none", district=district, fund=(await fund_names(tx)).get(fund, fund), year=year)


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


async def repay(tx: Tx, claim_id: UUID, repayment_id: UUID, amount_fen: Fen, by: By) -> bool:
    """What the claimant repaid (the row is there) is free again in the year it came from; whether all of it is now.

    The claim is locked. The database refuses more than was paid (ZD220).
    """
    told = {"claim": claim_id, "repayment": repayment_id, "amount": amount_fen, **_way(Movement.REPAY)}
    out: Fen = (await tx.execute(_REPAY, {**told, **by.columns()})).scalar_one()  # as it was before this
    return out == amount_fen


async def _asked(tx: Tx, due: Sequence[Due], on: date) -> _Asked:
    policy = await fund_policy(tx, on)
    places = [(each.district, fund_of(policy, each.group_code)) for each in due]
    classes = {each.class_id for each in due if each.class_id is not None}
    pots = await class_pots(tx, classes) if classes else {}
    there = await locked_positions(tx, set(places), on.year, [pot.position_id for pot in pots.values()])
    if pots:  # as they are now that nobody else draws on them
        pots = await class_pots(tx, classes)
    asking = [
        Asking(place, each.amount_fen, _own_pot(each, place, pots)) for each, place in zip(due, places, strict=True)
    ]
    left = {class_id: held.pot for class_id, held in pots.items()}
    positions = {place: position for place, (_, position) in there.items()}
    return _Asked(asking, there, pots, while_it_lasts(positions, asking, left, on.year))


def _own_pot(due: Due, place: Place, pots: dict[UUID, HeldForClass]) -> UUID | None:
    """The claim's class, where what was set aside for it is of the district and the fund that pay for the claim."""
    held = pots.get(due.class_id) if due.class_id else None
    return due.class_id if held and held.place == place else None
