"""`zhida catalog`, run as a person runs it."""

import hashlib
import json
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from service.cli.catalog import catalog
from tests.conftest import Databases

DATA = Path(__file__).parents[2] / "data"
NOTICE = DATA / "sources" / "jinan-notice-2023-28.txt"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(catalog, [str(each) for each in arguments])


def test_json_has_exactly_the_promised_form() -> None:
    result = run("check", NOTICE, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert list(answer) == ["rows", "lists", "findings"]
    assert answer["rows"] == 778
    assert answer["lists"] == {
        "急需紧缺培训项目目录": 89,
        "一般性培训项目目录": 449,
        "制造业培训项目目录": 228,
        "项目制培训项目": 12,
    }
    assert len(answer["findings"]) == 45
    form = {"kind": str, "severity": str, "list": str, "line": int, "message": str, "suggestion": str}
    for each in answer["findings"]:
        assert set(each) == {*form, "serial", "code"}
        assert all(isinstance(each[key], kind) and each[key] for key, kind in form.items())


def test_a_person_reads_a_table_in_chinese() -> None:
    result = run("check", NOTICE)
    assert result.exit_code == 0
    for words in ("共 778 项", "发现 45 处", "汽轮机和水轮机检修工", "错误 0，提醒 21，附注 24。"):
        assert words in result.stdout.replace("\n", "")


def test_a_text_with_square_brackets_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("目录,序号,编码,名称,行业分类\n甲,1,[red],[/x]焊工,加工维修\n", encoding="utf-8")
    result = run("check", file)
    assert result.exit_code == 0
    assert "[red]" in result.stdout


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("缺.txt", None, "没有这个文件"),
        ("图.txt", b"\x89PNG\x00", "不是文本文件"),
        ("表.xlsx", b"a,b\n", "不是 XLSX 工作簿"),
        ("表.csv", b'a,"b\n', "引号"),
        ("表.csv", "姓名,电话\n张三,1\n".encode(), "没有找到表头"),
        ("表.xlsm", b"PK", "宏"),
    ],
)
def test_what_cannot_be_read_ends_with_two_and_a_sentence(
    tmp_path: Path, name: str, data: bytes | None, words: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    result = run("check", tmp_path / name, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_the_edition_in_data_is_what_the_importer_makes_of_the_notice(tmp_path: Path) -> None:
    assert run("facts", NOTICE, "--out", tmp_path / "made.csv").exit_code == 0
    assert (tmp_path / "made.csv").read_bytes() == (DATA / "catalog-2023.csv").read_bytes()


def test_the_edition_read_back_has_the_mistakes_of_its_rows() -> None:
    of_rows = {"list_missing", "list_name_differs", "heading_repeated"}
    from_text, from_csv = (
        [
            (each["kind"], each["list"], each["serial"], each["code"], each["suggestion"])
            for each in json.loads(run("check", file, "--json").stdout)["findings"]
            if each["kind"] not in of_rows
        ]
        for file in (NOTICE, DATA / "catalog-2023.csv")
    )
    assert from_csv == from_text


def test_facts_about_the_edition_fit_its_source_and_its_rows() -> None:
    edition = tomllib.loads((DATA / "catalog-2023.toml").read_text(encoding="utf-8"))
    source = (DATA / edition["source"]["file"]).read_bytes()
    assert hashlib.sha256(source).hexdigest() == edition["source"]["sha256"]
    answer = json.loads(run("check", DATA / "catalog-2023.csv", "--json").stdout)
    assert {each["printed"]: each["rows"] for each in edition["lists"] if each["printed"]} == answer["lists"]
    assert sum(each["rows"] for each in edition["lists"]) == edition["rows"] == answer["rows"]
    text = "".join(source.decode().split())
    for words in (edition["title"], edition["source"]["number"], *(each["named"] for each in edition["lists"])):
        assert words in text
    assert all(name + "类" in text for name in edition["industries"]["names"])


A_LIST = "目录,序号,编码,名称,行业分类\n急需紧缺,1,6-18-02-04,焊工,加工维修\n急需紧缺,3,6-18-02-05,铸造工,加工维修\n"


def zhida(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`zhida` as a program of its own, on this worker's database."""
    command = [sys.executable, "-m", "service.cli", "catalog", *[str(each) for each in arguments]]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=DATA.parent)


@pytest.fixture
async def no_trace(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """The superuser's connection; what the commands published is taken out again (a published edition stays else)."""
    connection = await asyncpg.connect(databases.admin_url)
    yield connection
    await connection.execute("SET session_replication_role = replica")  # past the guards of what is written once
    ours = "SELECT id FROM catalog_editions WHERE year IN (2019, 2025)"
    for statement in (
        f"DELETE FROM catalog_findings WHERE edition_id IN ({ours})",
        f"DELETE FROM catalog_items WHERE edition_id IN ({ours})",
        "DELETE FROM catalog_editions WHERE year IN (2019, 2025)",
        "UPDATE catalog_editions SET status = 'published', in_force = daterange(lower(in_force), NULL)"
        " WHERE status = 'superseded'",
    ):
        await connection.execute(statement)
    await connection.close()


async def test_a_catalog_is_imported_as_a_draft_and_then_published(
    tmp_path: Path, no_trace: asyncpg.Connection
) -> None:
    file = tmp_path / "2025.csv"
    file.write_text(A_LIST, encoding="utf-8")
    for _ in range(2):  # a draft is replaced
        imported = zhida("import", file, "--year", "2025")
        assert imported.returncode == 0, imported.stderr
        assert hashlib.sha256(file.read_bytes()).hexdigest() in imported.stdout
    draft = await no_trace.fetchrow("SELECT * FROM catalog_editions WHERE year = 2025")
    assert (draft["status"], draft["source_sha256"]) == ("draft", hashlib.sha256(file.read_bytes()).digest())
    kinds = "SELECT kind, serial FROM catalog_findings WHERE edition_id = $1"
    assert ("serial_gap", 2) in {tuple(row) for row in await no_trace.fetch(kinds, draft["id"])}
    published = zhida("publish", "--year", "2025", "--from", "2025-02-01", "--reason", "补录")
    assert published.returncode == 0, published.stderr
    assert zhida("import", file, "--year", "2019").returncode == 0
    before = zhida("publish", "--year", "2019", "--from", "2019-03-01", "--reason", "补录")
    assert before.returncode == 0, before.stderr
    in_force = """SELECT year, status, historical, lower(in_force)::text, upper(in_force)::text
                    FROM catalog_editions WHERE in_force IS NOT NULL ORDER BY year"""
    assert [tuple(row) for row in await no_trace.fetch(in_force)] == [
        (2019, "superseded", True, "2019-03-01", "2023-09-18"),
        (2023, "superseded", True, "2023-09-18", "2025-02-01"),
        (2025, "published", True, "2025-02-01", None),
    ]
    again = zhida("import", file, "--year", "2025")
    assert (again.returncode, again.stdout) == (1, "")
    assert "2025" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--year", "2022", "--from", "2022-01-01", "--reason", "补录"), 1, "2022"),
        (("--year", "2032", "--from", "2032-01-01", "--reason", "补录"), 1, "还没有到"),
        (("--year", "2022", "--from", "2022-02-30", "--reason", "补录"), 2, "2022-02-30"),
        (("--year", "2022", "--from", "2022-01-01", "--reason", " "), 1, "原因"),
    ],
)
async def test_what_cannot_be_published_is_said(arguments: tuple[str, ...], code: int, said: str) -> None:
    result = zhida("publish", *arguments)
    assert (result.returncode, result.stdout) == (code, "")
    assert said in result.stderr
