"""What goes wrong and is mended: corrections, holds, revoked mandates, worked-off exceptions, decided attempts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "care"
down_revision = "rules"
branch_labels = None
depends_on = None

MOVES = [
    ("batch", "released", "dissolve", "dissolved"),
    ("batch", "submitted", "reject", "dissolved"),
    ("batch", "checked", "reject", "dissolved"),
]

#: What a claim asks for, and how it was decided: changes only while it is sent back.
CORRECTED = (
    *("item_id", "list_kind", "industry", "subsidy_key", "level", "certificate_number", "certificate_issued_on"),
    *("training_started_on", "standard_id", "amount_fen", "decision"),
)

# Old and new rows are laid side by side by FULL JOIN: `guards_of_sets` says why.
FUNCTIONS = [
    # What a claim asks for changes only while it is sent back. For each row, and only where such a column is set: a
    # statement that moves thousands of claims does not pay for it.
    """
    CREATE FUNCTION guard_corrected_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.status <> 'sent_back' OR NEW.status <> 'sent_back' THEN
        RAISE EXCEPTION 'what a claim asks for is frozen' USING ERRCODE = 'ZD003';
      END IF;
      RETURN NEW;
    END $$
    """,
    # A claim is sent back with a row of its faults; a held one goes no further towards the money; nothing is mended
    # while money may be on its way.
    """
    CREATE FUNCTION guard_care_of_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
                  WHERE o.status IS DISTINCT FROM n.status
                    AND (coalesce(n.status, '') IN ('approved', 'batched')
                         OR (coalesce(o.status, '') = 'noticed' AND coalesce(n.status, '') = 'payable'))
                    AND EXISTS (SELECT FROM claim_holds h
                                 WHERE h.claim_id = coalesce(n.id, o.id) AND h.lifted_at IS NULL)) > 0 THEN
        RAISE EXCEPTION 'a held claim goes no further' USING ERRCODE = 'ZD013';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
                  WHERE coalesce(n.status, '') = 'sent_back' AND coalesce(o.status, '') <> 'sent_back'
                    AND NOT EXISTS (SELECT FROM claim_corrections c
                                     WHERE c.claim_id = n.id AND c.corrected_at IS NULL)) > 0 THEN
        RAISE EXCEPTION 'a claim is sent back with its faults' USING ERRCODE = 'ZD014';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
                  WHERE coalesce(n.status, '') = 'payable' AND coalesce(o.status, '') = 'bounced'
                    AND EXISTS (SELECT FROM payment_attempts a
                                 WHERE a.claim_id = coalesce(n.id, o.id)
                                   AND a.status IN ('prepared', 'sending', 'sent', 'unknown', 'done'))) > 0 THEN
        RAISE EXCEPTION 'money for this claim may be on its way' USING ERRCODE = 'ZD015';
      END IF;
      RETURN NULL;
    END $$
    """,
    # The bank's line, the bank's word on the whole file, or two persons: nothing else ends what is unknown.
    """
    CREATE FUNCTION guard_unknown_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
                  WHERE coalesce(o.status, '') = 'unknown'
                    AND coalesce(n.status, '') IN ('done', 'failed', 'returned')
                    AND NOT coalesce(
                          n.status = 'failed' AND n.failure IN ('bank.refused', 'bank.not_received'), false)
                    AND NOT EXISTS (SELECT FROM return_lines l
                                     WHERE l.attempt_id = n.id AND l.verdict = 'settled'
                                       AND l.code NOT IN ('unknown', 'failed:unknown'))
                    AND NOT EXISTS (SELECT FROM attempt_decisions d
                                     WHERE d.attempt_id = n.id AND d.confirmed_person IS NOT NULL
                                       AND n.status = CASE d.outcome WHEN 'paid' THEN 'done'
                                                                     ELSE 'failed' END)) > 0 THEN
        RAISE EXCEPTION 'unknown ends by evidence or by two persons' USING ERRCODE = 'ZD016';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_dissolved_batches() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
                  WHERE coalesce(n.status, '') = 'dissolved' AND coalesce(o.status, '') <> 'dissolved'
                    AND EXISTS (SELECT FROM payment_attempts a
                                 WHERE a.batch_id = coalesce(n.id, o.id)
                                   AND a.status NOT IN ('prepared', 'void'))) > 0 THEN
        RAISE EXCEPTION 'nothing is stopped once it is sending' USING ERRCODE = 'ZD017';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A voucher is named again only in its own district and for no more than it is over; its row learns one thing.
    """
    CREATE FUNCTION guard_treasury_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
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
                    HAVING bool_or(theirs.district <> ours.district) OR max(t.sum_fen) < NEW.sum_fen) THEN
        RAISE EXCEPTION 'this voucher is not over this sum in this district' USING ERRCODE = 'ZD018';
      END IF;
      RETURN NEW;
    END $$
    """,
    # These rows are ended once, and nothing else of them changes.
    """
    CREATE FUNCTION guard_ended_once() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE ending text := TG_ARGV[0]; may_change text[] := TG_ARGV[1]::text[];
    BEGIN
      IF to_jsonb(OLD) -> ending <> 'null'::jsonb OR to_jsonb(NEW) -> ending = 'null'::jsonb
         OR (to_jsonb(OLD) - may_change) <> (to_jsonb(NEW) - may_change) THEN
        RAISE EXCEPTION 'a row of % is ended once', TG_TABLE_NAME USING ERRCODE = 'ZD012';
      END IF;
      RETURN NEW;
    END $$
    """,
]

