"""Rules about registers: who is kept out by one, who is of the group they name, who was paid by the sister scheme.

What counts is whether an entry holds while the training ran: from the day it started to the day of the certificate. A
register that is not loaded says nothing: nobody is refused by it, and the decision tells that it was not looked into.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Protocol

from domain.eligibility.outcome import Result, Said, failed, passed
from domain.register import FoundEntry, Looked, Register, register_of_group


class Policy(Protocol):
    """The parameters that these rules depend on."""

    @property
    def excluding_registers(self) -> tuple[str, ...]: ...
    @property
    def graduating_students(self) -> str: ...
    @property
    def sister_scheme_paid(self) -> str: ...


class Looking(Protocol):
    """What these rules look at: the facts of a claim, or as much of them as is looked at again before payment."""

    @property
    def today(self) -> date: ...
    @property
    def training_started_on(self) -> date: ...
    @property
    def issued_on(self) -> date: ...
    @property
    def group_code(self) -> str: ...
    @property
    def parameters(self) -> Policy: ...
    @property
    def registers(self) -> tuple[Looked, ...]: ...


def not_on_public_payroll(facts: Looking) -> Said:
    entries = _in_training(facts, Register.PUBLIC_PAYROLL)
    if entries:
        return failed("excluded.public_payroll", **_told(facts, Register.PUBLIC_PAYROLL, entries))
    return _clear(facts, Register.PUBLIC_PAYROLL)


def not_studying(facts: Looking) -> Said:
    """Students are kept out before the year in which they graduate, and in it where policy says so."""
    year = facts.training_started_on.year + (facts.parameters.graduating_students == "granted")
    entries = [
        each for each in _in_training(facts, Register.STUDENTS) if each.graduates is None or each.graduates >= year
    ]
    if entries:
        return failed("excluded.students", **_told(facts, Register.STUDENTS, entries))
    return _clear(facts, Register.STUDENTS)


def not_a_pensioner(facts: Looking) -> Said:
    entries = _in_training(facts, Register.PENSIONERS)
    if entries:
        return failed("excluded.pensioners", **_told(facts, Register.PENSIONERS, entries))
    return _clear(facts, Register.PENSIONERS)


def without_pension(facts: Looking) -> date | None:
    """The day of the register of pensioners, where it was looked into as of the training or later, and the person
    drew no pension while they were trained; else None."""
    found = next((each for each in facts.registers if each.register == Register.PENSIONERS), None)
    if found is None or found.as_of < facts.training_started_on:
        return None
    drew = any(each.holds_within(facts.training_started_on, facts.issued_on) for each in found.entries)
    return None if drew else found.as_of


def living(facts: Looking) -> Said:
    """On the day this is asked: at filing, and again before the money leaves."""
    entries = [each for each in _excluding(facts, Register.DECEASED) if each.holds_within(date.min, facts.today)]
    if entries:
        return failed("excluded.deceased", **_told(facts, Register.DECEASED, entries))
    return _clear(facts, Register.DECEASED)


def in_group_register(facts: Looking) -> Said:
    """Whoever names a group stands in its register, where that is loaded, and did when training started."""
    if not facts.group_code:
        return passed("group.none")
    register, started = register_of_group(facts.group_code), facts.training_started_on
    entries = _entries(facts, register)
    if entries is None:
        return passed("register.not_checked", register=f"register.{register}")
    told = {"register": f"register.{register}", **_told(facts, register, entries)}
    if not entries:
        return failed("group.not_in_register", **told)
    if not any(each.holds_within(started, started) for each in entries):
        return failed("group.not_then", started=started.isoformat(), **told)
    return passed("group.in_register", **told)


def not_paid_by_sister_scheme(facts: Looking) -> Said:
    """失业保险技能提升补贴 for the same occupation and level: one ledger for both schemes."""
    if facts.parameters.sister_scheme_paid == "granted":
        return passed("register.not_asked", register=f"register.{Register.SISTER_PAYMENTS}")
    entries = _entries(facts, Register.SISTER_PAYMENTS)
    if entries is None:
        return passed("register.not_checked", register=f"register.{Register.SISTER_PAYMENTS}")
    told = _told(facts, Register.SISTER_PAYMENTS, entries)
    if entries:
        return failed("sister.paid", **told)
    return passed("register.clear", register=f"register.{Register.SISTER_PAYMENTS}", **told)


def _clear(facts: Looking, register: Register) -> Said:
    """That a register keeps nobody out: not asked, not loaded, or without this person while the training ran."""
    said = {"register": f"register.{register}"}
    if register not in facts.parameters.excluding_registers:
        return passed("register.not_asked", **said)
    if _entries(facts, register) is None:
        return passed("register.not_checked", **said)
    return passed("register.clear", **said, **_told(facts, register, ()))


def _entries(facts: Looking, register: str) -> tuple[FoundEntry, ...] | None:
    """Where the person stands in it; None: it is not loaded."""
    return next((each.entries for each in facts.registers if each.register == register), None)


def _excluding(facts: Looking, register: Register) -> tuple[FoundEntry, ...]:
    """The same, as far as policy lets the register keep anybody out."""
    return (_entries(facts, register) or ()) if register in facts.parameters.excluding_registers else ()


def _in_training(facts: Looking, register: Register) -> list[FoundEntry]:
    first, last = facts.training_started_on, facts.issued_on
    return [each for each in _excluding(facts, register) if each.holds_within(first, last)]


def _told(facts: Looking, register: str, entries: Sequence[FoundEntry]) -> dict[str, str | int]:
    """The day that the register describes, and what the first of these lines says, as far as it says it."""
    looked = next(each for each in facts.registers if each.register == register)
    told: dict[str, str | int] = {"as_of": looked.as_of.isoformat()}
    for entry in entries[:1]:
        told |= {name: day.isoformat() for name, day in (("first", entry.first), ("last", entry.last)) if day}
        told |= {"graduates": entry.graduates} if entry.graduates else {}
    return told


#: In the order in which a person reads them.
CHECKS = (not_on_public_payroll, not_studying, not_a_pensioner, living, in_group_register, not_paid_by_sister_scheme)


def objections_of(facts: Looking) -> list[Said]:
    """What the registers have against it: all that fails."""
    return [said for said in (check(facts) for check in CHECKS) if said.outcome is Result.FAILED]


@dataclass(frozen=True)
class ExclusionPolicy:
    """The parameters of these rules alone, as they are in force on the day a claim was filed."""

    excluding_registers: tuple[str, ...]
    graduating_students: str
    sister_scheme_paid: str


#: Their keys.
PARAMETERS = tuple(each.name for each in fields(ExclusionPolicy))


@dataclass(frozen=True)
class LookedAgain:
    """What is looked at again before payment."""

    today: date
    training_started_on: date
    issued_on: date
    group_code: str
    parameters: ExclusionPolicy
    registers: tuple[Looked, ...]
