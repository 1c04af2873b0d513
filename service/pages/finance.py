"""What the pages of batches are made of: batches by state, what can be batched, and one batch as it is signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import uuid4

from domain.actor import Actor, Post
from domain.agent_bank import BankTerms, BankWay
from domain.batch import BatchStatus, Step, steps_of
from domain.claim import Channel, ClaimKind
from domain.errors import Invalid
from domain.level import LEVELS
from domain.money import format_yuan
from domain.period import parse_date
from domain.step_up import SIGNERS
from service.access.commands import asked_for
from service.access.queries import district_names
from service.audit.queries.story.journal import in_words
from service.batches import queries
from service.batches.commands import SIGNINGS
from service.batches.schemas import BankFileView, BatchFilter, BatchView, ContentView, Payee
from service.database import Tx
from service.pages.acts import Asked, codes
from service.pages.forms import Fault, Typed, faults_of
from service.pages.money_batches import file_of
from service.pages.once_a_day import once_a_day
from service.web import as_wanted
from service.wording import words

_BATCHES_A_PAGE, _LINES_A_PAGE, _MANY_LINES = 50, 50, 500
_S = BatchStatus
_TONES = {
    **dict.fromkeys((_S.OPENED, _S.RELEASED, _S.SENT), "blue"),
    **dict.fromkeys((_S.FROZEN, _S.SUBMITTED, _S.CHECKED), "amber"),
    _S.SETTLED: "green",
    _S.NOT_RECEIVED: "red",
}
#: Before anything of it is sent.
_STOPPABLE = frozenset({_S.FROZEN, _S.SUBMITTED, _S.CHECKED, _S.RELEASED})
_SEED_MAX = 10**6


@dataclass(frozen=True)
class Hand:
    """One of the signatures of a batch, put or waited for."""

    name: str
    state: str
    signed_at: datetime | None
    stands_in: bool


async def desk(tx: Tx, me: Actor, status: str, after: str | None) -> dict[str, Any]:
    """My district's batches, newest first; of one status where one is named."""
    wanted = BatchStatus(status) if status in set(BatchStatus) else None
    found = await queries.list_batches(tx, me, wanted, after, _BATCHES_A_PAGE)
    return {
        "batches": found.batches,
        "next": found.next,
        "wanted": str(wanted or ""),
        "statuses": [(str(each), words(f"status.{each}")) for each in BatchStatus],
        "tones": _TONES,
    }


async def due(tx: Tx, me: Actor, typed: Typed, faults: list[Fault]) -> dict[str, Any]:
    """What batches would take that are opened now with the filter that was typed; nothing where it is wrong."""
    try:
        filtered = filter_typed(typed)
    except Invalid as refusal:
        filtered, faults = None, [*faults, *faults_of((refusal, *refusal.others))]
    return {
        "due": (await queries.list_due(tx, me, filtered)).due if filtered is not None else [],
        "typed": {name: typed.get(name, "") for name in ("filed_from", "filed_to", "kind", "payee")},
        "faults": faults,
        "districts": await district_names(tx),
        "kinds": [(str(each), words(f"claim_kind.{each}")) for each in ClaimKind],
        "payees": [(each, words(f"batch_payee.{each}")) for each in get_args(Payee)],
        "may_open": me.holds(Post.MAKER),
        "once": uuid4(),
    }


def filter_typed(typed: Typed) -> BatchFilter:
    """The filter of a form. Invalid as `parse_date` says; what no list offers is left out."""
    kind, payee = typed.get("kind", ""), typed.get("payee", "")
    days = {name: parse_date(typed[name], name) for name in ("filed_from", "filed_to") if typed.get(name)}
    told = {
        **{name: day.isoformat() for name, day in days.items()},
        "kinds": [kind] if kind in set(ClaimKind) else [],
        "payee": payee if payee in get_args(Payee) else None,
    }
    found: BatchFilter = as_wanted(told, BatchFilter)
    return found


