"""Who teaches and who assesses: found by district, grade, item and standing; and one institution on a day."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from domain.errors import Invalid
from domain.institution import LISTED, Grade, InstitutionKind, Standing
from service.access.queries import claimable_districts, district_names
from service.catalog.queries.canonical import canonical_codes
from service.catalog.queries.drafts import aliases
from service.catalog.queries.published import catalog_on
from service.database import Tx
from service.institutions.queries import registry
from service.institutions.schemas import InstitutionView, ScopeView
from service.oversight.queries.evaluations import results_of
from service.oversight.queries.penalties import public_penalties
from service.pages.catalog_pages import readable
from service.pages.forms import Fault, day_written, faults_of
from service.wording import words

#: Who assesses, and who teaches: everybody else that stands in the catalog.
BODIES = frozenset({InstitutionKind.ASSESSMENT_BODY})
TEACHING = frozenset(InstitutionKind) - BODIES
TONES = {Standing.LISTED: "green", Standing.SUSPENDED: "amber", Standing.EXPIRED: "", Standing.EXITED: "red"}
_SHOWN_MAX, _OF_AN_ITEM_MAX = 30, 200


@dataclass(frozen=True)
class Asked:
    """What the address asks for, as it was typed. What cannot be meant finds nothing; a strange day is a fault."""

    names: ClassVar = ("district", "grade", "item", "standing", "on", "after")

    district: str = ""
    grade: str = ""
    item: str = ""
    standing: str = ""
    on: str = ""
    after: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Asked":
        return cls(*(readable(asked.get(name, "")) for name in cls.names))

    def address(self, path: str, **other: str) -> str:
        """The same question with something else in it, from its beginning unless `after` is given."""
        told = {**vars(self), "after": "", **other}
        return f"{path}?{urlencode({name: value for name, value in told.items() if value})}".removesuffix("?")

    @property
    def narrowed(self) -> bool:
        return any((self.district, self.grade, self.item, self.standing))


async def found(tx: Tx, asked: Asked, kinds: Collection[str], path: str, today: date) -> dict[str, Any]:
    """A page of those that were asked for; where a district has none, in which there are some."""
    on, faults = _day(asked, today)
    occupations = await _occupations(tx, asked.item, on) if asked.item else None
    sought = registry.Sought(
        on,
        asked.district or None,
        standing=asked.standing or None,
        grade=asked.grade or None,
        kinds=kinds,
        occupations=occupations,
    )
    page = await registry.public_page(tx, sought, asked.after, _SHOWN_MAX)
    names = await district_names(tx)
    elsewhere = await registry.public_counts(tx, sought) if asked.district and not page.institutions else {}
    return {
        "asked": asked,
        "path": path,
        "on": on,
        "today": today,
        "faults": faults,
        "institutions": page.institutions,
        "next": page.next,
        "places": names,
        "elsewhere": [(code, names.get(code, code), count) for code, count in sorted(elsewhere.items())],
        "districts": await claimable_districts(tx),
        "grades": [str(grade) for grade in Grade],
        "standings": [(str(each), words(f"standing.{each}")) for each in Standing if each != Standing.NEVER],
        "tones": TONES,
        "sample": any(each.sample for each in page.institutions),
    }


async def institution(tx: Tx, institution_id: UUID, asked: Mapping[str, str], today: date) -> dict[str, Any]:
    """One institution on a day, with what is published of it. NotFound `institution.not_found`."""
    said = Asked.of(asked)
    on, faults = _day(said, today)
    view = await registry.public_view(tx, institution_id, on)
    penalties = (await public_penalties(tx, today, institution_id)).penalties
    return {
        "asked": said,
        "on": on,
        "faults": faults,
        "institution": view,
        "place": (await district_names(tx)).get(view.district, view.district),
        "teaches": view.kind not in BODIES,
        "scopes": await _named(tx, view.scopes, on),
        "penalties": [(each, [words(f"stopped.{stop}") for stop in each.stops]) for each in penalties],
        "results": await results_of(tx, institution_id),
        "tones": TONES,
    }


async def where_to(tx: Tx, code: str, on: date) -> dict[str, Sequence[tuple[InstitutionView, str]]]:
    """Who may teach an occupation today, and who may assess it, each with the name of its district."""
    meant = (await canonical_codes(tx, [code])).get(code, code)
    page = await registry.public_page(tx, registry.Sought(on, occupations={meant}), "", _OF_AN_ITEM_MAX)
    names = await district_names(tx)
    here = [(each, names.get(each.district, "")) for each in page.institutions if each.standing in LISTED]
    return {
        "schools": [each for each in here if each[0].kind not in BODIES],
        "bodies": [each for each in here if each[0].kind in BODIES],
    }


def _day(asked: Asked, today: date) -> tuple[date, list[Fault]]:
    """The day that was asked for; today where none was, or where it cannot be read."""
    try:
        return day_written(asked.on, "on") if asked.on else today, []
    except Invalid as refusal:
        return today, faults_of([refusal])


async def _occupations(tx: Tx, item: str, on: date) -> set[str]:
    """The occupations that somebody means by a name, a part of one, or a code, as institutions are filed for them."""
    rows = [row for row in (await catalog_on(tx, on, item)).items if row.code]
    exact = [row for row in rows if item in (row.name, row.code)]
    return set((await canonical_codes(tx, [row.code or "" for row in exact or rows])).values())


async def _named(tx: Tx, scopes: Iterable[ScopeView], on: date) -> list[tuple[str, str, Sequence[str]]]:
    """Code, name and levels of what an institution is filed for; without a name where the catalog has none then."""
    meant = await aliases(tx)
    rows = [row for row in (await catalog_on(tx, on)).items if row.code]
    names = {meant.get(row.code or "", row.code): (row.code or "", row.name) for row in reversed(rows)}
    return [(*names.get(each.occupation, (each.occupation, "")), each.levels) for each in scopes]
