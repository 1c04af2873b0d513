"""The desk of the catalog on pages: editions, their rows, sources, proposals, and what is refused there."""

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from service.catalog.commands.publishing import approve
from service.database import transaction
from service.journal import JournalRow
from service.security import open_session
from tests.conftest import Databases
from tests.pages import Browser, at_a_browser, read, token_of
from tests.world import World
from tests.world_apart import world_apart

SHEET = "目录,序号,编码,名称,行业分类\n急需紧缺,1,6-18-02-04,焊工,加工维修\n急需紧缺,3,6-18-02-05,铸造工,加工维休\n"
MARKUP = '<script>alert("1")</script>'
NOWHERE = "00000000-0000-0000-0000-00000000000f"
DESK = "/catalog-desk"


class Desks:
    """Browsers of people who work here, each signed in once."""

    def __init__(self, world: World, open_ones: AsyncExitStack) -> None:
        self.world, self._open = world, open_ones
        self.actors: dict[tuple[Post, str | None], Actor] = {}
        self._browsers: dict[tuple[Post, str | None], Browser] = {}

    async def of(self, post: Post, district: str | None = None) -> Browser:
        """The browser of the one who holds that post."""
        if (post, district) not in self._browsers:
            async with transaction() as tx:
                self.actors[post, district] = actor = await self.world.user(tx, {post}, district)
                token = (await open_session(tx, actor)).token
            self._browsers[post, district] = await self._open.enter_async_context(at_a_browser(token))
        return self._browsers[post, district]


@pytest.fixture
async def committed(databases: Databases) -> AsyncIterator[World]:
    """In a database of its own: editions and standards that are published here are no other test's."""
    async with world_apart(databases, "desks") as world:
        yield world


@pytest.fixture
async def desks(committed: World) -> AsyncIterator[Desks]:
    async with AsyncExitStack() as open_ones:
        yield Desks(committed, open_ones)


def said(answer: httpx.Response, told: str) -> str:
    """Where a form led to, once it was taken and said so."""
    assert answer.status_code == 303, read(answer).text
    address, _, asked = answer.headers["location"].partition("?")
    assert f"told={told}" in asked
    return f"{address}?{asked}"


async def a_draft(editor: Browser, year: int, rows: str = SHEET, **fields: str) -> str:
    """The address of a draft made of a sheet with two mistakes, or of other `rows`."""
    page = await editor.get(f"{DESK}/editions/upload")
    sheet = {"file": ("目录.csv", rows.encode("gb18030"), "text/csv")}
    given = {"year": f"{year}", "revision": "0", "source": "示例", **fields}
    made = await editor.send(page, f"{DESK}/editions/upload", sheet, **given)
    return said(made, "draft_begun").partition("?")[0]


