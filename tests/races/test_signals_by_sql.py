"""Risk signals attacked by raw SQL, as the service's role: what was found stays, and holds of nobody are theirs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from service.audit.queries.checks import first_breach
from service.audit.queries.oversight import OVERSIGHT
from service.database import Tx
from service.oversight.commands import signalling
from tests.oversight import Oversight, many_with_one_phone
from tests.races.test_standards_by_sql import CHECK, DENIED, FOREIGN, IMMUTABLE, UNIQUE, refused
from tests.world import World

HELD = """
    INSERT INTO claim_holds (id, claim_id, code, note, placed_by, placed_at)
    VALUES (:hold, :claim, :code, '', NULL, now())
"""
OF_SIGNAL = """
    INSERT INTO signal_holds (hold_id, finding_id, signal, claim_id) VALUES (:hold, :finding, :signal, :claim)
"""


@pytest.fixture
async def city(tx: Tx, world: World) -> Oversight:
    return await Oversight.build(tx, world)


async def test_what_a_run_found_stays(tx: Tx, city: Oversight) -> None:
    await many_with_one_phone(tx, city)
    run = await signalling.run_at_once(tx, city.world.today, city.world.now)
    assert await refused(tx, "UPDATE signal_findings SET score = 1 WHERE run_id = :run", run=run) == DENIED
    assert await refused(tx, "DELETE FROM signal_findings WHERE run_id = :run", run=run) == DENIED
    assert await refused(tx, "UPDATE signal_runs SET day = day + 1 WHERE id = :run", run=run) == DENIED
    again = "UPDATE signal_runs SET done_at = now() WHERE id = :run"
    assert await refused(tx, again, run=run) == IMMUTABLE


async def test_a_night_has_one_run(tx: Tx, city: Oversight) -> None:
    day = city.world.today + timedelta(days=31)
    assert await signalling.ask_nightly(tx, day, city.world.now)
    night = "INSERT INTO signal_runs (id, origin, day, asked_at) VALUES (:id, :origin, :day, now())"
    given = {"id": uuid4(), "day": day}
    assert await refused(tx, night, **given, origin="nightly") == UNIQUE
    assert await refused(tx, night, **given, origin="officer") == CHECK
    assert await refused(tx, night, **given, origin="command") is None


async def test_only_a_signal_holds_without_a_person(tx: Tx, city: Oversight) -> None:
    first, *_ = await many_with_one_phone(tx, city)
    run = await signalling.run_at_once(tx, city.world.today, city.world.now)
    found = text("SELECT id FROM signal_findings WHERE run_id = :run AND institution_id = :of")
    finding = (await tx.execute(found, {"run": run, "of": city.institution_id})).scalar_one()
    hold = {"hold": uuid4(), "claim": first.id}
    assert await refused(tx, HELD, **hold, code="penalty") == CHECK
    await tx.execute(text(HELD), {**hold, "code": "signal"})
    breach = await first_breach(tx, OVERSIGHT.checks)
    assert breach is not None
    assert breach.row == str(hold["hold"])
    assert await refused(tx, OF_SIGNAL, **hold, finding=finding, signal="two_classes") == FOREIGN
    await tx.execute(text(OF_SIGNAL), {**hold, "finding": finding, "signal": "shared_phone"})
    assert await first_breach(tx, OVERSIGHT.checks) is None
    again = {**hold, "hold": uuid4()}
    await tx.execute(text("UPDATE claim_holds SET lifted_at = now(), lifted_by = :by WHERE id = :hold"),
                     {"hold": hold["hold"], "by": city.here.user_id})  # fmt: skip
    await tx.execute(text(HELD), {**again, "code": "signal"})
    assert await refused(tx, OF_SIGNAL, **again, finding=finding, signal="shared_phone") == UNIQUE
