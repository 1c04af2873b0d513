"""The rest of what anybody may see: institutions, notices, editions, complaints, and what is explained."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from litestar.testing import RequestFactory
from sqlalchemy import func, select

from domain.actor import Actor, Post
from domain.catalog.difference import Change
from domain.claim import ClaimAction
from domain.errors import Invalid
from domain.identity import CreditCode
from domain.institution import InstitutionKind
from service import clock
from service.access.commands import load_districts
from service.catalog.queries.differences import difference
from service.claims.commands.moves import move_claim
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.institutions.commands import list_institution
from service.institutions.commands.registering import give_grade
from service.institutions.schemas import NewGrade
from service.journal import By
from service.notices.commands import publish_notice
from service.notices.tables import NoticeLineRow
from service.oversight.commands import complaining
from service.oversight.queries.complaints import district_complaints
from service.oversight.schemas import NewComplaintAnswer
from service.oversight.tables import ComplaintRow
from service.pages import editions_pages
from service.pages.forms import day_written
from service.pages.rendering import page as rendered
from service.security import open_session
from service.wording import words
from tests.oversight import Oversight
from tests.pages import Browser, Page, at_a_browser, read
from tests.service.test_editions import Office, office
from tests.service.test_pages import on_day
from tests.world import WELDER, Trainee, World

__all__ = ["office"]  # fixtures

MARKUP = "<script>x</script>"
_FIRST = clock.today() - timedelta(days=1_000)


@pytest.fixture
async def anybody() -> AsyncIterator[Browser]:
    async with at_a_browser(follow=True) as browser:
        yield browser


@dataclass
class Town:
    """A district of its own with a notice that runs: one claim through a school, one of a trainee's own."""

    world: World
    district: str
    school: UUID
    code: str
    name: str
    officer: Actor
    trainee: Trainee
    notice_id: UUID
    closes_on: str


@pytest.fixture
async def town(committed: World) -> Town:
    world, district = committed, f"T{uuid4().hex[:12]}"
    code = world.maker.credit_code()
    name = f"示例{MARKUP}学校{code[-5:]}"
    async with transaction() as tx:
        await load_districts(tx, [{"code": district, "name": "试验区", "parent": None, "kind": "district"}])
        world.here = district
        scopes = {WELDER: ["4", "5"]}
        school = await list_institution(tx, CreditCode.parse(code), name, district, _FIRST, "示例", scopes=scopes)
        claim = await world.through_institution(tx, await world.user(tx, {Post.CLERK}, district, school))
        for action in (ClaimAction.VERIFY, ClaimAction.APPROVE):
            await move_claim(tx, action, claim.id, By("a test", world.now))
        trainee = await world.trainee(tx)
        await world.claim(tx, "approved", trainee)
        publisher = await world.user(tx, {Post.NOTICE_PUBLISHER}, district)
        notice = await publish_notice(tx, publisher, world.today, world.now)
        officer = await world.user(tx, {Post.INSTITUTION_OFFICER}, district)
    return Town(world, district, school, code, name, officer, trainee, notice.id, str(notice.closes_on))


async def complaints_of(town: Town) -> list[str]:
    async with transaction() as tx:
        found = await district_complaints(tx, town.officer, town.world.today, None, 50, which="open")
    return [each.words for each in found.complaints]


# ---- the frame, and what is explained


async def test_large_letters_hold_on_every_page_and_lead_back(anybody: Browser) -> None:
    page = await anybody.get("/catalog?q=焊工&list=shortage")
    link = next(each for each in read(page).values("href") if each.startswith("/text/big"))
    back = await anybody.get(link)
    assert (back.url.path, dict(back.url.params)) == ("/catalog", {"q": "焊工", "list": "shortage"})
    for path in ("/", "/how", "/sign-in", "/nowhere"):
        assert read(await anybody.client.get(path)).values("class", "html") == ["big"]
    kept = (await anybody.client.get("/how", headers={"If-None-Match": back.headers["etag"]})).status_code
    assert kept == 200
    plain = await anybody.get("/text/plain?next=https://evil.test/")
    assert plain.url.path == "/"
    assert read(plain).values("class", "html") == []
    assert (await anybody.client.get("/text/huge")).status_code == 404


async def test_what_is_explained_is_there_without_signing_in(anybody: Browser) -> None:
    how = read(await anybody.get("/how")).text
    assert "证书日期起 12 个月内" in how
    assert "公示结束起 15 个工作日内" in how
    assert "8 小时后失效" in read(await anybody.get("/privacy")).text
    assert "大字" in read(await anybody.get("/accessibility")).text


# ---- notices and objections


async def test_a_notice_is_read_masked_and_taken_down(anybody: Browser, town: Town) -> None:
    address = f"/notices/{town.notice_id}"
    listed = read(await anybody.get(f"/notices?district={town.district}"))
    assert address in listed.values("href")
    assert "5 个工作日" in listed.text
    answer = await anybody.get(address)
    shown, number = read(answer), town.trainee.made.id_number
    assert f"{town.trainee.made.name}{number[:6]}********{number[14:]}" in "".join(shown.text.split())
    assert number[6:14] not in answer.text
    assert town.name in shown.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "这个区现在没有公示" in read(await anybody.get("/notices?district=nowhere")).text
    with on_day(clock.today() + timedelta(days=60)):
        over = [await anybody.client.get(each) for each in (address, f"{address}/object")]
        assert [each.status_code for each in over] == [410, 410]
        assert read(over[1]).words["h1"] == ["公示已结束，名单已撤下"]
        assert address not in read(await anybody.get("/notices")).values("href")
    for strange in (uuid4(), f"{uuid4()}/object", "x", f"{town.notice_id}?after=x"):
        assert (await anybody.client.get(f"/notices/{strange}")).status_code in {400, 404}


async def test_anybody_objects_once_and_reads_the_answer_by_its_number(anybody: Browser, town: Town) -> None:
    action = f"/notices/{town.notice_id}/object"
    links = read(await anybody.get(f"/notices/{town.notice_id}")).values("href")
    assert {f"{action}?line=1", f"{action}?line=2", action} <= set(links)
    form = await anybody.get(f"{action}?line=2")
    assert re.search(r"第 2 行：.*焊工", read(form).text)
    assert form.headers["x-robots-tag"] == "noindex"
    without = await anybody.client.post(action, data={"line": "1", "words": "无人上课"})
    assert (without.status_code, read(without).words["h1"]) == (403, ["这张表过期了，没有提交，没有重复"])
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    large = await anybody.client.post(action, content=b"words=" + b"x" * 11_000_000, headers=kind)
    assert (large.status_code, read(large).words["h1"]) == (413, ["内容太大，没有提交"])
    wrong = await anybody.send(form, action, line="3", words=f"{MARKUP}没有上过课")
    assert (wrong.status_code, "#line" in read(wrong).values("href")) == (422, True)
    wrong = await anybody.send(form, action, line="<b>", words="长" * 1_801, contact="长" * 101)
    shown = read(wrong)
    assert wrong.status_code == 422
    assert {"#line", "#words", "#contact"} <= set(shown.values("href"))
    # each by its label, since a fault alone does not say where it is
    assert {"哪里不对：这里最多 1800 个字。", "怎么找到你：这里最多 100 个字。"} <= set(shown.words["a"])
    assert "<b>" in shown.values("value")
    said = {"line": "２", "words": f"{MARKUP}没有上过课", "contact": "13800001234"}
    done = await anybody.send(wrong, action, **said)
    assert re.fullmatch(r"/notices/objections/[0-9a-f-]{36}", done.url.path)
    assert "最晚" in read(done).text
    assert "没有上过课" not in done.text
    assert (await anybody.send(wrong, action, **said)).url == done.url
    assert (await anybody.client.get(f"/notices/objections/{uuid4()}")).status_code == 404
    async with transaction() as tx:
        publisher = await town.world.user(tx, {Post.NOTICE_PUBLISHER}, town.district)
        token = (await open_session(tx, publisher)).token
    async with at_a_browser(token) as desk:
        assert "有 1 个异议等待答复" in read(await desk.get("/desk/notices")).text
        listed = await desk.get("/desk/notice-objections")
        assert {f"{MARKUP}没有上过课", "怎么找到：13800001234"} <= set(read(listed).words["p"])
        answer = f"/desk/notice-objections/{done.url.path.rpartition('/')[2]}"
        missing = await desk.send(listed, answer, reason="见 13800001234")
        assert missing.status_code == 422
        for _ in range(2):
            told = await desk.send(missing, answer, answer="not_upheld", reason=f"{MARKUP}查了，属实")
            assert told.headers["location"] == "/desk/notice-objections?told=answered"
        assert "没有等待答复的异议" in read(await desk.get("/desk/notice-objections")).text
        assert "查了，属实" in read(await desk.get("/desk/notice-objections?closed=true")).text
        (number,) = re.findall(r"YY\d{10}", done.text)
        told = await desk.client.get("/desk/notice-objections", params={"number": f" {number.lower()}"})
        assert ("查了，属实" in read(told).text, number in read(told).text) == (True, True)
        other = await desk.client.get("/desk/notice-objections", params={"number": f"{number}1"})
        assert "没有这个受理号的异议" in read(other).text
        # its answer is for who has the address: numbers follow each other, and the list names a person
        assert (await desk.client.get(f"/complain/{number}")).status_code == 404
        assert (await desk.client.get("/desk/notice-objections?cursor=x")).status_code == 400
    told_back = read(await anybody.get(done.url.path)).text
    assert f"异议不成立。{MARKUP}查了，属实" in told_back


async def test_who_is_objected_to_and_who_objects_read_that_it_is_looked_into(town: Town) -> None:
    async with transaction() as tx:
        claim_id = (
            await tx.execute(select(ClaimRow.id).where(ClaimRow.person_id == town.trainee.actor.person_id))
        ).scalar_one()
        lines = select(NoticeLineRow.claim_id).where(NoticeLineRow.notice_id == town.notice_id)
        line = 1 + sorted((await tx.execute(lines)).scalars()).index(claim_id)
        objector = (await town.world.trainee(tx)).actor
        tokens = [(await open_session(tx, each)).token for each in (town.trainee.actor, objector)]
    action = f"/notices/{town.notice_id}/object"
    async with at_a_browser(tokens[1]) as me:
        assert "没有提过投诉" in read(await me.get("/me/complaints")).text
        sent = await me.send(await me.get(action), action, line=str(line), words="没有上过课")
        again = await me.send(await me.get(action), action, line=str(line), words="还是没有上过课")
        assert "你对这里已经提过异议" in read(again).text
        mine = set(read(await me.get("/me/complaints")).values("href"))
        assert {sent.headers["location"], "/me", "/complain"} <= mine
    async with at_a_browser(tokens[0]) as claimant:
        assert "异议处理中" in read(await claimant.get("/me")).text
        mine = read(await claimant.get(f"/me/claims/{claim_id}")).text
        assert "有人提出异议，正在核实。" in mine
        assert "没有上过课" not in mine


# ---- complaints


async def test_a_complaint_names_its_institution_and_its_words_are_kept(anybody: Browser, town: Town) -> None:
    form = await anybody.get(f"/complain?institution={town.code}")
    assert town.code in read(form).values("value")
    for institution, said in (
        ("没有这家", "目录里没有这家机构"),
        ("", "还没填"),
        ("%_", "目录里没有"),
        ("示例", "有几家都对得上"),
    ):
        wrong = await anybody.send(form, "/complain", institution=institution, words=MARKUP, kind="complaint")
        assert (wrong.status_code, MARKUP in read(wrong).words["textarea"][0]) == (422, True)
        assert said in read(wrong).text, institution
    for typed, more in (("", {}), ("长" * 1_801, {}), ("x", {"kind": "worse"}), ("x", {"class_number": "没有"})):
        wrong = await anybody.send(form, "/complain", institution=town.name, words=typed, **more)
        assert wrong.status_code == 422
    async with transaction() as tx:
        assert (
            await tx.execute(select(func.count()).where(ComplaintRow.institution_id == town.school))
        ).scalar() == 0
    done = await anybody.send(form, "/complain", institution=town.name, words="老师不来", kind="opinion")
    assert "收到了" in read(done).text
    assert await complaints_of(town) == ["老师不来"]
    assert (await anybody.client.get(f"/complain/{uuid4()}")).status_code == 404


