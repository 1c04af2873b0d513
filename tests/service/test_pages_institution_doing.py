"""What a clerk does one at a time: a claim by a paper, a project's place, the account, devices, selections."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from service import jobs as owed_work
from service.claims.tables import ClaimRow
from service.clawbacks.commands.amounts import answer_amount, appeal_amount
from service.clawbacks.queries.amounts import appeals_over, list_appeals
from service.clawbacks.schemas import NewAmountAnswer, NewAmountAppeal
from service.database import transaction
from service.institutions.queries.registry import record_of
from service.projects.queries import project_view
from service.training.queries.attendance_keys import device_with
from tests.assessments import body
from tests.clerks import MARKUP, clerk, day, led_to, window
from tests.door import turned_away
from tests.enterprises import Enterprise
from tests.objections import PaidForThem
from tests.pages import Browser, read
from tests.projects import Procured
from tests.selection import PDF, Selecting
from tests.training import School
from tests.world import WELDER, WELDER_LEVEL_4_FEN, Trainee, World

__all__ = ["clerk"]  # a fixture

NOWHERE = "00000000-0000-0000-0000-000000000000"
PAPER = ("依据.pdf", PDF, "application/pdf")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker here; the jobs are done by hand."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)


def certificate(world: World, trainee: Trainee) -> dict[str, str]:
    """As it is typed from the paper."""
    new = world.new_claim(trainee)
    issued = world.today.fromisoformat(new.certificate_issued_on)
    fields = {"item": WELDER, "level": new.level, "certificate_number": new.certificate_number}
    started = new.training_started_on
    begun = day("training_started_on", world.today.fromisoformat(started)) if started else {}
    return {**fields, **day("certificate_issued_on", issued), **begun}


async def claims_of(institution_id: object) -> int:
    async with transaction() as tx:
        asked = select(func.count()).select_from(ClaimRow).where(ClaimRow.institution_id == institution_id)
        return int((await tx.execute(asked)).scalar_one())


# ---- one claim


async def test_an_enterprise_asks_and_then_claims_for_somebody_it_hired(committed: World) -> None:
    async with transaction() as tx:
        enterprise = await Enterprise.build(tx, committed)
        trainee = await committed.trainee(tx)
        contract = await enterprise.contract(tx, trainee)
        await committed.provide(tx, enterprise.clerk.district or "")
    at, fields = f"/institution/contracts/{contract}/claim", certificate(committed, trainee)
    async with window(enterprise.clerk) as mine:
        assert f'href="{at}"' in (await mine.get("/institution/contracts")).text
        page = await mine.get(at)
        shown = read(page)
        assert "发到你们单位确认过的账户" in shown.text
        assert trainee.made.name not in page.text
        assert "account_number" not in page.text  # an enterprise is paid on the account that was confirmed
        wrong = await mine.send(
            page, at, **{**fields, "item": MARKUP, "certificate_issued_on_m": "13", "act": "file"}
        )
        assert (wrong.status_code, MARKUP in wrong.text) == (422, False)
        assert "职业或工种：" in read(wrong).text
        told = await mine.send(page, at, **fields, act="check")
        assert (told.status_code, "现在查，可以申领1,200 元" in read(told).text) == (200, True)
        assert await claims_of(enterprise.id) == 0
        to, said = led_to(await mine.send(told, at, **fields, act="file"))
        assert said == {"told": "filed"}
        assert led_to(await mine.send(told, at, **fields, act="file"))[0] == to  # the same press
        assert await claims_of(enterprise.id) == 1
        assert enterprise.name in read(await mine.get(to)).text
        before = await turned_away("enterprise")
        again = await mine.send(await mine.get(at), at, **fields, act="file")
        assert await turned_away("enterprise") == before + 1  # as over the API
        assert (again.status_code, "有 1 处要改" in read(again).text) == (422, True)
        for other in (f"/institution/mandates/{contract}/claim", f"/institution/contracts/{NOWHERE}/claim"):
            assert (await mine.client.get(other)).status_code == 404
    async with window(committed.clerks[0]) as stranger:
        assert (await stranger.client.get(at)).status_code == 404


async def test_an_institution_claims_for_a_trainee_by_a_mandate(committed: World, clerk: Browser) -> None:
    world, me = committed, committed.clerks[0]
    async with transaction() as tx:
        trainee = await world.trainee(tx)
        mandate = await world.mandate(tx, me, trainee)
        await world.provide(tx, me.district or "")
    at, fields = f"/institution/mandates/{mandate}/claim", certificate(world, trainee)
    fields |= {"account_holder": trainee.made.name, "account_number": world.maker.card()}
    fields |= {"account_bank_code": world.maker.bank_code()}
    page = await clerk.get(at)
    short = await clerk.send(page, at, **{**fields, "account_number": "6222", "level": "1"}, act="file")
    assert "卡号：" in read(short).text
    refused = await clerk.send(page, at, **{**fields, "level": "1"}, act="file")  # the certificate says otherwise
    assert refused.status_code == 422
    assert ("没有提交。" in read(refused).text, "依据：" in read(refused).text) == (True, True)
    to, _ = led_to(await clerk.send(page, at, **fields, act="file"))
    assert "appeal-amount" not in (await clerk.get(to)).text  # nothing was paid yet


async def test_what_a_trainee_says_of_the_amount_is_not_the_institutions_to_read(committed: World) -> None:
    async with transaction() as tx:
        theirs, ours = [await PaidForThem.build(tx, committed) for _ in range(2)]
        own, today = NewAmountAppeal("机构只教了一半"), committed.today
        raised = await appeal_amount(tx, theirs.trainee.actor, theirs.claim_id, own, today, committed.now)
        said = await appeal_amount(tx, ours.clerk, ours.claim_id, own, today, committed.now)
        for me, appeals in ((theirs.clerk, []), (ours.clerk, [said.id]), (theirs.trainee.actor, [raised.id])):
            assert [each.id for each in (await list_appeals(tx, me, today, None, 50)).appeals] == appeals
        (told,) = await appeals_over(tx, ours.trainee.actor, ours.claim_id, today)
        assert told.reason == own.reason  # it is their claim
    for paid, reads in ((theirs, False), (ours, True)):
        async with window(paid.clerk) as mine:
            page = await mine.get(f"/institution/claims/{paid.claim_id}")
        shown = read(page).text
        assert (own.reason in shown, "学员自己申请复核金额" in shown) == (reads, not reads)
        assert "appeal-amount" not in page.text  # once a claim
    async with transaction() as tx:
        new = NewAmountAnswer(WELDER_LEVEL_4_FEN, "你的学时和金额对得上")
        await answer_amount(tx, theirs.reviewer, raised.id, new, today, committed.now)
    async with window(theirs.clerk) as mine:
        shown = read(await mine.get(f"/institution/claims/{theirs.claim_id}")).text
    assert (new.answer in shown, own.reason in shown) == (False, False)


# ---- projects


async def test_a_contractor_says_what_was_reached_and_claims_places(committed: World) -> None:
    async with transaction() as tx:
        project = await Procured.build(tx, committed, places=2, percent=None)
        await committed.provide(tx, project.contractor.clerk.district or "")
        unconfirmed = await project.propose(tx, contract_number=f"XM-{project.contractor.name[-4:]}-未确认")
    at, made = f"/institution/projects/{project.id}", committed.maker.person()
    async with window(project.contractor.clerk) as mine:
        listed = read(await mine.get("/institution/projects")).text
        assert ("等区里确认" in listed, "还没报" in listed) == (True, True)
        assert "现在不能申领" in read(await mine.get(f"/institution/projects/{unconfirmed}")).text
        page = await mine.get(at)
        assert "先报就业结果" in read(page).text
        reached = {**day("reached_on", committed.today), "employment_percent": "100"}
        for wrong, files in (
            ({}, {}),
            ({"employment_percent": "101"}, {"evidence_sha256": PAPER}),
            ({"employment_percent": "一半"}, {"evidence_sha256": PAPER}),
            (day("reached_on", committed.today + timedelta(days=1)), {"evidence_sha256": PAPER}),
        ):
            refused = await mine.send(page, f"{at}/results", files or None, **{**reached, **wrong})
            assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True), wrong
        for _ in range(2):
            sent = await mine.send(page, f"{at}/results", {"evidence_sha256": PAPER}, **reached)
            assert led_to(sent) == (at, {"told": "project_reached"})
        page = await mine.get(at)
        assert "一个人 4,500 元" in read(page).text
        who = {"trainee_name": made.name, "trainee_id_number": made.id_number, "trainee_phone": made.phone}
        bad = await mine.send(page, f"{at}/claims", **{**who, "trainee_id_number": "1"})
        assert "身份证号：" in read(bad).text
        to, said = led_to(await mine.send(page, f"{at}/claims", **who))
        assert said == {"told": "filed"}
        assert led_to(await mine.send(page, f"{at}/claims", **who))[0] == to
        claim = read(await mine.get(to)).text
        assert made.name not in claim
        assert re.search(r"名额2\s*已用1\s*还能申领4,500 元", read(await mine.get(at)).text)
    async with transaction() as tx:
        view = await project_view(tx, project.contractor.clerk, project.id)
        assert view.result is not None
        assert view.result.employment_percent == 100
    async with window(committed.clerks[0]) as stranger:
        assert (await stranger.client.get(at)).status_code == 404
        assert "没有项目合同" in read(await stranger.get("/institution/projects")).text


# ---- the account


async def test_another_account_is_proposed_and_waits(committed: World) -> None:
    async with transaction() as tx:
        enterprise = await Enterprise.build(tx, committed)
    at = "/institution/account"
    async with window(enterprise.clerk) as mine:
        page = await mine.get(at)
        shown = read(page).text
        assert ("尾号 1234" in shown, "现在用" in shown) == (True, True)
        assert enterprise.account not in page.text
        fields = {"bank_code": committed.maker.bank_code(), "number": "6225 8800 9999", "reason": "换了开户行"}
        fields |= day("from", committed.today + timedelta(days=3))
        wrong = await mine.send(page, at, **{**fields, "holder": MARKUP, "number": "12", "reason": ""})
        assert (wrong.status_code, MARKUP in wrong.text) == (422, False)
        assert "为什么换：" in read(wrong).text
        differs = await mine.send(page, at, **{**fields, "holder": "别的公司"})
        assert "户名：" in read(differs).text
        for _ in range(2):
            sent = await mine.send(page, at, **fields, holder=enterprise.name)
            assert led_to(sent) == (at, {"told": "account_proposed"})
        shown = read(await mine.get(at)).text
        assert ("尾号 9999" in shown, "等区里确认" in shown) == (True, True)
        async with transaction() as tx:
            record = await record_of(tx, enterprise.clerk, enterprise.id, committed.today)
        assert [each.answer for each in record.accounts] == [None, "confirmed"]


# ---- devices


async def test_a_key_is_shown_once_and_revoked(committed: World, clerk: Browser) -> None:
    at, until = "/institution/devices", committed.today + timedelta(days=30)
    page = await clerk.get(at)
    assert "还没有考勤设备" in read(page).text
    fields = {"name": f"三楼 {MARKUP}", **day("until", until)}
    for wrong in ({"name": ""}, {"until_y": ""}, day("until", committed.today + timedelta(days=400))):
        refused = await clerk.send(page, at, **{**fields, **wrong})
        assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True), wrong
    made = await clerk.send(page, at, **fields)
    assert (made.status_code, MARKUP in made.text) == (200, False)
    assert made.headers["cache-control"] == "no-store"
    read(made)
    found = re.search(r'id="key"[^>]*>(zdk_[0-9a-f]{32}_[A-Za-z0-9_-]{43})<', made.text)
    assert found is not None
    assert await device_with(found[1], committed.now) is not None
    again = await clerk.send(page, at, **fields)
    assert led_to(again) == (at, {"told": "key_shown_before"})  # no second key
    listed = await clerk.get(at)
    assert found[1] not in listed.text
    assert listed.text.count("停用这台设备") == 1
    revoke = re.search(r'action="(/institution/devices/[^"]+/revoke)"', listed.text)
    assert revoke is not None
    empty = await clerk.send(listed, revoke[1], reason="身份证 11010519491231002X")
    assert (empty.status_code, "为什么停用：" in read(empty).text) == (422, True)
    assert led_to(await clerk.send(listed, revoke[1], reason="设备坏了")) == (at, {"told": "key_revoked"})
    assert await device_with(found[1], committed.now) is None
    assert "已停用" in read(await clerk.get(at)).text
    async with window(committed.clerks[1]) as stranger:
        there = await stranger.get(at)
        assert "还没有考勤设备" in read(there).text
        hidden = re.search(r'name="_csrf_token" value="([^"]*)"', there.text)
        assert hidden is not None
        data = {"_csrf_token": hidden[1], "reason": "x"}
        assert (await stranger.client.post(revoke[1], data=data)).status_code == 404


# ---- selections


async def test_an_institution_applies_and_takes_it_back(committed: World) -> None:
    async with transaction() as tx:
        of = await Selecting.of(tx, committed)
        announced = await of.announced(tx, title=f"示例遴选 {MARKUP}")
        of_body = await body(tx, await School.build(tx, committed))
    at = f"/institution/selections/{announced.id}"
    async with window(of.clerk) as mine:
        listed = await mine.get("/institution/selections")
        assert (f'href="{at}"' in listed.text, MARKUP in listed.text) == (True, False)
        page = await mine.get(at)
        assert "还没有交过材料" in read(page).text
        handing = f"{at}/documents"
        wrong = await mine.send(page, handing, {"file": ("a.pdf", b"no paper", "application/pdf")}, name="许可证")
        assert "文件：" in read(wrong).text
        assert "材料名称：" in read(await mine.send(page, handing, {"file": PAPER}, name="")).text
        assert led_to(await mine.send(page, handing, {"file": PAPER}, name="办学许可证"))[1] == {
            "told": "document_handed_in"
        }
        page = await mine.get(at)
        (document,) = re.findall(r'name="(document_[^"]+)"', page.text)
        unknown = await mine.send(page, at, scopes=f"{MARKUP} 四级\n{WELDER} 十级")
        assert unknown.status_code == 422
        shown = read(unknown).text
        assert ("第 1 行：" in shown, "材料：" in shown) == (True, True)
        assert MARKUP not in unknown.text
        fields = {"scopes": f"{WELDER}，五级、四级", document: "yes"}
        for _ in range(2):
            assert led_to(await mine.send(page, at, **fields)) == (at, {"told": "applied"})
        page = await mine.get(at)
        assert "我们的报名" in read(page).text
        paper = await mine.client.get(f"/institution/documents/{document.removeprefix('document_')}")
        assert paper.content == PDF
        taking = re.search(r'action="(/institution/selections/applications/[^"]+)"', page.text)
        assert taking is not None
        async with window(committed.clerks[0]) as stranger:
            there = await stranger.get("/institution/devices")
            hidden = re.search(r'name="_csrf_token" value="([^"]*)"', there.text)
            assert hidden is not None
            assert (await stranger.client.post(taking[1], data={"_csrf_token": hidden[1]})).status_code == 404
        assert led_to(await mine.send(page, taking[1]))[1] == {"told": "application_withdrawn"}
        assert "报名</h2>" in (await mine.get(at)).text
    async with window(of_body) as other:
        assert "不收你们这一类" in read(await other.get(at)).text
        assert (await other.client.get(f"/institution/selections/{NOWHERE}")).status_code == 404
