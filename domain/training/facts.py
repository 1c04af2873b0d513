"""What the rules of a class look at; stored with its decision, so that it can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, Self

from domain.errors import Conflict
from domain.training.timetable import Session


@dataclass(frozen=True)
class Parameters:
    """Policy in force on the day of filing (`data/policies.toml`). Hours are 学时; `class_reference_hours` by level
    stand in where the standard names none."""

    class_filing_working_days: int
    class_size_least: int
    class_size_most: int
    class_hour_minutes: int
    class_day_hours_most: int
    class_earliest_hour: int
    class_latest_hour: int
    class_reference_hours: Mapping[str, int]
    age_from_years: int

    @classmethod
    def of(cls, policy: Mapping[str, Any], on: date) -> Self:
        """From the parameters by key; Conflict `policy.missing` where one is not in force on that day."""
        keys = {each.name for each in fields(cls)}
        if missing := keys - policy.keys():
            raise Conflict("policy.missing", key=min(missing), on=on.isoformat())
        return cls(**{key: policy[key] for key in keys})


@dataclass(frozen=True)
class StandardFacts:
    """`hours`: the reference hours of the occupation, where its standard knows them."""

    id: str
    hours: int | None


@dataclass(frozen=True)
class StandingFacts:
    """How the institution stands on a day, and whether it may file classes then."""

    day: date
    standing: str
    may_file: bool


@dataclass(frozen=True)
class InspectionFacts:
    """The latest inspection of the institution that has a result."""

    passed: bool
    inspected_on: date


@dataclass(frozen=True)
class TraineeFacts:
    """In months, on the day the class starts; the ages of retirement as `domain.retirement` answers them."""

    line: int
    months: int
    retires_earliest_months: int
    retires_latest_months: int


@dataclass(frozen=True)
class RepeatedLine:
    """The same person stands in line `first` already."""

    line: int
    first: int


class Whose(StrEnum):
    TRAINEE = "trainee"
    TEACHER = "teacher"
    ROOM = "room"


@dataclass(frozen=True)
class Busy:
    """Somebody, or a room, that another class has at the time. `place` is the line of a trainee, the number of a
    teacher or of a session; `who` is masked. Nothing says whose class it is: whoever types a number of a person would
    learn where they are."""

    whose: Whose
    place: int
    who: str
    day: date
    begins: int
    ends: int


@dataclass(frozen=True)
class Facts:
    """`earliest_on`: the first day on which the class may start, counted from its filing, or from the change that
    moved its start. `standings`: on the day of filing, on that of a change, and on the first day. `scope`: the levels
    of this occupation that the institution is admitted to teach. `held_before`: it has a class that was approved."""

    filed_on: date
    earliest_on: date
    occupation: str
    level: str
    item_code: str
    item_id: str | None
    standard: StandardFacts | None
    standings: tuple[StandingFacts, ...]
    scope: tuple[str, ...]
    held_before: bool
    inspection: InspectionFacts | None
    planned_hours: int
    sessions: tuple[Session, ...]
    trainees: tuple[TraineeFacts, ...]
    parameters: Parameters
    repeated: tuple[RepeatedLine, ...] = ()
    teachers_on_roster: tuple[int, ...] = ()
    busy: tuple[Busy, ...] = ()

    @property
    def starts_on(self) -> date:
        return min(each.day for each in self.sessions)

    @property
    def ends_on(self) -> date:
        return max(each.day for each in self.sessions)
