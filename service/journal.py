"""The journal, and the one door through which a status changes: `move` and `move_all`.

Every change of a guarded table has a journal row written in the same transaction; the database refuses the change
otherwise (trigger `guard_moves`). `after` holds each changed column's new value, so that laying the `after`s of a row
over each other in order of id gives the row's state (promise 12).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    column,
    func,
    insert,
    literal,
    select,
    text,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import Table
from sqlalchemy.sql import FromClause

from domain.actor import Actor
from domain.errors import Conflict, Invalid
from domain.lifecycle import A, Lifecycle, S
from domain.personal_number import holds_personal_number
from domain.text import must_hold_no_personal_number
from service.database import Base, Tx


class JournalRow(Base):
    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_subject", "subject_kind", "subject_id", "id"),
        # the seal's way to what is not sealed yet; it costs a writer nothing that could be measured
        Index(
            "ix_journal_xid",
            text("(xid::bigint)"),
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    action: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor_user_id: Mapped[UUID | None]
    actor_person_id: Mapped[UUID | None]
    actor_name: Mapped[str]  # the post they acted in, or the job's name
    reason: Mapped[str] = mapped_column(Text, server_default="")
    at: Mapped[datetime]
    #: The writing transaction: what the trigger looks for, and the order in which rows are sealed.
    xid: Mapped[str] = mapped_column(Text, server_default=text("(pg_current_xact_id())::text"))


class JournalBlockRow(Base):
    """A link of the chain that seals the journal (promise 12), appended by the database's `seal_journal` alone.

    All rows of transactions before (`upto_xid`, `upto_id`) are sealed, among those written since the backup
    `restore_id` was put back (0: there was none).
    """

    __tablename__ = "journal_blocks"
    __table_args__ = (
        CheckConstraint(
            "row_count > 0 AND row_count = cardinality(row_ids) AND row_count = cardinality(row_hashes)",
            name="counted",
        ),
        CheckConstraint("octet_length(hash) = 32 AND octet_length(previous) = 32", name="hashed"),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    previous: Mapped[bytes] = mapped_column(unique=True)  # the hash of the block before; zeros before the first
    hash: Mapped[bytes] = mapped_column(unique=True)
    restore_id: Mapped[int] = mapped_column(BigInteger)
    upto_xid: Mapped[int] = mapped_column(BigInteger)
    upto_id: Mapped[int] = mapped_column(BigInteger)
    row_count: Mapped[int] = mapped_column(Integer)
    row_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    row_hashes: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    sealed_at: Mapped[datetime]


class LifecycleMoveRow(Base):
    """The lifecycles of `domain/`, for the database's own guard. Filled by migrations; a test compares."""

    __tablename__ = "lifecycle_moves"

    noun: Mapped[str] = mapped_column(primary_key=True)
    before: Mapped[str] = mapped_column(primary_key=True)  # empty: the row comes into being
    action: Mapped[str] = mapped_column(primary_key=True)
    after: Mapped[str]


#: Who did something without being signed in: complained, objected.
ANYBODY = "anybody"


@dataclass(frozen=True)
class By:
    """Who did it and when. A machine acts under its job's name."""

    name: str
    at: datetime
    user_id: UUID | None = None
    person_id: UUID | None = None

    @classmethod
    def actor(cls, me: Actor, post: str, at: datetime) -> "By":
        return cls(post, at, me.user_id, me.person_id)

    def columns(self) -> dict[str, Any]:
        return {
            "actor_user_id": self.user_id,
            "actor_person_id": self.person_id,
            "actor_name": self.name,
            "at": self.at,
        }


@dataclass(frozen=True)
class Moved:
    """One row that changed its status."""

    id: UUID
    before: str
    after: str


async def record(
    tx: Tx,
    kind: str,
    ids: Sequence[UUID],
    action: str,
    by: By,
    after: Sequence[Mapping[str, Any]],
    reason: str = "",
    before: Sequence[Mapping[str, Any] | None] | None = None,
) -> None:
    """Journal rows for rows that come into being (or change outside a lifecycle); `after[i]` belongs to `ids[i]`, and
    so does `before[i]`, what the change replaced.

    Invalid `text.personal_number` for a reason, or a value of `after`, that names a person by number.
    """
    must_hold_no_personal_number(reason, "reason")
    for each in {id(a): a for a in after}.values():  # thousands of rows may share one
        _must_name_nobody(each)
    rows = [
        {
            "subject_kind": kind,
            "subject_id": i,
            "action": action,
            "before": b,
            "after": dict(a),
            "reason": reason,
            **by.columns(),
        }
        for i, a, b in zip(ids, after, before or [None] * len(ids), strict=True)
    ]
    if rows:
        await tx.execute(insert(JournalRow), rows)


