"""What the written house says can be checked: the walk's functions, the commands, the targets, the settings."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from service.cli import main
from service.settings import Settings

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")
DOCUMENTS = [*READMES, *sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("docs/**/*.md"))]

_FENCED = re.compile(r"^ *```.*?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"`([\w/]+\.py)`\s+`(\w+)`")
_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
_COMMAND = re.compile(r"(?:(?<=bin/)|(?<![/\w-]))zhida ([a-z]+)(?: ([a-z]+))?([^`\n|]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_VARIABLE = re.compile(r"\bZHIDA_[A-Z_]+")


@cache
def text_of(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def code_in(document: str) -> str:
    """What stands in code: between backticks and in fenced blocks, without comments."""
    fenced = _FENCED.findall(text_of(document))
    spans = re.findall(r"`([^`\n]+)`", _FENCED.sub("", text_of(document)))
    lines = [line.split(" #")[0] for block in fenced for line in block.splitlines()]
    return "\n".join([*lines, *spans])


@cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_function_named_is_in_its_file(document: str) -> None:
    named = _STEP.findall(text_of(document))
    assert [(file, name) for file, name in named if name not in functions_in(file)] == []


@pytest.mark.parametrize("document", READMES)
def test_the_walk_goes_all_the_way(document: str) -> None:
    """From the door to the money, in the order in which it happens."""
    walked = [file for file, _ in _STEP.findall(text_of(document))]
    stations = [
        "service/claims/routes/claims.py",
        "service/claims/commands/filing.py",
        "domain/eligibility/decision.py",
        "service/jobs.py",
        "tasks/verification.py",
        "service/verification/commands/__init__.py",
        "service/claims/commands/review.py",
        "service/notices/commands.py",
        "service/batches/commands/assemble.py",
        "service/batches/commands/sign.py",
        "service/batches/commands/write_file.py",
        "service/batches/commands/send.py",
        "tasks/reconciliation.py",
        "service/reconciliation/commands/returns.py",
    ]
    first_seen = [walked.index(station) for station in stations]
    assert first_seen == sorted(first_seen)
    assert text_of(document).count("\n") <= 250


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_named_can_be_made(document: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))
    assert set(_TARGET.findall(code_in(document))) <= targets


def commands_in(document: str) -> Iterator[tuple[str, str, list[str]]]:
    for name, verb, rest in _COMMAND.findall(code_in(document)):
        yield name, verb, _OPTION.findall(rest)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_named_exists_with_its_options(document: str) -> None:
    context = click.Context(main)
    for name, verb, options in commands_in(document):
        command = main.get_command(context, name)
        assert command is not None, f"zhida {name}"
        if verb and isinstance(command, click.Group):
            command = command.get_command(context, verb)
            assert command is not None, f"zhida {name} {verb}"
        known = {option for each in command.params for option in each.opts}
        assert set(options) <= known, f"zhida {name} {verb} {options}"


def test_every_command_is_told_of() -> None:
    for document in READMES:
        told = {name for name, *_ in commands_in(document)}
        assert told == set(main.list_commands(click.Context(main)))


def settings() -> set[str]:
    """The fields of Settings, and what the launcher of one machine reads for itself."""
    launcher = [file.read_text("utf-8") for file in (ROOT / "service/local").glob("*.py")]
    own = {name for text in launcher for name in re.findall(r'environ\.get\("(ZHIDA_[A-Z_]+)"', text)}
    tests = {"ZHIDA_CHAOS_SEED", "ZHIDA_CHAOS_CLAIMS", "ZHIDA_MONEY_SEED"}
    return {f"ZHIDA_{name.upper()}" for name in Settings.__dataclass_fields__} | own | tests


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_variable_named_is_a_setting(document: str) -> None:
    assert set(_VARIABLE.findall(text_of(document))) <= settings()


def test_every_setting_is_told_of() -> None:
    for document in READMES:
        assert {f"ZHIDA_{name.upper()}" for name in Settings.__dataclass_fields__} <= set(
            _VARIABLE.findall(text_of(document))
        )


def test_decisions_are_numbered_short_and_listed() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", text_of("docs/decisions/README.md")) == [
        page.name for page in pages
    ]
    for page in pages:
        text = page.read_text("utf-8")
        assert text.count("\n") <= 40, page.name
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert "**Context.**" in text
        assert "**Decision.**" in text
        assert "**Consequence.**" in text
        assert "**Reason.**" in text or "**Measurement.**" in text


def test_every_journey_has_its_picture() -> None:
    """A task of `docs/pages.md` is a row of a table or a bold beginning; no picture is kept that is not shown."""
    pages = text_of("docs/pages.md")
    tasks = re.findall(r"^(?:- \*\*.*(?:\n  .*)*|\| (?!-|one wants).*)$", pages, re.MULTILINE)
    assert len(tasks) > 100
    assert [task for task in tasks if "(shots/" not in task] == []
    kept = {file.name for file in (ROOT / "docs/shots").iterdir()}
    assert set(re.findall(r"shots/([\w.-]+)", pages)) == kept
    assert sum(file.stat().st_size for file in (ROOT / "docs/shots").iterdir()) < 3_000_000


def test_what_the_journeys_quote_stands_on_the_pages() -> None:
    files = [*(ROOT / "service").rglob("*.html"), *(ROOT / "service").rglob("*.py"), ROOT / "service/wording.toml"]
    said = "".join(file.read_text("utf-8") for file in files)
    quoted = set(re.findall(r"[\u4e00-\u9fff]+", text_of("docs/pages.md")))
    assert len(quoted) > 200
    assert [each for each in quoted if each not in said] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", text_of(document))
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []
