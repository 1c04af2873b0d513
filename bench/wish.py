"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """`size` 1 is the whole: batches of 100,000 out of 500,000 claims, a share over 5 million, pages over a
    million. `seconds` a turn."""

    size: float = 0.1
    seed: int = 1
    seconds: int = 5
    clients: tuple[int, ...] = (8, 32)
    turns: int = 3

    def of(self, whole: int) -> int:
        """That many, times the size; at least ten."""
        return max(10, round(whole * self.size))
