"""How many persons check a batch: by what it comes to with those beside it, so that splitting spares nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from domain.batch import BatchStatus
from domain.errors import Invalid

_B = BatchStatus
#: It pays nobody (any more), or not yet anybody.
NO_MONEY = frozenset({_B.OPENED, _B.DISSOLVED, _B.NOT_RECEIVED})
#: Its money is still to be released: before midnight or after, it is part of what goes out now.
UNRELEASED = frozenset({_B.FROZEN, _B.SUBMITTED, _B.CHECKED})


class CheckSteps:
    """`{two_from_fen, three_from_fen}`: the sums, in fen, from which two and three persons check a batch."""

    FEN_MOST = 10**13

    def check(self, value: object) -> None:
        """Invalid `policy.not_check_steps`, field `value`, unless the second is above the first."""
        if not isinstance(value, dict) or value.keys() != {"two_from_fen", "three_from_fen"}:
            raise Invalid("policy.not_check_steps", field="value")
        two, three = value["two_from_fen"], value["three_from_fen"]
        whole = all(isinstance(fen, int) and not isinstance(fen, bool) for fen in (two, three))
        if not whole or not 0 < two < three <= self.FEN_MOST:
            raise Invalid("policy.not_check_steps", field="value")


@dataclass(frozen=True)
class Beside:
    """Another batch of the same district and fund. `sum_fen` in fen; `signed_on`: the day on which its maker signed
    it, in Shanghai (None: not yet); `same_opening`: one opening was split over both."""

    number: str
    status: BatchStatus
    sum_fen: int
    signed_on: date | None
    same_opening: bool

    def counts(self, on: date) -> bool:
        """Whether it belongs to what is paid out on this day, so that order and midnight make no difference to it."""
        if self.status in NO_MONEY:
            return False
        return self.same_opening or self.status in UNRELEASED or self.signed_on == on


@dataclass(frozen=True)
class Checks:
    """By how many persons a batch is checked, and why: what it and those `beside` it (by number) come to, in fen, and
    the sum that this reaches (None: none of those from which it takes more than one)."""

    needed: int
    together_fen: int
    beside: tuple[str, ...]
    from_fen: int | None


def checks_of(policy: Mapping[str, int] | None, sum_fen: int, others: Iterable[Beside], on: date) -> Checks:
    """Of a batch over this sum that its maker signs on this day, by the value of the policy `batch_check_steps`
    (None: one person checks whatever there is)."""
    counted = [each for each in others if each.counts(on)]
    fen = sum_fen + sum(each.sum_fen for each in counted)
    steps = (policy["two_from_fen"], policy["three_from_fen"]) if policy else ()
    reached = [step for step in steps if fen >= step]
    numbers = tuple(sorted(each.number for each in counted))
    return Checks(1 + len(reached), fen, numbers, max(reached, default=None))
