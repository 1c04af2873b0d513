"""Signatures that ask for the password again and a one-time code: over HTTP, by race, and by raw SQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.actor import Actor, Post, StepUp
from domain.errors import DomainError, NotFound
from service.access.commands import end_factor, hash_password, proven
from service.access.commands.step_up import WRONG_MAX
from service.access.tables import UserRow
from service.audit.queries.checks import first_breach
from service.audit.queries.step_ups import STEP_UPS
from service.batches import commands
from service.batches.schemas import BatchView
from service.clock import now
from service.database import Tx, async_url, transaction
from service.security import digest, open_session
from tests.app import the_app
from tests.conftest import Databases
from tests.payments import Stage, shown
from tests.world import World

PASSWORD = "a password of their own"


@dataclass
class Signer:
    """Somebody with a session, and a telephone once they have enrolled it."""

    client: httpx.AsyncClient
    actor: Actor
    token: str
    secret: str = field(default="", repr=False)

    async def post(self, path: str, body: Any, proof: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        headers |= {"Zhida-Step-Up": proof} if proof else {}
        return await self.client.post(f"/api{path}", json=body, headers=headers)

    async def enrol(self) -> None:
        answer = await self.post("/step-up/enrol", {"password": PASSWORD})
        assert answer.status_code == 201, answer.text
        read = pyotp.parse_uri(answer.json()["uri"])
        assert isinstance(read, pyotp.TOTP)
        self.secret = read.secret
        confirmed = await self.post("/step-up/confirm", {"code": await self.code(-1)})
        assert confirmed.status_code == 204, confirmed.text

    async def code(self, step: int = 0) -> str:
        """Of this half minute, or so many later."""
        async with transaction() as tx:
            at = (await tx.execute(text("SELECT floor(extract(epoch FROM now()) / 30)"))).scalar_one()
        return pyotp.HOTP(self.secret).at(int(at) + step)

    async def ask(
        self, code: str, *subjects: UUID, step: str = "assemble", password: str = PASSWORD
    ) -> httpx.Response:
        signs = [{"purpose": f"batch.{step}", "subject": str(each)} for each in subjects]
        return await self.post("/step-up", {"password": password, "code": code, "signs": signs})

    async def prove(self, *subjects: UUID, step: str = "assemble", at: int = 0) -> str:
        answer = await self.ask(await self.code(at), *subjects, step=step)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def with_proof(self, token: str) -> Actor:
        return replace(self.actor, step_up=StepUp(digest(self.token), digest(token)))


@dataclass
class Signing:
    stage: Stage
    batch: BatchView
    signers: dict[Post, Signer]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


@pytest.fixture
async def signing(committed: World, client: httpx.AsyncClient) -> Signing:
    """A frozen batch, and three persons who each know a password; not in the last seconds of a code's half minute."""
    async with transaction() as tx:
        left = (await tx.execute(text("SELECT 30 - mod(extract(epoch FROM clock_timestamp()), 30)"))).scalar_one()
    if left < 4:
        await asyncio.sleep(float(left))
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await stage.frozen(tx)
        ids = [each.user_id for each in stage.staff.values()]
        await tx.execute(
            update(UserRow).where(UserRow.id.in_(ids)).values(password_hash=await hash_password(PASSWORD))
        )
        signers = {
            post: Signer(client, actor, (await open_session(tx, actor)).token) for post, actor in stage.staff.items()
        }
    return Signing(stage, batch, signers)


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_each_signature_of_a_batch_brings_its_proof(signing: Signing, databases: Databases) -> None:
    at = f"/batches/{signing.batch.id}"
    body: dict[str, Any] = {
        name: getattr(shown(signing.batch), name) for name in ("content_hash", "line_count", "sum_fen")
    }
    voucher = {"voucher": f"V-{uuid4()}", "transferred_on": str(signing.stage.world.today)}
    for post, step, path, more in (
        (Post.MAKER, "assemble", "submit", {}),
        (Post.CHECKER, "check", "check", {}),
        (Post.RELEASER, "release", "release", voucher),
    ):
        me = signing.signers[post]
        await me.enrol()
        proof = await me.prove(signing.batch.id, step=step)
        signed = await me.post(f"{at}/{path}", {**body, **more}, proof)
        assert signed.status_code == 200, signed.text
    async with transaction() as tx:
        asked = "SELECT count(DISTINCT step_up_id) FROM batch_signatures WHERE batch_id = :batch"
        assert (await tx.execute(text(asked), {"batch": signing.batch.id})).scalar_one() == 3
        kept = "SELECT concat(j.*) FROM journal j WHERE subject_kind IN ('step_up', 'second_factor')"
        told = " ".join((await tx.execute(text(kept))).scalars())
    assert not [each for each in signing.signers.values() if each.secret in told]
    await _planted(databases, signing)


