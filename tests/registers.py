"""Registers for tests: a file of made-up lines, loaded by one person and confirmed by another."""

from datetime import date, timedelta
from io import BytesIO
from itertools import count
from typing import Any

import asyncpg

from domain.actor import Actor, Post
from service.database import Tx
from service.gateways.register_files import FORM
from service.registers.commands import confirm_register, load_register
from service.registers.schemas import NewSnapshot, SnapshotView
from tests.world import World

_numbers = count(1)


def file_of(*lines: dict[str, str], encoding: str = "utf-8") -> bytes:
    """A CSV with the columns that its lines name, and one that nobody asks for: no two files are the same."""
    cells = [cell for cell in FORM.by_field if any(cell in line for line in lines)]
    rows = [[FORM.by_field[cell].heading for cell in cells] + ["姓名"]]
    rows += [[line.get(cell, "") for cell in cells] + [f"示例{next(_numbers)}"] for line in lines]
    return "\n".join(",".join(row) for row in rows).encode(encoding)


async def loader(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.OPERATOR})


async def load(
    tx: Tx, world: World, register: str, data: bytes, me: Actor | None = None, **about: Any
) -> SnapshotView:
    """Loaded, and not confirmed yet."""
    told = {"as_of": world.today.isoformat(), "source": "示例来源", **about}
    name = told.pop("filename", "register.csv")
    me = me or await loader(tx, world)
    return await load_register(tx, me, NewSnapshot(register, **told), BytesIO(data), name, world.today, world.now)


async def put_in_force(
    tx: Tx, world: World, register: str, *lines: dict[str, str], as_of: date | None = None, **about: Any
) -> SnapshotView:
    """Loaded and confirmed: who is in it are these lines, and somebody else whom nobody asks about."""
    stranger = {"id_number": world.maker.person().id_number, **_beside(register, world)}
    day = (as_of or world.today).isoformat()
    loaded = await load(tx, world, register, file_of(*lines, stranger), as_of=day, **about)
    publisher = await world.user(tx, {Post.CATALOG_PUBLISHER})
    return await confirm_register(tx, publisher, loaded.id, world.today, world.now)


def _beside(register: str, world: World) -> dict[str, str]:
    """What a line of this register cannot do without."""
    day = (world.today - timedelta(days=400)).isoformat()
    beside = {
        "public_payroll": {},
        "students": {"graduates": str(world.today.year + 1)},
        "sister_payments": {"first": day, "occupation": "6-18-02-04", "level": "四级"},
    }
    return beside.get(register, {"first": day})


async def forget_registers(admin_url: str) -> None:
    """As if none had ever been loaded: what a test committed would be asked by every later one in this process."""
    connection = await asyncpg.connect(admin_url)
    await connection.execute("""
        SET session_replication_role = replica;
        TRUNCATE register_snapshots, register_confirmations, register_entries, batch_register_checks;
        DELETE FROM journal WHERE subject_kind IN ('register', 'batch_register_check');
    """)
    await connection.close()
