"""The house rules that no linter knows (each with the reason why it stands)."""

import ast
import asyncio
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from litestar.routes import HTTPRoute
from sqlalchemy.ext.asyncio import create_async_engine

from domain.actor import EXCLUSIONS
from domain.batch import ATTEMPT_LIFECYCLE, BATCH_LIFECYCLE, LIVE_ATTEMPT
from domain.catalog.edition import EDITION_LIFECYCLE
from domain.catalog.sources import PROPOSAL_LIFECYCLE
from domain.claim import CLAIM_LIFECYCLE
from domain.clawback import CLAWBACK_LIFECYCLE
from domain.fund import HELD_IN, WAYS
from domain.offer import OFFER_LIFECYCLE
from domain.penalty import PENALTY_LIFECYCLE
from domain.review import REVIEW_LIFECYCLE
from domain.roster import ROSTER_LIFECYCLE
from domain.selection import APPLICATION_LIFECYCLE, ROUND_LIFECYCLE
from domain.standard import SET_LIFECYCLE
from domain.training import CLASS_LIFECYCLE
from service.batches.tables import LIVE_SQL
from service.database import async_url, every_table
from service.funds.tables import WAYS_SQL
from service.queue import RHYTHM, Job, Sweep, celery
from service.security import PUBLIC
from tests.app import the_app
from tests.conftest import Databases

ROOT = Path(__file__).parents[1]
LINES_MAX = 410
_CODE = ("domain", "service", "tasks", "tests")
_TEXTS = {".py", ".md", ".toml", ".html", ".css", ".js", ".yml", ".yaml", ".cfg", ".sh", ".csv", ".txt", ".lock", ""}


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def python_files(*roots: str) -> list[Path]:
    return sorted(file for root in roots for file in (ROOT / root).rglob("*.py"))


def calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def place(file: Path, node: Any) -> str:
    return f"{file.relative_to(ROOT)}:{node.lineno}"


# ---- work that is owed


def test_every_job_has_a_task_and_every_task_is_a_job() -> None:
    import_module("tasks.worker")
    registered = {name for name in celery.tasks if not name.startswith("celery.")}
    assert registered == {str(each) for each in (*Job, *Sweep)}
    assert set(RHYTHM) == set(Sweep)


# ---- doors


def test_every_route_has_a_guard_or_says_that_it_is_public() -> None:
    handlers = [
        (route.path, handler)
        for route in the_app().routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if not route.path.startswith("/schema") and handler.http_methods != {"OPTIONS"}
    ]
    assert len(handlers) > 20
    open_doors = [
        (path, handler.handler_name)
        for path, handler in handlers
        if bool(handler.resolve_guards()) == bool(handler.opt.get(PUBLIC))
    ]
    assert not open_doors


# ---- one door for statuses, one for commits


def test_a_status_changes_only_in_functions_named_move() -> None:
    """`row.status = …`, `update(…).values(status=…)`, and SQL that sets one; rows come into being with a status."""
    strays = [
        place(file, node)
        for file in python_files("service", "tasks")
        for node, inside in _with_function(tree_of(file))
        if _writes_a_status(node)
        and not (file == ROOT / "service/journal.py" and inside.startswith("move"))
        and not file.is_relative_to(ROOT / "service/local")  # what the stand-ins keep for themselves
    ]
    assert not strays
    doors = [
        inside for node, inside in _with_function(tree_of(ROOT / "service/journal.py")) if _writes_a_status(node)
    ]
    assert doors == ["move_all"]


def _with_function(tree: ast.AST, inside: str = "") -> Iterator[tuple[ast.AST, str]]:
    for node in ast.iter_child_nodes(tree):
        yield node, inside
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _with_function(node, node.name if named else inside)


def _writes_a_status(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(each, ast.Attribute) and each.attr == "status" for each in targets)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(re.search(r"\bset\s+(\w+\s*=[^;]*,\s*)?status\s*=", node.value, re.IGNORECASE))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr == "on_conflict_do_update":
        return any('"status"' in ast.unparse(each).replace("'", '"') for each in node.keywords if each.arg == "set_")
    sets = any(each.arg == "status" or "'status'" in ast.unparse(each.value) for each in node.keywords)
    return node.func.attr == "values" and sets and bool(re.search(r"\bupdate\(", ast.unparse(node.func.value)))


