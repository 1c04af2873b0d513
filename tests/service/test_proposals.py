"""What the next catalog should hold: sources beside a draft, districts' proposals, opinions, the city's decisions."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.catalog.sources import SourceKind
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.catalog.commands import importing, proposing
from service.catalog.queries import editing as drafts
from service.catalog.queries.proposals import compared_with_source, proposals
from service.catalog.schemas import FigureView, NewItem, NewOpinion, NewProposal, NewProposalDecision, ProposalView
from service.catalog.tables import ItemChangeRow
from service.database import Tx
from service.gateways.catalog_files import read_catalog
from service.journal import By
from tests.world import World

SHEET = "目录,序号,编码,名称,行业分类\n急需紧缺,1,6-18-02-04,焊工,加工维修\n一般性,1,4-03-02-01,中式烹调师,食品餐饮\n"
GUIDE = "目录,序号,编码,名称,行业分类\n指导目录,1,6-18-02-04,电焊工,加工维修\n指导目录,2,5-01-01-01,农艺工,农林牧渔\n"
DOCUMENT = "ab" * 32


@pytest.fixture
async def city(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.CATALOG_EDITOR})


@pytest.fixture
async def district(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.CATALOG_EDITOR}, world.here)


@pytest.fixture
async def draft(tx: Tx, world: World, city: Actor) -> UUID:
    by = By.actor(city, Post.CATALOG_EDITOR, world.now)
    published = read_catalog(SHEET.encode(), "catalog.csv")
    return await importing.import_edition(tx, by, world.today.year + 1, published, SHEET.encode(), "示例")


def _new(world: World, **item: Any) -> NewProposal:
    values = {
        "list_name": "一般性",
        "name": "手造匠人",
        "industry": "社会服务",
        "reason": "山东手造",
        "code": "6-09-03-99",
    }
    return NewProposal(
        world.today.year + 1, NewItem(**{**values, **item}), [FigureView("缺工人数", "320", "区人社局")]
    )


async def _proposed(tx: Tx, world: World, district: Actor, **item: Any) -> ProposalView:
    return await proposing.propose(tx, district, _new(world, **item), world.now)


def _opinion(world: World, **given: Any) -> NewOpinion:
    values = {"asked": "enterprise", "name": "示例企业", "stance": "for", "said": "缺人", "document_sha256": DOCUMENT}
    return NewOpinion(**{**values, "heard_on": world.today.isoformat(), **given})


async def test_a_source_is_kept_once_and_compared_with_a_draft(
    tx: Tx, world: World, city: Actor, draft: UUID
) -> None:
    guide = read_catalog(GUIDE.encode(), "guide.csv")
    about = SourceKind.PROVINCIAL_GUIDE, "省指导目录", world.today
    source = await proposing.take_source(tx, city, *about, guide, GUIDE.encode(), world.now)
    again = await proposing.take_source(tx, city, *about, guide, GUIDE.encode(), world.now)
    assert (again, source.rows) == (source, 2)
    found = await compared_with_source(tx, draft, source.id)
    assert [each.name for each in found.missing] == ["农艺工"]
    assert [(each.source.name, each.edition.name) for each in found.named_otherwise] == [("电焊工", "焊工")]
    assert [each.name for each in found.unsupported] == ["中式烹调师"]
    with pytest.raises(NotFound, match=r"source\.none"):
        await compared_with_source(tx, draft, uuid4())


async def test_an_accepted_proposal_goes_into_the_draft_and_leaves_its_trace(
    tx: Tx, world: World, city: Actor, district: Actor, draft: UUID
) -> None:
    proposal = await _proposed(tx, world, district)
    assert (proposal.status, proposal.district, proposal.figures[0].value) == ("proposed", world.here, "320")
    heard = await proposing.record_opinion(tx, district, proposal.id, _opinion(world), world.today, world.now)
    assert [(each.asked, each.document_sha256) for each in heard.opinions] == [("enterprise", DOCUMENT)]
    decision = NewProposalDecision("符合本地产业", draft)
    errors = (await drafts.findings_of(tx, draft)).open_errors
    accepted = await proposing.accept(tx, city, proposal.id, decision, world.now)
    assert accepted.status == "accepted"
    rows = (await drafts.draft_page(tx, draft, 0, 100)).items
    assert {(each.id, each.name, each.serial) for each in rows} >= {(accepted.item_id, "手造匠人", "2")}
    assert (await drafts.findings_of(tx, draft)).open_errors == errors
    change = select(ItemChangeRow.kind, ItemChangeRow.reason).where(ItemChangeRow.proposal_id == proposal.id)
    assert (await tx.execute(change)).all() == [("added", "符合本地产业")]
    for again in (proposing.accept, proposing.decline):
        with pytest.raises(Conflict, match=r"proposal\.decided"):
            await again(tx, city, proposal.id, decision, world.now)
    with pytest.raises(Conflict, match=r"proposal\.decided"):
        await proposing.record_opinion(tx, district, proposal.id, _opinion(world), world.today, world.now)


async def test_a_proposal_is_for_its_own_year_and_holds_the_draft(
    tx: Tx, world: World, city: Actor, district: Actor, draft: UUID
) -> None:
    by, published = By.actor(city, Post.CATALOG_EDITOR, world.now), read_catalog(SHEET.encode(), "catalog.csv")
    store = importing.import_edition
    other = await store(tx, by, world.today.year + 2, published, SHEET.encode(), "示例")
    proposal = await _proposed(tx, world, district)
    with pytest.raises(Conflict, match=r"proposal\.other_year"):
        await proposing.accept(tx, city, proposal.id, NewProposalDecision("符合本地产业", other), world.now)
    await proposing.accept(tx, city, proposal.id, NewProposalDecision("符合本地产业", draft), world.now)
    with pytest.raises(Conflict, match=r"edition\.has_proposals"):
        await store(tx, by, world.today.year + 1, published, SHEET.encode(), "示例", replace=True)


async def test_a_declined_proposal_says_why(tx: Tx, world: World, city: Actor, district: Actor) -> None:
    proposal = await _proposed(tx, world, district)
    declined = await proposing.decline(tx, city, proposal.id, NewProposalDecision("已有相近职业"), world.now)
    assert (declined.status, declined.item_id) == ("declined", None)
    said = "SELECT reason FROM journal WHERE subject_kind = 'proposal' AND action = 'decline' AND subject_id = :id"
    assert (await tx.execute(text(said), {"id": proposal.id})).scalar_one() == "已有相近职业"


async def test_a_district_proposes_and_the_city_decides(
    tx: Tx, world: World, city: Actor, district: Actor, draft: UUID
) -> None:
    proposal = await _proposed(tx, world, district)
    decision = NewProposalDecision("同意", draft)
    with pytest.raises(Forbidden, match="city_only"):
        await proposing.accept(tx, district, proposal.id, decision, world.now)
    with pytest.raises(Forbidden, match="district_missing"):
        await proposing.propose(tx, city, _new(world), world.now)
    with pytest.raises(Invalid, match=r"proposal\.edition"):
        await proposing.accept(tx, city, proposal.id, NewProposalDecision("同意"), world.now)


async def test_another_districts_proposal_is_not_there(tx: Tx, world: World, city: Actor, district: Actor) -> None:
    other = await world.user(tx, {Post.CATALOG_EDITOR}, world.other)
    proposal = await _proposed(tx, world, district)
    with pytest.raises(NotFound, match=r"proposal\.none"):
        await proposing.record_opinion(tx, other, proposal.id, _opinion(world), world.today, world.now)
    year = world.today.year + 1
    seen = [[each.id for each in (await proposals(tx, who, year)).proposals] for who in (district, city, other)]
    assert [proposal.id in ids for ids in seen] == [True, True, False]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"document_sha256": "zz" * 32}, "opinion.document"),
        ({"said": "  "}, "words.empty"),
        ({"said": "联系 138 0000 1111"}, "text.personal_number"),
        ({"heard_on": "2020-13-01"}, "date.no_such_day"),
    ],
)
async def test_an_opinion_is_well_formed(
    tx: Tx, world: World, district: Actor, given: dict[str, Any], code: str
) -> None:
    proposal = await _proposed(tx, world, district)
    with pytest.raises(Invalid) as refusal:
        await proposing.record_opinion(tx, district, proposal.id, _opinion(world, **given), world.today, world.now)
    assert refusal.value.code == code


async def test_an_opinion_is_not_from_the_future(tx: Tx, world: World, district: Actor) -> None:
    proposal = await _proposed(tx, world, district)
    tomorrow = _opinion(world, heard_on=(world.today + timedelta(days=1)).isoformat())
    with pytest.raises(Invalid, match=r"date\.in_future"):
        await proposing.record_opinion(tx, district, proposal.id, tomorrow, world.today, world.now)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE catalog_proposals SET status = 'declined' WHERE id = '{id}'",
        "UPDATE catalog_proposals SET reason = 'x' WHERE id = '{id}'",
        "DELETE FROM catalog_proposals WHERE id = '{id}'",
        "UPDATE catalog_opinions SET stance = 'against'",
        "DELETE FROM catalog_opinions",
    ],
    ids=range(5),
)
async def test_what_was_said_stays_against_raw_sql(tx: Tx, world: World, district: Actor, attack: str) -> None:
    proposal = await _proposed(tx, world, district)
    await proposing.record_opinion(tx, district, proposal.id, _opinion(world), world.today, world.now)
    with pytest.raises(DBAPIError, match=r"journal row|permission denied|written once"):
        await tx.execute(text(attack.format(id=proposal.id)))
