"""A row of the journal in words: what has a name is said, ids and codes that only programs read stand apart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from service.audit.queries.story.journal import in_words
from service.audit.schemas import ChangeView, JournalEntryView
from service.clock import SHANGHAI
from service.wording import wording, words

_CODE = re.compile(r"[a-z][a-z0-9_.:]*")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}\S*")
#: Lists and objects, as they are kept.
_NESTED = re.compile(r"[\[{]")
_PLAIN = {"True": "是", "False": "否", "": "空着"}


@dataclass(frozen=True)
class Said:
    """One thing that a row changed; `before` None: it is new, `after` None: it is gone."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Told:
    """A row as an auditor reads it; `rest`: what of it only programs read."""

    row: JournalEntryView
    who: str
    what: str
    reason: str
    changes: list[Said]
    rest: list[ChangeView]


def told(row: JournalEntryView, names: Mapping[str, str]) -> Told:
    """`names`: what codes of funds, districts, groups and levels are called."""
    said = [_said(row.kind, each, names) for each in row.changes]
    who = words("by.command_line") if row.who.startswith("zhida ") else row.who
    reason = " ".join(in_words(part) for part in row.reason.split())
    rest = [each for each, one in zip(row.changes, said, strict=True) if one is None]
    return Told(row, who, row.what or _act(row.action), reason, [one for one in said if one is not None], rest)


def _act(action: str) -> str:
    return words(f"action.{action}" if f"action.{action}" in wording() else "journal_act")


def _said(kind: str, change: ChangeView, names: Mapping[str, str]) -> Said | None:
    """None where it has no name, or a value that only programs understand."""
    kept = (change.before, change.after)
    before, after = (None if each is None else _value(kind, change.field, each, names) for each in kept)
    whole = (before is None, after is None) == (change.before is None, change.after is None)
    code = f"journal_field.{change.field}"
    return Said(words(code), before, after) if whole and code in wording() else None


def _value(kind: str, field: str, value: str, names: Mapping[str, str]) -> str | None:
    """A value in words; None where only programs understand it."""
    if value in _PLAIN or value in names:
        return _PLAIN.get(value) or names[value]
    if _ID.fullmatch(value) or _NESTED.match(value):
        return None
    if found := _DAY.fullmatch(value):
        day = date.fromisoformat(found[0])
        return f"{day.year}年{day.month}月{day.day}日"
    if _INSTANT.fullmatch(value):
        return f"{datetime.fromisoformat(value).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if not _CODE.fullmatch(value) or re.fullmatch("[0-9a-f]{64}", value):
        return value
    codes = (f"{place}.{value}" for place in (field, f"{kind}_{field}", kind, "status", "post", "action", "answer"))
    return next((words(code) for code in codes if code in wording()), None)
