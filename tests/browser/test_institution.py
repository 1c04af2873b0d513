"""An institution's class and its roster: filed, inspected, approved, held, handed in."""

from datetime import date, timedelta

from service.local.made_up import MadeUpPerson
from tests.browser.town import Town, hands_in, row_of
from tests.browser.visitor import PHONE, Visitor
from tests.flows.office import WELDER
from tests.training import HALF_DAYS, HOURS, SIZE, sessions

_AHEAD = timedelta(days=20)


async def is_inspected(town: Town, name: str) -> None:
    """Two inspectors go there, each with a phone."""
    async with town.at("inspector-a", wide=False) as one, town.at("inspector-b", wide=False) as other:
        await one.go("/inspections")
        await one.fill(q=name)
        await one.press("查")
        await one.press("开始检查")
        path = one.path.partition("?")[0]
        if await one.has_button("我也去"):
            await one.press("我也去")
        await other.go(path)
        await other.press("我也去")
        await one.go(path)
        await one.shot("inspection", whole=True)
        await one.fill(where="示例路 1 号", note="示例：场地和设备齐全")
        await one.fill_day("inspected_on", town.office.today)
        for each in await one.page.locator('main input[type="radio"][value="fits"]').all():
            await one.page.locator(f'label[for="{await each.get_attribute("id")}"]').click()
        await one.page.locator('main label[for="result-passed"]').click()
        await one.hit("提交结果")
        await one.sees("合格，")
        await one.look()


async def files_class(town: Town, people: list[MadeUpPerson], first: date) -> str:
    """The clerk types a class; where it is shown."""
    maker = town.office.maker
    teacher = maker.person()
    timetable = [f"{it.day} {it.begins} {it.ends} {it.hours} 301室 1" for it in sessions(first, HALF_DAYS)]
    async with town.at("clerk-a") as clerk:
        await clerk.shot("institution")
        await clerk.press("申报开班")
        await clerk.fill(item_code=WELDER, level="4", planned_hours=f"{HOURS}")
        await clerk.fill(site_name="本部", site_address="示例路 1 号", site_district=town.office.district)
        await clerk.fill(sessions="\n".join(timetable), teachers=f"{teacher.name} {teacher.id_number}")
        await clerk.fill(trainees="\n".join(f"{each.name} {each.id_number} {each.phone}" for each in people))
        await clerk.shot("class-new", whole=True)
        await clerk.press("申报这个班")
        await clerk.sees(f"学员 {len(people)} 人")
        await clerk.shot("class")
        return clerk.path.partition("?")[0]


async def is_told_of_a_refusal(clerk: Visitor) -> None:
    """What is refused while it is sent is said on a page, as of any form: the page that sent it is not shown anew."""
    await clerk.go("/institution/rosters/new")
    await clerk.page.evaluate("document.querySelector('main [name=_csrf_token]').value = 'another'")
    sent = {"name": "名册.csv", "mimeType": "text/csv", "buffer": b"-"}
    await clerk.page.locator('[name="sheet"]').set_input_files([sent])  # type: ignore[list-item]
    await clerk.hit("上传并核对")
    await clerk.sees("这张表过期了，没有提交，没有重复")
    await clerk.look()


async def test_a_class_and_its_roster(town: Town) -> None:
    """Filed, approved after an inspection, held; whoever passed is claimed for with one sheet."""
    office = town.office
    people = [office.maker.person() for _ in range(SIZE)]
    first = date.fromisoformat(office.today) + _AHEAD
    await is_inspected(town, "示例培训学校A")
    at = await files_class(town, people, first)
    async with town.staff("officer") as officer:
        await officer.shot("desk-classes")
        await officer.follow(at.replace("/institution/", "/desk/"))
        await officer.shot("desk-class", whole=True)
        await officer.press("批准开班")
        await officer.sees("批准时预留")
    town.let_pass(first)
    async with town.at("clerk-a") as clerk:
        await clerk.go(at)
        number = (await clerk.page.locator("h1 .muted").inner_text()).strip()
        await clerk.sees_within("正在上课")
        assert not await clerk.found_at(PHONE[0])
        await is_told_of_a_refusal(clerk)
        rows = [row_of(town, each, 开班编号=number) for each in people[:2]]
        await hands_in(clerk, rows, number)
        await clerk.sees("2 行都看完了，全部提交")
