"""首次开班前的实地检查 (notice 二.4): at least two officers go there, and say together what they found."""

from enum import StrEnum

#: Who inspects is never alone.
OFFICERS_LEAST = 2


class InspectionResult(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
