"""Users, their posts, signing in, and whom officers are related to."""

import asyncio
import re
from collections.abc import Collection
from datetime import date, datetime
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound, SignedOut
from domain.identity import NationalId, PersonName, Phone
from domain.personal_number import holds_personal_number
from domain.relative import RELATIVES_MAX
from service.access.commands.brakes import count_wrong, forget_wrong, must_be_heard, stand_in_line, watched
from service.access.queries import LoginAccount, account_for_login, my_relatives
from service.access.schemas import (
    NewRelative,
    NewSignIn,
    NewSignUp,
    NewStaff,
    RelativesView,
    SessionView,
    SignedUpView,
)
from service.access.tables import DeclaredRelativeRow, DistrictRow, UserPostRow, UserRow
from service.crypto import keyring
from service.database import Tx, transaction
from service.journal import By, record
from service.people.commands import NewPerson, ensure_person
from service.people.queries import find_people
from service.security import open_session
from service.settings import settings

#: Who decides on claims, or brings them further.
OFFICERS = (
    *(Post.ACCEPTOR, Post.REVIEWER, Post.SECOND_REVIEWER, Post.NOTICE_PUBLISHER),
    *(Post.MAKER, Post.CHECKER, Post.RELEASER),
)
PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX = 8, 200
_LOGIN = re.compile("[a-z0-9][a-z0-9@+._-]{1,63}")


def _hasher() -> PasswordHasher:
    """argon2id as its library advises; in the demo, whose people sign up by the hundred under a password that is
    published, at the least cost that OWASP names: 35 ms of a processor, not 280."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1) if settings().demo else PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Checked when the login is unknown, so that both refusals take the same time."""
    return _hasher().hash(str(uuid4()))


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def password_fits(stored: str, password: str) -> bool:
    """Whether it is the password whose hash is stored. No transaction should be open while argon2 works."""
    return await asyncio.to_thread(_fits, stored, password)


async def _at_full_cost(stored: str, password: str) -> str:
    """The hash to keep of a password that was right: the demo's cheap one is made anew where the service is real."""
    is_cheap = not settings().demo and _hasher().check_needs_rehash(stored)
    return await hash_password(password) if is_cheap else stored


async def sign_in(given: NewSignIn, address: str = "") -> SessionView:
    """A session; SignedOut for a wrong login or password alike, Throttled where that came too often for this login or
    from this address."""
    found = await _account(given, address)
    password_hash = await _at_full_cost(found.password_hash, given.password)
    async with transaction() as tx:
        if password_hash != found.password_hash:
            await _keep_hash(tx, found, password_hash)
        session = await open_session(tx, found.actor)
    return SessionView(session.token, session.seconds)


async def who_is(given: NewSignIn) -> Actor:
    """The user with this login and password, for one act without a session; SignedOut."""
    return (await _account(given)).actor


async def must_be_me(me: Actor, password: str) -> None:
    """For one act, prove anew who one is; Forbidden `password.wrong`, Throttled as for signing in."""
    async with transaction() as tx:
        login = (await tx.execute(select(UserRow.login).where(UserRow.id == me.user_id))).scalar_one()
    try:
        await _account(NewSignIn(login, password))
    except SignedOut:
        raise Forbidden("password.wrong") from None


async def _account(given: NewSignIn, address: str = "") -> LoginAccount:
    """SignedOut for a wrong login or password alike, Throttled. No transaction is open while argon2 works."""
    login = given.login.strip().lower()
    keys = watched(login if _LOGIN.fullmatch(login) else "", address)
    async with transaction() as tx:
        await must_be_heard(tx, keys)
        found = await account_for_login(tx, login)
    fits = await password_fits(found.password_hash if found else _nobodys_hash(), given.password)
    async with transaction() as tx:
        await stand_in_line(tx, keys)
        await must_be_heard(tx, keys)  # others may have been wrong meanwhile
        if found and fits:
            await forget_wrong(tx, login)
            return found
        await count_wrong(tx, keys)
    raise SignedOut("sign_in.wrong")


async def _keep_hash(tx: Tx, found: LoginAccount, password_hash: str) -> None:
    """Unless the password was changed meanwhile."""
    unchanged = (UserRow.id == found.actor.user_id, UserRow.password_hash == found.password_hash)
    await tx.execute(update(UserRow).where(*unchanged).values(password_hash=password_hash))


async def sign_up(given: NewSignUp, today: date) -> SignedUpView:
    """A trainee with a login of their own. The demo's stand-in for the province's real-name service."""
    login, person = _read_user(given, today)
    password_hash = await hash_password(given.password)
    async with transaction() as tx:
        person_id = await ensure_person(tx, person)
        user_id = await make_user(tx, login, password_hash, person_id, {Post.TRAINEE})
    return SignedUpView(user_id, person_id)