async def test_an_edition_goes_from_a_file_to_publication(desks: Desks) -> None:
    editor, publisher = await desks.of(Post.CATALOG_EDITOR), await desks.of(Post.CATALOG_PUBLISHER)
    at = await a_draft(editor, 2071)
    page = read(await editor.get(at))
    assert "草稿还没有征求意见" in page.text
    assert f"{at}/findings" in page.values("href")
    list_page = await editor.get(f"{at}/findings")
    assert "序号跳了" in read(list_page).text
    first = re.search(rf'action="({at}/findings/[0-9a-f-]{{36}})"', list_page.text)
    assert first is not None
    empty = await editor.send(list_page, first[1], decision="accept", note="")
    assert empty.status_code == 422
    assert 'id="note-err"' in empty.text
    asked = await editor.send(list_page, first[1], decision="ask", note="问了省厅")
    said(asked, "asked")
    page = await editor.get(f"{at}/findings")
    assert "问过来源" in read(page).text
    row = re.search(rf'action="({at}/items/[^"]+)"', page.text)
    assert row is not None
    mended = {
        "name": "铸造工",
        "code": "6-18-02-05",
        "serial": "3",
        "industry": "加工维修",
        "tag": "",
        "reason": "错字",
    }
    wrong = await editor.send(page, row[1], **{**mended, "code": "6-18"})
    assert (wrong.status_code, 'value="6-18"' in wrong.text) == (422, True)
    page = await editor.get(said(await editor.send(page, row[1], **mended), "item_corrected"))
    last = re.search(rf'action="({at}/findings/[0-9a-f-]{{36}})"', page.text)
    assert last is not None
    said(await editor.send(page, last[1], decision="accept", note=MARKUP), "accepted")
    assert "问题都处理完了" in read(await editor.get(f"{at}/findings")).text
    everything = await editor.get(f"{at}/findings?show=all")
    decided = re.search(rf'{at}/findings\?[^"]*at=[^"]+', everything.text)
    assert decided is not None
    assert MARKUP not in (await editor.get(decided[0].replace("&amp;", "&"))).text
    page = read(await editor.get(f"{at}/diff"))
    assert "取消" in page.text
    assert page.words["del"]
    today = desks.world.today.isoformat()
    page = await editor.get(at)
    backwards = await editor.send(page, f"{at}/consult", first=today, last="2020-01-01")
    assert backwards.status_code == 422
    said(await editor.send(page, f"{at}/consult", first=today, last=today), "consulted")
    assert "不能改" not in read(await editor.get(f"{at}/items")).text
    page = await publisher.get(f"{at}/publish")
    early = await publisher.send(page, f"{at}/approve", reason="")
    assert (early.status_code, "还没有结束" in read(early).text) == (422, True)
    own = await editor.get(f"{at}/publish")
    assert "由目录发布岗位办" in read(own).text
    assert (await editor.send(page, f"{at}/approve", reason="")).status_code == 403
    async with transaction() as tx:
        by, world = desks.actors[Post.CATALOG_PUBLISHER, None], desks.world
        tomorrow = world.today + timedelta(days=1)
        await approve(tx, by, UUID(at.rpartition("/")[2]), "", tomorrow, world.now)
    page = await publisher.get(f"{at}/publish")
    unexplained = await publisher.send(page, f"{at}/publish", first_day=today, override="")
    assert unexplained.status_code == 422
    assert "要破例" in read(unexplained).text
    past = await publisher.send(page, f"{at}/publish", first_day="2020-01-01", override="示例")
    assert (past.status_code, 'id="first_day-err"' in past.text) == (422, True)


async def answers_of(at: str) -> list[str]:
    """The findings of a draft that were answered, each as often as it was."""
    decided = select(JournalRow.after["finding"].astext).where(
        JournalRow.subject_id == UUID(at.rpartition("/")[2]), JournalRow.action == "decide"
    )
    async with transaction() as tx:
        return sorted((await tx.execute(decided)).scalars())


