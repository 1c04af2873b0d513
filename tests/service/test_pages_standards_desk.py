"""The desk of standards on pages: sets, reviews, what-if; and the policies and registers that rules look at."""

import re
from datetime import timedelta

import asyncpg
import pytest

from domain.actor import Post
from domain.catalog.published import Kind
from domain.policy import FORMS
from domain.standard import FACTS, form, parse_formula
from service.database import transaction
from service.pages import charts, first_standard, rendering
from service.pages.policy_pages import name_of
from service.settings import settings
from service.wording import wording
from tests.conftest import Databases
from tests.pages import read
from tests.registers import file_of, forget_registers
from tests.service.test_pages_catalog_desk import DESK, MARKUP, NOWHERE, Desks, committed, desks, said

__all__ = ["committed", "desks"]  # fixtures


async def test_a_set_is_proposed_signed_by_two_bureaus_and_published(desks: Desks) -> None:
    editor, hr = await desks.of(Post.STANDARD_EDITOR), await desks.of(Post.HR_SIGNER)
    finance = await desks.of(Post.FINANCE_SIGNER)
    page = await editor.get(f"{DESK}/standards/new")
    typed = dict(re.findall(r'<input class="in" id="(f\d+|p\d+)" name="\1" value="([^"]*)"', page.text))
    assert typed["f0"] == "700"  # the sample's amount for level 5
    given = {**typed, "f0": "800", "year": "2085", "from": "2085-01-01", "to": "2085-01-31", "source": "示例文件"}
    for wrong in ("-1", "8e2", "一百", "", "99999999999"):
        answer = await editor.send(page, f"{DESK}/standards/new", **{**given, "f0": wrong, "reason": MARKUP})
        assert (answer.status_code, 'id="f0-err"' in answer.text, MARKUP in answer.text) == (422, True, False), wrong
    given |= {"reason": "提前公布"}
    no_day = await editor.send(page, f"{DESK}/standards/new", **{**given, "from": "2085-02-30"})
    assert (no_day.status_code, 'id="from-err"' in no_day.text) == (422, True)
    made = [await editor.send(page, f"{DESK}/standards/new", **given) for _ in range(2)]
    at = said(made[0], "set_proposed").partition("?")[0]
    assert made[1].headers["location"] == made[0].headers["location"]
    door = read(await finance.get("/funds/statement"))
    assert f"{DESK}/standards" in door.values("href")
    assert "等你签字" in door.text
    page = await hr.get(at)
    shown = read(page).text
    assert "四舍五入到元" in shown
    assert "让出" in shown or "发布以后" in shown
    welder = read(await hr.get(f"{at}?occupation=6-18-02-04")).text
    assert "800 × 1.2" in welder
    assert "没有这个职业" in read(await hr.get(f"{at}?occupation=9")).text
    changed = await hr.send(page, f"{at}/sign", content_hash="0" * 64)
    assert (changed.status_code, "和看到的不一样" in read(changed).text) == (422, True)
    assert "发布这个方案" not in (await editor.get(at)).text
    for signer in (hr, finance):
        said(await signer.send(await signer.get(at), f"{at}/sign"), "set_signed")
    assert "签字同意" not in (await hr.get(at)).text
    said(await editor.send(await editor.get(at), f"{at}/publish"), "set_published")
    assert "现在管：2085年1月1日至2085年1月31日" in read(await editor.get(at)).text
    assert "没有金额会变的申领" in read(await editor.get(f"{at}/affected")).text
    assert (await editor.get(f"{DESK}/standards/{NOWHERE}")).status_code == 404
    assert (await hr.get(f"{DESK}/standards/new")).status_code == 403
    assert (await hr.get(DESK)).status_code == 403
    assert f"{DESK}/policies" not in read(await hr.get(f"{DESK}/standards")).values("href")


