"""What is due: the payable claims that a batch takes, by its filter."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ScalarSelect, Select, SQLColumnExpression, func, select
from sqlalchemy.sql import ColumnElement

from domain.actor import Actor
from domain.claim import Channel, ClaimStatus
from domain.money import format_yuan
from service.batches.schemas import BatchFilter, DueList, DueView
from service.claims.queries.care import held, in_district
from service.claims.tables import ClaimRow
from service.database import Tx
from service.funds.tables import FundRow, PositionRow, ReservationRow

_PAID: Mapping[str, ColumnElement[bool]] = {
    "person": ClaimRow.payee_institution_id.is_(None),
    "institution": ClaimRow.payee_institution_id.is_not(None) & (ClaimRow.channel != Channel.ENTERPRISE),
    "enterprise": ClaimRow.payee_institution_id.is_not(None) & (ClaimRow.channel == Channel.ENTERPRISE),
}


def due_to(opener: UUID | ScalarSelect[UUID], *columns: SQLColumnExpression[Any]) -> Select[*tuple[Any, ...]]:
    """`columns` of what a batch that this person opens takes: payable claims and the position that holds their money.

    Not what is held, and none of the opener's own: nobody acts on those.
    """
    return (
        select(*columns)
        .select_from(ClaimRow)
        .join(ReservationRow, ReservationRow.claim_id == ClaimRow.id)
        .join(PositionRow, PositionRow.id == ReservationRow.position_id)
        .where(ClaimRow.status == ClaimStatus.PAYABLE, ClaimRow.person_id != opener, ~held())
    )


def let_through(filtered: BatchFilter) -> list[ColumnElement[bool]]:
    """The conditions that a filter sets for claims."""
    conditions: list[ColumnElement[bool]] = []
    if filtered.filed_from:
        conditions.append(ClaimRow.filed_on >= filtered.filed_from)
    if filtered.filed_to:
        conditions.append(ClaimRow.filed_on <= filtered.filed_to)
    if filtered.kinds:
        conditions.append(ClaimRow.kind.in_(map(str, filtered.kinds)))
    if filtered.payee:
        conditions.append(_PAID[filtered.payee])
    return conditions


def stored_filter(filtered: BatchFilter, limit: int) -> dict[str, Any]:
    """As a batch keeps it, with how many claims it takes at most."""
    return {**msgspec.to_builtins(filtered), "limit": limit}


def filter_of(stored: Mapping[str, Any]) -> BatchFilter:
    """The filter of a batch; those of before say less."""
    return msgspec.convert({name: value for name, value in stored.items() if name != "limit"}, BatchFilter)


async def list_due(
    tx: Tx, me: Actor, filtered: BatchFilter | None = None, fund: str | None = None, district: str | None = None
) -> DueList:
    """What batches that `me` opened now with this filter would take, by district and fund, within the asker's
    district: how many claims, over how much."""
    by = (ClaimRow.district, FundRow.code, FundRow.name)
    asked = (
        due_to(me.person_id, *by, func.count().label("count_"), func.sum(ClaimRow.amount_fen).label("sum_fen"))
        .join(FundRow, FundRow.code == PositionRow.fund)
        .where(in_district(me), *let_through(filtered or BatchFilter()))
        .group_by(*by)
        .order_by(ClaimRow.district, FundRow.code)
    )
    if fund is not None:
        asked = asked.where(FundRow.code == fund)
    if district is not None:
        asked = asked.where(ClaimRow.district == district)
    return DueList(
        [
            DueView(row.district, row.code, row.name, row.count_, int(row.sum_fen), format_yuan(int(row.sum_fen)))
            for row in await tx.execute(asked)
        ]
    )
