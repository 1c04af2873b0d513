"""What is said to people for a stable code: `wording.toml`, Chinese and English, used by problems, pages and views."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def wording() -> dict[str, dict[str, str]]:
    """code → {"zh", "en"}, with places in braces for facts."""
    found: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("wording.toml").read_text("utf-8"))
    return found


class _Facts(dict[str, Any]):
    """A fact that the code did not give leaves its place visible instead of failing."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def words(code: str, facts: Mapping[str, Any] | None = None, language: str = "zh") -> str:
    """The sentence for `code`; the code itself where no wording stands (a test keeps that from happening)."""
    sentence = wording().get(code, {}).get(language)
    if sentence is None:
        return code
    return sentence.format_map(_Facts({key: _spoken(value, language) for key, value in (facts or {}).items()}))


def _spoken(value: Any, language: str) -> Any:
    """Codes inside facts are said in words too."""
    if isinstance(value, (list, tuple)):
        return "、".join(str(_spoken(each, language)) for each in value)
    if isinstance(value, str) and value in wording():
        return wording()[value][language]
    return value
