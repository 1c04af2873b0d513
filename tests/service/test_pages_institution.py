"""A clerk's whole work on pages: rosters, classes, attendance, papers, claims, money, standing, results."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

from domain.actor import Actor
from service import jobs as owed_work
from service.claims.queries.mandates import list_mandates
from service.claims.tables import RosterRow
from service.database import transaction
from service.gateways.roster_sheets import LIMITS
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE, as_sheet
from service.local.made_up import MadeUpPerson
from service.pages.institution import class_form
from service.security import open_session
from service.training.commands import deciding
from service.training.queries.views import class_view, classes_page
from service.training.schemas import NewClassReason
from tests import attendance
from tests.assessments import Examined, body
from tests.attendance import AGO, held, school_of_before, whole_days
from tests.enterprises import Enterprise
from tests.oversight import Oversight
from tests.pages import Browser, at_a_browser, read
from tests.rosters import Desk, line_of
from tests.sheets import read_csv, sheet
from tests.training import HALF_DAYS, HOURS, SIZE, School, sessions
from tests.world import WELDER, World

NOWHERE = "00000000-0000-0000-0000-000000000000"
#: What a browser must never take for its own.
MARKUP = '<script>x("1")</script>'


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker here; the jobs are done by hand."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)


@asynccontextmanager
async def window(actor: Actor) -> AsyncIterator[Browser]:
    async with transaction() as tx:
        token = (await open_session(tx, actor)).token
    async with at_a_browser(token) as browser:
        yield browser


@pytest.fixture
async def clerk(committed: World) -> AsyncIterator[Browser]:
    async with window(committed.clerks[0]) as browser:
        yield browser


def led_to(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where a form that was taken leads, and what the address says."""
    assert answer.status_code == 303, read(answer).text
    to = urlsplit(answer.headers["location"])
    return to.path, {name: values[0] for name, values in parse_qs(to.query).items()}


def day(field: str, on: date) -> dict[str, str]:
    return {f"{field}_y": f"{on.year}", f"{field}_m": f"{on.month}", f"{field}_d": f"{on.day}"}


# ---- rosters


async def test_a_roster_goes_in_and_what_is_to_be_mended_comes_out(committed: World, clerk: Browser) -> None:
    desk = Desk(committed, committed.clerks[0])
    good, bad, odd = (line_of(committed, **more) for more in ({}, {"等级": "五级"}, {"收款卡号": "6222-abcd-9999"}))
    data, new = sheet([good, bad, odd]), "/institution/rosters/new"
    page = await clerk.get(new)
    assert f'data-max="{LIMITS.file_bytes}"' in page.text  # a script says so before anything is sent
    name = f"{MARKUP}.csv"
    at, said = led_to(await clerk.send(page, new, {"sheet": (name, data, CSV_TYPE)}))
    assert said == {"file": name}
    roster_id = UUID(at.rpartition("/")[2])
    waiting = await clerk.get(f"{at}?file={MARKUP}.csv")
    assert MARKUP not in waiting.text
    assert "正在读表" in read(waiting).text
    part = await clerk.client.get(f"{at}/progress")
    assert 'hx-trigger="load delay:2s"' in part.text
    await desk.import_it(roster_id)
    await desk.file_it(roster_id)
    done = await clerk.client.get(f"{at}/progress")
    assert "hx-get" not in done.text  # so a browser stops asking
    assert "核对完了：已提交 1 行，要改 2 行" in done.text
    shown = read(await clerk.get(at))
    assert "3 行都看完了，2 行要改" in shown.text
    assert re.search(r"3\S+证书编号\w{22}证书编号里的等级和填的不一样", shown.text)
    assert "收款卡号6222-abcd-9999卡号：" in shown.text
    for secret in (good["身份证号"], bad["身份证号"], bad["姓名"], good["收款卡号"]):
        assert secret not in shown.text
    back, _ = read_csv((await clerk.client.get(f"{at}/sheet")).content)
    assert (back["身份证号"], "证书编号" in back["须改的内容"]) == (bad["身份证号"], True)
    again = await clerk.send(await clerk.get(new), new, {"sheet": ("again.csv", data, "application/vnd.ms-excel")})
    assert led_to(again)[0] == at  # the same bytes are the same roster
    assert "2 行要改" in read(await clerk.get("/institution")).text
    assert "要改" in read(await clerk.get("/institution/rosters")).text
    async with window(committed.clerks[1]) as stranger:
        for path in (at, f"{at}/progress", f"{at}/sheet"):
            assert (await stranger.client.get(path)).status_code == 404