async def test_whoever_signed_in_reads_the_answer(town: Town) -> None:
    async with transaction() as tx:
        token = (await open_session(tx, town.trainee.actor)).token
    async with at_a_browser(token, follow=True) as me:
        before = await me.get("/complain/mine")  # as receipts said once
        assert ([each.status_code for each in before.history], before.url.path) == ([301], "/me/complaints")
        assert "没有提过投诉" in read(before).text
        done = await me.send(await me.get("/complain"), "/complain", institution=town.code, words="老师不来")
        async with transaction() as tx:
            about = UUID(done.url.path.rpartition("/")[2]), NewComplaintAnswer("已责令补课", founded=True)
            await complaining.answer(tx, town.officer, *about, town.world.today, town.world.now)
        assert "查实了。已责令补课" in read(await me.get("/me/complaints")).text
        receipt = await me.get(done.url.path)
        assert ("已经答复" in read(receipt).text, "/me/complaints" in read(receipt).values("href")) == (True, True)
        assert "已责令补课" not in (await me.get(done.url.path)).text


# ---- institutions


async def test_institutions_are_found_by_all_that_is_asked(anybody: Browser, town: Town) -> None:
    async with transaction() as tx:
        officer = await town.world.user(tx, {Post.INSTITUTION_OFFICER})
        new = NewGrade("A", "示例", clock.today().isoformat())
        await give_grade(tx, officer, town.school, new, town.world.today, town.world.now)
        body = CreditCode.parse(town.world.maker.credit_code())
        kind = InstitutionKind.ASSESSMENT_BODY
        await list_institution(tx, body, "示例评价", town.district, _FIRST, "示例", kind=kind, scopes={WELDER: ["4"]})
    here, address = f"district={town.district}", f"/institutions/{town.school}"

    async def found(query: str, path: str = "/institutions") -> Page:
        return read(await anybody.get(f"{path}?{query}"))

    for query in (
        here,
        f"{here}&item=焊工",
        f"{here}&item={WELDER}&grade=A&standing=listed",
        f"{here}&on=2026.01.02",
    ):
        assert address in (await found(query)).values("href"), query
    for query in (f"{here}&grade=B", f"{here}&standing=exited", f"{here}&item=养老护理员", f"{here}&on=20010101"):
        page = await found(query)
        assert address not in page.values("href"), query
        assert "没有符合的" in page.text
    assert address not in (await found(here, "/bodies")).values("href")
    assert "示例评价" in (await found(here, "/bodies")).text
    async with transaction() as tx:
        await load_districts(tx, [{"code": "T-empty", "name": "空区", "parent": None, "kind": "district"}])
    elsewhere = await found("district=T-empty&grade=A&item=焊工")
    assert "试验区 1 家" in elsewhere.text
    strange = await anybody.client.get("/institutions?on=2026-02-30&item=" + quote(MARKUP))
    assert (strange.status_code, read(strange).values("value")[0]) == (422, MARKUP)
    assert any(each.startswith("/text/big?next=/institutions%3Fon") for each in read(strange).values("href"))
    occupation = read(await anybody.get(f"/catalog/{WELDER}"))
    assert f"/institutions?item={WELDER}" in occupation.values("href")


async def test_an_institution_shows_what_is_published_of_it(anybody: Browser, committed: World) -> None:
    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
        await city.imposed(tx, "rectify")
    page = read(await anybody.get(f"/institutions/{city.institution_id}"))
    assert "巡查两次不合格" in page.text
    assert "部分暂停" in page.text
    assert "还没有评估结果" in page.text
    assert f"/complain?institution={city.code}" in page.values("href")
    for strange in (uuid4(), "x"):
        assert (await anybody.client.get(f"/institutions/{strange}")).status_code == 404


# ---- editions


