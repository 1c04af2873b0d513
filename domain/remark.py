"""What a rule noticed about an input that it did not refuse on sight."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remark:
    """`code` is stable and has wording; `facts` fill it and hold no personal data.

    A remark that `refuses` is a failed cross-check; any other is shown on the decision, and stops nothing unless
    a rule has a person look.
    """

    code: str
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)
    refuses: bool = False
