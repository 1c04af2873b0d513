"""Batches: opened, signed by several persons, held, released or given up; and claims taken out of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import ServerSentEvent

from domain.actor import Actor, Post
from domain.batch import BatchStatus, Step
from domain.claim import ClaimKind
from domain.errors import Forbidden
from service.batches import commands, queries
from service.batches.commands.delegating import CITY_FINANCE
from service.batches.schemas import (
    BankFileView,
    BatchFilter,
    BatchList,
    BatchView,
    DelegationList,
    DelegationView,
    Dissolution,
    DueList,
    HeldView,
    Lifting,
    LineList,
    NewBatch,
    NewBatchHold,
    NewDelegation,
    NewFileWord,
    NewHandover,
    NewRelease,
    NewResend,
    Payee,
    Rejection,
    RevokedView,
    Shown,
)
from service.claims.commands.holds import HOLDERS
from service.claims.schemas import ClaimView, HoldView, NewHold, NewNote
from service.database import transaction
from service.gateways.bank_files import FORMS
from service.openapi import files
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered, private_file

_SIGNERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)
_PAGE_MAX = 500
#: What a listener is sent.
EVENTS = "text/event-stream"
FundCode = Annotated[str | None, QueryParameter(max_length=40)]
DistrictCode = Annotated[str | None, QueryParameter(max_length=20)]


@asynccontextmanager
async def _refusals_noted(me: Actor, batch_id: UUID, step: Step, now: datetime) -> AsyncIterator[None]:
    """A person who was not let sign is in the journal, though nothing of what they asked is stored."""
    try:
        yield
    except Forbidden as refusal:
        async with transaction() as own:
            await commands.note_refusal(own, me, batch_id, step, refusal.code, now)
        raise


@post("/api/batches", guards=[allow(Post.MAKER)], status_code=202)
async def open_batch(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewBatch]
) -> Response[BatchView]:
    """Open a batch of one fund for my district, or where I stand in; a job fills and freezes it, splits what is more
    than its bank takes in a file over further batches, or dissolves it when nothing is due."""
    return answered(await once(tx, BatchView, lambda: commands.open_batch(tx, me, data, today, now)), 202)


@post("/api/batches/{batch_id:uuid}/submit", guards=[allow(*_SIGNERS)], status_code=200)
async def submit(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[Shown]
) -> Response[BatchView]:
    """The maker signs what they were shown, after every line was looked at once more. Where lines must not be paid
    any more, they leave, and the batch comes back `frozen` over the others, unsigned: look at it and sign again."""
    async with _refusals_noted(me, batch_id, Step.ASSEMBLE, now):
        return answered(await once(tx, BatchView, lambda: commands.submit_batch(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/check", guards=[allow(*_SIGNERS)], status_code=200)
async def check(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[Shown]
) -> Response[BatchView]:
    """A checker signs what they were shown; as many persons as the batch needs, each once."""
    async with _refusals_noted(me, batch_id, Step.CHECK, now):
        return answered(await once(tx, BatchView, lambda: commands.check_batch(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/release", guards=[allow(*_SIGNERS)], status_code=200)
async def release(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[NewRelease]
) -> Response[BatchView]:
    """The releaser records the treasury's transfer of the whole sum and signs; a job writes and sends the file."""
    async with _refusals_noted(me, batch_id, Step.RELEASE, now):
        effect = once(tx, BatchView, lambda: commands.release_batch(tx, me, batch_id, data, today, now))
        return answered(await effect, 200)


@post("/api/batches/{batch_id:uuid}/dissolve", guards=[allow(*_SIGNERS)], status_code=200)
async def dissolve(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[Dissolution]
) -> Response[BatchView]:
    """Give a batch up before anything of it is sent; its claims are payable again."""
    effect = once(tx, BatchView, lambda: commands.dissolve_batch(tx, me, batch_id, data.reason, now))
    return answered(await effect, 200)