async def test_many_findings_have_one_answer_but_those_that_changed(desks: Desks) -> None:
    editor, publisher = await desks.of(Post.CATALOG_EDITOR), await desks.of(Post.CATALOG_PUBLISHER)
    gaps = "".join(f"急需紧缺,{3 * n},6-18-02-0{n},某工{n},加工维休\n" for n in range(2, 5))
    at = await a_draft(editor, 2076, SHEET.splitlines(keepends=True)[0] + gaps)
    many = f"{at}/findings/set"
    assert f"{many}?kind=serial_gap" in read(await editor.get(f"{at}/findings?kind=serial_gap")).values("href")
    page = await editor.get(f"{many}?kind=serial_gap")
    shown = re.findall(r'name="seen_([0-9a-f]{32})"', page.text)
    assert len(shown) >= 2
    assert f"选了 {len(shown)} 条" in read(page).text
    empty = await editor.send(page, many, decision="accept", note="")
    assert (empty.status_code, 'id="note-err"' in empty.text) == (422, True)
    assert await answers_of(at) == []
    # a colleague asks about one of them while the page is open
    one = f"{at}/findings/{UUID(shown[0])}"
    alone = await editor.get(f"{at}/findings?at={UUID(shown[0])}")
    said(await editor.send(alone, one, decision="ask", note="问了省厅"), "asked")
    done = [await editor.send(page, many, decision="accept", note="发布时就空着") for _ in range(2)]
    assert {each.status_code for each in done} == {303}
    assert done[0].headers["location"] == done[1].headers["location"]
    assert await answers_of(at) == sorted(str(UUID(each)) for each in shown)  # once each, pressed twice
    left = await editor.get(done[0].headers["location"])
    assert f"处理了 {len(shown) - 1} 条" in read(left).text
    assert re.findall(r'name="seen_([0-9a-f]{32})"', left.text) == [shown[0]]
    assert "问了省厅" in read(left).text
    said(await editor.send(left, many, decision="accept", note=MARKUP), "accepted_many")
    settled = await editor.get(f"{many}?f={UUID(shown[0])}&f={UUID(shown[1])}")  # they may be answered anew
    assert (read(settled).text.count("发布时就空着"), MARKUP in settled.text) == (1, False)
    assert (await editor.get(f"{many}?kind=serial_gap")).text.count('name="seen_') == 0
    for nowhere in (f"f={NOWHERE}", "f=x", f"done={NOWHERE}"):
        assert (await editor.get(f"{many}?{nowhere}")).status_code == 404, nowhere
    strange = await editor.client.post(many, data={**token_of(settled), f"seen_{NOWHERE}": "x", "note": "示例"})
    assert strange.status_code == 404
    foreign = await editor.send(settled, many, **{f"seen_{NOWHERE}": "x"}, decision="ask", note="示例")
    assert (foreign.status_code, len(await answers_of(at))) == (404, len(shown) + 1)
    assert (await publisher.get(many)).status_code == 403
    today = desks.world.today.isoformat()
    said(await editor.send(await editor.get(at), f"{at}/consult", first=today, last=today), "consulted")
    late = await editor.send(settled, many, decision="ask", note="示例")
    assert (late.status_code, len(await answers_of(at))) == (422, len(shown) + 1)


async def test_a_finding_that_was_corrected_is_named_and_left(desks: Desks) -> None:
    editor = await desks.of(Post.CATALOG_EDITOR)
    at = await a_draft(editor, 2077)
    many = f"{at}/findings/set"
    page = await editor.get(f"{at}/findings")
    ticked = "&".join(f"f={each}" for each in read(page).values("value", "input") if re.fullmatch(r"[\w-]{36}", each))
    both = await editor.get(f"{many}?{ticked}")
    assert both.text.count('name="seen_') == 2
    row = next(each for each in read(page).values("href") if "/items/" in each)
    mended = {"name": "铸造工", "code": "6-18-02-05", "serial": "2", "industry": "加工维修", "reason": "错字"}
    said(await editor.send(await editor.get(row), row, **mended, list_name="急需紧缺"), "item_corrected")
    answer = await editor.send(both, many, decision="accept", note="照样")
    assert answer.status_code == 303, read(answer).text
    left = await editor.get(answer.headers["location"])
    assert "2 条已经更正，不用再处理" in read(left).text
    assert "缺序号 2" in read(left).text
    assert left.text.count('name="seen_') == 0
    assert await answers_of(at) == []


