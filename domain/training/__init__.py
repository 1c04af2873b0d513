"""开班: the life of a class, its timetable, and the rules it is filed by. Facts in, a decision out.

One implementation for filing, filing again, changing and approving. Facts hold no personal data but the masked names
of those who are elsewhere at the time, and a decision with such a fact is a refusal, which is not stored.
"""

from domain.training.facts import (
    Busy,
    Facts,
    InspectionFacts,
    Parameters,
    RepeatedLine,
    StandardFacts,
    StandingFacts,
    TraineeFacts,
    Whose,
)
from domain.training.inspection import OFFICERS_LEAST, InspectionResult
from domain.training.lifecycle import CLASS_LIFECYCLE, DEAD, HELD, ClassAction, ClassStatus
from domain.training.number import class_number, read_class_number
from domain.training.rules import RULES, RULES_VERSION, decide
from domain.training.timetable import Session, clock_time, key_of, minutes_of, overlapping

__all__ = [
    "CLASS_LIFECYCLE",
    "DEAD",
    "HELD",
    "OFFICERS_LEAST",
    "RULES",
    "RULES_VERSION",
    "Busy",
    "ClassAction",
    "ClassStatus",
    "Facts",
    "InspectionFacts",
    "InspectionResult",
    "Parameters",
    "RepeatedLine",
    "Session",
    "StandardFacts",
    "StandingFacts",
    "TraineeFacts",
    "Whose",
    "class_number",
    "clock_time",
    "decide",
    "key_of",
    "minutes_of",
    "overlapping",
    "read_class_number",
]
