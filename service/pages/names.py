"""What things are called on a page, in the language of who reads it.

Names stay Chinese. On an English page pinyin stands beside those of items and places, and the levels of skill, the
lists and the editions are said in English.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from markupsafe import Markup, escape
from pypinyin import Style, lazy_pinyin, load_phrases_dict

from domain.level import LEVELS
from domain.text import half_width
from service.pages.language import capital, gettext, said
from service.wording import day_said, spoken, wording, words

_PINYIN_KEPT = 8192
_MARKS = re.compile("[\u3000-\u303f\uff00-\uffef]+")
_INSIDE_BRACKETS = re.compile(r"(?<=\() | (?=\))")
#: Districts of the city that dictionaries spell otherwise.
load_phrases_dict({"长清": [["cháng"], ["qīng"]], "槐荫": [["huái"], ["yìn"]], "济阳": [["jǐ"], ["yáng"]]})


def english() -> bool:
    """Whether what is said now is said in English."""
    return spoken.get() == "en"


@lru_cache(_PINYIN_KEPT)
def pinyin(text: str) -> str:
    """hàn gōng; what is not Chinese stays as it is."""
    plain = _MARKS.sub(" ", half_width(text))
    return _INSIDE_BRACKETS.sub("", " ".join(" ".join(lazy_pinyin(plain, style=Style.TONE)).split()))


def named(name: Any) -> Any:
    """A name with its pinyin beside it, on an English page: 焊工 hàn gōng."""
    if not english() or str(name).isascii():
        return name
    return _beside(escape(name), pinyin(name.striptags() if isinstance(name, Markup) else str(name)))


@lru_cache(_PINYIN_KEPT)
def _beside(name: Markup, spelled: str) -> Markup:
    return Markup('<span lang="zh-CN">{}</span> <span lang="zh-Latn">{}</span>').format(name, spelled)


def latin(name: str) -> str:
    """A name where no element can say that it is Chinese, as in a title: in pinyin on an English page."""
    if not english() or name.isascii():
        return name
    return str(capital(pinyin(name)))


def option(name: str) -> str:
    """A name among those that one chooses from; its option says that it is Chinese (`written_in`)."""
    return f"{name} {pinyin(name)}" if english() and not name.isascii() else name


def drawn(name: str) -> Any:
    """A name in a drawing, where no span may stand."""
    if not english() or name.isascii():
        return name
    return Markup('<tspan lang="zh-CN">{}</tspan>').format(name)


def comma(mark: str = "、") -> str:
    """What stands between several things."""
    return ", " if english() else mark


def figure(text: str) -> str:
    """A figure of a table, or what stands in the place of one that is not shown."""
    return half_width(gettext(text)) if english() else text


def joined(names: Iterable[Any], mark: str = "、") -> Markup:
    """Several names, with `mark` or a comma between them."""
    return escape(comma(mark)).join(names)


def day(on: date) -> Markup:
    """2026年11月24日, or 24 November 2026; readable for machines too."""
    return Markup('<time datetime="{}">{}</time>').format(on.isoformat(), day_said(on))


def since(first: date, last: date | None) -> Markup:
    """From a day on, or from a day to another."""
    if last is None:
        return escape(gettext("%(first)s起")) % {"first": day(first)}
    return escape(gettext("%(first)s起，到 %(last)s")) % {"first": day(first), "last": day(last)}


def month_bare(month: int) -> str:
    """3 before 月, or March."""
    return f"{date(2000, month, 1):%B}" if english() else str(month)


def month_told(month: int) -> str:
    """3月, or March."""
    return month_bare(month) if english() else f"{month}月"


def month_of(key: str) -> str:
    """2026年3月, or March 2026, of 2026-03."""
    year, month = int(key[:4]), int(key[5:7])
    return f"{month_bare(month)} {year}" if english() else f"{year}年{month}月"


def level_name(code: str) -> str:
    """A level in short: 五级, or level 5; empty for what is none."""
    return words(f"level_name.{code}") if code in LEVELS else ""


def list_name(kind: str) -> str:
    """A list of the catalog."""
    if f"list.{kind}" not in wording():
        return kind
    return str(capital(words(f"list.{kind}")))


def edition(named_by: Any) -> str:
    """An edition of the catalog by its year and how often it was revised."""
    if named_by.revision:
        return said("%(year)s 年第 %(revision)s 次修订", year=named_by.year, revision=named_by.revision)
    return said("%(year)s 年", year=named_by.year)


#: By the name that templates call each.
FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "said": gettext,
        "figure": figure,
        "named": named,
        "latin": latin,
        "option": option,
        "joined": joined,
        "day": day,
        "since": since,
        "month_bare": month_bare,
        "month_of": month_of,
        "level_name": level_name,
        "list_name": list_name,
        "edition": edition,
    }
)
