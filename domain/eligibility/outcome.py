"""What one rule says, and the decision that all of them make."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from domain.remark import Remark


class Result(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


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
    """`amount_fen` is what will be paid when eligible, else None."""

    outcomes: tuple[Outcome, ...]
    amount_fen: int | None
    rules_version: int

    @property
    def eligible(self) -> bool:
        return not self.failed

    @cached_property
    def failed(self) -> list[str]:
        return [each.code for each in self.outcomes if each.outcome is Result.FAILED]

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


def failed(code: str, **facts: Any) -> Said:
    return Said(Result.FAILED, code, facts)


def remarked(remark: Remark) -> Said:
    """A remark as a rule's answer; its days written out, as facts are stored."""
    facts = {name: value.isoformat() if isinstance(value, date) else value for name, value in remark.facts.items()}
    return Said(Result.FAILED if remark.refuses else Result.WARNED, remark.code, facts)
