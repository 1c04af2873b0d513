"""What an officer hands in when a certificate was checked by hand, and how such checks are shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.manual_check import Finding, How
from service.claims.schemas import Note, Reason

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class CheckEvidenceView(Struct):
    """The hash by which a check names what it rests on."""

    sha256: str


class NewManualCheck(Struct, forbid_unknown_fields=True):
    """`evidence_sha256`: of a file that was handed in for this claim. `note`: whom one asked, and what they said."""

    finding: Finding
    how: How
    note: Reason
    evidence_sha256: Sha256


class NewSecondCheck(Struct, forbid_unknown_fields=True):
    """What another person found by themself."""

    finding: Finding
    note: Note = ""


class ManualCheckView(Struct, kw_only=True):
    """A check by hand. `open` while a second person is waited for; `genuine` is null until it settles something."""

    id: UUID
    claim_id: UUID
    finding: Finding
    how: How
    how_name: str
    note: str
    evidence_sha256: str
    checked_at: datetime
    open: bool
    second_finding: Finding | None
    second_at: datetime | None
    genuine: bool | None
    message: str


class ManualCheckList(Struct):
    """The latest first."""

    checks: list[ManualCheckView]