def _must_name_nobody(told: Mapping[str, Any]) -> None:
    """Whatever is told here is kept for ever, in clear."""
    for field, value in told.items():
        if any(map(holds_personal_number, _texts(value))):
            raise Invalid("text.personal_number", field)


def _texts(value: object) -> Iterator[str]:
    """The strings in what is to become JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


async def acted_on(
    tx: Tx, kind: str, ids: Sequence[UUID], person_id: UUID, posts: Collection[str]
) -> frozenset[UUID]:
    """Those of `ids` on which this person has acted in one of `posts`: what keeps posts apart on one claim."""
    if not ids or not posts:
        return frozenset()
    row = JournalRow
    found = await tx.execute(
        select(row.subject_id)
        .where(
            row.subject_kind == kind,
            row.subject_id.in_(ids),
            row.actor_person_id == person_id,
            row.actor_name.in_([str(post) for post in posts]),
        )
        .distinct()
    )
    return frozenset(found.scalars())


async def move_all(
    tx: Tx,
    guarded: FromClause,
    lifecycle: Lifecycle[S, A],
    action: A,
    ids: Sequence[UUID],
    by: By,
    *,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> list[Moved]:
    """Move those of `ids` whose status allows `action`, in one statement, and journal each.

    The others stay untouched: compare the answer's length with `ids` where all must move. `guarded` is a row class's
    `__table__`; `changes` are further columns set to the same value in every moved row, and journalled. Invalid
    `text.personal_number` for a reason or a change that names a person by number.
    """
    must_hold_no_personal_number(reason, "note")
    table = cast(Table, guarded)
    legal = values(column("before", Text), column("after", Text), name="legal").data(
        [(str(before), str(after)) for before, after in lifecycle.sources(action).items()]
    )
    locked = (
        select(table.c.id, table.c.status)
        .where(table.c.id == func.any(literal(list(ids), ARRAY(table.c.id.type))))
        .order_by(table.c.id)
        .with_for_update()
        .cte("locked")
    )
    changes = dict(changes or {})
    changed = {name: value if isinstance(value, (int, str, dict)) else str(value) for name, value in changes.items()}
    _must_name_nobody(changed)
    moved = (
        update(table)
        .values(status=legal.c.after, **changes)
        .where(table.c.id == locked.c.id, locked.c.status == legal.c.before)
        .returning(table.c.id, locked.c.status.label("before"), table.c.status.label("after"))
        .cte("moved")
    )
    noted = (
        insert(JournalRow)
        .from_select(
            ["subject_kind", "subject_id", "action", "before", "after", "reason", *by.columns()],
            select(
                literal(lifecycle.noun),
                moved.c.id,
                literal(str(action)),
                func.jsonb_build_object("status", moved.c.before),
                func.jsonb_build_object("status", moved.c.after).op("||")(literal(changed, JSONB)),
                literal(reason),
                *(literal(value, JournalRow.__table__.c[name].type) for name, value in by.columns().items()),
            ),
        )
        .cte("noted")
    )
    rows = await tx.execute(select(moved.c.id, moved.c.before, moved.c.after).add_cte(noted))
    return [Moved(*row) for row in rows]


async def move(
    tx: Tx,
    guarded: FromClause,
    lifecycle: Lifecycle[S, A],
    action: A,
    row_id: UUID,
    by: By,
    *,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Moved:
    """Move one row, or raise Conflict `wrong_status` with the status it has."""
    moved = await move_all(tx, guarded, lifecycle, action, [row_id], by, reason=reason, changes=changes)
    if moved:
        return moved[0]
    status = (await tx.execute(select(guarded.c.status).where(guarded.c.id == row_id))).scalar_one_or_none()
    raise Conflict("wrong_status", noun=lifecycle.noun, status=status, action=str(action))
