"""你能领多少: what one gets for an occupation, by level, day and group; or why there is nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import Invalid
from domain.faults import Faults
from domain.level import LEVELS, SkillLevel, level_of, schemes_for
from service.database import Tx
from service.pages.amounts_in_words import in_short
from service.pages.catalog_pages import readable
from service.pages.forms import Fault, Typed, day_written, faults_of
from service.pages.names import english
from service.policies.queries import groups
from service.standards.queries.formulas import formulas_of
from service.standards.queries.lookup import Asked, look_up
from service.standards.schemas import LookupView

_FIELDS = ("level", "day", "group")


@dataclass(frozen=True)
class Calculator:
    """The form as it was typed, and the answer once it was asked. `groups`: (code, name) where the standard of the
    day looks at them."""

    typed: Typed
    levels: Sequence[SkillLevel]
    groups: Sequence[tuple[str, str]]
    faults: list[Fault]
    answer: LookupView | None

    @property
    def formula(self) -> str:
        return in_short(self.answer.steps) if self.answer else ""


async def asked_of(tx: Tx, code: str, asked: Mapping[str, str], today: date) -> Calculator:
    """What stands in the address: nothing is asked before a level is chosen, and today's standard without a day."""
    typed = {name: readable(asked.get(name, "")) for name in _FIELDS}
    levels = [level for level in LEVELS.values() if level.scheme in schemes_for(code)]
    faults = Faults()
    day = faults.read(day_written, typed["day"], "day") if typed["day"] else today
    level = faults.read(_level, typed["level"], levels) if any(typed.values()) else None
    if typed["group"] and typed["group"] not in groups():
        faults.tell("group.unknown", "group", known=sorted(groups()))
    answer = None
    if level and day and not faults.found:
        answer = await look_up(tx, Asked.read(code, None, level.code, day, typed["group"] or None))
    known = await _groups(tx, answer or await look_up(tx, Asked.read(code, None, levels[0].code, day or today, None)))
    return Calculator(typed, levels, known, faults_of(faults.found), answer)


def _level(said: str, levels: Sequence[SkillLevel]) -> SkillLevel:
    """Invalid `value.missing`, `level.unknown`."""
    if not said:
        raise Invalid("value.missing", field="level")
    if (level := level_of(said)) not in levels:
        raise Invalid("level.unknown", field="level")
    return level


async def _groups(tx: Tx, found: LookupView) -> list[tuple[str, str]]:
    if found.standard_set is None:
        return []
    formula = (await formulas_of(tx, [found.standard_set.id])).get(found.standard_set.id)
    asks = formula is not None and "group" in formula.asks()
    return [(code, group.name_en if english() else group.name) for code, group in groups().items()] if asks else []
