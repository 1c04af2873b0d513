"""Risk signals: runs, what they found, and holds that they place; equal telephones are found by a blind index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "signals"
down_revision = "assessments"
branch_labels = None
depends_on = None

ONCE = ("signal_findings", "signal_holds")
TRIGGERS = [
    "refuse_change BEFORE DELETE ON signal_runs FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "guard_ended_once BEFORE UPDATE ON signal_runs"
    " FOR EACH ROW EXECUTE FUNCTION guard_ended_once('done_at', '{done_at, parameters}')",
    *(
        f"refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in ONCE
    ),
]
GRANTS = [
    f"SELECT, INSERT ON signal_runs, {', '.join(ONCE)}",
    "UPDATE (done_at, parameters) ON signal_runs",
    "UPDATE (phone_index) ON people",
]


def upgrade() -> None:
    op.add_column("people", sa.Column("phone_index", sa.LargeBinary(), nullable=True))
    op.create_index(op.f("ix_people_phone_index"), "people", ["phone_index"])
    op.alter_column("claim_holds", "placed_by", nullable=True)
    op.create_check_constraint(
        op.f("ck_claim_holds_placed_by"), "claim_holds", "placed_by IS NOT NULL OR code = 'signal'"
    )
    _runs()
    _findings()
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _runs() -> None:
    op.create_table(
        "signal_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parameters", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("origin IN ('nightly', 'officer', 'command')", name=op.f("ck_signal_runs_origin")),
        sa.CheckConstraint("(asked_by IS NOT NULL) = (origin = 'officer')", name=op.f("ck_signal_runs_asked")),
        sa.CheckConstraint("num_nulls(done_at, parameters) IN (0, 2)", name=op.f("ck_signal_runs_done")),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_signal_runs_asked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_runs")),
    )
    nightly = sa.text("origin = 'nightly'")
    op.create_index("uq_signal_runs_nightly", "signal_runs", ["day"], unique=True, postgresql_where=nightly)
    op.create_index("ix_signal_runs_done", "signal_runs", ["done_at"])


def _findings() -> None:
    op.create_table(
        "signal_findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "score BETWEEN 1 AND 100 AND jsonb_array_length(rows) > 0", name=op.f("ck_signal_findings_found")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["signal_runs.id"], name=op.f("fk_signal_findings_run_id")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_signal_findings_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_findings")),
        sa.UniqueConstraint("run_id", "signal", "institution_id", name="uq_signal_findings_one_a_run"),
        sa.UniqueConstraint("id", "signal", name="uq_signal_findings_signal"),
    )
    op.create_index("ix_signal_findings_of", "signal_findings", ["institution_id", "signal"])
    op.create_table(
        "signal_holds",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["claim_holds.id"], name=op.f("fk_signal_holds_hold_id")),
        sa.ForeignKeyConstraint(
            ["finding_id", "signal"],
            ["signal_findings.id", "signal_findings.signal"],
            name="fk_signal_holds_finding",
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_signal_holds_claim_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_signal_holds")),
        sa.UniqueConstraint("claim_id", "signal", name="uq_signal_holds_once"),
    )
    op.create_index(op.f("ix_signal_holds_finding_id"), "signal_holds", ["finding_id"])
