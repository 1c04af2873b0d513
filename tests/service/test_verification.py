"""What the registry says moves a claim, is kept sealed, and never more than that."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from domain.actor import Post
from domain.verification import Outcome, Question, RegistryEntry
from service.catalog.tables import AliasRow
from service.claims.commands.approving import approve_set
from service.claims.commands.review import approve_claim, withdraw_claim
from service.claims.schemas import NewApproval
from service.claims.tables import ClaimRow
from service.crypto import CannotOpen, keyring
from service.database import Tx
from service.gateways.certificate_registry import Reply
from service.journal import JournalRow
from service.verification.commands import settle_checks
from service.verification.queries import latest_reply, questions
from service.verification.tables import RegistryReplyRow
from tests.world import WELDER, World

ABSENT: list[RegistryEntry] = []


def as_asked(question: Question, **other: Any) -> RegistryEntry:
    """What a registry would hold if the claim told the truth."""
    entry = RegistryEntry(
        question.number,
        question.holder_name,
        question.id_number,
        question.occupation_code,
        question.level,
        question.issued_on,
    )
    return replace(entry, **other)


def reply_of(world: World, *told: tuple[str, list[RegistryEntry]], unanswered: frozenset[str] = frozenset()) -> Reply:
    """The reply's values, and bytes as the exchange interface sends them."""
    rows = [
        {"number": number, "entries": [{"holder_name": e.holder_name} for e in entries]} for number, entries in told
    ]
    raw = json.dumps({"rows": rows}, ensure_ascii=False).encode()
    return Reply(dict(told), raw, world.now, "https://registry.example", unanswered)


async def status_of(tx: Tx, claim_id: UUID) -> str:
    return (await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id))).scalar_one()


async def last_reason(tx: Tx, claim_id: UUID) -> tuple[str, str, str]:
    row = JournalRow
    asked = select(row.action, row.reason, row.actor_name).where(row.subject_id == claim_id).order_by(row.id.desc())
    return tuple((await tx.execute(asked.limit(1))).one())


async def replies_to(tx: Tx, claim_id: UUID) -> int:
    counted = select(func.count()).select_from(RegistryReplyRow).where(RegistryReplyRow.claim_id == claim_id)
    return (await tx.execute(counted)).scalar_one()


