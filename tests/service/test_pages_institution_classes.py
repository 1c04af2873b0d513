"""Classes on a clerk's pages: filing and mending them, attendance, and the results of their assessment."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from service.database import transaction
from service.gateways.sheet_files import CSV_TYPE, TYPES, XLSX_TYPE, as_sheet
from service.local.made_up import MadeUpPerson
from service.pages.institution import class_form
from service.training.commands import deciding
from service.training.queries.views import class_view, classes_page
from service.training.schemas import NewClassReason
from tests import attendance
from tests.assessments import Examined
from tests.attendance import AGO, held, school_of_before, whole_days
from tests.clerks import MARKUP, clerk, day, led_to, window
from tests.pages import Browser, read
from tests.training import HALF_DAYS, HOURS, SIZE, School, sessions
from tests.world import WELDER, World

__all__ = ["clerk"]  # a fixture


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await School.build(tx, committed)


def typed_class(school: School, first: date, room: str) -> dict[str, str]:
    teacher = school.world.maker.person()
    timetable = [f"{it.day} {it.begins} {it.ends} {it.hours} {room} 1" for it in sessions(first)]
    return {
        "item_code": WELDER,
        "level": "4",
        "planned_hours": f"{HOURS}",
        "site_name": "本部",
        "site_address": "解放路 1 号",
        "site_district": school.world.here,
        "teachers": f"{teacher.name}\t{teacher.id_number}",
        "sessions": "\n".join(timetable),
    }


def people_sheet(people: list[MadeUpPerson], kind: str = "csv") -> tuple[str, bytes, str]:
    lines = [[each.name, each.id_number, each.phone] for each in people]
    return f"名册.{kind}", as_sheet([["姓名", "身份证号", "手机号"], *lines], kind), TYPES[kind]


async def test_a_class_is_refused_with_every_reason_and_filed_once(school: School, clerk: Browser) -> None:
    world, new = school.world, "/institution/classes/new"
    people = [world.maker.person() for _ in range(SIZE)]
    files = {"sheet": people_sheet(people)}
    room = f"{uuid4().hex[:8]}室"
    fields = typed_class(school, world.today + timedelta(days=30), room)
    page = await clerk.get(new)
    wrong = {
        **fields,
        "planned_hours": "很多",
        "site_name": MARKUP,
        "teachers": "王五 37010219900230123X",
        "sessions": "2026-13-01 08:30 11:30 4 301室\n2026-03-02 8点 11:30 4 301室",
    }
    malformed = await clerk.send(page, new, {**files}, **wrong)
    shown = read(malformed)
    assert malformed.status_code == 422
    for said in ("总学时：", "教师第 1 行 身份证号：", "课程表第 1 行 日期：", "课程表第 2 行 上课时间："):
        assert said in shown.text
    assert MARKUP not in malformed.text
    beside = malformed.text.partition('id="sessions-err"')[2].partition("</p>")[0]
    assert ("课程表第 1 行" in beside, "课程表第 2 行" in beside) == (True, True)  # both, not the last alone
    assert "2026-13-01 08:30 11:30" in malformed.text  # kept as it was typed
    blank = read(await clerk.send(page, new)).text
    for label in ("职业", "等级", "总学时", "教学点", "地址", "所在区", "课程表", "教师", "学员"):
        assert f"{label}：" in blank  # whatever is missing, at once
    few = {"sheet": people_sheet(people[:2])}
    late = await clerk.send(page, new, few, **typed_class(school, world.today + timedelta(days=1), room))
    reasons = read(late).text
    assert re.search(r"现在申报最早\d{4}年\d+月\d+日开班", reasons)
    assert "有 1 处要改" not in reasons  # too late and too few at once
    answers = [await clerk.send(page, new, files, **fields) for _ in range(2)]
    assert len({led_to(each)[0] for each in answers}) == 1  # pressed twice, filed once
    at = led_to(answers[0])[0]
    assert "申报了" in read(await clerk.get(f"{at}?told=class_filed")).text
    async with transaction() as tx:
        mine = await classes_page(tx, world.clerks[0], status=None, district=None, cursor=None, limit=10)
    assert [f"/institution/classes/{each.id}" for each in mine.classes] == [at]
    listed = read(await clerk.get("/institution/classes?status=filed")).text
    assert "1 10" not in listed
    assert "没有符合的" in read(await clerk.get("/institution/classes?status=denied")).text
    for secret in (people[0].id_number, people[0].name):
        assert secret not in (await clerk.get(at)).text


async def test_a_class_is_mended_changed_and_given_up(school: School, clerk: Browser) -> None:
    world = school.world
    async with transaction() as tx:
        view = await school.file(tx)
        await deciding.send_class_back(tx, school.officers[0], view.id, NewClassReason("写明实训教室"), world.now)
    at = f"/institution/classes/{view.id}"
    assert "写明实训教室" in read(await clerk.get(at)).text
    assert view.item_name in read(await clerk.get("/institution")).text
    page = await clerk.get(f"{at}/refile")
    lines = "\n".join(f"{it.day},{it.begins},{it.ends},{it.hours},{uuid4().hex[:6]}室" for it in view.sessions)
    site = {"site_name": "本部", "site_address": "解放路 1 号", "site_district": world.here}
    fields = {**site, "level": "4", "planned_hours": f"{HOURS}", "sessions": lines, "teachers": "", "trainees": ""}
    assert led_to(await clerk.send(page, f"{at}/refile", **fields)) == (at, {"told": "class_filed"})
    async with transaction() as tx:
        again = await class_view(tx, world.clerks[0], view.id, world.now)
    # the same people, whom nobody had to type again
    assert (again.status, again.roster, again.teachers) == ("filed", view.roster, view.teachers)
    page = await clerk.get(f"{at}/change")
    same = {"sessions": class_form.as_lines(again.sessions), "site_name": "本部", "site_address": "解放路 1 号"}
    nothing = await clerk.send(page, f"{at}/change", **same, teachers="", reason="换")
    assert nothing.status_code == 422
    moved = {**same, "site_name": "实训基地"}
    assert led_to(await clerk.send(page, f"{at}/change", **moved, teachers="", reason="场地换了"))[0] == at
    assert "场地换了" in read(await clerk.get(at)).text
    people = [world.maker.person() for _ in range(SIZE + 1)]
    page, roster = await clerk.get(at), f"{at}/roster"
    spoilt = as_sheet([["姓名", "身份证号"], ["王五", "123"]], "csv")
    refused = await clerk.send(page, roster, {"sheet": (f"{MARKUP}.csv", spoilt, CSV_TYPE)}, reason="补人")
    assert (refused.status_code, "第 2 行 身份证号：" in read(refused).text) == (422, True)
    assert MARKUP not in refused.text
    assert (await clerk.send(page, roster, reason="补人")).status_code == 422
    assert led_to(await clerk.send(page, roster, {"sheet": people_sheet(people, "xlsx")}, reason="补人"))[0] == at
    assert f"学员 {SIZE + 1} 人" in read(await clerk.get(at)).text
    file = await clerk.client.get(roster)
    assert file.headers["content-type"].startswith(XLSX_TYPE)
    async with window(world.clerks[1]) as stranger:
        for path in (at, f"{at}/refile", f"{at}/change", roster, f"{at}/attendance", f"{at}/results"):
            assert (await stranger.client.get(path)).status_code == 404
        own = await stranger.get("/institution/classes/new")
        token = re.search(r'name="_csrf_token" value="([^"]*)"', own.text)
        assert token is not None
        for act in ("refile", "change", "roster", "withdraw", "attendance"):
            there = await stranger.client.post(f"{at}/{act}", data={"_csrf_token": token[1], **fields, "why": "x"})
            assert there.status_code == 404, act
    empty = await clerk.send(page, f"{at}/withdraw", why="")
    assert (empty.status_code, "有 1 处要改" in read(empty).text) == (422, True)
    assert led_to(await clerk.send(page, f"{at}/withdraw", why="学员不够")) == (at, {"told": "class_withdrawn"})
    assert "已撤回" in read(await clerk.get(at)).text


async def test_attendance_of_a_class(committed: World) -> None:
    async with transaction() as tx:
        school = await school_of_before(tx, committed)
        of = await held(tx, school)
    school.let_pass(AGO.days)
    lines = whole_days(of, school.first, HALF_DAYS // 2 + 1)[:HALF_DAYS]
    stranger = (committed.maker.person().id_number, school.first, "08:30", "11:30")
    data, at = attendance.sheet([*lines, stranger]), f"/institution/classes/{of.id}/attendance"
    async with window(committed.clerks[0]) as clerk:
        page = await clerk.get(at)
        wrong = await clerk.send(page, at, {"sheet": ("x.csv", b"a,b", CSV_TYPE)})
        assert (wrong.status_code, "没有找到表头" in read(wrong).text) == (422, True)
        assert (await clerk.send(page, at)).status_code == 422
        answer = await clerk.send(page, at, {"sheet": (f"{MARKUP}.csv", data, CSV_TYPE)})
        assert led_to(answer)[0] == at
        told = await clerk.get(answer.headers["location"])
        assert f"新收{HALF_DAYS}先前就有0没有收1" in read(told).text
        assert f"{HALF_DAYS + 2}身份证号这个人不在这个班的名册上" in read(told).text
        assert MARKUP not in told.text
        twice = await clerk.send(page, at, {"sheet": (f"{MARKUP}.csv", data, CSV_TYPE)})
        assert twice.headers["location"] == answer.headers["location"]
        shown = read(await clerk.get(f"{at}?line=1")).text
        assert "100%" in shown
        assert "签到表" in shown
        assert "不能自己改" in shown
        assert "到不了" in shown
        assert "新收" not in read(await clerk.get(f"{at}?upload=another")).text


async def test_a_body_hands_in_results(committed: World) -> None:
    async with transaction() as tx:
        school = await school_of_before(tx, committed)
        of = await Examined.build(tx, school)
    heading = ["姓名", "身份证号", "结果", "成绩", "证书编号", "证书日期"]
    marks = {"passed": "合格", "failed": "不合格", "absent": "缺考"}
    lines: list[list[str]] = [[of.examiner.name, of.examiner.id_number, "考评员", "", "", ""]]
    for it in of.results():
        told = (it.score, it.certificate_number, it.certificate_issued_on)
        lines.append([it.name, it.id_number, marks[it.mark], *(each or "" for each in told)])
    at, fields = "/institution/assessments", {"class_number": of.view.number, **day("assessed_on", committed.today)}

    def results(given: list[list[str]]) -> dict[str, tuple[str, bytes, str]]:
        return {"sheet": ("结果.csv", as_sheet([heading, *given], "csv"), CSV_TYPE)}

    async with window(of.clerk) as clerk:
        page = await clerk.get(at)
        assert "还没有报过评价结果" in read(page).text
        wrong: list[tuple[dict[str, Any], dict[str, str], str]] = [
            ({}, fields, "有 1 处要改"),
            (results([*lines[:-1], [*lines[-1][:2], "好", "", "", ""]]), fields, f"第 {len(lines) + 1} 行"),
            (results(lines), {**fields, "class_number": "KB370102-2020-9999"}, "有 1 处要改"),
            (results(lines), {**fields, "assessed_on_m": "13"}, "有 1 处要改"),
        ]
        for files, given, said in wrong:
            refused = await clerk.send(page, at, files, **given)
            assert (refused.status_code, said in read(refused).text) == (422, True), read(refused).text
        to, told = led_to(await clerk.send(page, at, results(lines), **fields))
        assert (to, told) == (f"{at}/{of.view.id}", {"told": "assessed"})
        shown = read(await clerk.get(to)).text
        assert "合格8不合格1缺考1" in shown
        assert of.trainees[0].id_number not in shown
        assert of.view.number in read(await clerk.get(at)).text
        again = await clerk.send(page, at, results(lines), **fields, once="another")
        assert "现在是第 1 版" in read(again).text
    async with window(committed.clerks[0]) as trainer:
        assert "合格8" in read(await trainer.get(f"/institution/classes/{of.view.id}/results")).text
        taught = await trainer.get(at)
        refused = await trainer.send(taught, at, results(lines), **fields)
        assert refused.status_code == 422