async def test_a_review_collects_answers_and_is_closed(desks: Desks) -> None:
    editor = await desks.of(Post.STANDARD_EDITOR)
    page = await editor.get(f"{DESK}/reviews")
    given = {"title": MARKUP, "from": "2026-01-01", "to": "2026-03-31"}
    backwards = await editor.send(page, f"{DESK}/reviews", **{**given, "to": "2025-03-31"})
    assert (backwards.status_code, 'id="to-err"' in backwards.text) == (422, True)
    at = said(await editor.send(page, f"{DESK}/reviews", **given), "review_opened").partition("?")[0]
    page = await editor.get(f"{at}/sample")
    sample = {
        "occupation": "6-18-02-04",
        "level": "4",
        "measure": "training_cost",
        "value": "1200",
        "source": "成本表",
    }
    table = {"document": ("成本.xlsx", b"PK", "application/zip")}
    for field, wrong in (("value", "很多"), ("occupation", "9-99"), ("level", "八"), ("measure", "")):
        answer = await editor.send(page, f"{at}/sample", table, **{**sample, field: wrong})
        assert (answer.status_code, f'id="{field}-err"' in answer.text) == (422, True), field
    said(await editor.send(page, f"{at}/sample", table, **sample), "sample_added")
    page = await editor.get(f"{at}/opinion")
    opinion = {"voice": "public", "speaker": "", "summary": "标准偏低", "heard_on": "2026-02-01"}
    named = await editor.send(page, f"{at}/opinion", **{**opinion, "speaker": "张三"})
    assert (named.status_code, 'id="speaker-err"' in named.text) == (422, True)
    for _ in range(2):
        page = await editor.get(f"{at}/opinion")
        said(await editor.send(page, f"{at}/opinion", **opinion), "heard")
    page = await editor.get(at)
    assert MARKUP not in page.text
    assert "1200 元" in read(page).text
    early = await editor.send(page, f"{at}/close", summary="拟上调")
    assert (early.status_code, "还有 2 条意见没有答复" in read(early).text) == (422, True)
    address = next(each for each in read(page).values("href") if "/opinions/" in each)
    while "/opinions/" in address:
        page = await editor.get(address)
        empty = await editor.send(page, address, adopted="yes", answer="")
        assert (empty.status_code, 'id="answer-err"' in empty.text) == (422, True)
        address = said(await editor.send(page, address, adopted="yes", answer="拟提高"), "answered").partition("?")[0]
    page = await editor.get(at)
    said(await editor.send(page, f"{at}/close", summary="成本上升，拟上调"), "review_closed")
    page = await editor.get(at)
    nothing = await editor.send(page, f"{at}/conclude", set_id=NOWHERE)
    assert (nothing.status_code, 'id="set_id-err"' in nothing.text) == (422, True)
    code = re.search(r'<option value="([0-9a-f-]{36})"', page.text)
    assert code is not None
    said(await editor.send(page, f"{at}/conclude", set_id=code[1]), "review_concluded")
    assert "由此拟定" in read(await editor.get(at)).text


async def test_other_figures_are_computed_and_drawn(desks: Desks) -> None:
    async with transaction() as tx:
        for _ in range(2):
            await desks.world.claim(tx)
    signer = await desks.of(Post.FINANCE_SIGNER)
    page = await signer.get(f"{DESK}/what-if/new")
    typed = dict(re.findall(r'<input class="in" id="(f\d+)" name="\1" value="([^"]*)"', page.text))
    today = desks.world.today.isoformat()
    backwards = await signer.send(page, f"{DESK}/what-if/new", **{**typed, "from": today, "to": "2020-01-01"})
    assert backwards.status_code == 422
    raised = {**typed, "f1": "2000", "from": today, "to": today}
    at = said(await signer.send(page, f"{DESK}/what-if/new", **raised), "computed").partition("?")[0]
    page = await signer.get(at)
    result = read(page).text
    assert "多花（元）2,400" in result
    assert page.text.count('<svg class="chart"') >= 2
    assert "历下" in result
    numbers = await signer.get(f"{at}/numbers")
    lines = numbers.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("分项,名称,笔数")
    assert any(line.startswith("区县,") for line in lines)
    assert "attachment" in numbers.headers["content-disposition"]
    page = await signer.get(f"{DESK}/what-if")
    assert at in read(page).values("href")
    strange = await signer.send(page, f"{DESK}/what-if", set_id="' OR 1=1 --")
    assert (strange.status_code, 'id="set_id-err"' in strange.text) == (422, True)
    assert (await signer.get(f"{DESK}/what-if/{NOWHERE}")).status_code == 404


