"""What a step-up was used for is kept; the decisions that move money, or give it up, ask for one as signatures do."""

import sqlalchemy as sa
from alembic import op

revision = "proven_decisions"
down_revision = "checks_together"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # A use is of a standing step-up that names it, by its owner; it counts in its own transaction alone.
    """
    CREATE FUNCTION guard_step_up_uses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.xid := pg_current_xact_id()::text;
      IF NOT EXISTS (SELECT FROM step_ups s JOIN second_factors f ON f.id = s.factor_id AND f.ended_at IS NULL
                      WHERE s.id = NEW.step_up_id AND s.user_id = NEW.user_id AND s.expires_at > now()
                        AND NEW.sign = ANY (s.signs)) THEN
        RAISE EXCEPTION 'a step-up serves for what it names, its owner, and five minutes' USING ERRCODE = 'ZD218';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Arguments: the decision's name, the column it is about, the column of who took it. Looked at when the
    # transaction ends: the use may be written before or after.
    """
    CREATE FUNCTION must_be_proven() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE own jsonb := to_jsonb(NEW);
    BEGIN
      IF NOT EXISTS (SELECT FROM policies p WHERE p.key = 'step_up' AND p.value = '"none"'
                        AND p.in_force @> (now() AT TIME ZONE 'Asia/Shanghai')::date)
         AND NOT EXISTS (SELECT FROM step_up_uses u
                          WHERE u.sign = TG_ARGV[0] || ' ' || (own ->> TG_ARGV[1])
                            AND u.user_id = (own ->> TG_ARGV[2])::uuid AND u.xid = pg_current_xact_id()::text) THEN
        RAISE EXCEPTION 'this decision needs a step-up of its own' USING ERRCODE = 'ZD219';
      END IF;
      RETURN NULL;
    END $$
    """,
]

#: table → (the decision's name, what it is about, who took it, when a row says that it was taken)
DECISIONS = {
    "appropriation_answers": ("appropriation.confirm", "appropriation_id", "answered_by", "NEW.answer = 'confirmed'"),
    "fund_transfer_answers": ("fund_transfer.confirm", "transfer_id", "answered_by", "NEW.answer = 'confirmed'"),
    "bank_file_sendings": ("bank_file.carry", "batch_id", "user_id", "NEW.kind = 'carried'"),
    "bank_file_handovers": ("bank_file.confirm", "batch_id", "confirmed_by", "NEW.confirmed_by IS NOT NULL"),
    "bank_file_resends": ("bank_file.resend", "batch_id", "confirmed_by", "NEW.confirmed_by IS NOT NULL"),
    "attempt_decisions": ("attempt.decide", "attempt_id", "confirmed_by", "NEW.confirmed_by IS NOT NULL"),
    "account_checks": ("account.confirm", "id", "answered_by", "NEW.confirmed"),
    "batch_delegations": ("delegation.confirm", "id", "confirmed_by", "NEW.confirmed_by IS NOT NULL"),
    "clawback_waivers": ("clawback.waive", "clawback_id", "answered_by", "NEW.granted"),
    "clawback_enforcements": ("clawback.enforce", "clawback_id", "answered_by", "NEW.granted"),
    "repayment_proposals": ("repayment.confirm", "line_id", "answered_by", "NEW.granted"),
    "amount_corrections": ("amount_correction.confirm", "id", "answered_by", "NEW.granted"),
}


def upgrade() -> None:
    op.create_table(
        "step_up_uses",
        sa.Column("step_up_id", sa.Uuid(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("xid", sa.Text(), server_default=sa.text("(pg_current_xact_id())::text"), nullable=False),
        sa.ForeignKeyConstraint(["step_up_id"], ["step_ups.id"], name=op.f("fk_step_up_uses_step_up_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_step_up_uses_user_id")),
        sa.PrimaryKeyConstraint("step_up_id", "sign", name=op.f("pk_step_up_uses")),
    )
    op.create_index("ix_step_up_uses_sign", "step_up_uses", ["sign"])
    for function in FUNCTIONS:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER guard_step_up_uses BEFORE INSERT ON step_up_uses"
        " FOR EACH ROW EXECUTE FUNCTION guard_step_up_uses()"
    )
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON step_up_uses"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON step_up_uses TO zhida_app")
    for table, (name, about, who, taken) in DECISIONS.items():
        op.execute(
            f"CREATE CONSTRAINT TRIGGER must_be_proven AFTER INSERT OR UPDATE OF {who} ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            f" WHEN ({taken}) EXECUTE FUNCTION must_be_proven('{name}', '{about}', '{who}')"
        )
