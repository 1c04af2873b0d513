"""Statements of the accounts that pay: every line owned or for a person, days closed, clawbacks repaid from them."""

from alembic import op

revision = "bank_statements"
down_revision = "bank_sending"
branch_labels = None
depends_on = None

TABLES = [
    """
    CREATE TABLE bank_statements (
      id UUID NOT NULL,
      sha256 TEXT NOT NULL,
      form TEXT NOT NULL,
      bytes_sealed BYTEA NOT NULL,
      account TEXT NOT NULL,
      district TEXT NOT NULL,
      fund TEXT NOT NULL,
      sequence INTEGER NOT NULL,
      from_on DATE NOT NULL,
      to_on DATE NOT NULL,
      opening_fen bigint NOT NULL,
      credits_fen bigint NOT NULL,
      debits_fen bigint NOT NULL,
      closing_fen bigint NOT NULL,
      line_count INTEGER NOT NULL,
      taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT pk_bank_statements PRIMARY KEY (id),
      CONSTRAINT uq_bank_statements_bytes UNIQUE (sha256),
      CONSTRAINT uq_bank_statements_days UNIQUE (account, from_on),
      CONSTRAINT ck_bank_statements_adds_up CHECK (opening_fen + credits_fen - debits_fen = closing_fen),
      CONSTRAINT ck_bank_statements_days CHECK (from_on <= to_on AND sequence > 0),
      CONSTRAINT ck_bank_statements_form CHECK (form IN ('neutral', 'camt053')),
      CONSTRAINT fk_bank_statements_district FOREIGN KEY(district) REFERENCES districts (code),
      CONSTRAINT fk_bank_statements_fund FOREIGN KEY(fund) REFERENCES funds (code)
    )
    """,
    """
    CREATE INDEX ix_bank_statements_account ON bank_statements (account, to_on)
    """,
    """
    CREATE TABLE blocked_statements (
      id UUID NOT NULL,
      sha256 TEXT NOT NULL,
      form TEXT NOT NULL,
      bytes_sealed BYTEA NOT NULL,
      account TEXT NOT NULL,
      district TEXT NOT NULL,
      fund TEXT NOT NULL,
      sequence INTEGER NOT NULL,
      from_on DATE NOT NULL,
      to_on DATE NOT NULL,
      opening_fen bigint NOT NULL,
      closing_fen bigint NOT NULL,
      reason TEXT NOT NULL,
      blocked_at TIMESTAMP WITH TIME ZONE NOT NULL,
      ended_how TEXT,
      ended_note TEXT DEFAULT '' NOT NULL,
      ended_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT pk_blocked_statements PRIMARY KEY (id),
      CONSTRAINT ck_blocked_statements_reason CHECK (reason IN ('gap', 'repeated_number', 'overlap',
        'opening_differs', 'lines_known')),
      CONSTRAINT ck_blocked_statements_ended_whole CHECK (num_nulls(ended_how, ended_at) IN (0, 2)),
      CONSTRAINT ck_blocked_statements_ended_how CHECK (ended_how IN ('taken', 'set_aside')),
      CONSTRAINT ck_blocked_statements_ended_note CHECK (ended_how IS DISTINCT FROM 'set_aside' OR ended_note <> ''),
      CONSTRAINT fk_blocked_statements_district FOREIGN KEY(district) REFERENCES districts (code),
      CONSTRAINT fk_blocked_statements_fund FOREIGN KEY(fund) REFERENCES funds (code)
    )
    """,
    """
    CREATE INDEX ix_blocked_statements_account ON blocked_statements (account)
    """,
    """
    CREATE UNIQUE INDEX uq_blocked_statements_open ON blocked_statements (sha256) WHERE ended_at IS NULL
    """,
    """
    CREATE TABLE statement_lines (
      id UUID NOT NULL,
      statement_id UUID NOT NULL,
      line_no INTEGER NOT NULL,
      account TEXT NOT NULL,
      bank_key TEXT NOT NULL,
      booked_on DATE NOT NULL,
      side TEXT NOT NULL,
      amount_fen bigint NOT NULL,
      reference TEXT NOT NULL,
      counterparty TEXT NOT NULL,
      text TEXT NOT NULL,
      verdict TEXT NOT NULL,
      owner TEXT NOT NULL,
      exception TEXT NOT NULL,
      expected_fen bigint,
      attempt_id UUID,
      batch_id UUID,
      clawback_serial bigint,
      CONSTRAINT pk_statement_lines PRIMARY KEY (id),
      CONSTRAINT uq_statement_lines_place UNIQUE (statement_id, line_no),
      CONSTRAINT uq_statement_lines_key UNIQUE (account, bank_key),
      CONSTRAINT ck_statement_lines_side CHECK (side IN ('debit', 'credit')),
      CONSTRAINT ck_statement_lines_amount CHECK (amount_fen > 0),
      CONSTRAINT ck_statement_lines_verdict CHECK (verdict IN ('owned', 'waiting', 'exception')),
      CONSTRAINT ck_statement_lines_owner CHECK (owner IN ('', 'batch', 'payment', 'return', 'treasury', 'repayment',
        'charge')),
      CONSTRAINT ck_statement_lines_exception CHECK (exception IN ('', 'unknown_reference', 'other_account',
        'amount_differs', 'not_sent', 'contradicts', 'counted_twice', 'repaid_already', 'no_clawback', 'not_open',
        'overpaid')),
      CONSTRAINT ck_statement_lines_excepted CHECK ((verdict = 'exception') = (exception <> '')),
      CONSTRAINT ck_statement_lines_owned CHECK ((verdict = 'exception') = (owner = '')),
      CONSTRAINT ck_statement_lines_waiting CHECK (verdict <> 'waiting' OR owner = 'repayment'),
      CONSTRAINT ck_statement_lines_of_attempt CHECK (owner NOT IN ('payment', 'return') OR attempt_id IS NOT NULL),
      CONSTRAINT ck_statement_lines_of_batch CHECK (owner NOT IN ('batch', 'treasury') OR batch_id IS NOT NULL),
      CONSTRAINT ck_statement_lines_of_clawback CHECK (owner <> 'repayment' OR clawback_serial IS NOT NULL),
      CONSTRAINT ck_statement_lines_owned_side CHECK (owner = '' OR (side = 'credit') = (owner IN ('return',
        'treasury', 'repayment'))),
      CONSTRAINT fk_statement_lines_statement_id FOREIGN KEY(statement_id) REFERENCES bank_statements (id),
      CONSTRAINT fk_statement_lines_attempt_id FOREIGN KEY(attempt_id) REFERENCES payment_attempts (id),
      CONSTRAINT fk_statement_lines_batch_id FOREIGN KEY(batch_id) REFERENCES batches (id)
    )
    """,
    """
    CREATE INDEX ix_statement_lines_attempt_id ON statement_lines (attempt_id)
    """,
    """
    CREATE INDEX ix_statement_lines_batch_id ON statement_lines (batch_id)
    """,
    """
    CREATE INDEX ix_statement_lines_day ON statement_lines (account, booked_on)
    """,
    """
    CREATE INDEX ix_statement_lines_odd ON statement_lines (verdict) WHERE verdict <> 'owned'
    """,
    """
    CREATE UNIQUE INDEX uq_statement_lines_attempt ON statement_lines (attempt_id, owner) WHERE owner IN ('payment',
        'return')
    """,
    """
    CREATE UNIQUE INDEX uq_statement_lines_batch ON statement_lines (batch_id) WHERE owner = 'batch'
    """,
    """
    CREATE UNIQUE INDEX uq_statement_lines_voucher ON statement_lines (account, reference) WHERE owner = 'treasury'
    """,
    """
    CREATE TABLE statement_resolutions (
      line_id UUID NOT NULL,
      code TEXT NOT NULL,
      note TEXT NOT NULL,
      resolved_by UUID NOT NULL,
      resolved_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT pk_statement_resolutions PRIMARY KEY (line_id),
      CONSTRAINT fk_statement_resolutions_line_id FOREIGN KEY(line_id) REFERENCES statement_lines (id),
      CONSTRAINT fk_statement_resolutions_resolved_by FOREIGN KEY(resolved_by) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE statement_evidence (
      attempt_id UUID NOT NULL,
      outcome TEXT NOT NULL,
      statement_id UUID NOT NULL,
      line_id UUID,
      absent_until DATE,
      shown_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT pk_statement_evidence PRIMARY KEY (attempt_id),
      CONSTRAINT ck_statement_evidence_outcome CHECK (outcome IN ('paid', 'returned', 'not_paid')),
      CONSTRAINT ck_statement_evidence_line CHECK ((outcome = 'not_paid') = (line_id IS NULL)),
      CONSTRAINT ck_statement_evidence_absence CHECK ((outcome = 'not_paid') = (absent_until IS NOT NULL)),
      CONSTRAINT fk_statement_evidence_attempt_id FOREIGN KEY(attempt_id) REFERENCES payment_attempts (id),
      CONSTRAINT fk_statement_evidence_statement_id FOREIGN KEY(statement_id) REFERENCES bank_statements (id),
      CONSTRAINT fk_statement_evidence_line_id FOREIGN KEY(line_id) REFERENCES statement_lines (id)
    )
    """,
    """
    CREATE TABLE daily_closes (
      id UUID NOT NULL,
      account TEXT NOT NULL,
      district TEXT NOT NULL,
      fund TEXT NOT NULL,
      day DATE NOT NULL,
      opening_fen bigint NOT NULL,
      treasury_fen bigint NOT NULL,
      paid_fen bigint NOT NULL,
      returned_fen bigint NOT NULL,
      repaid_fen bigint NOT NULL,
      charges_fen bigint NOT NULL,
      other_credits_fen bigint NOT NULL,
      other_debits_fen bigint NOT NULL,
      closing_fen bigint NOT NULL,
      line_count INTEGER NOT NULL,
      ledger JSONB NOT NULL,
      differences JSONB NOT NULL,
      closed_by UUID,
      closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT pk_daily_closes PRIMARY KEY (id),
      CONSTRAINT uq_daily_closes_day UNIQUE (account, day),
      CONSTRAINT ck_daily_closes_adds_up CHECK (opening_fen + treasury_fen + returned_fen + repaid_fen +
        other_credits_fen - paid_fen - charges_fen - other_debits_fen = closing_fen),
      CONSTRAINT fk_daily_closes_district FOREIGN KEY(district) REFERENCES districts (code),
      CONSTRAINT fk_daily_closes_fund FOREIGN KEY(fund) REFERENCES funds (code),
      CONSTRAINT fk_daily_closes_closed_by FOREIGN KEY(closed_by) REFERENCES users (id)
    )
    """,
    """
    CREATE INDEX ix_daily_closes_day ON daily_closes (day)
    """,
    """
    CREATE TABLE repayment_proposals (
      id UUID NOT NULL,
      line_id UUID NOT NULL,
      clawback_id UUID NOT NULL,
      amount_fen bigint NOT NULL,
      note TEXT NOT NULL,
      proposed_by UUID NOT NULL,
      proposed_person UUID NOT NULL,
      proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
      granted BOOLEAN,
      answered_by UUID,
      answered_person UUID,
      answered_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT pk_repayment_proposals PRIMARY KEY (id),
      CONSTRAINT ck_repayment_proposals_said CHECK (amount_fen > 0 AND note <> ''),
      CONSTRAINT ck_repayment_proposals_answered_whole CHECK (num_nulls(granted, answered_by, answered_person,
        answered_at) IN (0, 4)),
      CONSTRAINT ck_repayment_proposals_two_persons CHECK (answered_person <> proposed_person),
      CONSTRAINT fk_repayment_proposals_line_id FOREIGN KEY(line_id) REFERENCES statement_lines (id),
      CONSTRAINT fk_repayment_proposals_clawback_id FOREIGN KEY(clawback_id) REFERENCES clawbacks (id),
      CONSTRAINT fk_repayment_proposals_proposed_by FOREIGN KEY(proposed_by) REFERENCES users (id),
      CONSTRAINT fk_repayment_proposals_proposed_person FOREIGN KEY(proposed_person) REFERENCES people (id),
      CONSTRAINT fk_repayment_proposals_answered_by FOREIGN KEY(answered_by) REFERENCES users (id),
      CONSTRAINT fk_repayment_proposals_answered_person FOREIGN KEY(answered_person) REFERENCES people (id)
    )
    """,
    """
    CREATE INDEX ix_repayment_proposals_clawback_id ON repayment_proposals (clawback_id)
    """,
    """
    CREATE UNIQUE INDEX uq_repayment_proposals_open ON repayment_proposals (line_id) WHERE answered_at IS NULL
    """,
    """
    CREATE TABLE clawback_repayments (
      id UUID NOT NULL,
      clawback_id UUID NOT NULL,
      line_id UUID NOT NULL,
      proposal_id UUID,
      amount_fen bigint NOT NULL,
      counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
      CONSTRAINT pk_clawback_repayments PRIMARY KEY (id),
      CONSTRAINT uq_clawback_repayments_line UNIQUE (line_id),
      CONSTRAINT uq_clawback_repayments_proposal UNIQUE (proposal_id),
      CONSTRAINT ck_clawback_repayments_amount CHECK (amount_fen > 0),
      CONSTRAINT fk_clawback_repayments_clawback_id FOREIGN KEY(clawback_id) REFERENCES clawbacks (id),
      CONSTRAINT fk_clawback_repayments_line_id FOREIGN KEY(line_id) REFERENCES statement_lines (id),
      CONSTRAINT fk_clawback_repayments_proposal_id FOREIGN KEY(proposal_id) REFERENCES repayment_proposals (id)
    )
    """,
    """
    CREATE INDEX ix_clawback_repayments_clawback_id ON clawback_repayments (clawback_id)
    """,
]

