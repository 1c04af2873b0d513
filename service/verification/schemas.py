"""How it stands with asking the registry, about all or one, its owner's files, and checks by hand, as JSON."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.manual_check import Finding, How
from service.claims.schemas import Note, Reason

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class WaitingView(Struct):
    """Checks that were put off for one reason."""

    reason: str
    message: str
    checks: int


class QueueView(Struct):
    """The checks that are owed. `due` could be made now; `postponed` wait, by reason; `dead` wait for an operator.

    The registry: `standing` is `closed` (it is asked), `open` (it is left alone until `open_until`) or `trial` (one
    call, the next or one that is out, tells whether it is back). Times are those of the database.
    """

    owed: int
    due: int
    dead: int
    oldest_since: datetime | None
    postponed: list[WaitingView]
    standing: str
    standing_name: str
    open_until: datetime | None
    silences: int
    last_failure: str | None
    last_failed_at: datetime | None
    calls_last_minute: int
    calls_last_hour: int
    calls_a_minute_max: int


class AskingView(Struct, kw_only=True):
    """That a claim waits for the registry's answer `since` then, and what it waits for. `next_at`: by when it is
    asked about again, null while it is; `resting_until`: until then the registry is asked about nobody; `by_hand_at`:
    when somebody had it asked about; `may_ask`: I may have it asked about now."""

    since: datetime
    next_at: datetime | None
    reason: str
    message: str
    resting_until: datetime | None
    by_hand_at: datetime | None
    may_ask: bool


class NewRegistryFile(Struct, forbid_unknown_fields=True):
    """What is told of a file: the day it describes, and whose it is."""

    as_of: Annotated[str, Meta(max_length=10)]
    source: Annotated[str, Meta(max_length=500)]


class RegistryFileView(Struct):
    """`filed`: claims that wait for their check and stand in it. `revoked`: claims further on whose certificate it
    says was revoked; both null in a list of files that were confirmed. `mine`: whether I loaded it,
    and so cannot confirm it."""

    id: UUID
    as_of: date
    source: str
    sha256: str
    entries: int
    filed: int | None
    revoked: int | None
    loaded_at: datetime
    confirmed: bool
    mine: bool


class RegistryFilesView(Struct):
    """Newest first."""

    files: list[RegistryFileView]


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


class ComparedField(Struct):
    """One thing that is compared, masked where it names a person; `registered` in as many ways as it was answered."""

    field: str
    name: str
    claimed: str
    registered: list[str]
    differs: bool
    silent: bool


class ComparedView(Struct, kw_only=True):
    """A claim's certificate against the registry's last answer; `outcome` null: it has given none yet, which is not
    the same as having none. `settled`: it found the certificate."""

    number: str | None
    outcome: str | None
    message: str
    received_at: datetime | None
    fields: list[ComparedField]
    settled: bool