async def test_rows_are_added_corrected_and_removed(desks: Desks) -> None:
    editor = await desks.of(Post.CATALOG_EDITOR)
    at = await a_draft(editor, 2072)
    page = await editor.get(f"{at}/items/new")
    row = {"list_name": "急需紧缺", "name": MARKUP, "code": "", "industry": "加工维修", "tag": "L", "reason": "缺工"}
    long = await editor.send(page, f"{at}/items/new", **{**row, "name": "焊" * 1_000})
    assert (long.status_code, 'id="name-err"' in long.text) == (422, True)
    strange = await editor.send(page, f"{at}/items/new", **{**row, "serial": "二", "tag": "X"})
    assert strange.status_code == 422
    for _ in range(2):  # a double press
        said(await editor.send(page, f"{at}/items/new", **row), "item_added")
    listed = await editor.get(f"{at}/items?q=script")
    assert listed.text.count("&lt;script&gt;") == 1
    assert MARKUP not in listed.text
    address = re.search(rf'href="({at}/items/[0-9a-f-]{{36}})"', listed.text)
    assert address is not None
    page = await editor.get(address[1])
    unexplained = await editor.send(page, f"{address[1]}/remove", why="")
    assert (unexplained.status_code, 'id="why-err"' in unexplained.text) == (422, True)
    said(await editor.send(page, f"{address[1]}/remove", why="录错"), "item_removed")
    assert (await editor.get(address[1])).status_code == 404
    assert "没有符合的" in read(await editor.get(f"{at}/items?q=script")).text
    assert "去掉了" in read(await editor.get(at)).text


async def test_what_is_no_catalog_begins_no_draft(desks: Desks) -> None:
    editor = await desks.of(Post.CATALOG_EDITOR)
    page = await editor.get(f"{DESK}/editions/upload")
    given = {"year": "2091", "revision": "0", "source": "示例"}
    for name, content, why in (
        ("目录.csv", b"\xff\xfe\x00garbage\x81", "不是文本文件"),
        ("目录.xlsx", b"PK\x03\x04 no workbook", "XLSX"),
        ("目录.csv", b"a,b,c\n1,2,3\n", "表头"),
        ("目录.csv", b"", "还没填"),
    ):
        refused = await editor.send(page, f"{DESK}/editions/upload", {"file": (name, content, "text/csv")}, **given)
        assert refused.status_code == 422
        assert why in read(refused).text
    sheet = {"file": ("目录.csv", SHEET.encode(), "text/csv")}
    for year in ("", "二〇九一", "1e3", "99999"):
        answer = await editor.send(page, f"{DESK}/editions/upload", sheet, **{**given, "year": year})
        assert (answer.status_code, 'id="year-err"' in answer.text) == (422, True), year
    copying = await editor.get(f"{DESK}/editions/copy")
    nothing = await editor.send(copying, f"{DESK}/editions/copy", copy_of="x", year="2091", revision="0")
    assert (nothing.status_code, 'id="copy_of-err"' in nothing.text) == (422, True)
    assert "2091" not in (await editor.get(DESK)).text
    unsigned = await editor.client.post(f"{DESK}/editions/copy", data={"copy_of": NOWHERE, **given})
    assert unsigned.status_code == 403


async def test_a_district_proposes_and_the_city_decides(desks: Desks) -> None:
    district, city = await desks.of(Post.CATALOG_EDITOR, "370102"), await desks.of(Post.CATALOG_EDITOR)
    other = await desks.of(Post.CATALOG_EDITOR, "370112")
    draft = await a_draft(city, 2073)
    page = await district.get(f"{DESK}/proposals/new")
    item = {"list_name": "急需紧缺", "name": "锻造工", "code": "6-18-02-06", "industry": "加工维修", "tag": ""}
    given = {"year": "2073", "reason": MARKUP, "name_1": "缺工", "value_1": "320 人", "source_1": "调查", **item}
    empty = await district.send(page, f"{DESK}/proposals/new", **{**given, "name": "", "value_1": ""})
    assert empty.status_code == 422
    at = said(await district.send(page, f"{DESK}/proposals/new", **given), "proposal_made").partition("?")[0]
    assert (await other.get(at)).status_code == 404
    page = await district.get(at)
    assert MARKUP not in page.text
    opinion = {"asked": "enterprise", "name": "示例铸造厂", "stance": "for", "said": "缺人", "heard_on": "2026-02-31"}
    letter = {"document": ("意见.pdf", b"%PDF-1.4", "application/pdf")}
    wrong = await district.send(page, f"{at}/opinions", letter, **opinion)
    assert (wrong.status_code, 'id="heard_on-err"' in wrong.text, "缺人" in wrong.text) == (422, True, True)
    without = await district.send(page, f"{at}/opinions", **{**opinion, "heard_on": "2026-01-05"})
    assert (without.status_code, 'id="document-err"' in without.text) == (422, True)
    said(await district.send(page, f"{at}/opinions", letter, **{**opinion, "heard_on": "2026-01-05"}), "heard")
    assert "采纳进哪一版" not in (await district.get(at)).text
    page = await city.get(at)
    said(
        await city.send(page, f"{at}/decide", decision="accept", edition_id=draft.rpartition("/")[2], reason="缺工"),
        "proposal_accepted",
    )
    again = await city.send(page, f"{at}/decide", decision="decline", reason="不要")
    assert (again.status_code, "已经有结果" in read(again).text) == (422, True)
    assert "锻造工" in (await city.get(f"{draft}/items")).text
    assert "锻造工" in (await city.get(f"{DESK}/proposals?year=2073")).text
    assert "还没有建议" in (await city.get(f"{DESK}/proposals?year=2072")).text


