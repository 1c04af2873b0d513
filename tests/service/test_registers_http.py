"""Registers as a bureau works on them: over HTTP, and by `zhida register`; and in a roster."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from domain.actor import Post
from service import jobs as owed_work
from service.access.commands import hash_password, make_user
from service.app import create_app
from service.cli.registers import register
from service.database import dispose, transaction
from tests.conftest import Databases
from tests.registers import file_of, forget_registers, put_in_force
from tests.rosters import Desk as Clerk
from tests.rosters import line_of, reasons
from tests.service.test_batches_http import desk
from tests.sheets import sheet
from tests.world import Trainee, World

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
async def forgotten(databases: Databases) -> AsyncIterator[None]:
    yield
    await forget_registers(databases.admin_url)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


async def test_over_http_from_the_file_to_a_decision(client: httpx.AsyncClient, committed: World) -> None:
    world = committed
    async with transaction() as tx:
        actors = [await world.user(tx, {post}) for post in (Post.OPERATOR, Post.CATALOG_PUBLISHER)]
        trainee = await world.trainee(tx)
    loader, publisher, mine, reviewer = [
        await desk(client, actor) for actor in (*actors, trainee.actor, world.staff[Post.REVIEWER])
    ]
    kinds = {each["register"]: each for each in (await loader.get("/registers/kinds")).json()["registers"]}
    assert kinds["students"]["headings"] == ["身份证号", "毕业年份"]
    data = file_of({"id_number": trainee.made.id_number, "first": "2025-01-01"})

    async def upload(data: bytes, key: str, kind: str = "text/csv", **told: str) -> httpx.Response:
        about = {"register": "pensioners", "as_of": world.today.isoformat(), "source": "市社保中心来函", **told}
        headers = {**loader.headers, "Idempotency-Key": key, "Content-Type": kind}
        return await client.post("/api/registers", params=about, content=data, headers=headers)

    answer = await upload(data, "one")
    assert answer.status_code == 201, answer.text
    loaded = answer.json()
    assert (loaded["lines"], loaded["confirmed"], loaded["mine"], loaded["name"]) == (
        1,
        False,
        True,
        "领取养老金人员名册",
    )
    again = await upload(data, "one")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (loaded, "true")
    assert (await upload(data, "two")).json()["id"] == loaded["id"]
    bad = await upload(file_of({"id_number": "37010219900101123", "first": "2025-01-01"}), "three")
    assert (bad.status_code, bad.json()["code"]) == (422, "register.lines")
    assert (await upload(b"{}", "four", "application/json")).status_code == 415
    assert (await upload(data, "five", register="jailed")).status_code == 422
    assert trainee.made.id_number not in f"{answer.text}{bad.text}"
    new = _claim(world, trainee)
    before = (await mine.post("/claims/check", new)).json()
    assert before["eligible"]
    at = f"/registers/{loaded['id']}/confirm"
    assert (await loader.post(at, {})).status_code == 403
    assert (await mine.get("/registers")).status_code == 403
    confirmed = await publisher.post(at, {})
    assert (confirmed.status_code, confirmed.json()["asked"]) == (200, True), confirmed.text
    assert (await publisher.post(at, {})).status_code == 409
    after = (await mine.post("/claims/check", new)).json()
    failed = [each["message"] for each in after["outcomes"] if each["outcome"] == "failed"]
    day = f"{world.today.year}年{world.today.month}月{world.today.day}日"
    assert failed == [f"截至{day}的领取养老金人员名册里有本人（自2025年1月1日），培训期间不属于补贴对象。"]
    listed = (await reviewer.get("/registers")).json()["snapshots"]
    assert [(each["id"], each["asked"]) for each in listed] == [(loaded["id"], True)]


def _claim(world: World, trainee: Trainee) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(world.new_claim(trainee))
    return {name: value for name, value in built.items() if value is not None}


async def test_a_roster_is_looked_up_as_a_single_claim_is(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newcomers too, who are nobody here before they are granted something."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)
    world, clerk = committed, Clerk(committed, committed.clerks[0])
    lines = [line_of(world) for _ in range(4)]
    async with transaction() as tx:
        retired = {"id_number": lines[1]["身份证号"], "first": "2025-01-01"}
        await put_in_force(tx, world, "pensioners", retired)
        await put_in_force(tx, world, "deceased", {"id_number": lines[3]["身份证号"], "first": "2025-01-01"})
    page = await clerk.through(sheet(lines))
    assert (page.filed, page.refused) == (2, 2)
    assert sorted(reasons(page).values()) == [[("", "excluded.deceased")], [("", "excluded.pensioners")]]


async def run(login: str, *arguments: str) -> Result:
    """In a thread, since a command starts a loop of its own."""
    await dispose()
    as_person = [*arguments, "--as", login] if login else list(arguments)
    return await asyncio.to_thread(CliRunner().invoke, register, as_person, input=f"{PASSWORD}\n")


async def test_by_the_command_line(committed: World, tmp_path: Path) -> None:
    world, logins = committed, []
    hashed = await hash_password(PASSWORD)
    async with transaction() as tx:
        for post in (Post.OPERATOR, Post.CATALOG_PUBLISHER):
            person_id, made = await world.person(tx)
            logins.append(f"r{made.id_number[-6:]}{post}"[:20])
            await make_user(tx, logins[-1], hashed, person_id, {post})
    loader, publisher = logins
    file = tmp_path / "退休.csv"
    about = ("--as-of", world.today.isoformat(), "--source", "市社保中心来函")
    file.write_bytes(file_of({"id_number": "370102199001011234", "first": "2025-01-01"}, {"id_number": "1"}))
    bad = await run(loader, "load", "pensioners", str(file), *about)
    assert bad.exit_code == 1
    assert "第 3 行 身份证号：" in bad.output
    assert "有 2 行读不出，整份没有装入" in bad.output
    file.write_bytes(file_of({"id_number": world.maker.person().id_number, "first": "2025-01-01"}))
    loaded = await run(loader, "load", "pensioners", str(file), *about)
    assert loaded.exit_code == 0, loaded.output
    assert "1 行（此前没有），待确认" in loaded.output
    snapshot = next(line.split()[-1] for line in loaded.output.splitlines() if line.startswith("编号"))
    confirmed = await run(publisher, "confirm", snapshot)
    assert "核对中" in confirmed.output, confirmed.output
    listed = json.loads((await run("", "list", "--json")).output)["snapshots"]
    assert [(each["id"], each["asked"]) for each in listed] == [(snapshot, True)]
    assert "核对中" in (await run("", "list")).output
    assert "group_hard_to_employ：就业困难人员名册（身份证号、开始日期）" in (await run("", "kinds")).output