async def test_the_same_edition_differs_in_nothing(anybody: Browser) -> None:
    listed = read(await anybody.get("/catalog/editions"))
    assert "2023 年" in listed.text
    assert all([(await anybody.get(each)).status_code == 200 for each in listed.values("href") if "kind=" in each])
    assert "没有不同" in read(await anybody.get("/catalog/diff?from=2023&to=2023-0")).text
    for strange in ("", "?from=2023&to=2090", "?from=x&to=2023", "?from=2023-0&to=9999999"):
        assert (await anybody.client.get(f"/catalog/diff{strange}")).status_code == 404
        assert (await anybody.client.get(f"/catalog/diff.csv{strange}")).status_code == 404


async def test_what_changed_stands_by_kind_on_the_page_and_in_the_file(tx: Tx, office: Office) -> None:
    await office.published()
    asked = {"from": "2023-0", "to": f"{office.year}-0"}
    request = RequestFactory().get("/catalog/diff")
    answer = rendered(request, "public/difference.html", clock.today(), **await editions_pages.compared(tx, asked))
    html = {**answer.headers, "content-type": "text/html; charset=utf-8"}
    shown = httpx.Request("GET", "https://zhida.test/catalog/diff")
    page = read(httpx.Response(200, headers=html, content=answer.content, request=shown))
    found = await difference(tx, (2023, 0), (office.year, 0), drafts=False)
    counts = {str(change): len(getattr(found, change)) for change in Change}
    assert counts["removed"] > 700
    assert page.words["h2"] == [words(f"change.{kind}", {"count": count}) for kind, count in counts.items() if count]
    assert f"全部 {counts['removed']} 项在下载的文件里" in page.text
    name, content = await editions_pages.compared_file(tx, asked)
    lines = content.decode("utf-8").splitlines()
    assert lines[0].startswith("\ufeff变化,原目录,原编码")
    assert len(lines) == 1 + sum(counts.values())
    assert name == f"catalog-2023-0-to-{office.year}-0.csv"


# ---- what will I get


async def test_the_calculator_says_an_amount_or_the_reason(anybody: Browser) -> None:
    at = f"/catalog/{WELDER}"
    answer = read(await anybody.get(f"{at}?level=4&day=２０２６年10月 18日"))
    assert "你可以领1,200 元" in answer.text
    assert "2026年10月18日：1,000 × 1.2 示例标准" in answer.text
    none = read(await anybody.get(f"{at}?level=4&day=2001.1.2"))
    assert "算不出金额" in none.text
    assert "你可以领" not in none.text
    assert " 0 元" not in none.text
    for strange, field in (
        ("day=20260230&level=4", "day"),
        ("day=2026", "level"),
        ("level=" + quote(MARKUP), "level"),
    ):
        wrong = await anybody.client.get(f"{at}?{strange}")
        assert (wrong.status_code, f"#{field}" in read(wrong).values("href")) == (422, True)
    gone = read(await anybody.client.get("/catalog/6-18-02-0"))
    assert "目录里没有这个编码" in gone.text


@pytest.mark.parametrize(
    "text", ["2026-3-2", "2026.3.2", "2026/03/02", "20260302", "2026年3月2日", "２０２６－３－２", " 2026年 3月 2日 "]
)
def test_a_day_is_read_in_any_usual_form(text: str) -> None:
    assert day_written(text, "day").isoformat() == "2026-03-02"


@pytest.mark.parametrize("text", ["", "3.2.2026", "2026-2-30", "20261301", "明天", "1" * 40])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        day_written(text, "day")


async def test_levels_and_tags_narrow_a_search(anybody: Browser) -> None:
    def total(page: httpx.Response) -> int:
        found = re.search(r"找到 ([\d,]+) 项", read(page).text)
        return int(found[1].replace(",", "")) if found else 0

    every = total(await anybody.get("/catalog"))
    junior, green = total(await anybody.get("/catalog?level=junior")), total(await anybody.get("/catalog?tag=L"))
    assert 0 < junior < every
    assert 0 < green < every
    assert total(await anybody.get("/catalog?tag=X")) == total(await anybody.get("/catalog?level=x")) == 0
