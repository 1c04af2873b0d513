"""What somebody will get, or the one precise reason why there is no amount."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.level import SkillLevel, schemes_for


@dataclass(frozen=True)
class Found:
    """What is known of a day, an occupation and a level. `codes`: those that bear the name, or the one asked for.

    `first` and `last` are the ends of all days on which any standards are in force; `priced`: the levels that have an
    amount that day.
    """

    day: date
    edition: bool
    codes: Collection[str]
    project: bool
    level: SkillLevel
    standards: bool
    first: date | None
    last: date | None
    priced: Collection[str]


@dataclass(frozen=True)
class FoundProject:
    """What is known of a day and a project. `named`: the edition has something of that name, `project`: a project;
    `projects`: the standards of the day price projects, `priced`: this one among them."""

    day: date
    edition: bool
    named: bool
    project: bool
    standards: bool
    first: date | None
    last: date | None
    projects: bool
    priced: bool


def why_no_project(found: FoundProject) -> tuple[str, Mapping[str, Any]] | None:
    """The code and facts of the first thing in the way; None when there is an amount."""
    day = {"day": found.day.isoformat()}
    if not found.edition:
        return "lookup.no_edition", day
    if not found.named:
        return "lookup.not_in_catalog", day
    if not found.project:
        return "lookup.no_project", day
    if not found.standards:
        return _no_standards(found, day)
    if not found.projects:
        return "lookup.no_projects", day
    return None if found.priced else ("lookup.project_unpriced", day)


def why_none(found: Found) -> tuple[str, Mapping[str, Any]] | None:
    """The code and facts of the first thing in the way; None when there is an amount."""
    return _catalog_says(found) or _standards_say(found)


def _catalog_says(found: Found) -> tuple[str, Mapping[str, Any]] | None:
    day = {"day": found.day.isoformat()}
    if not found.edition:
        return "lookup.no_edition", day
    if found.project:
        return "lookup.project", day
    if not found.codes:
        return "lookup.not_in_catalog", day
    if len(found.codes) > 1:
        return "lookup.several", {**day, "codes": sorted(found.codes)}
    if not all(found.level.scheme in schemes_for(code) for code in found.codes):
        return "lookup.other_levels", {"level": found.level.short}
    return None


def _standards_say(found: Found) -> tuple[str, Mapping[str, Any]] | None:
    day = {"day": found.day.isoformat()}
    if not found.standards:
        return _no_standards(found, day)
    if not found.priced:
        return "lookup.no_occupation", day
    if found.level.code not in found.priced:
        return "lookup.no_level", {**day, "level": found.level.short}
    return None


def _no_standards(found: Found | FoundProject, day: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Before the first day of all, after the last, or in between."""
    if found.first is None:
        return "lookup.no_standards", day
    if found.day < found.first:
        return "lookup.before", {**day, "first": found.first.isoformat()}
    if found.last is not None and found.day > found.last:
        return "lookup.after", {**day, "last": found.last.isoformat()}
    return "lookup.gap", day
