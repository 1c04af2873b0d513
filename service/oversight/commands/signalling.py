"""Risk signals: ask for a run, do it, and hold the claims that it is about. They never refuse."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Uuid

from domain.actor import Actor, Post
from domain.signal import HOLDS, WEIGHT, Finding, Signal, patrol_points, policy_key
from domain.training.patrol import WEIGHT_LEAST, WEIGHT_MOST
from service.claims.commands.holds import hold_those
from service.claims.tables import ClaimRow
from service.database import Tx
from service.jobs import owe, owe_all
from service.journal import By, record
from service.oversight.queries.signals import are_set, findings_of, thresholds_on
from service.oversight.queries.signals.concerned import concerned
from service.oversight.queries.signals.seen import run_view
from service.oversight.schemas import SignalRunView
from service.oversight.tables import SignalFindingRow, SignalHoldRow, SignalRunRow
from service.people.commands import index_phones
from service.queue import Job, Sweep
from service.training.commands.weighing import tell_weights
from service.training.schemas.patrols import Weight
from service.wording import words

#: Why a claim is held, in the wording of holds.
HOLD_CODE = "signal"
#: Claims that one transaction holds, and telephones that one computes the index of.
PORTION = 500


async def ask_run(tx: Tx, me: Actor, today: date, now: datetime) -> SignalRunView:
    """A run now, which the worker does. Forbidden `city_only`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    me.must_serve_the_city()
    run_id = await _new_run(tx, "officer", today, now, me.user_id)
    by = By.actor(me, Post.INSTITUTION_OFFICER, now)
    await record(tx, "signal_run", [run_id], "ask", by, [{"day": today.isoformat()}])
    await owe(tx, Job.RUN_SIGNALS, run_id)
    row = SignalRunRow
    return run_view((await tx.execute(select(*row.__table__.c).where(row.id == run_id))).one())


async def ask_nightly(tx: Tx, today: date, now: datetime) -> bool:
    """The day's own run, once; whether it was still to be asked for. A city that has set no thresholds has none."""
    if not await are_set(tx, today):
        return False
    night = {"id": uuid4(), "origin": "nightly", "day": today, "asked_at": now}
    new = upsert(SignalRunRow).values(**night).on_conflict_do_nothing().returning(SignalRunRow.id)
    run_id = (await tx.execute(new)).scalar_one_or_none()
    if run_id is None:
        return False
    await record(tx, "signal_run", [run_id], "ask", By(str(Sweep.ASK_SIGNALS), now), [{"day": today.isoformat()}])
    await owe(tx, Job.RUN_SIGNALS, run_id)
    return True


async def run_at_once(tx: Tx, today: date, now: datetime) -> UUID:
    """A run from the command line, done here and not by the worker."""
    run_id = await _new_run(tx, "command", today, now, None)
    await record(tx, "signal_run", [run_id], "ask", By("zhida signals run", now), [{"day": today.isoformat()}])
    await do_run(tx, run_id, now)
    return run_id


async def _new_run(tx: Tx, origin: str, today: date, now: datetime, asked_by: UUID | None) -> UUID:
    run_id = uuid4()
    asked = {"origin": origin, "day": today, "asked_at": now, "asked_by": asked_by}
    await tx.execute(insert(SignalRunRow).values(id=run_id, **asked))
    return run_id


async def index_portion(tx: Tx) -> bool:
    """Telephones that have no blind index yet; whether there may be more."""
    return await index_phones(tx, PORTION) == PORTION


async def do_run(tx: Tx, run_id: UUID, now: datetime) -> None:
    """Ask every signal by the thresholds of the run's day, keep what they found, and owe what follows from it; one
    that was done is left alone. Conflict `policy.missing`."""
    row = SignalRunRow
    asked = select(row.day, row.done_at).where(row.id == run_id).with_for_update()
    run = (await tx.execute(asked)).one()
    if run.done_at is not None:
        return
    parameters = await thresholds_on(tx, run.day)
    found = {signal: await findings_of(tx, signal, run.day, parameters) for signal in Signal}
    await _keep(tx, run_id, run.day, found, parameters)
    await _weigh(tx, found, parameters, now)
    await tx.execute(update(row).where(row.id == run_id).values(done_at=now, parameters=dict(parameters)))


