"""What patrols and inspections found, as the clerks of the institution read it once they are over."""

from datetime import timedelta

import pytest

from domain.errors import NotFound
from domain.training import PatrolResult
from service import jobs as owed_work
from service.database import transaction
from service.training.commands.inspecting import open_inspection
from service.training.queries import inspections, patrols
from service.training.schemas import NewInspection
from tests.attendance import held, school_of_before
from tests.clerks import MARKUP, window
from tests.oversight import Oversight
from tests.pages import read
from tests.service.test_patrols import JPEG, drawn, on_first_day, patrols_of, told
from tests.world import World


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker here; the jobs are done by hand."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)


async def test_what_was_found_stands_at_its_class_once_it_is_over(committed: World) -> None:
    found = f"教师在岗：不符合；场地设备和备案的一样：符合；{MARKUP}"
    async with transaction() as tx:
        school = await school_of_before(tx, committed)
        ours = committed.clerks[0].institution_id
        assert ours is not None
        of = await held(tx, school)
        quiet_one = await held(tx, school)
        on_first_day(school)
        await drawn(tx, school, 100)
        # the draw takes what others have there, too
        mine = [each for each in await patrols_of(tx, school) if each.class_id == of.id]
        first, second = sorted(mine, key=lambda each: each.begins)[:2]
        on_first_day(school, "09:00")
        await told(tx, school, first.id, PatrolResult.FAILED, findings=found)
        await open_inspection(tx, school.inspectors[0], NewInspection(ours), committed.now)
    at = f"/institution/classes/{of.id}"
    async with window(committed.clerks[0]) as clerk:
        assert "/institution/findings" in read(await clerk.get("/institution/classes")).values("href")
        for address in (at, "/institution/findings"):
            answer = await clerk.get(address)
            page = read(answer)
            for said in ("不合格", "现场看，现场 9 人，名册 10 人", "教师在岗：不符合", "不合格会扣信用分"):
                assert said in page.text, said
            assert MARKUP not in answer.text
            assert page.text.count("名册 10 人") == 1  # the other is not over
            assert f"{second.begins}–{second.ends}" not in " ".join(page.words["h3"])
            assert "/institution/standing" in page.values("href")
        (photo,) = [each for each in page.values("href") if "/evidence/" in each]
        assert (await clerk.client.get(photo)).content[: len(JPEG)] == JPEG
        assert at in page.values("href")
        assert page.text.count("设备齐全") == 1  # the inspection that is over, not the one that was begun
        assert "/institution/findings" in read(await clerk.get("/institution/standing")).values("href")
        assert "巡查 1 次" not in read(await clerk.get(f"/institution/classes/{quiet_one.id}")).text
    async with window(committed.clerks[1]) as stranger:
        page = read(await stranger.get("/institution/findings"))
        assert "还没有巡查过我们的班" in page.text
        assert "教师在岗" not in page.text
        for address in (photo, at):
            assert (await stranger.client.get(address)).status_code == 404
    async with window(school.inspectors[0]) as officer:
        assert (await officer.client.get("/institution/findings")).status_code == 403
    async with transaction() as tx:
        for who in (
            committed.clerks[1],
            school.inspectors[0],
        ):  # who sees them by a post of the district files for nobody
            assert await patrols.ours(tx, who, committed.today) == []


async def test_that_somebody_is_about_to_look_is_for_who_goes_there(committed: World) -> None:
    async with transaction() as tx:
        school = await school_of_before(tx, committed)
        clerk, inspector = committed.clerks[0], school.inspectors[0]
        assert clerk.institution_id is not None
        before = (await inspections.inspections(tx, clerk, None)).inspections
        opened = await open_inspection(tx, inspector, NewInspection(clerk.institution_id), committed.now)
        assert (await inspections.inspections(tx, clerk, None)).inspections == before
        assert {each.result for each in before} == {"passed"}
        with pytest.raises(NotFound):
            await inspections.inspection_view(tx, clerk, opened.id)
        assert (await inspections.inspection_view(tx, inspector, opened.id)).result is None


async def test_what_is_to_be_mended_has_its_last_day(committed: World) -> None:
    async with transaction() as tx:
        of = await Oversight.build(tx, committed)
        await of.happens(tx)
        penalty = await of.imposed(tx, "circulate")
    assert penalty.mend_until is not None
    assert penalty.mend_until > committed.today + timedelta(days=1)
    day = f"{penalty.mend_until.year}年{penalty.mend_until.month}月{penalty.mend_until.day}日"
    async with window(of.clerk) as clerk:
        assert f"{day}前整改：巡查两次不合格" in read(await clerk.get("/institution/findings")).text
        assert f"“{penalty.step_name}”要整改" in read(await clerk.get("/institution")).text
    async with window(of.other_clerk) as stranger:
        assert "前整改" not in read(await stranger.get("/institution/findings")).text
