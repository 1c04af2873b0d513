"""Registers (名册): lists of persons that other offices keep, loaded as they stood on a day. What a line may say, and
what is found of one person.

Found facts hold no personal data: where the line stands, and its days.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from domain.catalog.reading import CODE, read_code
from domain.errors import Forbidden, Invalid
from domain.level import level_named
from domain.period import Period, parse_date


class Register(StrEnum):
    """Registers that are kept beside those of the groups of persons."""

    PUBLIC_PAYROLL = "public_payroll"  # 财政供养人员
    STUDENTS = "students"  # 全日制在校学生
    PENSIONERS = "pensioners"  # 领取养老金人员
    DECEASED = "deceased"  # 死亡人员
    UNEMPLOYMENT_INSURANCE = "unemployment_insurance"  # 失业保险参保: who is in it is an employee of an enterprise
    SISTER_PAYMENTS = "sister_payments"  # 失业保险技能提升补贴发放


#: Who is in one of these may be kept out, by the policy parameter `excluding_registers`.
EXCLUDING = (Register.PUBLIC_PAYROLL, Register.STUDENTS, Register.PENSIONERS, Register.DECEASED)
_INSURED = "enterprise_employee"


def register_of_group(group: str) -> str:
    """The register that says who belongs to a group of persons."""
    return Register.UNEMPLOYMENT_INSURANCE if group == _INSURED else f"group_{group}"


def registers_with(groups: Iterable[str]) -> tuple[str, ...]:
    """Every register there is, where these are the groups."""
    return (*map(str, Register), *(f"group_{each}" for each in groups if each != _INSURED))


@dataclass(frozen=True)
class FoundEntry:
    """A line of a register on which a person stands: `first` to `last` is when it holds, each None where the line
    does not say. `graduates` is a student's year of graduation."""

    line: int
    first: date | None = None
    last: date | None = None
    graduates: int | None = None

    def holds_within(self, first: date, last: date) -> bool:
        """Whether it holds on any day of these."""
        return (self.first is None or self.first <= last) and (self.last is None or first <= self.last)


@dataclass(frozen=True)
class Looked:
    """What the loaded register said of one person: `as_of` is the day it describes; no entry: they are not in it."""

    register: str
    snapshot: str
    as_of: date
    entries: tuple[FoundEntry, ...] = ()


@dataclass(frozen=True)
class Entry:
    """What a line says beside the number of the person."""

    first: date | None = None
    last: date | None = None
    graduates: int | None = None
    occupation: str | None = None
    level: str | None = None

    @classmethod
    def read(cls, register: str, said: Mapping[str, str]) -> Self:
        """From the cells of a line. Invalid, with the cell as its field: `value.missing`, what `parse_date` and
        `level_named` say, `register.year`, `register.occupation`, `period.reversed`."""
        needed = needed_in(register)
        read: dict[str, Any] = {}
        for name, reader in _READERS.items():
            if written := said.get(name, ""):
                read[name] = reader(written)
            elif name in needed:
                raise Invalid("value.missing", name)
        entry = cls(**read)
        if entry.first and entry.last:
            Period(entry.first, entry.last)
        return entry


def needed_in(register: str) -> tuple[str, ...]:
    """The cells that every line of this register has, beside the number."""
    return _NEEDED.get(register, ("first",))


#: Those of the other registers (of groups, among others) say from when.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    Register.PUBLIC_PAYROLL: (),
    Register.STUDENTS: ("graduates",),
    Register.SISTER_PAYMENTS: ("first", "occupation", "level"),
}


def _year(written: str) -> int:
    if len(written) != 4 or not written.isascii() or not written.isdigit() or not 1950 <= int(written) <= 2100:
        raise Invalid("register.year", "graduates")
    return int(written)


def _occupation(written: str) -> str:
    code = read_code(written)
    if not CODE.fullmatch(code):
        raise Invalid("register.occupation", "occupation")
    return code


_READERS: Mapping[str, Callable[[str], object]] = {
    "first": lambda written: parse_date(written, "first"),
    "last": lambda written: parse_date(written, "last"),
    "graduates": _year,
    "occupation": _occupation,
    "level": lambda written: level_named(written).code,
}


def must_be_another(loader_id: UUID, person_id: UUID) -> None:
    """Forbidden `register.same_person`: whoever loaded a register does not confirm it."""
    if person_id == loader_id:
        raise Forbidden("register.same_person")