async def _planted(databases: Databases, signing: Signing) -> None:
    """Each broken once, with every trigger and foreign key asleep: the audit names the row."""
    id_, batch = signing.signers[Post.CHECKER].actor.user_id, signing.batch.id
    of_checker, signers = f"WHERE user_id = '{id_}'", [each.actor.user_id for each in signing.signers.values()]
    admin = create_async_engine(async_url(databases.admin_url), poolclass=NullPool)
    for statement, table, says in (
        ("SELECT", "", ""),
        (f"UPDATE step_ups SET signs = '{{batch.check x}}' {of_checker}", "batch_signatures", "不是为它做的"),
        (f"UPDATE step_ups SET user_id = factor_id {of_checker}", "batch_signatures", "别人的"),
        (
            f"UPDATE batch_signatures SET step_up_id = NULL WHERE batch_id = '{batch}' AND step = 'release'",
            "batch_signatures",
            "没有重新验证",
        ),
        (
            "ALTER TABLE step_ups DROP CONSTRAINT uq_step_ups_code; INSERT INTO step_ups SELECT gen_random_uuid(),"
            f" user_id, factor_id, counter, '', '', signs, granted_at, expires_at FROM step_ups {of_checker}",
            "step_ups",
            "用了两次",
        ),
        (f"UPDATE second_factors SET confirmed_at = NULL {of_checker}", "step_ups", "不是本人的"),
        (f"UPDATE step_up_uses SET sign = 'clawback.waive x' {of_checker}", "step_up_uses", "别的事上"),
        (f"UPDATE step_up_uses SET user_id = step_up_id {of_checker}", "step_up_uses", "别人的"),
        # from then on the money of this district was granted without
        (
            f"UPDATE step_up_uses SET used_at = used_at - interval '1 year' {of_checker}",
            "appropriation_answers",
            "决定之前没有重新验证",
        ),
    ):
        async with admin.connect() as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(text("UPDATE policies SET value = '\"signatures\"' WHERE key = 'step_up'"))
            await tx.execute(text("DELETE FROM batch_signatures WHERE step_up_id IS NULL"))  # by tests that need none
            await tx.execute(text("DELETE FROM step_up_uses WHERE user_id <> ALL (:these)"), {"these": signers})
            for each in statement.split("; "):
                await tx.execute(text(each))
            breach = await first_breach(tx, STEP_UPS.checks)
            assert (breach.table, says in breach.says) == (table, True) if breach else not table, statement
    await admin.dispose()


async def test_a_proof_is_of_one_signature_person_and_session(signing: Signing) -> None:
    maker, other = signing.signers[Post.MAKER], uuid4()
    await maker.enrol()
    token = await maker.prove(signing.batch.id, other)
    async with transaction() as tx:
        for subject in (signing.batch.id, other):  # both of those named, by one code
            assert await proven(tx, maker.with_proof(token), "batch.assemble", subject, now())
        elsewhere = (await open_session(tx, maker.actor)).token
        checker = signing.signers[Post.CHECKER].actor
        proof = maker.with_proof(token).step_up
        for me, purpose, subject in (
            (maker.with_proof(token), "batch.assemble", uuid4()),
            (maker.with_proof(token), "batch.check", signing.batch.id),
            (maker.with_proof("another"), "batch.assemble", signing.batch.id),
            (replace(checker, step_up=proof), "batch.assemble", signing.batch.id),
            (
                replace(maker.actor, step_up=StepUp(digest(elsewhere), digest(token))),
                "batch.assemble",
                signing.batch.id,
            ),
        ):
            with pytest.raises(DomainError) as refused:
                await proven(tx, me, purpose, subject, now())
            assert refused.value.code == "step_up.other"


