"""The registry's files as an office works on them: over HTTP and by `zhida verification`; and by raw SQL."""

import asyncio
import json
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from domain.actor import Post
from domain.errors import Forbidden
from domain.verification import Question
from service.access.commands import hash_password, make_user
from service.cli.verification import verification
from service.database import Tx, dispose, transaction
from service.gateways.file_store import StoredFileRow, content_of
from service.verification.commands.files import confirm_file
from service.verification.tables import RegistryEntryRow
from tests.races.test_promises_by_sql import _refused
from tests.registry_files import file_of, line_of, load, put_in_force
from tests.service.test_asking import RESTS, a_line
from tests.service.test_batches_http import client, desk
from tests.world import WELDER, World

__all__ = ["client"]
PASSWORD = "a long password"


def made_up(world: World) -> dict[str, str]:
    """A line about somebody whom nobody here knows."""
    made = world.maker.person()
    number = world.maker.certificate("4", world.today.year)
    return line_of(Question(number, made.name, made.id_number, WELDER, "4", world.today))


async def test_over_http_one_loads_and_another_confirms(client: httpx.AsyncClient, committed: World) -> None:
    world = committed
    async with transaction() as tx:
        posts = (Post.OPERATOR, Post.CATALOG_PUBLISHER, Post.AUDITOR)
        actors = [await world.user(tx, {post}) for post in posts]
        trainee = await world.trainee(tx)
    loader, publisher, auditor, mine = [await desk(client, each) for each in (*actors, trainee.actor)]
    line = made_up(world)
    data = file_of(line)

    async def upload(data: bytes, key: str, kind: str = "text/csv", **told: str) -> httpx.Response:
        about = {"as_of": world.today.isoformat(), "source": "省中心来函", **told}
        headers = {**loader.headers, "Idempotency-Key": key, "Content-Type": kind}
        return await client.post("/api/verification/files", params=about, content=data, headers=headers)

    answer = await upload(data, "one")
    assert answer.status_code == 201, answer.text
    loaded = answer.json()
    assert (loaded["entries"], loaded["filed"], loaded["confirmed"], loaded["mine"]) == (1, 0, False, True)
    assert (await upload(data, "two")).json() == loaded
    bad = await upload(file_of({**line, "status": "?"}, {**line, "issued_on": "昨天"}), "three")
    assert bad.status_code == 422
    told = [(each["field"], each["message"][:2]) for each in bad.json()["errors"]]
    assert told == [("line 2.status", "状态"), ("line 3.issued_on", "日期")]
    assert line["id_number"] not in f"{answer.text}{bad.text}"
    assert (await upload(b"{}", "four", "application/json")).status_code == 415
    assert (await upload(data, "five", as_of="2100-01-01")).status_code == 422
    at = f"/verification/files/{loaded['id']}/confirm"
    assert (await loader.post(at, {})).status_code == 403
    confirmed = await publisher.post(at, {})
    assert (confirmed.status_code, confirmed.json()["confirmed"]) == (200, True), confirmed.text
    assert (await publisher.post(at, {})).json()["code"] == "registry_file.confirmed"
    assert (await publisher.post(f"/verification/files/{uuid4()}/confirm", {})).status_code == 404
    assert loaded["id"] in {each["id"] for each in (await auditor.get("/verification/files")).json()["files"]}
    queue = (await auditor.get("/verification/queue")).json()
    assert (queue["standing"], queue["calls_last_hour"]) == ("closed", 0)
    for at in ("queue", "files"):
        assert (await mine.get(f"/verification/{at}")).status_code == 403


async def test_the_file_is_kept_sealed_whole_and_of_its_holders_nothing_is_in_clear(tx: Tx, world: World) -> None:
    line = made_up(world)
    data = file_of(line)
    loaded = await load(tx, world, data)
    digest = bytes.fromhex(loaded.sha256)
    assert await content_of(tx, digest) == data
    sealed = (
        await tx.execute(select(StoredFileRow.content_sealed).where(StoredFileRow.sha256 == digest))
    ).scalar_one()
    row = (await tx.execute(select(RegistryEntryRow).where(RegistryEntryRow.file_id == loaded.id))).mappings().one()
    kept = f"{row}{sealed!r}"
    assert row["certificate_number"] in kept
    for told in (line["holder_name"], line["id_number"]):
        assert told not in kept
        assert told.encode() not in sealed + row["holder_sealed"]


async def test_a_masked_number_finds_nobody(tx: Tx, world: World) -> None:
    line = made_up(world)
    masked = {**line, "id_number": f"{line['id_number'][:6]}********{line['id_number'][-4:]}"}
    loaded = await load(tx, world, file_of(line, masked))
    asked = select(RegistryEntryRow.holder_index).where(RegistryEntryRow.file_id == loaded.id)
    found = list((await tx.execute(asked.order_by(RegistryEntryRow.line))).scalars())
    assert (found[0] is not None, found[1]) == (True, None)


async def test_one_person_with_two_posts_confirms_nothing_of_their_own(tx: Tx, world: World) -> None:
    both = await world.user(tx, {Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER})
    loaded = await load(tx, world, file_of(made_up(world)), both)
    with pytest.raises(Forbidden, match=r"register\.same_person"):
        await confirm_file(tx, both, loaded.id, world.now)


