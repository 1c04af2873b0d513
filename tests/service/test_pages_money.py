"""Finance's desk on pages: batches read and stopped, the bank's files, the unknown, what is owed back, the funds."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, text

from domain.actor import Actor, Post
from domain.agent_bank import BankWay
from domain.batch import BatchStatus
from service.access.tables import UserRow
from service.batches import commands as batches
from service.batches.schemas import BatchView
from service.clawbacks.queries.views import find_clawback
from service.database import transaction
from service.journal import By
from service.pages.money_doing import ACTS
from service.pages.rendering import HERE
from service.reconciliation import commands as returns
from tests import statements
from tests.money_desk import Desk, a_document, do, told
from tests.objections import PaidForThem
from tests.pages import read
from tests.payments import Stage, a_return, attempt_statuses, lines_of
from tests.service.test_clawbacks import Office
from tests.service.test_seams_of_money import Agree, agree
from tests.standards import Bureaus, flat
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

__all__ = ["agree"]  # a fixture

ODD = "<script>alert(1)</script>"
SHEET = "text/csv"


@pytest.fixture
async def at() -> AsyncIterator[Desk]:
    async with AsyncExitStack() as open_ones:
        yield Desk(open_ones)


async def a_sent_batch(world: World) -> tuple[Stage, BatchView, list[str]]:
    async with transaction() as tx:
        stage = await Stage.build(tx, world, claims=2)
        batch = await stage.sent(tx)
        return stage, batch, [each.reference for each in await lines_of(tx, batch.id)]


def test_every_act_has_its_form_and_no_form_is_left_over() -> None:
    assert {file.stem for file in (HERE / "templates/finance/acts").iterdir()} == set(ACTS)


async def test_a_new_district_finds_every_list_empty_and_no_form_without_its_post(committed: World, at: Desk) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=0)
        auditor = await committed.user(tx, {Post.AUDITOR}, stage.district)
        trainee = (await committed.trainee(tx)).actor
    maker, checker, _ = await at.staff(stage)
    watching, outside = await at.of(auditor), await at.of(trainee)
    for address, empty in (
        ("/finance", "还没有批次"),
        ("/finance/batches/new", "现在没有可以编批的申领"),
        ("/finance/returns", "还没有收到回盘"),
        ("/finance/exceptions", "没有要处理的异常"),
        ("/finance/missing", "没有到期没有结果的"),
        ("/finance/unknown", "没有结果不明的"),
        ("/finance/statements", "还没有入账的对账单"),
        ("/finance/close", "还没有日终的账户"),
        (f"/finance/close/{committed.today}", "还没有日终的账户"),
        ("/finance/clawbacks", "没有要追回的"),
        ("/finance/funds", "今年还没有下达"),
        ("/finance/delegations", "还没有委托"),
    ):
        assert empty in read(await maker.client.get(address)).text, address
    for address in ("/finance", "/finance/returns", "/finance/statements", "/finance/clawbacks", "/finance/funds"):
        assert (
            "post" not in read(await watching.client.get(address)).values("method", "form")[1:]
        )  # the first signs out
        assert (await outside.client.get(address)).status_code == 403
    assert "没有等核对的收款卡" in read(await checker.get("/finance/account-checks")).text
    assert (await maker.client.get("/finance/account-checks")).status_code == 403
    for address in ("/finance?status=settled", "/finance/clawbacks?overdue=true", "/finance/exceptions?kind=x"):
        assert "没有" in read(await maker.get(address)).text
    for wrong, status in (
        ("/finance/close/2026-02-30", 422),
        ("/finance/close/soon", 422),
        ("/finance/unknown/NOBODY", 404),
        (f"/finance/clawbacks/{uuid4()}", 404),
        ("/finance/acts/nonsense/x", 404),
        (f"/finance/acts/hold/{uuid4()}", 404),
        ("/finance/acts/hold/x", 404),
        ("/finance/acts/resolve/x.y", 403),
        (f"/finance/acts/account-check/{uuid4()}", 403),
    ):
        assert (await maker.client.get(wrong)).status_code == status, wrong


async def test_a_batch_is_opened_by_what_a_filter_shows_and_read_before_it_is_signed(
    committed: World, at: Desk
) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=3)
        other = await Stage.build(tx, committed, claims=0)
    maker, checker, _ = await at.staff(stage)
    none = read(await maker.get("/finance/batches/new?filed_to=2020-01-01"))
    assert "没有符合的" in none.text
    wrong = read(await maker.get("/finance/batches/new?filed_from=2026-02-30&kind=" + ODD))
    assert (wrong.answer.status_code, "有 1 处要改" in wrong.text, ODD in wrong.source) == (200, True, False)
    due = await maker.get(f"/finance/batches/new?filed_to={committed.today}&payee=person")
    assert fen(3 * AMOUNT) in read(due).text
    opened = await maker.send(due, "/finance/batches")
    at_batch = opened.headers["location"].partition("?")[0]
    assert (await maker.send(due, "/finance/batches")).headers["location"] == opened.headers["location"]
    waits = read(await maker.get(at_batch))
    assert waits.values("hx-select") == ["#progress"]
    async with transaction() as tx:
        batch_id = at_batch.rpartition("/")[2]
        await batches.assemble(tx, (await stage.see(tx, batch_id)).id, committed.now)  # type: ignore[arg-type]
        batch = await stage.see(tx, batch_id)  # type: ignore[arg-type]
    page = read(await checker.get(at_batch))
    assert page.values("hx-select") == []
    assert batch.filter["payee"] == "person"
    for said in ("人民币", "按等级", "按渠道", "付后结余", "再查 3 笔", "随机 3 笔", batch.content_hash):
        assert str(said) in page.text
    assert page.text.count(fen(3 * AMOUNT)) >= 4  # the total, of each breakdown too
    assert f"种子 {int(str(batch.content_hash)[:4], 16)}" in page.text
    drawn = [re.findall(r"JN\w+", read(await checker.get(f"{at_batch}?seed=7")).text) for _ in "12"]
    assert drawn[0] == drawn[1]
    sheet = await checker.client.get(f"{at_batch}/vouchers")
    assert (sheet.status_code, sheet.headers["content-type"].partition(";")[0]) == (200, "text/csv")
    stranger = await at.of(other.staff[Post.MAKER])
    for address in (at_batch, f"{at_batch}/vouchers", f"/finance/acts/dissolve/{batch.id}"):
        assert (await stranger.client.get(address)).status_code == 404


def fen(amount: int) -> str:
    return f"{amount // 100:,}.{amount % 100:02d}"


async def test_one_stops_a_batch_another_lets_it_go_on_and_it_is_given_up(committed: World, at: Desk) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        batch = await stage.frozen(tx)
    maker, checker, _ = await at.staff(stage)
    missing = read(await do(maker, "hold", batch.id, note=ODD + "字" * 600))
    assert (missing.answer.status_code, ODD in missing.source, "字字字" in missing.source) == (422, False, True)
    address = f"/finance/acts/hold/{batch.id}"
    page = await maker.get(address)
    fields = {"code": "inspection", "note": "先停一停"}
    assert (await maker.client.post(address, data=fields)).status_code == 403  # without the form's token
    assert told(await maker.send(page, address, **fields)) == "held"
    assert told(await maker.send(page, address, **fields)) == "held"  # pressed twice
    assert "这一批停住了" in read(await checker.get(f"/finance/batches/{batch.id}")).text
    assert (await maker.client.get(f"/finance/acts/lift/{batch.id}")).status_code == 403
    assert told(await do(checker, "lift", batch.id, note="查过了")) == "lifted"
    again = await do(checker, "lift", batch.id)
    assert "有 1 处要改" in read(again).text
    assert told(await do(maker, "dissolve", batch.id, reason="重新编")) == "dissolved"
    assert "已解散：重新编" in read(await maker.get(f"/finance/batches/{batch.id}")).text


async def test_two_persons_carry_a_file(committed: World, at: Desk, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        batch = await stage.written(tx)
    maker, checker, _ = await at.staff(stage)
    at_batch = f"/finance/batches/{batch.id}"
    assert "取出文件" in read(await maker.get(at_batch)).text
    assert told(await do(maker, "take-file", batch.id)) == "taken_out"
    assert (await checker.client.get(f"{at_batch}/bank-file")).status_code == 403
    file = await maker.client.get(f"{at_batch}/bank-file")
    assert (file.status_code, file.headers["cache-control"]) == (200, "private, no-store")
    sha256 = re.findall(r'<p class="hash mono">(\w{64})', (await maker.get(at_batch)).text)[0]
    blank = read(await do(checker, "handed-over", batch.id, sha256=sha256))
    assert "还没选凭证文件" in blank.text
    own = await do(maker, "handed-over", batch.id, a_document(), sha256=sha256)
    assert own.status_code == 422
    for act in ("hold", "lift", "dissolve", "file-word", "resend"):
        assert batch.number in read(await checker.get(f"/finance/acts/{act}/{batch.id}")).text
    assert (await do(checker, "resend", batch.id, note="再送")).status_code == 422  # the bank promises nothing
    spaced = " ".join(re.findall("....", sha256.upper()))
    assert told(await do(checker, "handed-over", batch.id, a_document(), sha256=spaced)) == "said"
    async with transaction() as tx:
        assert (await stage.see(tx, batch.id)).status == BatchStatus.SENT


async def test_a_return_is_handed_in_and_what_does_not_fit_is_worked_off(committed: World, at: Desk) -> None:
    stage, batch, (first, second) = await a_sent_batch(committed)
    maker, checker, _ = await at.staff(stage)
    page = await maker.get("/finance/returns")

    async def hand_in(data: bytes) -> httpx.Response:
        return await maker.send(page, "/finance/returns", {"file": (f"{ODD}.csv", data, SHEET)}, once=str(uuid4()))

    assert "还没选文件" in read(await maker.send(page, "/finance/returns")).text
    good = a_return(batch, [(first, AMOUNT, "done", ""), (second, AMOUNT + 1, "done", ODD)])
    for wrong in (b"PK\x03\x04", good[:-20], a_return(batch, [], "别的账户"), good.replace(b",2,", b",3,")):
        refused = read(await hand_in(wrong))
        assert (refused.answer.status_code, "还没有收到回盘" in refused.text) == (422, True)
    assert told(await hand_in(good)) == "return_taken"
    assert told(await hand_in(good)) == "return_known"
    assert batch.number in read(await checker.get("/finance/returns")).text
    waits = read(await checker.get("/finance/exceptions"))
    assert "金额不符 1" in waits.text
    assert ODD not in waits.source
    (act,) = re.findall(r"/finance/acts/resolve/([\w.-]+)", waits.source)
    assert (await maker.client.get(f"/finance/acts/resolve/{act}")).status_code == 403
    assert read(await do(checker, "resolve", act, code="")).answer.status_code == 422
    assert told(await do(checker, "resolve", act, code="bank_corrected", note="电话问过")) == "resolved"
    assert "没有要处理的异常" in read(await checker.get("/finance/exceptions")).text
    assert "电话问过" in read(await checker.get("/finance/exceptions?resolved=true")).text


async def test_two_persons_decide_what_nobody_knows(committed: World, at: Desk) -> None:
    stage, batch, (first, _) = await a_sent_batch(committed)
    async with transaction() as tx:
        data = a_return(batch, [(first, AMOUNT, "unknown", "查不到")])
        await returns.take_return(tx, None, returns.read(data), data, "bank", By("tests", committed.now))
    maker, checker, _ = await at.staff(stage)
    assert first in read(await maker.get("/finance/unknown")).text
    page = read(await maker.get(f"/finance/unknown/{first}"))
    assert "不知道钱有没有到。先问银行，不重发。" in page.text
    assert "查不到" in page.text
    assert "还没选凭证文件" in read(await do(maker, "decide", first, outcome="paid")).text
    assert told(await do(maker, "decide", first, a_document(), outcome="paid")) == "said"
    own = read(await do(maker, "decide", first, a_document(), outcome="paid"))
    assert own.answer.status_code == 422
    assert "等第二个人" in read(await checker.get("/finance/unknown")).text
    assert told(await do(checker, "decide", first, a_document(), outcome="paid")) == "said"
    async with transaction() as tx:
        assert sorted(await attempt_statuses(tx, batch.id)) == ["done", "sent"]
    assert "已经有结果了" in read(await checker.get(f"/finance/unknown/{first}")).text


async def test_statements_follow_each_other_lines_are_worked_off_and_a_day_is_closed(
    committed: World, at: Desk
) -> None:
    stage, batch, (first, _) = await a_sent_batch(committed)
    maker, checker, _ = await at.staff(stage)
    page, account = await maker.get("/finance/statements"), batch.debit_account
    day = committed.today - timedelta(days=2)

    async def hand_in(data: bytes) -> httpx.Response:
        return await maker.send(page, "/finance/statements", {"file": ("a.csv", data, SHEET)}, once=str(uuid4()))

    assert (await hand_in(b"nothing")).status_code == 422
    elsewhere = read(await hand_in(statements.neutral("不是我们的", 1, day, [])))
    assert (elsewhere.answer.status_code, "有 1 处要改" in elsewhere.text) == (422, True)
    lines: list[statements.Line] = [("D", AMOUNT, first, "王小明", ""), ("C", 500, "", "王小明", f"还款{ODD}")]
    taken = statements.neutral(account, 1, day, lines)
    assert told(await hand_in(taken)) == "statement_taken"
    assert told(await hand_in(taken)) == "return_known"
    gap = statements.neutral(account, 3, day + timedelta(days=2), [], opening=statements.closing(lines))
    assert told(await hand_in(gap)) == "statement_blocked"
    listed = read(await checker.get("/finance/statements"))
    assert "没有入账的 1 份" in listed.text
    (blocked,) = re.findall(r"/finance/acts/set-aside/([\w-]+)", listed.source)
    assert told(await do(checker, "set-aside", blocked, note="银行重出")) == "resolved"
    (address,) = re.findall(r'href="(/finance/statements/[\w-]+)"', listed.source)
    shown = read(await checker.get(address))
    assert ODD not in shown.source
    (line,) = re.findall(r"/finance/acts/resolve-line/([\w-]+)", shown.source)
    strange = read(await do(maker, "repayment", line, number="ZC0000000000", amount="1,000", note="回单"))
    assert (strange.answer.status_code, "1,000" in strange.source) == (422, True)
    assert "现在没有等人确认的认定" in read(await checker.get(f"/finance/acts/repayment-answer/{line}")).text
    month = read(await checker.get(f"/finance/close/{day:%Y-%m}"))
    assert "有的行还没有着落" in month.text
    early = await maker.client.get(f"/finance/acts/close-day/new?account={account}&day={day}")
    assert (
        "不能日终" in read(await maker.send(early, "/finance/acts/close-day/new", account=account, day=f"{day}")).text
    )
    assert told(await do(checker, "resolve-line", line, code="not_ours")) == "resolved"
    assert told(await do(maker, "close-day", "new", account=account, day=f"{day}")) == "closed"
    closed = read(await checker.get(f"/finance/close/{day}"))
    assert account in closed.text
    assert "平" in read(await checker.get(f"/finance/close/{day:%Y-%m}")).text
    stranger = await at.of(await a_stranger(committed))
    assert (await stranger.client.get(address)).status_code == 404


async def a_stranger(world: World) -> Actor:
    async with transaction() as tx:
        return (await Stage.build(tx, world, claims=0)).staff[Post.CHECKER]


async def test_what_is_owed_back_is_raised_demanded_and_waived_by_two(committed: World, at: Desk) -> None:
    async with transaction() as tx:
        office = Office(await PaidForThem.build(tx, committed))
    reviewer, stage = await at.of(office.paid.reviewer), office.paid.stage
    maker, checker, _ = await at.staff(stage)
    async with transaction() as tx:
        paid = text("SELECT reference FROM payment_attempts WHERE claim_id = :claim")
        number = (await tx.execute(paid, {"claim": office.paid.claim_id})).scalar_one()
    raised = {"claim_id": number.lower(), "cause": "audit", "note": "审计发现"}
    for wrong in (
        {"claim_id": "我的"},
        {"claim_id": "JN20000101000001000001"},
        {"cause": ""},
        {"amount": "NaN"},
        {"amount": "1e3"},
        {"note": ""},
    ):
        refused = await do(reviewer, "clawback", "new", **{**raised, **wrong})
        assert read(refused).answer.status_code == 422
    assert told(await do(reviewer, "clawback", "new", amount="12.50", **raised)) == "raised"
    listed = read(await maker.get("/finance/clawbacks?status=raised"))
    (clawback_id,) = set(re.findall(r"/finance/clawbacks/([\w-]{36})", listed.source))
    assert "12.50" in listed.text
    assert (await maker.client.get("/finance/acts/clawback/new")).status_code == 403
    assert told(await do(maker, "demand", clawback_id, letter_number="济财追〔2026〕1号")) == "demanded"
    assert read(await do(maker, "enforcement", clawback_id, order_number="1", ordered_on="2026-02-30")).text
    assert told(await do(maker, "waiver", clawback_id, law="第十条", note=f"已故{ODD}")) == "proposed"
    assert "答复免于追回" in read(await checker.get(f"/finance/clawbacks/{clawback_id}")).text
    assert (await do(maker, "waiver-answer", clawback_id, grant="yes")).status_code == 422
    assert "有 1 处要改" in read(await do(checker, "waiver-answer", clawback_id)).text
    assert "同意强制执行吗" in read(await checker.get(f"/finance/acts/enforcement-answer/{clawback_id}")).text
    unsaid = await do(checker, "waiver-answer", clawback_id, grant="no")
    assert (unsaid.status_code, "有 1 处要改" in read(unsaid).answer.text) == (422, True)
    assert told(await do(checker, "waiver-answer", clawback_id, grant="no", answer=f"证明不全{ODD}")) == "answered"
    assert f"不同意：证明不全{ODD}" in read(await maker.get(f"/finance/clawbacks/{clawback_id}")).text
    assert told(await do(maker, "waiver", clawback_id, law="第十条", note=f"已故{ODD}")) == "proposed"
    assert told(await do(checker, "waiver-answer", clawback_id, grant="yes")) == "answered"
    async with transaction() as tx:
        assert (await find_clawback(tx, office.paid.reviewer, clawback_id)).status == "waived"  # type: ignore[arg-type]
    stranger = await at.of(await a_stranger(committed))
    for address in (f"/finance/clawbacks/{clawback_id}", f"/finance/acts/demand/{clawback_id}"):
        assert (await stranger.client.get(address)).status_code == 404
    async with transaction() as tx:
        draft = await (await Bureaus.of(tx, committed)).propose(tx, flat(100_000), committed.today)
    corrections = read(await reviewer.get("/finance/corrections"))
    offered = re.findall(r"/finance/acts/correction/([\w-]+)", corrections.source)
    assert offered
    assert str(draft.id) not in offered  # nobody is paid by a draft
    for set_id in offered:
        assert "要补发" in read(await reviewer.get(f"/finance/acts/correction/{set_id}")).text


async def test_money_comes_moves_and_somebody_stands_in_by_two_persons(committed: World, at: Desk) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        city = [await committed.user(tx, {post}) for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)]
        login = (await tx.execute(select(UserRow.login).where(UserRow.id == city[2].user_id))).scalar_one()
    maker, checker, _ = await at.staff(stage)
    one, another, third = [await at.of(each) for each in city]
    new = {"fund": "employment_subsidy", "year": f"{committed.today.year}", "direction": "add"}
    page = await maker.get("/finance/acts/appropriation/new")
    new["fund"] = re.findall(r'<option value="(\w+)"', page.text)[0]
    papers = {"document": f"济财〔2026〕9号{ODD}", "reason": "追加"}
    for amount in ("", "NaN", "-1", "1,000", "１００", "100.005", "9" * 30):
        refused = read(await do(maker, "appropriation", "new", amount=amount, **new, **papers))
        assert refused.answer.status_code == 422
    assert told(await do(maker, "appropriation", "new", amount="1000.50", **new, **papers)) == "proposed"
    funds = read(await checker.get("/finance/funds"))
    assert ODD not in funds.source
    assert "照最近 30 天的速度" in funds.text
    (waits,) = re.findall(r"/finance/acts/appropriation-confirm/([\w-]+)", funds.source)
    assert told(await do(checker, "appropriation-confirm", waits)) == "confirmed"
    assert (await do(checker, "appropriation-decline", waits, reason="再看看")).status_code == 422
    assert (await one.client.get(f"/finance/acts/transfer-confirm/{waits}")).status_code == 403
    ends = {f"{side}_{name}": value for side in ("source", "target") for name, value in end(stage, new).items()}
    carried = {**ends, "target_year": f"{committed.today.year + 1}", "amount": "100", **papers}
    assert told(await do(maker, "transfer", "new", **carried)) == "proposed"
    (moves,) = re.findall(r"/finance/acts/transfer-decline/([\w-]+)", (await checker.get("/finance/funds")).text)
    assert "确认调剂" in read(await checker.get(f"/finance/acts/transfer-confirm/{moves}")).text
    assert told(await do(checker, "transfer-decline", moves, reason="不用了")) == "refused"
    days = {"first_day": f"{committed.today}", "last_day": f"{committed.today}"}
    asked = {"district": stage.district, "post": "releaser", "login": login, **days, "reason": "缺人"}
    assert (await do(one, "delegation", "new", **{**asked, "login": ODD})).status_code == 422
    assert told(await do(one, "delegation", "new", **asked)) == "proposed"
    (proposed,) = re.findall(
        r"/finance/acts/delegation-confirm/([\w-]+)", (await another.get("/finance/delegations")).text
    )
    assert (await do(third, "delegation-confirm", proposed)).status_code == 422
    assert told(await do(another, "delegation-confirm", proposed)) == "confirmed"
    assert login in read(await maker.get("/finance/delegations")).text


def end(stage: Stage, new: dict[str, str]) -> dict[str, str]:
    return {"district": stage.district, "fund": new["fund"], "year": new["year"]}
