"""What happened that people have not been told of, what is to be sent, and what one was told."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from domain.actor import Actor, Post
from domain.clawback import clawback_number
from domain.level import LEVELS
from domain.message import ACTIONS
from domain.money import format_yuan
from service.crypto import keyring
from service.database import Tx
from service.messages.schemas import MessagesView, MessageView
from service.messages.tables import MessageRow
from service.offers.queries import STANDS
from service.people.tables import PersonRow
from service.wording import in_chinese, words
from service.work.queries.due import loads as loads_of
from service.work.queries.kinds import SOURCES

#: Events that are looked at in one transaction, and messages that a person is shown.
PORTION, SHOWN_MAX = 1_000, 200

_CLAIM = """
    coalesce(person.merged_into, person.id) AS person_id, c.id AS claim_id, c.channel, c.level, c.amount_fen,
    c.payee_institution_id IS NOT NULL AS paid_to_another,
    item.name AS item, institution.name AS institution
"""
_OF_CLAIM = """
    JOIN people person ON person.id = c.person_id
    JOIN catalog_items item ON item.id = c.item_id
    LEFT JOIN institutions institution ON institution.id = c.institution_id
"""
_EVENTS = text(f"""
    SELECT j.id, j.action, j.actor_person_id = c.person_id AS by_themself, due.due_on, {_CLAIM}
      FROM journal j
      JOIN claims c ON c.id = j.subject_id
      {_OF_CLAIM}
      LEFT JOIN LATERAL (SELECT max(due_on) AS due_on FROM claim_corrections WHERE claim_id = c.id) AS due ON true
     WHERE j.id > :after AND j.subject_kind = 'claim' AND j.action = ANY (CAST(:actions AS text[]))
       -- nobody files or withdraws a supplement: that it is paid is told
       AND NOT (c.kind = 'supplement' AND j.action IN ('file', 'withdraw'))
       AND NOT EXISTS (SELECT FROM messages m WHERE m.event = 'journal:' || j.id)
     ORDER BY j.id LIMIT :portion
""")  # noqa: S608 (our own constants)
_DUE = text(f"""
    SELECT due.id, due.due_on, {_CLAIM}
      FROM claim_corrections due
      JOIN claims c ON c.id = due.claim_id AND c.status = 'sent_back'
      {_OF_CLAIM}
     WHERE due.corrected_at IS NULL AND due.due_on BETWEEN :today AND :last
       AND c.payee_institution_id IS NULL  -- who is paid in a person's place mends the claim
       AND NOT EXISTS (SELECT FROM messages m WHERE m.event = 'remind:' || due.id)
     ORDER BY due.due_on, due.id LIMIT :portion
""")  # noqa: S608 (our own constants)

_OFFERED = text(f"""
    SELECT o.id, o.expires_on AS due_on, coalesce(person.merged_into, person.id) AS person_id,
           NULL AS claim_id, o.level, o.amount_fen, item.name AS item, NULL AS institution
      FROM claim_offers o
      JOIN people person ON person.id = o.person_id
      JOIN catalog_items item ON item.id = o.item_id
     WHERE {STANDS} AND NOT EXISTS (SELECT FROM messages m WHERE m.event = 'offer:' || o.id)
     ORDER BY o.id LIMIT :portion
""")  # noqa: S608 (our own constants)

_DEMANDED = text(f"""
    SELECT k.id, k.letter_number AS letter, k.serial, k.amount_fen, NULL AS due_on,
           coalesce(person.merged_into, person.id) AS person_id, c.id AS claim_id, c.level,
           item.name AS item, institution.name AS institution
      FROM clawbacks k
      JOIN claims c ON c.id = k.claim_id
      {_OF_CLAIM}
     WHERE k.status = 'demanded' AND c.payee_institution_id IS NULL  -- whoever is paid in their place has the letter
       AND NOT EXISTS (SELECT FROM messages m WHERE m.event = 'clawback:' || k.id)
     ORDER BY k.id LIMIT :portion
