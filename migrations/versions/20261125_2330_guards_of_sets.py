"""The guards lay old and new rows side by side in one pass: they used to compare every row with every other.

A guard's plan is made at its first call in a session, for as few rows as that call has, and kept: a plain join of the
two then goes row by row, and a later move of 5,000 claims compares 25 million pairs, four times. A FULL JOIN can only
be hashed or merged, as long as no condition holds for matched rows alone; hence IS DISTINCT FROM and coalesce.
EXISTS and LIMIT make PostgreSQL plan for finding something early, and guards find nothing; hence the aggregates.
"""

from alembic import op

revision = "guards_of_sets"
down_revision = "share_sums"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # Every new or changed row has taken a legal step and has a journal row of this transaction with its status.
    """
    CREATE OR REPLACE FUNCTION guard_moves() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE bad uuid;
    BEGIN
      IF TG_OP = 'INSERT' THEN
        SELECT (array_agg(n.id))[1] INTO bad FROM new_rows n
         WHERE NOT EXISTS (SELECT FROM lifecycle_moves m
                            WHERE m.noun = TG_ARGV[0] AND m.before = '' AND m.after = n.status);
      ELSE
        SELECT (array_agg(coalesce(n.id, o.id)))[1] INTO bad FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
         WHERE o.status IS DISTINCT FROM n.status
           AND NOT EXISTS (SELECT FROM lifecycle_moves m
                            WHERE m.noun = TG_ARGV[0] AND m.before = o.status AND m.after = n.status);
      END IF;
      IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'a % cannot make this move', TG_ARGV[0] USING ERRCODE = 'ZD001', DETAIL = bad::text;
      END IF;
      IF TG_OP = 'INSERT' THEN
        SELECT (array_agg(n.id))[1] INTO bad FROM new_rows n
         WHERE NOT EXISTS (SELECT FROM journal j
                            WHERE j.subject_kind = TG_ARGV[0] AND j.subject_id = n.id
                              AND j.xid = pg_current_xact_id()::text AND j.after ->> 'status' = n.status);
      ELSE
        SELECT (array_agg(coalesce(n.id, o.id)))[1] INTO bad FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
         WHERE o IS DISTINCT FROM n
           AND NOT EXISTS (SELECT FROM journal j
                            WHERE j.subject_kind = TG_ARGV[0] AND j.subject_id = n.id
                              AND j.xid = pg_current_xact_id()::text AND j.after ->> 'status' = n.status);
      END IF;
      IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'a change of a % has no journal row', TG_ARGV[0] USING ERRCODE = 'ZD002', DETAIL = bad::text;
      END IF;
      RETURN NULL;
    END $$
    """,
    # A claim's account changes only when a person mends it; a claim is paid only on the bank's evidence.
    """
    CREATE OR REPLACE FUNCTION guard_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.account_id IS DISTINCT FROM n.account_id
             AND coalesce(o.status, '') NOT IN ('bounced', 'sent_back')) > 0 THEN
        RAISE EXCEPTION 'the account of a claim is frozen' USING ERRCODE = 'ZD003';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'paid' AND coalesce(o.status, '') <> 'paid'
             AND NOT EXISTS (SELECT FROM payment_attempts a
                              WHERE a.claim_id = n.id AND a.status = 'done')) > 0 THEN
        RAISE EXCEPTION 'a claim is paid only by an attempt that is done' USING ERRCODE = 'ZD004';
      END IF;
      RETURN NULL;
    END $$
    """,
    # An attempt pays what its claim is due, into a batch still open; nothing leaves without a committed file.
    """
    CREATE OR REPLACE FUNCTION guard_payment_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        IF (SELECT count(*) FROM new_rows n JOIN claims c ON c.id = n.claim_id JOIN batches b ON b.id = n.batch_id
             WHERE c.amount_fen <> n.amount_fen OR c.status <> 'batched' OR b.status <> 'opened'
                OR c.district <> b.district) > 0 THEN
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
]


def upgrade() -> None:
    for function in FUNCTIONS:
        op.execute(function)
