"""Will it last: how long the free money of a position does, at its pace, and whether it pays for what was filed."""

from dataclasses import dataclass
from datetime import date, timedelta

from domain.fund import days_left
from domain.money import Fen


@dataclass(frozen=True)
class Asked:
    """What a position is asked for: `drawn_fen` for claims in the last `over_days`, less what came back; `owed_fen`
    by claims that are filed, verified or in review and hold nothing yet, `covered_fen` of it out of what was set
    aside for their classes."""

    drawn_fen: Fen
    over_days: int
    owed_fen: Fen = 0
    covered_fen: Fen = 0


@dataclass(frozen=True)
class Forecast:
    """`days_left` None: nothing was drawn. `runs_out_on`: the first day for which the money does not last; None where
    it lasts until the year is over. `shortfall_fen`: what is owed beyond what is free; 0 where it suffices."""

    days_left: int | None
    runs_out_on: date | None
    shortfall_fen: Fen


def forecast(free_fen: Fen, asked: Asked, today: date, year: int) -> Forecast:
    """What becomes of `free_fen` of a position of `year`: approvals draw on it until that year's last day."""
    days, last = days_left(free_fen, asked.drawn_fen, asked.over_days), date(year, 12, 31)
    runs_out_on = None
    if days is not None and days <= (last - today).days:
        runs_out_on = today + timedelta(days=days)
    return Forecast(days, runs_out_on, max(0, asked.owed_fen - asked.covered_fen - free_fen))
