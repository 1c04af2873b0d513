"""The money of a fund: where it stands, what moves it, and where a claim's money is in each of its statuses."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden, Invalid
from domain.money import Fen

K = TypeVar("K", bound=Hashable)


class Pot(StrEnum):
    """Where money stands. `treasury` is outside the funds: from there it comes by an appropriation (额度)."""

    TREASURY = "treasury"
    FREE = "free"
    SET_ASIDE = "set_aside"  # for the claims of an approved class
    RESERVED = "reserved"
    IN_FLIGHT = "in_flight"
    PAID = "paid"


class Movement(StrEnum):
    """What moves money from one pot into another."""

    APPROPRIATE = "appropriate"
    SET_ASIDE = "set_aside"  # a class is approved
    DRAW = "draw"  # one of its claims is approved, and holds the money from now on
    GIVE_BACK = "give_back"  # the class needs it no more
    LOWER = "lower"  # 调减: an appropriation is taken back, as far as its money is free
    CARRY_OVER = "carry_over"  # claims approved before funds were kept: once, by the migration
    TRANSFER_OUT = "transfer_out"  # 调剂、结转: the two legs of a transfer between positions, of one amount
    TRANSFER_IN = "transfer_in"
    RESERVE = "reserve"
    SEND = "send"
    PAY = "pay"
    FAIL = "fail"
    BOUNCE = "bounce"
    RELEASE = "release"
    RECOVER = "recover"
    REPAY = "repay"  # by the claimant, in parts; the claim names its money until all of it is back


_M, _P = Movement, Pot


class Answer(StrEnum):
    """What the second person says of an appropriation, or a transfer, that was proposed."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"


#: Movement → out of which pot, into which. What leaves one enters the other, so nothing is made or lost.
WAYS: Mapping[Movement, tuple[Pot, Pot]] = {
    _M.APPROPRIATE: (_P.TREASURY, _P.FREE),
    _M.LOWER: (_P.FREE, _P.TREASURY),
    _M.CARRY_OVER: (_P.TREASURY, _P.FREE),
    # between positions it is nobody's: the treasury's, until the transaction ends
    _M.TRANSFER_OUT: (_P.FREE, _P.TREASURY),
    _M.TRANSFER_IN: (_P.TREASURY, _P.FREE),
    # what is drawn is free for its claim, which reserves it before anybody else sees it
    _M.SET_ASIDE: (_P.FREE, _P.SET_ASIDE),
    _M.DRAW: (_P.SET_ASIDE, _P.FREE),
    _M.GIVE_BACK: (_P.SET_ASIDE, _P.FREE),
    _M.RESERVE: (_P.FREE, _P.RESERVED),
    _M.SEND: (_P.RESERVED, _P.IN_FLIGHT),
    _M.PAY: (_P.IN_FLIGHT, _P.PAID),
    # the claim is still due
    _M.FAIL: (_P.IN_FLIGHT, _P.RESERVED),
    _M.BOUNCE: (_P.PAID, _P.RESERVED),
    # the claim is not due any more
    _M.RELEASE: (_P.RESERVED, _P.FREE),
    _M.RECOVER: (_P.PAID, _P.FREE),
    _M.REPAY: (_P.PAID, _P.FREE),
}

_S = ClaimStatus
_NOT_HELD = frozenset({_P.FREE})
_HELD = frozenset({_P.RESERVED})

#: Where the money of a claim in a status may be. The file for the bank decides about a batched one's.
HELD_IN: Mapping[ClaimStatus, frozenset[Pot]] = {
    **dict.fromkeys(ClaimStatus, _NOT_HELD),
    **dict.fromkeys((_S.APPROVED, _S.NOTICED, _S.PAYABLE, _S.BOUNCED), _HELD),
    _S.BATCHED: _HELD | {_P.IN_FLIGHT},
    _S.PAID: frozenset({_P.PAID}),
}

