"""Funds over HTTP: what is there, and how it comes."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.funds import commands, queries
from service.funds.schemas import (
    AppropriationList,
    AppropriationView,
    FundsView,
    NewAppropriation,
    NewConfirmation,
    NewDecline,
    NewTransfer,
    TransferList,
    TransferView,
)
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered

_READERS = (Post.REVIEWER, Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR)
_PAGE_MAX = 500


@get("/api/funds", guards=[allow(*_READERS)])
async def funds(
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    year: Annotated[int | None, QueryParameter(ge=2000, le=2100)] = None,
) -> FundsView:
    """What my district has of each fund in a year (this one, when none is named), and for how long it lasts."""
    return await queries.funds_view(tx, me, year or today.year, now)


@get("/api/funds/appropriations", guards=[allow(*_READERS)])
async def appropriations(
    tx: Tx,
    me: Me,
    cursor: FromQuery[UUID | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 100,
) -> AppropriationList:
    """Appropriations of my district, newest first, those that wait for a second person among them."""
    return await queries.list_appropriations(tx, me, cursor, limit)


@post("/api/funds/appropriations", guards=[allow(Post.MAKER)])
async def propose(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewAppropriation]
) -> Response[AppropriationView]:
    """Propose an appropriation, a supplement or a lowering for my district; it counts once it is confirmed."""
    effect = once(tx, AppropriationView, lambda: commands.propose_appropriation(tx, me, data, today, now))
    return answered(await effect)


@post(
    "/api/funds/appropriations/{appropriation_id:uuid}/confirm",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def confirm(
    tx: Tx, me: Me, now: Now, once: Once, appropriation_id: FromPath[UUID], data: JSONBody[NewConfirmation]
) -> Response[AppropriationView]:
    """Confirm what a colleague proposed: from now on the money can be approved against, or is taken back."""
    effect = once(tx, AppropriationView, lambda: commands.confirm_appropriation(tx, me, appropriation_id, now))
    return answered(await effect, 200)


@post(
    "/api/funds/appropriations/{appropriation_id:uuid}/decline",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def decline(
    tx: Tx, me: Me, now: Now, once: Once, appropriation_id: FromPath[UUID], data: JSONBody[NewDecline]
) -> Response[AppropriationView]:
    """Say no to what a colleague proposed, and why: it will never count."""
    effect = once(
        tx, AppropriationView, lambda: commands.decline_appropriation(tx, me, appropriation_id, data.reason, now)
    )
    return answered(await effect, 200)


@get("/api/funds/transfers", guards=[allow(*_READERS)])
async def transfers(
    tx: Tx,
    me: Me,
    cursor: FromQuery[UUID | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE_MAX)] = 100,
) -> TransferList:
    """Transfers that touch my district, newest first, those that wait for a second person among them."""
    return await queries.list_transfers(tx, me, cursor, limit)


@post("/api/funds/transfers", guards=[allow(Post.MAKER)])
async def propose_transfer(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewTransfer]
) -> Response[TransferView]:
    """Propose to move free money: between districts, funds or years; a district only its own carry-over."""
    effect = once(tx, TransferView, lambda: commands.propose_transfer(tx, me, data, today, now))
    return answered(await effect)


@post(
    "/api/funds/transfers/{transfer_id:uuid}/confirm",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def confirm_transfer(
    tx: Tx, me: Me, now: Now, once: Once, transfer_id: FromPath[UUID], data: JSONBody[NewConfirmation]
) -> Response[TransferView]:
    """Confirm a transfer that a colleague proposed: from now on its money is free at the target."""
    effect = once(tx, TransferView, lambda: commands.confirm_transfer(tx, me, transfer_id, now))
    return answered(await effect, 200)


@post(
    "/api/funds/transfers/{transfer_id:uuid}/decline",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def decline_transfer(
    tx: Tx, me: Me, now: Now, once: Once, transfer_id: FromPath[UUID], data: JSONBody[NewDecline]
) -> Response[TransferView]:
    """Say no to a transfer that a colleague proposed, and why: its money stays."""
    effect = once(tx, TransferView, lambda: commands.decline_transfer(tx, me, transfer_id, data.reason, now))
    return answered(await effect, 200)


ROUTES = [
    *(funds, appropriations, propose, confirm, decline),
    *(transfers, propose_transfer, confirm_transfer, decline_transfer),
]
