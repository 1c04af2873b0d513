"""What the audit says of a number that stands in clear does not say the number, and money is none (promise 14)."""

import json
from uuid import uuid4

from sqlalchemy import text

from domain.personal_number import holds_personal_number
from service.audit.queries.in_clear import first_in_clear
from service.database import Tx
from service.journal import By, record
from tests.service.planted_promises import PHONE
from tests.world import World


async def test_a_row_whose_key_is_the_number_is_named_by_its_place(tx: Tx) -> None:
    await tx.execute(
        text("INSERT INTO idempotency_keys (user_id, route, key, body_sha256) VALUES (:user, '-', :key, '')"),
        {"user": uuid4(), "key": f"call {PHONE}"},
    )
    breach = await first_in_clear(tx)
    assert breach is not None
    assert not holds_personal_number(f"{breach}")
    table, place = breach.table, breach.row.removeprefix("ctid ")
    found = await tx.execute(text(f"SELECT key FROM {table} WHERE ctid::text = :place"), {"place": place})
    assert found.scalar_one() == f"call {PHONE}"


async def test_amounts_that_have_the_digits_of_a_phone_are_no_finding(tx: Tx, world: World) -> None:
    """As the journal keeps them, and the text of an answer."""
    told = {"amount_fen": 15_000_000_000, "sum_fen": -13_800_138_000}
    await record(tx, "claim", [uuid4()], "note", By("test", world.now), [told])
    await tx.execute(
        text(
            "INSERT INTO idempotency_keys (user_id, route, key, body_sha256, answer)"
            " VALUES (:user, '-', 'k', '', :answer)"
        ),
        {"user": uuid4(), "answer": json.dumps(told, separators=(",", ":"))},
    )
    assert await first_in_clear(tx) is None
