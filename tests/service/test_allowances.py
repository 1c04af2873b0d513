"""生活费补贴: for the days attended of a class, beside the claim for the training, looked at by an officer."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import Conflict, Forbidden, Ineligible, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.claims.commands.allowances import file_allowance
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewAccount, NewAllowance, NewGroup
from service.claims.tables import ClaimRow
from service.database import Tx
from service.journal import By
from service.local.made_up import MadeUpPerson
from tests.assessments import finish
from tests.attendance import AGO, HeldClassOf, held, school_of_before, upload, whole_days
from tests.races.test_promises_by_sql import CHECK, _refused
from tests.service.test_enterprise_claims import _copy
from tests.training import School
from tests.world import Trainee, World

#: Twenty yuan a day, as the sample policy has it.
A_DAY = 2_000
#: Enough of the class's eight days.
DAYS = 7


@dataclass
class Attended:
    """The first trainee of a class that is over was there for `DAYS` days."""

    school: School
    of: HeldClassOf
    trainee: Trainee

    @property
    def world(self) -> World:
        return self.school.world

    def new(self, group: str = "hard_to_employ", **other: object) -> NewAllowance:
        made, world = self.trainee.made, self.world
        held_since = (world.today.replace(year=world.today.year - 1)).isoformat()
        given = {
            "class_number": self.of.number,
            "group": NewGroup(group, _PROOFS[group], "ZM-0001", held_since),
            "account": NewAccount(self.trainee.card, made.name, world.maker.bank_code()),
        }
        return NewAllowance(**{**given, **other})  # type: ignore[arg-type]

    async def train(self, tx: Tx) -> ClaimView:
        """The claim for the training."""
        new = self.world.new_claim(self.trainee, class_number=self.of.number)
        return await file_claim(tx, self.trainee.actor, new, self.world.today, self.world.now)

    async def claim(self, tx: Tx, new: NewAllowance | None = None, trainee: Trainee | None = None) -> ClaimView:
        actor = (trainee or self.trainee).actor
        return await file_allowance(tx, actor, new or self.new(), self.world.today, self.world.now)


_PROOFS = {"hard_to_employ": "hardship_finding", "graduate": "diploma"}


@pytest.fixture
async def attended(tx: Tx, world: World) -> Attended:
    school = await school_of_before(tx, world)
    of = await held(tx, school)
    school.let_pass(AGO.days)
    await upload(tx, school, of, whole_days(of, school.first, DAYS))
    await finish(tx, school)
    place = of.new.trainees[0]
    trainee = await world.trainee(tx, MadeUpPerson(place.name, place.id_number, place.phone or ""))
    await world.provide(tx, world.here)
    return Attended(school, of, trainee)


async def _failed(tx: Tx, attended: Attended, new: NewAllowance | None = None) -> list[str]:
    with pytest.raises(Ineligible) as refused:
        await attended.claim(tx, new)
    outcomes = refused.value.facts["decision"]["outcomes"]
    return [each["code"] for each in outcomes if each["outcome"] == "failed"]


async def test_paid_by_the_day_beside_the_training(tx: Tx, attended: Attended) -> None:
    world, training = attended.world, await attended.train(tx)
    view = await attended.claim(tx)
    assert (view.status, view.channel, view.amount_fen) == ("in_review", "individual", DAYS * A_DAY)
    assert (view.certificate_number, view.payee) == (None, None)
    assert view == await claim_view(tx, attended.trainee.actor, view.id)
    row = (await tx.execute(select(ClaimRow.subsidy_key, ClaimRow.class_id).where(ClaimRow.id == view.id))).one()
    assert row == (f"allowance:{training.item_code}", None)
    approved = await approve_claim(tx, world.staff[Post.REVIEWER], view.id, "", world.now)
    assert approved.status == "approved"
    with pytest.raises(Conflict, match=r"claim\.already_filed"):
        await attended.claim(tx)
    for promise in (JOURNALLED, LEGAL_MOVES):
        assert await first_breach(tx, promise.checks) is None


async def test_not_before_the_training_is_claimed_nor_for_every_group(tx: Tx, attended: Attended) -> None:
    assert await _failed(tx, attended) == ["allowance.training_first"]
    training = await attended.train(tx)
    assert await _failed(tx, attended, attended.new("graduate")) == ["allowance.not_of_group"]
    await move_claim(tx, ClaimAction.WITHDRAW, training.id, _by(attended))
    assert await _failed(tx, attended) == ["allowance.training_first"]


def _by(attended: Attended) -> By:
    return By("tests", attended.world.now)


async def test_it_takes_none_of_the_subsidies_that_are_counted(tx: Tx, attended: Attended) -> None:
    await attended.train(tx)
    await attended.claim(tx)
    limit = [{"scope": "person", "window": "calendar_year", "count": 2, "from": "2022-01-01"}]
    await attended.world.set_policy(tx, "counting_limits", limit)
    other = attended.world.new_claim(attended.trainee, level="5")
    number = attended.world.maker.certificate("5", attended.world.today.year)
    other.certificate_number = number
    await attended.world.set_policy(tx, "lower_level_after_higher", "granted")
    view = await file_claim(tx, attended.trainee.actor, other, attended.world.today, attended.world.now)
    assert view.status == "filed"


async def test_who_may_not(tx: Tx, attended: Attended) -> None:
    stranger = await attended.world.trainee(tx)
    with pytest.raises(NotFound, match=r"allowance\.no_such_class"):
        await attended.claim(tx, trainee=stranger)
    clerk = attended.world.clerks[0]
    with pytest.raises(Forbidden, match="post_missing"):
        await file_allowance(tx, clerk, attended.new(), attended.world.today, attended.world.now)


async def test_the_database_says_it_again(tx: Tx, attended: Attended) -> None:
    training = await attended.train(tx)
    view = await attended.claim(tx)
    none = {"certificate_number": "NULL", "level": "level", "status": "'filed'"}
    free = {**none, "once_in": "'2000'"}
    as_key = _copy(**{**free, "subsidy_key": "'allowance:0-00-00-00'"})
    assert await _refused(tx, as_key, id=view.id) == "ZD186"
    person = f"'{attended.world.clerks[0].person_id}'"
    assert await _refused(tx, _copy(**{**free, "person_id": person}), id=view.id) == "ZD186"
    assert await _refused(tx, _copy(**{**free, "kind": "'training'"}), id=view.id) == CHECK
    assert await _refused(tx, _copy(**{**free, "allowance_class_id": "NULL"}), id=view.id) == CHECK
    await move_claim(tx, ClaimAction.WITHDRAW, training.id, _by(attended))
    assert await _refused(tx, _copy(**free), id=view.id) == "ZD186"
