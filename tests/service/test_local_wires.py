"""Wires carry what is said unless a token lies there; then the answer to the worst question is lost, no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from service.local.ports import free_port
from service.local.wires import Wire, left, put
from tests.conftest import Databases


@pytest.fixture
async def carried(databases: Databases, tmp_path: Path) -> AsyncIterator[str]:
    """The database's address, over a wire whose tokens lie in `tmp_path`."""
    target = databases.app_url.rpartition("@")[2].partition("/")[0].rpartition(":")[2]
    port, wire = free_port(), Wire(tmp_path, "database", int(target))
    server = await asyncio.start_server(wire.connect, "127.0.0.1", port)
    yield databases.admin_url.replace(f":{target}/", f":{port}/")
    server.close()


async def kept(databases: Databases) -> list[int]:
    line = await asyncpg.connect(databases.admin_url)
    try:
        return [row[0] for row in await line.fetch("SELECT number FROM wires_test ORDER BY number")]
    finally:
        await line.close()


async def write(url: str, number: int) -> None:
    line = await asyncpg.connect(url)
    async with line.transaction():
        await line.execute(f"INSERT INTO wires_test VALUES ({number})")
    await line.close()


async def test_a_commit_whose_answer_is_lost_was_made(databases: Databases, carried: str, tmp_path: Path) -> None:
    line = await asyncpg.connect(databases.admin_url)
    await line.execute("CREATE TABLE wires_test (number integer)")
    try:
        await write(carried, 1)
        put(tmp_path, "database", 2, "here")
        for number in (2, 3):
            with pytest.raises((OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
                await write(carried, number)
        assert left(tmp_path, "database") == 0
        await write(carried, 4)
        assert await kept(databases) == [1, 2, 3, 4]
    finally:
        await line.execute("DROP TABLE wires_test")
        await line.close()


async def test_a_file_that_the_bank_took_is_not_heard_of(tmp_path: Path) -> None:
    taken: list[bytes] = []

    async def bank(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append((await reader.readline()).strip())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def ask(first: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first + b" HTTP/1.1\r\n\r\n")
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    behind, port = await asyncio.start_server(bank, "127.0.0.1", 0), free_port()
    wire = Wire(tmp_path, "bank", behind.sockets[0].getsockname()[1])
    front = await asyncio.start_server(wire.connect, "127.0.0.1", port)
    put(tmp_path, "bank", 1, "here")
    said = [
        await ask(first)
        for first in (b"GET /files/F1", b"POST /files/F1/close", b"POST /files/F1", b"POST /files/F2")
    ]
    assert [bool(each) for each in said] == [True, True, False, True]
    assert taken[2] == b"POST /files/F1 HTTP/1.1"
    for each in (front, behind):
        each.close()


async def test_a_wire_to_nowhere_hangs_up(tmp_path: Path) -> None:
    port, wire = free_port(), Wire(tmp_path, "bank", free_port())
    front = await asyncio.start_server(wire.connect, "127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):  # as well
        assert await reader.read() == b""
    writer.close()
    front.close()
