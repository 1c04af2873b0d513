"""What is done to a batch besides signing: held, lifted, given up; and its file, carried by two persons."""

from typing import Any

from domain.actor import Post
from domain.errors import Conflict, NotFound
from domain.step_up import SIGNERS, Decision
from service.batches import commands, queries
from service.batches.schemas import (
    BankFileView,
    BatchView,
    Dissolution,
    Lifting,
    NewBatchHold,
    NewFileWord,
    NewHandover,
    NewResend,
)
from service.pages.acts import Act, Asked, codes
from service.web import as_wanted


async def _batch(asked: Asked) -> dict[str, Any]:
    batch = await queries.find_batch(asked.tx, asked.me, asked.id)
    return {
        "batch": batch,
        "file": await file_of(asked),
        "back": f"/finance/batches/{batch.id}",
        "at": "/finance",
        "reasons": codes("batch_hold"),
    }


async def file_of(asked: Asked) -> BankFileView | None:
    """The file of a batch that the asker sees; None before there is one."""
    try:
        return await queries.find_file(asked.tx, asked.me, asked.id)
    except NotFound:
        return None


async def _hold(asked: Asked) -> BatchView:
    new = as_wanted({"code": asked.text("code"), "note": asked.text("note")}, NewBatchHold)
    return await commands.hold_batch(asked.tx, asked.me, asked.id, new, asked.now)


async def _lift(asked: Asked) -> BatchView:
    note = as_wanted({"note": asked.text("note")}, Lifting).note
    return await commands.lift_batch(asked.tx, asked.me, asked.id, note, asked.now)


async def _dissolve(asked: Asked) -> BatchView:
    reason = as_wanted({"reason": asked.text("reason")}, Dissolution).reason
    return await commands.dissolve_batch(asked.tx, asked.me, asked.id, reason, asked.now)


async def _take_file(asked: Asked) -> BankFileView:
    return await commands.take_file(asked.tx, asked.me, asked.id, asked.now)


async def _handed_over(asked: Asked) -> BatchView:
    told = {
        "sha256": "".join(asked.text("sha256").split()).lower(),
        "evidence_sha256": asked.evidence(),
        "note": asked.text("note"),
    }
    return await commands.hand_over(asked.tx, asked.me, asked.id, as_wanted(told, NewHandover), asked.now)


async def _file_word(asked: Asked) -> BankFileView:
    told = {
        "outcome": asked.text("outcome"),
        "evidence_sha256": asked.evidence(),
        "note": asked.text("note"),
    }
    return await commands.say_of_file(asked.tx, asked.me, asked.id, as_wanted(told, NewFileWord), asked.now)


async def _resend(asked: Asked) -> BankFileView:
    new = as_wanted({"note": asked.text("note")}, NewResend)
    return await commands.say_resend(asked.tx, asked.me, asked.id, new, asked.now)


ACTS = {
    "hold": Act(SIGNERS, BatchView, _batch, _hold, "held", ("code",)),
    "lift": Act((Post.CHECKER, Post.RELEASER), BatchView, _batch, _lift, "lifted"),
    "dissolve": Act(SIGNERS, BatchView, _batch, _dissolve, "dissolved", ("reason",)),
    "take-file": Act(SIGNERS, BankFileView, _batch, _take_file, "taken_out", decision=Decision.CARRY),
    "handed-over": Act(SIGNERS, BatchView, _batch, _handed_over, "said", ("sha256",), Decision.FILE_WORD),
    "file-word": Act(SIGNERS, BankFileView, _batch, _file_word, "said", ("outcome",), Decision.FILE_WORD),
    "resend": Act(SIGNERS, BankFileView, _batch, _resend, "said", ("note",), Decision.RESEND),
}


def number_typed(text: str) -> int:
    """A number that a page holds and nobody types. Conflict `busy` where it was sent otherwise than it was shown."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise Conflict("busy")
    return int(text)
