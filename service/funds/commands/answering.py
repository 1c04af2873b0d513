"""What one person proposes about money another answers, once: appropriations and transfers alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict
from domain.fund import Answer, check_two_persons
from domain.step_up import Decision
from domain.text import trimmed
from service.access.commands import proven
from service.database import Tx
from service.funds.tables import AnswerRow, AppropriationRow, TransferAnswerRow, TransferRow
from service.journal import By, record

#: Whoever may say yes or no to what a maker proposed.
ANSWERERS = (Post.CHECKER, Post.RELEASER)

#: What a proposal was answered with → the action that the journal names.
_ACTIONS = {Answer.CONFIRMED: "confirm", Answer.DECLINED: "decline"}


@dataclass(frozen=True)
class Proposals:
    """A kind of proposal: its noun in codes and in the journal, where it and its answers are kept, these by the
    column `key`, the code that refuses a second answer, by the first, and what saying yes to it is."""

    noun: str
    rows: type[AppropriationRow | TransferRow]
    answers: type[AnswerRow | TransferAnswerRow]
    key: str
    answered: Mapping[Answer, str]
    decision: Decision


APPROPRIATIONS = Proposals(
    "appropriation",
    AppropriationRow,
    AnswerRow,
    "appropriation_id",
    {Answer.CONFIRMED: "appropriation.confirmed", Answer.DECLINED: "appropriation.declined"},
    Decision.APPROPRIATION,
)
TRANSFERS = Proposals(
    "fund_transfer",
    TransferRow,
    TransferAnswerRow,
    "transfer_id",
    {Answer.CONFIRMED: "fund_transfer.confirmed", Answer.DECLINED: "fund_transfer.declined"},
    Decision.TRANSFER,
)


async def propose(
    tx: Tx, me: Actor, kind: Proposals, what: Mapping[str, Any], document: str, reason: str, now: datetime
) -> UUID:
    """Keep a maker's proposal; nothing moves yet. Invalid `words.empty`, `text.personal_number`."""
    said = {"document": trimmed(document, "document", "words"), "reason": trimmed(reason, "reason", "words")}
    proposal_id = uuid4()
    by_me = {"proposed_by": me.user_id, "proposed_by_person": me.person_id, "proposed_at": now}
    await tx.execute(insert(kind.rows).values(id=proposal_id, **what, **said, **by_me))
    by = By.actor(me, Post.MAKER, now)
    noted = {**what, "document": said["document"]}
    await record(tx, kind.noun, [proposal_id], "propose", by, [noted], reason=said["reason"])
    return proposal_id


async def answer(
    tx: Tx, me: Actor, kind: Proposals, proposal: Any, said: Answer, now: datetime, reason: str = ""
) -> By:
    """Keep what the second person says of `proposal` (its `id` and `proposed_by_person`), and who they are.

    Forbidden `<noun>.same_person`; Conflict `<noun>.confirmed`, `<noun>.declined` where it was answered already; for
    a yes also what `proven` refuses.
    """
    me.must_hold(*ANSWERERS)
    check_two_persons(kind.noun, proposal.proposed_by_person, me.person_id)
    told = {
        "proposed_by_person": proposal.proposed_by_person,
        "answered_by": me.user_id,
        "answered_by_person": me.person_id,
        "answered_at": now,
        "answer": str(said),
        "reason": reason,
    }
    key = kind.answers.__table__.c[kind.key]
    first = upsert(kind.answers).values({kind.key: proposal.id, **told}).on_conflict_do_nothing()
    if (await tx.execute(first.returning(key))).one_or_none() is None:
        given = await tx.execute(select(kind.answers.answer).where(key == proposal.id))
        raise Conflict(kind.answered[Answer(given.scalar_one())])
    if said == Answer.CONFIRMED:
        await proven(tx, me, kind.decision, proposal.id, now)
    by = By.actor(me, Post.CHECKER if me.holds(Post.CHECKER) else Post.RELEASER, now)
    await record(tx, kind.noun, [proposal.id], _ACTIONS[said], by, [{f"{said}_at": now.isoformat()}], reason=reason)
    return by
