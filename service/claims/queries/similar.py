"""Claims near one: of the same person, card, telephone or class, as an officer lays them beside it."""

from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.identity import mask_name
from domain.level import LEVELS
from service.claims.schemas import SimilarClaim
from service.claims.tables import ALIVE_SQL
from service.crypto import keyring
from service.database import Tx
from service.wording import words

#: Of each kind.
EACH_MAX = 4

# The nearest first; a claim that is near in several ways is told of once.
_NEAR = text(f"""
    WITH this AS (
        SELECT c.id, c.person_id, c.class_id, a.number_index, p.phone_index
          FROM claims c JOIN accounts a ON a.id = c.account_id JOIN people p ON p.id = c.person_id
         WHERE c.id = :claim
    ), near (id, why, place) AS (
        (SELECT c.id, 'person', 1 FROM this JOIN claims c ON c.person_id = this.person_id AND c.{ALIVE_SQL}
          WHERE c.id <> this.id ORDER BY c.filed_at DESC, c.id LIMIT :most)
         UNION ALL
        (SELECT c.id, 'card', 2
           FROM this JOIN accounts a ON a.number_index = this.number_index AND a.person_id <> this.person_id
           JOIN claims c ON c.person_id = a.person_id AND c.account_id = a.id AND c.{ALIVE_SQL}
          ORDER BY c.filed_at DESC, c.id LIMIT :most)
         UNION ALL
        (SELECT c.id, 'phone', 3
           FROM this JOIN people p ON p.phone_index = this.phone_index AND p.id <> this.person_id
           JOIN claims c ON c.person_id = p.id AND c.{ALIVE_SQL}
          ORDER BY c.filed_at DESC, c.id LIMIT :most)
         UNION ALL
        (SELECT c.id, 'class', 4 FROM this JOIN claims c ON c.class_id = this.class_id
          WHERE c.person_id <> this.person_id ORDER BY c.filed_at DESC, c.id LIMIT :most)
    )
    SELECT DISTINCT ON (near.place, c.filed_at, c.id)
           c.id, near.why, c.status, c.level, i.name AS item_name, p.id AS person_id, p.name_sealed
      FROM near JOIN claims c ON c.id = near.id
      JOIN catalog_items i ON i.id = c.item_id JOIN people p ON p.id = c.person_id
     WHERE (CAST(:district AS text) IS NULL OR c.district = :district)
       AND NOT EXISTS (SELECT FROM near nearer WHERE nearer.id = near.id AND nearer.place < near.place)
     ORDER BY near.place, c.filed_at DESC, c.id
""")  # noqa: S608 (our own constants)


async def similar_claims(tx: Tx, me: Actor, claim_id: UUID) -> list[SimilarClaim]:
    """Those of the district I work for; whether I may see the claim itself is the caller's to ask."""
    keys = keyring()
    rows = await tx.execute(_NEAR, {"claim": claim_id, "district": me.district, "most": EACH_MAX})
    return [
        SimilarClaim(
            id=row.id,
            why=row.why,
            why_name=words(f"near.{row.why}"),
            claimant=mask_name(keys.open(row.name_sealed, row.person_id)),
            item_name=row.item_name,
            level_name=LEVELS[row.level].short,
            status=row.status,
            status_name=words(f"status.{row.status}"),
        )
        for row in rows
    ]
