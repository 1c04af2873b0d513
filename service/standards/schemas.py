"""Standards as JSON."""

from msgspec import Struct

from domain.level import LEVELS
from domain.money import format_yuan


class StandardView(Struct):
    """`amount_fen` in fen; `amount` for people; `sample`: not the city's real amount."""

    occupation: str
    level: str
    level_name: str
    amount_fen: int
    amount: str
    sample: bool

    @classmethod
    def of(cls, occupation: str, level: str, amount_fen: int, sample: bool) -> "StandardView":
        return cls(occupation, level, LEVELS[level].name, amount_fen, format_yuan(amount_fen), sample)


class StandardsView(Struct):
    standards: list[StandardView]
