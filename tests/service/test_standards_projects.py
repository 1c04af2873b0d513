"""Projects (项目制) are priced by heads and result, in a set that two bureaus sign; or one reason says why not."""

from copy import deepcopy
from datetime import date
from typing import Any

import httpx
import pytest
from msgspec.structs import asdict
from sqlalchemy import text

from domain.actor import Post
from domain.errors import Conflict, Invalid
from domain.standard import recompute
from service.audit.queries.standards import standards_recompute
from service.database import Tx
from service.standards.queries.projects import AskedProject, price_project
from service.standards.queries.sets import whole_set
from service.standards.schemas import ProjectView
from tests.service.test_editions import Office
from tests.service.test_standards import go_out
from tests.service.test_standards_http import client, run
from tests.standards import Bureaus, flat
from tests.world import WELDER, World

__all__ = ["client"]

JAN, DEC = date(2027, 1, 1), date(2027, 12, 31)


@pytest.fixture
async def bureaus(tx: Tx, world: World) -> Bureaus:
    return await Bureaus.of(tx, world)


@pytest.fixture
async def project(tx: Tx, world: World) -> str:
    """The name of a project of the edition in force."""
    named = text("SELECT name FROM catalog_items WHERE code IS NULL AND list_kind = 'project' ORDER BY place LIMIT 1")
    return str((await tx.execute(named)).scalar_one())


def by_heads(project: str, fen: int = 450_000) -> dict[str, Any]:
    """So much a head for this project and no other, less where few found work."""
    bands = [{"from": first, "value": value} for first, value in ((0, 0), (50, 60), (65, 80), (80, 100))]
    terms = {
        "named": {"kind": "table", "by": "project", "unit": "percent", "values": {project: 100}},
        "heads": {"kind": "per_unit", "by": "heads", "fen": fen, "default": 1},
        "work": {"kind": "bands", "by": "employment_percent", "unit": "percent", "bands": bands, "default": 0},
        "whole": {"kind": "product", "of": ["named", "heads", "work"]},
        "amount": {"kind": "round", "of": "whole", "to": "yuan", "how": "half_up"},
    }
    return {"result": "amount", "terms": terms}


async def asked(tx: Tx, name: str, on: date = JAN, **facts: int | str | None) -> ProjectView:
    found = await price_project(tx, AskedProject.read(name, on, **facts))
    assert (found.amount_fen is None) != (found.reason is None)
    return found


def why(found: ProjectView) -> str | None:
    return found.reason.code if found.reason else None


async def test_a_project_is_paid_by_heads_and_result(tx: Tx, bureaus: Bureaus, project: str) -> None:
    made = await bureaus.in_force(tx, flat(80_000), JAN, DEC, projects=by_heads(project))
    for employed, percent in ((49, 0), (50, 60), (64, 60), (65, 80), (80, 100)):
        found = await asked(tx, project, heads=30, employment_percent=employed)
        assert found.amount_fen == 30 * 450_000 * percent // 100
        assert recompute([asdict(step) for step in found.steps]) == found.amount_fen
        assert found.standard_set is not None
        assert found.standard_set.id == made.id
    assert (await whole_set(tx, None, made.id)).projects == by_heads(project)
    assert await standards_recompute(tx) is None


async def test_each_reason_is_the_precise_one(tx: Tx, bureaus: Bureaus, project: str) -> None:
    others = text("SELECT name FROM catalog_items WHERE code IS NULL AND name <> :name ORDER BY place LIMIT 1")
    other = (await tx.execute(others, {"name": project})).scalar_one()
    await bureaus.in_force(tx, flat(80_000), JAN, DEC, projects=by_heads(project))
    await bureaus.in_force(tx, flat(80_000), date(2028, 1, 1), date(2028, 12, 31))
    for found, code in (
        (await asked(tx, project, date(2015, 1, 1)), "lookup.no_edition"),
        (await asked(tx, "没有的项目"), "lookup.not_in_catalog"),
        (await asked(tx, "焊工"), "lookup.no_project"),
        (await asked(tx, other), "lookup.project_unpriced"),
        (await asked(tx, project, date(2028, 6, 1)), "lookup.no_projects"),
    ):
        assert why(found) == code
        assert found.reason is not None
        assert "{" not in found.reason.message


