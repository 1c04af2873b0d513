"""Money is held from approval on, follows its claim, and is never more than there is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.errors import Conflict
from domain.fund import Pot
from service.access.tables import DistrictRow
from service.batches import commands as batches
from service.claims.commands.approving import approve_set
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, withdraw_claim
from service.claims.schemas import NewApproval, NewGroup
from service.database import Tx
from service.funds.commands import confirm_appropriation, follow, propose_appropriation
from service.funds.queries import funds_view
from service.funds.schemas import NewAppropriation
from service.funds.tables import MovementRow
from service.gateways.bank import FileState
from service.gateways.bank_files.neutral import read_return
from service.journal import By
from service.reconciliation.commands import take_return
from tests.payments import Stage, a_return, claim_statuses, lines_of
from tests.world import FUND, GENEROUS_FEN, INSURANCE, WELDER_LEVEL_4_FEN, World

ONE = WELDER_LEVEL_4_FEN
POSTS = (Post.REVIEWER, Post.MAKER, Post.CHECKER, Post.RELEASER)


@dataclass
class Office:
    """A district that has no money until somebody gives it some."""

    world: World
    district: str
    staff: dict[Post, Actor]

    @classmethod
    async def build(cls, tx: Tx, world: World) -> "Office":
        district = f"F{uuid4().hex[:10]}"
        await tx.execute(insert(DistrictRow).values(code=district, name="示例区", kind="district"))
        world.poor.add(district)
        return cls(world, district, {post: await world.user(tx, {post}, district) for post in POSTS})

    async def claims(self, tx: Tx, count: int) -> list[UUID]:
        """Verified claims, each of ONE, in the order of filing."""
        return [(await self.world.claim(tx, "verified", district=self.district)).id for _ in range(count)]

    async def propose(self, tx: Tx, amount_fen: int, **other: object) -> UUID:
        given = {"fund": FUND, "year": self.world.today.year, "document": "示例下达文件", "reason": "示例"}
        new = NewAppropriation(amount_fen=amount_fen, **{**given, **other})  # type: ignore[arg-type]
        maker = self.staff[Post.MAKER]
        return (await propose_appropriation(tx, maker, new, self.world.today, self.world.now)).id

    async def give(self, tx: Tx, amount_fen: int, **other: object) -> None:
        proposed = await self.propose(tx, amount_fen, **other)
        await confirm_appropriation(tx, self.staff[Post.CHECKER], proposed, self.world.now)


@pytest.fixture
async def office(tx: Tx, world: World) -> Office:
    return await Office.build(tx, world)


async def kept(tx: Tx, district: str, fund: str = FUND, year: int | None = None) -> dict[str, int]:
    """What a district has of a fund: pot → fen, without those that hold none."""
    found = await tx.execute(
        text("""SELECT free_fen, set_aside_fen, reserved_fen, in_flight_fen, paid_fen FROM fund_positions
                 WHERE district = :district AND fund = :fund AND year = coalesce(:year, year)"""),
        {"district": district, "fund": fund, "year": year},
    )
    row = found.one_or_none()
    return {} if row is None else {name.removesuffix("_fen"): fen for name, fen in row._mapping.items() if fen}


# ---- approval says whether it suffices


async def test_an_approval_holds_its_money_and_is_refused_without(tx: Tx, office: Office) -> None:
    first, second = await office.claims(tx, 2)
    reviewer, now = office.staff[Post.REVIEWER], office.world.now
    with pytest.raises(Conflict) as none:
        await approve_claim(tx, reviewer, first, "", now)
    assert none.value.code == "fund.none"
    assert none.value.facts == {"district": office.district, "fund": "就业补助资金", "year": now.year}
    await office.give(tx, ONE + 100)
    assert (await approve_claim(tx, reviewer, first, "", now)).status == "approved"
    assert await kept(tx, office.district) == {"free": 100, "reserved": ONE}
    with pytest.raises(Conflict) as short:
        await approve_claim(tx, reviewer, second, "", now)
    assert short.value.code == "fund.insufficient"
    assert (short.value.facts["free_fen"], short.value.facts["missing_fen"]) == (100, ONE - 100)
    assert await claim_statuses(tx, [first, second]) == ["approved", "verified"]
    held = (await tx.execute(select(MovementRow.__table__).where(MovementRow.claim_id == first))).one()
    assert (held.kind, held.amount_fen, held.actor_person_id) == ("reserve", ONE, reviewer.person_id)


async def test_a_set_approves_the_oldest_for_which_the_money_lasts(tx: Tx, office: Office) -> None:
    claims = await office.claims(tx, 4)
    reviewer, now = office.staff[Post.REVIEWER], office.world.now
    none = await approve_set(tx, reviewer, NewApproval(), now)
    assert (none.approved, none.left, none.unfunded) == (0, 4, 4)
    await office.give(tx, 2 * ONE + 1)
    some = await approve_set(tx, reviewer, NewApproval(), now)
    assert (some.approved, some.left, some.unfunded) == (2, 2, 2)
    oldest = sorted(claims)  # filed on one day, so by id
    assert await claim_statuses(tx, oldest) == ["approved"] * 2 + ["verified"] * 2
    await office.give(tx, 2 * ONE)
    rest = await approve_set(tx, reviewer, NewApproval(), now)
    assert (rest.approved, rest.left, rest.unfunded) == (2, 0, 0)
    assert await kept(tx, office.district) == {"free": 1, "reserved": 4 * ONE}


async def test_the_group_decides_about_the_fund(tx: Tx, office: Office) -> None:
    world = office.world
    await office.claims(tx, 1)
    group = NewGroup("enterprise_employee", "labour_contract", "HT-2026-0001", world.today.isoformat())
    await world.claim(tx, "verified", district=office.district, group=group)
    await office.give(tx, ONE)
    await office.give(tx, ONE + 1, fund=INSURANCE)
    answer = await approve_set(tx, office.staff[Post.REVIEWER], NewApproval(), world.now)
    assert (answer.approved, answer.unfunded) == (2, 0)
    assert await kept(tx, office.district) == {"reserved": ONE}
    assert await kept(tx, office.district, INSURANCE) == {"free": 1, "reserved": ONE}


async def test_the_day_of_approval_decides_about_the_year(tx: Tx, office: Office) -> None:
    this, following = await office.claims(tx, 2)
    year = office.world.today.year
    await office.give(tx, ONE)
    reviewer = office.staff[Post.REVIEWER]
    await approve_claim(tx, reviewer, this, "", office.world.now)
    # in Jinan the new year has begun, in Greenwich it has not
    new_year = datetime.fromisoformat(f"{year}-12-31T16:30:00+00:00")
    with pytest.raises(Conflict) as none:
        await approve_claim(tx, reviewer, following, "", new_year)
    assert none.value.facts["year"] == year + 1
    await office.give(tx, 2 * ONE, year=year + 1)
    await approve_claim(tx, reviewer, following, "", new_year)
    assert await kept(tx, office.district, year=year + 1) == {"free": ONE, "reserved": ONE}
    # what was held in the old year is freed there, and held again in the new one
    by = By("a test", new_year)
    for action in (ClaimAction.PUBLISH, ClaimAction.OBJECT):
        await move_claim(tx, action, this, by)
    assert await kept(tx, office.district, year=year) == {"free": ONE}
    await move_claim(tx, ClaimAction.APPROVE, this, by)
    assert await kept(tx, office.district, year=year) == {"free": ONE}
    assert await kept(tx, office.district, year=year + 1) == {"reserved": 2 * ONE}


# ---- money follows its claim


async def test_what_is_withdrawn_or_questioned_frees_its_money(tx: Tx, office: Office) -> None:
    world = office.world
    await office.give(tx, 3 * ONE)
    for status in ("approved", "noticed", "payable"):
        trainee = await world.trainee(tx)
        claim = await world.claim(tx, status, trainee, district=office.district)
        assert await kept(tx, office.district) == {"free": 2 * ONE, "reserved": ONE}
        await withdraw_claim(tx, trainee.actor, claim.id, "", world.now)
        assert await kept(tx, office.district) == {"free": 3 * ONE}
    for status, action in (("noticed", ClaimAction.OBJECT), ("payable", ClaimAction.QUESTION)):
        claim = await world.claim(tx, status, district=office.district)
        await move_claim(tx, action, claim.id, By("a test", world.now))
        assert await kept(tx, office.district) == {"free": 3 * ONE}
        await move_claim(tx, ClaimAction.APPROVE, claim.id, By("a test", world.now))
        await move_claim(tx, ClaimAction.WITHDRAW, claim.id, By("a test", world.now))
    kinds = select(MovementRow.kind).where(MovementRow.claim_id == claim.id).order_by(MovementRow.id)
    assert list((await tx.execute(kinds)).scalars()) == ["reserve", "release"] * 2


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def test_money_goes_with_the_file_and_comes_back_with_the_return(tx: Tx, stage: Stage) -> None:
    free = {"free": GENEROUS_FEN - 3 * ONE}
    batch = await stage.written(tx)
    assert await kept(tx, stage.district) == {**free, "reserved": 3 * ONE}
    file = await batches.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    assert await kept(tx, stage.district) == {**free, "in_flight": 3 * ONE}
    assert await batches.settle_answer(tx, file, FileState("accepted", sha256=file.sha256), stage.world.now)
    paid, failed, silent = [(line.reference, line.amount_fen) for line in await lines_of(tx, batch.id)]
    await _return(tx, stage, [(*paid, "done", ""), (*failed, "failed:permanent", "closed"), (*silent, "unknown", "")])
    assert await kept(tx, stage.district) == {**free, "reserved": ONE, "in_flight": ONE, "paid": ONE}
    await _return(tx, stage, [(*paid, "returned", "closed"), (*silent, "done", "")])
    assert await kept(tx, stage.district) == {**free, "reserved": 2 * ONE, "paid": ONE}
    statuses = await claim_statuses(tx, stage.claims)
    by = By("a test", stage.world.now)
    for claim, status in zip(stage.claims, statuses, strict=True):
        # a mended account leaves the money held
        if status != "paid":
            await move_claim(tx, ClaimAction.MEND, claim, by)
    assert await kept(tx, stage.district) == {**free, "reserved": 2 * ONE, "paid": ONE}


async def _return(tx: Tx, stage: Stage, lines: list[tuple[str, int, str, str]]) -> None:
    batch = (await batches_of(tx, stage))[0]
    data = a_return(await stage.see(tx, batch), lines)
    await take_return(tx, None, read_return(data), data, "bank", By("a test", stage.world.now))


async def batches_of(tx: Tx, stage: Stage) -> list[UUID]:
    found = await tx.execute(text("SELECT id FROM batches WHERE district = :here"), {"here": stage.district})
    return list(found.scalars())


async def test_a_file_that_the_bank_refuses_whole_brings_its_money_back(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    file = await batches.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    assert await batches.settle_answer(tx, file, FileState("refused", sha256=file.sha256), stage.world.now)
    assert await kept(tx, stage.district) == {"free": GENEROUS_FEN - 3 * ONE, "reserved": 3 * ONE}


async def test_a_batch_given_up_leaves_the_money_held(tx: Tx, stage: Stage) -> None:
    batch = await stage.frozen(tx)
    await batches.dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "重新开批", stage.world.now)
    assert await kept(tx, stage.district) == {"free": GENEROUS_FEN - 3 * ONE, "reserved": 3 * ONE}


async def test_following_twice_moves_once(tx: Tx, stage: Stage) -> None:
    await stage.frozen(tx)
    by = By("a test", stage.world.now)
    for pot in (Pot.IN_FLIGHT, Pot.IN_FLIGHT, Pot.RESERVED, Pot.RESERVED):
        await follow(tx, stage.claims, pot, by)
        assert await kept(tx, stage.district) == {"free": GENEROUS_FEN - 3 * ONE, str(pot): 3 * ONE}


# ---- what people see


async def test_a_district_sees_its_own_money_and_an_auditor_everybodys(tx: Tx, office: Office) -> None:
    world, year = office.world, office.world.today.year
    await office.give(tx, 10 * ONE)
    await world.claim(tx, "approved", district=office.district)
    view = await funds_view(tx, office.staff[Post.REVIEWER], year, world.now)
    assert {fund.name for fund in view.funds} >= {"就业补助资金", "失业保险基金", "专账结余"}
    (mine,) = view.positions
    assert (mine.district, mine.fund_name, mine.free_fen, mine.free) == (
        office.district,
        "就业补助资金",
        9 * ONE,
        "10,800 元",
    )
    # one claim in thirty days: nine more last for 270
    assert mine.days_left == 270
    everybodys = await funds_view(tx, world.staff[Post.AUDITOR], year, world.now)
    assert {office.district, world.here, world.other} <= {each.district for each in everybodys.positions}
    assert (await funds_view(tx, office.staff[Post.REVIEWER], year - 1, world.now)).positions == []


async def test_without_a_pace_nobody_knows_how_long_it_lasts(tx: Tx, office: Office) -> None:
    await office.give(tx, ONE)
    world, later = office.world, office.world.now + timedelta(days=31)
    year = world.today.year
    (idle,) = (await funds_view(tx, office.staff[Post.MAKER], year, world.now)).positions
    assert idle.days_left is None
    await world.claim(tx, "approved", district=office.district)
    (spent,) = (await funds_view(tx, office.staff[Post.MAKER], year, world.now)).positions
    assert spent.days_left == 0
    (long_ago,) = (await funds_view(tx, office.staff[Post.MAKER], year, later)).positions
    assert long_ago.days_left is None