async def test_a_parameter_is_proposed_by_one_and_confirmed_by_another(desks: Desks) -> None:
    editor, publisher = await desks.of(Post.CATALOG_EDITOR), await desks.of(Post.CATALOG_PUBLISHER)
    page = read(await editor.get(f"{DESK}/policies"))
    assert "12 个月" in page.text
    assert not re.search(r"[a-z]+_[a-z]+", page.text)
    for address in {each for each in page.values("href") if each.startswith(f"{DESK}/policies/")}:
        assert (await editor.get(address)).status_code == 200
    at = f"{DESK}/policies/offer_days"
    form = await editor.get(at)
    later = (desks.world.today + timedelta(days=400)).isoformat()
    given = {"from": later, "source": "示例文件", "basis": MARKUP}
    for wrong in ("", "三十", "1.5", "-1", "9" * 15):
        answer = await editor.send(form, at, **given, v0=wrong)
        assert (answer.status_code, 'id="v0-err"' in answer.text) == (422, True), wrong
    assert (await editor.send(form, at, **given, v0="366")).status_code == 422
    past = await editor.send(form, at, **{**given, "from": "2020-01-01"}, v0="30")
    assert (past.status_code, 'id="from-err"' in past.text) == (422, True)
    said(await editor.send(form, at, **given, v0="31"), "policy_proposed")
    mine = await editor.get(f"{DESK}/policies")
    assert "/confirm" not in mine.text
    waiting = await publisher.get(f"{DESK}/policies")
    assert MARKUP not in waiting.text
    action = re.search(r'action="([^"]+/confirm)"', waiting.text)
    assert action is not None
    said(await publisher.send(waiting, action[1]), "policy_confirmed")
    assert "已确认" in read(await publisher.get(f"{DESK}/policies")).text
    assert (await publisher.get(at)).status_code == 403
    assert (await editor.get(f"{DESK}/policies/no_such_thing")).status_code == 404


async def test_a_register_is_loaded_by_one_and_confirmed_by_another(desks: Desks, databases: Databases) -> None:
    editor, publisher = await desks.of(Post.CATALOG_EDITOR), await desks.of(Post.CATALOG_PUBLISHER)
    at, number = f"{DESK}/registers", desks.world.maker.person().id_number
    page = await editor.get(at)
    told = {"register": "deceased", "as_of": desks.world.today.isoformat(), "source": "市民政局来函"}
    lines = file_of({"id_number": number, "first": "2025-01-01"}, {"id_number": "37010219", "first": "2025-02-31"})
    half = await editor.send(page, at, {"file": ("名单.csv", lines, "text/csv")}, **told)
    assert half.status_code == 422
    assert "读不懂的行" in read(half).text
    assert number not in half.text
    later = {**told, "as_of": (desks.world.today + timedelta(days=1)).isoformat()}
    good = {"file": ("名单.csv", file_of({"id_number": number, "first": "2025-01-01"}), "text/csv")}
    assert 'id="as_of-err"' in (await editor.send(page, at, good, **later)).text
    said(await editor.send(page, at, good, **told), "register_loaded")
    assert "/confirm" not in (await editor.get(at)).text
    page = await publisher.get(at)
    action = re.search(r'action="([^"]+/confirm)"', page.text)
    assert action is not None
    assert number not in page.text
    said(await publisher.send(page, action[1]), "register_confirmed")
    assert "正在用" in read(await publisher.get(at)).text
    await forget_registers(databases.admin_url)


def test_the_value_of_a_bar_too_short_for_it_stands_beside_the_bar() -> None:
    bars = charts.ranked([("历下", 100, "100.0 万元"), ("历城", 1, "1.0 万元")], width=400, high=100)
    drawn = rendering.part("catalog_desk/what_if_cost.html", chart=bars)
    inside, beside = re.findall(r'<text class="val( inv)?" x="([0-9.]+)"', drawn)
    assert (inside[0], beside[0]) == (" inv", "")
    assert float(inside[1]) < bars["rows"][0]["end"]
    assert float(beside[1]) > bars["rows"][1]["end"]


def test_everything_that_is_set_has_a_name() -> None:
    assert not [key for key in FORMS if name_of(key).startswith("policy_name.")]
    assert not [fact for fact in FACTS if f"by_fact.{fact}" not in wording()]
    assert not [kind for kind in Kind if f"finding_kind.{kind}" not in wording()]


