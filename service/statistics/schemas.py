"""Figures as they are asked for and answered: the headline share, and what other standards would have cost."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field


class ShareView(Struct):
    """What individuals filed, of all that was filed: 0 to 1, four decimals; null where nothing was (or is shown)."""

    count: float | None
    amount: float | None


class LateClaimView(Struct):
    """A claim that was due on `due_on`, counted from `since`."""

    claim_id: UUID
    district: str
    status: str
    status_name: str
    since: date
    due_on: date


class StepView(Struct):
    """A step of a claim's way that may take so many working days: how many are late, and the oldest of them."""

    step: str
    step_name: str
    working_days: int
    late: int
    oldest: list[LateClaimView]


class OverdueView(Struct):
    on: date
    steps: list[StepView]


class ShareRowView(Struct):
    """One line of a breakdown. `count` and `amount_fen` (fen, as filed) are by channel, every channel named.

    `suppressed`: too few were filed for the public to be told; then there are no figures.
    """

    key: str
    name: str
    count: dict[str, int] | None
    amount_fen: dict[str, int] | None
    share: ShareView
    suppressed: bool


class ShareTotalView(Struct):
    count: dict[str, int]
    amount_fen: dict[str, int]
    share: ShareView


class IndividualShareView(Struct):
    """`sample`: the amounts rest on sample standards. `first` and `last` are written `from` and `to`."""

    first: date = field(name="from")
    last: date = field(name="to")
    by: str
    rows: list[ShareRowView]
    total: ShareTotalView
    definition: str
    sample: bool


class StepTookView(Struct):
    """Within how many working days a half, and nine tenths, of the `claims` that were looked at took a step; null
    where none did. `suppressed`: there are no figures, for `few` are behind the line, or behind another that could be
    had from it."""

    step: str
    step_name: str
    claims: int | None
    half_days: int | None
    nine_tenths_days: int | None
    few: bool
    suppressed: bool


class StepMonthView(Struct):
    """Of what was batched in the month and paid, every `every`-th claim was looked at."""

    month: str
    every: int
    steps: list[StepTookView]


class StepsView(Struct):
    """`counted_at` null: nothing of the year was counted."""

    year: int
    counted_at: datetime | None
    months: list[StepMonthView]
    whole: list[StepTookView]
    definition: str


class PaidCount(Struct):
    """What was paid from the batches of the year of `counted_on`; of those of `month`, how many claims were looked at
    and within how many working days from filing a half of them was paid. None: nothing was."""

    counted_on: date
    persons: int
    payments: int
    paid_fen: int
    month: date | None = None
    month_claims: int | None = None
    half_days: int | None = None


class NewSimulation(Struct, forbid_unknown_fields=True):
    """Other standards: a formula over an edition (today's, when none is named), or the set `set_id`.

    `first` to `last`, written `from` and `to`: the days on which the claims were filed; the last twelve months, when
    they are not given.
    """

    formula: dict[str, Any] | None = None
    facts: dict[str, Any] = {}
    edition_id: UUID | None = None
    set_id: UUID | None = None
    first: Annotated[str, Meta(max_length=10)] | None = field(name="from", default=None)
    last: Annotated[str, Meta(max_length=10)] | None = field(name="to", default=None)


class FundPolicyInput(Struct):
    """Which fund pays for which group: for claims filed from `first` on, in `year`."""

    first: date = field(name="from")
    year: int
    policy: dict[str, Any]


class AppropriationInput(Struct):
    district: str
    fund: str
    year: int
    appropriated_fen: int


class SimulationInputs(Struct):
    """All that a result follows from. `amounts_sha256`: the proposed amounts; `claims_sha256`: the claims, as they
    were counted by what they got and would get; `district` null: the whole city."""

    set_id: UUID | None
    edition_id: UUID | None
    formula: dict[str, Any] | None
    facts: dict[str, Any]
    amounts_sha256: str
    first: date = field(name="from")
    last: date = field(name="to")
    district: str | None
    funds: list[FundPolicyInput]
    appropriations: list[AppropriationInput]
    claims_sha256: str
    sample: bool


class CostView(Struct):
    """Claims, and what they cost under the standards they were filed under (`before`) and would cost (`after`)."""

    claims: int
    before_fen: int
    before: str
    after_fen: int
    after: str


class CostRowView(CostView):
    key: str
    name: str


class PositionCostView(CostView):
    """`appropriated_fen` null: nothing was appropriated. `missing_fen`: what the claims of the period would need
    beyond it; `exceeded` whether they would, `exceeded_before` whether they do already."""

    district: str
    district_name: str
    fund: str
    fund_name: str
    year: int
    appropriated_fen: int | None
    missing_fen: int
    exceeded_before: bool
    exceeded: bool


class NotCountedView(Struct):
    """Claims filed in the period that cost nothing: refused, withdrawn, lapsed or recovered."""

    status: str
    name: str
    claims: int
    amount_fen: int


class SimulationResult(Struct):
    """`changes` has a row each for claims that would get `more`, the `same`, `less`, and `nothing` any more.

    `not_on_claims`: facts that the formula asks for and claims do not carry; their default counted.
    """

    total: CostView
    by_district: list[CostRowView]
    by_fund: list[CostRowView]
    by_list: list[CostRowView]
    by_level: list[CostRowView]
    changes: list[CostRowView]
    positions: list[PositionCostView]
    not_counted: list[NotCountedView]
    not_on_claims: list[str]


class SimulationView(Struct):
    """A result as it was kept when its inputs first came: `inputs_sha256` is the hash over all of them."""

    id: UUID
    inputs_sha256: str
    simulated_at: datetime
    inputs: SimulationInputs
    result: SimulationResult


class SimulationLineView(Struct):
    id: UUID
    simulated_at: datetime
    set_id: UUID | None
    first: date = field(name="from")
    last: date = field(name="to")
    total: CostView


class SimulationsView(Struct):
    simulations: list[SimulationLineView]


class OffersFigures(Struct):
    """`made` is the sum of the four that follow; `confirmed_share` of `made`, null where none was made."""

    made: int
    open: int
    confirmed: int
    declined: int
    expired: int
    confirmed_share: float | None


class OffersMonthView(Struct):
    month: str
    figures: OffersFigures


class OffersStatisticsView(Struct):
    first: date
    last: date
    months: list[OffersMonthView]
    total: OffersFigures
