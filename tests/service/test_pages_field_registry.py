"""Evaluations, rounds of selection and the registry of institutions on pages, and where each one's work begins."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from domain.actor import Actor
from service import clock
from service.catalog.tables import CatalogItemRow
from service.clock import now, today
from service.database import transaction
from service.institutions.commands import applying
from service.institutions.schemas import NewApplication, NewScope
from service.pages import homes
from tests.enterprises import Enterprise
from tests.oversight import Oversight
from tests.pages import read
from tests.selection import Selecting
from tests.service.test_pages_field import MARKUP, PAPER, Desks, back_to_today, boxes, city, desks
from tests.training import School
from tests.world import WELDER, World

__all__ = ["back_to_today", "city", "desks"]  # fixtures


async def test_an_evaluator_enters_and_another_corrects(desks: Desks, city: Oversight) -> None:
    one, other = [await desks.of(each) for each in city.evaluators]
    year = today().year - 1
    page = await one.get(f"/desk/evaluations/new?year={year}&institution={city.code}")
    shown = read(page)
    assert "示例公式" in shown.text
    names = [
        each.removeprefix("values_") for each in shown.values("id") if each.startswith("values_") and "-" not in each
    ]
    files = {f"evidence_{name}_file": ("a.pdf", b"%PDF-1.7", "application/pdf") for name in names}
    values = {f"values_{name}": "90.5" for name in names}
    new = {"institution": city.code, "summary": MARKUP, **values}
    for bad in ("九十", "90.55", "101", "1e2"):
        refused = await one.send(page, "/desk/evaluations/new", files, **{**new, f"values_{names[0]}": bad})
        assert (refused.status_code, f"#values_{names[0]}" in read(refused).values("href")) == (422, True), bad
    done = await one.send(page, "/desk/evaluations/new", files, **new)
    assert done.status_code == 303, done.text
    at = done.headers["location"].partition("?")[0]
    assert "90.5" in read(await one.get(at)).text
    correct = f"{at}/correct"
    again = {**values, "summary": "重算", "reason": "漏了一个班"}
    assert (await one.send(await one.get(correct), correct, **again)).status_code == 422
    done = await other.send(await other.get(correct), correct, **again)
    assert done.status_code == 303, done.text
    officer = await desks.of(city.here)
    assert "重算" in read(await officer.get(f"/desk/evaluations?year={year}")).text
    assert (await (await desks.of(city.there)).get(at)).status_code == 404
    assert "更正这个结果" not in (await other.get(at)).text


async def test_a_round_from_its_announcement_to_the_catalog(desks: Desks, committed: World) -> None:
    async with transaction() as tx:
        stage = await Selecting.of(tx, committed)
    officer = await desks.of(stage.officer)
    first, closed = stage.admitted_on, stage.closed
    title = f"示例遴选{uuid4().hex[:6]}{MARKUP}"
    page = await officer.get("/desk/selections/new")
    new = {
        "title": title,
        "year": str(first.year),
        "kind_private_school": "yes",
        "pass_mark": "60",
        "assessors": "2",
        "criteria_0_name": "师资",
        "criteria_0_weight": "60",
        "criteria_1_name": "场地",
        "criteria_1_weight": "30",
        **boxes("applications_from", today()),
        **boxes("applications_to", closed - timedelta(days=1)),
        **boxes("admits_from", first),
        **boxes("admits_to", first.replace(year=first.year + 1) - timedelta(days=1)),
    }
    wrong = await officer.send(page, "/desk/selections/new", **new)
    assert (wrong.status_code, "#criteria" in read(wrong).values("href")) == (422, True)
    made = await officer.send(page, "/desk/selections/new", **{**new, "criteria_1_weight": "40"})
    assert made.status_code == 303, made.text
    at = made.headers["location"].partition("?")[0]
    async with transaction() as tx:
        document = await stage.document(tx)
        wanted = NewApplication([NewScope(WELDER, ["4"])], [document])
        applied = await applying.apply(tx, stage.clerk, UUID(at[-36:]), wanted, today(), now())
    page = await officer.get(at)
    assert "&lt;script&gt;" in page.text
    early = await officer.send(page, f"{at}/move", act="publicise")
    assert (early.status_code, "要改" in read(early).text) == (422, True)
    clock.advance(5)
    sheet = f"/desk/selections/applications/{applied.id}"
    for assessor in stage.assessors[:2]:
        browser = await desks.of(assessor)
        assert sheet in read(await browser.get(at)).values("href")
        form = await browser.get(sheet)
        for points in ("101", "-1", "很好", ""):
            assert (await browser.send(form, f"{sheet}/scores", points_0=points, points_1="7")).status_code == 422
        for _ in range(2):
            done = await browser.send(form, f"{sheet}/scores", points_0="80", points_1="70", remark=MARKUP)
            assert done.status_code == 303, done.text
        assert "你的评分" in read(await browser.get(sheet)).text
        paper = next(each for each in read(form).values("href") if "/documents/" in each)
        assert (await browser.client.get(paper)).content.startswith(b"%PDF")
    assert (await officer.send(page, f"{at}/move", act="publicise")).status_code == 303
    page = await officer.get(sheet)
    assert "76.00" in read(page).text
    assert (await officer.send(page, f"{sheet}/admit")).status_code == 422  # still in publicity
    assert (await officer.send(page, f"{sheet}/turn-down", reason="")).status_code == 422
    clock.advance(20)
    done = await officer.send(page, f"{sheet}/admit")
    assert done.status_code == 303, done.text
    assert (await officer.send(await officer.get(at), f"{at}/move", act="close")).status_code == 303
    assert (await officer.get(f"/desk/selections/{uuid4()}")).status_code == 404
    elsewhere = await desks.of(await _officer_of_other(committed))
    assert (await elsewhere.get(sheet)).status_code == 404


async def _officer_of_other(world: World) -> Actor:
    async with transaction() as tx:
        return (await Oversight.build(tx, world)).there


async def test_the_registry_is_kept_by_two_persons(desks: Desks, city: Oversight) -> None:
    one, other = await desks.of(city.proposer), await desks.of(city.decider)
    code, name = city.world.maker.credit_code(), f"示例新校{uuid4().hex[:6]}"
    page = await one.get("/desk/institutions/new")
    new = {"credit_code": code, "name": name, "kind": "private_school", "district": city.world.here}
    for bad in ({"credit_code": code[:-1]}, {"name": "长" * 101}, {"kind": "pub"}, {"district": "000000"}):
        refused = await one.send(page, "/desk/institutions/new", **{**new, **bad})
        assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True), bad
    made = await one.send(page, "/desk/institutions/new", **new)
    at = made.headers["location"].partition("?")[0]
    from_tomorrow = boxes("from", today() + timedelta(days=1))
    for act, fields in (
        ("grades", {"grade": "A", "source": MARKUP}),
        ("scopes", {"occupation": WELDER, "level_4": "yes", "source": "示例"}),
        ("branches", {"name": "本部", "district": city.world.here, "address": "解放路 1 号"}),
        ("contacts", {"role": "head", "name": "王小明", "phone": "13800138000"}),
        (
            "accounts",
            {"number": "1602023409876543210", "holder": name, "bank_code": "102100099996", "reason": "新开"},
        ),
    ):
        form = await one.get(f"{at}/{act}")
        nothing = await one.send(form, f"{at}/{act}", **boxes("from", today() - timedelta(days=400)))
        assert nothing.status_code == 422, act
        read(nothing)
        done = await one.send(form, f"{at}/{act}", **fields, **from_tomorrow)
        assert done.status_code == 303, (act, done.text)
    page = await one.get(at)
    assert "&lt;script&gt;" in page.text
    assert "等另一个人确认" in read(page).text
    page = await other.get(at)
    (proposal,) = [each for each in read(page).values("action", "form") if "/proposals/" in each]
    assert (await other.send(page, proposal, answer="decline", reason="")).status_code == 422
    assert (await other.send(page, proposal, answer="confirm")).status_code == 303
    assert "已确认" in read(await one.get(at)).text
    end = next(each for each in read(await one.get(at)).values("href") if "ends?part=grades" in each)
    done = await one.send(await one.get(end), f"{at}/ends", **boxes("to", today() + timedelta(days=9)))
    assert done.status_code == 303, done.text
    found = read(await one.get(f"/desk/institutions?q={name}"))
    assert at in found.values("href")
    for sought in ("%25", "_", "%3Cscript%3Ey", "x" * 500):
        assert "没有找到" in read(await one.get(f"/desk/institutions?q={sought}")).text
    assert (await (await desks.of(city.there)).get(at)).status_code == 404
    assert (await one.get(f"{at}/celebrate")).status_code == 404


async def test_a_contract_is_recorded_by_one_and_confirmed_by_another(desks: Desks, committed: World) -> None:
    async with transaction() as tx:
        contractor = await Enterprise.build(tx, committed)
        named = select(CatalogItemRow.name).where(
            CatalogItemRow.code.is_(None), CatalogItemRow.list_kind == "project"
        )
        item = (await tx.execute(named.order_by(CatalogItemRow.place).limit(1))).scalar_one()
    one, other = [await desks.of(each) for each in contractor.officers[:2]]
    page = await one.get(f"/desk/projects/new?institution_id={contractor.id}")
    number = f"XM-{uuid4().hex[:8]}"
    new = {
        "item": item,
        "contract_number": number,
        "places": "10",
        "place_fen": "4500",
        "cap_fen": "45,000.00",
        **boxes("valid_from", today()),
        **boxes("valid_to", today() + timedelta(days=90)),
    }
    for bad in ({"item": MARKUP}, {"place_fen": "四千五"}, {"cap_fen": "1.234"}, {"cap_fen": "1"}, {"places": "0"}):
        refused = await one.send(page, "/desk/projects/new", PAPER, **{**new, **bad})
        assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True), bad
    for _ in range(2):
        assert (await one.send(page, "/desk/projects/new", PAPER, **new)).status_code == 303
    listed = await one.get("/desk/projects")
    assert listed.text.count(f'"mono">{number}<') == 1
    found = re.search(rf'"mono">{number}<.*?action="([^"]+/confirm)"', listed.text, re.DOTALL)
    assert found is not None
    confirm = found[1]
    assert (await one.send(listed, confirm)).status_code == 422
    assert (await other.send(await other.get("/desk/projects"), confirm)).status_code == 303
    assert "45,000.00" in read(await other.get("/desk/projects")).text


async def test_each_begins_where_their_work_is(desks: Desks, city: Oversight, committed: World) -> None:
    async with transaction() as tx:
        school, stage = await School.build(tx, committed), await Selecting.of(tx, committed)
    for actor, first, closed in (
        (city.here, "/desk/classes", "/desk/evaluations/new"),
        (school.inspectors[0], "/patrols", "/desk/penalties"),
        (stage.assessors[0], "/desk/selections", "/desk/institutions"),
        (city.evaluators[0], "/desk/evaluations", "/desk/complaints"),
    ):
        browser = await desks.of(actor)
        assert homes.of(actor) == first
        page = read(await browser.get(first))
        addresses = {each for each in page.values("href") if each.startswith(("/desk", "/patrols", "/inspections"))}
        answers = {each: (await browser.get(each)).status_code for each in addresses}
        assert set(answers.values()) == {200}, answers
        assert (await browser.get(closed)).status_code == 403