#: table → the column that ends its rows, and those that are set with it
ENDED_ONCE = {
    "claim_corrections": ("corrected_at", "corrected_by", "replaced"),
    "claim_holds": ("lifted_at", "lifted_by", "lift_note"),
    "attempt_decisions": ("closed_at", "confirmed_by", "confirmed_person"),
}

WRITTEN_ONCE = ["mandate_revocations", "return_resolutions"]

GRANTS = [
    "SELECT, INSERT ON claim_corrections, claim_holds, mandate_revocations, return_resolutions, attempt_decisions",
    f"UPDATE ({', '.join(CORRECTED)}) ON claims",
    "UPDATE (carried_over_at) ON treasury_transfers",
    *(f"UPDATE ({', '.join(columns)}) ON {table}" for table, columns in ENDED_ONCE.items()),
]


def upgrade() -> None:
    _claims()
    _money()
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), each, strict=True)) for each in MOVES])
    for function in FUNCTIONS:
        op.execute(function)
    _before_row("claims", "guard_corrected_claims", f"UPDATE OF {', '.join(CORRECTED)}")
    _after_update("claims", "guard_care_of_claims")
    _after_update("payment_attempts", "guard_unknown_attempts")
    _after_update("batches", "guard_dissolved_batches")
    op.execute("DROP TRIGGER refuse_change ON treasury_transfers")
    _before_row("treasury_transfers", "refuse_change", "DELETE")
    _before_row("treasury_transfers", "guard_treasury_transfers", "INSERT OR UPDATE")
    for table, (ending, *others) in ENDED_ONCE.items():
        _before_row(table, "refuse_change", "DELETE")
        _before_row(table, "guard_ended_once", "UPDATE", f"'{ending}', '{{{','.join((ending, *others))}}}'")
    for table in WRITTEN_ONCE:
        _before_row(table, "refuse_change", "UPDATE OR DELETE")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _claims() -> None:
    op.create_table(
        "mandate_revocations",
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("revoked_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandates.id"], name=op.f("fk_mandate_revocations_mandate_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["users.id"], name=op.f("fk_mandate_revocations_revoked_by")),
        sa.PrimaryKeyConstraint("mandate_id", name=op.f("pk_mandate_revocations")),
    )
    op.create_table(
        "claim_corrections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=True),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("jsonb_array_length(faults) > 0", name=op.f("ck_claim_corrections_faults")),
        sa.CheckConstraint(
            "num_nulls(corrected_by, corrected_at, replaced) IN (0, 3)",
            name=op.f("ck_claim_corrections_corrected_whole"),
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_corrections_claim_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_claim_corrections_asked_by")),
        sa.ForeignKeyConstraint(["corrected_by"], ["users.id"], name=op.f("fk_claim_corrections_corrected_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_corrections")),
    )
    op.create_index(op.f("ix_claim_corrections_claim_id"), "claim_corrections", ["claim_id"])
    _index("uq_claim_corrections_open", "claim_corrections", "claim_id", "corrected_at IS NULL", unique=True)
    _index("ix_claim_corrections_due", "claim_corrections", "due_on", "corrected_at IS NULL")
    op.create_table(
        "claim_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lift_note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("num_nulls(lifted_by, lifted_at) IN (0, 2)", name=op.f("ck_claim_holds_lifted_whole")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_holds_claim_id")),
        sa.ForeignKeyConstraint(["placed_by"], ["users.id"], name=op.f("fk_claim_holds_placed_by")),
        sa.ForeignKeyConstraint(["lifted_by"], ["users.id"], name=op.f("fk_claim_holds_lifted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_holds")),
    )
    op.create_index(op.f("ix_claim_holds_claim_id"), "claim_holds", ["claim_id"])
    _index("uq_claim_holds_live", "claim_holds", "claim_id", "lifted_at IS NULL", unique=True)