_WAYS = (
    "(kind, source, target) IN (('appropriate', 'treasury', 'free'), ('lower', 'free', 'treasury'),"
    " ('carry_over', 'treasury', 'free'), ('set_aside', 'free', 'set_aside'), ('draw', 'set_aside', 'free'),"
    " ('give_back', 'set_aside', 'free'), ('reserve', 'free', 'reserved'), ('send', 'reserved', 'in_flight'),"
    " ('pay', 'in_flight', 'paid'), ('fail', 'in_flight', 'reserved'), ('bounce', 'paid', 'reserved'),"
    " ('release', 'reserved', 'free'), ('recover', 'paid', 'free'), ('repay', 'paid', 'free'))"
)
_OF_NO_CLAIM = "('treasury' IN (source, target) OR kind IN ('set_aside', 'give_back', 'repay')) = (claim_id IS NULL)"

LEDGER = [
    "ALTER TABLE clawbacks ADD COLUMN serial bigint GENERATED ALWAYS AS IDENTITY NOT NULL",
    "ALTER TABLE clawbacks ADD CONSTRAINT uq_clawbacks_serial UNIQUE (serial)",
    "ALTER TABLE fund_reservations ADD COLUMN repaid_fen bigint DEFAULT '0' NOT NULL",
    "ALTER TABLE fund_reservations ADD CONSTRAINT ck_fund_reservations_repaid"
    " CHECK (repaid_fen BETWEEN 0 AND amount_fen AND (repaid_fen = 0 OR pot IN ('paid', 'free')))",
    "ALTER TABLE fund_movements ADD COLUMN repayment_id uuid",
    "ALTER TABLE fund_movements ADD CONSTRAINT fk_fund_movements_repayment_id"
    " FOREIGN KEY (repayment_id) REFERENCES clawback_repayments (id)",
    "ALTER TABLE fund_movements ADD CONSTRAINT uq_fund_movements_repayment UNIQUE (repayment_id)",
    "ALTER TABLE fund_movements ADD CONSTRAINT ck_fund_movements_repayment"
    " CHECK ((kind = 'repay') = (repayment_id IS NOT NULL))",
    "ALTER TABLE fund_movements DROP CONSTRAINT ck_fund_movements_way",
    f"ALTER TABLE fund_movements ADD CONSTRAINT ck_fund_movements_way CHECK ({_WAYS})",
    "ALTER TABLE fund_movements DROP CONSTRAINT ck_fund_movements_claim",
    f"ALTER TABLE fund_movements ADD CONSTRAINT ck_fund_movements_claim CHECK ({_OF_NO_CLAIM})",
]

