"""A roster (代领名册): one file in which an institution claims for many trainees, and what becomes of its lines."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.eligibility import Decision, Result
from domain.errors import Forbidden, Invalid
from domain.lifecycle import Lifecycle
from domain.text import half_width

#: A file with more lines is rejected as a whole.
LINES_MAX = 50_000


class RosterStatus(StrEnum):
    """REJECTED: the file as a whole could not be read; a roster with refused lines is FINISHED all the same."""

    RECEIVED = "received"
    FILING = "filing"
    FINISHED = "finished"
    REJECTED = "rejected"


class RosterAction(StrEnum):
    READ = "read"
    REJECT = "reject"
    FINISH = "finish"


_S, _A = RosterStatus, RosterAction

ROSTER_LIFECYCLE = Lifecycle(
    "roster",
    _S.RECEIVED,
    {
        (_S.RECEIVED, _A.READ): _S.FILING,
        (_S.RECEIVED, _A.REJECT): _S.REJECTED,
        (_S.FILING, _A.FINISH): _S.FINISHED,
    },
)


class LineOutcome(StrEnum):
    FILED = "filed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Reason:
    """Why a line was refused: in which field (empty: the line as a whole), with a code that has wording."""

    field: str
    code: str
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, fault: Invalid | Forbidden) -> "Reason":
        return cls(fault.field if isinstance(fault, Invalid) else "", fault.code, fault.facts)


#: In which field a person mends what a rule refused; a rule about several fields names the likeliest.
_FIELD_OF_RULE = {
    "in_catalog": "item_code",
    "level_fits": "level",
    "standard_in_force": "item_code",
    "training_before_certificate": "training_started_on",
    "in_time": "certificate_issued_on",
    "certificate_agrees": "certificate_number",
    "certificate_not_used": "certificate_number",
    "certificate_kind_agrees": "certificate_number",
    "only_once": "trainee.id_number",
    "no_higher_level_before": "level",
    "within_limits": "trainee.id_number",
    "of_working_age": "trainee.id_number",
    "group_holds": "group.valid_from",
    "linked_to_place": "place_link",
    "holder_is_payee": "account.holder",
    "mandate_holds": "mandate_id",
    "class_named": "class_number",
    "class_held": "class_number",
    "on_roster": "class_number",
    "class_teaches": "class_number",
    "class_started": "training_started_on",
}


def reasons_of(decision: Decision) -> list[Reason]:
    """Every rule that failed, in the order of the rules."""
    failed = (each for each in decision.outcomes if each.outcome is Result.FAILED)
    return [Reason(_FIELD_OF_RULE.get(each.rule, ""), each.code, each.facts) for each in failed]


_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


def repeated(typed: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Lines whose person stands in an earlier line already → that line. `typed` are line numbers with id numbers.

    Numbers that are none (`4.4E+17` may be anybody) are left to be refused for what they are.
    """
    first: dict[str, int] = {}
    found = {}
    for line, text in typed:
        number = half_width(text).strip().upper()
        if _ID_NUMBER.fullmatch(number) and first.setdefault(number, line) != line:
            found[line] = first[number]
    return found
