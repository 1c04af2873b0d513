"""What the rules look at. A claim's facts are stored with its decision, and hold no personal data.

Fields with a default came after version 1 of the rules: a decision stored before them has none, and the rules it was
made by do not ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Self

from domain.claim import Channel, ClaimKind, PlaceLink
from domain.errors import Conflict, Invalid
from domain.institution import Standing
from domain.period import Period
from domain.policy import Limit
from domain.register import Looked

_CAME_LATER = frozenset(
    {
        "institution_claim_needs_class",
        "attendance_share_least",
        "excluding_registers",
        "graduating_students",
        "sister_scheme_paid",
        "enterprise_contract_months",
        "enterprise_hired_months",
        "living_allowance",
    }
)


#: What stands before the occupation where an allowance is given once (promise 2).
ALLOWANCE = "allowance:"


@dataclass(frozen=True)
class Parameters:
    """Policy in force on the day of filing (dated data; see `data/policies.toml`)."""

    claim_window_months: int
    once_in: str  # 'ever', or 'year'
    counting_limits: tuple[Limit, ...] = ()
    lower_level_after_higher: str = "granted"  # or 'refused'
    age_from_years: int = 0
    subsidy_capped_by_fee: bool = False
    place_link_required: bool = False
    place_links: tuple[str, ...] = ()
    institution_claim_needs_class: bool = False
    attendance_share_least: int = 0
    excluding_registers: tuple[str, ...] = ()
    graduating_students: str = "granted"  # or 'refused'
    sister_scheme_paid: str = "granted"  # or 'refused'
    enterprise_contract_months: int = 0  # 0: any contract
    enterprise_hired_months: int = 0  # 0: whenever it was signed
    #: `days_most`, and `fen_a_day` by group; empty: nobody gets one.
    living_allowance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, policy: Mapping[str, Any], on: date) -> Self:
        """From the parameters by key; Conflict `policy.missing` where one is not in force on that day, but for those
        that came when cities had begun: they keep nobody out until a city sets them."""
        keys = {each.name for each in fields(cls)}
        if missing := keys - policy.keys() - _CAME_LATER:
            raise Conflict("policy.missing", key=min(missing), on=on.isoformat())
        return cls(**{key: _parameter(key, policy[key]) for key in keys & policy.keys()})

    def but(self, key: str, value: Any) -> Self:
        """The same with one of them otherwise. Invalid `policy.not_of_claims` for one that no claim is decided by."""
        if key not in {each.name for each in fields(self)}:
            raise Invalid("policy.not_of_claims", field="key", known=sorted(each.name for each in fields(self)))
        return replace(self, **{key: _parameter(key, value)})


def _parameter(key: str, value: Any) -> Any:
    """A value as rules ask for it."""
    if key == "counting_limits":
        return tuple(Limit.read(each) for each in value)
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class ItemFacts:
    """The catalog item in force on the day training started."""

    id: str
    edition_id: str
    code: str | None
    list_kind: str
    industry: str


@dataclass(frozen=True)
class StandardFacts:
    """`amount_fen` is what the standard gives this claim; `steps`: how, where a fact of its own changed it."""

    id: str
    amount_fen: int
    sample: bool
    steps: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class EarlierClaim:
    """A live claim of the same person for the same occupation and level."""

    channel: str
    status: str
    filed_on: date
    once_in: str


@dataclass(frozen=True)
class StandingClaim:
    """Any live or paid claim of the same person, whoever filed it and wherever."""

    subsidy_key: str
    level: str
    status: str
    filed_on: date

    @property
    def is_allowance(self) -> bool:
        """For the cost of living, which no limit of subsidies counts."""
        return self.subsidy_key.startswith(ALLOWANCE)


@dataclass(frozen=True)
class MandateFacts:
    """代领协议 and its institution. `listed`: in the institution catalog on the day training started."""

    same_institution: bool
    first: date
    last: date
    fee_fen: int
    listed: bool


@dataclass(frozen=True)
class ContractFacts:
    """劳动合同 with the enterprise that files. `last` None: of no fixed term. `employed_before`: they signed another
    earlier."""

    same_enterprise: bool
    signed_on: date
    first: date
    last: date | None
    employed_before: bool


@dataclass(frozen=True)
class ProjectFacts:
    """The contract over a project (项目制) that the claim draws on: its days, and what of it live claims have taken.
    `price_fen`: what a place is worth by the result `result_id`; None: there is no result, or nothing prices it."""

    id: str
    confirmed: bool
    first: date
    last: date
    places: int
    taken: int
    cap_fen: int
    drawn_fen: int
    result_id: str | None
    price_fen: int | None

    @property
    def has_room(self) -> bool:
        return self.taken < self.places and self.drawn_fen + (self.price_fen or 0) <= self.cap_fen


@dataclass(frozen=True)
class AllowanceFacts:
    """How many days of the class were attended, and whether a claim for what it taught stands."""

    days: int
    training_claimed: bool


@dataclass(frozen=True)
class InstitutionFacts:
    """How the institution that files stands: on the day training started, and on the day of filing. `suspended`: the
    days of a sanction that kept it off the catalog on the first, or keeps it from filing claims on the second. Since
    when it was told to leave (`left`), listed before or not, is told since version 8."""

    trained: Standing
    files: Standing
    suspended: Period | None = None
    left: date | None = None


@dataclass(frozen=True)
class AgeFacts:
    """In months, on the day training started; the age of retirement as `domain.retirement` answers it."""

    months: int
    retires_earliest_months: int
    retires_latest_months: int


@dataclass(frozen=True)
class GroupFacts:
    """The group that the claimant says they belong to, and since when the proof holds."""

    group: str
    proof_kind: str
    valid_from: date


@dataclass(frozen=True)
class FeeFacts:
    """The fee that an invoice shows. `invoice_used`: by a live claim, whoever's."""

    fee_fen: int
    payer_is_claimant: bool
    invoice_used: bool