def test_the_walk_knows_a_status_when_it_is_written() -> None:
    written = (
        "claim.status = 'paid'",
        "update(ClaimRow).where(x).values(status='paid')",
        "text('UPDATE c SET status = 1')",
    )
    for line in written:
        assert any(_writes_a_status(node) for node in ast.walk(ast.parse(line)))
    assert not any(_writes_a_status(node) for node in ast.walk(ast.parse("insert(ClaimRow).values(status='filed')")))


def test_claims_move_through_the_door_that_brings_their_money() -> None:
    """`move(…, CLAIM_LIFECYCLE, …)` elsewhere would leave the money of a claim where it was."""
    strays = [
        place(file, call)
        for file in python_files("service", "tasks")
        if file != ROOT / "service/claims/commands/moves.py"
        for call in calls_in(tree_of(file))
        if getattr(call.func, "id", "") in {"move", "move_all"}
        and any(isinstance(arg, ast.Name) and arg.id == "CLAIM_LIFECYCLE" for arg in call.args)
    ]
    assert not strays


def test_features_never_commit() -> None:
    """Doors open the transaction and end it; a command that commits would answer for half of a change."""
    strays = [
        place(file, call)
        for file in python_files("service", "tasks")
        if not file.is_relative_to(ROOT / "service/local")
        for call in calls_in(tree_of(file))
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"commit", "rollback"}
    ]
    assert not strays


# ---- rehearsals and flow tests play people: they know what people know


def _players() -> list[Path]:
    rehearsal = [file for file in python_files("service") if "rehears" in str(file.relative_to(ROOT))]
    return [*python_files("tests/flows"), *rehearsal]


_INNER = re.compile(r"domain(\..+)?|service\.\w+\.(commands|tables)(\..+)?|service\.journal")
_WRITING_SQL = re.compile(r"\s*(INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|TRUNCATE)\b")


