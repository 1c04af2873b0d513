"""Everybody at a browser of their own, and the forms of what finance does."""

import re
from contextlib import AsyncExitStack
from typing import Any

import httpx

from domain.actor import Actor, Post
from service.database import transaction
from service.security import open_session
from tests.pages import Browser, at_a_browser
from tests.payments import Stage


class Desk:
    """For as long as a test runs."""

    def __init__(self, open_ones: AsyncExitStack) -> None:
        self._open_ones = open_ones

    async def of(self, actor: Actor) -> Browser:
        async with transaction() as tx:
            token = (await open_session(tx, actor)).token
        return await self._open_ones.enter_async_context(at_a_browser(token))

    async def staff(self, stage: Stage) -> tuple[Browser, Browser, Browser]:
        """Maker, checker and releaser."""
        maker, checker, releaser = [
            await self.of(stage.staff[post]) for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)
        ]
        return maker, checker, releaser


async def do(who: Browser, act: str, subject: Any, files: Any = None, **fields: str) -> httpx.Response:
    """The form of an act, and its answer."""
    address = f"/finance/acts/{act}/{subject}"
    page = await who.get(address)
    assert page.status_code == 200, page.text
    return await who.send(page, address, files, **fields)


def told(answer: httpx.Response) -> str:
    assert answer.status_code == 303, re.sub(r"<[^>]+>", " ", answer.text)
    return answer.headers["location"].partition("?told=")[2]


def a_document(content: bytes = b"stamped") -> dict[str, tuple[str, bytes, str]]:
    return {"evidence": ("证明.pdf", content, "application/pdf")}
