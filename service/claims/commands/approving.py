"""Approve a set of claims, and look first at what would be approved: the same choice, and nothing changes."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.errors import Conflict, Invalid
from domain.identity import mask_name
from domain.level import LEVELS
from domain.money import format_yuan
from domain.period import parse_date
from domain.relative import Bar
from service.claims.commands.drawing import draw, surely_again
from service.claims.commands.leases import give_back
from service.claims.commands.moves import affordable, move_claims
from service.claims.queries.barring import BARRED, FREE, barred_by
from service.claims.schemas import (
    ApprovedView,
    DrawnClaim,
    LeftOutView,
    NewApproval,
    NewApprovalPreview,
    PreviewView,
    TallyView,
)
from service.clock import business_day
from service.crypto import keyring
from service.database import Tx
from service.journal import By
from service.wording import words

APPROVE_MAX = 2_000
#: The oldest claims that are looked at to say how many are left out.
LOOKED_AT_MAX = 10_000
#: Of those that would be approved, drawn to be looked at before.
DRAWN = 5

_HELD = "EXISTS (SELECT FROM claim_holds h WHERE h.claim_id = c.id AND h.lifted_at IS NULL)"


@dataclass(frozen=True)
class _Choice:
    """`claims` would be approved, in this order; for `unfunded` more the money does not last."""

    claims: Sequence[Row[Any]]
    unfunded: int

    @property
    def ids(self) -> list[UUID]:
        return [each.id for each in self.claims]

    @property
    def sum_fen(self) -> int:
        return sum(each.amount_fen for each in self.claims)

    @property
    def content_hash(self) -> str:
        lines = sorted(f"{each.id} {each.amount_fen}\n" for each in self.claims)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


async def approve_set(tx: Tx, me: Actor, chosen: NewApproval, now: datetime) -> ApprovedView:
    """Approve the oldest of my district's claims that fit, at most `limit`, for which its funds last; those I may not
    approve, those that are held, and those that another officer has taken, stay.

    `left` is how many would fit again: the next call takes them, but for those that wait for money (`unfunded`).
    Conflict `approve.changed` (count, sum) where they are not those that `shown` says.
    """
    choice, by = await _choose(tx, me, chosen, now), By.actor(me, Post.REVIEWER, now)
    shown = chosen.shown
    if shown and (shown.count, shown.sum_fen, shown.hash) != (len(choice.ids), choice.sum_fen, choice.content_hash):
        raise Conflict("approve.changed", count=len(choice.ids), sum_fen=choice.sum_fen)
    moved = await move_claims(tx, ClaimAction.APPROVE, choice.ids, by)
    approved = [each.id for each in moved]
    again = await draw(tx, me, approved, business_day(now), now)
    await give_back(tx, approved)
    left = await _fitting(tx, me, chosen, now, APPROVE_MAX)
    return ApprovedView(len(approved), len(left), choice.unfunded, again)


async def preview(tx: Tx, me: Actor, chosen: NewApprovalPreview, now: datetime) -> PreviewView:
    """What `approve_set` would do with the same choice now. Which claims a sample would draw, nobody can say."""
    choice = await _choose(tx, me, chosen, now)
    left_out = await _left_out(tx, me, chosen, now)
    bars = [LeftOutView(bar, words(f"bar.{bar}"), count) for bar, count in sorted(left_out.items())]
    return PreviewView(
        count=len(choice.ids),
        sum_fen=choice.sum_fen,
        sum=format_yuan(choice.sum_fen),
        hash=choice.content_hash,
        by_item=_tally(choice, lambda each: (each.item_code or each.item_name, each.item_name)),
        by_level=_tally(choice, lambda each: (each.level, LEVELS[each.level].name)),
        by_channel=_tally(choice, lambda each: (each.channel, words(f"channel.{each.channel}"))),
        left_out=bars,
        unfunded=choice.unfunded,
        second_reviews=await surely_again(tx, choice.ids, business_day(now)),
        drawn=await _drawn(tx, choice),
    )


async def _drawn(tx: Tx, choice: _Choice) -> list[DrawnClaim]:
    """A few, by chance: whoever approves many has looked at some that nobody chose for them."""
    some = secrets.SystemRandom().sample(list(choice.claims), min(DRAWN, len(choice.claims)))
    named = text("""
        SELECT c.id, p.id AS person_id, p.name_sealed FROM claims c JOIN people p ON p.id = c.person_id
         WHERE c.id = ANY (CAST(:ids AS uuid[]))
    """)
    rows, keys = await tx.execute(named, {"ids": [each.id for each in some]}), keyring()
    names = {row.id: mask_name(keys.open(row.name_sealed, row.person_id)) for row in rows}
    return [
        DrawnClaim(
            *(each.id, names[each.id], each.item_name, LEVELS[each.level].short),
            *(words(f"channel.{each.channel}"), each.amount_fen),
        )
        for each in some
    ]


async def _choose(tx: Tx, me: Actor, chosen: NewApprovalPreview, now: datetime) -> _Choice:
    """Claims and positions of funds stay locked until the transaction ends."""
    if not 1 <= chosen.limit <= APPROVE_MAX:
        raise Invalid("limit.range", field="limit", most=APPROVE_MAX)
    if chosen.status != ClaimStatus.VERIFIED:
        raise Invalid("approve.only_verified", field="status")
    fitting = {row.id: row for row in await _fitting(tx, me, chosen, now, chosen.limit)}
    funded, unfunded = await affordable(tx, list(fitting), By.actor(me, Post.REVIEWER, now))
    return _Choice([fitting[each] for each in funded], unfunded)


async def _fitting(tx: Tx, me: Actor, chosen: NewApprovalPreview, now: datetime, limit: int) -> Sequence[Row[Any]]:
    asked = text(f"""
        SELECT c.id, c.amount_fen, c.level, c.channel, i.code AS item_code, i.name AS item_name
          FROM claims c JOIN catalog_items i ON i.id = c.item_id
         WHERE {_which(me, chosen)} AND {FREE} AND NOT {_HELD}
         ORDER BY c.filed_on, c.id LIMIT :limit
    """)  # noqa: S608 (our own constants)
    return (await tx.execute(asked, {**await _given(tx, me, chosen, now), "limit": limit})).all()


async def _left_out(tx: Tx, me: Actor, chosen: NewApprovalPreview, now: datetime) -> Counter[Bar]:
    asked = text(f"""
        SELECT coalesce({BARRED}, CASE WHEN {_HELD} THEN 'held' END) AS bar
          FROM claims c WHERE {_which(me, chosen)} ORDER BY c.filed_on, c.id LIMIT :limit
    """)  # noqa: S608 (our own constants)
    rows = await tx.execute(asked, {**await _given(tx, me, chosen, now), "limit": LOOKED_AT_MAX})
    return Counter(Bar(bar) for bar in rows.scalars() if bar is not None)


def _which(me: Actor, chosen: NewApprovalPreview) -> str:
    """Said with the status in clear, so that the index of what waits for a reviewer serves."""
    district = "AND c.district = :district" if me.district else ""
    until = "AND c.filed_on <= :filed_to" if chosen.filed_to else ""
    return f"c.status = 'verified' {district} {until}"


async def _given(tx: Tx, me: Actor, chosen: NewApprovalPreview, now: datetime) -> dict[str, Any]:
    given = await barred_by(tx, me, Post.REVIEWER, now)
    if me.district:
        given["district"] = me.district
    if chosen.filed_to:
        given["filed_to"] = parse_date(chosen.filed_to, "filed_to")
    return given


def _tally(choice: _Choice, key: Any) -> list[TallyView]:
    """By what `key` gives, code and name: how many and how much, the most first."""
    counts, sums = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in choice.claims:
        counts[key(each)] += 1
        sums[key(each)] += each.amount_fen
    return [TallyView(code, name, count, sums[code, name]) for (code, name), count in counts.most_common()]
