"""Whom something can be offered, what I am offered, and which offers have ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from domain.actor import Actor
from domain.eligibility import Verdict
from domain.errors import NotFound
from domain.level import LEVELS
from domain.offer import Ended, OfferStatus
from service.claims.tables import ALIVE_SQL, DEAD_SQL
from service.database import Tx
from service.offers.schemas import OffersView, OfferView
from service.verification.queries.files import newest_sql
from service.wording import words

#: Results or offers that are looked at in one transaction, and offers that a person is shown.
PORTION, SHOWN_MAX = 500, 200


def _claimed(certificate: str) -> str:
    """Whether any claim names the certificate; each half has an index of its own."""
    return f"""(EXISTS (SELECT FROM claims k WHERE k.certificate_number = {certificate} AND k.{ALIVE_SQL})
                OR EXISTS (SELECT FROM claims k WHERE k.certificate_number = {certificate} AND k.{DEAD_SQL}))"""  # noqa: S608 (our own constants)


def _mandated(person: str, of_class: str) -> str:
    """Whether the person lets the class's institution claim for them today; any, where there is no class."""
    return f"""EXISTS (SELECT FROM mandates m
                         JOIN people holder ON holder.id = {person}
                         LEFT JOIN training_classes taught ON taught.id = {of_class}
                        WHERE m.person_id IN (holder.id, holder.merged_into)
                          AND m.institution_id = coalesce(taught.institution_id, m.institution_id)
                          AND m.in_force @> CAST(:today AS date)
                          AND NOT EXISTS (SELECT FROM mandate_revocations v
                                           WHERE v.mandate_id = m.id AND v.revoked_on <= :today))"""  # noqa: S608 (our own constants)


# A corrected sheet is told whole, and so is a newer file: whoever it leaves as they were keeps their offer.
_CORRECTED = f"""(NOT EXISTS (SELECT FROM assessment_results r
                              WHERE r.certificate_number = o.certificate_number AND r.live
                                AND (r.person_id, r.class_id, r.certificate_issued_on)
                                  = (o.person_id, o.class_id, o.issued_on))
                  AND NOT EXISTS (SELECT FROM registry_entries e
                                    JOIN person_blind_indexes b ON b.index = e.holder_index
                                   WHERE o.entry_id IS NOT NULL AND e.certificate_number = o.certificate_number
                                     AND e.file_id = {newest_sql("o.certificate_number")} AND NOT e.revoked
                                     AND (b.person_id, e.issued_on) = (o.person_id, o.issued_on)))"""  # noqa: S608 (our own constants)
_OVER = f"(o.expires_on < :today OR {_CORRECTED})"
_MANDATED = _mandated("o.person_id", "o.class_id")
#: That an offer `o` is shown to its holder on the day `:today`.
STANDS = f"""(o.status = '{OfferStatus.OFFERED}' AND NOT {_OVER} AND NOT {_MANDATED}
              AND NOT {_claimed("o.certificate_number")})"""


@dataclass(frozen=True)
class Place:
    """A result, in the order in which they are looked at."""

    assessment_id: UUID
    person_id: UUID


NOBODY = UUID(int=0)
BEGINNING = Place(NOBODY, NOBODY)

_CANDIDATES = text(f"""
    SELECT r.assessment_id, r.person_id, coalesce(person.merged_into, person.id) AS holder, r.class_id, c.number,
           c.district, c.level, i.code, r.certificate_number, r.certificate_issued_on
      FROM assessment_results r
      JOIN people person ON person.id = r.person_id
      JOIN training_classes c ON c.id = r.class_id
      JOIN catalog_items i ON i.id = c.item_id
     WHERE (r.assessment_id, r.person_id) > (:assessment_id, :person_id)
       AND r.live AND r.mark = 'passed' AND i.code IS NOT NULL
       AND r.certificate_issued_on + make_interval(months => :months) >= :today
       AND NOT EXISTS (SELECT FROM claim_offers o
                        WHERE o.certificate_number = r.certificate_number AND o.person_id = r.person_id)
       AND NOT {_claimed("r.certificate_number")}
       AND NOT {_mandated("r.person_id", "r.class_id")}
     ORDER BY r.assessment_id, r.person_id LIMIT :portion
""")  # noqa: S608 (our own constants)


async def candidates(tx: Tx, after: Place, claim_window_months: int, today: date) -> Sequence[Row[Any]]:
    """A portion of the results with a certificate that nobody has claimed for, or may claim for, but its holder."""
    place = {"assessment_id": after.assessment_id, "person_id": after.person_id}
    told = {"months": claim_window_months, "today": today, "portion": PORTION}
    return (await tx.execute(_CANDIDATES, {**place, **told})).all()


