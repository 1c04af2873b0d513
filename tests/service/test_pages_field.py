"""Officers of institutions, inspectors, assessors and evaluators on their pages: whole ways, and what is refused."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.penalty import EventKind
from service import clock
from service.clock import now, today
from service.database import transaction
from service.institutions.commands import applying
from service.institutions.schemas import NewApplication, NewScope
from service.oversight.commands import appeals, complaining
from service.oversight.schemas import NewAppeal, NewComplaint
from service.pages import homes
from service.security import open_session
from service.settings import settings
from tests.attendance import held, school_of_before
from tests.oversight import Oversight
from tests.pages import Browser, at_a_browser, read
from tests.selection import Selecting
from tests.training import School, sessions
from tests.world import WELDER, World

JPEG = b"\xff\xd8\xff a photo"
PAPER = {"document_sha256_file": ("依据.pdf", b"%PDF-1.7 a paper", "application/pdf")}
MARKUP = '<script>alert("x")</script>'


class Desks:
    """A browser for each who asks for one."""

    def __init__(self, open_ones: AsyncExitStack) -> None:
        self._open = open_ones

    async def of(self, actor: Actor) -> Browser:
        async with transaction() as tx:
            token = (await open_session(tx, actor)).token
        return await self._open.enter_async_context(at_a_browser(token))


@pytest.fixture
async def desks() -> AsyncIterator[Desks]:
    async with AsyncExitStack() as open_ones:
        yield Desks(open_ones)


@pytest.fixture(autouse=True)
def back_to_today() -> Iterator[None]:
    """Where days pass here, they pass for this test only."""
    yield
    Path(settings().clock_offset.removeprefix("@")).write_text("0")


@pytest.fixture
async def city(committed: World) -> Oversight:
    async with transaction() as tx:
        return await Oversight.build(tx, committed)


def boxes(field: str, day: date) -> dict[str, str]:
    return {f"{field}_y": str(day.year), f"{field}_m": str(day.month), f"{field}_d": str(day.day)}


# ---- classes


async def test_an_officer_decides_on_classes(desks: Desks, committed: World) -> None:
    async with transaction() as tx:
        school = await School.build(tx, committed)
        site = school.new().site
        site.name = MARKUP
        of = await school.file(tx, site=site)
    officer, elsewhere = [await desks.of(each) for each in school.officers]
    listed = read(await officer.get("/desk/classes"))
    assert f"/desk/classes/{of.id}" in listed.values("href")
    assert "没有符合的班" in read(await officer.get("/desk/classes?status=nothing")).text
    at = f"/desk/classes/{of.id}"
    page = await officer.get(at)
    shown = read(page)
    assert "&lt;script&gt;" in page.text
    assert "12,000 元" in shown.text  # ten places of 1,200
    assert not [each for each in school.new().trainees if each.id_number in page.text]
    for who, status in ((elsewhere, 404), (await desks.of(committed.clerks[0]), 403)):
        assert (await who.get(at)).status_code == status
    decide = f"{at}/decide"
    empty = await officer.send(page, decide, decision="send_back", reason="  ")
    assert (empty.status_code, "有 1 处要改" in read(empty).text) == (422, True)
    number = await officer.send(page, decide, decision="send_back", reason="请问 13812345678")
    assert (number.status_code, "13812345678" in read(number).source) == (422, True)  # kept as typed
    assert (await officer.send(page, decide, decision="celebrate")).status_code == 422
    assert (await officer.client.post(decide, data={"decision": "approve"})).status_code == 403
    for _ in range(2):  # pressed twice
        done = await officer.send(page, decide, decision="approve")
        assert (done.status_code, done.headers["location"]) == (303, f"{at}?told=class_decided")
    after = read(await officer.get(f"{at}?told=class_decided"))
    assert "已批准" in after.text
    assert "批准时预留" in after.text
    late = await officer.send(page, decide, decision="deny", reason="太晚")
    assert late.status_code == 422


# ---- patrols and inspections


async def test_two_inspectors_patrol_with_a_phone(desks: Desks, committed: World) -> None:
    tomorrow = today() + timedelta(days=1)
    async with transaction() as tx:
        school = await school_of_before(tx, committed)
        of = await held(tx, school, sessions=sessions(tomorrow, room=f"{uuid4().hex[:8]}室"))
    one, other = [await desks.of(each) for each in school.inspectors]
    officer, elsewhere = [await desks.of(each) for each in school.officers]
    page = await officer.get("/patrols")
    wrong = await officer.send(page, "/patrols/draw", count="一百", kind="on_site", **boxes("day", tomorrow))
    assert (wrong.status_code, 'value="一百"' in wrong.text) == (422, True)
    past = boxes("day", date(2026, 2, 28)) | {"day_d": "30"}
    assert "没有这一天" in read(await officer.send(page, "/patrols/draw", count="1", kind="on_site", **past)).text
    new = {"count": "100", "kind": "on_site", **boxes("day", tomorrow)}
    drawn = await officer.send(page, "/patrols/draw", **new)
    again = await officer.send(page, "/patrols/draw", **new)
    assert (drawn.status_code, again.headers["location"]) == (303, drawn.headers["location"])
    draw = read(await officer.get(drawn.headers["location"]))
    assert "随机种子" in draw.text
    assert (await elsewhere.get(drawn.headers["location"])).status_code == 404
    mine = [each for each in draw.values("href") if each.startswith("/patrols/")]
    found = [each for each in mine if of.number in (await one.get(each)).text]
    at = found[0]
    assert (await elsewhere.get(at)).status_code == 404
    for who in (one, other):
        joined = await who.send(await who.get(at), f"{at}/join")
        assert (joined.status_code, joined.headers["location"]) == (303, f"{at}?told=joined")
    page = await one.get(at)
    assert "没有信号时不要关页面" in read(page).text
    answers = {f"q_{name}": "fits" for name in ("timetable", "teacher", "people", "marks", "equipment", "fees")}
    told = {**answers, "headcount": "2", "note": MARKUP, "result": "failed"}
    photo = {"photos": ("照片.jpg", JPEG + uuid4().bytes, "image/jpeg")}
    no_photo = await one.send(page, f"{at}/result", {"photos": ("a.gif", b"GIF8", "image/gif")}, **told)
    assert (no_photo.status_code, "&lt;script&gt;" in no_photo.text) == (422, True)
    kept = await one.send(page, f"{at}/result", photo, act="photos", **answers)
    assert (kept.status_code, "第 1 份" in read(kept).text, kept.text.count(" checked")) == (200, True, 6)
    early = await one.send(page, f"{at}/result", **told)
    assert "还没有开始" in read(early).text
    clock.advance(2)
    unanswered = await one.send(page, f"{at}/result", **{**told, "q_people": ""})
    assert (unanswered.status_code, "#q_people" in read(unanswered).values("href")) == (422, True)
    for _ in range(2):
        done = await one.send(page, f"{at}/result", **{**told, "q_people": "not"})
        assert (done.status_code, done.headers["location"]) == (303, f"{at}?told=result_told")
    after = read(await other.get(at))
    assert "学员本人在场：不符合" in after.text
    assert "不合格，现场 2 人" in after.text
    (link,) = [each for each in after.values("href") if "/evidence/" in each]
    assert (await other.client.get(link)).content[:3] == JPEG[:3]
    assert (await elsewhere.client.get(link)).status_code == 404
    assert f'href="{at}"' in (await one.get("/patrols?which=mine")).text


async def test_two_inspectors_look_before_a_first_class(desks: Desks, committed: World) -> None:
    async with transaction() as tx:
        school = await School.build(tx, committed, inspected=False)
    one, other = [await desks.of(each) for each in school.inspectors]
    assert "没有找到" in read(await one.get("/inspections?q=%25%3Cb%3E")).text
    page = await one.get("/inspections?q=示例学校")
    begun = await one.send(page, "/inspections/open")
    at = begun.headers["location"].partition("?")[0]
    form = await one.get(at)
    answers = dict.fromkeys(["q_licence", "q_rooms", "q_equipment", "q_teachers", "q_safety", "q_fees"], "fits")
    told = {**answers, "result": "passed", "note": "", "where": "本部", **boxes("inspected_on", today())}
    alone = await one.send(form, f"{at}/result", **told)
    assert (alone.status_code, "至少" in read(alone).text) == (422, True)
    assert (await other.send(await other.get(at), f"{at}/join")).status_code == 303
    done = await one.send(form, f"{at}/result", **told)
    assert done.status_code == 303
    assert "证照在有效期内：符合" in read(await other.get(at)).text
    assert (await one.get(f"/inspections/{uuid4()}")).status_code == 404


# ---- complaints, penalties, credit, signals


async def test_a_complaint_is_answered_once(desks: Desks, city: Oversight) -> None:
    async with transaction() as tx:
        new = NewComplaint(city.code, f"{MARKUP}收了两次钱")
        filed = await complaining.complain(tx, None, new, today(), now())
    here, there = await desks.of(city.here), await desks.of(city.there)
    at = f"/desk/complaints/{filed.id}"
    assert at in read(await here.get("/desk/complaints")).values("href")
    assert (await there.get(at)).status_code == 404
    page = await here.get(at)
    assert "&lt;script&gt;" in page.text
    unsaid = await here.send(page, f"{at}/answer", answer="已责令退还")
    assert (unsaid.status_code, "已责令退还" in unsaid.text) == (422, True)
    assert (await here.send(page, f"{at}/answer", answer="长" * 2_000 + "了", founded="yes")).status_code in {
        303,
        422,
    }
    page = await here.get(at)
    assert "属实" in read(page).text
    assert at in read(await here.get("/desk/complaints?which=answered")).values("href")


async def test_a_penalty_takes_three_persons(desks: Desks, city: Oversight) -> None:
    one, two, three = [await desks.of(each) for each in (city.proposer, city.decider, city.third)]
    page = await one.get(f"/desk/penalties/new?institution={city.code}")
    new = {"institution": city.code, "step": "suspend", "reason": MARKUP, **boxes("first", today())}
    steps = read(page).values("value", "option")
    new["step"] = (
        next(each for each in steps if each and "suspen" in each) if any("suspen" in e for e in steps) else steps[2]
    )
    for bad in ({"institution": "123"}, {"reason": ""}, boxes("first", today() - timedelta(days=3))):
        refused = await one.send(page, "/desk/penalties/new", PAPER, **{**new, **bad})
        assert refused.status_code == 422, bad
        read(refused)
    kept = read(await one.send(page, "/desk/penalties/new", PAPER, **{**new, "reason": ""}))
    assert "已经读过一份" in kept.text
    unfounded = await one.send(page, "/desk/penalties/new", **new)
    assert "#document_sha256" in read(unfounded).values("href")
    made = await one.send(page, "/desk/penalties/new", PAPER, **new)
    at = made.headers["location"].partition("?")[0]
    page = await one.get(at)
    assert "&lt;script&gt;" in page.text
    same = await one.send(page, f"{at}/impose")
    assert same.status_code == 422
    imposed = await two.send(await two.get(at), f"{at}/impose")
    assert imposed.status_code == 303, imposed.text
    async with transaction() as tx:
        await appeals.appeal(tx, city.clerk, UUID(at[-36:]), NewAppeal("已经整改"), today(), now())
    page = await three.get(at)
    assert "已经整改" in read(page).text
    assert (await two.send(page, f"{at}/answer", granted="no", answer="维持")).status_code == 422
    granted = {"granted": "yes", "answer": "整改属实", "points": "5"}
    assert "#document_sha256" in read(await three.send(page, f"{at}/answer", **granted)).values("href")
    done = await three.send(page, f"{at}/answer", PAPER, **granted)
    assert done.status_code == 303, done.text
    assert "申诉成立" in read(await one.get(at)).text
    assert at in read(await one.get("/desk/penalties")).values("href")
    assert (await (await desks.of(city.there)).get(at)).status_code == 404


async def test_credit_is_recorded_and_mended_by_another(desks: Desks, city: Oversight) -> None:
    here, other = await desks.of(city.here), await desks.of(city.proposer)
    page = await here.get(f"/desk/credit/new?institution={city.code}")
    new = {
        "institution": city.code,
        "kind": str(EventKind.PATROL_FAILED),
        "points": "-6",
        "words": MARKUP,
        **boxes("happened_on", today()),
    }
    for bad in ({"points": "六"}, {"institution": "0" * 18}, {"kind": "gossip"}, {"points": "-101"}):
        refused = await here.send(page, "/desk/credit/new", PAPER, **{**new, **bad})
        assert refused.status_code == 422, bad
        assert "有 1 处要改" in read(refused).text
    for _ in range(2):
        done = await here.send(page, "/desk/credit/new", PAPER, **new)
        assert done.status_code == 303, done.text
    shown = await other.get(done.headers["location"])
    assert shown.text.count("&lt;script&gt;") == 1  # once, although it was pressed twice
    assert "−6" in read(shown).text
    (mend,) = [each for each in read(shown).values("href") if each.endswith("/correct")]
    correction = {"points": "2", "words": "少扣"}
    assert (await here.send(await here.get(mend), mend, PAPER, **correction)).status_code == 422
    assert (await other.send(await other.get(mend), mend, PAPER, **correction)).status_code == 303
    assert "更正过" in read(await here.get(f"/desk/credit?institution={city.code}")).text
    assert (await (await desks.of(city.there)).get(mend)).status_code == 404
    wrong = read(await here.get("/desk/credit?institution=%3Cb%3E&year=0000"))
    assert "有 1 处要改" in wrong.text
    assert (await other.client.get("/desk/credit/export")).content.startswith(b"\xef\xbb\xbf")
    signals = await here.get("/desk/signals")
    assert (await here.send(signals, "/desk/signals/run")).headers["location"] == "/desk/signals?told=signals_asked"


# ---- evaluations


async def test_an_evaluator_enters_and_another_corrects(desks: Desks, city: Oversight) -> None:
    one, other = [await desks.of(each) for each in city.evaluators]
    year = today().year - 1
    page = await one.get(f"/desk/evaluations/new?year={year}&institution={city.code}")
    shown = read(page)
    assert "示例公式" in shown.text
    names = [each.removeprefix("values_") for each in shown.values("id") if each.startswith("values_")]
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


# ---- selection and registry


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
    (proposal,) = [each for each in read(page).values("action", "form") if "/accounts/" in each]
    assert (await other.send(page, proposal, answer="decline", reason="")).status_code == 422
    assert (await other.send(page, proposal, answer="confirm")).status_code == 303
    assert "已确认" in read(await one.get(at)).text
    end = next(each for each in read(await one.get(at)).values("href") if "ends?part=grades" in each)
    done = await one.send(await one.get(end), f"{at}/ends", **boxes("to", today() + timedelta(days=9)))
    assert done.status_code == 303, done.text
    found = read(await one.get(f"/desk/institutions?q={name}"))
    assert at in found.values("href")
    for sought in ("%25", "_", "%3Cscript%3E", "x" * 500):
        assert "没有找到" in read(await one.get(f"/desk/institutions?q={sought}")).text
    assert (await (await desks.of(city.there)).get(at)).status_code == 404
    assert (await one.get(f"{at}/celebrate")).status_code == 404


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
