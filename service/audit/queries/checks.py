"""A promise as statements that look for rows breaking it, and never lean on a constraint that should prevent them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from domain.batch import ATTEMPT_LIFECYCLE, BATCH_LIFECYCLE, LIVE_ATTEMPT, BatchStatus, Step, steps_of
from domain.claim import CLAIM_LIFECYCLE, DEAD
from domain.clawback import CLAWBACK_LIFECYCLE
from domain.fund import HELD_IN, WAYS
from domain.offer import OFFER_LIFECYCLE
from domain.penalty import PENALTY_LIFECYCLE
from domain.review import REVIEW_LIFECYCLE
from domain.roster import ROSTER_LIFECYCLE
from domain.selection import APPLICATION_LIFECYCLE, ROUND_LIFECYCLE
from domain.standard import SET_LIFECYCLE
from domain.training import CLASS_LIFECYCLE
from service.database import Tx

LIFECYCLES = (
    *(CLAIM_LIFECYCLE, ROSTER_LIFECYCLE, BATCH_LIFECYCLE, ATTEMPT_LIFECYCLE, SET_LIFECYCLE, REVIEW_LIFECYCLE),
    PENALTY_LIFECYCLE,
    *(ROUND_LIFECYCLE, APPLICATION_LIFECYCLE),
    *(CLASS_LIFECYCLE, OFFER_LIFECYCLE, CLAWBACK_LIFECYCLE),
)


@dataclass(frozen=True)
class Breach:
    """The first row that breaks a promise, and what is wrong with it."""

    table: str
    row: str
    says: str


@dataclass(frozen=True)
class Check:
    """`broken` selects one column, the key of each row of `table` that breaks the promise; `says` what is wrong."""

    table: str
    says: str
    broken: str


@dataclass(frozen=True)
class Promise:
    """`rows` is the table (or relation) whose rows are counted as looked at."""

    number: int | None
    name: str
    rows: str
    checks: tuple[Check, ...]


async def first_breach(tx: Tx, checks: tuple[Check, ...]) -> Breach | None:
    """The first broken row of the first check that finds one; the database sorts, one row comes back."""
    for check in checks:
        asked = f"SELECT key::text, count(*) OVER () FROM ({check.broken}) AS broken (key) ORDER BY key LIMIT 1"  # noqa: S608 (our own constants)
        found = (await tx.execute(text(asked), FACTS)).one_or_none()
        if found is not None:
            more = f"（共 {found[1]} 处）" if found[1] > 1 else ""
            return Breach(check.table, found[0], check.says + more)
    return None


async def count_rows(tx: Tx, rows: str) -> int:
    """How many rows a promise looks at."""
    return int((await tx.execute(text(f"SELECT count(*) FROM {rows}"))).scalar_one())  # noqa: S608 (our own constants)


def _moves() -> list[tuple[str, str, str, str]]:
    return [
        (lifecycle.noun, str(before), str(action), str(after))
        for lifecycle in LIFECYCLES
        for (before, action), after in lifecycle.moves.items()
    ]


_RELEASED = (BatchStatus.RELEASED, BatchStatus.SENT, BatchStatus.SETTLED, BatchStatus.NOT_RECEIVED)


def _signed() -> list[tuple[str, int, str]]:
    """Which signatures a batch that needs so many checks must carry in a status."""
    needed: list[tuple[str, int, str]] = []
    for checks in (1, 2, 3):
        *checked, _ = steps = steps_of(checks)
        by_status = {BatchStatus.SUBMITTED: (Step.ASSEMBLE,), BatchStatus.CHECKED: tuple(checked)}
        by_status |= dict.fromkeys(_RELEASED, steps)
        needed += [(str(status), checks, str(step)) for status, each in by_status.items() for step in each]
    return needed


def _held() -> list[tuple[str, str]]:
    """In which pots the money of a claim in a status may be."""
    return [(str(status), str(pot)) for status, pots in HELD_IN.items() for pot in pots]


def _ways() -> list[tuple[str, str, str]]:
    return [(str(kind), str(source), str(target)) for kind, (source, target) in WAYS.items()]


def _columns(rows: list[Any], *names: str) -> dict[str, list[str]]:
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


#: What the domain says, for statements that must not believe the database's own copy of it.
FACTS: dict[str, Any] = {
    "live": [str(status) for status in LIVE_ATTEMPT],
    "dead": [str(status) for status in DEAD],
    "kinds": [lifecycle.noun for lifecycle in LIFECYCLES],
    "firsts": [str(lifecycle.first) for lifecycle in LIFECYCLES],
    **_columns(_moves(), "move_kinds", "move_befores", "move_actions", "move_afters"),
    **_columns(_signed(), "signed_statuses", "signed_checks", "signed_steps"),
    "released": [str(status) for status in _RELEASED],
    **_columns(_held(), "held_statuses", "held_pots"),
    **_columns(_ways(), "way_kinds", "way_sources", "way_targets"),
}
