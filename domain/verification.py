"""What a certificate registry answered, compared with what the claim says."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from domain.identity import same_name
from domain.level import level_told


class Outcome(StrEnum):
    """How a check ended. `unavailable` is a question still open: it is never `not_found`."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    MISMATCH = "mismatch"
    REVOKED = "revoked"
    UNAVAILABLE = "unavailable"
    MANUAL = "manual"


#: Stands among `CheckResult.fields` when the registry gave several answers that exclude each other.
ANSWERS_DIFFER = "answers_differ"

#: What is compared, in the order in which differences are named.
COMPARED = ("holder_name", "id_number", "occupation_code", "level", "issued_on")

#: Without these two nothing says whose certificate it is.
_IDENTIFYING = frozenset({"holder_name", "id_number"})

#: A masked number that shows fewer characters than this says nothing.
_TAIL_MIN = 4

# Registries write the dot of 阿依古丽·买买提 in many ways, as a blank or not at all, and carry zero-width characters.
_LEFT_OUT_OF_NAMES = re.compile("[·•・･‧∙⋅ꞏ᛫⸱●.．\u200b-\u200f\u2060\ufeff]")
_MASK = re.compile(r"[*＊×]")


#: A registry that does not answer is left alone for this long, each time twice as long as before.
_REST_SECONDS, _REST_SECONDS_MAX = 10, 600


def rest_seconds(rests: int) -> int:
    """For how long it is left alone the first time (1), the second, and so on, until it answers again."""
    return int(min(_REST_SECONDS * 2 ** min(rests - 1, 10), _REST_SECONDS_MAX))


@dataclass(frozen=True)
class RegistryEntry:
    """One certificate as the registry tells it; None where it is silent.

    `id_number` may be whole, masked with asterisks (`370102********002X`) or a tail (`002X`).
    `level` is a code of `domain.level`, or text that `level_told` understands. A revoked certificate may
    lack its day.
    """

    number: str
    holder_name: str | None = field(default=None, repr=False)
    id_number: str | None = field(default=None, repr=False)
    occupation_code: str | None = None
    level: str | None = None
    issued_on: date | None = None
    revoked: bool = False
    revoked_on: date | None = None


@dataclass(frozen=True)
class Question:
    """What a claim says about its certificate. `level` is a code of `domain.level`."""

    number: str
    holder_name: str = field(repr=False)
    id_number: str = field(repr=False)
    occupation_code: str
    level: str
    issued_on: date


@dataclass(frozen=True)
class CheckResult:
    """`fields`: what differs (names of `COMPARED`, or `answers_differ`). `silent`: what the registry left out."""

    outcome: Outcome
    fields: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


def compare(question: Question, entries: Sequence[RegistryEntry]) -> CheckResult:
    """Settle what the registry's entries for this number say about the claim.

    No entry is `not_found`: the caller passes one only when the registry *said* that it has none. Several
    entries may complete each other; where two contradict each other no difference is guessed at. What the
    registry leaves out is not a mismatch, but without both name and id number an officer must look
    (`manual`). A revocation in any of the agreeing answers counts.
    """
    if not entries:
        return CheckResult(Outcome.NOT_FOUND)
    told = {name: _distinct(name, entries) for name in COMPARED}
    silent = tuple(name for name in COMPARED if not told[name])
    if any(_contradict(name, values) for name, values in told.items()):
        return CheckResult(Outcome.MISMATCH, (ANSWERS_DIFFER,), silent)
    if any(entry.revoked or entry.revoked_on for entry in entries):
        return CheckResult(Outcome.REVOKED, (), silent)
    differing = tuple(name for name in COMPARED if not _fits(name, getattr(question, name), told[name]))
    if differing:
        return CheckResult(Outcome.MISMATCH, differing, silent)
    if _IDENTIFYING.intersection(silent):
        return CheckResult(Outcome.MANUAL, (), silent)
    return CheckResult(Outcome.FOUND, (), silent)


def _canonical(name: str, value: str | date | None) -> str:
    """The text that is compared; empty when nothing was told."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if name == "holder_name":
        return _LEFT_OUT_OF_NAMES.sub("", value).strip()
    plain = "".join(unicodedata.normalize("NFKC", value).split()).upper()
    if name == "level":
        return level_told(plain.lower())
    if name == "id_number":
        plain = _MASK.sub("*", plain)
        return plain if len(plain.replace("*", "")) >= _TAIL_MIN else ""
    return plain


def _distinct(name: str, entries: Sequence[RegistryEntry]) -> tuple[str, ...]:
    told = [_canonical(name, getattr(entry, name)) for entry in entries]
    return tuple(dict.fromkeys(filter(None, told)))


def _contradict(name: str, values: Sequence[str]) -> bool:
    return len(values) > 1 and any(
        not _agree(name, one, other) for at, one in enumerate(values) for other in values[at + 1 :]
    )


def _fits(name: str, asked: str | date, told: Sequence[str]) -> bool:
    plain = _canonical(name, asked)
    return all(plain == value or _agree(name, plain, value) for value in told)


def _agree(name: str, one: str, other: str) -> bool:
    if name == "holder_name":
        return same_name(one, other)
    if name != "id_number":
        return one == other
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) == len(longer):
        return _unmasked_equal(shorter, longer)
    # A tail, or a mask that does not keep the length: only the ends can be laid side by side.
    head = shorter.partition("*")[0] if "*" in shorter else ""
    tail = shorter.rpartition("*")[2]
    return _unmasked_equal(head, longer[: len(head)]) and _unmasked_equal(tail, longer[len(longer) - len(tail) :])


def _unmasked_equal(one: str, other: str) -> bool:
    return one == other or all(a == b or "*" in (a, b) for a, b in zip(one, other, strict=True))
