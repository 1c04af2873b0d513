"""Proving anew who one is, for what moves money: the password again, and a one-time code (RFC 6238).

One code grants the signatures and decisions that were named with it, to the session that asked, for five minutes.
Codes go by the database's clock: the demo's may play another day, a telephone's does not.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post, StepUp
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, SignedOut
from domain.step_up import PROVERS
from service.access.commands.users import must_be_me, password_fits
from service.access.schemas import EnrolmentView, NamedSignature, NewStepUp, StepUpView
from service.access.tables import SecondFactorRow, StepUpRow, StepUpUseRow, UserPostRow, UserRow
from service.clock import business_day
from service.crypto import keyring
from service.database import Tx, transaction
from service.journal import By, record
from service.policies.queries import parameters
from service.security import digest, must_be_signed_in, open_session

GRANT_MINUTES = 5
#: A code of the step before or after is taken as well: telephones do not keep time to the second.
_STEPS_AROUND, _STEP_SECONDS = 1, 30
#: So many wrong answers in a row, then nobody is heard for a while: 480 guesses a day, three in a million each.
WRONG_MAX, LOCK_MINUTES = 5, 15
_ISSUER = "直达"


@dataclass(frozen=True)
class _Standing:
    """A user's second factor, its secret opened, at the database's instant."""

    id: UUID
    secret: str
    confirmed: bool
    locked: bool
    last_counter: int
    wrong_count: int
    step: int

    def counter_of(self, code: str) -> int | None:
        """The step of time whose code this is; all are compared, each in constant time."""
        known = pyotp.HOTP(self.secret)
        around = range(self.step - _STEPS_AROUND, self.step + _STEPS_AROUND + 1)
        fitting = [counter for counter in around if known.verify(code, counter)]
        return fitting[-1] if fitting else None


async def enrol(me: Actor, password: str, now: datetime) -> EnrolmentView:
    """A new secret, shown this once, for a telephone; it counts when a code of it has been confirmed.

    Forbidden `step_up.wrong` for a wrong password, Throttled as for signing in; Conflict `step_up.enrolled` for who
    has one: an operator ends it.
    """
    try:
        await must_be_me(me, password)
    except Forbidden:
        raise Forbidden("step_up.wrong") from None
    login, _ = await _account_of(me)
    secret = pyotp.random_base32()
    async with transaction() as tx:
        standing = await _standing(tx, me.user_id)
        if standing and standing.confirmed:
            raise Conflict("step_up.enrolled")
        if standing:
            await _end(tx, standing.id, _by(me, now))
        factor_id = await _keep(tx, me.user_id, secret, now)
        await record(tx, "second_factor", [factor_id], "enrol", _by(me, now), [{"user_id": str(me.user_id)}])
    return EnrolmentView(pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER))


async def confirm_factor(tx: Tx, me: Actor, code: str, now: datetime) -> None:
    """From now on it is asked for. NotFound `step_up.not_enrolled`; Conflict `step_up.enrolled`; Invalid
    `step_up.wrong_code`."""
    standing = await _standing(tx, me.user_id)
    if standing is None:
        raise NotFound("step_up.not_enrolled")
    if standing.confirmed:
        raise Conflict("step_up.enrolled")
    counter = standing.counter_of(code)
    if counter is None:
        raise Invalid("step_up.wrong_code", field="code")
    row = SecondFactorRow
    await tx.execute(update(row).where(row.id == standing.id).values(confirmed_at=now, last_counter=counter))
    await record(tx, "second_factor", [standing.id], "confirm", _by(me, now), [{"confirmed_at": now.isoformat()}])


async def end_factor(tx: Tx, me: Actor, login: str, reason: str, now: datetime) -> None:
    """The telephone was lost: its owner enrols another. By an operator, who signs nothing; the journal says why.

    NotFound `step_up.not_enrolled`; Invalid `step_up.reason` without a reason.
    """
    me.must_hold(Post.OPERATOR)
    if not reason.strip():
        raise Invalid("step_up.reason", field="reason")
    known = await tx.execute(select(UserRow.id).where(UserRow.login == login.strip().lower()))
    user_id = known.scalar_one_or_none()
    standing = await _standing(tx, user_id) if user_id else None
    if standing is None:
        raise NotFound("step_up.not_enrolled")
    await _end(tx, standing.id, By.actor(me, Post.OPERATOR, now), reason)


async def prove(me: Actor, session: bytes, given: NewStepUp, now: datetime) -> StepUpView:
    """A token that stands for the named signatures, in this session, once each, for five minutes.

    Forbidden `step_up.not_enrolled`, `step_up.locked`, `step_up.used` (a code serves once), `step_up.wrong`: whether
    password or code was wrong is not said. What was wrong is counted even though it is refused. SignedOut where the
    session was closed while the password was proven.
    """
    _, password_hash = await _account_of(me)
    fits = await password_fits(password_hash, given.password)
    async with transaction() as tx:
        answer = await _settle(tx, me, session, given, now, fits=fits)
    if isinstance(answer, DomainError):
        raise answer
    return answer


async def _settle(
    tx: Tx, me: Actor, session: bytes, given: NewStepUp, now: datetime, *, fits: bool
) -> StepUpView | DomainError:
    standing = await _standing(tx, me.user_id)
    if standing is None or not standing.confirmed:
        return Forbidden("step_up.not_enrolled")
    if standing.locked:
        return Forbidden("step_up.locked", minutes=LOCK_MINUTES)
    counter = standing.counter_of(given.code)
    if counter is None or not fits:
        await _count_wrong(tx, me, standing, now)
        return Forbidden("step_up.wrong")
    if counter <= standing.last_counter:
        return Forbidden("step_up.used")
    try:
        await must_be_signed_in(tx, session)
    except SignedOut as refusal:
        return refusal
    row, token, step_up_id = SecondFactorRow, secrets.token_urlsafe(32), uuid4()
    signs = sorted({f"{each.purpose} {each.subject}" for each in given.signs})
    await tx.execute(
        insert(StepUpRow).values(
            id=step_up_id,
            user_id=me.user_id,
            factor_id=standing.id,
            counter=counter,
            session_sha256=session,
            token_sha256=hashlib.sha256(token.encode()).digest(),
            signs=signs,
        )
    )
    await tx.execute(update(row).where(row.id == standing.id).values(last_counter=counter, wrong_count=0))
    await record(tx, "step_up", [step_up_id], "grant", _by(me, now), [{"signs": signs}])
    return StepUpView(token, GRANT_MINUTES * 60)


async def _count_wrong(tx: Tx, me: Actor, standing: _Standing, now: datetime) -> None:
    row, wrong = SecondFactorRow, standing.wrong_count + 1
    changes: dict[str, Any] = {"wrong_count": wrong}
    if wrong >= WRONG_MAX:
        changes = {"wrong_count": 0, "locked_until": func.now() + timedelta(minutes=LOCK_MINUTES)}
        await record(tx, "second_factor", [standing.id], "lock", _by(me, now), [{"wrong_count": wrong}])
    await tx.execute(update(row).where(row.id == standing.id).values(changes))


async def asked_for(tx: Tx, now: datetime) -> bool:
    """Whether codes are asked for, by the policy `step_up` of the day."""
    return (await parameters(tx, business_day(now))).get("step_up") != "none"


async def proven(tx: Tx, me: Actor, purpose: str, subject: UUID, now: datetime) -> UUID | None:
    """The step-up by which this person may put this signature or take this decision; None where the policy asks for
    none. It is used up by this: that stands beside what it was used for, and the database asks for it (ZD250, ZD219).

    Forbidden `step_up.needed` without one, `step_up.other` for one of another person, session or signature, one that
    was used for it before or is older than five minutes, or one of a telephone that was given up.
    """
    if me.step_up is None:
        if await asked_for(tx, now):
            raise Forbidden("step_up.needed")
        return None
    row, sign = StepUpRow, f"{purpose} {subject}"
    granted = select(row.id).join(SecondFactorRow, SecondFactorRow.id == row.factor_id)
    granted = granted.where(
        SecondFactorRow.ended_at.is_(None),
        row.token_sha256 == me.step_up.token,
        row.session_sha256 == me.step_up.session,
        row.user_id == me.user_id,
        row.signs.contains([sign]),
        row.expires_at > func.now(),
    )
    step_up_id = (await tx.execute(granted)).scalar_one_or_none()
    if step_up_id is None:
        raise Forbidden("step_up.other")
    use = upsert(StepUpUseRow).values(step_up_id=step_up_id, sign=sign, user_id=me.user_id, used_at=now)
    first = use.on_conflict_do_nothing().returning(StepUpUseRow.step_up_id)
    if (await tx.execute(first)).one_or_none() is None:
        raise Forbidden("step_up.other")
    return step_up_id


async def sample_proof(tx: Tx, me: Actor, code: str, signs: list[NamedSignature], now: datetime) -> Actor:
    """One of the demo's people with a step-up for what is named, in a session that nobody goes on with."""
    session = digest((await open_session(tx, me)).token)
    answer = await _settle(tx, me, session, NewStepUp("", code, signs), now, fits=True)
    if isinstance(answer, DomainError):
        raise answer
    return replace(me, step_up=StepUp(session, digest(answer.token)))


