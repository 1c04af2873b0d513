"""What the audit says of a number that stands in clear does not say the number (promise 14)."""

from uuid import uuid4

from sqlalchemy import text

from domain.personal_number import holds_personal_number
from service.audit.queries.in_clear import first_in_clear
from service.database import Tx
from tests.service.planted_promises import PHONE


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
