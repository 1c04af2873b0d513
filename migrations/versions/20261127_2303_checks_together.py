"""How many persons check a batch is settled when its maker signs, by what goes out beside it; the reason is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "checks_together"
down_revision = "registry_trials"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # Content is written at freezing, and again only when lines left before anybody signed; it equals the lines; each
    # further step has its signatures, as many checks as the batch needs.
    """
    CREATE OR REPLACE FUNCTION guard_batches() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(o.status, '') <> 'opened'
             AND (o.content_hash, o.line_count, o.sum_fen) IS DISTINCT FROM (n.content_hash, n.line_count, n.sum_fen)
             AND NOT coalesce(o.status = 'frozen' AND n.status = 'frozen' AND n.line_count < o.line_count
                              AND n.line_count = (SELECT count(*) FROM payment_attempts a
                                                   WHERE a.batch_id = n.id AND a.status <> 'void'), false)) > 0
         OR (SELECT count(*) FROM new_rows n JOIN old_rows o ON o.id = n.id
              WHERE (o.content_hash, o.line_count, o.sum_fen)
                    IS DISTINCT FROM (n.content_hash, n.line_count, n.sum_fen)
                AND EXISTS (SELECT FROM batch_signatures s WHERE s.batch_id = n.id)) > 0 THEN
        RAISE EXCEPTION 'the content of a batch is frozen' USING ERRCODE = 'ZD003';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'frozen'
             AND (o.status, o.content_hash, o.line_count, o.sum_fen)
                 IS DISTINCT FROM (n.status, n.content_hash, n.line_count, n.sum_fen)
             AND (n.line_count, n.sum_fen) IS DISTINCT FROM
                 (SELECT ROW (count(*)::integer, coalesce(sum(a.amount_fen), 0)::bigint)
                    FROM payment_attempts a WHERE a.batch_id = n.id AND a.status <> 'void')) > 0 THEN
        RAISE EXCEPTION 'the lines of a batch differ from its total' USING ERRCODE = 'ZD005';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.status IS DISTINCT FROM n.status
             AND NOT (CASE WHEN n.status IN ('submitted', 'checked', 'released') THEN ARRAY['assemble']
                           ELSE ARRAY[]::text[] END
                      || CASE WHEN n.status IN ('checked', 'released')
                              THEN (ARRAY['check', 'check_2', 'check_3'])[1:n.checks_needed]
                              ELSE ARRAY[]::text[] END
                      || CASE WHEN n.status = 'released' THEN ARRAY['release'] ELSE ARRAY[]::text[] END)
                     <@ (SELECT coalesce(array_agg(s.step), '{}') FROM batch_signatures s
                          WHERE s.batch_id = n.id AND s.content_hash = n.content_hash)) > 0 THEN
        RAISE EXCEPTION 'a signature is missing' USING ERRCODE = 'ZD006';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'released' AND coalesce(o.status, '') <> 'released'
             AND NOT EXISTS (SELECT FROM treasury_transfers t
                              WHERE t.batch_id = n.id AND t.sum_fen = n.sum_fen)) > 0 THEN
        RAISE EXCEPTION 'no treasury transfer over this sum' USING ERRCODE = 'ZD007';
      END IF;
      RETURN NULL;
    END $$
    """,
    # By how many it is checked is written at freezing and settled at its maker's signature: alone in its district and
    # fund, so that of two at once the second sees the first, and by no less than goes out beside it
    # (`domain/batch_checks.py` says the same). Afterwards it stays.
    """
    CREATE FUNCTION guard_batch_checks() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE own record; signed_on date; together bigint;
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (o.checks_needed, o.together) IS DISTINCT FROM (n.checks_needed, n.together)
             AND NOT coalesce((o.status = 'opened' AND n.status = 'frozen')
                              OR (o.status = 'frozen' AND n.status IN ('frozen', 'submitted')), false)) > 0 THEN
        RAISE EXCEPTION 'by how many a batch is checked is settled' USING ERRCODE = 'ZD003';
      END IF;
      FOR own IN SELECT n.* FROM new_rows n JOIN old_rows o ON o.id = n.id
                  WHERE n.status = 'submitted' AND o.status = 'frozen' ORDER BY n.id LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('checks of ' || own.district || ' ' || own.fund, 0));
        IF EXISTS (SELECT FROM batches b WHERE (b.district, b.fund) = (own.district, own.fund)
                      AND b.id <> own.id AND b.status = 'opened') THEN
          RAISE EXCEPTION 'others of its district and fund are not put together yet' USING ERRCODE = 'ZD217';
        END IF;
        SELECT (s.signed_at AT TIME ZONE 'Asia/Shanghai')::date INTO signed_on
          FROM batch_signatures s WHERE s.batch_id = own.id AND s.step = 'assemble';
        SELECT own.sum_fen + coalesce(sum(b.sum_fen), 0) INTO together
          FROM batches b LEFT JOIN batch_signatures s ON s.batch_id = b.id AND s.step = 'assemble'
         WHERE (b.district, b.fund) = (own.district, own.fund) AND b.id <> own.id
           AND b.status NOT IN ('opened', 'dissolved', 'not_received')
           AND (b.series = own.series OR b.status IN ('frozen', 'submitted', 'checked')
                OR (s.signed_at AT TIME ZONE 'Asia/Shanghai')::date = signed_on);
        IF coalesce((own.together ->> 'fen')::bigint, 0) < together
           OR own.checks_needed < (SELECT 1 + count(*) FROM policies p, jsonb_each_text(p.value) step
                                    WHERE p.key = 'batch_check_steps' AND p.in_force @> signed_on
                                      AND together >= step.value::bigint) THEN
          RAISE EXCEPTION 'more persons check what goes out together' USING ERRCODE = 'ZD216';
        END IF;
      END LOOP;
      RETURN NULL;
    END $$
    """,
]


def upgrade() -> None:
    op.add_column("batches", sa.Column("together", JSONB(), nullable=True))
    for function in FUNCTIONS:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER guard_checks AFTER UPDATE ON batches REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_batch_checks()"
    )
    op.execute("GRANT UPDATE (together) ON batches TO zhida_app")
