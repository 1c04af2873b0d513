"""What changed between two editions, in the forms the command line gives it."""

import csv
from collections.abc import Iterator
from typing import Any, TextIO

from msgspec import to_builtins

from service.catalog.schemas import DifferenceView, ListedView
from service.gateways.sheet_files import with_mark

#: Kinds of change as people call them, and the field that tells it.
_WORDS = {
    "added": ("新增", None),
    "removed": ("取消", None),
    "renamed": ("更名", "name"),
    "recoded": ("换编码", "code"),
    "relisted": ("换目录", "list"),
    "retagged": ("换标识", "tag"),
    "reclassed": ("换行业", "industry"),
}


def as_flat(found: DifferenceView) -> dict[str, Any]:
    """Each kind with its rows as they are now, a changed one with the value it had (`was`)."""
    return {
        kind: [row if field is None else {**row["after"], "was": row["before"][field]} for row in rows]
        for (kind, rows), (_, field) in zip(to_builtins(found).items(), _WORDS.values(), strict=True)
    }


def in_words(found: DifferenceView) -> Iterator[str]:
    """A line a change, under a heading a kind; one sentence when nothing changed."""
    flat = as_flat(found)
    if not any(flat.values()):
        yield "两版相同。"
    for kind, (word, field) in _WORDS.items():
        if flat[kind]:
            yield f"{word} {len(flat[kind])} 项"
        for row in flat[kind]:
            place = f"  {row['list']}：{row['name']}" + (f"（{row['code']}）" if row["code"] else "")
            yield place if field is None else f"{place}，{row['was'] or '无'} → {row[field] or '无'}"


def write_csv(found: DifferenceView, stream: TextIO) -> None:
    """A row a change: kind, the row's values now, and what the changed one was."""
    writer = csv.writer(stream, lineterminator="\n")
    columns = ListedView.__struct_fields__
    writer.writerow(("change", *columns, "was"))
    for kind, rows in as_flat(found).items():
        for row in rows:
            values = (kind, *(row[column] or "" for column in columns), row.get("was") or "")
            writer.writerow([with_mark(value) for value in values])
