"""Put ladders and formulas on record as they were published."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.evaluation import EvaluationFormula
from domain.penalty import Ladder
from service.database import Tx
from service.oversight.tables import EvaluationFormulaRow, PenaltyLadderRow


async def load_ladders(tx: Tx, written: Sequence[Mapping[str, Any]]) -> int:
    """Ladders that are not there yet; how many. ValueError for one that cannot be read."""
    return await _load(tx, PenaltyLadderRow, Ladder.read, written)


async def load_formulas(tx: Tx, written: Sequence[Mapping[str, Any]]) -> int:
    """Formulas of the yearly evaluation that are not there yet; how many. ValueError as above."""
    return await _load(tx, EvaluationFormulaRow, EvaluationFormula.read, written)


def must_be_whole(own: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """ValueError for a ladder or formula of a city's own file that cannot be read, KeyError where it does not say
    its `code`, `from` and `source`."""
    for noun, read in (("ladder", Ladder.read), ("formula", EvaluationFormula.read)):
        for each in own.get(noun, []):
            read(each)
            if missing := {"code", "from", "source"} - each.keys():
                raise KeyError(min(missing))


async def _load(
    tx: Tx,
    row: type[PenaltyLadderRow | EvaluationFormulaRow],
    read: Callable[[Mapping[str, Any]], object],
    written: Sequence[Mapping[str, Any]],
) -> int:
    known = set((await tx.execute(select(row.code))).scalars())
    fresh = [each for each in written if each["code"] not in known]
    for each in fresh:
        read(each)  # refuses what is not whole
        about = {"code": each["code"], "first": each["from"], "source": each["source"]}
        content = {name: value for name, value in each.items() if name not in {"code", "from", "source", "sample"}}
        await tx.execute(insert(row).values(**about, content=content, sample=each.get("sample", False)))
    return len(fresh)
