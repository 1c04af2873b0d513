"""What is said to people for a stable code: `wording.toml`, Chinese and English, for problems, pages and views."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from domain.money import fen_display, format_yuan

_BRACKETS = re.compile(r"（[^（）]*）| ?\([^()]*\)")
_PLACE = re.compile(r"\{(\w+)\}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@cache
def wording() -> dict[str, dict[str, str]]:
    """code → {"zh", "en"}, with places in braces for facts."""
    found: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("wording.toml").read_text("utf-8"))
    return found


def words(code: str, facts: Mapping[str, Any] | None = None, language: str = "zh") -> str:
    """The sentence for `code`; the code itself where no wording stands (a test keeps that from happening).

    Codes, days and fen among the facts are said in words: `{status}` says the wording of `status.…`, `{amount}` the
    fact `amount_fen`. Brackets are left out when a fact in them was not given; any other such place stays visible.
    """
    sentence = wording().get(code, {}).get(language)
    if sentence is None:
        return code
    if "{" not in sentence:
        return sentence
    said = dict(_said(facts or {}, language))
    whole = _BRACKETS.sub(lambda found: found[0] if said.keys() >= set(_PLACE.findall(found[0])) else "", sentence)
    return _PLACE.sub(lambda found: said.get(found[1], found[0]), whole)


def next_step(code: str, facts: Mapping[str, Any] | None = None, language: str = "zh") -> str:
    """What somebody can do about a code that was said of them; empty where there is nothing to do."""
    return words(f"next.{code}", facts, language) if f"next.{code}" in wording() else ""


def _said(facts: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        yield key, _spoken(key, value, language)
        if key.endswith("_fen") and isinstance(value, int):
            yield key.removesuffix("_fen"), format_yuan(value) if language == "zh" else f"{fen_display(value)} yuan"


def _spoken(key: str, value: Any, language: str) -> str:
    if isinstance(value, (list, tuple)):
        return ("、" if language == "zh" else ", ").join(_spoken(key, each, language) for each in value)
    if isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        return str(value)
    if language == "zh" and _DAY.fullmatch(value):
        year, month, day = (int(part) for part in value.split("-"))
        return f"{year}年{month}月{day}日"
    # by the name of the fact (`posts` holds many of `post.…`), or as a whole code
    names = (f"{key}.{value}", f"{key.removesuffix('s')}.{value}", value)
    return next((wording()[name][language] for name in names if name in wording()), value)
