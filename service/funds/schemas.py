"""Funds as JSON. Amounts: integers of fen beside a text for people."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

#: One appropriation is at most a hundred billion yuan.
AMOUNT_FEN_MAX = 10**13

Words = Annotated[str, Meta(min_length=1, max_length=200)]


class NewAppropriation(Struct, forbid_unknown_fields=True):
    """An appropriation or supplement for my district; `document` names its source (下达文件).

    A negative amount lowers what was granted before (调减), as far as it is free when it is confirmed.
    """

    fund: Annotated[str, Meta(min_length=1, max_length=40)]
    year: int
    amount_fen: Annotated[int, Meta(ge=-AMOUNT_FEN_MAX, le=AMOUNT_FEN_MAX)]
    document: Words
    reason: Words


class NewConfirmation(Struct, forbid_unknown_fields=True):
    """Nothing to choose: what was proposed cannot change."""


class NewDecline(Struct, forbid_unknown_fields=True):
    """Why the second person says no."""

    reason: Words


class AppropriationView(Struct):
    """`confirmed_at` is null until another person has confirmed it: only then the money is there, or taken back where
    the amount is negative. Or another person has said no: `declined_at`, `declined_for`."""

    id: UUID
    district: str
    fund: str
    fund_name: str
    year: int
    amount_fen: int
    amount: str
    document: str
    reason: str
    proposed_at: datetime
    confirmed_at: datetime | None
    declined_at: datetime | None
    declined_for: str


class AppropriationList(Struct):
    """Newest first. `next` is the cursor of the page after this one."""

    appropriations: list[AppropriationView]
    next: UUID | None


class NewEnd(Struct, forbid_unknown_fields=True):
    """Whose position, of which fund and year."""

    district: Annotated[str, Meta(min_length=1, max_length=40)]
    fund: Annotated[str, Meta(min_length=1, max_length=40)]
    year: int


class NewTransfer(Struct, forbid_unknown_fields=True):
    """Free money for another position: between districts or funds (调剂), or into a later year (结转). `document`
    names what allows it."""

    source: NewEnd
    target: NewEnd
    amount_fen: Annotated[int, Meta(ge=1, le=AMOUNT_FEN_MAX)]
    document: Words
    reason: Words


class EndView(Struct):
    district: str
    fund: str
    fund_name: str
    year: int


class TransferView(Struct, kw_only=True):
    """`confirmed_at` is null until another person has confirmed it: only then the money is at the target. Or another
    person has said no: `declined_at`, `declined_for`."""

    id: UUID
    source: EndView
    target: EndView
    amount_fen: int
    amount: str
    document: str
    reason: str
    proposed_at: datetime
    confirmed_at: datetime | None
    declined_at: datetime | None
    declined_for: str


class TransferList(Struct):
    """Newest first. `next` is the cursor of the page after this one."""

    transfers: list[TransferView]
    next: UUID | None


class FundView(Struct):
    code: str
    name: str


class PositionView(Struct, kw_only=True):
    """What a district has of a fund in a year; `set_aside` is for the claims of approved classes. `days_left`: for
    how many days the free money lasts at the pace of the last 30 days; null when none was asked for in them."""

    district: str
    fund: str
    fund_name: str
    year: int
    appropriated_fen: int
    appropriated: str
    free_fen: int
    free: str
    set_aside_fen: int
    set_aside: str
    reserved_fen: int
    reserved: str
    in_flight_fen: int
    in_flight: str
    paid_fen: int
    paid: str
    days_left: int | None


class ClassMoneyView(Struct):
    """What was `set_aside` for a class when it was approved: `drawn` on by its claims, `left` for those that come, or
    `given_back` as it was needed no more."""

    set_aside_fen: int
    set_aside: str
    drawn_fen: int
    drawn: str
    left_fen: int
    left: str
    given_back_fen: int
    given_back: str


class FundsView(Struct):
    """Every fund there is, and the positions that I may see of one year."""

    year: int
    funds: list[FundView]
    positions: list[PositionView]
