"""日终: what a day of an account comes to, and when it may be closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.money import Fen
from domain.statement import Owner, Side

_A_DAY = timedelta(days=1)


class NotYet(StrEnum):
    """Why a day cannot be closed."""

    DAY_NOT_OVER = "day_not_over"
    NO_STATEMENT = "no_statement"
    LINES_OPEN = "lines_open"


@dataclass(frozen=True)
class Figures:
    """What the bank booked in a day, in fen. `other_…`: what persons worked off."""

    opening_fen: Fen
    treasury_fen: Fen = 0
    paid_fen: Fen = 0
    returned_fen: Fen = 0
    repaid_fen: Fen = 0
    charges_fen: Fen = 0
    other_credits_fen: Fen = 0
    other_debits_fen: Fen = 0

    @property
    def closing_fen(self) -> Fen:
        came = self.treasury_fen + self.returned_fen + self.repaid_fen + self.other_credits_fen
        return self.opening_fen + came - self.paid_fen - self.charges_fen - self.other_debits_fen


_FIGURE = {
    Owner.TREASURY: "treasury_fen",
    Owner.BATCH: "paid_fen",
    Owner.PAYMENT: "paid_fen",
    Owner.RETURN: "returned_fen",
    Owner.REPAYMENT: "repaid_fen",
    Owner.CHARGE: "charges_fen",
}


def figures_of(opening_fen: Fen, sums: Iterable[tuple[Owner | None, Side, Fen]]) -> Figures:
    """The day's figures from what its lines come to, by owner (None: worked off by a person) and side."""
    found: dict[str, Fen] = {}
    for owner, side, fen in sums:
        other = "other_credits_fen" if side is Side.CREDIT else "other_debits_fen"
        name = _FIGURE[owner] if owner is not None else other
        found[name] = found.get(name, 0) + fen
    return Figures(opening_fen, **found)


def next_day(first_on: date, last_closed: date | None) -> date:
    """The day that is closed next: days are closed one after the other from the first that a statement covers."""
    return first_on if last_closed is None else last_closed + _A_DAY


def obstacle(day: date, today: date, covered_until: date, lines_open: int) -> NotYet | None:
    """Why the account's next day cannot be closed; None where it can."""
    if day >= today:
        return NotYet.DAY_NOT_OVER
    if day > covered_until:
        return NotYet.NO_STATEMENT
    return NotYet.LINES_OPEN if lines_open else None
