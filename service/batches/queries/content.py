"""What a batch is made of, as whoever signs it reads it: parts that add up to the total, the funds, a sample."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import case, func, select, tuple_
from sqlalchemy.sql import ColumnElement

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.identity import mask_name
from service.batches.queries.batches import must_see
from service.batches.schemas import ContentView, FundShareView, PartView, RecheckView, SampleLineView
from service.batches.tables import AttemptRow, RegisterCheckRow
from service.catalog.tables import CatalogItemRow
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.funds.tables import PositionRow, ReservationRow
from service.people.tables import AccountRow

SAMPLE_LINES = 5
#: What `grouping(level, channel)` says of a row: which of the two it does not go by, the last bit the second.
_OF_LEVEL, _OF_CHANNEL = 1, 2


async def content_of(tx: Tx, me: Actor, batch_id: UUID) -> ContentView:
    """The parts of a batch of my district. NotFound `batch.not_found`."""
    await must_see(tx, me, batch_id)
    paid = _paid_in(batch_id)
    parts = await _parts(tx, *paid)
    return ContentView(
        by_level=parts.by_level,
        by_channel=parts.by_channel,
        largest_fen=parts.largest_fen,
        payees=parts.payees,
        again=await _again(tx, *paid),
        shared_accounts=await _shared_accounts(tx, *paid),
    )


def _paid_in(batch_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return AttemptRow.batch_id == batch_id, AttemptRow.status != str(AttemptStatus.VOID)


@dataclass
class _Parts:
    by_level: list[PartView] = field(default_factory=list)
    by_channel: list[PartView] = field(default_factory=list)
    largest_fen: int = 0
    payees: int = 0


async def _parts(tx: Tx, *paid: ColumnElement[bool]) -> _Parts:
    """Its lines looked at once: by level, by channel, and all of them."""
    attempt, claim = AttemptRow, ClaimRow
    payee = func.coalesce(claim.payee_institution_id, claim.person_id)
    rows = await tx.execute(
        select(
            *(claim.level, claim.channel, func.grouping(claim.level, claim.channel).label("of")),
            *(func.count().label("lines"), func.sum(attempt.amount_fen).label("fen")),
            *(func.max(attempt.amount_fen).label("largest"), func.count(payee.distinct()).label("payees")),
        )
        .join(claim, claim.id == attempt.claim_id)
        .where(*paid)
        .group_by(func.grouping_sets(tuple_(claim.level), tuple_(claim.channel), tuple_()))
        .order_by(claim.level, claim.channel)
    )
    found = _Parts()
    for row in rows:
        if row.of == _OF_LEVEL:
            found.by_level.append(PartView(row.level, row.lines, int(row.fen)))
        elif row.of == _OF_CHANNEL:
            found.by_channel.append(PartView(row.channel, row.lines, int(row.fen)))
        else:
            found.largest_fen, found.payees = row.largest or 0, row.payees
    return found


async def _again(tx: Tx, *paid: ColumnElement[bool]) -> int:
    """How many of its payments were tried before, in another batch, and failed or came back."""
    before = AttemptRow.__table__.alias("before")
    tried = (
        select(before.c.id)
        .where(
            before.c.claim_id == AttemptRow.claim_id,
            before.c.id != AttemptRow.id,
            before.c.status.in_([str(AttemptStatus.FAILED), str(AttemptStatus.RETURNED)]),
        )
        .exists()
    )
    return (await tx.execute(select(func.count()).where(*paid, tried))).scalar_one()


async def _shared_accounts(tx: Tx, *paid: ColumnElement[bool]) -> int:
    """How many payments go to an account that another person of the batch is paid to as well."""
    account, claim = AccountRow, ClaimRow
    of_several = (
        select(func.count().label("lines"))
        .select_from(AttemptRow)
        .join(claim, claim.id == AttemptRow.claim_id)
        .join(account, account.id == claim.account_id)
        .where(*paid, claim.payee_institution_id.is_(None))
        .group_by(account.number_index, account.bank_code)
        .having(func.count(claim.person_id.distinct()) > 1)
        .subquery()
    )
    return int((await tx.execute(select(func.coalesce(func.sum(of_several.c.lines), 0)))).scalar_one())


async def rechecks_of(tx: Tx, me: Actor, batch_id: UUID) -> list[RecheckView]:
    """When its claims were looked at again, and how many were stopped. NotFound `batch.not_found`."""
    await must_see(tx, me, batch_id)
    row = RegisterCheckRow
    asked = select(row.step, row.checked_at, row.claims, row.stopped).where(row.batch_id == batch_id)
    return [RecheckView(*each) for each in await tx.execute(asked.order_by(row.checked_at, row.step))]


async def funds_of(tx: Tx, me: Actor, batch_id: UUID) -> list[FundShareView]:
    """The positions that hold the batch's money, and how much of it waits in each to be sent. NotFound
    `batch.not_found`."""
    await must_see(tx, me, batch_id)
    held, position = ReservationRow, PositionRow
    waits = func.sum(case((held.pot == "reserved", held.amount_fen), else_=0))
    rows = await tx.execute(
        select(
            *(position.year, position.appropriated_fen, position.paid_fen, position.in_flight_fen),
            waits.label("waits"),
        )
        .select_from(AttemptRow)
        .join(held, held.claim_id == AttemptRow.claim_id)
        .join(position, position.id == held.position_id)
        .where(*_paid_in(batch_id))
        .group_by(position.id)
        .order_by(position.year)
    )
    return [
        FundShareView(row.year, row.appropriated_fen, row.paid_fen, row.in_flight_fen, int(row.waits)) for row in rows
    ]


async def sample_of(tx: Tx, me: Actor, batch_id: UUID, seed: int) -> list[SampleLineView]:
    """A few lines drawn by `seed`: the same seed draws the same lines, another draws others. Masked."""
    await must_see(tx, me, batch_id)
    attempt, place = AttemptRow, func.md5(func.concat(str(seed), ":", AttemptRow.reference))
    drawn = (
        select(attempt, place.label("place"))
        .where(*_paid_in(batch_id))
        .order_by(place)
        .limit(SAMPLE_LINES)
        .subquery()  # what a line is for is looked up for those few
    )
    rows = await tx.execute(
        select(drawn, CatalogItemRow.name.label("item"), ClaimRow.level)
        .join(ClaimRow, ClaimRow.id == drawn.c.claim_id)
        .join(CatalogItemRow, CatalogItemRow.id == ClaimRow.item_id)
        .order_by(drawn.c.place)
    )
    keys = keyring()
    return [
        SampleLineView(
            row.reference,
            mask_name(keys.open(row.payee_sealed, row.id)),
            row.account_tail,
            row.item,
            row.level,
            row.amount_fen,
        )
        for row in rows
    ]
