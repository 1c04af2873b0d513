"""Read users as actors, whom they declared as relatives, and what they typed when a session ended."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select

from domain.actor import Actor, Post
from domain.identity import NationalId
from domain.relative import Relation
from service.access.schemas import RelativesView, RelativeView
from service.access.tables import DeclaredRelativeRow, DistrictRow, KeptFormRow, SecondFactorRow, UserPostRow, UserRow
from service.crypto import keyring
from service.database import Tx
from service.wording import words

#: For how many minutes a form is kept for whoever has to sign in again.
FORMS_KEPT = 120


@dataclass(frozen=True)
class LoginAccount:
    actor: Actor
    password_hash: str = field(repr=False)


async def account_for_login(tx: Tx, login: str) -> LoginAccount | None:
    """The user with this login, unless disabled."""
    user = UserRow
    posts = select(func.array_agg(UserPostRow.post)).where(UserPostRow.user_id == user.id).scalar_subquery()
    row = (
        await tx.execute(
            select(user.id, user.person_id, user.district, user.institution_id, user.password_hash, posts).where(
                user.login == login, user.disabled_at.is_(None)
            )
        )
    ).one_or_none()
    if row is None:
        return None
    held = frozenset(Post(post) for post in row[5] or [])
    return LoginAccount(Actor(row.id, row.person_id, held, row.district, row.institution_id), row.password_hash)


_NAMES = select(DistrictRow.code, DistrictRow.name).order_by(DistrictRow.code)


async def district_names(tx: Tx) -> dict[str, str]:
    """Code → name of every district and zone."""
    return {row.code: row.name for row in await tx.execute(_NAMES)}


async def claimable_districts(tx: Tx) -> list[tuple[str, str]]:
    """Code and name of where one can claim: in a district or a zone, not in the whole city."""
    return [(row.code, row.name) for row in await tx.execute(_NAMES.where(DistrictRow.kind != "city"))]


async def my_relatives(tx: Tx, me: Actor) -> RelativesView:
    """Whom I declared, the latest first."""
    row, keys = DeclaredRelativeRow, keyring()
    asked = select(row.id, row.number_sealed, row.relation, row.declared_at, row.ended_at)
    rows = await tx.execute(asked.where(row.person_id == me.person_id).order_by(row.declared_at.desc(), row.id))
    return RelativesView(
        [
            RelativeView(
                each.id,
                NationalId(keys.open(each.number_sealed, each.id)).masked(),
                Relation(each.relation),
                words(f"relation.{each.relation}"),
                each.declared_at,
                each.ended_at,
            )
            for each in rows
        ]
    )


async def kept_form(tx: Tx, me: Actor, page: str) -> dict[str, str] | None:
    """What I typed on this page when my session had ended, or put aside; None where nothing is kept."""
    row = KeptFormRow
    mine = (row.user_id == me.user_id, row.page_index == keyring().blind_index("page", page))
    fresh = row.kept_at > func.now() - timedelta(minutes=FORMS_KEPT)
    found = (await tx.execute(select(row.id, row.typed_sealed).where(*mine, fresh))).one_or_none()
    if found is None:
        return None
    typed: dict[str, str] = json.loads(keyring().open(found.typed_sealed, found.id))
    return typed


async def factor_since(tx: Tx, me: Actor) -> tuple[bool, datetime | None]:
    """Whether codes of a telephone of mine count, and since when it is enrolled; None where there is none."""
    row = SecondFactorRow
    asked = select(row.confirmed_at, row.enrolled_at).where(row.user_id == me.user_id, row.ended_at.is_(None))
    found = (await tx.execute(asked)).one_or_none()
    return (found.confirmed_at is not None, found.enrolled_at) if found else (False, None)