async def forget_standards(databases: Databases) -> None:
    """As a city begins that was given no samples: in the database that is these tests' own."""
    mine = settings().database_url.rpartition("/")[2]
    owner = await asyncpg.connect(f"{databases.admin_url.rpartition('/')[0]}/{mine}")
    await owner.execute("SET session_replication_role = replica; DELETE FROM standards; DELETE FROM standard_sets")
    await owner.close()


async def test_a_city_without_any_standard_drafts_its_first_set(desks: Desks, databases: Databases) -> None:
    await forget_standards(databases)
    editor, new = await desks.of(Post.STANDARD_EDITOR), f"{DESK}/standards/new"
    page = await editor.get(new)
    form = read(page)
    assert "从头拟" not in form.text  # there is no other way yet
    fields = dict(re.findall(r'for="([fp]\d+)">([^<]+)（', page.text))
    by_name = {name: field for field, name in reversed(fields.items())}
    given = {"year": "2086", "from": "2086-02-01", "to": "2086-02-28", "source": "示例文件", "reason": "第一次定标准"}
    typed = dict(re.findall(r'<input class="in" id="([fp]\d+)" name="\1" value="([^"]*)"', page.text))
    empty = await editor.send(page, new, **{**typed, **given})
    assert (empty.status_code, f'id="{by_name["学徒工"]}-err"' in empty.text) == (422, True)
    filled = {**typed, by_name["五级"]: "500", by_name["四级"]: "800.50", by_name["急需紧缺"]: "130"}
    for wrong in ("-1", "8e2", "一百", "0", "99999999999"):
        answer = await editor.send(page, new, **{**filled, **given, by_name["五级"]: wrong})
        assert answer.status_code == 422, wrong
        assert f'value="{wrong}"' in answer.text, wrong
    made = [await editor.send(page, new, **{**filled, **given}) for _ in range(2)]
    at = said(made[0], "set_proposed").partition("?")[0]
    assert made[0].headers["location"] == made[1].headers["location"]
    shown = read(await editor.get(f"{at}?occupation=6-18-02-04"))
    assert "500 × 1.3" in shown.text
    assert "按人群" not in shown.text  # what changes nothing is no part of the formula
    assert "三级" not in " ".join(shown.words["td"])  # no amount was given for it
    for post in (Post.HR_SIGNER, Post.FINANCE_SIGNER):
        signer = await desks.of(post)
        said(await signer.send(await signer.get(at), f"{at}/sign"), "set_signed")
    said(await editor.send(await editor.get(at), f"{at}/publish"), "set_published")
    assert 'name="base"' in (await editor.get(new)).text  # the next one has figures to change
    assert 'name="anew"' in (await editor.get(f"{new}?anew=true")).text


@pytest.mark.parametrize(
    ("typed", "steps"),
    [
        ({"四级": "800"}, ["base", "amount"]),
        ({"四级": "800", "最多": "700"}, ["base", "cap", "capped", "amount"]),
        ({"四级": "800", "急需紧缺": "120"}, ["base", "list", "whole", "amount"]),
        (
            {"四级": "800", "急需紧缺": "120", "毕业年度高校毕业生": "110", "最多": "900"},
            ["base", "list", "group", "whole", "cap", "capped", "amount"],
        ),
    ],
)
def test_a_first_formula_has_no_step_that_changes_nothing(typed: dict[str, str], steps: list[str]) -> None:
    named = {each.label: each.field for part in reversed(first_standard.parts()) for each in part.figures}
    named["最多"] = first_standard.parts()[-1].figures[0].field
    given = {**first_standard.blank(), **{named[name]: text for name, text in typed.items()}}
    formula = first_standard.formula_of(given)
    assert list(formula["terms"]) == steps
    formed = form(parse_formula(formula), {"level": "4", "lists": ("shortage",), "group": "graduate"})
    assert formed is not None
    at_most = int(typed.get("最多", 10**6)) * 100
    whole = 80_000 * int(typed.get("急需紧缺", 100)) * int(typed.get("毕业年度高校毕业生", 100)) // 10_000
    assert formed.amount_fen == min(at_most, whole)
    assert form(parse_formula(formula), {"level": "5", "lists": ("shortage",)}) is None
