"""The claims that a finding is about."""

from uuid import UUID

from sqlalchemy import text

from service.claims.tables import ALIVE_SQL
from service.database import Tx

# Claims that its rows name; of people, what they claim through the institution or for what it taught them; of
# classes, what their trainees claim for it. But none that the same signal has held before: somebody has looked.
_CONCERNED = text(f"""
    WITH told AS (
        SELECT f.institution_id, f.signal, (row ->> 'claim')::uuid AS claim_id, (row ->> 'person')::uuid AS person_id,
               (row ->> 'class')::uuid AS class_id
          FROM signal_findings f, jsonb_array_elements(f.rows) AS row WHERE f.id = :finding
    ), about AS (
        SELECT signal, claim_id FROM told WHERE claim_id IS NOT NULL
         UNION
        SELECT told.signal, c.id
          FROM told JOIN claims c ON c.person_id = told.person_id AND c.{ALIVE_SQL}
         WHERE c.institution_id = told.institution_id
            OR EXISTS (SELECT FROM training_places p JOIN training_classes k ON k.id = p.class_id
                        WHERE p.person_id = c.person_id AND k.institution_id = told.institution_id
                          AND k.occupation = c.subsidy_key AND k.level = c.level)
         UNION
        SELECT told.signal, c.id
          FROM told
          JOIN training_classes k ON k.id = told.class_id
          JOIN training_places p ON p.class_id = k.id
          JOIN claims c ON c.person_id = p.person_id AND c.subsidy_key = k.occupation AND c.level = k.level
                       AND c.{ALIVE_SQL}
         WHERE told.person_id IS NULL
    )
    SELECT claim_id FROM about
     WHERE NOT EXISTS (SELECT FROM signal_holds h WHERE h.claim_id = about.claim_id AND h.signal = about.signal)
""")  # noqa: S608 (our own constant)


async def concerned(tx: Tx, finding_id: UUID) -> list[UUID]:
    """Ids of claims, wherever they stand on their way."""
    return list((await tx.execute(_CONCERNED, {"finding": finding_id})).scalars())