#: (status before, status after) → the pot in which the claim's money is afterwards. Every move of the lifecycle that
#: enters, leaves or crosses the statuses for which money is held stands here; the others leave the money where it is.
EFFECTS: Mapping[tuple[ClaimStatus, ClaimStatus], Pot] = {
    # approved: money is held from now on, or the claim is not approved
    (_S.VERIFIED, _S.APPROVED): _P.RESERVED,
    (_S.IN_REVIEW, _S.APPROVED): _P.RESERVED,
    (_S.FILED, _S.PAYABLE): _P.RESERVED,
    # before an officer again, or given up: free for others
    (_S.APPROVED, _S.IN_REVIEW): _P.FREE,
    (_S.NOTICED, _S.IN_REVIEW): _P.FREE,
    (_S.BOUNCED, _S.IN_REVIEW): _P.FREE,
    (_S.PAYABLE, _S.IN_REVIEW): _P.FREE,
    (_S.APPROVED, _S.WITHDRAWN): _P.FREE,
    (_S.NOTICED, _S.WITHDRAWN): _P.FREE,
    (_S.PAYABLE, _S.WITHDRAWN): _P.FREE,
    (_S.BOUNCED, _S.WITHDRAWN): _P.FREE,
    # the bank has spoken
    (_S.BATCHED, _S.PAID): _P.PAID,
    (_S.BATCHED, _S.PAYABLE): _P.RESERVED,
    (_S.BATCHED, _S.BOUNCED): _P.RESERVED,
    (_S.PAID, _S.BOUNCED): _P.RESERVED,
    # repaid by the claimant: back into the fund of its own year
    (_S.PAID, _S.RECOVERED): _P.FREE,
}


def effects_of(action: ClaimAction) -> dict[ClaimStatus, Pot]:
    """Status before → the pot in which the money must be, for those moves of `action` that touch money."""
    moves = CLAIM_LIFECYCLE.sources(action).items()
    return {before: EFFECTS[before, after] for before, after in moves if (before, after) in EFFECTS}


def ways_into(target: Pot) -> dict[Pot, Movement]:
    """Pot → the movement that brings a claim's money from there into `target`; a pot that is not named has no way."""
    ways = WAYS.items()
    not_a_claims = (Pot.TREASURY, Pot.SET_ASIDE)
    return {
        source: movement
        for movement, (source, into) in ways
        if into == target and source not in not_a_claims and movement is not Movement.REPAY
    }


@dataclass(frozen=True)
class Position:
    """What a district has of a fund (`fund`: its name) in a year. Money held stays in its year until paid or freed,
    and what is freed after the year's end is free there: approvals draw on the year of their day only."""

    fund: str
    year: int
    free_fen: Fen = 0
    reserved_fen: Fen = 0
    in_flight_fen: Fen = 0
    paid_fen: Fen = 0
    set_aside_fen: Fen = 0

    @property
    def appropriated_fen(self) -> Fen:
        return self.free_fen + self.set_aside_fen + self.reserved_fen + self.in_flight_fen + self.paid_fen

    def after(self, movement: Movement, amount_fen: Fen) -> "Position":
        """The position after a movement; Conflict `fund.insufficient` (what is there, what is missing) when the pot
        that it takes from holds less."""
        source, target = WAYS[movement]
        changed = {}
        if target is not Pot.TREASURY:
            changed[f"{target}_fen"] = getattr(self, f"{target}_fen") + amount_fen
        if source is not Pot.TREASURY:
            there: Fen = getattr(self, f"{source}_fen")
            if there < amount_fen:
                missing_fen = amount_fen - there
                raise Conflict(
                    "fund.insufficient", fund=self.fund, year=self.year, free_fen=there, missing_fen=missing_fen
                )
            changed[f"{source}_fen"] = there - amount_fen
        return replace(self, **changed)

    def lowered(self, amount_fen: Fen) -> "Position":
        """The position after `amount_fen` was taken back; Conflict `appropriation.not_free` (where the rest is) when
        less is free."""
        if self.free_fen < amount_fen:
            raise Conflict("appropriation.not_free", lowered_fen=amount_fen, **vars(self))
        return self.after(Movement.LOWER, amount_fen)


