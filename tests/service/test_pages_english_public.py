"""What anybody may see, in English, with something on it: `read` refuses a page that says anything in Chinese which
is not marked as a name or as somebody's words."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from litestar.testing import RequestFactory
from msgspec.structs import replace
from sqlalchemy import insert

from domain.actor import Post
from domain.identity import CreditCode
from domain.institution import InstitutionKind
from service import clock
from service.access.commands import load_districts
from service.claims.tables import ClaimTallyDeltaRow
from service.database import Tx, transaction
from service.institutions.commands import list_institution
from service.oversight.commands import complaining
from service.oversight.queries.complaints import district_complaints
from service.oversight.schemas import EvaluationResultView, NewComplaintAnswer
from service.pages import editions_pages, gathering, registry_pages
from service.pages.rendering import page as rendered
from service.pages.routes import figures, information, notices, public, registry
from service.security import open_session
from service.statistics.schemas import PaidCount
from service.wording import spoken
from tests.oversight import Oversight
from tests.pages import Browser, Page, at_a_browser, read
from tests.service.test_editions import Office, office
from tests.service.test_pages import bureau, on_day
from tests.service.test_pages_english import reader
from tests.service.test_pages_public import Town, complaints_of, town
from tests.world import WELDER

__all__ = ["bureau", "office", "reader", "town"]  # fixtures

FILED_IN = date(2056, 3, 1)
#: Enough behind each to be shown, and one line behind which there are few.
_FILED = (
    ("370102", "shortage", "加工维修", "4", "individual", 30),
    ("370102", "general", "加工维修", "3", "institution", 20),
    ("370112", "manufacturing", "养老服务", "5", "enterprise", 12),
    ("370112", "manufacturing", "养老服务", "5", "individual", 9),
    ("370103", "specific_skill", "家政服务", "junior", "individual", 1),
)


async def shown(reader: Browser, path: str, status: int = 200) -> Page:
    """The page at `path`, in English."""
    answer = await reader.client.get(path)
    page = read(answer)
    assert (answer.status_code, page.elements[0]) == (status, ("html", {"lang": "en"}))
    return page


@pytest.fixture
async def filed() -> AsyncIterator[None]:
    """Claims of three months, in a year of their own, taken back afterwards."""
    for sign in (1, -1):
        async with transaction() as tx:
            for month in (3, 4, 5):
                for district, list_kind, industry, level, channel, count in _FILED:
                    where = {"district": district, "list_kind": list_kind, "industry": industry, "level": level}
                    number = sign * (count + (month if count > 5 and channel == "individual" else 0))
                    row = {**where, "filed_on": FILED_IN.replace(month=month), "channel": channel, "count": number}
                    await tx.execute(insert(ClaimTallyDeltaRow).values(**row, amount_fen=120_000 * number))
        if sign == 1:
            yield


# ---- what is looked up


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/how", 200),
        ("/privacy", 200),
        ("/accessibility", 200),
        ("/catalog", 200),
        ("/catalog?first=31", 200),
        ("/catalog?list=project", 200),
        ("/catalog?level=junior", 200),
        ("/catalog?q=焊工&list=shortage&industry=加工维修&tag=S", 200),
        ("/catalog?q=养老护工", 200),
        ("/catalog/editions", 200),
        ("/catalog/diff?from=2023&to=2023-0", 200),
        ("/catalog/diff?from=2023&to=2090", 404),
        (f"/catalog/{WELDER}", 200),
        (f"/catalog/{WELDER}?level=4&day=２０２６年10月18日&group=x", 422),
        (f"/catalog/{WELDER}?level=4&day=2026.10.18", 200),
        (f"/catalog/{WELDER}?level=4&day=2001.1.2", 200),
        (f"/catalog/{WELDER}?level=x&day=今天", 422),
        ("/catalog/6-18-02-0", 404),
        ("/catalog/焊工（高级）", 404),
        ("/institutions", 200),
        ("/institutions?item=焊工&on=明天", 422),
        ("/bodies?standing=exited", 200),
        ("/notices", 200),
        ("/notices?district=nowhere", 200),
        ("/statistics?year=2001", 200),
        ("/open-data", 200),
        ("/complain", 200),
        ("/nowhere", 404),
        (f"/institutions/{UUID(int=7)}", 404),
        (f"/notices/{UUID(int=7)}", 404),
        (f"/notices/objections/{UUID(int=7)}", 404),
        (f"/complain/{UUID(int=7)}", 404),
        ("/complain/find?number=TS", 404),
        ("/notices/x", 404),
        ("/text/huge", 404),
    ],
)
async def test_what_anybody_looks_up(reader: Browser, path: str, status: int) -> None:
    await shown(reader, path, status)


async def test_names_stay_chinese_with_their_pinyin_beside_them_and_amounts_are_of_cny(reader: Browser) -> None:
    page = await shown(reader, f"/catalog/{WELDER}?level=4&day=2026.10.18")
    assert page.words["h1"] == ["焊工 hàn gōng"]
    assert page.words["title"] == ["Hàn gōng: how much is the subsidy · Zhida"]
    assert "You can getCNY 1,200" in page.text
    assert "Level 4 (intermediate skilled worker), 18 October 2026: 1,000 × 1.2" in page.text
    assert "within 12 months of the date of the certificate" in page.text


async def test_before_there_is_a_catalog(reader: Browser) -> None:
    with on_day(date(2023, 9, 17)):
        for path in ("/", "/catalog", "/catalog/editions"):
            await shown(reader, path)
        await shown(reader, f"/catalog/{WELDER}", 404)


async def test_a_bureau_says_it_too(reader: Browser, bureau: None) -> None:
    reader.client.cookies.set("zhida_language", "en", domain="zhida.test")
    assert "not the ones that were published" in (await shown(reader, "/")).words["aside"][0]


def test_every_page_of_these_modules_is_read_here() -> None:
    asked = {
        path
        for module in (figures, information, notices, public, registry)
        for each in module.ROUTES
        for path in each.paths
        if "GET" in each.http_methods
    }
    files = {"/statistics/file", "/statistics/steps/file", "/catalog/diff.csv", "/static/{digest:str}/{name:str}"}
    elsewhere = {"/complain/mine"}  # leads to what somebody reads who is signed in
    assert asked - files - elsewhere == {
        "/",
        "/accessibility",
        "/bodies",
        "/catalog",
        "/catalog/diff",
        "/catalog/editions",
        "/catalog/{code:str}",
        "/complain",
        "/complain/find",
        "/complain/{known_by:str}",
        "/how",
        "/institutions",
        "/institutions/{institution_id:uuid}",
        "/notices",
        "/notices/objections/{objection_id:uuid}",
        "/notices/{notice_id:uuid}",
        "/notices/{notice_id:uuid}/object",
        "/open-data",
        "/privacy",
        "/statistics",
        "/statistics/steps",  # test_pages_steps.py
        "/text/{size:str}",
    }


# ---- figures


async def test_figures_are_said_by_what_tells_them_apart(reader: Browser, filed: None) -> None:
    with on_day(date(2056, 6, 20)):
        home = await shown(reader, "/")
        by = {
            way: await shown(reader, f"/statistics?year=2056&by={way}")
            for way in ("month", "district", "list", "level", "industry")
        }
        files = await shown(reader, "/open-data")
        file = (await reader.client.get("/statistics/file?year=2056&by=list")).content.decode("utf-8-sig")
    drawn = next(each for each in home.values("aria-label", "svg") if "Share of individual claims" in each)
    assert drawn.startswith("Share of individual claims by month this year: from ")
    assert " in March to " in drawn
    assert "March 2056" in by["month"].words["th"]
    assert "历下区 lì xià qū" in by["district"].words["th"]
    assert {"Occupations in short supply", "List", "Share by amount"} <= set(by["list"].words["th"])
    assert "Level 4 (intermediate skilled worker)" in by["level"].words["th"]
    assert {"<5", "not shown"} & set(by["level"].words["td"])
    assert "Figures by district are published by whole months, next on 1 July 2056." in by["district"].text
    assert {"Share of individual claims in 2056", "Training catalog 2023"} <= set(files.words["h2"])
    assert "By district" in files.text
    # whoever reads the page, a file is the same for programs
    assert file.startswith("目录,占比,合计")
    assert "急需紧缺" in file


@pytest.mark.parametrize("persons", [1_234, 3])
async def test_what_was_paid_this_year(reader: Browser, monkeypatch: pytest.MonkeyPatch, persons: int) -> None:
    count = PaidCount(date(2026, 11, 26), persons, persons, 148_080_000, date(2026, 10, 1), 400, 17)

    async def counted(tx: Tx, on: date) -> PaidCount:
        return count

    monkeypatch.setattr(gathering, "latest_count", counted)
    page = await shown(reader, "/")
    many = persons > 5
    assert ("CNY 1,480,800" in page.words["dd"], "<5" in page.words["dd"]) == (many, not many)
    assert "within 17 working days of filing" in page.words["dd"]
    assert "put into batches in October" in page.text


async def test_figures_that_are_not_there_yet(reader: Browser, filed: None) -> None:
    with on_day(FILED_IN):
        assert "There are some from 1 April 2056 on." in (await shown(reader, "/statistics?by=level")).text
    with on_day(date(2057, 1, 1)):
        assert "nobody has filed a claim" in (await shown(reader, "/")).text
        assert "March 2056" in (await shown(reader, "/statistics?year=2057")).text


# ---- public notices


async def test_a_public_notice_and_an_objection_to_it(reader: Browser, town: Town) -> None:
    address = f"/notices/{town.notice_id}"
    listed = await shown(reader, f"/notices?district={town.district}")
    assert "试验区 shì yàn qū, public notice of" in listed.text
    notice = await shown(reader, address)
    assert {"焊工 hàn gōng", "Individual", town.name} <= set(notice.words["td"])
    form = await reader.get(f"{address}/object?line=2")
    assert "Line 2: " in read(form).text
    wrong = await reader.send(form, f"{address}/object", line="x", words="长" * 1_801, contact="长" * 101)
    assert wrong.status_code == 422
    assert {"#line", "#words", "#contact"} <= set(read(wrong).values("href"))
    assert read(wrong).words["title"][0].startswith("Errors: ")
    none = await reader.send(form, f"{address}/object", line="99", words="")
    assert none.status_code == 422
    read(none)
    done = await reader.send(form, f"{address}/object", line="2", words="没有上过课")
    assert "We have your objection" in read(done).text
    async with transaction() as tx:
        publisher = await town.world.user(tx, {Post.NOTICE_PUBLISHER}, town.district)
        token = (await open_session(tx, publisher)).token
    async with at_a_browser(token) as desk:
        listing = await desk.get("/desk/notice-objections")
        answer = f"/desk/notice-objections/{done.url.path.rpartition('/')[2]}"
        await desk.send(listing, answer, answer="not_upheld", reason="查了，属实")
    told = await shown(reader, done.url.path)
    assert "Your objection is answered" in told.text
    assert "查了，属实" in told.text
    with on_day(clock.today() + timedelta(days=60)):
        for each in (address, f"{address}/object"):
            await shown(reader, each, 410)


async def test_who_is_signed_in_finds_their_objections(town: Town) -> None:
    async with transaction() as tx:
        token = (await open_session(tx, (await town.world.trainee(tx)).actor)).token
    async with at_a_browser(token, follow=True) as me:
        action = f"/notices/{town.notice_id}/object"
        form = await me.get(f"{action}?lang=en")
        await me.send(form, action, line="1", words="没有上过课")
        again = await me.send(form, action, line="1", words="x", once=str(uuid4()))
        assert again.status_code == 422
        await me.send(form, action, line="", words="整份都不对", once=str(uuid4()))
        mine = read(await me.get("/me/complaints"))
        assert {"Being checked"} <= set(mine.words["span"])
        assert ", line 1" in mine.text
        assert ", all of it" in mine.text
        assert "You can read the answer on these pages." in read(await me.get("/complain")).text


async def test_a_form_without_its_token_says_so(reader: Browser, town: Town) -> None:
    without = await reader.client.post(f"/notices/{town.notice_id}/object", data={"line": "1"})
    assert without.status_code == 403
    assert read(without).elements[0] == ("html", {"lang": "en"})


# ---- complaints


async def test_a_complaint_is_stored_in_chinese_by_whoever_reads_english(reader: Browser, town: Town) -> None:
    form = await reader.get(f"/complain?institution={town.code}")
    for institution in ("没有这家", "", "示例"):
        wrong = await reader.send(form, "/complain", institution=institution, words="老师不来", kind="complaint")
        assert (wrong.status_code, "#institution" in read(wrong).values("href")) == (422, True)
    for typed, more in (("", {}), ("长" * 1_801, {}), ("x", {"kind": "worse"}), ("x", {"class_number": "没有"})):
        wrong = await reader.send(form, "/complain", institution=town.name, words=typed, **more)
        assert wrong.status_code == 422
        read(wrong)
    done = await reader.send(form, "/complain", institution=town.name, words="Nobody came", contact="13800001234")
    assert "We have it" in read(done).text
    assert await complaints_of(town) == ["Nobody came\n联系方式：13800001234"]
    async with transaction() as tx:
        waiting = (await district_complaints(tx, town.officer, town.world.today, None, 1, which="open")).complaints
        told = NewComplaintAnswer("已责令补课", founded=True)
        await complaining.answer(tx, town.officer, waiting[0].id, told, town.world.today, town.world.now)
    assert "It is answered" in (await shown(reader, done.url.path)).text


# ---- institutions


async def test_institutions_and_what_is_published_of_them(reader: Browser, town: Town) -> None:
    async with transaction() as tx:
        body = CreditCode.parse(town.world.maker.credit_code())
        kind = InstitutionKind.ASSESSMENT_BODY
        first = clock.today() - timedelta(days=1_000)
        await list_institution(tx, body, "示例评价", town.district, first, "示例", kind=kind, scopes={WELDER: ["4"]})
        await load_districts(tx, [{"code": "T-empty", "name": "空区", "parent": None, "kind": "district"}])
        city = await Oversight.build(tx, town.world)
        await city.imposed(tx, "rectify")
    here = f"district={town.district}&item=焊工"
    assert f"/institutions/{town.school}" in (await shown(reader, f"/institutions?{here}")).values("href")
    assert "示例评价" in (await shown(reader, f"/bodies?{here}&on=2026.01.02")).text
    elsewhere = await shown(reader, "/institutions?district=T-empty&item=焊工")
    assert "试验区 shì yàn qū: 1" in elsewhere.text
    school = await shown(reader, f"/institutions/{town.school}")
    assert {"Level 5, Level 4", "Level 4, Level 5"} & set(school.words["td"])
    punished = await shown(reader, f"/institutions/{city.institution_id}")
    assert "Ordered to correct, decided on " in punished.text
    assert "no new classes. Published until " in punished.text
    await shown(reader, f"/institutions/{city.institution_id}?on=明天", 422)


async def test_how_an_institution_was_evaluated(reader: Browser, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    result = EvaluationResultView(town.code, town.name, "91.5", True, "教学规范", 2)

    async def results(tx: Tx, institution_id: UUID) -> list[tuple[int, EvaluationResultView]]:
        return [(2025, result), (2024, replace(result, passed=False, version=1))]

    monkeypatch.setattr(registry_pages, "results_of", results)
    page = await shown(reader, f"/institutions/{town.school}")
    assert {"2025", "2024"} <= set(page.words["th"])
    assert {"Passed", "Failed", "教学规范 (corrected)"} <= set(page.words["td"])


# ---- editions


async def test_what_changed_from_one_edition_to_another(tx: Tx, office: Office) -> None:
    await office.published()
    token = spoken.set("en")
    try:
        asked = {"from": "2023-0", "to": f"{office.year}-0"}
        request = RequestFactory().get("/catalog/diff")
        answer = rendered(
            request, "public/difference.html", clock.today(), **await editions_pages.compared(tx, asked)
        )
    finally:
        spoken.reset(token)
    html = {**answer.headers, "content-type": "text/html; charset=utf-8"}
    asked_for = httpx.Request("GET", "https://zhida.test/catalog/diff")
    page = read(httpx.Response(200, headers=html, content=answer.content, request=asked_for))
    assert page.words["h1"] == [f"Changes from 2023 to {office.year}"]