@dataclass(frozen=True)
class ClassFacts:
    """The class (开班) that the claim names, as it stands under its number; occupation and level are those it taught.

    `on_roster`: the claimant has a place in it. `typed_start`: the day training started, where one was typed that is
    not the class's first. `attended_percent`: of the planned hours, whole and rounded down; None: no attendance is
    recorded for the class.
    """

    id: str
    status: str
    occupation: str
    level: str
    filed_on: date
    first: date
    on_roster: bool
    typed_start: date | None = None
    attended_percent: int | None = None


@dataclass(frozen=True)
class Facts:
    """Everything the rules look at. `warnings` are codes noticed while parsing id, certificate and account.

    `class_number`: as it was named; `of_class` None: there is no such class, or an institution named another's.
    """

    today: date
    channel: Channel
    training_started_on: date
    issued_on: date
    level: str
    certificate_number: str
    subsidy_key: str
    item: ItemFacts | None
    standard: StandardFacts | None
    earlier: tuple[EarlierClaim, ...]
    certificate_used: bool
    holder_is_payee: bool
    mandate: MandateFacts | None
    parameters: Parameters
    warnings: tuple[str, ...] = ()
    standing: tuple[StandingClaim, ...] = ()
    age: AgeFacts | None = None
    group: GroupFacts | None = None
    fee: FeeFacts | None = None
    place_link: PlaceLink | None = None
    institution: InstitutionFacts | None = None
    class_number: str | None = None
    of_class: ClassFacts | None = None
    #: A register that is not loaded, or not asked of this claim, is not among them.
    registers: tuple[Looked, ...] = ()
    contract: ContractFacts | None = None
    #: Whether who files for themself as an organisation has an account in force; persons name one.
    payee_has_account: bool = True
    #: A claim of a project has no certificate; the day of its result stands for the certificate's.
    project: ProjectFacts | None = None
    #: An allowance has none either; the last day of its class stands for it.
    allowance: AllowanceFacts | None = None

    @property
    def kind(self) -> ClaimKind:
        if self.allowance:
            return ClaimKind.ALLOWANCE
        return ClaimKind.PROJECT if self.project else ClaimKind.TRAINING

    @property
    def group_code(self) -> str:
        """The group that the claimant names; empty: none."""
        return self.group.group if self.group else ""


def once_in(parameters: Parameters, today: date) -> str:
    """The span in which one subsidy is given: 'ever', or the year of filing."""
    return "ever" if parameters.once_in == "ever" else str(today.year)