async def test_a_source_lies_beside_a_draft(desks: Desks) -> None:
    editor = await desks.of(Post.CATALOG_EDITOR)
    await a_draft(editor, 2074)
    page = await editor.get(f"{DESK}/sources")
    sheet = {"file": ("省目录.csv", SHEET.replace("焊工", "电焊工").encode(), "text/csv")}
    given = {"kind": "provincial_guide", "name": "省指导目录", "dated_on": "2026-01-01"}
    said(await editor.send(page, f"{DESK}/sources", sheet, **given), "source_taken")
    wrong = await editor.send(page, f"{DESK}/sources", sheet, **{**given, "kind": "rumour"})
    assert (wrong.status_code, 'id="kind-err"' in wrong.text) == (422, True)
    address = re.search(r'href="([^"]+/beside/[^"]+)"', (await editor.get(f"{DESK}/sources")).text)
    assert address is not None
    assert "电焊工" in read(await editor.get(f"{address[1]}?kind=named_otherwise")).text
    assert (await editor.get(f"{address[1][:-36]}{NOWHERE}")).status_code == 404


async def test_the_difference_is_a_file_in_which_no_cell_is_a_formula(desks: Desks) -> None:
    editor, auditor = await desks.of(Post.CATALOG_EDITOR), await desks.of(Post.AUDITOR)
    at = await a_draft(editor, 2078, SHEET.replace("铸造工", "=1+1铸造工").replace("6-18-02-05", "6-99-99-01"))
    page = await auditor.get(f"{at}/diff?kind=added")
    (address,) = [each for each in read(page).values("href") if "/diff.csv" in each]
    file = await auditor.client.get(address)
    assert (file.status_code, file.content[:3]) == (200, b"\xef\xbb\xbf")
    assert file.headers["cache-control"] == "private, no-store"
    assert "to-2078-0.csv" in file.headers["content-disposition"]
    heading, *rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert heading == [
        "变化",
        "原目录",
        "原编码",
        "原名称",
        "原标识",
        "原行业",
        "新目录",
        "新编码",
        "新名称",
        "新标识",
        "新行业",
    ]
    (added,) = [row for row in rows if row[7] == "6-99-99-01"]
    assert added == ["新增", "", "", "", "", "", "急需紧缺", "6-99-99-01", "'=1+1铸造工", "", "加工维休"]
    said_there = re.search(r"取消 (\d+) 项", read(page).text)
    assert said_there is not None
    assert sum(row[0] == "取消" for row in rows) == int(said_there[1]) > 700
    assert (await auditor.client.get(f"{at}/diff.csv?against={NOWHERE}")).status_code == 404
    assert (await auditor.client.get(f"{at[:-36]}{NOWHERE}/diff.csv")).status_code == 404
    signer = await desks.of(Post.HR_SIGNER)
    assert (await signer.client.get(address)).status_code == 403