@dataclass(frozen=True)
class ClassPot:
    """What is left of what was set aside for a class, of the money of a year."""

    year: int
    left_fen: Fen

    def gives(self, amount_fen: Fen, year: int) -> Fen:
        """How much of a claim it pays that is approved in `year`: as far as it goes where it is of that year, else
        all or nothing, for a claim's money is of one year."""
        if self.year == year:
            return min(self.left_fen, amount_fen)
        return amount_fen if amount_fen <= self.left_fen else 0


@dataclass(frozen=True)
class Asking(Generic[K]):
    """A claim that asks for money of the position `place`; `of_class` names its class's pot there, if it has one."""

    place: K
    amount_fen: Fen
    of_class: Hashable = None


def while_it_lasts(
    positions: Mapping[K, Position], asking: Iterable[Asking[K]], pots: Mapping[Any, ClassPot], year: int
) -> list[Fen | None]:
    """For each claim, the oldest first: how much of it its class's pot gives; None where the money does not last.

    What the pot does not give takes free money, and whoever stands behind one for whom that did not last waits too:
    nobody is overtaken for asking less. Whom the pot pays wholly stands in nobody's way, and nobody in theirs.
    """
    left, there, given = dict(positions), dict(pots), list[Fen | None]()
    for each in asking:
        pot = there.get(each.of_class) if each.of_class is not None else None
        gives = pot.gives(each.amount_fen, year) if pot else 0
        needs = each.amount_fen - gives
        if needs and (each.place not in left or left[each.place].free_fen < needs):
            left.pop(each.place, None)
            given.append(None)
            continue
        if needs:
            left[each.place] = left[each.place].after(Movement.RESERVE, needs)
        if pot:
            there[each.of_class] = replace(pot, left_fen=pot.left_fen - gives)
        given.append(gives)
    return given


def fund_of(policy: Mapping[str, Any], group_code: str) -> str:
    """The code of the fund that pays for a group of persons, by the value of the policy `fund_of_group`."""
    fund: str = policy["groups"].get(group_code, policy["default"])
    return fund


def days_left(free_fen: Fen, drawn_fen: Fen, over_days: int) -> int | None:
    """For how many whole days the money lasts at the pace of `drawn_fen` in `over_days`; None: nothing was drawn."""
    return free_fen * over_days // drawn_fen if drawn_fen > 0 else None


def check_two_persons(noun: str, proposed_by: UUID, answered_by: UUID) -> None:
    """Forbidden `<noun>.same_person`: whoever proposes an appropriation or a transfer neither confirms nor declines
    it."""
    if proposed_by == answered_by:
        raise Forbidden(f"{noun}.same_person")


@dataclass(frozen=True)
class PositionKey:
    """Whose position, of which fund (its code) and year."""

    district: str
    fund: str
    year: int


def check_transfer(source: PositionKey, target: PositionKey, this_year: int) -> None:
    """Invalid `fund_transfer.same`, `fund_transfer.backwards`, or `fund.year`: money goes to another position, never
    back into an earlier year, and into this year or the next."""
    if source == target:
        raise Invalid("fund_transfer.same", "target")
    if target.year < source.year:
        raise Invalid("fund_transfer.backwards", "target.year", year=source.year)
    if target.year not in (this_year, this_year + 1):
        raise Invalid("fund.year", "target.year", first=this_year, last=this_year + 1)


def check_transfer_scope(source: PositionKey, target: PositionKey, district: str | None) -> None:
    """Forbidden `fund_transfer.city_only` for whoever works for a district and would propose, or answer, more than
    its own carry-over (结转): the same fund, from one year to a later one."""
    own = source.district == target.district == district and source.fund == target.fund
    if district is not None and not own:
        raise Forbidden("fund_transfer.city_only")