async def _keep(
    tx: Tx, run_id: UUID, day: date, found: Mapping[Signal, Mapping[UUID, Finding]], parameters: Mapping[str, Any]
) -> None:
    seen = await _first_seen(tx)
    rows: list[dict[str, Any]] = [
        {
            "id": uuid4(),
            "run_id": run_id,
            "signal": str(signal),
            "institution_id": institution_id,
            "score": finding.score,
            "figures": dict(finding.figures),
            "rows": [dict(each) for each in finding.rows],
            "first_seen": seen.get((signal, institution_id), day),
        }
        for signal, findings in found.items()
        for institution_id, finding in findings.items()
    ]
    if rows:
        await tx.execute(insert(SignalFindingRow), rows)
    holding = {str(signal) for signal in Signal if parameters[policy_key(signal)][HOLDS]}
    await owe_all(tx, Job.HOLD_SIGNALLED, [each["id"] for each in rows if each["signal"] in holding])


async def _first_seen(tx: Tx) -> Mapping[tuple[str, UUID], date]:
    row = SignalFindingRow
    asked = select(row.signal, row.institution_id, func.min(row.first_seen)).group_by(row.signal, row.institution_id)
    return {(signal, institution_id): first for signal, institution_id, first in await tx.execute(asked)}


async def _weigh(
    tx: Tx, found: Mapping[Signal, Mapping[UUID, Finding]], parameters: Mapping[str, Any], now: datetime
) -> None:
    """Owe the patrols what the signals add to each institution's weight, and that of whom they speak no more is 1."""
    scores: defaultdict[UUID, list[tuple[int, int]]] = defaultdict(list)
    reasons: defaultdict[UUID, list[str]] = defaultdict(list)
    for signal, findings in found.items():
        for institution_id, finding in findings.items():
            scores[institution_id].append((finding.score, parameters[policy_key(signal)][WEIGHT]))
            reasons[institution_id].append(words(f"signal_name.{signal}"))
    raised = [
        Weight(institution_id, min(WEIGHT_MOST, WEIGHT_LEAST + patrol_points(each)), sorted(reasons[institution_id]))
        for institution_id, each in scores.items()
    ]
    quiet = [Weight(each, WEIGHT_LEAST, []) for each in await _spoken_of_before(tx) if each not in scores]
    if raised or quiet:
        await tell_weights(tx, raised + quiet, now)


async def _spoken_of_before(tx: Tx) -> set[UUID]:
    """The institutions of the last run that is done."""
    run, row = SignalRunRow, SignalFindingRow
    last = select(run.id).where(run.done_at.is_not(None)).order_by(run.done_at.desc(), run.id).limit(1)
    asked = select(row.institution_id).where(row.run_id == last.scalar_subquery()).distinct()
    return set((await tx.execute(asked)).scalars())


async def hold_portion(tx: Tx, finding_id: UUID, now: datetime) -> bool:
    """Hold a portion of the claims in flight that a finding is about; whether there may be more. One that its signal
    held before is not held again: an officer has looked."""
    row = SignalFindingRow
    signal = (await tx.execute(select(row.signal).where(row.id == finding_id))).scalar_one()
    about = ClaimRow.id == func.any(literal(await concerned(tx, finding_id), ARRAY(Uuid)))
    by = By(str(Job.HOLD_SIGNALLED), now)
    held = await hold_those(tx, by, about, HOLD_CODE, words(f"signal_name.{signal}"), PORTION)
    own = {"finding_id": finding_id, "signal": signal}
    if held:
        placed = [{"hold_id": hold, "claim_id": claim, **own} for hold, claim in held.items()]
        await tx.execute(insert(SignalHoldRow), placed)
    return len(held) == PORTION