async def test_a_file_that_is_no_sheet_leads_back_and_nothing_is_kept(committed: World, clerk: Browser) -> None:
    new = "/institution/rosters/new"
    page = await clerk.get(new)
    for name, data, said in (
        ("名单.pdf", b"%PDF", "只能读取文本、CSV 和 XLSX 文件"),
        ("名单", b"x", "只能读取文本、CSV 和 XLSX 文件"),
        ("名单.xlsm", b"x", "工作簿含有宏"),
        ("名单.xlsx", b"PK\x03\x04", "不是 XLSX 工作簿"),
        (f"{MARKUP}.csv", b"\x00\xff\xfe", "不是文本文件"),
    ):
        path, _ = led_to(answer := await clerk.send(page, new, {"sheet": (name, data, XLSX_TYPE)}))
        assert path == new
        told = await clerk.get(answer.headers["location"])
        assert said in read(told).text
        assert "什么都没有存" in told.text
        assert MARKUP not in told.text
        assert read(told).words["title"] == ["有错误：交代领名册 · 直达"]
    assert led_to(await clerk.send(page, new))[1]["why"] == "value.missing"
    number = {"class_number": "KB-不是编号"}
    wrong = await clerk.send(page, new, {"sheet": ("a.csv", b"x", CSV_TYPE)}, **number)
    assert led_to(wrong)[1]["why"] == "class_number.form"
    foreign = await clerk.get(f"{new}?why=stage.paid&file=x")  # a code that tells of something else
    assert "只能读取文本" in foreign.text
    large = await clerk.send(page, new, {"sheet": ("a.csv", bytes(LIMITS.file_bytes + 2**21), CSV_TYPE)})
    assert large.status_code == 413
    assert read(large).words["h1"]
    async with transaction() as tx:
        mine = RosterRow.institution_id == committed.clerks[0].institution_id
        assert (await tx.execute(select(func.count()).select_from(RosterRow).where(mine))).scalar_one() == 0


# ---- classes


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


def people_sheet(people: list[MadeUpPerson]) -> tuple[str, bytes, str]:
    lines = [[each.name, each.id_number, each.phone] for each in people]
    return "名册.xlsx", as_sheet([["姓名", "身份证号", "手机号"], *lines], "xlsx"), XLSX_TYPE


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
    malformed = await clerk.send(page, new, {**files}, **{**wrong, "planned_hours": "60"})
    shown = read(malformed)
    assert malformed.status_code == 422
    for said in ("第 1 行 身份证号：", "第 1 行 日期：", "第 2 行 上课时间："):
        assert said in shown.text
    assert MARKUP not in malformed.text
    assert "2026-13-01 08:30 11:30" in malformed.text  # kept as it was typed
    assert (await clerk.send(page, new, {**files}, **wrong)).status_code == 422
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
    assert led_to(await clerk.send(page, roster, {"sheet": people_sheet(people)}, reason="补人"))[0] == at
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


# ---- papers


def paper(name: str = "协议.pdf") -> dict[str, tuple[str, bytes, str]]:
    return {"document_sha256": (name, b"%PDF-1.4 signed", "application/pdf")}


async def test_mandates_are_registered_once(committed: World, clerk: Browser) -> None:
    at, made = "/institution/mandates", committed.maker.person()
    page = await clerk.get(at)
    assert "还没有登记过协议" in read(page).text
    today, end = committed.today, committed.today + timedelta(days=10)
    fields = {"name": made.name, "id_number": made.id_number, "phone": made.phone, "fee": "none"}
    fields |= {**day("signed_on", today), **day("valid_from", today), **day("valid_to", end)}
    for wrong, files, said in (
        ({}, {}, "有 1 处要改"),
        ({"fee": ""}, paper(), "代领不能收费"),
        ({"id_number": "123", "name": MARKUP}, paper(), "有 1 处要改"),
        (day("signed_on", today + timedelta(days=3)), paper(), "有 1 处要改"),
        ({"valid_to_m": "13"}, paper(), "有 1 处要改"),
    ):
        refused = await clerk.send(page, at, files, **{**fields, **wrong})
        assert refused.status_code == 422, wrong
        assert said in read(refused).text
        assert MARKUP not in refused.text
    for _ in range(2):
        told = await clerk.send(page, at, paper(), **fields)
        assert led_to(told) == (at, {"told": "mandate_recorded"})
    shown = read(await clerk.get(f"{at}?told=mandate_recorded")).text
    assert "快到期" in shown
    assert made.name not in shown
    async with transaction() as tx:
        assert len((await list_mandates(tx, committed.clerks[0], None, 10)).mandates) == 1
    async with window(committed.clerks[1]) as stranger:
        assert "还没有登记过协议" in read(await stranger.get(at)).text


async def test_an_enterprise_has_contracts_and_what_was_paid(committed: World) -> None:
    async with transaction() as tx:
        enterprise = await Enterprise.build(tx, committed)
        claim = await enterprise.claim(tx)
    at, made = "/institution/contracts", committed.maker.person()
    async with window(enterprise.clerk) as clerk:
        page = await clerk.get(at)
        doors = read(page).words["nav"][0]
        assert ("劳动合同" in doors, "开班" in doors) == (True, False)
        fields = {"name": made.name, "id_number": made.id_number, "phone": "", "number": "HT-2026-7"}
        fields |= {**day("signed_on", committed.today), **day("valid_from", committed.today)}
        both = await clerk.send(page, at, paper(), **{**fields, "number": "", "id_number": "1"})
        assert "有 2 处要改" in read(both).text
        assert led_to(await clerk.send(page, at, paper(), **fields))[1] == {"told": "contract_recorded"}
        assert "没有固定期限" in read(await clerk.get(at)).text
        listed = read(await clerk.get("/institution/claims")).text
        assert "1 笔" in listed
        assert enterprise.name in read(await clerk.get(f"/institution/claims/{claim.id}")).text
        assert "还没有发下来的" in read(await clerk.get("/institution/money")).text