async def add_staff(new: NewStaff, today: date, by: By) -> SignedUpView:
    """A user who works here: for a district, for the whole city (no district), or as the clerk of an institution.

    Invalid as for `sign_up`, and `staff.posts`, `staff.institution`, `district.unknown`. The database refuses posts
    that exclude each other, over all users of a person.
    """
    login, person = _read_user(new.user, today)
    posts = {Post(post) for post in new.posts if post in set(Post)}
    if not posts or len(posts) != len(set(new.posts)):
        raise Invalid("staff.posts", field="posts", posts=sorted(Post))
    if (Post.CLERK in posts) != (new.institution_id is not None):
        raise Invalid("staff.institution", field="institution_id")
    password_hash = await hash_password(new.user.password)
    async with transaction() as tx:
        await must_know_district(tx, new.district)
        person_id = await ensure_person(tx, person)
        user_id = await make_user(tx, login, password_hash, person_id, posts, new.district, new.institution_id)
        after = {"login": login, "posts": sorted(posts), "district": new.district, "person_id": str(person_id)}
        await record(tx, "user", [user_id], "make", by, [after])
    return SignedUpView(user_id, person_id)


def _read_user(given: NewSignUp, today: date) -> tuple[str, NewPerson]:
    """The login and the person, well formed; the password is long enough. A login is kept in clear (promise 14)."""
    login = given.login.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Invalid("login.format", field="login")
    if holds_personal_number(login):
        raise Invalid("text.personal_number", field="login")
    if len(given.password) < PASSWORD_LENGTH_MIN:
        raise Invalid("password.short", field="password", least=PASSWORD_LENGTH_MIN)
    if len(given.password) > PASSWORD_LENGTH_MAX:
        raise Invalid("password.long", field="password", most=PASSWORD_LENGTH_MAX)
    phone = Phone.parse(given.phone) if given.phone else None
    person = NewPerson(PersonName.parse(given.name), NationalId.parse(given.id_number, today=today), phone)
    return login, person


async def must_know_district(tx: Tx, district: str | None) -> None:
    known = select(DistrictRow.code).where(DistrictRow.code == district)
    if district is not None and (await tx.execute(known)).first() is None:
        raise Invalid("district.unknown", field="district")


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_hasher().hash, password)


async def make_user(
    tx: Tx,
    login: str,
    password_hash: str,
    person_id: UUID,
    posts: Collection[Post],
    district: str | None = None,
    institution_id: UUID | None = None,
) -> UUID:
    """A user tied to a person. The database refuses a taken login, and posts that exclude each other."""
    user_id = uuid4()
    await tx.execute(
        insert(UserRow).values(
            id=user_id,
            login=login.strip().lower(),
            person_id=person_id,
            password_hash=password_hash,
            district=district,
            institution_id=institution_id,
        )
    )
    await tx.execute(insert(UserPostRow), [{"user_id": user_id, "post": str(post)} for post in sorted(posts)])
    return user_id


async def load_districts(tx: Tx, rows: list[dict[str, str | None]]) -> None:
    """Put the districts (`code`, `name`, `parent`, `kind`; parents first) in, or rename known ones."""
    for row in rows:
        there = upsert(DistrictRow).values(**row)
        await tx.execute(there.on_conflict_do_update(index_elements=["code"], set_={"name": there.excluded.name}))


async def is_empty(tx: Tx) -> bool:
    """Whether nobody can sign in yet."""
    return (await tx.execute(select(UserRow.id).limit(1))).first() is None


async def declare_relative(tx: Tx, me: Actor, new: NewRelative, today: date, now: datetime) -> RelativesView:
    """Whose claims the officer leaves to others from now on, whether or not that person has claimed here yet.

    Invalid for a number that is none; Conflict `relative.self`, `relative.declared`, `relative.many` (most).
    """
    me.must_hold(*OFFICERS)
    number, row, keys = NationalId.parse(new.id_number, today=today), DeclaredRelativeRow, keyring()
    indexes = keys.blind_indexes("person", number.number)
    known = await find_people(tx, [number])
    if any(each.id == me.person_id for each in known.values()):
        raise Conflict("relative.self")
    await tx.execute(select(UserRow.id).where(UserRow.id == me.user_id).with_for_update())
    mine = select(row.indexes).where(row.person_id == me.person_id, row.ended_at.is_(None))
    declared = (await tx.execute(mine)).scalars().all()
    if len(declared) >= RELATIVES_MAX:
        raise Conflict("relative.many", most=RELATIVES_MAX)
    if any(set(each) & set(indexes.values()) for each in declared):
        raise Conflict("relative.declared")
    relative_id = uuid4()
    await tx.execute(
        insert(row).values(
            id=relative_id,
            person_id=me.person_id,
            relation=str(new.relation),
            number_sealed=keys.seal(number.number, relative_id),
            key_ids=list(indexes),
            indexes=list(indexes.values()),
            declared_by=me.user_id,
            declared_at=now,
        )
    )
    await record(tx, "relative", [relative_id], "declare", _by(me, now), [{"relation": str(new.relation)}])
    return await my_relatives(tx, me)


async def end_relative(tx: Tx, me: Actor, relative_id: UUID, now: datetime) -> RelativesView:
    """NotFound `relative.not_found` unless the officer declared it and has not ended it."""
    me.must_hold(*OFFICERS)
    row = DeclaredRelativeRow
    mine = update(row).where(row.id == relative_id, row.person_id == me.person_id, row.ended_at.is_(None))
    if (await tx.execute(mine.values(ended_at=now).returning(row.id))).first() is None:
        raise NotFound("relative.not_found")
    await record(tx, "relative", [relative_id], "end", _by(me, now), [{"ended_at": now.isoformat()}])
    return await my_relatives(tx, me)


def _by(me: Actor, now: datetime) -> By:
    return By.actor(me, next(post for post in OFFICERS if me.holds(post)), now)
