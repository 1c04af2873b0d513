"""Forecasts, statements and their lines as JSON. Amounts: integers of fen beside a text for people."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct


class ForecastView(Struct, kw_only=True):
    """Whether a position lasts. `drawn`: what approvals took in the last `pace_days`, less what came back;
    `days_left`: how long the free money lasts at that pace, null when nothing was drawn; `runs_out_on`: the first day
    for which it does not, null when it lasts the year. `owed`: what claims that are filed, verified or in review ask
    for and hold not yet, `covered` of it out of what is set aside for their classes; `shortfall`: what is missing for
    the rest."""

    district: str
    fund: str
    fund_name: str
    year: int
    free_fen: int
    free: str
    drawn_fen: int
    drawn: str
    days_left: int | None
    runs_out_on: date | None
    owed_claims: int
    owed_fen: int
    owed: str
    covered_fen: int
    covered: str
    shortfall_fen: int
    shortfall: str


class ForecastList(Struct):
    """By district and fund; those that nobody gave money, and claims ask, among them."""

    year: int
    pace_days: int
    forecasts: list[ForecastView]


class StandsView(Struct, kw_only=True):
    """Where the money of a position stands: five pots, and `balance`, what is there and not paid."""

    free_fen: int
    set_aside_fen: int
    reserved_fen: int
    in_flight_fen: int
    paid_fen: int
    balance_fen: int
    balance: str


class MovedView(Struct):
    """What one kind of movement came to in the month. `…/lines` with this `kind` shows each of its `lines`."""

    kind: str
    name: str
    amount_fen: int
    amount: str
    lines: int


class PositionStatement(Struct, kw_only=True):
    """A position's month: the closing is the opening and what moved. Every kind stands in `moved`, in one order.

    In balances: opening + `appropriated` + `transferred` − `paid` = closing, each of them net.
    """

    district: str
    district_name: str
    fund: str
    fund_name: str
    year: int
    opening: StandsView
    appropriated_fen: int
    transferred_fen: int
    paid_fen: int
    moved: list[MovedView]
    closing: StandsView


class StatementView(Struct):
    """`ended`: whether the month is over; until then it goes on changing."""

    month: str
    first: date
    last: date
    ended: bool
    positions: list[PositionStatement]


class LedgerLine(Struct, kw_only=True):
    """A line of the ledger, by the ids of what it is for; `by` is a post or a job, never a person. `document` names
    the paper of an appropriation or a transfer; what was repaid names its clawback, and the claim of that."""

    id: int
    at: datetime
    kind: str
    amount_fen: int
    amount: str
    claim_id: UUID | None
    class_id: UUID | None
    appropriation_id: UUID | None
    transfer_id: UUID | None
    clawback_id: UUID | None
    document: str
    by: str


class LedgerLines(Struct):
    """In the order of the ledger. `next` is the cursor of the page after this one."""

    lines: list[LedgerLine]
    next: int | None
