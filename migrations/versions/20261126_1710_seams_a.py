"""What is resent, decided and shown to be absent of one file of a bank holds beside each other."""

from alembic import op

revision = "seams_a"
down_revision = "claim_drafts"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # When a file's bytes may have come to the bank for the last time: they left, or were handed over as two say.
    """
    CREATE FUNCTION bank_file_left_at(batch uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
      SELECT max(left_at) FROM (
        SELECT s.began_at AS left_at FROM bank_file_sendings s WHERE s.batch_id = batch
        UNION ALL
        SELECT h.closed_at FROM bank_file_handovers h
         WHERE h.batch_id = batch AND h.outcome = 'handed_over' AND h.confirmed_person IS NOT NULL
      ) AS times
    $$
    """,
    # As before, and of a file that is resent no payment is decided: the bank may see the bytes for the first time,
    # and pay what counts as not paid and is paid by another file.
    """
    CREATE OR REPLACE FUNCTION guard_bank_file_sendings() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE batch batches%ROWTYPE; first_at timestamptz;
    BEGIN
      SELECT * INTO batch FROM batches WHERE id = NEW.batch_id FOR NO KEY UPDATE;
      IF batch.status IS DISTINCT FROM 'released'
         OR NOT EXISTS (SELECT FROM bank_files f WHERE f.batch_id = NEW.batch_id AND f.sha256 = NEW.sha256)
         OR (NEW.kind = 'carried') <> (batch.terms ->> 'way' = 'files') THEN
        RAISE EXCEPTION 'these bytes do not leave so' USING ERRCODE = 'ZD210';
      END IF;
      IF NEW.kind <> 'resent' THEN
        RETURN NEW;
      END IF;
      SELECT s.began_at INTO first_at FROM bank_file_sendings s
       WHERE s.batch_id = NEW.batch_id AND s.kind <> 'resent';
      IF first_at IS NULL
         OR NEW.began_at >= first_at + make_interval(mins => (batch.terms ->> 'duplicate_minutes')::integer) THEN
        RAISE EXCEPTION 'the bank promises to know this file no longer' USING ERRCODE = 'ZD211';
      END IF;
      IF NOT EXISTS (SELECT FROM bank_file_resends r
                      WHERE r.id = NEW.resend_id AND r.batch_id = NEW.batch_id AND r.confirmed_person IS NOT NULL)
         OR EXISTS (SELECT FROM payment_attempts a
                     WHERE a.batch_id = NEW.batch_id AND a.status NOT IN ('sending', 'unknown', 'void')) THEN
        RAISE EXCEPTION 'a file is resent by two persons while nobody knows of it' USING ERRCODE = 'ZD212';
      END IF;
      RETURN NEW;
    END $$
    """,
    # The bank's word is on a time: one from before the bytes left once more says nothing of them.
    """
    CREATE FUNCTION guard_decisions_beside_resends() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE of_batch uuid;
    BEGIN
      SELECT a.batch_id INTO of_batch FROM payment_attempts a WHERE a.id = NEW.attempt_id;
      PERFORM FROM batches b WHERE b.id = of_batch FOR NO KEY UPDATE;
      IF NEW.confirmed_person IS NOT NULL AND EXISTS (
           SELECT FROM bank_file_sendings s
            WHERE s.batch_id = of_batch AND s.kind = 'resent' AND s.began_at >= NEW.proposed_at) THEN
        RAISE EXCEPTION 'the bytes left once more since this was said' USING ERRCODE = 'ZD270';
      END IF;
      RETURN NEW;
    END $$
    """,
    # As before, and absence is counted from the last time that the bytes left; of a file that somebody may still
    # carry to the counter it shows nothing.
    """
    CREATE OR REPLACE FUNCTION guard_statement_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
           SELECT FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
             JOIN bank_statements s ON s.id = NEW.statement_id AND s.account = b.debit_account
            WHERE a.id = NEW.attempt_id AND a.status = 'unknown'
              AND CASE WHEN NEW.outcome <> 'not_paid' THEN EXISTS (
                    SELECT FROM statement_lines l
                     WHERE l.id = NEW.line_id AND l.statement_id = s.id AND l.attempt_id = a.id
                       AND l.amount_fen = a.amount_fen
                       AND l.owner = CASE NEW.outcome WHEN 'paid' THEN 'payment' ELSE 'return' END)
                  ELSE s.to_on >= NEW.absent_until
                   AND NOT EXISTS (SELECT FROM statement_lines l
                                    WHERE l.attempt_id = a.id OR (l.batch_id = b.id AND l.attempt_id IS NULL
                                                                  AND l.side = 'debit'))
                   AND EXISTS (SELECT FROM policies p
                                WHERE p.key = 'debits_singly' AND p.in_force @> s.to_on
                                  AND p.value ? (b.terms ->> 'bank'))
                   AND (b.terms ->> 'way' IS DISTINCT FROM 'files'
                        OR EXISTS (SELECT FROM bank_file_handovers h
                                    WHERE h.batch_id = b.id AND h.outcome = 'handed_over'
                                      AND h.confirmed_person IS NOT NULL))
                   AND EXISTS (SELECT FROM journal j
                                WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.action = 'intend'
                                  AND (greatest(j.at, bank_file_left_at(b.id)) AT TIME ZONE 'Asia/Shanghai')::date
                                      < NEW.absent_until
                                  AND EXISTS (SELECT FROM bank_statements f
                                               WHERE f.account = b.debit_account
                                                 AND f.from_on <= (j.at AT TIME ZONE 'Asia/Shanghai')::date))
                  END) THEN
        RAISE EXCEPTION 'no statement shows this' USING ERRCODE = 'ZD225';
      END IF;
      RETURN NEW;
    END $$
    """,
]


def upgrade() -> None:
    for function in FUNCTIONS:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER guard_decisions_beside_resends BEFORE UPDATE ON attempt_decisions"
        " FOR EACH ROW EXECUTE FUNCTION guard_decisions_beside_resends()"
    )
