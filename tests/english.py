"""What the pages that are there in English say in Chinese, as their templates and modules have it written."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.extract import extract_python
from jinja2 import Environment
from jinja2.ext import babel_extract

from domain.level import LEVELS
from domain.share import DEFINITION
from service.pages.language import ENGLISH
from service.policies.queries import DATA
from service.statistics.queries.steps import DEFINITION as STEPS_DEFINITION

PAGES = ENGLISH.parent
TEMPLATES = PAGES / "templates"
#: Templates of those pages; what the interface of programs is described with stays Chinese.
PARTS = [
    *(each for each in sorted((TEMPLATES / "public").glob("*.html")) if each.stem not in {"schema", "operations"}),
    *sorted((TEMPLATES / "trainee").glob("*.html")),
    *sorted((TEMPLATES / "demands").glob("*.html")),
    TEMPLATES / "session" / "sign_in.html",
    *sorted((TEMPLATES / "components").glob("*.html")),
    *(TEMPLATES / "layouts" / f"{name}.html" for name in ("base", "public", "phone", "draft")),
]
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: Points and brackets too.
_CHINESE_SIGN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_SAID = ("gettext", "said", "later", "_")


def messages() -> dict[str, str]:
    """Every Chinese text that has to have English → the file in which it stands."""
    return {text: at for at, text in _messages() if _CHINESE_SIGN.search(text)}


def _of_elsewhere() -> Iterator[tuple[str, str]]:
    """What is defined outside of pages, and said on them."""
    yield "share.py", DEFINITION
    yield "steps.py", STEPS_DEFINITION
    yield from (("level.py", level.name) for level in LEVELS.values())
    ladders = tomllib.loads((DATA / "penalty-ladder.toml").read_text())["ladder"]
    yield from (("penalty-ladder.toml", step["name"]) for ladder in ladders for step in ladder["step"])


def _messages() -> Iterator[tuple[str, str]]:
    yield from _of_elsewhere()
    for template in PARTS:
        with template.open("rb") as file:
            for _, _, found, _ in babel_extract(file, _SAID, [], {"trimmed": "true"}):
                yield from ((template.name, text) for text in _texts(found))
    for module in sorted(PAGES.rglob("*.py")):
        with module.open("rb") as file:
            for _, _, found, _ in extract_python(file, _SAID, [], {}):
                yield from ((module.name, text) for text in _texts(found))


def _texts(found: Any) -> list[str]:
    """What is written out of a call's arguments."""
    first = found if isinstance(found, str) or not found else found[0]
    return [first] if isinstance(first, str) else []


def unsaid() -> list[str]:
    """Places of the templates where Chinese stands that no English could replace."""
    return [f"{each.parent.name}/{each.name}:{line}: {text}" for each in PARTS for line, text in _unsaid(each)]


def _unsaid(template: Path) -> Iterator[tuple[int, str]]:
    """Text outside of `trans` blocks; strings that are neither in `_(…)` nor `as_written`."""
    tokens = [each for each in Environment().lex(template.read_text()) if each[1] != "whitespace"]
    translated = False
    for at, (line, kind, value) in enumerate(tokens):
        around = [each[2] for each in tokens[max(at - 2, 0) : at + 3]]
        if kind == "name" and value in {"trans", "endtrans"}:
            translated = value == "trans"
        elif kind == "data" and not translated and _CHINESE.search(value):
            yield line, value.strip()
        elif (
            kind == "string"
            and _CHINESE.search(value)
            and around[:2] != ["_", "("]
            and around[3:] != ["|", "as_written"]
        ):
            yield line, value
