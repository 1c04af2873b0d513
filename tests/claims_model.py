"""What a claim is to those who claim, in a few lines that share nothing with the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

#: Three a calendar year (`data/policies.toml`).
LIMIT = 3
DEAD = {"refused", "withdrawn", "lapsed", "recovered"}


@dataclass
class Known:
    """A claim as the model has it."""

    id: UUID
    person: int
    by: int  # 0: the trainee; 1 and 2: an institution
    level: str
    certificate: str
    status: str = "filed"
    appealed: bool = False
    appeal_id: UUID | None = None
    objection_id: UUID | None = None
    upheld: bool = False

    @property
    def alive(self) -> bool:
        return self.status not in DEAD


def kept_out_by(
    claims: Sequence[Known], person: int, level: str, certificate: str, but: Known | None = None
) -> set[str]:
    """The codes of everything for which a person gets no claim of that level with that certificate now."""
    standing = [each for each in claims if each.person == person and each.alive and each is not but]
    used = any(each.certificate == certificate and each.alive and each is not but for each in claims)
    return {
        code
        for code, so in (
            ("claim.already_filed", any(each.level == level for each in standing)),
            ("level.higher_before", any(each.level < level for each in standing)),
            ("limit.reached", len(standing) >= LIMIT),
            ("certificate.used", used),
        )
        if so
    }
