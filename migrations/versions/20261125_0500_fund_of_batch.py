"""A batch pays from one fund: which one, and the label of its account, stand in its row and are guarded.

What was assembled before took claims of every fund and named one account for all. Nothing of that leaves any more:
whatever can still be stopped and is not of one fund, or has a file that names another fund's account, is dissolved as
a person would dissolve it. What was sent keeps what its file said, and its journal tells whose money was in it.
"""

import sqlalchemy as sa
from alembic import op

revision = "fund_of_batch"
down_revision = "rosters"
branch_labels = None
depends_on = None

BACKFILL = [
    # what every file named until now
    """
    INSERT INTO funds SELECT 'employment_subsidy', '就业补助资金' WHERE EXISTS (SELECT FROM batches)
    ON CONFLICT DO NOTHING
    """,
    """
    CREATE TEMPORARY TABLE paid_from ON COMMIT DROP AS
    WITH part AS (
      SELECT a.batch_id, p.fund, f.name, count(*) AS lines, sum(a.amount_fen) AS sum_fen
        FROM payment_attempts a
        JOIN fund_reservations r ON r.claim_id = a.claim_id
        JOIN fund_positions p ON p.id = r.position_id
        JOIN funds f ON f.code = p.fund
       GROUP BY a.batch_id, p.fund, f.name),
    whole AS (
      SELECT batch_id, CASE count(*) WHEN 1 THEN min(fund) END AS fund,
             string_agg(format('%s%s笔%s元', name, lines, (sum_fen / 100.0)::numeric(20, 2)), '、'
                        ORDER BY fund) AS parts
        FROM part GROUP BY batch_id),
    known AS (
      SELECT b.id, b.district, b.status, coalesce(w.fund, 'employment_subsidy') AS fund,
             w.batch_id IS NOT NULL AND w.fund IS NULL AS mixed, w.parts,
             EXISTS (SELECT FROM bank_files f WHERE f.batch_id = b.id) AS has_file,
             b.status IN ('frozen', 'submitted', 'checked', 'released')
               AND NOT EXISTS (SELECT FROM payment_attempts a
                                WHERE a.batch_id = b.id AND a.status NOT IN ('prepared', 'void')) AS stoppable
        FROM batches b LEFT JOIN whole w ON w.batch_id = b.id)
    SELECT k.id, k.status, k.fund,
           CASE WHEN k.has_file THEN '就业补助资金' ELSE f.name END || '专户-' || k.district AS debit_account,
           CASE WHEN k.mixed THEN '本批含多项资金：' || k.parts
                WHEN k.has_file AND k.fund <> 'employment_subsidy' THEN '代发文件以就业补助资金专户列支：' || k.parts
                ELSE '' END AS noted,
           CASE WHEN NOT k.stoppable THEN ''
                WHEN k.mixed THEN '批次含多项资金，整批解散'
                WHEN k.has_file AND k.fund <> 'employment_subsidy' THEN '代发文件写的不是这项资金的专户，整批解散'
                ELSE '' END AS dissolved_for
      FROM known k JOIN funds f ON f.code = k.fund
    """,
    """
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, reason, at)
    SELECT 'batch', id, 'name_fund',
           jsonb_build_object('status', status, 'fund', fund, 'debit_account', debit_account), 'migration', noted,
           now()
      FROM paid_from
    """,
    "UPDATE batches b SET fund = p.fund, debit_account = p.debit_account FROM paid_from p WHERE p.id = b.id",
]

#: As `service.batches.commands.dissolve.give_up` does it.
DISSOLVE = [
    """
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, reason, at)
    SELECT 'batch', id, 'dissolve', jsonb_build_object('status', status), '{"status": "dissolved"}', 'migration',
           dissolved_for, now()
      FROM paid_from WHERE dissolved_for <> ''
    """,
    """
    UPDATE batches b SET status = 'dissolved' FROM paid_from p WHERE p.id = b.id AND p.dissolved_for <> ''
    """,
    """
    CREATE TEMPORARY TABLE freed ON COMMIT DROP AS
    SELECT a.id, a.claim_id, p.dissolved_for FROM payment_attempts a JOIN paid_from p ON p.id = a.batch_id
     WHERE p.dissolved_for <> '' AND a.status = 'prepared'
    """,
    """
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, reason, at)
    SELECT moved.*, 'migration', dissolved_for, now() FROM freed, LATERAL (VALUES
           ('attempt', freed.id, 'void', '{"status": "prepared"}'::jsonb, '{"status": "void"}'::jsonb),
           ('claim', freed.claim_id, 'unbatch', '{"status": "batched"}', '{"status": "payable"}')) AS moved
    """,
    "UPDATE payment_attempts a SET status = 'void' FROM freed f WHERE f.id = a.id",
    "UPDATE claims c SET status = 'payable' FROM freed f WHERE f.claim_id = c.id",
    """
    WITH kept AS (
      UPDATE treasury_transfers t SET carried_over_at = now() FROM paid_from p
       WHERE p.id = t.batch_id AND p.dissolved_for <> ''
      RETURNING t.batch_id, t.carried_over_at)
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    SELECT 'treasury_transfer', batch_id, 'carry_over', jsonb_build_object('carried_over_at', carried_over_at),
           'migration', now()
      FROM kept
    """,
    "DROP TABLE freed",
    "DROP TABLE paid_from",
]

