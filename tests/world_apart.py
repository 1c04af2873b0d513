"""The stage of tests in a database of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service import database
from service.settings import settings
from tests.conftest import Databases
from tests.service.season import fresh_database
from tests.world import World


@asynccontextmanager
async def world_apart(databases: Databases, suffix: str) -> AsyncIterator[World]:
    """The stage, committed in a database of its own: what is published or corrected there is no other test's."""
    async with fresh_database(databases.admin_url, suffix) as name:
        with pytest.MonkeyPatch.context() as patch:
            await database.dispose()
            patch.setenv("ZHIDA_DATABASE_URL", f"{databases.app_url.rpartition('/')[0]}/{name}")
            settings.cache_clear()
            async with database.transaction() as tx:
                world = await World.build(tx)
            yield world
            await database.dispose()
        settings.cache_clear()