@pytest.mark.parametrize(
    ("term", "changed", "code", "field"),
    [
        ("named", {"values": {"没有的项目": 100}}, "formula.unknown_word", "projects.terms.named.values.没有的项目"),
        ("heads", {"by": "level"}, "formula.unknown_fact", "projects.terms.heads.by"),
        ("named", {"by": "group", "values": {}}, "formula.too_many", "projects.terms.named.values"),
        ("heads", {"fen": -1}, "formula.negative", "projects.terms.heads.fen"),
        ("whole", {"of": ["named", "amount"]}, "formula.cycle", "projects.terms.amount.of"),
    ],
)  # fmt: skip
async def test_what_is_not_right_is_told_with_its_place(
    tx: Tx, bureaus: Bureaus, project: str, term: str, changed: dict[str, Any], code: str, field: str
) -> None:
    formula = deepcopy(by_heads(project))
    formula["terms"][term].update(changed)
    with pytest.raises(Invalid) as refused:
        await bureaus.propose(tx, flat(80_000), JAN, projects=formula)
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_occupations_are_not_priced_by_project(tx: Tx, bureaus: Bureaus) -> None:
    with pytest.raises(Invalid) as refused:
        await bureaus.propose(tx, flat(80_000, project={"x": 120}), JAN)
    assert (refused.value.code, refused.value.field) == ("formula.unknown_fact", "terms.project.by")


async def test_the_signatures_bind_the_prices_of_projects(tx: Tx, bureaus: Bureaus, project: str) -> None:
    first, second, without = [
        await bureaus.propose(tx, flat(80_000), JAN, projects=projects, year=2027)
        for projects in (by_heads(project), by_heads(project, 450_001), None)
    ]
    assert len({first.content_hash, second.content_hash, without.content_hash}) == 3


async def test_a_project_that_left_the_draft_is_not_published(tx: Tx, bureaus: Bureaus, world: World) -> None:
    posts = (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)
    office = Office(tx, *[await world.user(tx, {post}) for post in posts], world.today)
    edition = await office.draft(
        f"目录,序号,编码,名称,行业分类\n急需紧缺,1,{WELDER},焊工,加工维修\n项目制,1,,社区照护,家政养老\n"
    )
    proposed = await bureaus.propose(tx, flat(80_000), JAN, DEC, edition_id=edition, projects=by_heads("社区照护"))
    await bureaus.sign(tx, proposed)
    savepoint = await tx.begin_nested()
    await go_out(office, edition)
    assert (await bureaus.publish(tx, proposed.id)).status == "published"
    await savepoint.rollback()
    await office.correct(edition, "社区照护", name="社区助餐", code=None, tag="", industry="家政养老")
    await go_out(office, edition)
    with pytest.raises(Conflict, match=r"standards\.edition_changed"):
        await bureaus.publish(tx, proposed.id)


async def test_over_http_and_by_the_command_line(client: httpx.AsyncClient, committed: World) -> None:
    """What the sample says; it says that it is one."""
    items = (await client.get("/api/catalog")).json()["items"]
    projects = [item["name"] for item in items if item["code"] is None]
    asked = {"name": projects[0], "heads": "30", "employment_percent": "70"}
    found = (await client.get("/api/standards/project", params=asked)).json()
    assert (found["amount_fen"], found["standard_set"]["sample"]) == (30 * 360_000, True)
    by_command = await run("project", projects[0], "--heads", "30", "--employment-percent", "70")
    assert "108,000" in by_command.output
    assert "示例" in by_command.output
    wrong = await client.get("/api/standards/project", params={**asked, "heads": "-1"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "heads")
    assert "目录里没有" in (await run("project", "没有的项目")).output
