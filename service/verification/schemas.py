"""How it stands with asking the registry, and the files that its owner sent, as JSON."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct


class WaitingView(Struct):
    """Checks that were put off for one reason."""

    reason: str
    message: str
    checks: int


class QueueView(Struct):
    """The checks that are owed. `due` could be made now; `postponed` wait, by reason; `dead` wait for an operator.

    The registry: `standing` is `closed` (it is asked), `open` (it is left alone until `open_until`) or `trial` (the
    next call finds out whether it is back). Times are those of the database.
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
