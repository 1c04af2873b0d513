"""回避: which claims an officer leaves to others, and why: said once for one claim, for sets, for lists of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, text
from sqlalchemy.orm import aliased

from domain.actor import Actor, Post, Scope, excluded_with
from domain.errors import Conflict, Forbidden
from domain.identity import mask_name
from domain.relative import Bar
from service.claims.tables import ClaimRow
from service.clock import SHANGHAI
from service.crypto import keyring
from service.database import Tx

#: Why an officer leaves a claim `c` to others, whatever they did with it, over what `barred_by` gives.
_PARTIAL = {
    Bar.OWN: """(c.person_id = ANY (CAST(:own AS uuid[]))
        OR EXISTS (SELECT FROM users u WHERE u.id = c.filed_by AND u.person_id = ANY (CAST(:own AS uuid[]))))""",
    Bar.RELATIVE: """EXISTS (
        SELECT FROM unnest(CAST(:kin AS uuid[]), CAST(:untils AS timestamptz[])) AS kin (id, until)
         WHERE kin.id = c.person_id AND c.filed_at < kin.until)""",
    Bar.RECUSED: """EXISTS (
        SELECT FROM claim_recusals r WHERE r.claim_id = c.id AND r.person_id = ANY (CAST(:own AS uuid[])))""",
}
#: And that they acted on it in a post that excludes the one they act in, or that somebody has taken it.
_BARS = {
    **_PARTIAL,
    Bar.ACTED_ON: """EXISTS (
        SELECT FROM journal j
         WHERE j.subject_kind = 'claim' AND j.subject_id = c.id
           AND j.actor_person_id = ANY (CAST(:own AS uuid[])) AND j.actor_name = ANY (CAST(:excluded AS text[])))""",
    Bar.LEASED: """EXISTS (
        SELECT FROM claim_leases l
         WHERE l.claim_id = c.id AND l.until > :now AND l.person_id <> ALL (CAST(:own AS uuid[])))""",
}


def _first_of(bars: Mapping[Bar, str]) -> str:
    cases = (f"WHEN {condition} THEN '{bar}'" for bar, condition in bars.items())
    return f"CASE {' '.join(cases)} END"


#: Why a claim is left to others; NULL: it is not.
BARRED = _first_of(_BARS)
#: That it is not, said so that the planner sees that nearly all are: of `BARRED IS NULL` it expects one in two
#: hundred, and sorts a whole district where a page was asked for.
FREE = " AND ".join(f"NOT {condition}" for condition in _BARS.values())


def partial_is(officer: str) -> str:
    """That an officer is partial to a claim `c`, for statements over many officers: the arrays `own`, `kin` and
    `untils` are columns of the row called `officer`."""
    return f"({' OR '.join(_of_row(condition, officer) for condition in _PARTIAL.values())})"


def acted_on_by(officer: str) -> str:
    """The same for having acted on it in a post of `:excluded`."""
    return _of_row(_BARS[Bar.ACTED_ON], officer)


def _of_row(condition: str, officer: str) -> str:
    for name, kind in (("own", "uuid"), ("kin", "uuid"), ("untils", "timestamptz")):
        condition = condition.replace(f"CAST(:{name} AS {kind}[])", f"{officer}.{name}")
    return condition


_KIN = text("SELECT person_id, own, until FROM kin_of(:officer) ORDER BY person_id")
_WHY = text(f"SELECT {BARRED} AS bar FROM claims c WHERE c.id = :claim")  # noqa: S608 (our own constants)
_WHY_PARTIAL = text(f"SELECT {_first_of(_PARTIAL)} AS bar FROM claims c WHERE c.id = :claim")  # noqa: S608 (as above)
_ANY_PARTIAL = text(f"""
    SELECT c.id FROM claims c
     WHERE c.id = ANY (CAST(:claims AS uuid[])) AND {_first_of(_PARTIAL)} IS NOT NULL LIMIT 1
""")  # noqa: S608 (as above)
_TAKEN = text("""
    SELECT l.until, p.id, p.name_sealed FROM claim_leases l JOIN people p ON p.id = l.person_id
     WHERE l.claim_id = :claim
