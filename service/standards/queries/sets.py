"""Sets of standards: which there are, and one with its amounts."""

from uuid import UUID

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Select, func, select, tuple_

from domain.actor import Actor
from domain.errors import NotFound
from domain.level import LEVELS
from domain.money import format_yuan
from domain.period import day_before
from service.database import Tx
from service.standards.schemas import (
    AmountView,
    SetsView,
    SetView,
    SignatureView,
    WholeSetView,
    days_of,
    steps_of,
)
from service.standards.tables import StandardRow, StandardSetRow, StandardSignatureRow
from service.wording import words

#: The latest sets that are listed, and the amounts of a page.
SETS_MAX, PAGE = 200, 500


async def sets(tx: Tx, me: Actor | None) -> SetsView:
    """The latest sets, newest first."""
    newest = _sets().order_by(StandardSetRow.proposed_at.desc(), StandardSetRow.id).limit(SETS_MAX)
    return SetsView(await _views(tx, me, newest))


async def set_view(tx: Tx, me: Actor | None, set_id: UUID) -> SetView:
    """NotFound `standards.not_found`."""
    found = await _views(tx, me, _sets(StandardSetRow.id == set_id))
    if not found:
        raise NotFound("standards.not_found")
    return found[0]


async def whole_set(tx: Tx, me: Actor | None, set_id: UUID, after: str = "") -> WholeSetView:
    """A set with its formula and the amounts that follow `after` (`occupation level`), in order of occupation."""
    view, row = await set_view(tx, me, set_id), StandardRow
    occupation, _, level = after.partition(" ")
    of = StandardSetRow
    asked = select(of.formula, of.projects, of.facts).where(of.id == set_id)
    formula, projects, facts = (await tx.execute(asked)).one()
    page = (
        await tx.execute(
            select(row.occupation, row.level, row.facts, row.amount_fen, row.derivation)
            .where(row.set_id == set_id, tuple_(row.occupation, row.level) > tuple_(occupation, level))
            .order_by(row.occupation, row.level)
            .limit(PAGE + 1)
        )
    ).all()
    rows = [
        AmountView(
            *(each.occupation, each.level, LEVELS[each.level].name, each.facts),
            *(each.amount_fen, format_yuan(each.amount_fen), steps_of(each.derivation)),
        )
        for each in page[:PAGE]
    ]
    following = f"{rows[-1].occupation} {rows[-1].level}" if len(page) > PAGE else None
    return WholeSetView(**asdict(view), formula=formula, projects=projects, facts=facts, rows=rows, next=following)


def _sets(*where: ColumnElement[bool]) -> Select[tuple[StandardSetRow, int]]:
    amounts = select(func.count()).where(StandardRow.set_id == StandardSetRow.id).scalar_subquery()
    # a formula is long, and only who opens a set reads it
    shown = [each for each in StandardSetRow.__table__.c if each.name not in {"formula", "projects", "facts"}]
    return select(*shown, amounts.label("amounts")).where(*where)


async def _views(tx: Tx, me: Actor | None, asked: Select[tuple[StandardSetRow, int]]) -> list[SetView]:
    rows = (await tx.execute(asked)).all()
    signed: dict[UUID, list[SignatureView]] = {}
    of = StandardSignatureRow
    for each in await tx.execute(
        select(of.set_id, of.bureau, of.signed_at, of.person_id)
        .where(of.set_id.in_([row.id for row in rows]))
        .order_by(of.signed_at, of.bureau.desc())
    ):
        mine = me is not None and each.person_id == me.person_id
        signed.setdefault(each.set_id, []).append(SignatureView(each.bureau, each.signed_at, mine))
    return [
        SetView(
            id=row.id,
            year=row.year,
            revision=row.revision,
            status=row.status,
            status_name=words(f"status.{row.status}"),
            first=row.first,
            last=day_before(row.until),
            in_force=days_of(row.in_force),
            published_on=row.published_on,
            source=row.source,
            reason=row.reason,
            sample=row.sample,
            corrects=row.corrects_id,
            edition_id=row.edition_id,
            content_hash=row.content_hash,
            amounts=row.amounts,
            mine=me is not None and row.proposer_id == me.person_id,
            signatures=signed.get(row.id, []),
        )
        for row in rows
    ]
