"""What an institution's clerk sees of their rosters, and what a worker needs to read one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, func, select, true, tuple_

from domain.actor import Actor
from domain.errors import NotFound
from domain.identity import NationalId, mask_name
from domain.roster import Reason, RosterStatus
from domain.text import half_width
from service.claims.schemas import ReasonView, RosterLineView, RosterPage, RosterProblem, RostersView, RosterView
from service.claims.tables import RosterLineRow, RosterPortionRow, RosterRow
from service.crypto import keyring
from service.cursors import cursor_of, read_cursor
from service.database import Tx
from service.gateways.roster_sheets import BY_FIELD, RosterPart
from service.wording import words

_NAMES = frozenset({"trainee.name", "account.holder"})
_NUMBERS = frozenset({"trainee.id_number", "trainee.phone", "account.number", "group.proof_number"})
#: Digits and letters enough to be somebody's number.
_LONG_RUN = re.compile(r"(\w{3})(\w{4,})(\w{4})")
#: Of a cell that is shown back.
_SHOWN_LENGTH_MAX = 60


class Upload(NamedTuple):
    """A file as it came; `kind` is csv or xlsx."""

    data: bytes
    kind: str


async def upload_of(tx: Tx, roster_id: UUID) -> Upload | None:
    """The file of a roster that is still to be read; None when it was."""
    row = RosterRow
    asked = select(row.bytes_sealed, row.kind).where(row.id == roster_id, row.status == RosterStatus.RECEIVED)
    found = (await tx.execute(asked)).one_or_none()
    return Upload(keyring().open_bytes(found.bytes_sealed, roster_id), found.kind) if found else None


def _visible_to(me: Actor) -> ColumnElement[bool]:
    """A roster is its institution's alone (promise 15)."""
    return RosterRow.institution_id == me.institution_id


def _shown() -> Select[*tuple[Any, ...]]:
    roster, portion = RosterRow, RosterPortionRow
    counted = (
        select(
            func.coalesce(func.sum(portion.filed), 0).label("filed"),
            func.coalesce(func.sum(portion.refused), 0).label("refused"),
        )
        .where(portion.roster_id == roster.id)
        .lateral()
    )
    return select(
        roster.id,
        roster.status,
        roster.kind,
        roster.sha256,
        roster.class_number,
        roster.received_at,
        roster.line_count,
        roster.rejection,
        counted.c.filed,
        counted.c.refused,
    ).join(counted, onclause=true())


def _about(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "status_name": words(f"status.{row.status}"),
        "kind": row.kind,
        "sha256": row.sha256,
        "class_number": row.class_number,
        "received_at": row.received_at,
        "lines": row.line_count,
        "filed": row.filed,
        "refused": row.refused,
        "waiting": (row.line_count or 0) - row.filed - row.refused,
        "rejection": _problem(row.rejection) if row.rejection else None,
    }


def _problem(told: Mapping[str, Any]) -> RosterProblem:
    return RosterProblem(told["field"], told["code"], words(told["code"], told["facts"]))


async def roster_view(tx: Tx, me: Actor, roster_id: UUID) -> RosterView:
    """How far a roster is; NotFound `roster.not_found`, also for another institution's."""
    return RosterView(**_about(await _row(tx, me, roster_id)))


async def _row(tx: Tx, me: Actor, roster_id: UUID) -> Any:
    row = (await tx.execute(_shown().where(RosterRow.id == roster_id, _visible_to(me)))).one_or_none()
    if row is None:
        raise NotFound("roster.not_found")
    return row


async def rosters_page(tx: Tx, me: Actor, *, cursor: str | None, limit: int) -> RostersView:
    """A page of my institution's rosters, newest first; `cursor` as the page before gave it."""
    place = tuple_(RosterRow.received_at, RosterRow.id)
    asked = _shown().where(_visible_to(me))
    if cursor:
        asked = asked.where(place < tuple_(*read_cursor(cursor)))
    newest = asked.order_by(RosterRow.received_at.desc(), RosterRow.id.desc()).limit(limit + 1)
    rows = (await tx.execute(newest)).all()
    following = cursor_of(rows[limit - 1].received_at, rows[limit - 1].id) if len(rows) > limit else None
    return RostersView([RosterView(**_about(row)) for row in rows[:limit]], following)


async def roster_page(
    tx: Tx, me: Actor, roster_id: UUID, *, after: int, limit: int, outcome: str | None
) -> RosterPage:
    """How far a roster is, and a page of what became of its lines, in the order of the sheet."""
    row = await _row(tx, me, roster_id)
    line = RosterLineRow
    asked = select(line.line, line.portion_id, line.outcome, line.claim_id, line.reasons).where(
        line.roster_id == roster_id, line.line > after
    )
    if outcome:
        asked = asked.where(line.outcome == outcome)
    found = (await tx.execute(asked.order_by(line.line).limit(limit + 1))).all()
    shown = found[:limit]
    who = await _who(tx, {each.portion_id for each in shown}, {each.line for each in shown})
    results = []
    for each in shown:
        typed = who[each.line]
        name, number = typed.get("trainee.name", ""), typed.get("trainee.id_number", "")
        masked = (mask_name(name.strip()) if name else "", _masked(number))
        reasons = reason_views(each.reasons)
        for reason in reasons:
            reason.typed = _shown_back(reason.field, typed.get(reason.field, "").strip())
        results.append(RosterLineView(each.line, each.outcome, each.claim_id, *masked, reasons))
    return RosterPage(**_about(row), results=results, next=shown[-1].line if len(found) > limit else None)


async def _who(tx: Tx, portions: set[UUID], lines: set[int]) -> dict[int, dict[str, str]]:
    """Line → field → what was typed there."""
    portion = RosterPortionRow
    sealed = await tx.execute(select(portion.id, portion.lines_sealed).where(portion.id.in_(portions)))
    found = {}
    for portion_id, envelope in sealed:
        part = opened(envelope, portion_id)
        for line in part.lines:
            if line.number in lines:
                found[line.number] = part.typed(line)
    return found


def _shown_back(field: str, typed: str) -> str:
    """What stands in a cell, so that it is found there: of a person's name or number only the ends."""
    if field in _NAMES:
        return mask_name(typed) if typed else ""
    if field in _NUMBERS:
        return _LONG_RUN.sub(lambda run: f"{run[1]}{'*' * len(run[2])}{run[3]}", typed[:_SHOWN_LENGTH_MAX])
    return typed[:_SHOWN_LENGTH_MAX]


def _masked(number: str) -> str:
    """Whatever was typed there: what is no id number might be another secret, and is hidden whole."""
    plain = half_width(number).strip()
    return NationalId(plain).masked() if len(plain) == 18 else "*" * min(len(plain), 18)


def opened(envelope: bytes, portion_id: UUID) -> RosterPart:
    """The lines of a portion, as they were typed."""
    return msgspec.json.decode(keyring().open_bytes(envelope, portion_id), type=RosterPart)


def reason_views(reasons: Sequence[Mapping[str, Any]]) -> list[ReasonView]:
    """Stored reasons in words, under the headings of the template."""
    told = [msgspec.convert(each, Reason) for each in reasons]
    return [ReasonView(each.field, _heading(each.field), each.code, words(each.code, each.facts)) for each in told]


def _heading(field: str) -> str:
    return BY_FIELD[field].heading if field in BY_FIELD else ""
