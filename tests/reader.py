"""Somebody who reads English pages, and what is stored of what they do there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from sqlalchemy import text

from domain.actor import Actor
from service.database import Tx, transaction
from service.pages.language import COOKIE, english
from service.security import open_session
from service.wording import wording
from tests.pages import Browser, at_a_browser, read


class Reader(Browser):
    """Somebody who chose English, and reads whatever they are answered."""

    async def send(
        self, page: httpx.Response, action: str, files: dict[str, tuple[str, bytes, str]] | None = None, **fields: str
    ) -> httpx.Response:
        return in_english(await super().send(page, action, files, **fields))

    async def get(self, path: str) -> httpx.Response:
        return in_english(await super().get(path))

    async def fill(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """The one form of a page."""
        found = re.search(r'<form method="post"(?: id="form")? action="(/(?:me|sign-in)[^"]*)"', page.text)
        assert found is not None
        return await self.send(page, found[1], **fields)


def in_english(answer: httpx.Response) -> httpx.Response:
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert read(answer).elements[0][1]["lang"] == "en", answer.url
    return answer


@asynccontextmanager
async def reading(me: Actor | None = None) -> AsyncIterator[Reader]:
    token = ""
    if me is not None:
        async with transaction() as tx:
            token = (await open_session(tx, me)).token
    async with at_a_browser(token, follow=True) as browser:
        browser.client.cookies.set(COOKIE, "en", domain="zhida.test")
        yield Reader(browser.client)


async def kept_of(tx: Tx, claim_id: UUID | str) -> str:
    """All that is stored in words of a claim: its row, journal and messages, and what its forms were answered."""
    rows = await tx.execute(
        text("""
            SELECT to_jsonb(c)::text FROM claims c WHERE id = :id
            UNION ALL SELECT to_jsonb(j)::text FROM journal j WHERE subject_id = :id
            UNION ALL SELECT to_jsonb(m)::text FROM messages m WHERE claim_id = :id
            UNION ALL SELECT to_jsonb(k)::text FROM clawback_appeals k
                        JOIN clawbacks b ON b.id = k.clawback_id WHERE b.claim_id = :id
            UNION ALL SELECT answer FROM idempotency_keys k JOIN users u ON u.id = k.user_id
                        JOIN claims c ON c.person_id = u.person_id WHERE c.id = :id AND answer IS NOT NULL
        """),
        {"id": claim_id},
    )
    return "\n".join(rows.scalars())


def english_in(kept: str) -> list[str]:
    """Sentences of ours that stand there in English."""
    ours = {*english().values(), *(said["en"] for said in wording().values())}
    return [each for each in ours if " " in each.strip() and each in kept]