# Found by the keyed digest of their number: whoever is not known here is nobody to offer anything to.
_ON_FILE = text(f"""
    SELECT e.*, b.person_id, coalesce(person.merged_into, person.id) AS holder, person.name_sealed,
           person.id_number_sealed
      FROM registry_entries e
      JOIN registry_file_confirmations k ON k.file_id = e.file_id
      JOIN person_blind_indexes b ON b.index = e.holder_index
      JOIN people person ON person.id = b.person_id
     WHERE e.id > :after AND NOT e.revoked AND e.occupation_code IS NOT NULL AND e.level = ANY (:levels)
       AND e.issued_on + make_interval(months => :months) >= :today
       AND e.file_id = {newest_sql("e.certificate_number")}
       AND NOT EXISTS (SELECT FROM registry_entries twice
                        WHERE twice.certificate_number = e.certificate_number AND twice.file_id = e.file_id
                          AND twice.id <> e.id)
       AND NOT EXISTS (SELECT FROM assessment_results r
                        WHERE r.certificate_number = e.certificate_number AND r.live)
       AND NOT EXISTS (SELECT FROM claim_offers o
                        WHERE o.certificate_number = e.certificate_number AND o.person_id = b.person_id)
       AND NOT {_claimed("e.certificate_number")}
       AND NOT {_mandated("b.person_id", "CAST(NULL AS uuid)")}
     ORDER BY e.id LIMIT :portion
""")  # noqa: S608 (our own constants)


async def candidates_on_file(tx: Tx, after: UUID, claim_window_months: int, today: date) -> Sequence[Row[Any]]:
    """A portion of the entries in files of the registry with a certificate that nobody has claimed for, or may claim
    for, but its holder; of those that stand in no class's results."""
    told = {"after": after, "months": claim_window_months, "today": today, "portion": PORTION}
    return (await tx.execute(_ON_FILE, {**told, "levels": list(LEVELS)})).all()


_ENDED = text(f"""
    SELECT o.id, o.why FROM (
        SELECT o.id, CASE WHEN {_claimed("o.certificate_number")} THEN '{Ended.CLAIMED}'
                          WHEN {_CORRECTED} THEN '{Ended.CORRECTED}'
                          WHEN o.expires_on < :today THEN '{Ended.OVER}' END AS why
          FROM claim_offers o
         WHERE o.status = '{OfferStatus.OFFERED}') AS o
     WHERE o.why IS NOT NULL
     ORDER BY o.id LIMIT :portion
""")  # noqa: S608 (our own constants)


async def ended(tx: Tx, today: date) -> dict[Ended, list[UUID]]:
    """A portion of the offers that nobody can confirm any more, by why."""
    found: dict[Ended, list[UUID]] = {}
    for offer_id, why in await tx.execute(_ENDED, {"today": today, "portion": PORTION}):
        found.setdefault(Ended(why), []).append(offer_id)
    return found


_MINE = f"""
    SELECT o.id, o.status, o.claim_id, o.level, o.certificate_number, o.issued_on, o.district, o.amount_fen,
           o.made_on, o.expires_on, o.decision ->> 'verdict' AS verdict, c.number AS class_number,
           item.code AS item_code, item.name AS item_name,
           {STANDS} AS stands, {_OVER} AS over, {_MANDATED} AS mandated
      FROM claim_offers o
      JOIN people person ON person.id = o.person_id
      LEFT JOIN training_classes c ON c.id = o.class_id
      JOIN catalog_items item ON item.id = o.item_id
     WHERE :me IN (person.id, person.merged_into)
"""  # noqa: S608 (our own constants)
_LIST = text(f"""
    SELECT * FROM ({_MINE}) AS o WHERE o.stands OR o.status <> '{OfferStatus.OFFERED}'
     ORDER BY o.made_on DESC, o.id LIMIT CAST(:most AS integer)
""")  # noqa: S608 (our own constants)
_ONE = text(f"{_MINE} AND o.id = :id FOR UPDATE OF o")


async def my_offers(tx: Tx, me: Actor, today: date, most: int | None = SHOWN_MAX) -> OffersView:
    """What I am offered and can confirm today, and what became of other offers; so many, or all (None)."""
    rows = await tx.execute(_LIST, {"me": me.person_id, "today": today, "most": most})
    return OffersView([_view(row) for row in rows])


async def lock_mine(tx: Tx, me: Actor, offer_id: UUID, today: date) -> Row[Any]:
    """An offer to me, locked; NotFound `offer.not_found`."""
    found = (await tx.execute(_ONE, {"me": me.person_id, "id": offer_id, "today": today})).one_or_none()
    if found is None:
        raise NotFound("offer.not_found")
    return found


async def my_offer(tx: Tx, me: Actor, offer_id: UUID, today: date) -> OfferView:
    return _view(await lock_mine(tx, me, offer_id, today))


def _view(row: Row[Any]) -> OfferView:
    return OfferView(
        id=row.id,
        item_code=row.item_code,
        item_name=row.item_name,
        level=row.level,
        certificate_number=row.certificate_number,
        certificate_issued_on=row.issued_on,
        class_number=row.class_number,
        district=row.district,
        amount_fen=row.amount_fen,
        made_on=row.made_on,
        expires_on=row.expires_on,
        status=row.status,
        status_name=words(f"status.{row.status}"),
        claim_id=row.claim_id,
        needs_human=row.verdict == Verdict.NEEDS_HUMAN,
    )
