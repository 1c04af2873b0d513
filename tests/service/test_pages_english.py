"""Pages for people who claim and for everybody, in English: all of it, and what is written in Chinese is marked."""

from collections.abc import AsyncIterator

import pytest

from service.pages import rendering
from service.pages.language import english
from tests.english import messages, unsaid
from tests.pages import Browser, at_a_browser, read


@pytest.fixture
async def reader() -> AsyncIterator[Browser]:
    """Somebody who chose English."""
    async with at_a_browser(follow=True) as browser:
        chosen = await browser.get("/accessibility?lang=en")
        assert chosen.url.path == "/accessibility"
        yield browser


def test_every_text_has_its_english_and_no_english_is_left_over() -> None:
    needed = messages()
    assert {text: at for text, at in needed.items() if text not in english()} == {}
    assert english().keys() - needed.keys() == set()


def test_no_template_says_anything_in_chinese_alone() -> None:
    assert unsaid() == []


def test_places_are_the_same_in_both() -> None:
    import re

    place = re.compile(r"%\((\w+)\)s")
    for text, said in english().items():
        assert set(place.findall(text)) == set(place.findall(said)), text


async def test_who_chose_english_reads_it_until_they_choose_otherwise(reader: Browser) -> None:
    assert read(await reader.get("/")).elements[0] == ("html", {"lang": "en"})
    again = await reader.get("/catalog?q=x&lang=zh")
    assert (again.url.path, again.url.query) == ("/catalog", b"q=x")
    assert read(again).elements[0] == ("html", {"lang": "zh-CN"})


async def test_another_language_is_not_there(reader: Browser) -> None:
    assert read(await reader.get("/how?lang=fr")).elements[0] == ("html", {"lang": "en"})


async def test_a_page_that_was_first_read_in_chinese_is_whole_in_english_and_the_other_way_round() -> None:
    """Jinja must not answer once for all what a filter says of a text that stands in a template."""
    for first, then in (("zh", "en"), ("en", "zh")):
        rendering._environment.cache_clear()
        async with at_a_browser(follow=True) as browser:
            for language in (first, then):
                page = read(await browser.get(f"/sign-in?lang={language}"))
                assert page.elements[0][1]["lang"] == ("en" if language == "en" else "zh-CN")
                assert ("中文" in page.text, '<span lang="zh-CN">中文</span>' in page.source) == (
                    language == "en",
                ) * 2