@post("/api/batches/{batch_id:uuid}/reject", guards=[allow(Post.CHECKER, Post.RELEASER)], status_code=200)
async def reject(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[Rejection]
) -> Response[BatchView]:
    """Say no to a batch that was put before me, with a reason from the list; its claims are payable again."""
    return answered(await once(tx, BatchView, lambda: commands.reject_batch(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/take-file", guards=[allow(*_SIGNERS)], status_code=200)
async def take_file(tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID]) -> Response[BankFileView]:
    """Take a released batch's file out, to carry it to the bank; from here on nothing stops its payments."""
    return answered(await once(tx, BankFileView, lambda: commands.take_file(tx, me, batch_id, now)), 200)


@get(
    "/api/batches/{batch_id:uuid}/bank-file",
    guards=[allow(*_SIGNERS)],
    operation_class=files(gives=tuple(form.MEDIA_TYPE for form in FORMS.values())),
)
async def bank_file(tx: Tx, me: Me, now: Now, batch_id: FromPath[UUID]) -> Response[bytes]:
    """The bytes of the file that I took out, until it is said what became of it; each look is in the journal."""
    about = await queries.find_file(tx, me, batch_id)
    file = await commands.open_file(tx, me, batch_id, now)
    answer = private_file(file.data, about.media_type, about.name)
    answer.headers["X-Content-SHA256"] = file.sha256
    return answer


@get("/api/batches/{batch_id:uuid}/bank-file/about", guards=[allow(*_SIGNERS, Post.AUDITOR)])
async def about_bank_file(tx: Tx, me: Me, batch_id: FromPath[UUID]) -> BankFileView:
    """The name and hash of a batch's file, and each time that its bytes left."""
    return await queries.find_file(tx, me, batch_id)


@post("/api/batches/{batch_id:uuid}/handed-over", guards=[allow(*_SIGNERS)], status_code=200)
async def handed_over(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[NewHandover]
) -> Response[BatchView]:
    """Say, as another than who carried it, that the bank has the file, on its receipt."""
    return answered(await once(tx, BatchView, lambda: commands.hand_over(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/file-word", guards=[allow(*_SIGNERS)], status_code=200)
async def file_word(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[NewFileWord]
) -> Response[BankFileView]:
    """Say that a file that was taken out never came to the bank, or that nobody can tell; a second one confirms."""
    return answered(await once(tx, BankFileView, lambda: commands.say_of_file(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/resend", guards=[allow(*_SIGNERS)], status_code=200)
async def resend(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[NewResend]
) -> Response[BankFileView]:
    """Say that the same bytes go to the bank once more, while it promises to know them; a second person confirms."""
    return answered(await once(tx, BankFileView, lambda: commands.say_resend(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/hold", guards=[allow(*_SIGNERS)], status_code=200)
async def hold_batch(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[NewBatchHold]
) -> Response[BatchView]:
    """Stop a whole batch before anything of it is sent: nobody signs it, and nothing leaves."""
    return answered(await once(tx, BatchView, lambda: commands.hold_batch(tx, me, batch_id, data, now)), 200)


@post("/api/batches/{batch_id:uuid}/lift", guards=[allow(Post.CHECKER, Post.RELEASER)], status_code=200)
async def lift_batch(
    tx: Tx, me: Me, now: Now, once: Once, batch_id: FromPath[UUID], data: JSONBody[Lifting]
) -> Response[BatchView]:
    """Let a held batch go on, as another person than held it."""
    return answered(await once(tx, BatchView, lambda: commands.lift_batch(tx, me, batch_id, data.note, now)), 200)


@post("/api/batches/delegations", guards=[allow(*CITY_FINANCE)], status_code=201)
async def propose_delegation(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewDelegation]
) -> Response[DelegationView]:
    """Propose that somebody of city finance stands in for a post which a district cannot fill."""
    effect = once(tx, DelegationView, lambda: commands.propose_delegation(tx, me, data, today, now))
    return answered(await effect, 201)


@post("/api/batches/delegations/{delegation_id:uuid}/confirm", guards=[allow(*CITY_FINANCE)], status_code=200)
async def confirm_delegation(
    tx: Tx, me: Me, now: Now, once: Once, delegation_id: FromPath[UUID]
) -> Response[DelegationView]:
    """Confirm it, as another person of city finance."""
    effect = once(tx, DelegationView, lambda: commands.confirm_delegation(tx, me, delegation_id, now))
    return answered(await effect, 200)


@post("/api/claims/{claim_id:uuid}/hold", guards=[allow(*HOLDERS)], status_code=200)
async def hold(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewHold]
) -> Response[HeldView]:
    """Stop a claim of my district on its way to the money; a batch it stands in is dissolved, and named."""
    return answered(await once(tx, HeldView, lambda: commands.hold(tx, me, claim_id, data, now)), 200)


@post("/api/claims/{claim_id:uuid}/lift", guards=[allow(*HOLDERS)], status_code=200)
async def lift(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewNote]
) -> Response[HoldView]:
    """Let a held claim go on."""
    effect = once(tx, HoldView, lambda: commands.lift(tx, me, claim_id, data.note, today, now))
    return answered(await effect, 200)


@post("/api/claims/{claim_id:uuid}/withdraw", guards=[allow(Post.TRAINEE, Post.CLERK)], status_code=200)
async def withdraw(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewNote]) -> ClaimView:
    """Withdraw my claim, or one my institution filed; a batch it stands in is dissolved, unless it is being sent."""
    return await commands.withdraw(tx, me, claim_id, data.note, now)


@post("/api/mandates/{mandate_id:uuid}/revoke", guards=[allow(Post.TRAINEE)], status_code=200)
async def revoke(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, mandate_id: FromPath[UUID], data: JSONBody[NewNote]
) -> Response[RevokedView]:
    """Take back a mandate in my name; the claims under it are withdrawn as far as their money has not left."""
    effect = once(tx, RevokedView, lambda: commands.revoke(tx, me, mandate_id, data.note, today, now))
    return answered(await effect, 200)


@get("/api/batches", guards=[allow(*_SIGNERS, Post.AUDITOR)])
async def batches(
    tx: Tx,
    me: Me,
    status: FromQuery[BatchStatus | None] = None,
    cursor: Annotated[str | None, QueryParameter(pattern="^[A-Z]{2}[0-9]{8}-[0-9]{6,12}$")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 100,
) -> BatchList:
    """Batches of my district, newest first."""
    return await queries.list_batches(tx, me, status, cursor, limit)


@get("/api/batches/due", guards=[allow(*_SIGNERS, Post.AUDITOR)])
async def due(
    tx: Tx,
    me: Me,
    fund: FundCode = None,
    district: DistrictCode = None,
    filed_from: FromQuery[date | None] = None,
    filed_to: FromQuery[date | None] = None,
    kind: FromQuery[ClaimKind | None] = None,
    payee: FromQuery[Payee | None] = None,
) -> DueList:
    """What is to be paid in my district and from which fund: each fund is paid by batches of its own. With a filter:
    what a batch opened with it would take."""
    filtered = BatchFilter(filed_to, filed_from, [kind] if kind else [], payee)
    return await queries.list_due(tx, me, filtered, fund, district)


@get("/api/batches/delegations", guards=[allow(*CITY_FINANCE, Post.AUDITOR)])
async def delegations(tx: Tx, me: Me) -> DelegationList:
    """Who of city finance stands in for whom, in my district or everywhere."""
    return await queries.list_delegations(tx, me)


@get("/api/batches/{batch_id:uuid}", guards=[allow(*_SIGNERS, Post.AUDITOR)])
async def batch(tx: Tx, me: Me, batch_id: FromPath[UUID]) -> BatchView:
    """One batch: what it holds, as signatures bind it, and who has signed."""
    return await queries.find_batch(tx, me, batch_id)


@get("/api/batches/{batch_id:uuid}/lines", guards=[allow(*_SIGNERS, Post.AUDITOR)])
async def lines(
    tx: Tx,
    me: Me,
    batch_id: FromPath[UUID],
    cursor: Annotated[str | None, QueryParameter(pattern="^[A-Z0-9]{1,35}$")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 100,
) -> LineList:
    """A page of a batch's lines, masked."""
    return await queries.list_lines(tx, me, batch_id, cursor, limit)


@get(
    "/api/batches/{batch_id:uuid}/progress",
    guards=[allow(*_SIGNERS, Post.AUDITOR)],
    operation_class=files(gives=(EVENTS,)),
)
async def follow_batch(tx: Tx, me: Me, batch_id: FromPath[UUID]) -> ServerSentEvent:
    """How far assembling is, as server-sent events, until the batch is put together."""
    await queries.find_progress(tx, me, batch_id)
    told = (msgspec.json.encode(each).decode() async for each in queries.progress(me, batch_id))
    return ServerSentEvent(told, event_type="progress", retry_duration=2_000)


ROUTES = [
    *(open_batch, submit, check, release, dissolve, reject, hold_batch, lift_batch, batches, due, batch, lines),
    *(take_file, bank_file, about_bank_file, handed_over, file_word, resend),
    *(propose_delegation, confirm_delegation, delegations, follow_batch),
    *(hold, lift, withdraw, revoke),
]
