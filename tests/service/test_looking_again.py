"""Registers at filing, and again before the money leaves: every planted change between the two is found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from domain.actor import Post
from domain.eligibility import decide
from service.audit.queries.checks import Breach, first_breach
from service.audit.queries.registers import REGISTERS, registers_recompute
from service.batches import commands
from service.batches.commands import looking_again, send
from service.batches.schemas import BatchView
from service.batches.tables import RegisterCheckRow
from service.claims.commands.filing import check_claim, file_claim
from service.claims.queries.care import list_holds
from service.claims.queries.decisions import decided_again, stored_facts
from service.claims.queries.looking_again import Finding
from service.claims.schemas import NewGroup
from service.claims.tables import ClaimRow, RegisterFindingRow
from service.database import Tx
from service.people.tables import PersonRow
from service.registers.queries import Snapshot, snapshots_on
from service.registers.tables import SnapshotConfirmationRow
from tests.payments import Stage, claim_statuses, shown
from tests.registers import put_in_force
from tests.world import FUND, GENEROUS_FEN, INSURANCE, WELDER, Trainee, World

Line = dict[str, str]
GRADUATE = ("graduate", "diploma", "1234")
EMPLOYEE = ("enterprise_employee", "labour_contract", "HT-2026-0001")


@dataclass(frozen=True)
class Change:
    """What a register says when it is loaded after filing; `before`: what it said when the claim was filed, if it was
    loaded at all. Days are counted from today, on which the certificate was issued and training started."""

    register: str
    code: str
    line: Mapping[str, Any] | None
    before: Mapping[str, Any] | None = None
    group: tuple[str, str, str] | None = None
    loaded_before: bool = field(default=False)


CHANGES = {
    "on the payroll": Change("public_payroll", "excluded.public_payroll", {}),
    "on the payroll, where they were not": Change(
        "public_payroll", "excluded.public_payroll", {}, loaded_before=True
    ),
    "on the payroll again": Change(
        "public_payroll", "excluded.public_payroll", {"first": -9}, {"first": -90, "last": -30}
    ),
    "studying": Change("students", "excluded.students", {"graduates": 1}),
    "graduates a year later than was said": Change(
        "students", "excluded.students", {"graduates": 1}, {"graduates": 0}
    ),
    "retired": Change("pensioners", "excluded.pensioners", {"first": -30}),
    "retired earlier than was said": Change("pensioners", "excluded.pensioners", {"first": -1}, {"first": 1}),
    "dead": Change("deceased", "excluded.deceased", {"first": 0}, loaded_before=True),
    "paid by the sister scheme": Change(
        "sister_payments",
        "sister.paid",
        {"first": -200, "occupation": WELDER, "level": "四级"},
        {"first": -200, "occupation": WELDER, "level": "五级"},
    ),
    "not of the group any more": Change(
        "group_graduate", "group.not_in_register", None, {"first": -30}, group=GRADUATE
    ),
    "of the group later than was said": Change(
        "group_graduate", "group.not_then", {"first": 1}, {"first": -30}, group=GRADUATE
    ),
    "of the group until before the training": Change(
        "group_graduate", "group.not_then", {"first": -30, "last": -1}, {"first": -30}, group=GRADUATE
    ),
    "of a group whose register comes only now": Change(
        "group_graduate", "group.not_in_register", None, group=GRADUATE
    ),
    "not insured": Change("unemployment_insurance", "group.not_in_register", None, {"first": -90}, group=EMPLOYEE),
}


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world, claims=2)


def _line(trainee: Trainee, said: Mapping[str, Any], today: date) -> Line:
    told = {name: str(value) for name, value in said.items()}
    told |= {name: (today + timedelta(days=said[name])).isoformat() for name in ("first", "last") if name in said}
    if "graduates" in said:
        told["graduates"] = str(today.year + said["graduates"])
    return {"id_number": trainee.made.id_number, **told}


async def _plant(tx: Tx, world: World, trainee: Trainee, register: str, said: Mapping[str, Any] | None) -> str:
    lines = [] if said is None else [_line(trainee, said, world.today)]
    return str((await put_in_force(tx, world, register, *lines)).id)


async def _filed(tx: Tx, stage: Stage, change: Change) -> tuple[UUID, Trainee]:
    """A payable claim of somebody whom the registers of that day have nothing against."""
    world = stage.world
    trainee, given = await world.trainee(tx), {}
    if change.before is not None or change.loaded_before:
        await _plant(tx, world, trainee, change.register, change.before)
    if change.group:
        given["group"] = NewGroup(*change.group, world.today.isoformat())
        await world.appropriate(tx, stage.district, GENEROUS_FEN, INSURANCE)
    return await stage.claim(tx, trainee, **given), trainee


def _fund(change: Change) -> str:
    return INSURANCE if change.group == EMPLOYEE else FUND


async def _holds(tx: Tx, stage: Stage) -> dict[UUID, tuple[str, str]]:
    found = await list_holds(tx, stage.staff[Post.CHECKER], None, 50)
    return {each.claim_id: (each.code, each.note) for each in found.holds}


async def _finding(tx: Tx, claim_id: UUID) -> Any:
    row = RegisterFindingRow
    return (await tx.execute(select(row.objections, row.registers).where(row.claim_id == claim_id))).one()


async def _checks(tx: Tx, batch_id: UUID) -> dict[str, tuple[int, int]]:
    row = RegisterCheckRow
    found = await tx.execute(select(row.step, row.claims, row.stopped).where(row.batch_id == batch_id))
    return {step: (claims, stopped) for step, claims, stopped in found}


# ---- between filing and the batch


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_change_after_filing_keeps_the_claim_out_of_the_batch(tx: Tx, stage: Stage, change: Change) -> None:
    claim, trainee = await _filed(tx, stage, change)
    snapshot = await _plant(tx, stage.world, trainee, change.register, change.line)
    batch = await stage.open(tx, fund=_fund(change))
    await commands.assemble(tx, batch.id, stage.world.now)
    assert (await claim_statuses(tx, [claim])) == ["payable"]
    code, note = (await _holds(tx, stage))[claim]
    assert code == "register"
    assert note
    found, registers = await _finding(tx, claim)
    assert [each["code"] for each in found] == [change.code]
    assert snapshot in [each["snapshot"] for each in registers]
    assert trainee.made.id_number not in f"{note}{found}{registers}"
    assert (await _checks(tx, batch.id))["assemble"][1] >= 1


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_change_after_the_batch_was_frozen_dissolves_it_before_it_is_sent(
    tx: Tx, stage: Stage, change: Change
) -> None:
    claim, trainee = await _filed(tx, stage, change)
    batch = await _signed(tx, stage, change)
    assert (await claim_statuses(tx, [claim])) == ["batched"]
    await _plant(tx, stage.world, trainee, change.register, change.line)
    assert await commands.intend_to_send(tx, batch.id, stage.world.now) is None
    seen = await stage.see(tx, batch.id)
    assert (seen.status, seen.given_up and seen.given_up.reason) == ("dissolved", "batch.register_found")
    assert (await claim_statuses(tx, [claim])) == ["payable"]
    assert {each: code for each, (code, _) in (await _holds(tx, stage)).items()} == {claim: "register"}
    assert [each["code"] for each in (await _finding(tx, claim)).objections] == [change.code]
    claims = seen.line_count
    assert await _checks(tx, batch.id) == {"assemble": (claims, 0), "submit": (claims, 0), "send": (claims, 1)}


async def _signed(tx: Tx, stage: Stage, change: Change) -> BatchView:
    batch, now = await stage.frozen(tx, _fund(change)), stage.world.now
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    await stage.release(tx, batch)
    await commands.write_bank_file(tx, batch.id, now)
    return batch


async def test_the_others_are_paid_and_it_is_kept_what_they_were_looked_up_in(tx: Tx, stage: Stage) -> None:
    claim, trainee = await _filed(tx, stage, CHANGES["retired"])
    snapshot = await _plant(tx, stage.world, trainee, "pensioners", {"first": -30})
    batch = await stage.sent(tx)
    assert batch.line_count == 2
    assert (await claim_statuses(tx, stage.claims)) == ["batched", "batched", "payable"]
    row = RegisterCheckRow
    asked = (await tx.execute(select(row.step, row.snapshots).where(row.batch_id == batch.id))).all()
    looked = {"assemble": (3, 1), "submit": (2, 0), "send": (2, 0)}
    assert {step: snapshots["pensioners"] for step, snapshots in asked} == dict.fromkeys(looked, snapshot)
    assert await _checks(tx, batch.id) == looked
    assert claim in await _holds(tx, stage)
    assert await _broken(tx) is None


async def test_what_a_reviewer_lets_go_on_is_not_stopped_again_for_the_same(tx: Tx, stage: Stage) -> None:
    world, checker = stage.world, stage.staff[Post.CHECKER]
    claim, trainee = await _filed(tx, stage, CHANGES["retired"])
    await _plant(tx, world, trainee, "pensioners", {"first": -30})
    await stage.frozen(tx)
    await commands.lift(tx, checker, claim, "重名，已核实", world.today, world.now)
    await _plant(tx, world, trainee, "pensioners", {"first": -30})  # the next month says it again
    batch = await stage.open(tx)
    await commands.assemble(tx, batch.id, world.now)
    assert (await claim_statuses(tx, [claim])) == ["batched"]
    await _plant(tx, world, trainee, "deceased", {"first": 0})  # but not for anything else
    dissolved = await commands.dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "示例", world.now)
    assert dissolved.status == "dissolved"
    await commands.assemble(tx, (await stage.open(tx)).id, world.now)
    assert claim in await _holds(tx, stage)


async def test_a_batch_of_nobody_else_is_dissolved(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=0)
    _, trainee = await _filed(tx, stage, CHANGES["dead"])
    await _plant(tx, world, trainee, "deceased", {"first": 0})
    batch = await stage.open(tx)
    await commands.assemble(tx, batch.id, world.now)
    assert (await stage.see(tx, batch.id)).status == "dissolved"


async def test_where_nothing_is_loaded_nothing_is_stopped_and_that_is_kept(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    row = RegisterCheckRow
    snapshots = (await tx.execute(select(row.snapshots).where(row.batch_id == batch.id))).scalars().all()
    assert snapshots == [{}] * 3
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == stage.claims[0]))).scalar_one()
    said = {each.rule: each.code for each in decided_again(stored).outcomes}
    assert said["living"] == said["not_a_pensioner"] == "register.not_checked"


# ---- at filing


async def test_filing_tells_which_snapshot_answered_and_is_computed_again(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    snapshot = await _plant(tx, world, trainee, "pensioners", {"first": 1})
    view = await world.claim(tx, trainee=trainee)
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == view.id))).scalar_one()
    assert stored["facts"]["registers"] == [
        {
            "register": "pensioners",
            "snapshot": snapshot,
            "as_of": world.today.isoformat(),
            "entries": [
                {
                    "line": 2,
                    "first": (world.today + timedelta(days=1)).isoformat(),
                    "last": None,
                    "graduates": None,
                }
            ],
        }
    ]
    await _plant(tx, world, trainee, "pensioners", {"first": -1})
    assert decided_again(stored).eligible
    assert decide(stored_facts(stored)).eligible
    assert trainee.made.id_number not in str(stored)


async def test_who_is_kept_out_may_insist_and_is_refused_in_due_form(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await _plant(tx, world, trainee, "public_payroll", {})
    new = world.new_claim(trainee)
    decision = await check_claim(tx, trainee.actor, new, world.today)
    assert (decision.eligible, decision.may_insist) == (False, True)
    insisting = world.new_claim(trainee, insist=True)
    view = await file_claim(tx, trainee.actor, insisting, world.today, world.now)
    assert view.status == "refused"
    assert view.decision is not None
    said = next(each for each in view.decision.outcomes if each.rule == "not_on_public_payroll")
    assert said.code == "excluded.public_payroll"
    assert "财政供养" in said.message


# ---- the audit


async def _broken(tx: Tx) -> Breach | None:
    return await first_breach(tx, REGISTERS.checks) or await registers_recompute(tx)


async def _found_nothing(*_: Any) -> list[Finding]:
    return []


async def test_the_audit_names_a_claim_that_was_sent_in_spite_of_a_register(
    tx: Tx, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, trainee = await _filed(tx, stage, CHANGES["retired"])
    await _plant(tx, stage.world, trainee, "pensioners", {"first": -30})
    monkeypatch.setattr(looking_again, "findings_of", _found_nothing)
    await stage.sent(tx)
    broken = await _broken(tx)
    assert broken is not None
    assert (broken.table, broken.row) == ("claims", str(claim))


async def test_the_audit_names_a_batch_that_was_sent_without_looking(
    tx: Tx, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _plant(tx, stage.world, await stage.world.trainee(tx), "deceased", {"first": 0})
    monkeypatch.setattr(send, "look_again", _found_nothing)
    batch = await stage.sent(tx)
    broken = await _broken(tx)
    assert broken is not None
    assert (broken.table, broken.row) == ("batches", str(batch.id))


async def test_the_audit_names_a_check_by_another_register_than_that_of_the_day(
    tx: Tx, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _plant(tx, stage.world, await stage.world.trainee(tx), "deceased", {"first": 0})
    before = await snapshots_on(tx, stage.world.today)
    await _plant(tx, stage.world, await stage.world.trainee(tx), "deceased", {"first": 0})

    async def of_before(*_: Any) -> dict[str, Snapshot]:
        return before

    monkeypatch.setattr(looking_again, "snapshots_on", of_before)
    batch = await stage.frozen(tx)
    broken = await _broken(tx)
    assert broken is not None
    assert (broken.table, broken.row) == ("batch_register_checks", str(batch.id))


async def test_the_audit_names_a_register_that_one_human_vouched_for_twice(tx: Tx, stage: Stage) -> None:
    await _plant(tx, stage.world, await stage.world.trainee(tx), "deceased", {"first": 0})
    assert await _broken(tx) is None
    row = SnapshotConfirmationRow
    signed = (await tx.execute(select(row.snapshot_id, row.loader_id, row.person_id))).one()
    await tx.execute(update(PersonRow).where(PersonRow.id == signed.person_id).values(merged_into=signed.loader_id))
    broken = await _broken(tx)
    assert broken is not None
    assert (broken.table, broken.row) == ("register_confirmations", str(signed.snapshot_id))