def _money() -> None:
    op.add_column("treasury_transfers", sa.Column("carried_over_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("uq_treasury_transfers_voucher"), "treasury_transfers")
    _index("uq_treasury_transfers_voucher", "treasury_transfers", "voucher", "carried_over_at IS NULL", unique=True)
    _index("ix_treasury_transfers_carried_over", "treasury_transfers", "voucher", "carried_over_at IS NOT NULL")
    op.create_table(
        "return_resolutions",
        sa.Column("return_file_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Uuid(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["return_file_id", "line_no"],
            ["return_lines.return_file_id", "return_lines.line_no"],
            name="fk_return_resolutions_line",
        ),
        sa.ForeignKeyConstraint(["resolved_by"], ["users.id"], name=op.f("fk_return_resolutions_resolved_by")),
        sa.PrimaryKeyConstraint("return_file_id", "line_no", name=op.f("pk_return_resolutions")),
    )
    op.create_table(
        "attempt_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("evidence_sha256", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_person", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('paid', 'not_paid')", name=op.f("ck_attempt_decisions_outcome")),
        sa.CheckConstraint("proposed_person <> confirmed_person", name=op.f("ck_attempt_decisions_two_persons")),
        sa.CheckConstraint(
            "num_nulls(confirmed_by, confirmed_person) IN (0, 2) AND (confirmed_by IS NULL OR closed_at IS NOT NULL)",
            name=op.f("ck_attempt_decisions_confirmed_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["payment_attempts.id"], name=op.f("fk_attempt_decisions_attempt_id")
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_attempt_decisions_proposed_by")),
        sa.ForeignKeyConstraint(
            ["proposed_person"], ["people.id"], name=op.f("fk_attempt_decisions_proposed_person")
        ),
        sa.ForeignKeyConstraint(["confirmed_by"], ["users.id"], name=op.f("fk_attempt_decisions_confirmed_by")),
        sa.ForeignKeyConstraint(
            ["confirmed_person"], ["people.id"], name=op.f("fk_attempt_decisions_confirmed_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_decisions")),
    )
    op.create_index(op.f("ix_attempt_decisions_attempt_id"), "attempt_decisions", ["attempt_id"])
    _index("uq_attempt_decisions_open", "attempt_decisions", "attempt_id", "closed_at IS NULL", unique=True)
    confirmed = "confirmed_person IS NOT NULL"
    _index("uq_attempt_decisions_confirmed", "attempt_decisions", "attempt_id", confirmed, unique=True)


def _index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, postgresql_where=sa.text(where))


def _after_update(table: str, function: str) -> None:
    op.execute(
        f"CREATE TRIGGER {function} AFTER UPDATE ON {table} REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def _before_row(table: str, function: str, events: str, arguments: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {function} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}({arguments})"
    )
