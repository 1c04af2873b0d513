"""What the audit says of a number that stands in clear does not say the number, and money is none (promise 14)."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from domain.personal_number import holds_personal_number, personal_number
from service import clock
from service.audit.queries.in_clear import first_in_clear
from service.claims.schemas import NewInvoice
from service.database import Tx, async_url
from service.journal import By, record
from tests.conftest import Databases
from tests.service.planted_promises import PHONE
from tests.service.season import fresh_database
from tests.world import World


@pytest.fixture
async def clean(databases: Databases) -> AsyncIterator[Tx]:
    """A database into which no other test has written."""
    async with fresh_database(databases.admin_url, "clean") as name:
        engine = create_async_engine(async_url(f"{databases.app_url.rpartition('/')[0]}/{name}"))
        async with engine.begin() as tx:
            yield tx
        await engine.dispose()


async def test_a_row_whose_key_is_the_number_is_named_by_its_place(clean: Tx) -> None:
    await clean.execute(
        text("INSERT INTO idempotency_keys (user_id, route, key, body_sha256) VALUES (:user, '-', :key, '')"),
        {"user": uuid4(), "key": f"call {PHONE}"},
    )
    breach = await first_in_clear(clean)
    assert breach is not None
    assert not holds_personal_number(f"{breach}")
    table, place = breach.table, breach.row.removeprefix("ctid ")
    found = await clean.execute(text(f"SELECT key FROM {table} WHERE ctid::text = :place"), {"place": place})
    assert found.scalar_one() == f"call {PHONE}"


async def test_amounts_that_have_the_digits_of_a_phone_are_no_finding(clean: Tx) -> None:
    """As the journal keeps them, and the text of an answer."""
    told = {"amount_fen": 15_000_000_000, "sum_fen": -13_800_138_000}
    await record(clean, "claim", [uuid4()], "note", By("test", clock.now()), [told])
    await clean.execute(
        text(
            "INSERT INTO idempotency_keys (user_id, route, key, body_sha256, answer)"
            " VALUES (:user, '-', 'k', '', :answer)"
        ),
        {"user": uuid4(), "answer": json.dumps(told, separators=(",", ":"))},
    )
    assert await first_in_clear(clean) is None


async def test_an_invoice_that_has_the_digits_of_a_card_is_no_finding(clean: Tx) -> None:
    number = next(each for n in range(100) if personal_number(each := f"3700191130{n:08}") == "card")
    world = await World.build(clean)
    trainee = await world.trainee(clean)
    await world.claim(clean, trainee=trainee, invoice=NewInvoice(number, 98_050, trainee.made.name))
    assert await first_in_clear(clean) is None