async def test_a_code_serves_once_and_only_about_its_time(signing: Signing) -> None:
    maker = signing.signers[Post.MAKER]
    await maker.enrol()
    code = await maker.code()
    assert said(await maker.ask(code, signing.batch.id)) == (201, "")
    assert said(await maker.ask(code, signing.batch.id)) == (403, "step_up.used")
    assert said(await maker.ask(await maker.code(-1), signing.batch.id)) == (403, "step_up.used")
    assert said(await maker.ask(await maker.code(-3), signing.batch.id)) == (403, "step_up.wrong")
    assert said(await maker.ask(await maker.code(3), signing.batch.id)) == (403, "step_up.wrong")
    assert said(await maker.ask(await maker.code(1), signing.batch.id)) == (201, "")
    checker = signing.signers[Post.CHECKER]
    await checker.enrol()
    code = await checker.code()
    raced = await asyncio.gather(*(checker.ask(code, signing.batch.id, step="check") for _ in range(4)))
    assert sorted(map(said, raced)) == [(201, ""), *[(403, "step_up.used")] * 3]


async def test_who_guesses_is_not_heard_for_a_while(signing: Signing) -> None:
    maker = signing.signers[Post.MAKER]
    assert said(await maker.ask("000000", signing.batch.id)) == (403, "step_up.not_enrolled")
    await maker.enrol()
    right = await maker.code()
    wrong = f"{(int(right) + 500_000) % 1_000_000:06}"
    guesses = await asyncio.gather(*(maker.ask(wrong, signing.batch.id) for _ in range(WRONG_MAX - 1)))
    assert {said(each) for each in guesses} == {(403, "step_up.wrong")}  # at once, and each counted
    assert said(await maker.ask(right, signing.batch.id, password="another")) == (403, "step_up.wrong")
    assert said(await maker.ask(right, signing.batch.id)) == (403, "step_up.locked")


async def test_another_telephone_only_after_an_operator_ended_the_first(signing: Signing) -> None:
    maker, operator = signing.signers[Post.MAKER], signing.stage.world.staff[Post.OPERATOR]
    assert said(await maker.post("/step-up/enrol", {"password": "another"})) == (403, "step_up.wrong")
    await maker.enrol()
    token = await maker.prove(signing.batch.id)
    assert said(await maker.post("/step-up/enrol", {"password": PASSWORD})) == (409, "step_up.enrolled")
    async with transaction() as tx:
        login = (await tx.execute(select(UserRow.login).where(UserRow.id == maker.actor.user_id))).scalar_one()
        with pytest.raises(DomainError, match="post_missing"):
            await end_factor(tx, maker.actor, login, "丢了", now())
        await end_factor(tx, operator, login, "丢了", now())
        with pytest.raises(NotFound):
            await end_factor(tx, operator, login, "丢了", now())
    assert said(await maker.ask(await maker.code(1), signing.batch.id)) == (403, "step_up.not_enrolled")
    await maker.enrol()
    async with transaction() as tx:  # what the first was good for went with it
        with pytest.raises(DomainError, match="other"):
            await proven(tx, maker.with_proof(token), "batch.assemble", signing.batch.id, now())


async def test_who_lost_the_secret_before_confirming_it_enrols_again(signing: Signing) -> None:
    """The first was never good for anything; that it ended is in the journal, as all ends of telephones are."""
    maker = signing.signers[Post.MAKER]
    first = await maker.post("/step-up/enrol", {"password": PASSWORD})
    assert first.status_code == 201
    await maker.enrol()
    assert await maker.prove(signing.batch.id)
    async with transaction() as tx:
        journal = await tx.execute(
            text("""SELECT j.action FROM journal j JOIN second_factors f ON f.id = j.subject_id
                     WHERE j.subject_kind = 'second_factor' AND f.user_id = :user ORDER BY j.id"""),
            {"user": maker.actor.user_id},
        )
        assert list(journal.scalars()) == ["enrol", "end", "enrol", "confirm"]


