"""One line of a roster → what a clerk would have typed for a single claim, read by the same readers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from domain.errors import Invalid
from domain.faults import Faults
from domain.roster import Reason
from service.claims.commands.mandates import Mandate, read_mandate, read_trainee
from service.claims.commands.reading import Read, read_all
from service.claims.commands.roster_words import GROUP, NEEDED, PAPER, complete, in_one_form
from service.claims.schemas import NewClaim, NewMandate
from service.gateways.roster_sheets import BY_FIELD, COLUMNS, RosterLine, RosterPart
from service.people.commands import NewPerson

_PLACES = {column.field: place for place, column in enumerate(COLUMNS)}

S = TypeVar("S", bound=Struct)


@dataclass(frozen=True)
class Draft:
    """A line whose every value is well formed. `item_name` stands where no code was typed."""

    trainee: NewPerson
    read: Read
    item_name: str
    mandate: Mandate | None


def read_line(
    part: RosterPart, line: RosterLine, today: date, class_number: str | None = None
) -> Draft | list[Reason]:
    """The line read, or everything that keeps it from being read, in the order of the template. `class_number` is the
    roster's, for a line that names none."""
    typed = in_one_form(part.typed(line))
    if class_number is not None:
        typed.setdefault("class_number", class_number)
    told = {reason.field: reason for reason in (*_of_sheet(line), *_missing(typed))}
    faults, draft = Faults(), None
    try:
        draft = _draft(complete(typed, faults), today, faults)
    except Invalid as unfit:
        faults.found.append(unfit)
    for fault in faults.found:
        if fault.field in typed or fault.field not in BY_FIELD:  # what was not typed is missing, or may be
            told.setdefault(fault.field, Reason.of(fault))
    if draft is None or told:
        return sorted(told.values(), key=lambda reason: _PLACES.get(reason.field, len(_PLACES)))
    return draft


def _of_sheet(line: RosterLine) -> Iterable[Reason]:
    if line.repeats:
        yield Reason("trainee.id_number", "roster.repeated", {"line": line.repeats})
    yield from (Reason(field, code, {}) for field, code in line.spoilt.items())


def _missing(typed: Mapping[str, str]) -> Iterable[Reason]:
    needed = [*NEEDED, *(GROUP if typed.keys() & set(GROUP) else ())]
    if "item_name" not in typed:
        needed.append("item_code")
    if "mandate_id" not in typed:
        if not typed.keys() & set(PAPER):
            yield Reason("mandate_id", "roster.no_mandate", {})
        else:
            needed += PAPER
    yield from (Reason(field, "value.missing", {}) for field in needed if field not in typed)


def _draft(given: Mapping[str, Any], today: date, faults: Faults) -> Draft:
    """What is malformed stands in `faults`; Invalid when a body cannot be made at all."""
    claim = _body(NewClaim, given)
    signed = _body(NewMandate, {**dict.fromkeys(PAPER, ""), **given, "fee_fen": 0})
    return Draft(
        trainee=read_trainee(signed.trainee, today, faults),
        read=read_all(claim, faults),
        item_name=given.get("item_name", "").strip(),
        mandate=None if claim.mandate_id else read_mandate(signed, today, faults),
    )


def _body(kind: type[S], given: Mapping[str, Any]) -> S:
    """The values that belong into a body, by their paths; Invalid `value.form` for one that is of no such type."""
    body: dict[str, Any] = {}
    for path, value in given.items():
        outer, _, last = path.rpartition(".")
        (body.setdefault(outer, {}) if outer else body)[last] = value
    try:
        return msgspec.convert(
            {name: body[name] for name in kind.__struct_fields__ if name in body}, kind, strict=False
        )
    except msgspec.ValidationError as refusal:
        raise Invalid("value.form", field=str(refusal).rpartition("`$.")[2].rstrip("`")) from None
