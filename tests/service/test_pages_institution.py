"""A clerk's work on pages: rosters, papers, claims, money, how the institution stands, and the first page."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain.actor import Post
from domain.claim import ClaimAction
from service import jobs as owed_work
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.sending_back import send_back
from service.claims.queries.mandates import list_mandates
from service.claims.schemas import NewFault, NewSendBack
from service.claims.tables import RosterRow
from service.database import transaction
from service.gateways.roster_sheets import LIMITS
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE
from service.journal import By
from tests.assessments import body
from tests.clerks import MARKUP, clerk, day, led_to, window
from tests.enterprises import Enterprise
from tests.oversight import Oversight
from tests.pages import Browser, at_a_browser, read
from tests.rosters import Desk, line_of
from tests.sheets import read_csv, sheet
from tests.training import School
from tests.world import World

__all__ = ["clerk"]  # a fixture

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker here; the jobs are done by hand."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)


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
    # a file is often called after a person: no address holds the number, which is logged
    named = await clerk.send(await clerk.get(new), new, {"sheet": (f"{good['身份证号']}.csv", data, CSV_TYPE)})
    assert led_to(named) == (at, {})
    refused = await clerk.send(await clerk.get(new), new, {"sheet": (f"{good['身份证号']}.pdf", b"%", CSV_TYPE)})
    assert led_to(refused) == (new, {"why": "file.unknown_kind"})
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


async def test_what_was_sent_back_is_mended_by_the_one_who_filed(committed: World, clerk: Browser) -> None:
    world, me = committed, committed.clerks[0]
    async with transaction() as tx:
        trainee = await world.trainee(tx)
        new = world.new_claim(trainee, mandate_id=await world.mandate(tx, me, trainee), district=None)
        claim = await file_claim(tx, me, new, world.today, world.now)
        await move_claim(tx, ClaimAction.VERIFY, claim.id, By("tests", world.now))
        doubt = NewSendBack([NewFault("account_doubtful", "account")])
        await send_back(tx, world.staff[Post.REVIEWER], claim.id, doubt, world.today, world.now)
    at = f"/institution/claims/{claim.id}"
    first = read(await clerk.get("/institution")).text
    assert "的申领要补改" in first
    page = await clerk.get(at)
    account = {
        "account_holder": trainee.made.name,
        "account_number": "6222",
        "account_bank_code": world.maker.bank_code(),
    }
    wrong = await clerk.send(page, f"{at}/correct", **account)
    assert (wrong.status_code, 'value="6222"' in wrong.text) == (422, True)
    read(wrong)
    right = {**account, "account_number": world.maker.card()}
    assert led_to(await clerk.send(page, f"{at}/correct", **right)) == (at, {"told": "correct"})
    assert "改好了，又交上来了" in read(await clerk.get(f"{at}?told=correct")).text


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