FUNCTIONS = [
    # An attempt pays what its claim is due, out of the fund that holds it, into a batch still open; nothing leaves
    # without a committed file.
    """
    CREATE OR REPLACE FUNCTION guard_payment_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        IF (SELECT count(*) FROM new_rows n JOIN claims c ON c.id = n.claim_id JOIN batches b ON b.id = n.batch_id
              LEFT JOIN fund_reservations r ON r.claim_id = n.claim_id
              LEFT JOIN fund_positions p ON p.id = r.position_id
             WHERE c.amount_fen <> n.amount_fen OR c.status <> 'batched' OR b.status <> 'opened'
                OR c.district <> b.district OR p.fund IS DISTINCT FROM b.fund) > 0 THEN
          RAISE EXCEPTION 'an attempt does not fit its claim or its batch' USING ERRCODE = 'ZD008';
        END IF;
      ELSIF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
              WHERE coalesce(n.status, '') = 'sending' AND coalesce(o.status, '') <> 'sending'
                AND NOT EXISTS (SELECT FROM bank_files f WHERE f.batch_id = n.batch_id)) > 0 THEN
        RAISE EXCEPTION 'nothing is sent before its file is committed' USING ERRCODE = 'ZD009';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What is drawn or freed is, at commit, for a claim that stands by it: its amount, of its district, and of the
    # fund of the batch that is paying it.
    """
    CREATE OR REPLACE FUNCTION guard_money_of_claim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM claims c
                       JOIN fund_reservations r ON r.claim_id = c.id
                       JOIN fund_positions p ON p.id = r.position_id
                       JOIN fund_pots h ON h.status = c.status AND h.pot = r.pot
                      WHERE c.id = NEW.claim_id AND r.amount_fen = c.amount_fen AND p.district = c.district
                        AND NOT EXISTS (SELECT FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
                                         WHERE a.claim_id = c.id AND b.fund <> p.fund
                                           AND a.status IN ('prepared', 'sending', 'sent', 'unknown'))) THEN
        RAISE EXCEPTION 'money moves only with its claim' USING ERRCODE = 'ZD024', DETAIL = NEW.claim_id::text;
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_opened_batches() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n JOIN funds f ON f.code = n.fund
           WHERE n.debit_account <> f.name || '专户-' || n.district) > 0 THEN
        RAISE EXCEPTION 'a batch is paid out of the account of its fund' USING ERRCODE = 'ZD026';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A voucher is named again only in its own district and fund and for no more than it is over; its row learns one
    # thing.
    """
    CREATE OR REPLACE FUNCTION guard_treasury_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        IF (to_jsonb(OLD) - 'carried_over_at') <> (to_jsonb(NEW) - 'carried_over_at')
           OR OLD.carried_over_at IS NOT NULL
           OR NOT EXISTS (SELECT FROM batches b WHERE b.id = NEW.batch_id AND b.status = 'dissolved') THEN
          RAISE EXCEPTION 'a transfer is only carried over from a dissolved batch' USING ERRCODE = 'ZD012';
        END IF;
      ELSIF EXISTS (SELECT FROM treasury_transfers t
                      JOIN batches theirs ON theirs.id = t.batch_id JOIN batches ours ON ours.id = NEW.batch_id
                     WHERE t.voucher = NEW.voucher AND t.carried_over_at IS NOT NULL
                    HAVING bool_or((theirs.district, theirs.fund) <> (ours.district, ours.fund))
                        OR max(t.sum_fen) < NEW.sum_fen) THEN
        RAISE EXCEPTION 'this voucher is not over this sum in this district and fund' USING ERRCODE = 'ZD018';
      END IF;
      RETURN NEW;
    END $$
    """,
]


def upgrade() -> None:
    op.add_column("batches", sa.Column("fund", sa.Text(), nullable=True))
    op.add_column("batches", sa.Column("debit_account", sa.Text(), nullable=True))
    for statement in (*BACKFILL, *DISSOLVE):
        op.execute(statement)
    op.alter_column("batches", "fund", nullable=False)
    op.alter_column("batches", "debit_account", nullable=False)
    op.create_foreign_key(op.f("fk_batches_fund"), "batches", "funds", ["fund"], ["code"])
    for function in FUNCTIONS:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER guard_opened_batches AFTER INSERT ON batches REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_opened_batches()"
    )
