"""The journal's seal: rows are chained into blocks in the order of their transactions, by the owner's function alone.

What stood in the journal before is sealed by the first sweeps, as it is found: from then on it cannot change unseen.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "journal_seal"
down_revision = "step_up"
branch_labels = None
depends_on = None

# Blocks of at most `block_max` rows are appended for at most `rows_max` rows; says how many were sealed.
#
# A transaction below the snapshot's xmin is over, so no row can appear there any more: what is sealed goes by
# (xid, id) up to a place, and the next call goes on from it. A backup that was put back elsewhere starts to count
# transactions anew: its rows, known by `restores.journal_id`, are all there is of theirs, and are sealed first.
#
# A row's digest is said again in service/audit/queries/seal.py, which does not believe this function.
SEAL = """
    CREATE FUNCTION seal_journal(rows_max integer, block_max integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
      chain journal_blocks;
      block journal_blocks;
      restored restores;
      picked bigint[];
      part record;
      of_backup boolean;
      sealed integer := 0;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('seal_journal', 0));
      SELECT * INTO restored FROM restores ORDER BY id DESC LIMIT 1;
      SELECT * INTO chain FROM journal_blocks ORDER BY number DESC LIMIT 1;
      chain.number := coalesce(chain.number, 0);
      chain.hash := coalesce(chain.hash, decode(repeat('00', 32), 'hex'));
      chain.restore_id := coalesce(chain.restore_id, 0);
      chain.upto_xid := coalesce(chain.upto_xid, 0);
      chain.upto_id := coalesce(chain.upto_id, 0);

      of_backup := chain.restore_id < coalesce(restored.id, 0);
      IF of_backup THEN
        SELECT array_agg(id ORDER BY x, id) INTO picked
          FROM (SELECT j.id, j.xid::bigint AS x FROM journal j
                 WHERE j.id <= restored.journal_id
                   AND NOT EXISTS (SELECT FROM journal_blocks b, unnest(b.row_ids) AS of_block (id)
                                    WHERE of_block.id = j.id)
                 ORDER BY x, j.id LIMIT rows_max) AS of_the_backup;
        IF picked IS NULL THEN
          of_backup := false;
          chain.restore_id := restored.id;
          chain.upto_xid := 0;
          chain.upto_id := 0;
        END IF;
      ELSIF chain.upto_xid > pg_snapshot_xmax(pg_current_snapshot())::text::bigint THEN
        RAISE EXCEPTION 'the database counts its transactions anew: a backup was put back, and zhida restored not run'
          USING ERRCODE = 'ZD255';
      END IF;
      IF picked IS NULL THEN
        SELECT array_agg(id ORDER BY x, id) INTO picked
          FROM (SELECT j.id, j.xid::bigint AS x FROM journal j
                 WHERE j.xid::bigint >= chain.upto_xid
                   AND (j.xid::bigint, j.id) > (chain.upto_xid, chain.upto_id)
                   AND j.xid::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                   AND (restored.id IS NULL OR j.id > restored.journal_id)
                 ORDER BY x, j.id LIMIT rows_max) AS over;
      END IF;

      FOR part IN
        SELECT array_agg(j.id ORDER BY t.n) AS ids, count(*) AS rows, max(t.n) AS last,
               array_agg(sha256(convert_to(jsonb_build_array(
                 j.id, j.subject_kind, j.subject_id, j.action, j.before, j.after, j.actor_user_id, j.actor_person_id,
                 j.actor_name, j.reason, (extract(epoch FROM j.at) * 1000000)::bigint, j.xid)::text, 'UTF8'))
                 ORDER BY t.n) AS hashes
          FROM unnest(picked) WITH ORDINALITY AS t (id, n) JOIN journal j ON j.id = t.id
         GROUP BY (t.n - 1) / block_max ORDER BY (t.n - 1) / block_max
      LOOP
        block := chain;
        block.number := chain.number + 1;
        block.previous := chain.hash;
        block.row_ids := part.ids;
        block.row_hashes := part.hashes;
        block.row_count := part.rows;
        block.sealed_at := clock_timestamp();
        IF NOT of_backup THEN
          SELECT j.xid::bigint, j.id INTO block.upto_xid, block.upto_id
            FROM journal j WHERE j.id = picked[part.last];
        END IF;
        block.hash := sha256(convert_to(jsonb_build_array(
          block.number, encode(block.previous, 'hex'), block.restore_id, block.upto_xid, block.upto_id,
          block.row_count, (extract(epoch FROM block.sealed_at) * 1000000)::bigint, block.row_ids,
          (SELECT encode(string_agg(h, '' ORDER BY n), 'hex')
             FROM unnest(block.row_hashes) WITH ORDINALITY AS t (h, n)))::text, 'UTF8'));
        INSERT INTO journal_blocks SELECT block.*;
        sealed := sealed + block.row_count;
        chain := block;
      END LOOP;
      RETURN sealed;
    END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_journal_xid")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_journal_xid ON journal USING brin ((xid::bigint))"
            " WITH (pages_per_range = 32, autosummarize = on)"
        )
        op.execute("SET lock_timeout = '4s'")  # as migrations/env.py has it
    op.create_table(
        "journal_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("restore_id", sa.BigInteger(), nullable=False),
        sa.Column("upto_xid", sa.BigInteger(), nullable=False),
        sa.Column("upto_id", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("row_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("row_hashes", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "row_count > 0 AND row_count = cardinality(row_ids) AND row_count = cardinality(row_hashes)",
            name=op.f("ck_journal_blocks_counted"),
        ),
        sa.CheckConstraint(
            "octet_length(hash) = 32 AND octet_length(previous) = 32", name=op.f("ck_journal_blocks_hashed")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_journal_blocks")),
        sa.UniqueConstraint("previous", name=op.f("uq_journal_blocks_previous")),
        sa.UniqueConstraint("hash", name=op.f("uq_journal_blocks_hash")),
    )
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON journal_blocks"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(SEAL)
    op.execute("REVOKE ALL ON FUNCTION seal_journal(integer, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION seal_journal(integer, integer) TO zhida_app")
    op.execute("GRANT SELECT ON journal_blocks TO zhida_app")