""")


async def barred_by(tx: Tx, me: Actor, post: Post, now: datetime) -> dict[str, Any]:
    """The values of `BARRED` for an officer who acts in `post`."""
    excluded = sorted(map(str, excluded_with(post, Scope.CLAIM)))
    return {**await _kin(tx, me), "excluded": excluded, "now": now}


async def _kin(tx: Tx, me: Actor) -> dict[str, Any]:
    rows = (await tx.execute(_KIN, {"officer": me.person_id})).all()
    relatives = [each for each in rows if not each.own]
    return {
        "own": [each.person_id for each in rows if each.own],
        "kin": [each.person_id for each in relatives],
        "untils": [each.until for each in relatives],
    }


async def left_to_others(
    tx: Tx, me: Actor, post: Post, claim_id: SQLColumnExpression[UUID | None]
) -> ColumnElement[bool]:
    """That the claim of that id is one which `must_not_be_barred` keeps from me for good, not because it is taken."""
    bars = [each for bar, each in _BARS.items() if bar is not Bar.LEASED]
    excluded = sorted(map(str, excluded_with(post, Scope.CLAIM)))
    return _one_of(bars, claim_id, {**await _kin(tx, me), "excluded": excluded})


async def partial_to(tx: Tx, me: Actor, claim_id: SQLColumnExpression[UUID]) -> ColumnElement[bool]:
    """That the claim of that id is my own, a relative's, or one that I left to others."""
    return _one_of(list(_PARTIAL.values()), claim_id, await _kin(tx, me))


def _one_of(
    bars: list[str], claim_id: SQLColumnExpression[UUID | None], given: dict[str, Any]
) -> ColumnElement[bool]:
    claim = aliased(ClaimRow, name="c")
    return exists().where(claim.id == claim_id, text(f"({' OR '.join(bars)})").bindparams(**given))


async def must_not_be_barred(tx: Tx, me: Actor, post: Post, claim_id: UUID, now: datetime) -> None:
    """Forbidden `claim.own`, `claim.relative`, `claim.recused`, `post.excluded`; Conflict `claim.leased` (who, until)
    while another officer has taken it."""
    given = {**await barred_by(tx, me, post, now), "claim": claim_id}
    await _refuse(tx, (await tx.execute(_WHY, given)).scalar_one_or_none(), claim_id)


async def must_be_impartial(tx: Tx, me: Actor, claim_id: UUID) -> None:
    """Forbidden `claim.own`, `claim.relative`, `claim.recused`: whatever else the officer did with it."""
    given = {**await _kin(tx, me), "claim": claim_id}
    await _refuse(tx, (await tx.execute(_WHY_PARTIAL, given)).scalar_one_or_none(), claim_id)


async def impartial_to(tx: Tx, me: Actor, claim_ids: Sequence[UUID]) -> bool:
    """Whether `must_be_impartial` holds for each of them."""
    given = {**await _kin(tx, me), "claims": list(claim_ids)}
    return (await tx.execute(_ANY_PARTIAL, given)).first() is None


async def _refuse(tx: Tx, bar: str | None, claim_id: UUID) -> None:
    match bar:
        case Bar.OWN:
            raise Forbidden("claim.own")
        case Bar.RELATIVE:
            raise Forbidden("claim.relative")
        case Bar.RECUSED:
            raise Forbidden("claim.recused")
        case Bar.ACTED_ON:
            raise Forbidden("post.excluded")
        case Bar.LEASED:
            await _refuse_taken(tx, claim_id)


async def _refuse_taken(tx: Tx, claim_id: UUID) -> None:
    taken = (await tx.execute(_TAKEN, {"claim": claim_id})).one_or_none()
    if taken is not None:  # else it was given back just now
        who, at = mask_name(keyring().open(taken.name_sealed, taken.id)), taken.until.astimezone(SHANGHAI)
        raise Conflict("claim.leased", who=who, until=at.isoformat(), at=f"{at:%H:%M}")
