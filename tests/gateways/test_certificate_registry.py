"""The registry's client against a registry that listens, misbehaves, dies and comes back."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.errors import Unavailable
from domain.verification import RegistryEntry
from service.clock import now
from service.gateways.asking import Line, NoAnswer, new_client
from service.gateways.certificate_registry import HttpRegistry
from tests.gateways.raw_server import answer, saying
from tests.gateways.stand_in import TOKEN, StandIn, bearer

ZHANG = {
    "number": "S000037000001250300001",
    "holder_name": "张梅",
    "id_number": "11010519491231002X",
    "occupation_code": "6-18-01-01",
    "level": "3",
    "issued_on": "2025-03-01",
}
LI = {**ZHANG, "number": "S000037000001250300002", "holder_name": "李雷"}
BARE = {"number": "S000037000001250300003", "holder_name": "韩梅梅"}
A, B, C, ABSENT = ZHANG["number"], LI["number"], BARE["number"], "S000037000001250300009"
ENTRY_A = RegistryEntry(A, "张梅", "11010519491231002X", "6-18-01-01", "3", date(2025, 3, 1))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn("registry", tmp_path_factory.mktemp("registry")) as registry:
        registry.tell("certificates", [ZHANG, LI, BARE])
        yield registry


@pytest.fixture
def stand_in(running: StandIn) -> StandIn:
    running.behave(mode="well")
    return running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with new_client() as client:
        yield client


async def why_unavailable(registry: HttpRegistry, *numbers: str) -> dict[str, Any]:
    with pytest.raises(Unavailable) as refusal:
        await registry.look_up(numbers or [A])
    assert refusal.value.code == "registry.unavailable"
    return refusal.value.facts


async def test_a_set_is_answered_whole(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    before = now()
    reply = await HttpRegistry(stand_in.url, TOKEN, client).look_up([A, B, C, ABSENT, A])
    assert reply.entries[A] == [ENTRY_A]
    assert reply.entries[C] == [RegistryEntry(C, "韩梅梅")]  # silent about the rest
    assert reply.entries[ABSENT] == []
    assert set(reply.entries) == {A, B, C, ABSENT}
    assert (reply.unanswered, reply.ignored, reply.source) == (frozenset(), 0, stand_in.url)
    assert before <= reply.received_at <= now()
    assert len(json.loads(reply.raw)["rows"]) == 4
    assert "张梅" not in repr(reply)


async def test_two_hundred_at_once_and_no_more(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    registry = HttpRegistry(stand_in.url, TOKEN, client)
    numbers = [f"S0000370000012512{n:05d}" for n in range(201)]
    reply = await registry.look_up(numbers[:200])
    assert reply.entries == {number: [] for number in numbers[:200]}
    with pytest.raises(ValueError, match="200"):
        await registry.look_up(numbers)


async def test_a_wrong_token_is_no_answer(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    assert await why_unavailable(HttpRegistry(stand_in.url, "guess", client)) == {"reason": "status", "status": 401}


async def test_revoked_and_known_after_kill_9(tmp_path: Path, client: httpx.AsyncClient) -> None:
    with StandIn("registry", tmp_path) as registry:
        registry.tell("certificates", [ZHANG, LI])
        registry.tell("revoke", {"number": B})
        registry.tell("certificates", [ZHANG, LI])  # told again, still revoked
        registry.behave(mode="wrong")
        registry.kill()
        gone = HttpRegistry(registry.url, TOKEN, client)
        assert await why_unavailable(gone) == {"reason": "connect"}
        registry.start()
        reply = await HttpRegistry(registry.url, TOKEN, client).look_up([A, B])
        assert reply.entries[A][0].holder_name == "路人甲"  # the behaviour survived too
        assert reply.entries[B][0].revoked
        assert reply.entries[B][0].revoked_on is not None
        assert not reply.entries[A][0].revoked
        assert registry.see("calls") == {"lookups": 1, "numbers": 2}
        assert registry.stop() == 0


async def test_thousands_are_learnt_at_once(tmp_path: Path, client: httpx.AsyncClient) -> None:
    with StandIn("registry", tmp_path) as registry:
        many = [{**ZHANG, "number": f"S0000370000012503{n:05d}"} for n in range(5000)]
        assert registry.tell("certificates", many) == {"known": 5000}
        reply = await HttpRegistry(registry.url, TOKEN, client).look_up([row["number"] for row in many[-200:]])
        assert all(len(entries) == 1 for entries in reply.entries.values())


async def test_down_then_well(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    stand_in.behave(mode="down", until_calls=2)
    registry = HttpRegistry(stand_in.url, TOKEN, client)
    reasons = {(await why_unavailable(registry))["reason"] for _ in range(2)}
    assert reasons == {"status", "broken"}  # it answers 503 and hangs up in turn
    assert (await registry.look_up([A])).entries[A] == [ENTRY_A]


async def test_slow_is_waited_for_but_not_for_ever(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    stand_in.behave(mode="slow", delay_ms=300)
    registry = HttpRegistry(stand_in.url, TOKEN, client)
    begun = time.monotonic()
    assert (await registry.look_up([A])).entries[A] == [ENTRY_A]
    assert time.monotonic() - begun >= 0.3
    hasty = Line(client, stand_in.url, TOKEN, read_seconds=0.1)
    with pytest.raises(NoAnswer, match="timeout"):
        await hasty.ask("POST", "/lookup", b'{"numbers": []}')


async def test_a_trickle_ends_with_the_whole_time(client: httpx.AsyncClient) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(NoAnswer, match="timeout"):
            await Line(client, url, TOKEN, whole_seconds=0.4).ask("GET", "/")


async def test_wrong_and_duplicate(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    registry = HttpRegistry(stand_in.url, TOKEN, client)
    stand_in.behave(mode="wrong")
    assert (await registry.look_up([A])).entries[A][0].holder_name == "路人甲"
    stand_in.behave(mode="duplicate")
    assert (await registry.look_up([A, ABSENT])).entries == {A: [ENTRY_A, ENTRY_A], ABSENT: []}


async def test_half_a_reply_is_none(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    stand_in.behave(mode="half")
    assert await why_unavailable(HttpRegistry(stand_in.url, TOKEN, client)) == {"reason": "malformed"}


async def test_late_answers_some_now_and_the_others_later(stand_in: StandIn, client: httpx.AsyncClient) -> None:
    stand_in.behave(mode="late")
    registry = HttpRegistry(stand_in.url, TOKEN, client)
    assert (await why_unavailable(registry, A))["reason"] == "status"
    reply = await registry.look_up([A, B])
    assert (set(reply.entries), reply.unanswered) == ({A}, {B})
    assert (await registry.look_up([B])).unanswered == frozenset()


ROW_A = {"number": A, "status": "found", "entries": [{"holder_name": "张梅", "level": "3"}]}


def rows(*given: object) -> bytes:
    return answer(json.dumps({"rows": given}).encode())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(b""), "malformed"),
        (answer(b"<html>maintenance</html>"), "malformed"),
        (answer(b"[]"), "malformed"),
        (answer(b'{"rows": {}}'), "malformed"),
        (answer(b'{"rows": [], '), "malformed"),
        (answer(b'{"rows": "\xff"}'), "malformed"),
        (answer(b'{"rows": ' + b"[" * 200_000), "malformed"),
        (answer(b'{"rows": [' + b"[" * 200_000 + b"]" * 200_000 + b"]}"), "malformed"),
        (rows(), "no_row"),
        (rows({**ROW_A, "number": B}), "no_row"),
        (rows({**ROW_A, "status": "FOUND"}), "no_row"),
        (rows({**ROW_A, "entries": []}), "no_row"),
        (rows({"number": A, "status": "absent", "entries": [{"holder_name": "张梅"}]}), "no_row"),
        (rows({**ROW_A, "entries": [{"issued_on": "2025-02-30"}]}), "no_row"),
        (rows({**ROW_A, "entries": [{"level": 3}]}), "no_row"),
        (rows(ROW_A, {"number": A, "status": "absent"}), "no_row"),
        (answer(b" " * (2 * 1024 * 1024 + 1)), "too_large"),
        (answer(b"x", headers=["Content-Encoding: gzip"]), "malformed"),
        (answer(b"", 302, ["Location: http://127.0.0.1:1/"]), "status"),
        (answer(b"", 500), "status"),
        (answer(b'{"rows": []}')[:-5], "broken"),
        (b"not HTTP at all\r\n\r\n", "broken"),
        (b"", "broken"),
    ],
)
async def test_what_cannot_be_used_is_unavailable(client: httpx.AsyncClient, said: bytes, reason: str) -> None:
    async with saying(said) as url:
        assert (await why_unavailable(HttpRegistry(url, TOKEN, client)))["reason"] == reason


async def test_bad_rows_and_strays_do_not_spoil_the_others(client: httpx.AsyncClient) -> None:
    said = rows(
        ROW_A,
        {**ROW_A, "number": "STRAY"},
        {**ROW_A, "number": B, "entries": [{"holder_name": 7}]},
        {"number": C, "status": "revoked", "unheard_of": 1},
        "nonsense",
        ROW_A,
    )
    async with saying(said) as url:
        reply = await HttpRegistry(url, TOKEN, client).look_up([A, B, C, ABSENT])
    entry = RegistryEntry(A, "张梅", level="3")
    assert reply.entries == {A: [entry, entry], C: [RegistryEntry(C, revoked=True)]}
    assert (reply.unanswered, reply.ignored) == ({B, ABSENT}, 3)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/lookup", b"{", 400),
        ("POST", "/lookup", b"[" * 200_000, 400),
        ("POST", "/lookup", b'{"numbers": "S"}', 400),
        ("POST", "/lookup", b'{"numbers": [1]}', 400),
        ("POST", "/control/certificates", b'[{"holder_name": "x"}]', 400),
        ("POST", "/control/revoke", b'{"number": "nobody"}', 404),
        ("POST", "/control/behaviour", b'{"mode": "strange"}', 400),
        ("POST", "/control/behaviour", b'{"mode": "slow", "delay_ms": "1"}', 400),
        ("GET", "/elsewhere", b"", 404),
    ],
)
def test_the_stand_in_refuses_nonsense(stand_in: StandIn, method: str, path: str, body: bytes, status: int) -> None:
    answered = httpx.request(method, stand_in.url + path, content=body, headers=bearer())
    assert (answered.status_code, answered.headers["X-Zhida-Sample"]) == (status, "1")


@pytest.mark.parametrize("path", ["/lookup", "/control/certificates", "/control/behaviour"])
@pytest.mark.parametrize("token", [None, "", "Bearer", "Bearer guess", "Bearer 直达".encode()])
def test_the_stand_in_asks_for_its_token(stand_in: StandIn, path: str, token: str | bytes | None) -> None:
    headers = {} if token is None else {"Authorization": token}
    answered = httpx.post(stand_in.url + path, content=b"{}", headers=headers)
    assert (answered.status_code, answered.headers["X-Zhida-Sample"]) == (401, "1")
    assert httpx.get(f"{stand_in.url}/health").status_code == 200