@pytest.mark.parametrize("file", _players(), ids=lambda file: str(file.relative_to(ROOT)))
def test_players_go_through_the_doors(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        assert not any(_INNER.fullmatch(module) for module in _imported(node)), place(file, node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not _WRITING_SQL.match(node.value), place(file, node)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


# ---- what the domain says, the database says again

_SCHEMA = {
    "columns": """
        SELECT format('%s.%s', c.relname, a.attname),
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                         nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''),
                         pg_get_expr(d.adbin, d.adrelid))
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
           AND c.relname <> 'alembic_version'""",
    "constraints": """
        SELECT format('%s.%s', conrelid::regclass, conname), pg_get_constraintdef(oid)
          FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 't'
           AND conrelid::regclass::text <> 'alembic_version'""",
    "indexes": """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
          FROM pg_index JOIN pg_class c ON c.oid = indrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'""",
}


async def _schema(url: str) -> dict[str, dict[str, str]]:
    connection = await asyncpg.connect(url)
    try:
        return {part: dict(map(tuple, await connection.fetch(query))) for part, query in _SCHEMA.items()}
    finally:
        await connection.close()


async def test_migrations_build_what_the_tables_declare(databases: Databases) -> None:
    """`alembic check` misses changed CHECK constraints, so both databases are compared as PostgreSQL tells them."""
    name = databases.admin_url.rsplit("/", 1)[1] + "_declared"
    declared_url = databases.admin_url.rsplit("/", 1)[0] + f"/{name}"
    admin = await asyncpg.connect(databases.admin_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name}")
    await admin.execute(f"CREATE DATABASE {name}")
    extensions = await admin.fetch("SELECT extname FROM pg_extension")
    try:
        engine = create_async_engine(async_url(declared_url))
        async with engine.begin() as connection:
            for (extension,) in extensions:
                await connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
            await connection.run_sync(every_table().create_all)
        await engine.dispose()
        declared, migrated = await asyncio.gather(_schema(declared_url), _schema(databases.admin_url))
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()
    for part in _SCHEMA:
        assert len(declared[part]) > 20
        assert migrated[part] == declared[part]


async def test_lifecycles_and_exclusions_in_the_database_are_those_of_the_domain(databases: Databases) -> None:
    firsts = {("claim", "", "file"), ("roster", "", "receive"), ("batch", "", "open"), ("attempt", "", "prepare")}
    firsts |= {("edition", "", "import"), ("edition", "", "copy"), ("proposal", "", "propose")}
    firsts |= {("standard_set", "", "propose"), ("standard_review", "", "open"), ("penalty", "", "propose")}
    firsts |= {("selection_round", "", "announce"), ("selection_application", "", "file"), ("class", "", "file")}
    firsts |= {("offer", "", "prepare"), ("clawback", "", "raise")}
    lives: list[Any] = [CLAIM_LIFECYCLE, ROSTER_LIFECYCLE, BATCH_LIFECYCLE, ATTEMPT_LIFECYCLE, SET_LIFECYCLE]
    lives += [EDITION_LIFECYCLE, PROPOSAL_LIFECYCLE, REVIEW_LIFECYCLE, PENALTY_LIFECYCLE, CLASS_LIFECYCLE]
    lives += [ROUND_LIFECYCLE, APPLICATION_LIFECYCLE, OFFER_LIFECYCLE, CLAWBACK_LIFECYCLE]
    moves = {(life.noun, str(a), str(do), str(b)) for life in lives for (a, do), b in life.moves.items()}
    moves |= {(noun, "", do, str(life.first)) for noun, _, do in firsts for life in lives if life.noun == noun}
    connection = await asyncpg.connect(databases.app_url)
    stored = await connection.fetch("SELECT noun, before, action, after FROM lifecycle_moves")
    excluded = await connection.fetch("SELECT scope, post, other FROM post_exclusions")
    held = await connection.fetch("SELECT status, pot FROM fund_pots")
    await connection.close()
    assert {tuple(row) for row in stored} == moves
    assert {tuple(row) for row in excluded} == {tuple(map(str, each)) for each in EXCLUSIONS}
    assert {tuple(row) for row in held} == {(str(at), str(pot)) for at, pots in HELD_IN.items() for pot in pots}


def test_the_ways_of_money_in_the_database_are_those_of_the_domain() -> None:
    said = re.findall(r"\('(\w+)', '(\w+)', '(\w+)'\)", WAYS_SQL)
    assert set(said) == {(str(movement), str(source), str(target)) for movement, (source, target) in WAYS.items()}


def test_the_set_that_a_unique_index_leaves_out_is_that_of_the_domain() -> None:
    assert set(re.findall(r"'(\w+)'", LIVE_SQL)) == {str(status) for status in LIVE_ATTEMPT}


# ---- files


def test_files_stay_short_and_are_named_for_what_they_hold() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in python_files(*_CODE)
        if (lines := file.read_text("utf-8").count("\n")) > LINES_MAX
    }
    assert not long
    named = {part for file in python_files(*_CODE) for part in (*file.relative_to(ROOT).parent.parts, file.stem)}
    assert not named & {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}


_NAMED = re.compile(r"`((?:domain|service|tasks|tests|migrations|data|docs)/[\w./-]+)`")


def test_documents_name_files_that_are_there() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    named = {path for document in documents for path in _NAMED.findall(document.read_text("utf-8"))}
    assert not {path for path in named if not (ROOT / path.rstrip("/")).exists()}


def test_no_file_names_the_machine_it_was_written_on() -> None:
    """Nor the address of a package index: every installation has its own."""
    here = [file for file in ROOT.iterdir() if file.is_file()]
    inner = [
        file for root in (*_CODE, "migrations", "docs", "data", "bench", ".ci") for file in (ROOT / root).rglob("*")
    ]
    files = [file for file in (*here, *inner) if file.is_file() and file.suffix in _TEXTS and file != Path(__file__)]
    machine = re.compile(r"(?<![\w.])/(?:root|home|Users|work)/\w|--(?:extra-)?index-url|pypi\.")
    assert not [str(file.relative_to(ROOT)) for file in files if machine.search(file.read_text("utf-8", "replace"))]