# ---- claims


async def test_claims_by_state_and_one_withdrawn(committed: World, clerk: Browser) -> None:
    async with transaction() as tx:
        claims = [await committed.through_institution(tx) for _ in range(2)]
    at = f"/institution/claims/{claims[0].id}"
    shown = read(await clerk.get("/institution/claims")).text
    assert "全部 2已提交 2" in shown
    assert "2,400 元" in shown
    assert "没有符合的" in read(await clerk.get("/institution/claims?status=paid")).text
    page = await clerk.get(at)
    assert "撤回这笔申领" in page.text
    strange = await clerk.send(page, f"{at}/withdraw", note="x" * 600)
    assert strange.status_code == 422
    assert led_to(await clerk.send(page, f"{at}/withdraw", note=MARKUP)) == (at, {"told": "withdraw"})
    again = await clerk.send(page, f"{at}/withdraw", note=MARKUP)
    assert led_to(again)[0] == at  # the same press
    late = await clerk.send(page, f"{at}/withdraw", note="other", once="another")
    assert (late.status_code, "已撤回" in read(late).text) == (422, True)
    assert "已提交 1已撤回 1" in read(await clerk.get("/institution/claims?status=withdrawn")).text
    hidden = re.search(r'name="_csrf_token" value="([^"]*)"', page.text)
    assert hidden is not None
    token = {"_csrf_token": hidden[1]}
    assert (await clerk.client.post(f"{at}/pay", data=token)).status_code == 404
    assert (await clerk.client.post(f"{at}/withdraw")).status_code == 403  # no token of ours
    async with window(committed.clerks[1]) as stranger:
        assert (await stranger.client.get(at)).status_code == 404
        assert (await stranger.client.get(f"/institution/claims/{NOWHERE}")).status_code == 404


# ---- standing


async def test_what_is_stopped_and_an_appeal(committed: World) -> None:
    async with transaction() as tx:
        of = await Oversight.build(tx, committed)
        await of.happens(tx)
        penalty = await of.imposed(tx, "circulate")
    at, appeal = "/institution/standing", f"/institution/standing/{penalty.id}/appeal"
    async with window(of.clerk) as clerk:
        page = await clerk.get(at)
        shown = read(page).text
        assert "不开新班" in shown
        assert "巡查时无人上课" in shown
        assert "−6 分" in shown
        assert "不开新班" in read(await clerk.get("/institution")).text
        for reason in ("", "校长 13812345678", "长" * 501):
            refused = await clerk.send(page, appeal, reason=reason)
            assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True)
        assert led_to(await clerk.send(page, appeal, reason=f"当天停电 {MARKUP}")) == (
            at,
            {"told": "penalty_appealed"},
        )
        told = await clerk.get(f"{at}?told=penalty_appealed")
        assert "当天停电" in read(told).text
        assert MARKUP not in told.text
        assert appeal not in told.text  # once
        assert "没有我们的评估结果" in read(await clerk.get("/institution/evaluation")).text
        async with window(of.other_clerk) as stranger:
            there = await stranger.get(at)
            assert "现在没有被停的事" in read(there).text
            hidden = re.search(r'name="_csrf_token" value="([^"]*)"', there.text)
            assert hidden is not None
            data = {"_csrf_token": hidden[1], "reason": "x"}
            assert (await stranger.client.post(appeal, data=data)).status_code == 404


# ---- results


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


# ---- the first page


async def test_the_day_s_work_and_who_sees_it(committed: World, clerk: Browser) -> None:
    shown = read(await clerk.get("/institution")).text
    assert "都办完了" in shown
    assert (await clerk.client.get("/home")).headers["location"] == "/institution"
    for name in ("roster", "class-roster", "attendance", "results"):
        blank = await clerk.client.get(f"/institution/templates/{name}.csv")
        assert "身份证号" in blank.text
    for name in ("roster.exe", "..%2Fx.csv", "roster"):
        assert (await clerk.client.get(f"/institution/templates/{name}")).status_code == 404
    async with transaction() as tx:
        of_body = await body(tx, await School.build(tx, committed))
        trainee = (await committed.trainee(tx)).actor
    async with window(of_body) as assessor:
        doors = read(await assessor.get("/institution")).words["nav"][0]
        assert ("评价结果" in doors, "协议" in doors) == (True, False)
    async with window(trainee) as other:
        assert (await other.client.get("/institution")).status_code == 403
    async with at_a_browser() as nobody:
        assert (await nobody.client.get("/institution/claims")).headers[
            "location"
        ] == "/sign-in?next=/institution/claims"
