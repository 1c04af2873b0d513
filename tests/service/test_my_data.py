"""What somebody reads of their data, and what the file has of it."""

from types import SimpleNamespace

from service.pages import my_data


async def test_the_file_has_every_page_of_a_list_and_the_page_the_first() -> None:
    pages = {None: SimpleNamespace(rows=[1], next="a"), "a": SimpleNamespace(rows=[2], next=None)}

    async def page(after: str | None) -> SimpleNamespace:
        return pages[after]

    async def read_all(*, whole: bool) -> list[int]:
        return [row async for each in my_data.pages_of(page, whole=whole) for row in each.rows]

    assert await read_all(whole=True) == [1, 2]
    assert await read_all(whole=False) == [1]
    assert my_data.Kept("", (), [[""]] * 200).cut
    assert not my_data.Kept("", (), [[""]] * 199).cut
