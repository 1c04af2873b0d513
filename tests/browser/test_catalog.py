"""An edition from a copy to publication, by its editor and by its publisher, who are not the same."""

from datetime import date

from tests.browser.town import Town

_YEARS_AHEAD = 1


async def test_an_edition(town: Town) -> None:
    """Copied, its findings answered at once, one row corrected, consulted on, approved, published out of season."""
    office = town.office
    today = date.fromisoformat(office.today)
    year = today.year + _YEARS_AHEAD
    async with town.at("catalog-editor") as editor:
        await editor.shot("catalog-desk")
        await editor.press("照已发布的起草")
        newest = editor.page.locator('[name="copy_of"] option').last
        await editor.fill(copy_of=await newest.get_attribute("value") or "", year=f"{year}", revision="0")
        await editor.shot("catalog-copy")
        await editor.press("起草")
        await editor.sees("草稿还没有征求意见")
        await editor.shot("catalog-draft")
        edition = editor.path.partition("?")[0]
        await editor.go(f"{edition}/findings?show=all")
        for tick in await editor.page.locator('main [name="f"]').all():
            await tick.check()
        await editor.press("选上的一起处理")
        await editor.fill(note="示例：去年就这样发布，问过省厅")
        await editor.shot("catalog-findings")
        await editor.press("条照发布的保留")
        await editor.sees("都记下了")
        await editor.go(f"{edition}/items?q=茶艺")
        await editor.press("茶艺师", at=editor.page.get_by_role("table"))
        await editor.fill(name="茶艺师（示例）", reason="示例：改名称")
        await editor.shot("catalog-item")
        await editor.press("更正这一项")
        await editor.go(edition)
        await editor.fill(first=office.today, last=office.today)
        await editor.press("开始征求意见")
        await editor.sees("征求意见")
    town.let_pass(today)
    async with town.at("catalog-publisher") as publisher:
        await publisher.go(f"{edition}/publish")
        await publisher.fill(reason="示例：提醒都看过，照指导目录的原样")
        await publisher.press("审定这一版")
        await publisher.shot("catalog-publish")
        await publisher.fill(first_day=f"{date(year, 1, 1)}", override="示例：年底发布明年的目录")
        await publisher.press("发布这一版")
        await publisher.sees("更名 1 项")
        await publisher.shot("catalog-published")
