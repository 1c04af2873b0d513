"""A key has one effect; whoever comes second waits a while, and is answered alike."""

import hashlib
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.errors import Invalid
from service.database import Tx
from service.idempotency import Once


def once(body: bytes = b"1" * 32) -> Once:
    return Once(uuid4(), "POST /api/x", "key", body)


async def test_an_effect_happens_once_and_is_answered_again(tx: Tx) -> None:
    happened: list[str] = []

    async def effect() -> list[str]:
        happened.append("once")
        return happened

    mine = once()
    first, second = await mine(tx, list[str], effect), await mine(tx, list[str], effect)
    assert (first.view, first.replayed) == (["once"], False)
    assert (second.view, second.replayed) == (["once"], True)
    with pytest.raises(Invalid, match=r"idempotency\.other_body"):
        await Once(mine.user_id, mine.route, mine.key, b"2" * 32)(tx, list[str], effect)


async def test_no_number_can_be_tried_against_what_is_kept_of_a_body(tx: Tx) -> None:
    """And a body that was kept in the old way, by a plain hash, is known again."""

    async def effect() -> str:
        return "done"

    mine = once(b'{"id_number": "370102199001011234"}')
    plain = hashlib.sha256(mine.body).digest()
    await mine(tx, str, effect)
    kept = text("SELECT body_sha256 FROM idempotency_keys WHERE user_id = :user")
    assert (await tx.execute(kept, {"user": mine.user_id})).scalar_one() not in (plain, mine.body)
    old = "INSERT INTO idempotency_keys VALUES (:user, :route, 'old', :plain, :done)"
    await tx.execute(text(old), {"user": mine.user_id, "route": mine.route, "plain": plain, "done": '"done"'})
    assert (await Once(mine.user_id, mine.route, "old", mine.body)(tx, str, effect)).replayed
    with pytest.raises(Invalid, match=r"idempotency\.other_body"):
        await Once(mine.user_id, mine.route, "old", b"another")(tx, str, effect)


async def test_nobody_waits_longer_than_five_seconds_for_what_another_holds(tx: Tx) -> None:
    """The limit comes with the key, and ends with the transaction: a connection goes back to the pool without it."""

    async def effect() -> str:
        return str((await tx.execute(text("SHOW lock_timeout"))).scalar_one())

    assert (await once()(tx, str, effect)).view == "5s"
    assert (
        await tx.execute(text("SELECT reset_val FROM pg_settings WHERE name = 'lock_timeout'"))
    ).scalar_one() == "0"
