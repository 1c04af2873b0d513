"""The monthly statement of a fund: where its money stood when the month began, what moved, where it stands then."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.errors import Invalid
from domain.fund import WAYS, Movement, Pot
from domain.money import Fen
from domain.period import add_months

_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")

#: In which money of a fund can stand, in the order of its way.
POTS = (Pot.FREE, Pot.SET_ASIDE, Pot.RESERVED, Pot.IN_FLIGHT, Pot.PAID)

_TRANSFERS = frozenset({Movement.TRANSFER_OUT, Movement.TRANSFER_IN})


def parse_month(text: str, field: str = "month") -> date:
    """The first day of a month written 2026-03; Invalid `month.format`."""
    match = _MONTH.fullmatch(text)
    if match is None:
        raise Invalid("month.format", field)
    return date(int(match[1]), int(match[2]), 1)


def month_after(first: date) -> date:
    return add_months(first, 1)


@dataclass(frozen=True)
class Moved:
    """What one kind of movement came to: in fen, and in lines of the ledger."""

    amount_fen: Fen = 0
    lines: int = 0


@dataclass(frozen=True)
class Statement:
    """A position's month. `before` and `during` are what moved by kind until the month began, and in it."""

    before: Mapping[Movement, Moved]
    during: Mapping[Movement, Moved]

    @property
    def opening(self) -> dict[Pot, Fen]:
        """Fen by pot when the month began."""
        return _stands(self.before)

    @property
    def closing(self) -> dict[Pot, Fen]:
        """Fen by pot at the month's end: the opening and what the lines of the month did to it, nothing else."""
        moved = _stands(self.during)
        return {pot: fen + moved[pot] for pot, fen in self.opening.items()}

    @property
    def appropriated_fen(self) -> Fen:
        """What came from the treasury in the month, less what went back."""
        return -_net(self.during, Pot.TREASURY) - self.transferred_fen

    @property
    def transferred_fen(self) -> Fen:
        """What came from other positions in the month, less what went to them."""
        return -_net({each: moved for each, moved in self.during.items() if each in _TRANSFERS}, Pot.TREASURY)

    @property
    def paid_fen(self) -> Fen:
        """What people were paid in the month, less what the bank returned and what was paid back."""
        return _net(self.during, Pot.PAID)


def balance(stands: Mapping[Pot, Fen]) -> Fen:
    """What is there and not paid."""
    return sum(fen for pot, fen in stands.items() if pot is not Pot.PAID)


def _stands(moved: Mapping[Movement, Moved]) -> dict[Pot, Fen]:
    return {pot: _net(moved, pot) for pot in POTS}


def _net(moved: Mapping[Movement, Moved], pot: Pot) -> Fen:
    """What entered a pot, less what left it."""
    entered = sum(each.amount_fen for movement, each in moved.items() if WAYS[movement][1] is pot)
    return entered - sum(each.amount_fen for movement, each in moved.items() if WAYS[movement][0] is pot)
