"""The rules of a claim: facts in, a decision out. One implementation for filing, rosters, recheck and audit.

A decision holds every rule's outcome, so that it can be explained, and is a function of its facts alone, so that it
can be computed again from what was stored (promise 16). Facts hold no personal data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from domain.certificate import Certificate, cross_check
from domain.claim import Channel
from domain.level import LEVELS, schemes_for
from domain.period import add_months

#: Raised when any rule's meaning changes; stored with each decision.
RULES_VERSION = 1


class Result(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What one rule said: `code` has wording, which `facts` fill; `basis` is where the rule comes from."""

    rule: str
    version: int
    outcome: Result
    code: str
    facts: Mapping[str, Any]
    basis: str


@dataclass(frozen=True)
class Parameters:
    """Policy in force on the day of filing (dated data; see `data/policies.toml`)."""

    claim_window_months: int
    once_in: str  # 'ever', or 'year'


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
    id: str
    amount_fen: int
    sample: bool


@dataclass(frozen=True)
class EarlierClaim:
    """A live claim of the same person for the same occupation and level."""

    channel: str
    status: str
    filed_on: date
    once_in: str


@dataclass(frozen=True)
class MandateFacts:
    """代领协议 and its institution. `listed`: in the institution catalog on the day training started."""

    same_institution: bool
    first: date
    last: date
    fee_fen: int
    listed: bool


@dataclass(frozen=True)
class Facts:
    """Everything the rules look at. `warnings` are codes noticed while parsing id, certificate and account."""

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


@dataclass(frozen=True)
class Decision:
    """`amount_fen` is what will be paid when eligible, else None."""

    outcomes: tuple[Outcome, ...]
    amount_fen: int | None
    rules_version: int = RULES_VERSION

    @property
    def eligible(self) -> bool:
        return all(each.outcome is not Result.FAILED for each in self.outcomes)

    @property
    def failed(self) -> list[str]:
        return [each.code for each in self.outcomes if each.outcome is Result.FAILED]


def once_in(parameters: Parameters, today: date) -> str:
    """The span in which one subsidy is given: 'ever', or the year of filing."""
    return "ever" if parameters.once_in == "ever" else str(today.year)


@dataclass(frozen=True)
class _Said:
    outcome: Result
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def _passed(code: str, **facts: Any) -> _Said:
    return _Said(Result.PASSED, code, facts)


def _failed(code: str, **facts: Any) -> _Said:
    return _Said(Result.FAILED, code, facts)


def in_catalog(facts: Facts) -> _Said:
    day = facts.training_started_on.isoformat()
    if facts.item is None:
        return _failed("item.not_in_catalog", day=day)
    if facts.item.code is None:
        return _failed("item.project")
    return _passed("item.in_catalog", day=day, list=f"list.{facts.item.list_kind}")


def level_fits(facts: Facts) -> _Said:
    level = LEVELS[facts.level]
    if facts.item and facts.item.code and level.scheme not in schemes_for(facts.item.code):
        return _failed("level.not_of_occupation", level=level.short)
    return _passed("level.fits", level=level.short)


def standard_in_force(facts: Facts) -> _Said:
    day = facts.training_started_on.isoformat()
    if facts.standard is None:
        return _failed("standard.none", day=day)
    return _passed("standard.in_force", day=day, amount_fen=facts.standard.amount_fen)


def in_time(facts: Facts) -> _Said:
    last = add_months(facts.issued_on, facts.parameters.claim_window_months)
    months = facts.parameters.claim_window_months
    if facts.today > last:
        return _failed("window.over", last=last.isoformat(), months=months)
    return _passed("window.open", last=last.isoformat(), months=months)


def training_before_certificate(facts: Facts) -> _Said:
    if facts.training_started_on > facts.issued_on:
        return _failed("training.after_certificate", started=facts.training_started_on.isoformat())
    return _passed("training.before_certificate", started=facts.training_started_on.isoformat())