async def test_only_filed_claims_have_a_question(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    filed = await world.claim(tx, "filed", trainee)
    others = [await world.claim(tx, status) for status in ("verified", "in_review", "withdrawn", "payable")]
    asked = await questions(tx, [filed.id, *(each.id for each in others)])
    stored = (await tx.execute(select(ClaimRow.certificate_number).where(ClaimRow.id == filed.id))).scalar_one()
    assert asked == {filed.id: Question(stored, trainee.made.name, trainee.made.id_number, WELDER, "4", world.today)}
    assert trainee.made.name not in repr(asked)


@pytest.mark.parametrize(
    ("told", "status", "reason", "fields", "silent"),
    [
        ({}, "verified", "registry.found", (), ()),
        (None, "in_review", "registry.not_found", (), ()),
        ({"holder_name": "路人甲"}, "in_review", "registry.mismatch", ("holder_name",), ()),
        ({"level": "3"}, "in_review", "registry.mismatch", ("level",), ()),
        ({"revoked": True}, "in_review", "registry.revoked", (), ()),
        ({"id_number": None}, "in_review", "registry.manual", (), ("id_number",)),
        ({"level": None}, "verified", "registry.found", (), ("level",)),
    ],
)
async def test_every_outcome_moves_the_claim_with_its_reason(
    tx: Tx,
    world: World,
    told: dict[str, Any] | None,
    status: str,
    reason: str,
    fields: tuple[str, ...],
    silent: tuple[str, ...],
) -> None:
    claim = await world.claim(tx)
    asked = await questions(tx, [claim.id])
    question = asked[claim.id]
    entries = ABSENT if told is None else [as_asked(question, **told)]
    again = await settle_checks(tx, [claim.id], asked, reply_of(world, (question.number, entries)), world.now)
    assert again == []
    assert await status_of(tx, claim.id) == status
    action = "verify" if status == "verified" else "question"
    assert await last_reason(tx, claim.id) == (action, reason, "verification.verify_certificate")
    latest = await latest_reply(tx, claim.id)
    assert latest is not None
    assert (f"registry.{latest.outcome}", latest.fields, latest.silent) == (reason, fields, silent)
    assert (latest.source, latest.received_at) == ("https://registry.example", world.now)


async def test_what_a_person_has_to_look_at_goes_before_one_though_the_registry_confirms_it(
    tx: Tx, world: World
) -> None:
    plain = await world.claim(tx)
    doubtful = await world.claim(tx, certificate_number=world.maker.certificate("4", world.today.year - 3))
    assert doubtful.decision is not None
    assert (doubtful.decision.verdict, doubtful.amount_fen) == ("needs_human", plain.amount_fen)
    both = [plain.id, doubtful.id]
    asked = await questions(tx, both)
    confirming = reply_of(world, *((question.number, [as_asked(question)]) for question in asked.values()))
    assert await settle_checks(tx, both, asked, confirming, world.now) == []
    reviewer, reason = world.staff[Post.REVIEWER], ("question", "claim.needs_human")
    assert [await status_of(tx, each) for each in both] == ["verified", "in_review"]
    assert (await last_reason(tx, doubtful.id))[:2] == reason
    await world.provide(tx, world.here)
    await approve_set(tx, reviewer, NewApproval("verified"), world.now)
    assert [await status_of(tx, each) for each in both] == ["approved", "in_review"]
    assert (await approve_claim(tx, reviewer, doubtful.id, "看过原件", world.now)).status == "approved"


async def test_a_set_is_settled_together_and_each_claim_keeps_only_its_own_part(tx: Tx, world: World) -> None:
    claims = [await world.claim(tx) for _ in range(3)]
    asked = await questions(tx, [each.id for each in claims])
    first, second, third = (asked[each.id] for each in claims)
    reply = reply_of(
        world,
        (first.number, [as_asked(first)]),
        (second.number, ABSENT),
        (third.number, [as_asked(third), as_asked(third)]),
    )
    assert await settle_checks(tx, [each.id for each in claims], asked, reply, world.now) == []
    assert [await status_of(tx, each.id) for each in claims] == ["verified", "in_review", "verified"]

    row = RegistryReplyRow
    rows = (await tx.execute(select(row.id, row.raw_sealed).where(row.claim_id == claims[0].id))).all()
    ((row_id, sealed),) = rows
    assert json.loads(keyring().open(sealed, row_id)) == [
        {"number": first.number, "entries": [{"holder_name": first.holder_name}]}
    ]
    assert first.holder_name.encode() not in sealed
    with pytest.raises(CannotOpen):
        keyring().open(sealed, claims[0].id)


async def test_what_is_kept_beside_the_seal_names_fields_and_tells_no_value(tx: Tx, world: World) -> None:
    claim = await world.claim(tx)
    asked = await questions(tx, [claim.id])
    question = asked[claim.id]
    wrong = as_asked(question, holder_name="路人甲", id_number="11010519491231002X")
    await settle_checks(tx, [claim.id], asked, reply_of(world, (question.number, [wrong])), world.now)
    row = RegistryReplyRow
    readable = select(row.outcome, row.detail, row.source).where(row.claim_id == claim.id)
    assert tuple((await tx.execute(readable)).one()) == (
        "mismatch",
        {"fields": ["holder_name", "id_number"], "silent": []},
        "https://registry.example",
    )


async def test_a_claim_that_was_withdrawn_meanwhile_is_left_alone(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    claim = await world.claim(tx, "filed", trainee)
    asked = await questions(tx, [claim.id])
    question = asked[claim.id]
    await withdraw_claim(tx, trainee.actor, claim.id, "", world.now)
    reply = reply_of(world, (question.number, [as_asked(question)]))
    assert await settle_checks(tx, [claim.id], asked, reply, world.now) == []
    assert await status_of(tx, claim.id) == "withdrawn"
    assert await replies_to(tx, claim.id) == 0


async def test_an_answer_to_another_question_is_no_answer(tx: Tx, world: World) -> None:
    claim = await world.claim(tx)
    now_asked = await questions(tx, [claim.id])
    question = now_asked[claim.id]
    before = {claim.id: replace(question, level="3")}
    reply = reply_of(world, (question.number, [as_asked(question)]))
    assert await settle_checks(tx, [claim.id], before, reply, world.now) == [claim.id]
    assert await settle_checks(tx, [claim.id], {}, reply, world.now) == [claim.id]
    assert await status_of(tx, claim.id) == "filed"
    assert await replies_to(tx, claim.id) == 0


async def test_a_number_without_an_answer_is_asked_again_and_never_not_found(tx: Tx, world: World) -> None:
    answered, silent = [await world.claim(tx) for _ in range(2)]
    asked = await questions(tx, [answered.id, silent.id])
    known, unknown = asked[answered.id], asked[silent.id]
    reply = reply_of(world, (known.number, [as_asked(known)]), unanswered=frozenset({unknown.number}))
    assert await settle_checks(tx, [answered.id, silent.id], asked, reply, world.now) == [silent.id]
    assert await status_of(tx, answered.id) == "verified"
    assert await status_of(tx, silent.id) == "filed"
    assert await latest_reply(tx, silent.id) is None


async def test_a_code_of_the_older_classification_is_the_same_occupation(tx: Tx, world: World) -> None:
    await tx.execute(insert(AliasRow).values(code="9-99-99-99", canonical=WELDER, source="a test"))
    claim = await world.claim(tx)
    asked = await questions(tx, [claim.id])
    question = asked[claim.id]
    old = as_asked(question, occupation_code="9-99-99-99")
    await settle_checks(tx, [claim.id], asked, reply_of(world, (question.number, [old])), world.now)
    assert await status_of(tx, claim.id) == "verified"


async def test_the_latest_reply_is_the_one_received_last(tx: Tx, world: World) -> None:
    claim = await world.claim(tx)
    for outcome, days in (("manual", 2), ("not_found", 0), ("mismatch", 1)):
        await tx.execute(
            insert(RegistryReplyRow).values(
                id=UUID(int=days),
                claim_id=claim.id,
                outcome=outcome,
                detail={"fields": [], "silent": []},
                source="a file",
                received_at=world.now + timedelta(days=days),
                raw_sealed=b"",
            )
        )
    latest = await latest_reply(tx, claim.id)
    assert latest is not None
    assert latest.outcome is Outcome.MANUAL
