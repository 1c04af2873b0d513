"""A leader looks closer: the chart's library comes only then, and breaks no policy of the page."""

import re

from playwright.async_api import expect

from tests.browser.town import Town, hands_in, row_of

_LIBRARY = "echarts"


async def test_a_leader_looks_closer(town: Town) -> None:
    async with town.at("clerk-a") as clerk:
        await hands_in(clerk, [row_of(town, town.office.maker.person())])
        await clerk.sees("全部提交")
    async with town.at("hr-signer") as leader:
        asked: list[str] = []
        leader.page.on("request", lambda request: asked.append(request.url))
        await leader.go("/board")
        await leader.fill(month=town.office.today[:7])
        await leader.press("看", at=leader.page.locator("main form"))
        assert not [each for each in asked if _LIBRARY in each]
        button = leader.page.get_by_role("button", name="细看每个月")
        await leader.page.route("**/echarts*", lambda route: route.abort())
        await button.click()
        again = leader.page.get_by_role("button", name="没有取到，再试一次")
        await expect(again).to_be_enabled()
        leader.wrong.clear()  # the browser says that what was cut off failed
        await leader.page.unroute("**/echarts*")
        await again.click()
        chart = leader.page.locator("figure [_echarts_instance_] svg")
        await expect(chart).to_be_visible()
        await expect(leader.page.locator("[data-chart]")).to_be_hidden()
        box = await chart.bounding_box()
        assert box is not None
        await leader.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await expect(chart).to_contain_text(re.compile(r"机构代领[\d.]+%"))
        await leader.look()
        await leader.shot("board-closer")
