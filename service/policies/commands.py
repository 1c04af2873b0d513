"""Load policy parameters as published; change one by two persons."""

from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import Range

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.period import parse_date
from domain.policy import check_value, must_be_another
from domain.text import trimmed
from service.database import Tx
from service.journal import By, record
from service.policies.queries import proposals
from service.policies.schemas import NewPolicy, ProposalView
from service.policies.tables import PolicyConfirmationRow, PolicyProposalRow, PolicyRow


async def load_parameters(tx: Tx, rows: list[dict[str, Any]]) -> int:
    """Put in the parameters (`key`, `value`, `from`, `source`, `basis`) whose key is not there yet.

    A key that is there is changed by two persons and in no other way; the database refuses another.
    """
    known = set((await tx.execute(select(PolicyRow.key))).scalars())
    loaded = 0
    for key, dated in groupby(sorted(rows, key=itemgetter("key")), itemgetter("key")):
        if key not in known:
            fresh = [_as_published(row) for row in dated]
            await tx.execute(insert(PolicyRow).values(fresh))
            loaded += len(fresh)
    return loaded


def _as_published(row: dict[str, Any]) -> dict[str, Any]:
    check_value(row["key"], row["value"])
    in_force: Range[date] = Range(row["from"], row.get("until"), bounds="[)")
    kept = {name: row[name] for name in ("key", "value", "source", "basis")}
    return {"id": uuid4(), "in_force": in_force, **kept}


async def propose(tx: Tx, me: Actor, new: NewPolicy, today: date, now: datetime) -> ProposalView:
    """What a parameter shall be from a day on: nothing changes until another person confirms it.

    Invalid where the key, its value, the day (`policy.in_past`: never before today) or the words are not right.
    """
    me.must_hold(Post.CATALOG_EDITOR)
    check_value(new.key, new.value)
    first = parse_date(new.first, "from")
    if first < today:
        raise Invalid("policy.in_past", field="from", today=today.isoformat())
    said = {name: trimmed(getattr(new, name), name, "words") for name in ("source", "basis")}
    row = {"id": uuid4(), "key": new.key, "value": new.value, "first": first, **said}
    await tx.execute(
        insert(PolicyProposalRow).values(**row, proposer_id=me.person_id, proposed_by=me.user_id, proposed_at=now)
    )
    by = By.actor(me, Post.CATALOG_EDITOR, now)
    after = {"key": new.key, "value": new.value, "first": first.isoformat(), "source": said["source"]}
    await record(tx, "policy", [row["id"]], "propose", by, [after], reason=said["basis"])
    return (await proposals(tx, me, row["id"])).proposals[0]


async def confirm(tx: Tx, me: Actor, proposal_id: UUID, today: date, now: datetime) -> ProposalView:
    """Another person puts a proposal in force; what held before ends the day before.

    Forbidden `policy.same_person`; Conflict `policy.too_late` when its day is past, `policy.confirmed` when it was
    confirmed before, `policy.later_in_force` (first) when the parameter was changed for that day or a later one.
    """
    me.must_hold(Post.CATALOG_PUBLISHER)
    row = (
        await tx.execute(select(PolicyProposalRow.__table__).where(PolicyProposalRow.id == proposal_id))
    ).one_or_none()
    if row is None:
        raise NotFound("policy.not_found")
    must_be_another(row.proposer_id, me.person_id)
    if row.first < today:
        raise Conflict("policy.too_late", first=row.first.isoformat())
    await _sign(tx, me, row, now)
    ended = await _end_former(tx, row.key, row.first)
    policy_id = uuid4()
    in_force: Range[date] = Range(row.first, None, bounds="[)")
    kept = {"key": row.key, "value": row.value, "source": row.source, "basis": row.basis}
    await tx.execute(insert(PolicyRow).values(id=policy_id, in_force=in_force, proposal_id=proposal_id, **kept))
    after = {"policy": str(policy_id), "ended": None if ended is None else str(ended)}
    await record(tx, "policy", [proposal_id], "confirm", By.actor(me, Post.CATALOG_PUBLISHER, now), [after])
    return (await proposals(tx, me, proposal_id)).proposals[0]


async def _sign(tx: Tx, me: Actor, proposal: Any, now: datetime) -> None:
    signed = select(PolicyConfirmationRow.proposal_id).where(PolicyConfirmationRow.proposal_id == proposal.id)
    if (await tx.execute(signed)).first():
        raise Conflict("policy.confirmed")
    await tx.execute(
        insert(PolicyConfirmationRow).values(
            proposal_id=proposal.id,
            proposer_id=proposal.proposer_id,
            person_id=me.person_id,
            confirmed_by=me.user_id,
            confirmed_at=now,
        )
    )


async def _end_former(tx: Tx, key: str, first: date) -> UUID | None:
    """End what holds on `first`; its id, or None for a parameter that nothing was said of yet."""
    row = PolicyRow
    # Another confirmation of the same key waits here, and then sees what this one put in force.
    await tx.execute(select(row.id).where(row.key == key).order_by(row.in_force).with_for_update())
    latest = (await tx.execute(select(func.max(func.lower(row.in_force))).where(row.key == key))).scalar_one()
    if latest is not None and latest >= first:
        raise Conflict("policy.later_in_force", first=latest.isoformat())
    ended = await tx.execute(
        update(row)
        .where(row.key == key, row.in_force.contains(first))
        .values(in_force=func.daterange(func.lower(row.in_force), first))
        .returning(row.id)
    )
    return ended.scalar_one_or_none()
