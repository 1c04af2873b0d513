"""What is said to people for a stable code: `wording.toml`, Chinese and English, for problems, pages and views."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from domain.level import LEVELS
from domain.money import Fen, fen_display, format_yuan

Language = Literal["zh", "en"]
#: In which language it is said where nobody says otherwise: Chinese, unless somebody reads a page in English.
spoken: ContextVar[Language] = ContextVar("spoken", default="zh")

_BRACKETS = re.compile(r"（[^（）]*）| ?\([^()]*\)")
_PLACE = re.compile(r"\{(\w+)\}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: What rules call a level, as it is printed → the code by which it is said.
_LEVELS = {each.short: f"level_name.{each.code}" for each in LEVELS.values()}


@contextmanager
def in_chinese() -> Iterator[None]:
    """What is stored, sent or handed out meanwhile is said in Chinese, whatever language its page is read in."""
    token = spoken.set("zh")
    try:
        yield
    finally:
        spoken.reset(token)


@cache
def wording() -> dict[str, dict[str, str]]:
    """code → {"zh", "en"}, with places in braces for facts."""
    found: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("wording.toml").read_text("utf-8"))
    return found


def words(code: str, facts: Mapping[str, Any] | None = None, language: Language | None = None) -> str:
    """The sentence for `code`; the code itself where no wording stands (a test keeps that from happening).

    Codes, days and fen among the facts are said in words: `{status}` says the wording of `status.…`, `{amount}` the
    fact `amount_fen`. Brackets are left out when a fact in them was not given; any other such place stays visible.
    """
    language = language or spoken.get()
    sentence = wording().get(code, {}).get(language)
    if sentence is None:
        return code
    if "{" not in sentence:
        return sentence
    said = dict(_said(facts or {}, language))
    whole = _BRACKETS.sub(lambda found: found[0] if said.keys() >= set(_PLACE.findall(found[0])) else "", sentence)
    return _PLACE.sub(lambda found: said.get(found[1], found[0]), whole)


def next_step(code: str, facts: Mapping[str, Any] | None = None, language: Language | None = None) -> str:
    """What somebody can do about a code that was said of them; empty where there is nothing to do."""
    return words(f"next.{code}", facts, language) if f"next.{code}" in wording() else ""


def amount_said(fen: Fen, language: Language | None = None) -> str:
    """1,800 元, or CNY 1,800; fen only where there are some."""
    in_chinese = (language or spoken.get()) == "zh"
    return format_yuan(fen) if in_chinese else f"CNY {fen_display(fen).removesuffix('.00')}"


def day_said(day: date, language: Language | None = None) -> str:
    """2026年11月24日, or 24 November 2026."""
    in_chinese = (language or spoken.get()) == "zh"
    return f"{day.year}年{day.month}月{day.day}日" if in_chinese else f"{day.day} {day:%B} {day.year}"


def _said(facts: Mapping[str, Any], language: Language) -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        yield key, _spoken(key, value, language)
        if key.endswith("_fen") and isinstance(value, int):
            yield key.removesuffix("_fen"), amount_said(value, language)


def _spoken(key: str, value: Any, language: Language) -> str:
    if isinstance(value, (list, tuple)):
        return ("、" if language == "zh" else ", ").join(_spoken(key, each, language) for each in value)
    if isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        return str(value)
    if _DAY.fullmatch(value):
        with suppress(ValueError):  # somebody's words may look like a day that there is not
            return day_said(date.fromisoformat(value), language)
    # by the name of the fact (`posts` holds many of `post.…`), or as a whole code
    names = (f"{key}.{value}", f"{key.removesuffix('s')}.{value}", value, _LEVELS.get(value, value))
    return next((wording()[name][language] for name in names if name in wording()), value)