async def batch(asked: Asked, after: str | None, faults: list[Fault], seed: int | None = None) -> dict[str, Any]:
    """One batch with a page of its lines, and what I can do about it. NotFound `batch.not_found`."""
    tx, me, typed = asked.tx, asked.me, asked.typed
    view = await queries.as_checked(tx, await queries.find_batch(tx, me, asked.id), asked.today)
    next_one, file = SIGNINGS.get(view.status), await file_of(asked)
    drawn_by = seed if seed is not None else int((view.content_hash or "0")[:4], 16) % _SEED_MAX
    return {
        "batch": view,
        "content": await _content(asked, view),
        "rechecks": await queries.rechecks_of(tx, me, view.id),
        "funds": await queries.funds_of(tx, me, view.id),
        "sample": await queries.sample_of(tx, me, view.id, drawn_by),
        "seed": drawn_by,
        "lines": await queries.list_lines(tx, me, view.id, after, _LINES_A_PAGE),
        "progress": await queries.find_progress(tx, me, view.id),
        "file": file,
        "given_up": " ".join(map(in_words, view.given_up.reason.split())) if view.given_up else "",
        "hands": _hands(view),
        "act": str(next_one.action) if next_one and me.holds(next_one.post) else "",
        "acts": _acts(view, file, me),
        "changed": _changed(view, typed) if faults else [],
        "rejections": codes("rejection"),
        "districts": await district_names(tx),
        "level_names": {code: level.short for code, level in LEVELS.items()},
        "channel_names": {str(each): words(f"channel.{each}") for each in Channel},
        "tones": _TONES,
        "typed": typed,
        "faults": faults,
        "printed": asked.now,
        "once": typed.get("once") or uuid4(),
        "proof": await asked_for(tx, asked.now),
    }


async def _content(asked: Asked, view: BatchView) -> ContentView:
    """What many lines come to is counted once: it stays until other lines are frozen, or the status is another."""
    counted = await once_a_day(
        ("batch", view.id, view.status, view.content_hash),
        asked.now,
        lambda: queries.content_of(asked.tx, asked.me, view.id),
        lambda _: (view.line_count or 0) > _MANY_LINES,
    )
    return counted.figures


def _hands(view: BatchView) -> list[Hand]:
    signed = {each.step: each for each in view.signatures}
    steps = steps_of(view.checks_needed)
    waits = next((step for step in steps if step not in signed), None) if view.status in SIGNINGS else None
    return [
        Hand(
            name=words(f"signature.{step}"),
            state="done" if step in signed else "now" if step == waits else "",
            signed_at=signed[step].signed_at if step in signed else None,
            stands_in=step in signed and signed[step].stands_in,
        )
        for step in map(Step, steps)
    ]


def _acts(view: BatchView, file: BankFileView | None, me: Actor) -> list[tuple[str, str]]:
    """(act or address, name) of what else its state leaves open to me; the commands have the last word."""
    if not me.holds(*SIGNERS):
        return []
    held = any(each.lifted_at is None for each in view.holds)
    found = list[str]()
    if held and me.holds(Post.CHECKER, Post.RELEASER):
        found.append("lift")
    elif view.status in _STOPPABLE and not held:
        found.append("hold")
    if view.status in {_S.OPENED, *_STOPPABLE}:
        found.append("dissolve")
    if file is not None and BankTerms.read(view.terms).way == BankWay.FILES and view.status == _S.RELEASED:
        carried = any(each.kind == "carried" for each in file.sendings)
        found += ["handed-over", "file-word", "bank-file"] if carried else ["take-file"]
    if file is not None and file.sendings and view.status in {_S.RELEASED, _S.SENT}:
        found.append("resend")
    at = f"/finance/batches/{view.id}/bank-file"
    return [(at if each == "bank-file" else each, words(f"batch_act.{each.replace('-', '_')}")) for each in found]


def _changed(view: BatchView, typed: Typed) -> list[tuple[str, str, str]]:
    """What was shown and what is there now, where the two differ: (name, old, new)."""
    now_so = {"line_count": view.line_count, "sum_fen": view.sum_fen, "content_hash": view.content_hash}
    if "content_hash" not in typed or all(typed.get(name, "") == str(value) for name, value in now_so.items()):
        return []
    return [
        (words(f"batch_shown.{name}"), _told(name, typed.get(name, "")), _told(name, str(value or "")))
        for name, value in now_so.items()
    ]


def _told(name: str, text: str) -> str:
    """Fen as yuan; anything that a page could not have shown as it was sent."""
    if name == "sum_fen" and text.isascii() and text.isdigit() and len(text) <= 19:
        return format_yuan(int(text))
    return text[:64] or "—"
