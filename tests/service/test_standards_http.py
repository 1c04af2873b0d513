"""Standards as a bureau works on them: over HTTP, and by `zhida standards`."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from domain.actor import Post
from service.access.commands import hash_password, make_user
from service.cli.standards import standards
from service.database import dispose, transaction
from service.standards.queries import publication
from tests.app import the_app
from tests.service.test_batches_http import Desk, desk
from tests.standards import Bureaus, flat
from tests.world import WELDER, World

#: Long after every other test's days: what is published here stays in this process's database.
YEAR, PASSWORD = 2095, "a long password"
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


@pytest.fixture
async def bureaus(committed: World) -> Bureaus:
    async with transaction() as tx:
        return await Bureaus.of(tx, committed)


async def desks(client: httpx.AsyncClient, bureaus: Bureaus) -> list[Desk]:
    return [await desk(client, actor) for actor in (bureaus.editor, bureaus.hr, bureaus.finance)]


def proposal(**changed: Any) -> dict[str, Any]:
    days = {"from": f"{YEAR}-01-01", "to": f"{YEAR}-01-31"}
    return {"year": YEAR, "source": "示例文件", "reason": "提前", "formula": flat(80_000), **days, **changed}


async def test_from_proposal_to_lookup(client: httpx.AsyncClient, bureaus: Bureaus) -> None:
    editor, hr, finance = await desks(client, bureaus)
    answer = await editor.post("/standards/sets", proposal(), key="p")
    assert answer.status_code == 201, answer.text
    proposed = answer.json()
    again = await editor.post("/standards/sets", proposal(), key="p")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (proposed, "true")
    place = f"/standards/sets/{proposed['id']}"
    shown = (await hr.get(place)).json()
    assert (len(shown["rows"]), shown["formula"]) == (500, flat(80_000))
    assert (await hr.get(f"{place}?after={shown['next']}")).json()["rows"][0] not in shown["rows"]
    early = await editor.post(f"{place}/publish", {})
    assert (early.status_code, early.json()["code"]) == (409, "wrong_status")
    for who in (hr, finance):
        signed = await who.post(f"{place}/sign", {"content_hash": shown["content_hash"]})
        assert signed.status_code == 200, signed.text
    published = (await editor.post(f"{place}/publish", {})).json()
    assert (published["status"], published["status_name"]) == ("published", "已发布")
    query = f"code={WELDER}&level=4"
    found = (await client.get(f"/api/standards/lookup?{query}&on={YEAR}-01-15")).json()
    assert (found["amount_fen"], found["standard_set"]["id"], found["reason"]) == (80_000, proposed["id"], None)
    assert [step["term"] for step in found["steps"]] == ["base", "whole", "amount"]
    none = (await client.get("/api/standards/lookup?name=没有&level=4")).json()
    assert (none["amount_fen"], none["reason"]["code"]) == (None, "lookup.not_in_catalog")
    listed = (await finance.get("/standards/sets")).json()["sets"]
    assert proposed["id"] in {each["id"] for each in listed}
    assert (await editor.get(f"{place}/affected")).json() == {"claims": [], "next": None}
    dropped = await editor.post(f"{place}/drop", {})
    assert (dropped.status_code, dropped.json()["code"]) == (409, "wrong_status")


async def test_what_is_refused_is_told_with_its_place(client: httpx.AsyncClient, bureaus: Bureaus) -> None:
    editor, hr, _ = await desks(client, bureaus)
    formula = flat(80_000, group={"六类": 120})
    answer = await editor.post("/standards/sets", proposal(formula=formula))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "terms.group.values.六类")
    assert (await hr.post("/standards/sets", proposal())).status_code == 403
    for way in ("sign", "publish", "drop"):
        body = {"content_hash": "0" * 64} if way == "sign" else {}
        answer = await (hr if way == "sign" else editor).post(f"/standards/sets/{NOWHERE}/{way}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "standards.not_found")
    for path in ("", "/affected"):
        assert (await editor.get(f"/standards/sets/{NOWHERE}{path}")).status_code == 404
    answer = await client.get(f"/api/standards/lookup?code={WELDER}&level=九级")
    assert (answer.status_code, answer.json()["code"]) == (422, "level.unknown")


# ---- by the command line


async def run(*arguments: str, typed: str = "") -> Result:
    """In a thread, since a command starts a loop of its own."""
    await dispose()
    return await asyncio.to_thread(CliRunner().invoke, standards, list(arguments), input=typed)


@pytest.fixture
async def logins(committed: World) -> dict[Post, str]:
    found = {}
    password_hash = await hash_password(PASSWORD)
    async with transaction() as tx:
        for post in (Post.STANDARD_EDITOR, Post.HR_SIGNER, Post.FINANCE_SIGNER):
            person_id, made = await committed.person(tx)
            found[post] = f"{post.value.replace('_', '-')}-{made.id_number[-6:].lower()}"
            await make_user(tx, found[post], password_hash, person_id, {post})
    return found


async def test_by_the_command_line(logins: dict[Post, str], tmp_path: Path) -> None:
    file, typed = tmp_path / "formula.json", f"{PASSWORD}\n"
    told = {"source": "示例文件", "from": f"{YEAR}-03-01", "to": f"{YEAR}-03-31", "formula": flat(70_000)}
    file.write_text(json.dumps(told), "utf-8")
    as_editor = ("--as", logins[Post.STANDARD_EDITOR])
    made = await run("propose", str(file), "--year", str(YEAR), "--reason", "提前", *as_editor, typed=typed)
    assert made.exit_code == 0, made.output
    set_id, content = (
        next(line.split()[-1] for line in made.output.splitlines() if line.startswith(word))
        for word in ("编号", "内容指纹")
    )
    wrong = await run("sign", set_id, "--content", content, "--as", logins[Post.HR_SIGNER], typed="wrong password\n")
    assert (wrong.exit_code, PASSWORD in wrong.output) == (1, False)
    for post in (Post.HR_SIGNER, Post.FINANCE_SIGNER):
        signed = await run("sign", set_id, "--content", content, "--as", logins[post], typed=typed)
        assert signed.exit_code == 0, signed.output
    published = await run("publish", set_id, *as_editor, typed=typed)
    assert f"执行的日子 {YEAR}-03-01 至 {YEAR}-03-31" in published.output
    asked = ("lookup", "--code", WELDER, "--level", "四级", "--on", f"{YEAR}-03-31")
    found = await run(*asked)
    assert f"焊工 四级/中级工，{YEAR}-03-31：700 元" in found.output
    assert "base：constant = 700.00 元" in found.output
    as_json = json.loads((await run(*asked, "--json")).output)
    assert (as_json["amount_fen"], as_json["standard_set"]["id"]) == (70_000, set_id)
    none = await run("lookup", "--code", "9-99-99-99", "--level", "4")
    assert "目录里没有这个职业" in none.output
    assert "已发布" in (await run("list")).output
    one = json.loads((await run("show", set_id, "--occupation", WELDER, "--json")).output)
    assert {row["level"] for row in one["rows"]} >= {"1", "2", "3", "4", "5"}
    assert "共 0 笔" in (await run("affected", set_id)).output
    assert json.loads((await run("affected", set_id, "--json")).output)["claims"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[formula]\nresult = \n", "line 2"),
        ('a = 1\n[formula]\nresult = "a"', "a："),
        ('source = "x"\n[formula]\nresult = "a"\n[formula]\n', "formula"),
        (
            'source = "x"\nfrom = 2095-01-01\n[formula]\nresult = "a"\n[formula.terms.a]\nkind = "power"',
            "terms.a.kind：",
        ),
        ('from = 2095-01-01\n[formula]\nresult = "a"', "source：还没填"),
        ('source = "x"\n[formula]\nresult = "a"', "from：还没填"),
        ('source = 1\nfrom = 2095-01-01\n[formula]\nresult = "a"', "source：应是文字"),
        (f'source = "{501 * "x"}"\nfrom = 2095-01-01\n[formula]\nresult = "a"', "source："),
    ],
)
async def test_a_file_that_is_not_right_is_refused_with_its_place(
    logins: dict[Post, str], tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "formula.toml"
    file.write_text(text, "utf-8")
    login = logins[Post.STANDARD_EDITOR]
    result = await run("propose", str(file), "--year", "2095", "--as", login, typed=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


async def test_a_reason_on_the_command_line_is_as_long_as_over_http(tmp_path: Path) -> None:
    file = tmp_path / "formula.json"
    file.write_text(json.dumps({"source": "x", "from": "2095-05-01", "formula": flat(70_000)}), "utf-8")
    result = await run("propose", str(file), "--year", "2095", "--reason", 501 * "x", "--as", "nobody")
    assert (result.exit_code, result.output.partition("：")[0]) == (1, "reason")


async def test_nobody_acts_beyond_their_post(logins: dict[Post, str], tmp_path: Path) -> None:
    file = tmp_path / "formula.json"
    file.write_text(json.dumps({"source": "x", "from": "2095-05-01", "formula": flat(70_000)}), "utf-8")
    result = await run("propose", str(file), "--year", "2095", "--as", logins[Post.HR_SIGNER], typed=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert "岗位" in result.output


async def test_what_is_out_is_a_feed(client: httpx.AsyncClient) -> None:
    feed = await client.get("/standards/feed.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    atom = {"a": "http://www.w3.org/2005/Atom"}
    entries = ElementTree.fromstring(feed.content).findall("a:entry", atom)
    told = [(each.findtext("a:title", "", atom), each.findtext("a:summary", "", atom)) for each in entries]
    assert any("补贴标准" in title and "示例，不是本市公布的标准" in summary for title, summary in told)
    tag = {"If-None-Match": feed.headers["etag"]}
    assert (await client.get("/standards/feed.atom", headers=tag)).status_code == 304


async def test_all_amounts_of_a_day_are_a_file_that_says_what_is_a_sample(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/standards/file", params={"kind": "csv"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "职业编码,名称,等级,补贴标准（元）,出处,说明"
    welder = [line for line in lines if line.startswith("6-18-02-04,焊工,")]
    assert len(welder) == 5
    assert all(line.endswith("示例，不是本市公布的标准") for line in lines[1:])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/api/standards/file")).content[:2] == b"PK"
    before = await client.get("/api/standards/file", params={"kind": "csv", "on": "2001-01-01"})
    assert before.content.decode("utf-8-sig").splitlines() == lines[:1]


async def test_the_file_names_occupations_whose_code_in_the_catalog_is_an_old_one(client: httpx.AsyncClient) -> None:
    async with transaction() as tx:
        aliases = text("""
            SELECT DISTINCT a.canonical FROM occupation_aliases a JOIN catalog_items i ON i.code = a.code
              JOIN catalog_editions e ON e.id = i.edition_id AND e.in_force @> current_date""")
        aliased = set((await tx.execute(aliases)).scalars())
    answer = await client.get("/api/standards/file", params={"kind": "csv"})
    names = {line.split(",")[0]: line.split(",")[1] for line in answer.content.decode("utf-8-sig").splitlines()[1:]}
    assert aliased
    assert aliased <= names.keys()
    assert [code for code, name in names.items() if not name] == []


async def test_a_file_that_is_still_the_same_is_not_built(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"kind": "xlsx"}
    tag = (await client.get("/api/standards/file", params=asked)).headers["etag"]

    def built(*_: object) -> bytes:
        raise AssertionError("built")

    monkeypatch.setattr(publication, "as_workbook", built)
    again = await client.get("/api/standards/file", params=asked, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