async def give_sample_factors(tx: Tx, secret_of: Callable[[str], str], now: datetime) -> None:
    """The demo's people of these posts have theirs from the beginning, by login, unless they have one already."""
    signers = select(UserRow.id, UserRow.login).join(UserPostRow, UserPostRow.user_id == UserRow.id).distinct()
    for user_id, login in await tx.execute(signers.where(UserPostRow.post.in_(list(map(str, PROVERS))))):
        if await _standing(tx, user_id) is None:
            factor_id = await _keep(tx, user_id, secret_of(login), now, confirmed_at=now)
            by = By("zhida cast", now)
            await record(tx, "second_factor", [factor_id], "enrol", by, [{"user_id": str(user_id)}])


async def _account_of(me: Actor) -> tuple[str, str]:
    """Login and password hash."""
    async with transaction() as tx:
        asked = select(UserRow.login, UserRow.password_hash).where(UserRow.id == me.user_id)
        login, password_hash = (await tx.execute(asked)).one()
        return login, password_hash


async def _standing(tx: Tx, user_id: UUID) -> _Standing | None:
    """Locked with its user, so that of two at once the second sees what the first left."""
    row = SecondFactorRow
    await tx.execute(select(UserRow.id).where(UserRow.id == user_id).with_for_update(key_share=True))
    asked = select(
        row.id,
        row.secret_sealed,
        row.confirmed_at.is_not(None),
        func.coalesce(row.locked_until > func.now(), False),
        row.last_counter,
        row.wrong_count,
        func.floor(func.extract("epoch", func.now()) / _STEP_SECONDS),
    ).where(row.user_id == user_id, row.ended_at.is_(None))
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        return None
    factor_id, sealed, confirmed, locked, last_counter, wrong_count, step = found
    secret = keyring().open(sealed, factor_id)
    return _Standing(factor_id, secret, confirmed, locked, last_counter, wrong_count, int(step))


async def _keep(tx: Tx, user_id: UUID, secret: str, now: datetime, confirmed_at: datetime | None = None) -> UUID:
    factor_id = uuid4()
    sealed = keyring().seal(secret, factor_id)
    values = {"id": factor_id, "user_id": user_id, "secret_sealed": sealed, "enrolled_at": now}
    await tx.execute(insert(SecondFactorRow).values(**values, confirmed_at=confirmed_at))
    return factor_id


async def _end(tx: Tx, factor_id: UUID, by: By, reason: str = "") -> None:
    row = SecondFactorRow
    await tx.execute(update(row).where(row.id == factor_id).values(ended_at=by.at))
    await record(tx, "second_factor", [factor_id], "end", by, [{"ended_at": by.at.isoformat()}], reason)


def _by(me: Actor, now: datetime) -> By:
    return By.actor(me, next(post for post in PROVERS if me.holds(post)), now)
