"""开班: the life of a class, its timetable, and the rules it is filed by. Facts in, a decision out.

One implementation for filing, filing again, changing and approving. Facts hold no personal data but the masked names
of those who are elsewhere at the time, and a decision with such a fact is a refusal, which is not stored.
"""

from domain.training.attendance import (
    AttendanceRules,
    Held,
    MarkSource,
    Rate,
    Stay,
    instant_of,
    must_be_held,
    must_have_happened,
    session_of,
)
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
from domain.training.patrol import (
    OFFICERS_OF,
    WEIGHT_LEAST,
    WEIGHT_MOST,
    PatrolKind,
    PatrolResult,
    draw,
    must_be_ahead,
    must_be_enough,
    must_have_begun,
)
from domain.training.rules import RULES, RULES_VERSION, decide
from domain.training.timetable import Session, clock_time, key_of, minutes_of, overlapping, seconds_of

__all__ = [
    "CLASS_LIFECYCLE",
    "DEAD",
    "HELD",
    "OFFICERS_LEAST",
    "OFFICERS_OF",
    "RULES",
    "RULES_VERSION",
    "WEIGHT_LEAST",
    "WEIGHT_MOST",
    "AttendanceRules",
    "Busy",
    "ClassAction",
    "ClassStatus",
    "Facts",
    "Held",
    "InspectionFacts",
    "InspectionResult",
    "MarkSource",
    "Parameters",
    "PatrolKind",
    "PatrolResult",
    "Rate",
    "RepeatedLine",
    "Session",
    "StandardFacts",
    "StandingFacts",
    "Stay",
    "TraineeFacts",
    "Whose",
    "class_number",
    "clock_time",
    "decide",
    "draw",
    "instant_of",
    "key_of",
    "minutes_of",
    "must_be_ahead",
    "must_be_enough",
    "must_be_held",
    "must_have_begun",
    "must_have_happened",
    "overlapping",
    "read_class_number",
    "seconds_of",
    "session_of",
]