async def test_without_a_proof_nobody_signs_unless_the_policy_says_so(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    batch = await stage.frozen(tx)
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), world.now)  # it says "none"
    await world.set_policy(tx, "step_up", "signatures")
    with pytest.raises(DomainError, match="needed"):
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), world.now)


_SIGN = """
    INSERT INTO batch_signatures (batch_id, step, person_id, user_id, content_hash, line_count, sum_fen, signed_at,
                                  step_up_id)
    SELECT b.id, 'assemble', u.person_id, u.id, b.content_hash, b.line_count, b.sum_fen, now(), {proof}
      FROM batches b, users u WHERE b.id = :batch AND u.id = :maker
"""
_PROVE = """
    INSERT INTO step_ups (id, user_id, factor_id, counter, session_sha256, token_sha256, signs, expires_at)
    SELECT gen_random_uuid(), f.user_id, f.id, {counter}, {session}, sha256('x'), '{{batch.assemble x}}',
           now() + interval '1 year'
      FROM second_factors f, users u WHERE f.user_id = {user} AND u.id = :maker AND f.ended_at IS NULL
"""
_NOW = "floor(extract(epoch FROM now()) / 30) + 1"
_SESSION = "(SELECT token_sha256 FROM sessions s WHERE s.user_id = u.id LIMIT 1)"


async def test_by_sql_nobody_signs_without_a_proof_of_this_signature(signing: Signing) -> None:
    maker, checker = signing.signers[Post.MAKER], signing.signers[Post.CHECKER]
    for each in (maker, checker):
        await each.enrol()
    own, other = await maker.prove(uuid4()), await checker.prove(signing.batch.id)
    ids = {"batch": signing.batch.id, "maker": maker.actor.user_id}
    async with transaction() as tx:
        await signing.stage.world.set_policy(tx, "step_up", "signatures")

        async def refused(statement: str) -> str:
            point = await tx.begin_nested()
            used = {name: value for name, value in ids.items() if f":{name}" in statement}
            try:
                await tx.execute(text(statement), used)
                await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            except DBAPIError as refusal:
                return str(refusal.orig.sqlstate)  # type: ignore[union-attr]
            finally:
                await point.rollback()
            raise AssertionError(f"not refused: {statement}")

        proofs = [
            f"(SELECT id FROM step_ups WHERE token_sha256 = '\\x{digest(each).hex()}')" for each in (own, other)
        ]
        for proof in ("NULL", "gen_random_uuid()", *proofs):
            assert await refused(_SIGN.format(proof=proof)) == "ZD250", proof
        forged = {"counter": _NOW, "session": _SESSION, "user": ":maker"}
        assert await refused(_PROVE.format(**forged)) == "ZD253"  # all of it right, and not journalled
        assert await refused(_PROVE.format(**forged | {"counter": f"{_NOW} + 2"})) == "ZD251"
        assert await refused(_PROVE.format(**forged | {"session": "sha256('x')"})) == "ZD251"
        theirs = f"'{checker.actor.user_id}'"
        assert await refused(_PROVE.format(**forged | {"user": theirs})) == "ZD251"  # with the maker's session
        assert await refused(_PROVE.format(**forged | {"counter": f"{_NOW} - 1"})) == "23505"  # a code that was used
        factor = "UPDATE second_factors SET {} WHERE user_id = :maker"
        assert await refused(factor.format("last_counter = 0")) == "ZD252"
        assert await refused(factor.format("confirmed_at = now()")) == "ZD252"
        assert await refused(factor.format("ended_at = now()")) == "ZD253"
        assert await refused(factor.format("secret_sealed = ''")) == "42501"
        assert await refused("UPDATE step_ups SET expires_at = now() + interval '1 day'") == "42501"
        assert await refused("DELETE FROM second_factors") == "42501"
        locked = "UPDATE second_factors SET locked_until = now() + interval '1 hour' WHERE user_id = :maker"
        await tx.execute(text(locked), {"maker": maker.actor.user_id})
        assert await refused(factor.format("locked_until = NULL")) == "ZD252"
        assert await refused(_PROVE.format(**forged)) == "ZD251"
        await tx.rollback()
