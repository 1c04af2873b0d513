"""What one rule says, and the decision that all of them make."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from domain.remark import Remark


class Result(StrEnum):
    """What a rule says, from the lightest to the gravest. WARNED is a remark to the claimant, and stops nothing."""

    PASSED = "passed"
    WARNED = "warned"
    NEEDS_HUMAN = "needs_human"
    FAILED = "failed"


class Verdict(StrEnum):
    """NEEDS_HUMAN: no rule refuses it, and it is filed; but an officer looks at it before it goes on."""

    ELIGIBLE = "eligible"
    NEEDS_HUMAN = "needs_human"
    REFUSED = "refused"


class Outcome(NamedTuple):
    """What one rule said: `code` has wording, which `facts` fill; `basis` is where the rule comes from.

    `at_door`: where it failed there is nothing that could be stored, not even for somebody who insists.
    """

    rule: str
    version: int
    outcome: Result
    code: str
    facts: Mapping[str, Any]
    basis: str
    at_door: bool = False


@dataclass(frozen=True)
class Decision:
    """`eligible`: no rule refuses it, though a person may have to look (`verdict`). `amount_fen` is what will be paid
    then, else None."""

    outcomes: tuple[Outcome, ...]
    amount_fen: int | None
    rules_version: int

    @property
    def eligible(self) -> bool:
        return not self.failed

    @cached_property
    def failed(self) -> list[str]:
        return self._codes(Result.FAILED)

    @property
    def verdict(self) -> Verdict:
        if self.failed:
            return Verdict.REFUSED
        return Verdict.NEEDS_HUMAN if self._codes(Result.NEEDS_HUMAN) else Verdict.ELIGIBLE

    @property
    def reasons(self) -> list[str]:
        """Why it is refused, or why a person must look."""
        return self.failed or self._codes(Result.NEEDS_HUMAN)

    def _codes(self, result: Result) -> list[str]:
        return [each.code for each in self.outcomes if each.outcome is result]

    @property
    def may_insist(self) -> bool:
        """Whether the claim could be stored and refused in due form: it is refused, and nowhere at the door."""
        return not self.eligible and not any(each.at_door for each in self.outcomes if each.outcome is Result.FAILED)


class Said(NamedTuple):
    """A rule's answer, before its name, version and basis are put to it."""

    outcome: Result
    code: str
    facts: Mapping[str, Any]


def passed(code: str, **facts: Any) -> Said:
    return Said(Result.PASSED, code, facts)


def warned(code: str, **facts: Any) -> Said:
    return Said(Result.WARNED, code, facts)


def needs_human(code: str, **facts: Any) -> Said:
    return Said(Result.NEEDS_HUMAN, code, facts)


def failed(code: str, **facts: Any) -> Said:
    return Said(Result.FAILED, code, facts)


def remarked(remark: Remark, doubts: Collection[str] = ()) -> Said:
    """A remark as a rule's answer; its days written out, as facts are stored. `doubts`: codes for a person."""
    facts = {name: value.isoformat() if isinstance(value, date) else value for name, value in remark.facts.items()}
    lighter = Result.NEEDS_HUMAN if remark.code in doubts else Result.WARNED
    return Said(Result.FAILED if remark.refuses else lighter, remark.code, facts)


def gravest(said: Iterable[Said], otherwise: Said) -> Said:
    """The first of the gravest; `otherwise` of none."""
    return max(said, key=lambda each: _GRAVITY[each.outcome], default=otherwise)


_GRAVITY = {result: gravity for gravity, result in enumerate(Result)}
