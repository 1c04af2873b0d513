"""How much more often an institution is drawn for a patrol: told by whoever knows of risks, set by a job."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from service.database import Tx
from service.jobs import owe
from service.journal import By, record
from service.queue import Job
from service.training.schemas.patrols import Weight
from service.training.tables import PatrolWeighingRow, PatrolWeightRow


async def tell_weights(tx: Tx, weights: Sequence[Weight], now: datetime) -> UUID:
    """Weights to be set: each from 1 (nothing known) to 100, once an institution. Whoever is not named stays as they
    are. The id of the weighing, which is what the job `training.weigh` is about."""
    weighing_id, content = uuid4(), msgspec.to_builtins(list(weights))
    msgspec.convert(content, list[Weight])  # the bounds hold for whoever made them in Python, too
    await tx.execute(insert(PatrolWeighingRow).values(id=weighing_id, content=content, told_at=now))
    await owe(tx, Job.WEIGH, weighing_id)
    return weighing_id


async def weigh(tx: Tx, weighing_id: UUID, now: datetime) -> int:
    """Set the weights of a weighing, but for institutions of which a later one was set already; how many were set."""
    told, row = PatrolWeighingRow, PatrolWeightRow
    content, told_at = (await tx.execute(select(told.content, told.told_at).where(told.id == weighing_id))).one()
    weights = sorted(msgspec.convert(content, list[Weight]), key=lambda each: each.institution_id)
    ids = [each.institution_id for each in weights]
    later = set(
        (
            await tx.execute(select(row.institution_id).where(row.weighed_at > told_at, row.institution_id.in_(ids)))
        ).scalars()
    )
    fresh = [each for each in weights if each.institution_id not in later]
    if fresh:
        after = [{"weight": each.weight, "reasons": each.reasons} for each in fresh]
        await record(
            tx, "patrol_weight", [each.institution_id for each in fresh], "weigh", By(str(Job.WEIGH), now), after
        )
        new = upsert(row).values(
            [
                {
                    "institution_id": each.institution_id,
                    "weight": each.weight,
                    "reasons": each.reasons,
                    "weighed_at": told_at,
                }
                for each in fresh
            ]
        )
        set_ = {name: new.excluded[name] for name in ("weight", "reasons", "weighed_at")}
        await tx.execute(new.on_conflict_do_update(index_elements=["institution_id"], set_=set_))
    return len(fresh)