""")  # noqa: S608 (our own constants)


async def events_after(tx: Tx, after: int) -> Sequence[Row[Any]]:
    """A portion of what happened to claims after that row of the journal and was not told of, in order of `id`."""
    found = await tx.execute(_EVENTS, {"after": after, "actions": list(ACTIONS), "portion": PORTION})
    return found.all()


async def corrections_due(tx: Tx, today: date, last: date) -> Sequence[Row[Any]]:
    """A portion of the corrections that are missing and due up to `last`, of which nobody was reminded."""
    return (await tx.execute(_DUE, {"today": today, "last": last, "portion": PORTION})).all()


async def offers_untold(tx: Tx, today: date) -> Sequence[Row[Any]]:
    """A portion of the offers that stand and nobody was told of."""
    return (await tx.execute(_OFFERED, {"today": today, "portion": PORTION})).all()


async def demands_untold(tx: Tx) -> Sequence[Row[Any]]:
    """A portion of the clawbacks that are demanded of persons and of which nobody was told."""
    return (await tx.execute(_DEMANDED, {"portion": PORTION})).all()


_OFFICERS = text("""
    SELECT coalesce(p.merged_into, p.id) AS person_id, u.district, array_agg(o.post) AS posts
      FROM users u JOIN user_posts o ON o.user_id = u.id JOIN people p ON p.id = u.person_id
     WHERE u.disabled_at IS NULL AND p.phone_sealed IS NOT NULL AND o.post = ANY (CAST(:posts AS text[]))
     GROUP BY u.id, 1, 2 ORDER BY 1, u.id
""")


@dataclass
class OfficerDue:
    """How much is due today and late where an officer works."""

    due_today: int = 0
    overdue: int = 0


async def officers_due(tx: Tx, today: date) -> dict[UUID, OfficerDue]:
    """Officers with a telephone who have something to do today, and how much: person → due."""
    loads = [each for each in await loads_of(tx, SOURCES, today) if each.due_today or each.overdue]
    posts = sorted({str(source.post) for source in SOURCES.values()})
    found = defaultdict[UUID, OfficerDue](OfficerDue)
    for officer in await tx.execute(_OFFICERS, {"posts": posts}):
        for load in loads:
            if SOURCES[load.kind].post in officer.posts and officer.district in (None, load.district):
                found[officer.person_id].due_today += load.due_today
                found[officer.person_id].overdue += load.overdue
    return dict(found)


async def operators(tx: Tx) -> list[UUID]:
    """Persons with a telephone who are operators."""
    rows = await tx.execute(_OFFICERS, {"posts": [str(Post.OPERATOR)]})
    return sorted({row.person_id for row in rows})


def facts_of(row: Row[Any]) -> dict[str, str]:
    """What the words of a message may say of a claim or an offer."""
    told = {
        "item": row.item,
        "level": LEVELS[row.level].short,
        "amount": format_yuan(row.amount_fen),
        "institution": row.institution or "",
    }
    told |= {"due": row.due_on.isoformat()} if row.due_on else {}
    if "letter" in row._fields:
        told |= {"letter": row.letter, "number": clawback_number(row.serial)}
    return told


@dataclass(frozen=True)
class Letter:
    """A message that is to leave: to which number, in which words."""

    id: UUID
    phone: str = field(repr=False)
    text: str


async def letters(tx: Tx, ids: Sequence[UUID]) -> tuple[list[Letter], list[UUID]]:
    """What is owed among `ids`, and those of it whose person has no number."""
    row, person, keys = MessageRow, PersonRow, keyring()
    asked = (
        select(row.id, row.template, row.facts, person.id, person.phone_sealed)
        .join(person, person.id == row.person_id)
        .where(row.id.in_(ids), row.state == "owed")
    )
    ready, without = [], []
    for message_id, template, facts, person_id, phone in await tx.execute(asked):
        if phone is None:
            without.append(message_id)
        else:
            ready.append(Letter(message_id, keys.open(phone, person_id), _text(template, facts)))
    return ready, without


async def my_messages(tx: Tx, me: Actor, most: int | None = SHOWN_MAX) -> MessagesView:
    """What I was told, newest first, so many or all (None); also what was told to an id that was found to be mine."""
    row, person = MessageRow, PersonRow
    mine = select(person.id).where((person.id == me.person_id) | (person.merged_into == me.person_id))
    asked = (
        select(row.id, row.claim_id, row.template, row.facts, row.state, row.made_at, row.ended_at)
        .where(row.person_id.in_(mine))
        .order_by(row.made_at.desc(), row.id)
        .limit(most)
    )
    return MessagesView(
        [
            MessageView(
                id=each.id,
                claim_id=each.claim_id,
                text=_text(each.template, each.facts),
                state=each.state,
                state_name=words(f"message_state.{each.state}"),
                made_at=each.made_at,
                ended_at=each.ended_at,
            )
            for each in await tx.execute(asked)
        ]
    )


def _text(template: str, facts: dict[str, str]) -> str:
    """As it was sent, or will be."""
    with in_chinese():
        return words("message.frame", {"text": words(f"message.{template}", facts)})
