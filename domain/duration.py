"""How long things took, told by the middle and by the slow tenth instead of by an average that a few distort."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

#: The share that is not slower than what is called the slow tenth.
_NINE_TENTHS = Fraction(9, 10)
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Spread:
    """Of `count` things: the working days within which a half, and nine tenths, were done; how many took longer than
    they may (`late`; None: no limit was set)."""

    count: int
    half: int
    nine_tenths: int
    late: int | None

    @property
    def late_share(self) -> Fraction | None:
        return None if self.late is None else Fraction(self.late, self.count)


def spread_of(counts: Mapping[int, int], limit: int | None = None) -> Spread | None:
    """From days → how many took so long. None where nothing was done."""
    total = sum(counts.values())
    if not total:
        return None
    late = None if limit is None else sum(count for days, count in counts.items() if days > limit)
    return Spread(total, _within(counts, total, _HALF), _within(counts, total, _NINE_TENTHS), late)


def _within(counts: Mapping[int, int], total: int, part: Fraction) -> int:
    """The fewest days within which at least that part was done."""
    done = 0
    for days in sorted(counts):
        done += counts[days]
        if done >= part * total:
            break
    return days
