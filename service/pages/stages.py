"""Where a claim is, in words for its claimant: what is so, what comes next, and the line that it goes along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.batch import AttemptStatus
from domain.claim import ClaimStatus
from service.claims.queries.moves import Step
from service.claims.schemas import ClaimView
from service.wording import words

_S, _A = ClaimStatus, AttemptStatus

_TONES = {
    **dict.fromkeys(("filed", "verified", "in_review", "noticed", "payable", "batched", "sent"), "blue"),
    **dict.fromkeys(("approved", "paid"), "green"),
    **dict.fromkeys(("sent_back", "unknown", "objected"), "amber"),
    **dict.fromkeys(("bounced", "refused"), "red"),
}
_GLYPHS = {"green": "check", "amber": "alert", "red": "alert", "blue": "clock"}

#: The stops of the line, and with which statuses each is reached.
_STOPS: Sequence[tuple[str, frozenset[ClaimStatus]]] = (
    ("filed", frozenset({_S.FILED})),
    ("verified", frozenset({_S.VERIFIED})),
    ("approved", frozenset({_S.APPROVED})),
    ("noticed", frozenset({_S.NOTICED})),
    ("payable", frozenset({_S.PAYABLE, _S.BATCHED})),
    ("paid", frozenset({_S.PAID})),
)
#: Which stop waits while the claim has this status.
_WAITS_AT = {
    **dict.fromkeys((_S.FILED, _S.SENT_BACK), "verified"),
    **dict.fromkeys((_S.VERIFIED, _S.IN_REVIEW), "approved"),
    _S.APPROVED: "noticed",
    _S.NOTICED: "payable",
    **dict.fromkeys((_S.PAYABLE, _S.BATCHED, _S.BOUNCED), "paid"),
}
_STUCK = frozenset({_S.SENT_BACK, _S.BOUNCED})
_WITHDRAWABLE = frozenset(_WAITS_AT)
#: A supplement was decided when it was owed: nobody reviews or shows it, and nobody withdraws it.
_NOT_OF_SUPPLEMENTS = frozenset({"verified", "approved", "noticed"})
#: Of a name of its own, beside its status.
_NAMED = frozenset({"sent", "unknown", "objected"})
#: Where it is told of otherwise.
_OTHERWISE = frozenset({"filed", "payable", "withdrawn"})


@dataclass(frozen=True)
class Stop:
    """`state`: done, now, stuck, or empty for what is to come; `on` None there."""

    name: str
    state: str
    at: datetime | None


@dataclass(frozen=True)
class Stage:
    """A claim as its claimant reads it."""

    key: str
    name: str
    tone: str
    now: str
    next: str

    @property
    def glyph(self) -> str:
        return _GLYPHS.get(self.tone, "clock")


def stage_of(
    claim: ClaimView,
    attempt: AttemptStatus | None = None,
    due_on: date | None = None,
    *,
    objected: date | None = None,
) -> Stage:
    """`attempt`: that is on its way to pay it; `due_on`: the latest day of the next step; `objected`: by which day an
    objection to its line of a notice is answered."""
    key = _key(ClaimStatus(claim.status), attempt)
    if objected and claim.status == _S.NOTICED:
        key, due_on = "objected", objected
    facts: dict[str, Any] = {"amount_fen": claim.amount_fen, "tail": claim.account_tail}
    facts |= {"due_on": due_on} if due_on else {}
    said = f"{key}_supplement" if claim.supplement_of and key in _OTHERWISE else key
    return Stage(
        key=key,
        name=words(f"stage_name.{key}") if key in _NAMED else claim.status_name,
        tone=_TONES.get(key, ""),
        now=words(f"stage.{said}", facts),
        next=words(f"stage_next.{said}", facts),
    )


def tone_of(status: str) -> str:
    """The tone in which a claim's status is shown."""
    return _TONES.get(status, "")


def _key(status: ClaimStatus, attempt: AttemptStatus | None) -> str:
    if status is _S.BATCHED and attempt in {_A.SENDING, _A.SENT}:
        return "sent"
    return "unknown" if status is _S.BATCHED and attempt is _A.UNKNOWN else str(status)


def stops_of(status: ClaimStatus, steps: Sequence[Step], *, supplement: bool = False) -> list[Stop]:
    """The line with what is behind, where it stands, and what is to come; what was undone is to come again."""
    line = [each for each in _STOPS if not supplement or each[0] not in _NOT_OF_SUPPLEMENTS]
    waits = "payable" if supplement and status is _S.FILED else _WAITS_AT.get(status)
    names = [name for name, _ in line]
    behind = names.index(waits) if waits else len(names)
    stops = []
    for place, (name, reached_with) in enumerate(line):
        at = next((each.at for each in reversed(steps) if each.status in reached_with), None)
        if place < behind and at is not None:
            stops.append(Stop(words(f"stop.{name}"), "done", at))
        elif name == waits:
            stops.append(Stop(words(f"stop.{name}"), "stuck" if status in _STUCK else "now", None))
        elif waits:
            stops.append(Stop(words(f"stop.{name}"), "", None))
    return stops


def may_withdraw(status: ClaimStatus, attempt: AttemptStatus | None, *, supplement: bool = False) -> bool:
    """While nothing of it is on its way."""
    return not supplement and status in _WITHDRAWABLE and attempt in {None, _A.PREPARED}
