"""Officers of institutions and inspectors on their pages: whole ways, and what is refused."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.penalty import EventKind
from service import clock
from service.access.queries import kept_form
from service.clock import now, today
from service.database import transaction
from service.oversight.commands import appeals, complaining
from service.oversight.schemas import NewAppeal, NewComplaint
from service.security import open_session
from service.settings import settings
from tests.attendance import held, school_of_before
from tests.oversight import Oversight
from tests.pages import Browser, at_a_browser, read, token_of
from tests.training import School, sessions
from tests.world import World

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
    assert "没有信号也能接着填" in read(page).text
    answers = {f"q_{name}": "fits" for name in ("timetable", "teacher", "people", "marks", "equipment", "fees")}
    told = {**answers, "headcount": "2", "note": MARKUP, "result": "failed"}
    photo = {"photos": ("照片.jpg", JPEG + uuid4().bytes, "image/jpeg")}
    no_photo = await one.send(page, f"{at}/result", {"photos": ("a.gif", b"GIF8", "image/gif")}, **told)
    assert (no_photo.status_code, "&lt;script&gt;" in no_photo.text) == (422, True)
    assert "#photos" in read(no_photo).values("href")
    aside = await one.send(page, f"{at}/result", photo, act="aside", **{**answers, "headcount": "3", "note": MARKUP})
    assert (aside.status_code, aside.headers["location"]) == (303, f"{at}?told=answers_kept")
    for again in (aside.headers["location"], at):  # as often as one comes back
        back = await one.get(again)
        assert ("第 1 份" in read(back).text, back.text.count(" checked"), 'value="3"' in back.text) == (
            True,
            6,
            True,
        )
        assert (MARKUP in back.text, "&lt;script&gt;" in back.text) == (False, True)
    assert " checked" not in (await other.get(at)).text  # what I put aside is mine
    token = token_of(await elsewhere.get("/patrols"))
    foreign = await elsewhere.client.post(f"{at}/result", data={**token, **answers, "act": "aside"})
    assert foreign.status_code == 404
    early = await one.send(page, f"{at}/result", **told)
    assert "还没有开始" in read(early).text
    clock.advance(2)
    unanswered = await one.send(page, f"{at}/result", **{**told, "q_people": ""})
    assert (unanswered.status_code, "#q_people" in read(unanswered).values("href")) == (422, True)
    assert "“学员本人在场”还没选" in read(unanswered).text
    nothing = read(await one.send(page, f"{at}/result"))
    assert "有 8 处要改" in nothing.text  # all at once
    number = await one.send(page, f"{at}/result", **{**told, "note": "问 13800001234"})
    long = await one.send(page, f"{at}/result", **{**told, "where": "长" * 200, "note": "远" * 250})
    for refused, said in ((number, "不要写身份证号"), (long, "最多")):
        assert (refused.status_code, "#note" in read(refused).values("href")) == (422, True)
        assert said in read(refused).text
    assert "远" * 250 in (await one.get(at)).text  # reloaded: as it was typed last
    more = {"photos": ("照片.jpg", JPEG + uuid4().bytes, "image/jpeg")}
    theirs = await other.get(at)
    for _ in range(2):  # pressed twice, with its photo
        done = await one.send(page, f"{at}/result", more, **{**told, "q_people": "not"})
        assert (done.status_code, done.headers["location"]) == (303, f"{at}?told=result_told")
    late = await other.send(theirs, f"{at}/result", more, **told)  # a colleague has told it meanwhile
    assert (late.status_code, "已经有结果" in read(late).text) == (422, True)
    async with transaction() as tx:
        for who in (school.inspectors[0], school.officers[1]):
            assert await kept_form(tx, who, at) is None
    after = read(await other.get(at))
    assert "学员本人在场：不符合" in after.text
    assert "不合格，现场 2 人" in after.text
    link, _ = [each for each in after.values("href") if "/evidence/" in each]
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
    aside = await other.send(
        await other.get(at), f"{at}/result", act="aside", **{**told, "where": "二楼", "q_fees": "not"}
    )
    assert aside.status_code == 303
    put_aside = await other.get(at)
    assert ('value="二楼"' in put_aside.text, put_aside.text.count(" checked")) == (True, 7)
    for _ in range(2):
        done = await one.send(form, f"{at}/result", **told)
        assert (done.status_code, done.headers["location"]) == (303, f"{at}?told=result_told")
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
    assert filed.number in read(page).text
    for heard in (filed.number, f" {filed.number.lower()} "):  # answered or not, by who was told its number
        told = read(await here.client.get("/desk/complaints", params={"number": heard}))
        assert (at in told.values("href"), told.text.count("TS0")) == (True, 1)
    elsewhere = read(await there.client.get("/desk/complaints", params={"number": filed.number}))
    assert (at in elsewhere.values("href"), "没有这个受理号" in elsewhere.text) == (False, True)


async def test_a_penalty_takes_three_persons(desks: Desks, city: Oversight) -> None:
    one, two, three = [await desks.of(each) for each in (city.proposer, city.decider, city.third)]
    page = await one.get(f"/desk/penalties/new?institution={city.code}")
    new = {"institution": city.code, "step": "rectify", "reason": MARKUP, **boxes("first", today())}
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
    again = await two.send(await two.get(at), f"{at}/answer", granted="no", answer="维持")
    assert again.status_code == 422
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
    assert "/desk/signals/run" not in (await here.get("/desk/signals")).text  # the city's alone
    asked = await other.send(await other.get("/desk/signals"), "/desk/signals/run")
    assert asked.headers["location"] == "/desk/signals?told=signals_asked"