def certificate_fits(facts: Facts) -> _Said:
    certificate = Certificate.parse(facts.certificate_number)
    remarks = [*certificate.warnings, *cross_check(certificate, facts.level, facts.issued_on, facts.today)]
    worst = next((each for each in remarks if each.refuses), remarks[0] if remarks else None)
    if worst is None:
        return _passed("certificate.fits")
    said = {name: _plain(value) for name, value in worst.facts.items()}
    return _Said(Result.FAILED if worst.refuses else Result.WARNED, worst.code, said)


def certificate_not_used(facts: Facts) -> _Said:
    return _failed("certificate.used") if facts.certificate_used else _passed("certificate.not_used")


def only_once(facts: Facts) -> _Said:
    mine = once_in(facts.parameters, facts.today)
    same = [each for each in facts.earlier if each.once_in == mine or "ever" in (mine, each.once_in)]
    if same:
        first = min(same, key=lambda each: each.filed_on)
        channel, status = f"channel.{first.channel}", f"status.{first.status}"
        return _failed("claim.already_filed", channel=channel, status=status, filed_on=first.filed_on.isoformat())
    return _passed("claim.first", once_in=mine)


def holder_is_payee(facts: Facts) -> _Said:
    return _passed("account.holder_fits") if facts.holder_is_payee else _failed("account.holder_differs")


def nothing_odd(facts: Facts) -> _Said:
    if facts.warnings:
        return _Said(Result.WARNED, facts.warnings[0], {"all": list(facts.warnings)})
    return _passed("input.plain")


def mandate_holds(facts: Facts) -> _Said:
    if facts.channel is not Channel.INSTITUTION:
        return _passed("mandate.not_needed")
    if facts.mandate is None or not facts.mandate.same_institution:
        return _failed("mandate.missing")
    if facts.mandate.fee_fen:
        return _failed("mandate.fee")
    if not facts.mandate.first <= facts.today <= facts.mandate.last:
        first, last = facts.mandate.first.isoformat(), facts.mandate.last.isoformat()
        return _failed("mandate.not_in_force", first=first, last=last)
    return _passed("mandate.holds", last=facts.mandate.last.isoformat())


def institution_listed(facts: Facts) -> _Said:
    if facts.channel is not Channel.INSTITUTION:
        return _passed("institution.not_needed")
    if facts.mandate is None or not facts.mandate.listed:
        return _failed("institution.not_listed", day=facts.training_started_on.isoformat())
    return _passed("institution.listed", day=facts.training_started_on.isoformat())


_NOTICE = "济人社函〔2023〕28号"

#: Every rule, in the order in which a person reads them: its name, its version, its legal basis.
RULES: tuple[tuple[Callable[[Facts], _Said], int, str], ...] = (
    (in_catalog, 1, f"{_NOTICE} 二"),
    (level_fits, 1, f"{_NOTICE} 二（一）3；国家职业分类大典"),
    (standard_in_force, 1, f"{_NOTICE} 三"),
    (training_before_certificate, 1, "证书核发在培训之后"),
    (in_time, 1, "申领期限（政策参数 claim_window_months）"),
    (certificate_fits, 1, "职业技能等级证书编码规则"),
    (certificate_not_used, 1, "一证一领"),
    (only_once, 1, f"{_NOTICE} 三；同一职业同一等级不重复享受（政策参数 once_in）"),
    (holder_is_payee, 1, f"{_NOTICE} 三.8 补贴直达个人"),
    (mandate_holds, 1, f"{_NOTICE} 三.8 培训机构代领；代领协议"),
    (institution_listed, 1, f"{_NOTICE} 二（二）"),
    (nothing_odd, 1, "填写核对"),
)


def decide(facts: Facts) -> Decision:
    """Every rule's outcome over `facts`, and the amount in fen when none failed."""
    outcomes = []
    for rule, version, basis in RULES:
        said = rule(facts)
        outcomes.append(Outcome(rule.__name__, version, said.outcome, said.code, said.facts, basis))
    decision = Decision(tuple(outcomes), None)
    if decision.eligible and facts.standard is not None:
        return Decision(decision.outcomes, facts.standard.amount_fen)
    return decision


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