FUNCTIONS = [
    # Statements of an account follow each other: the next number (or 1 in a new year), later days, the same balance.
    """
    CREATE FUNCTION guard_bank_statements() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE last bank_statements;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('statement ' || NEW.account, 0));
      SELECT * INTO last FROM bank_statements s WHERE s.account = NEW.account ORDER BY s.to_on DESC LIMIT 1;
      IF FOUND AND NOT coalesce(
           (NEW.sequence = last.sequence + 1
            OR (NEW.sequence = 1 AND extract(year FROM NEW.from_on) > extract(year FROM last.to_on)))
           AND NEW.from_on > last.to_on AND NEW.opening_fen = last.closing_fen, false) THEN
        RAISE EXCEPTION 'a statement follows the last one' USING ERRCODE = 'ZD223';
      END IF;
      RETURN NEW;
    END $$
    """,
    # And at commit its lines are all there, of its account and days, and add up to what it says.
    """
    CREATE FUNCTION guard_statement_sums() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT (count(*), coalesce(sum(l.amount_fen) FILTER (WHERE l.side = 'credit'), 0),
                  coalesce(sum(l.amount_fen) FILTER (WHERE l.side = 'debit'), 0),
                  coalesce(bool_and(l.account = NEW.account AND l.booked_on BETWEEN NEW.from_on AND NEW.to_on), true))
                 IS DISTINCT FROM (NEW.line_count::bigint, NEW.credits_fen::numeric, NEW.debits_fen::numeric, true)
            FROM statement_lines l WHERE l.statement_id = NEW.id) THEN
        RAISE EXCEPTION 'the lines of a statement add up to it' USING ERRCODE = 'ZD227';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Lines come with their statement; what one is fits what it pays; only what waits for its clawback is said later.
    """
    CREATE FUNCTION guard_statement_lines() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        IF (SELECT count(*) FROM new_rows n
             WHERE n.owner IN ('payment', 'return') AND NOT EXISTS (
                     SELECT FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
                      WHERE a.id = n.attempt_id AND a.reference = n.reference AND a.amount_fen = n.amount_fen
                        AND b.debit_account = n.account)
                OR n.owner = 'batch' AND NOT EXISTS (
                     SELECT FROM batches b WHERE b.id = n.batch_id AND b.debit_account = n.account
                        AND NOT EXISTS (SELECT FROM statement_lines l
                                         WHERE l.batch_id = b.id AND l.owner = 'payment'))) > 0 THEN
          RAISE EXCEPTION 'a line belongs to its statement and to what it pays' USING ERRCODE = 'ZD224';
        END IF;
        IF (SELECT count(*) FROM bank_statements s
             WHERE s.id IN (SELECT n.statement_id FROM new_rows n)
               AND (SELECT count(*) FROM statement_lines l WHERE l.statement_id = s.id) > s.line_count) > 0 THEN
          RAISE EXCEPTION 'a statement has the lines it came with' USING ERRCODE = 'ZD224';
        END IF;
        RETURN NULL;
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.verdict IS DISTINCT FROM 'waiting' OR n.verdict IS NOT DISTINCT FROM 'waiting'
              OR (to_jsonb(o) - '{verdict,owner,exception,expected_fen}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{verdict,owner,exception,expected_fen}'::text[])) > 0 THEN
        RAISE EXCEPTION 'a line stays as the bank booked it' USING ERRCODE = 'ZD224';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What ends the unknown: a line that debits the payment or gives it back; or that no line does, up to the end of a
    # statement that reaches the day by which a bank that debits each payment by itself would have done so.
    """
    CREATE FUNCTION guard_statement_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
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
                   AND EXISTS (SELECT FROM journal j
                                WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.action = 'intend'
                                  AND (j.at AT TIME ZONE 'Asia/Shanghai')::date < NEW.absent_until
                                  AND EXISTS (SELECT FROM bank_statements f
                                               WHERE f.account = b.debit_account
                                                 AND f.from_on <= (j.at AT TIME ZONE 'Asia/Shanghai')::date))
                  END) THEN
        RAISE EXCEPTION 'no statement shows this' USING ERRCODE = 'ZD225';
      END IF;
      RETURN NEW;
    END $$
    """,
    # As before, and a statement ends the unknown too.
    """
    CREATE OR REPLACE FUNCTION guard_unknown_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
                  WHERE coalesce(o.status, '') = 'unknown'
                    AND coalesce(n.status, '') IN ('done', 'failed', 'returned')
                    AND NOT coalesce(
                          n.status = 'failed' AND n.failure IN ('bank.refused', 'bank.not_received'), false)
                    AND NOT EXISTS (SELECT FROM return_lines l
                                     WHERE l.attempt_id = n.id AND l.verdict = 'settled'
                                       AND l.code NOT IN ('unknown', 'failed:unknown'))
                    AND NOT EXISTS (SELECT FROM statement_evidence e
                                     WHERE e.attempt_id = n.id
                                       AND n.status = CASE e.outcome WHEN 'paid' THEN 'done'
                                                                     WHEN 'returned' THEN 'returned'
                                                                     ELSE 'failed' END)
                    AND NOT EXISTS (SELECT FROM attempt_decisions d
                                     WHERE d.attempt_id = n.id AND d.confirmed_person IS NOT NULL
                                       AND n.status = CASE d.outcome WHEN 'paid' THEN 'done'
                                                                     ELSE 'failed' END)) > 0 THEN
        RAISE EXCEPTION 'unknown ends by evidence or by two persons' USING ERRCODE = 'ZD016';
      END IF;
      RETURN NULL;
    END $$
    """,
    # How much of a clawback has come back, whatever it came by.
    """
    CREATE FUNCTION clawback_repaid_fen(clawback uuid) RETURNS numeric LANGUAGE sql STABLE AS $$
      SELECT coalesce(sum(r.amount_fen), 0) FROM clawback_repayments r WHERE r.clawback_id = clawback
    $$
    """,
    # A repayment is a credit of the district's account, for a clawback that is demanded, no more than is left of it:
    # by the number on the line, or as two persons said. The clawback is locked, so that two cannot pass side by side.
    """
    CREATE FUNCTION guard_clawback_repayments() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM clawbacks k WHERE k.id = NEW.clawback_id FOR NO KEY UPDATE;
      IF NOT EXISTS (
           SELECT FROM clawbacks k JOIN claims c ON c.id = k.claim_id
             JOIN statement_lines l ON l.id = NEW.line_id JOIN bank_statements s ON s.id = l.statement_id
             LEFT JOIN repayment_proposals p ON p.id = NEW.proposal_id
            WHERE k.id = NEW.clawback_id AND k.status IN ('demanded', 'part_repaid') AND s.district = c.district
              AND l.side = 'credit' AND NEW.amount_fen <= l.amount_fen
              AND clawback_repaid_fen(k.id) + NEW.amount_fen <= k.amount_fen
              AND CASE WHEN NEW.proposal_id IS NULL
                       THEN l.owner = 'repayment' AND l.clawback_serial = k.serial AND l.amount_fen = NEW.amount_fen
                       ELSE l.verdict = 'exception' AND p.granted AND p.line_id = l.id
                            AND p.clawback_id = k.id AND p.amount_fen = NEW.amount_fen END) THEN
        RAISE EXCEPTION 'this line does not repay this clawback' USING ERRCODE = 'ZD221';
      END IF;
      RETURN NEW;
    END $$
    """,
    # And at commit its money has moved, and its clawback says so.
    """
    CREATE FUNCTION guard_repaid_money() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
           SELECT FROM fund_movements m JOIN clawbacks k ON k.id = NEW.clawback_id
             JOIN claims c ON c.id = k.claim_id JOIN fund_reservations r ON r.claim_id = c.id
             JOIN fund_pots h ON h.status = c.status AND h.pot = r.pot
            WHERE m.repayment_id = NEW.id AND m.amount_fen = NEW.amount_fen
              AND CASE WHEN clawback_repaid_fen(k.id) = k.amount_fen THEN k.status = 'repaid'
                       ELSE k.status IN ('part_repaid', 'waived', 'enforced') END) THEN
        RAISE EXCEPTION 'what is repaid is free in its fund' USING ERRCODE = 'ZD220';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A clawback is repaid by what came back.
    """
    CREATE FUNCTION guard_clawbacks_repaid() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (coalesce(n.status, '') = 'repaid' AND o.status IS DISTINCT FROM 'repaid'
                  AND clawback_repaid_fen(n.id) IS DISTINCT FROM n.amount_fen::numeric)
              OR (coalesce(n.status, '') = 'part_repaid'
                  AND NOT coalesce(clawback_repaid_fen(n.id) BETWEEN 1 AND n.amount_fen - 1, false))) > 0 THEN
        RAISE EXCEPTION 'a clawback is repaid by what came back' USING ERRCODE = 'ZD222';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Beside `post_fund_movements`, which adds the line to its position: how much of a claim's money is back, and that
    # it is all free once all of it is.
    """
    CREATE FUNCTION post_repayments() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE followed bigint; repaying bigint := (SELECT count(*) FROM new_rows n WHERE n.kind = 'repay');
    BEGIN
      IF (SELECT count(*) FROM new_rows n JOIN fund_reservations r ON r.claim_id = n.claim_id
           WHERE n.source = 'paid' AND r.repaid_fen > 0) > 0 THEN
        RAISE EXCEPTION 'money of which a part is back moves only by repayments' USING ERRCODE = 'ZD220';
      END IF;
      IF repaying = 0 THEN
        RETURN NULL;
      END IF;
      UPDATE fund_reservations r
         SET repaid_fen = r.repaid_fen + n.amount_fen,
             pot = CASE WHEN r.repaid_fen + n.amount_fen = r.amount_fen THEN 'free' ELSE r.pot END
        FROM new_rows n JOIN clawback_repayments p ON p.id = n.repayment_id JOIN clawbacks k ON k.id = p.clawback_id
       WHERE n.kind = 'repay' AND r.claim_id = k.claim_id AND r.pot = 'paid'
         AND r.position_id = n.position_id AND p.amount_fen = n.amount_fen;
      GET DIAGNOSTICS followed = ROW_COUNT;
      IF followed <> repaying THEN
        RAISE EXCEPTION 'a repayment frees the money of its claim' USING ERRCODE = 'ZD220';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A day is closed once it is over, after the day before it, when a statement covers it and every line of it is
    # owned or worked off; and it begins where the bank left off.
    """
    CREATE FUNCTION guard_daily_closes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM bank_statements s WHERE s.account = NEW.account AND s.to_on >= NEW.day
                        AND s.district = NEW.district AND s.fund = NEW.fund)
         OR EXISTS (SELECT FROM statement_lines l
                     WHERE l.account = NEW.account AND l.booked_on = NEW.day AND l.verdict <> 'owned'
                       AND NOT EXISTS (SELECT FROM statement_resolutions r WHERE r.line_id = l.id))
         OR NEW.opening_fen IS DISTINCT FROM coalesce(
              (SELECT c.closing_fen FROM daily_closes c WHERE c.account = NEW.account AND c.day = NEW.day - 1),
              (SELECT s.opening_fen FROM bank_statements s WHERE s.account = NEW.account
                  AND s.from_on = NEW.day
                  AND NOT EXISTS (SELECT FROM bank_statements e
                                   WHERE e.account = s.account AND e.from_on < s.from_on)))
         OR NEW.closing_fen - NEW.opening_fen IS DISTINCT FROM
              (SELECT coalesce(sum(CASE l.side WHEN 'credit' THEN l.amount_fen ELSE -l.amount_fen END), 0)
                 FROM statement_lines l WHERE l.account = NEW.account AND l.booked_on = NEW.day) THEN
        RAISE EXCEPTION 'this day cannot be closed so' USING ERRCODE = 'ZD226';
      END IF;
      RETURN NEW;
    END $$
    """,
]

NEW, BOTH = "NEW TABLE AS new_rows", "NEW TABLE AS new_rows OLD TABLE AS old_rows"
ANSWERING = ("granted", "answered_by", "answered_person", "answered_at")
ENDING = ("ended_how", "ended_note", "ended_at")
TRIGGERS = [
    "TRIGGER guard_bank_statements BEFORE INSERT ON bank_statements"
    " FOR EACH ROW EXECUTE FUNCTION guard_bank_statements()",
    "CONSTRAINT TRIGGER with_its_lines AFTER INSERT ON bank_statements DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION guard_statement_sums()",
    f"TRIGGER guard_statement_lines_on_insert AFTER INSERT ON statement_lines REFERENCING {NEW}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_statement_lines()",
    f"TRIGGER guard_statement_lines_on_update AFTER UPDATE ON statement_lines REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_statement_lines()",
    "TRIGGER guard_statement_evidence BEFORE INSERT ON statement_evidence"
    " FOR EACH ROW EXECUTE FUNCTION guard_statement_evidence()",
    "TRIGGER guard_clawback_repayments BEFORE INSERT ON clawback_repayments"
    " FOR EACH ROW EXECUTE FUNCTION guard_clawback_repayments()",
    "CONSTRAINT TRIGGER with_its_money AFTER INSERT ON clawback_repayments DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION guard_repaid_money()",
    f"TRIGGER guard_clawbacks_repaid AFTER UPDATE ON clawbacks REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_clawbacks_repaid()",
    f"TRIGGER post_repayments AFTER INSERT ON fund_movements REFERENCING {NEW}"
    " FOR EACH STATEMENT EXECUTE FUNCTION post_repayments()",
    "TRIGGER guard_daily_closes BEFORE INSERT ON daily_closes FOR EACH ROW EXECUTE FUNCTION guard_daily_closes()",
    "TRIGGER guard_ended_once BEFORE UPDATE ON repayment_proposals"
    f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('answered_at', '{{{','.join(ANSWERING)}}}')",
    "TRIGGER guard_ended_once BEFORE UPDATE ON blocked_statements"
    f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('ended_at', '{{{','.join(ENDING)}}}')",
    *(
        f"TRIGGER refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            ("bank_statements", "UPDATE OR DELETE"),
            ("blocked_statements", "DELETE"),
            ("statement_lines", "DELETE"),
            ("statement_resolutions", "UPDATE OR DELETE"),
            ("statement_evidence", "UPDATE OR DELETE"),
            ("daily_closes", "UPDATE OR DELETE"),
            ("repayment_proposals", "DELETE"),
            ("clawback_repayments", "UPDATE OR DELETE"),
        )
    ),
]

GRANTS = [
    "SELECT, INSERT ON bank_statements, blocked_statements, statement_lines, statement_resolutions,"
    " statement_evidence, daily_closes, repayment_proposals, clawback_repayments",
    f"UPDATE ({', '.join(ENDING)}) ON blocked_statements",
    "UPDATE (verdict, owner, exception, expected_fen) ON statement_lines",
    f"UPDATE ({', '.join(ANSWERING)}) ON repayment_proposals",
    "UPDATE (repaid_fen) ON fund_reservations",
]


def upgrade() -> None:
    for statement in (*TABLES, *LEDGER, *FUNCTIONS):
        op.execute(statement)
    for trigger in TRIGGERS:
        op.execute(f"CREATE {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")
