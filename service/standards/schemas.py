"""Standards as JSON."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from domain.level import LEVELS
from domain.money import format_yuan


class FormulaView(Struct):
    """How the amount was formed (notice 三.6): a base, and `on_top_percent` for the best list (null: none)."""

    base_fen: int
    list_kind: str | None
    on_top_percent: int

    @classmethod
    def of(cls, derivation: Mapping[str, Any]) -> "FormulaView | None":
        """What `domain.standard.form_amount` noted; None for an amount that was set without it."""
        if "base_fen" not in derivation:
            return None
        return cls(derivation["base_fen"], derivation["list"], derivation["on_top_percent"])


class StandardView(Struct):
    """`amount_fen` in fen; `amount` for people; `sample`: not the city's real amount."""

    occupation: str
    level: str
    level_name: str
    amount_fen: int
    amount: str
    sample: bool
    source: str
    formula: FormulaView | None

    @classmethod
    def of(
        cls,
        occupation: str,
        level: str,
        amount_fen: int,
        sample: bool,
        source: str,
        formula: FormulaView | None,
    ) -> "StandardView":
        amount = format_yuan(amount_fen)
        return cls(occupation, level, LEVELS[level].name, amount_fen, amount, sample, source, formula)


class StandardsView(Struct):
    standards: list[StandardView]
