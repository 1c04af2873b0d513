"""Fold the appended changes of the filing figures into the tally, and into its sums, which are read."""

from sqlalchemy import text

from service.database import Tx

#: One folder at a time: two would wait for each other's rows and gain nothing.
_FOLDER = text("SELECT pg_try_advisory_xact_lock(hashtextextended('claims.fold_tally', 0))")

# One statement: every reader's snapshot sees a change either unfolded or folded, never both, never neither.
_FOLD = text("""
    WITH taken AS (
        DELETE FROM claim_tally_deltas
         WHERE id IN (SELECT id FROM claim_tally_deltas ORDER BY id LIMIT :limit)
        RETURNING filed_on, district, list_kind, industry, level, channel, count, amount_fen
    ), folded AS (
        INSERT INTO claim_tally AS tally (filed_on, district, list_kind, industry, level, channel, count, amount_fen)
        SELECT filed_on, district, list_kind, industry, level, channel, sum(count), sum(amount_fen)
          FROM taken
         GROUP BY filed_on, district, list_kind, industry, level, channel
        ON CONFLICT (filed_on, district, list_kind, industry, level, channel)
        DO UPDATE SET count = tally.count + excluded.count, amount_fen = tally.amount_fen + excluded.amount_fen
    ), summed AS (
        INSERT INTO claim_tally_sums AS sums (along, grain, filed_on, key, channel, count, amount_fen)
        SELECT each.along, days.grain, days.first, each.key, channel, sum(count), sum(amount_fen)
          FROM taken
         CROSS JOIN LATERAL (
               VALUES ('day', filed_on),
                      ('month', CAST(date_trunc('month', filed_on) AS date))) AS days (grain, first)
         CROSS JOIN LATERAL (
               VALUES ('month', to_char(filed_on, 'YYYY-MM')), ('district', district), ('list', list_kind),
                      ('industry', industry), ('level', level)) AS each (along, key)
         GROUP BY each.along, days.grain, days.first, each.key, channel
        ON CONFLICT (along, grain, filed_on, key, channel)
        DO UPDATE SET count = sums.count + excluded.count, amount_fen = sums.amount_fen + excluded.amount_fen
    )
    SELECT count(*) FROM taken
""")


async def fold_tally(tx: Tx, limit: int = 10_000) -> int:
    """Fold at most `limit` of the oldest changes; how many were folded. Zero while another folder works."""
    if not (await tx.execute(_FOLDER)).scalar_one():
        return 0
    return int((await tx.execute(_FOLD, {"limit": limit})).scalar_one())
