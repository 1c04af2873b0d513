"""Who is asking: opaque sessions for pages and for the API, and the guards of routes."""

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from domain.actor import Actor, Post, StepUp
from domain.errors import Forbidden, SignedOut
from service.crypto import keyring
from service.database import Base, Tx, fetch_alone
from service.settings import settings

SESSION_HOURS = 8
#: So long after a session ran out its cookie still says whose it was, so that what they send then is not lost.
REMEMBERED = timedelta(days=1)
COOKIE = "zhida_session"
#: Where no cookie says who asks: programs bring a token, and whoever only reads needs to be nobody.
_WITHOUT_FORMS = (
    r"^/($|(api|catalog|static|schema|health|metrics|text|institutions|bodies|how|accessibility|privacy)(/|$))"
)
#: The header by which a signature brings the token of a step-up.
STEP_UP = "zhida-step-up"
#: The name of the option by which a route says that anybody may ask it.
PUBLIC = "public"
#: The options of a page for anybody that has no form: no cookie of forms goes with it, which a cache on the way could
#: hand to somebody else together with the page.
NO_FORM = MappingProxyType({PUBLIC: True, "exclude_from_csrf": True})


class SessionRow(Base):
    """A signed-in user. Posts and scope are copied here; access deletes the row when they change."""

    __tablename__ = "sessions"

    token_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(index=True)
    person_id: Mapped[UUID]
    posts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    district: Mapped[str | None]
    institution_id: Mapped[UUID | None]
    expires_at: Mapped[datetime]


# Every request asks this.
_WHOSE = """
    SELECT user_id, person_id, posts, district, institution_id
      FROM sessions WHERE token_sha256 = $1::bytea AND expires_at > now()
"""


@dataclass(frozen=True)
class Session:
    token: str
    seconds: int


async def open_session(tx: Tx, me: Actor) -> Session:
    """A new session of `me`; the token is answered once and only its hash is stored."""
    token = secrets.token_urlsafe(32)
    life = timedelta(hours=SESSION_HOURS)
    await tx.execute(
        insert(SessionRow).values(
            token_sha256=digest(token),
            user_id=me.user_id,
            person_id=me.person_id,
            posts=sorted(me.posts),
            district=me.district,
            institution_id=me.institution_id,
            expires_at=func.now() + life,
        )
    )
    return Session(token, int(life.total_seconds()))


async def close_session(tx: Tx, token: str) -> None:
    """End the session of `token`."""
    await tx.execute(delete(SessionRow).where(SessionRow.token_sha256 == digest(token)))


async def must_be_signed_in(tx: Tx, session: bytes) -> None:
    """For who was asked something that takes its time, before they act: SignedOut `signed_out` where the session of
    this digest was closed meanwhile, as it is when somebody's posts change."""
    row = SessionRow
    live = select(row.user_id).where(row.token_sha256 == session, row.expires_at > func.now())
    if (await tx.execute(live)).first() is None:
        raise SignedOut("signed_out")


async def whose_session_ended(tx: Tx, token: str) -> UUID | None:
    """The user whose session of `token` ran out, not longer than a day ago; None where it lives, or was ended."""
    row = SessionRow
    ended = row.expires_at.between(func.now() - REMEMBERED, func.now())
    return (
        await tx.execute(select(row.user_id).where(row.token_sha256 == digest(token), ended))
    ).scalar_one_or_none()


async def close_all_sessions(tx: Tx) -> None:
    """Everybody signs in again."""
    await tx.execute(delete(SessionRow))


def digest(token: str) -> bytes:
    """Under which a token is stored."""
    return hashlib.sha256(token.encode()).digest()


def forms_of_pages() -> CSRFConfig:
    """Forms of pages carry a token that only our pages have. The API reads no cookie, so nobody's browser acts
    there, and takes none. Where there are no keys nobody signs in: the document of the API is made there."""
    return CSRFConfig(
        secret=keyring().blind_index("csrf", COOKIE).hex() if settings().key_file else secrets.token_hex(),
        cookie_name=f"{COOKIE}_form",
        cookie_httponly=True,
        cookie_secure=not settings().demo,
        cookie_samesite="lax",
        exclude=_WITHOUT_FORMS,
    )


def token_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The bearer token of an API call, else the cookie of a page with forms."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return connection.cookies.get(COOKIE) if not re.match(_WITHOUT_FORMS, connection.url.path) else None


async def actor_of(token: str) -> Actor | None:
    """The actor behind a token, by the session's hash; one statement, no transaction."""
    for user_id, person_id, posts, district, institution_id in await fetch_alone(_WHOSE, digest(token)):
        return Actor(user_id, person_id, frozenset(map(Post, posts)), district, institution_id)
    return None


class Authentication(AbstractAuthenticationMiddleware):
    """Puts the actor, or None, on the connection; guards decide what that means."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        token = token_of(connection)
        me = await actor_of(token) if token else None
        if me and token and (proof := connection.headers.get(STEP_UP)):
            me = replace(me, step_up=StepUp(digest(token), digest(proof)))
        return AuthenticationResult(user=me, auth=token)


@dataclass(frozen=True)
class Allowed:
    """A guard: signed in, and holding one of `posts` (any, when none is named). The OpenAPI document says which.

    A coroutine, because Litestar sends other functions to a thread.
    """

    posts: tuple[Post, ...]

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        me: Actor | None = connection.user
        if me is None:
            raise SignedOut("signed_out")
        if self.posts and not me.holds(*self.posts):
            raise Forbidden("post_missing", posts=sorted(self.posts))


def allow(*posts: Post) -> Allowed:
    """The guard of a route for whoever is signed in and holds one of `posts`."""
    return Allowed(posts)
