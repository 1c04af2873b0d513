"""The rest of what anybody may see: institutions, notices, editions, complaints, and what is explained."""

from collections.abc import AsyncIterator

import pytest

from tests.pages import Browser, at_a_browser, read


@pytest.fixture
async def anybody() -> AsyncIterator[Browser]:
    async with at_a_browser(follow=True) as browser:
        yield browser


async def test_large_letters_hold_on_every_page_and_lead_back(anybody: Browser) -> None:
    page = await anybody.get("/catalog?q=焊工&list=shortage")
    link = next(each for each in read(page).values("href") if each.startswith("/text/big"))
    back = await anybody.get(link)
    assert (back.url.path, dict(back.url.params)) == ("/catalog", {"q": "焊工", "list": "shortage"})
    for path in ("/", "/how", "/sign-in", "/nowhere"):
        assert read(await anybody.client.get(path)).values("class", "html") == ["big"]
    kept = (await anybody.client.get("/how", headers={"If-None-Match": back.headers["etag"]})).status_code
    assert kept == 200
    plain = await anybody.get("/text/plain?next=https://evil.test/")
    assert plain.url.path == "/"
    assert read(plain).values("class", "html") == []
    assert (await anybody.client.get("/text/huge")).status_code == 404


async def test_what_is_explained_is_there_without_signing_in(anybody: Browser) -> None:
    how = read(await anybody.get("/how")).text
    assert "证书日期起 12 个月内" in how
    assert "公示结束起 15 个工作日内" in how
    assert "8 小时后失效" in read(await anybody.get("/privacy")).text
    assert "大字" in read(await anybody.get("/accessibility")).text
