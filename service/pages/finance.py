"""What finance's pages are made of: batches by state, and one batch as it is signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from domain.actor import Actor, Post
from domain.batch import BatchStatus, Step, steps_of
from service.batches import queries
from service.batches.schemas import BatchView
from service.database import Tx
from service.pages.forms import Typed
from service.wording import wording, words

_BATCHES_A_PAGE, _LINES_A_PAGE = 50, 50
_S = BatchStatus
_TONES = {
    **dict.fromkeys((_S.OPENED, _S.RELEASED, _S.SENT), "blue"),
    **dict.fromkeys((_S.FROZEN, _S.SUBMITTED, _S.CHECKED), "amber"),
    _S.SETTLED: "green",
    _S.NOT_RECEIVED: "red",
}
#: What is signed next in a status, and by which post.
ACTS = {
    _S.FROZEN: ("submit", Post.MAKER),
    _S.SUBMITTED: ("check", Post.CHECKER),
    _S.CHECKED: ("release", Post.RELEASER),
}


@dataclass(frozen=True)
class Hand:
    """One of the signatures of a batch, put or waited for."""

    name: str
    state: str
    signed_at: datetime | None
    stands_in: bool


async def desk(tx: Tx, me: Actor, after: str | None) -> dict[str, Any]:
    """What can be put into batches, and my district's batches, newest first."""
    found = await queries.list_batches(tx, me, None, after, _BATCHES_A_PAGE)
    may_open = me.holds(Post.MAKER)
    return {
        "may_open": may_open,
        "due": (await queries.list_due(tx, me)).due if may_open else [],
        "batches": found.batches,
        "next": found.next,
        "tones": _TONES,
        "once": uuid4(),
    }


async def batch(tx: Tx, me: Actor, batch_id: UUID, after: str | None, typed: Typed) -> dict[str, Any]:
    """One batch with a page of its lines, and what I can sign of it. NotFound `batch.not_found`."""
    view = await queries.find_batch(tx, me, batch_id)
    act, post = ACTS.get(view.status, ("", None))
    return {
        "batch": view,
        "lines": await queries.list_lines(tx, me, batch_id, after, _LINES_A_PAGE),
        "hands": _hands(view),
        "act": act if post and me.holds(post) else "",
        "rejections": [(code, words(f"rejection.{code}")) for code in _codes("rejection")],
        "tones": _TONES,
        "typed": typed,
        "once": typed.get("once") or uuid4(),
    }


def _hands(view: BatchView) -> list[Hand]:
    signed = {each.step: each for each in view.signatures}
    steps = steps_of(view.checks_needed)
    waits = next((step for step in steps if step not in signed), None) if view.status in ACTS else None
    return [
        Hand(
            name=words(f"signature.{step}"),
            state="done" if step in signed else "now" if step == waits else "",
            signed_at=signed[step].signed_at if step in signed else None,
            stands_in=step in signed and signed[step].stands_in,
        )
        for step in map(Step, steps)
    ]


def _codes(kind: str) -> list[str]:
    """The codes of a list in the wording."""
    return [code.removeprefix(f"{kind}.") for code in wording() if code.startswith(f"{kind}.")]
