"""The roster of a class from a sheet: the same change as from a form, told by the lines of the sheet."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from domain.actor import Actor
from domain.errors import Invalid
from domain.faults import Faults
from service.database import Tx
from service.gateways.headed_sheets import HeadedLine
from service.training.commands.filing import change_class
from service.training.schemas import ClassView, NewChange, NewPlace


async def change_roster(
    tx: Tx, me: Actor, class_id: UUID, lines: Sequence[HeadedLine], reason: str, today: date, now: datetime
) -> ClassView:
    """The sheet's trainees take the place of the roster while no session has begun. As `change_class`; what is
    malformed is named by the line of the sheet, what the rules refuse by the trainee's place in it."""
    faults = Faults()
    faults.found.extend(fault for line in lines for fault in line.faults())
    faults.raise_all()
    trainees = [
        NewPlace(each.cells["name"], each.cells["id_number"], each.cells.get("phone") or None) for each in lines
    ]
    try:
        return await change_class(tx, me, class_id, NewChange(reason, trainees=trainees), today, now)
    except Invalid as refusal:
        faults.found.extend(_by_line(each, lines) for each in (refusal, *refusal.others))
    faults.raise_all()
    raise AssertionError("something was malformed")


def _by_line(fault: Invalid, lines: Sequence[HeadedLine]) -> Invalid:
    """`trainees.3.phone` as `line 5.phone`; other fields are none of the sheet's."""
    of, _, rest = fault.field.partition(".")
    place, _, cell = rest.partition(".")
    if of != "trainees" or not cell:
        return fault
    return Invalid(fault.code, f"{lines[int(place) - 1].place}.{cell}", **fault.facts)
