"""How an amount is formed: a base by level, and a percentage on top for the best list (notice 三.6, 阶梯式)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from domain.money import Fen, round_to_yuan_half_up


@dataclass(frozen=True)
class Formed:
    """An amount in fen, and the steps that made it, from which it can be made again."""

    amount_fen: Fen
    derivation: Mapping[str, Any]


def form_amount(base_fen: Fen, on_top_percent: Mapping[str, int], lists: Iterable[str]) -> Formed:
    """Base times the single best list percentage, rounded to whole yuan, half up.

    Equal facts give equal amounts whatever list a claim comes through: every list the occupation stands in is
    looked at, and only the best counts (no stacking).
    """
    best = max(lists, key=lambda each: (on_top_percent.get(each, 0), each), default="")
    percent = on_top_percent.get(best, 0)
    amount_fen = round_to_yuan_half_up(Fraction(base_fen * (100 + percent), 100))
    steps = {"base_fen": base_fen, "list": best if percent else None, "on_top_percent": percent}
    return Formed(amount_fen, {**steps, "rounding": "yuan_half_up", "amount_fen": amount_fen})


def capped_by_fee(amount_fen: Fen, fee_fen: Fen) -> Fen:
    """The amount, or what was paid where that is less, in whole yuan as every amount is.

    A fee of 999.60 yuan gives 999: half up would give more than was paid.
    """
    return min(amount_fen, fee_fen // 100 * 100)