async def test_by_sql_files_are_written_once_and_confirmed_whole(tx: Tx, world: World) -> None:
    loaded = await load(tx, world, file_of(made_up(world), made_up(world)))
    other = await load(tx, world, file_of(made_up(world)))
    await put_in_force(tx, world, made_up(world))
    more = """INSERT INTO registry_entries (id, file_id, line, certificate_number, holder_sealed, revoked)
              SELECT gen_random_uuid(), file_id, 99, 'X', holder_sealed, false FROM registry_entries
               WHERE file_id = :id LIMIT 1"""
    alone = """INSERT INTO registry_file_confirmations (file_id, loader_id, person_id, confirmed_by, confirmed_at)
               SELECT id, loader_id, loader_id, loaded_by, now() FROM registry_files WHERE id = :id"""
    for attack, state in (
        (more, "ZD160"),
        (alone, "23514"),
        ("UPDATE registry_entries SET revoked = false WHERE file_id = :id", "42501"),
        ("DELETE FROM registry_entries WHERE file_id = :id", "42501"),
        ("UPDATE registry_files SET as_of = now() WHERE id = :id", "42501"),
        ("DELETE FROM registry_files WHERE id = :id", "42501"),
        ("DELETE FROM registry_file_confirmations", "42501"),
    ):
        assert await _refused(tx, attack, id=loaded.id) == state, attack
    assert await _whole(tx, other.id) == 1


async def test_by_sql_a_file_that_lacks_lines_is_confirmed_by_nobody(tx: Tx, world: World) -> None:
    other = await world.user(tx, {Post.CATALOG_PUBLISHER})
    loaded = await load(tx, world, file_of(made_up(world)))
    short = """
        WITH copied AS (
            INSERT INTO stored_files (id, sha256, size, content_sealed, stored_at)
            SELECT gen_random_uuid(), sha256(sha256), size, content_sealed, now() FROM stored_files s
             WHERE s.sha256 = (SELECT sha256 FROM registry_files WHERE id = :id) RETURNING sha256)
        INSERT INTO registry_files SELECT :new, copied.sha256, as_of, source, 7, loader_id, loaded_by, loaded_at
          FROM registry_files, copied WHERE id = :id"""
    new = uuid4()
    await tx.execute(text(short), {"id": loaded.id, "new": new})
    confirmed = """INSERT INTO registry_file_confirmations (file_id, loader_id, person_id, confirmed_by, confirmed_at)
                   SELECT id, loader_id, :person, :user, now() FROM registry_files WHERE id = :id"""
    assert await _refused(tx, confirmed, id=new, person=other.person_id, user=other.user_id) == "ZD161"


async def _whole(tx: Tx, file_id: UUID) -> int:
    counted = text("SELECT count(*) FROM registry_entries WHERE file_id = :id")
    return (await tx.execute(counted, {"id": file_id})).scalar_one()


async def run(login: str, *arguments: str) -> Result:
    """In a thread, since a command starts a loop of its own."""
    await dispose()
    as_person = [*arguments, "--as", login] if login else list(arguments)
    return await asyncio.to_thread(CliRunner().invoke, verification, as_person, input=f"{PASSWORD}\n")


async def test_by_the_command_line(committed: World, tmp_path: Path) -> None:
    world, logins = committed, []
    hashed = await hash_password(PASSWORD)
    async with transaction() as tx:
        for post in (Post.OPERATOR, Post.CATALOG_PUBLISHER):
            person_id, made = await world.person(tx)
            logins.append(f"v{made.id_number[-6:]}{post}"[:20])
            await make_user(tx, logins[-1], hashed, person_id, {post})
    loader, publisher = logins
    file = tmp_path / "证书.csv"
    about = ("--as-of", world.today.isoformat(), "--source", "省中心来函")
    file.write_bytes(file_of({**made_up(world), "status": "?"}, {**made_up(world), "holder_name": ""}))
    bad = await run(loader, "load", str(file), *about)
    assert bad.exit_code == 1
    assert "第 2 行 状态：状态应是其中之一" in bad.output
    assert "第 3 行 姓名：" in bad.output
    file.write_bytes(file_of(made_up(world)))
    loaded = await run(loader, "load", str(file), *about)
    assert loaded.exit_code == 0, loaded.output
    assert "1 行，待确认" in loaded.output
    file_id = next(line.split()[-1] for line in loaded.output.splitlines() if line.startswith("编号"))
    confirmed = await run(publisher, "confirm", file_id)
    assert "1 行，已确认" in confirmed.output, confirmed.output
    assert "已确认" in (await run("", "files")).output
    assert "登记库：照常在问" in (await run("", "queue")).output
    assert json.loads((await run("", "queue", "--json")).output)["dead"] >= 0
    why = ("ask", "--reason", "登记库来电话说已恢复")
    async with a_line(RESTS):
        assert "登记库：停问，到 " in (await run("", "queue")).output
        refused = await run(publisher, *why)
        assert (refused.exit_code, "运维" in refused.output) == (1, True)
        asked = await run(loader, *why)
        assert asked.exit_code == 0, asked.output
        assert "已去问：先试问一次，看它通不通" in asked.output
        assert "登记库：先试问一次" in (await run("", "queue")).output
