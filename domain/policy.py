"""Policy parameters: which there are, and what each may be set to. Their values are dated data, never here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, Self
from uuid import UUID

from domain.agent_bank import AgentBanks, BanksByDays
from domain.batch_checks import CheckSteps
from domain.claim import PlaceLink
from domain.errors import Forbidden, Invalid
from domain.level import LEVELS
from domain.period import Period, parse_date
from domain.register import EXCLUDING
from domain.signal import Signal, Thresholds, policy_key

KEY_LENGTH_MAX = 60
#: How funds and groups of persons are named.
_CODE = re.compile("[a-z][a-z_]{0,39}")


class Form(Protocol):
    """What a value must be."""

    def check(self, value: object) -> None:
        """Invalid, field `value`, unless it is."""


@dataclass(frozen=True)
class Whole:
    """A whole number between two bounds, both included."""

    least: int
    most: int

    def check(self, value: object) -> None:
        if not _is_whole(value, self.least, self.most):
            raise Invalid("policy.not_whole", field="value", least=self.least, most=self.most)


@dataclass(frozen=True)
class OneOf:
    """One of some words."""

    options: tuple[str, ...]

    def check(self, value: object) -> None:
        if value not in self.options:
            raise Invalid("policy.not_an_option", field="value", options=list(self.options))


@dataclass(frozen=True)
class SomeOf:
    """At least one of some words, none of them twice."""

    options: tuple[str, ...]

    def check(self, value: object) -> None:
        fits = isinstance(value, list) and value and all(each in self.options for each in value)
        if not fits or len(set(value)) < len(value):  # type: ignore[call-overload, arg-type]
            raise Invalid("policy.not_an_option", field="value", options=list(self.options))


class YesNo:
    """True or false, and no word or number that might mean it."""

    def check(self, value: object) -> None:
        if not isinstance(value, bool):
            raise Invalid("policy.not_yes_or_no", field="value")


@dataclass(frozen=True)
class Limit:
    """At most `count` subsidies for a `scope` (a person) within a `window`, for claims filed `first` to `last`."""

    scope: str
    window: str
    count: int
    first: date
    last: date | None

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """From `{scope, window, count, from, to}`, `to` left out where it has no end. Invalid where one is not well
        formed."""
        limit = cls(
            written["scope"],
            written["window"],
            written["count"],
            parse_date(written["from"], "value"),
            parse_date(written["to"], "value") if "to" in written else None,
        )
        Period(limit.first, limit.last)
        return limit

    def holds_on(self, day: date) -> bool:
        return day in Period(self.first, self.last)

    def counts(self, filed_on: date, day: date) -> bool:
        """Whether a claim filed on that day counts for one filed on `day`."""
        return self.window == EVER or filed_on.year == day.year


PERSON = "person"
CALENDAR_YEAR, EVER = "calendar_year", "ever"


class Limits:
    """A list of limits; an empty one sets none."""

    MOST = 10
    COUNT_MOST = 100
    _NEEDED = frozenset({"scope", "window", "count", "from"})

    def check(self, value: object) -> None:
        if not isinstance(value, list) or len(value) > self.MOST or not all(map(self._is_limit, value)):
            raise Invalid("policy.not_limits", field="value", most=self.COUNT_MOST)

    def _is_limit(self, written: object) -> bool:
        if not isinstance(written, dict) or written.keys() - {"to"} != self._NEEDED:
            return False
        if written["scope"] != PERSON or written["window"] not in (CALENDAR_YEAR, EVER):
            return False
        try:
            return _is_whole(written["count"], 1, self.COUNT_MOST) and bool(Limit.read(written))
        except Invalid:
            return False


class FundOfGroup:
    """`{default, groups}`: the fund for whoever belongs to no group that is named, and group → fund for others."""

    def check(self, value: object) -> None:
        if not isinstance(value, dict) or value.keys() != {"default", "groups"}:
            raise Invalid("policy.not_funds", field="value")
        groups = value["groups"]
        codes = [value["default"], *groups, *groups.values()] if isinstance(groups, dict) else [None]
        if not all(isinstance(code, str) and _CODE.fullmatch(code) for code in codes):
            raise Invalid("policy.not_funds", field="value")


class HoursOfLevels:
    """Level → 学时, for as many levels as there is something to say of."""

    MOST = 10_000

    def check(self, value: object) -> None:
        if not isinstance(value, dict) or not value.keys() <= LEVELS.keys():
            raise Invalid("policy.not_hours", field="value", most=self.MOST)
        if not all(_is_whole(hours, 1, self.MOST) for hours in value.values()):
            raise Invalid("policy.not_hours", field="value", most=self.MOST)


class LivingAllowance:
    """`{days_most, fen_a_day}`: for how many days at most, and group → fen a day."""

    DAYS_MOST, FEN_MOST = 366, 100_000

    def check(self, value: object) -> None:
        if not isinstance(value, dict) or value.keys() != {"days_most", "fen_a_day"}:
            raise Invalid("policy.not_allowance", field="value")
        groups = value["fen_a_day"]
        fits = isinstance(groups, dict) and all(
            isinstance(code, str) and _CODE.fullmatch(code) and _is_whole(fen, 1, self.FEN_MOST)
            for code, fen in groups.items()
        )
        if not fits or not _is_whole(value["days_most"], 1, self.DAYS_MOST):
            raise Invalid("policy.not_allowance", field="value")


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


#: Every parameter there is, and what it may be.
FORMS: Mapping[str, Form] = {
    "claim_window_months": Whole(1, 120),
    "once_in": OneOf(("ever", "year")),
    "notice_working_days": Whole(1, 60),
    "review_working_days": Whole(1, 60),
    "second_review_percent": Whole(0, 100),
    "second_review_from_fen": Whole(1, 10**10),
    "review_lease_minutes": Whole(1, 480),
    "step_up": OneOf(("signatures", "none")),
    "payment_working_days": Whole(1, 60),
    "correction_working_days": Whole(1, 60),
    "correction_reminder_working_days": Whole(1, 60),
    "review_request_days": Whole(1, 365),
    "offer_days": Whole(1, 365),
    "claim_appeal_working_days": Whole(1, 60),
    "manual_check_second_from_fen": Whole(0, 10**9),
    "new_account_check_fen": Whole(0, 10**10),
    "clawback_term_days": Whole(1, 365),
    "manual_check_after_days": Whole(1, 365),
    "certificate_recheck_months": Whole(1, 60),
    "appeal_working_days": Whole(1, 120),
    "complaint_working_days": Whole(1, 60),
    "signal_window_months": Whole(1, 60),
    **{policy_key(signal): Thresholds(signal) for signal in Signal},
    "return_missing_working_days": Whole(1, 60),
    "return_due_hours": Whole(1, 720),
    "counting_limits": Limits(),
    "lower_level_after_higher": OneOf(("refused", "granted")),
    "age_from_years": Whole(14, 30),
    "subsidy_capped_by_fee": YesNo(),
    "place_link_required": YesNo(),
    "place_links": SomeOf(tuple(PlaceLink)),
    "excluding_registers": SomeOf(tuple(EXCLUDING)),
    "graduating_students": OneOf(("granted", "refused")),
    "sister_scheme_paid": OneOf(("refused", "granted")),
    "reconsideration_days": Whole(1, 365),
    "lawsuit_months": Whole(1, 60),
    "fund_of_group": FundOfGroup(),
    "agent_bank": AgentBanks(),
    "debits_singly": BanksByDays(),
    "batch_check_steps": CheckSteps(),
    "selection_publicity_working_days": Whole(1, 60),
    "institution_claim_needs_class": YesNo(),
    "class_filing_working_days": Whole(0, 60),
    "class_size_least": Whole(1, 500),
    "class_size_most": Whole(1, 500),
    "class_hour_minutes": Whole(30, 60),
    "class_day_hours_most": Whole(1, 16),
    "class_earliest_hour": Whole(0, 12),
    "class_latest_hour": Whole(12, 24),
    "class_reference_hours": HoursOfLevels(),
    "enterprise_contract_months": Whole(0, 120),
    "enterprise_hired_months": Whole(0, 120),
    "living_allowance": LivingAllowance(),
    "attendance_minutes_around": Whole(0, 180),
    "attendance_grace_minutes": Whole(0, 120),
    "attendance_session_percent": Whole(1, 100),
    "attendance_share_least": Whole(0, 100),
    "patrol_result_working_days": Whole(0, 20),
    "patrol_failed_points": Whole(1, 100),
    # per cent of claims, by count; a city that has set none has no line on its board
    "individual_share_target": Whole(1, 100),
}


def check_value(key: str, value: object) -> None:
    """Invalid `policy.unknown` (field `key`) for a parameter there is none of, or what its form says of the value."""
    if key not in FORMS:
        raise Invalid("policy.unknown", field="key", known=sorted(FORMS))
    FORMS[key].check(value)


def must_be_another(proposer_id: UUID, person_id: UUID) -> None:
    """Forbidden `policy.same_person`: whoever proposed a change does not confirm it."""
    if person_id == proposer_id:
        raise Forbidden("policy.same_person")
