"""Claims that name their class: its first day is when training started, and all that does not fit is told at once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select

from domain.actor import Post
from domain.claim import ClaimAction
from domain.correction import Correctable
from domain.errors import Conflict, Ineligible, Invalid
from service import jobs as owed_work
from service.audit.queries.checks import first_breach
from service.audit.queries.decisions import recompute
from service.audit.queries.training import CLASSES
from service.claims.commands.correcting import correct_claim
from service.claims.commands.filing import check_claim, file_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.sending_back import send_back
from service.claims.queries.decisions import stored_facts
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewCorrection, NewFault, NewSendBack
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.journal import By
from service.local.made_up import MadeUpPerson
from service.training.schemas import ClassView
from tests.attendance import AGO, held, school_of_before, upload, whole_days
from tests.conftest import Databases
from tests.races.test_standards_by_sql import refused
from tests.rosters import Desk, line_of, reasons
from tests.sheets import sheet
from tests.training import SIZE, School, as_place, sessions
from tests.world import Trainee, World


class Taught:
    """A class of the first clerk that has begun, and whom it taught."""

    def __init__(self, school: School, view: ClassView, made: list[MadeUpPerson]) -> None:
        self.school, self.view, self.made, self.world = school, view, made, school.world

    @classmethod
    async def build(cls, tx: Tx, school: School, **changed: Any) -> "Taught":
        made = [school.world.maker.person() for _ in range(SIZE)]
        view = await school.approved(tx, trainees=[as_place(each) for each in made], **changed)
        school.let_pass(40)
        return cls(school, view, made)

    async def trainee(self, tx: Tx, place: int = 0) -> Trainee:
        return await self.world.trainee(tx, self.made[place])

    async def claim(self, tx: Tx, trainee: Trainee, **changed: Any) -> ClaimView:
        """Through the institution."""
        clerk, world = self.world.clerks[0], self.world
        mandate_id = await world.mandate(tx, clerk, trainee)
        given = {"mandate_id": mandate_id, "district": None, "class_number": self.view.number}
        new = world.new_claim(trainee, **{**given, **changed})
        return await file_claim(tx, clerk, new, world.today, world.now)

    async def refused(self, tx: Tx, trainee: Trainee, **changed: Any) -> list[str]:
        with pytest.raises(Ineligible) as refused:
            await self.claim(tx, trainee, **changed)
        outcomes = refused.value.facts["decision"]["outcomes"]
        return [each["code"] for each in outcomes if each["outcome"] == "failed"]


@pytest.fixture
async def taught(tx: Tx, world: World) -> Taught:
    return await Taught.build(tx, await School.build(tx, world))


async def _stored(tx: Tx, claim_id: UUID) -> Any:
    return (await tx.execute(select(ClaimRow.__table__).where(ClaimRow.id == claim_id))).one()


async def test_training_started_on_the_first_day_of_the_class(tx: Tx, taught: Taught) -> None:
    through = await taught.claim(tx, await taught.trainee(tx))
    alone = await taught.trainee(tx, 1)
    number = taught.view.number
    new = taught.world.new_claim(alone, class_number=f" {number.lower()} ")
    own = await file_claim(tx, alone.actor, new, taught.world.today, taught.world.now)
    for view in (through, own):
        row = await _stored(tx, view.id)
        assert (row.class_id, row.training_started_on) == (taught.view.id, taught.view.first)
        assert row.certificate_issued_on == taught.world.today > taught.view.last
        facts = stored_facts(row.decision)
        assert facts.of_class is not None
        assert (facts.class_number, facts.of_class.first) == (number, taught.view.first)
    assert (through.class_number, own.class_number) == (number, number)
    assert (await claim_view(tx, alone.actor, own.id)).class_number == number
    assert await recompute(tx) is None
    assert await first_breach(tx, CLASSES.checks) is None


async def test_without_a_class_all_is_as_before(tx: Tx, taught: Taught) -> None:
    view = await taught.claim(tx, await taught.trainee(tx), class_number=None)
    row = await _stored(tx, view.id)
    assert (row.class_id, row.training_started_on, view.class_number) == (None, taught.world.today, None)


async def test_a_policy_asks_institutions_for_the_class_and_nobody_else(tx: Tx, taught: Taught) -> None:
    await taught.world.set_policy(tx, "institution_claim_needs_class", True)
    trainee = await taught.trainee(tx)
    assert await taught.refused(tx, trainee, class_number=None) == ["claim_class.missing"]
    await taught.claim(tx, trainee)
    alone = await taught.trainee(tx, 1)
    new = taught.world.new_claim(alone)
    assert (await check_claim(tx, alone.actor, new, taught.world.today)).eligible


async def test_everything_that_does_not_fit_is_told_at_once(tx: Tx, taught: Taught) -> None:
    stranger, world = await taught.world.trainee(tx), taught.world
    assert await taught.refused(tx, stranger) == ["claim_class.not_on_roster"]
    level_5 = {"level": "5", "certificate_number": world.maker.certificate("5", world.today.year)}
    day = (taught.view.first + timedelta(days=1)).isoformat()
    assert await taught.refused(tx, stranger, **level_5, training_started_on=day) == [
        *("claim_class.not_on_roster", "claim_class.teaches_other", "claim_class.other_day"),
    ]
    trainee = await taught.trainee(tx)
    assert await taught.refused(tx, trainee, item_code="4-04-05-01") == ["claim_class.teaches_other"]
    early = (taught.view.first - timedelta(days=1)).isoformat()
    assert "training.after_certificate" in await taught.refused(tx, trainee, certificate_issued_on=early)
    day = taught.view.first.isoformat()
    assert (await taught.claim(tx, trainee, training_started_on=day)).class_number == taught.view.number


async def test_another_institutions_class_is_as_if_it_were_not_there(tx: Tx, taught: Taught) -> None:
    later = sessions(taught.school.first + timedelta(days=60))
    other = await taught.school.file(tx, taught.world.clerks[1], sessions=later)
    assert taught.world.clerks[1].institution_id == other.institution_id
    number = (await taught.school.approve(tx, other.id)).number
    trainee = await taught.trainee(tx)
    assert await taught.refused(tx, trainee, class_number=number) == ["claim_class.unknown"]
    assert await taught.refused(tx, trainee, class_number="KB370102-2020-9999") == ["claim_class.unknown"]
    with pytest.raises(Invalid, match=r"class_number\.form"):
        await taught.claim(tx, trainee, class_number="370102199001011234")


async def test_who_insists_is_refused_with_a_claim_of_no_class(tx: Tx, taught: Taught) -> None:
    stranger = await taught.world.trainee(tx)
    view = await taught.claim(tx, stranger, insist=True)
    row = await _stored(tx, view.id)
    assert (view.status, row.class_id, view.class_number) == ("refused", None, None)
    facts = stored_facts(row.decision)
    assert facts.of_class is not None
    assert not facts.of_class.on_roster
    assert await recompute(tx) is None


async def test_a_claim_that_is_corrected_stays_one_of_its_class(tx: Tx, taught: Taught) -> None:
    world, trainee = taught.world, await taught.trainee(tx)
    view = await taught.claim(tx, trainee)
    reviewer = world.staff[Post.REVIEWER]
    await move_claim(tx, ClaimAction.QUESTION, view.id, By("tests", world.now))
    fields = Correctable.CERTIFICATE_ISSUED_ON, Correctable.TRAINING_STARTED_ON
    faults = [NewFault("certificate_unreadable", field) for field in fields]
    await send_back(tx, reviewer, view.id, NewSendBack(faults), world.today, world.now)
    clerk, day = world.clerks[0], (world.today - timedelta(days=1)).isoformat()
    other_day, mended = NewCorrection(training_started_on=day), NewCorrection(certificate_issued_on=day)
    with pytest.raises(Ineligible):
        await correct_claim(tx, clerk, view.id, other_day, world.today, world.now)
    await correct_claim(tx, clerk, view.id, mended, world.today, world.now)
    row = await _stored(tx, view.id)
    assert (row.class_id, row.training_started_on) == (taught.view.id, taught.view.first)
    assert row.certificate_issued_on.isoformat() == day


# ---- rosters


@pytest.fixture
async def committed_class(committed: World, monkeypatch: pytest.MonkeyPatch) -> Taught:
    monkeypatch.setattr(owed_work, "send", lambda _: None)  # there is no broker here
    async with transaction() as tx:
        return await Taught.build(tx, await School.build(tx, committed))


async def test_a_roster_names_classes_line_by_line_or_one_for_all(committed_class: Taught) -> None:
    world, view = committed_class.world, committed_class.view
    desk = Desk(world, world.clerks[0])
    mine = [line_of(world, made) for made in committed_class.made[:4]]
    stranger = line_of(world)
    named = [{**mine[0], "开班编号": view.number}, {**stranger, "开班编号": view.number}, mine[1]]
    by_line = await desk.through(sheet(named))
    assert [each.outcome for each in by_line.results] == ["filed", "refused", "filed"]
    assert reasons(by_line) == {3: [("开班编号", "claim_class.not_on_roster")]}
    # by the occupation's name, which is looked up on the class's first day
    of_name = {**mine[3], "职业编码": "", "职业名称": "焊工"}
    data = sheet([mine[2], of_name, {**stranger, "开班编号": "KB1"}])
    for_all = await desk.through(data, class_number=view.number.lower())
    assert [each.outcome for each in for_all.results] == ["filed", "filed", "refused"]
    assert reasons(for_all) == {4: [("开班编号", "class_number.form")]}
    assert for_all.class_number == view.number
    async with transaction() as tx:
        found = [await _stored(tx, each.claim_id) for each in (*by_line.results, *for_all.results) if each.claim_id]
    assert [each.class_id for each in found] == [view.id, None, view.id, view.id]
    assert {each.training_started_on for each in found if each.class_id} == {view.first}
    with pytest.raises(Conflict, match=r"roster\.other_class"):
        await desk.hand_in(data)
    with pytest.raises(Invalid, match=r"class_number\.form"):
        await desk.hand_in(sheet([mine[0]]), class_number="1")


# ---- what the database keeps by itself


async def test_by_sql_a_claim_is_of_a_class_that_taught_its_claimant_just_this(committed_class: Taught) -> None:
    world = committed_class.world
    async with transaction() as tx:
        view = await committed_class.claim(tx, await committed_class.trainee(tx))
    copied = [each.name for each in ClaimRow.__table__.c]
    changed = {"id": "gen_random_uuid()", "certificate_number": "'X1'", "once_in": "'2099'"}
    async with transaction() as tx:
        other = (await world.person(tx))[0]
        for what in (
            {"person_id": f"'{other}'"},
            {"level": "'5'"},
            {"subsidy_key": "'4-04-05-01'"},
            {"training_started_on": "training_started_on + 1"},
            {"institution_id": f"'{world.clerks[1].institution_id}'"},
        ):
            values = [{**changed, **what}.get(name, name) for name in copied]
            attack = f"INSERT INTO claims ({', '.join(copied)}) SELECT {', '.join(values)} FROM claims WHERE id = :id"
            assert await refused(tx, attack, id=view.id) == "ZD100", what
        values = [changed.get(name, name) for name in copied]
        lawful = f"INSERT INTO claims ({', '.join(copied)}) SELECT {', '.join(values)} FROM claims WHERE id = :id"
        assert await refused(tx, lawful, id=view.id) == "ZD002"  # the journal row is missing, nothing else
        assert await refused(tx, "UPDATE claims SET class_id = NULL WHERE id = :id", id=view.id) == "42501"


async def test_what_stands_there_anyhow_is_named(databases: Databases, committed_class: Taught) -> None:
    async with transaction() as tx:
        view = await committed_class.claim(tx, await committed_class.trainee(tx))
        assert await first_breach(tx, CLASSES.checks) is None
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute("UPDATE claims SET training_started_on = training_started_on + 1 WHERE id = $1", view.id)
    check = next(each for each in CLASSES.checks if each.table == "claims")
    assert [each[0] for each in await admin.fetch(check.broken)] == [view.id]
    await planting.rollback()
    await admin.close()


async def test_who_was_there_for_too_few_hours_is_refused_where_attendance_was_taken(tx: Tx, world: World) -> None:
    school = await school_of_before(tx, world)
    made = [world.maker.person() for _ in range(SIZE)]
    of = await held(tx, school, trainees=[as_place(each) for each in made])
    school.let_pass(AGO.days)
    enough, few, never = [await world.trainee(tx, made[place]) for place in range(3)]

    async def failed(trainee: Trainee) -> list[str]:
        new = world.new_claim(trainee, class_number=of.number)
        decision = await check_claim(tx, trainee.actor, new, world.today)
        return [each.code for each in decision.outcomes if each.outcome == "failed"]

    assert await failed(never) == []
    days = {1: 7, 2: 3}  # 56 and 24 of 60 hours
    lines = [line for place, n in days.items() for line in whole_days(of, school.first, n, place)]
    await upload(tx, school, of, list(dict.fromkeys(lines)))
    assert await failed(enough) == []
    assert await failed(few) == await failed(never) == ["attendance.too_little"]
