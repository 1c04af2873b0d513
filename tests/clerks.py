"""Clerks at their browsers: a window for one, and where a form that was taken leads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.actor import Actor
from service.database import transaction
from service.security import open_session
from tests.pages import Browser, at_a_browser, read
from tests.world import World

#: What a browser must never take for its own.
MARKUP = '<script>x("1")</script>'


@asynccontextmanager
async def window(actor: Actor) -> AsyncIterator[Browser]:
    async with transaction() as tx:
        token = (await open_session(tx, actor)).token
    async with at_a_browser(token) as browser:
        yield browser


@pytest.fixture
async def clerk(committed: World) -> AsyncIterator[Browser]:
    async with window(committed.clerks[0]) as browser:
        yield browser


def led_to(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where a form that was taken leads, and what the address says."""
    assert answer.status_code == 303, read(answer).text
    to = urlsplit(answer.headers["location"])
    return to.path, {name: values[0] for name, values in parse_qs(to.query).items()}


def day(field: str, on: date) -> dict[str, str]:
    return {f"{field}_y": f"{on.year}", f"{field}_m": f"{on.month}", f"{field}_d": f"{on.day}"}
