"""Registers: snapshots that two persons vouch for, their lines by keyed digest; and what was found before payment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registers"
down_revision = "claim_appeals"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # The row of a snapshot comes after its lines, and closes it.
    """
    CREATE FUNCTION guard_register_entries() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM register_snapshots s
           WHERE s.id IN (SELECT n.snapshot_id FROM new_rows n)) > 0 THEN
        RAISE EXCEPTION 'nothing is added to a register that was loaded' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What is vouched for is there: as many lines as its row says.
    """
    CREATE FUNCTION guard_register_confirmations() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n LEFT JOIN register_snapshots s ON s.id = n.snapshot_id
           WHERE s.lines IS DISTINCT FROM
                 (SELECT count(*) FROM register_entries e WHERE e.snapshot_id = n.snapshot_id)) > 0 THEN
        RAISE EXCEPTION 'a register is confirmed with all of its lines' USING ERRCODE = 'ZD090';
      END IF;
      RETURN NULL;
    END $$
    """,
]

WRITTEN_ONCE = [
    *("register_snapshots", "register_confirmations", "register_entries"),
    *("claim_register_findings", "batch_register_checks"),
]
TRIGGERS = [
    "guard_register_entries AFTER INSERT ON register_entries REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_register_entries()",
    "guard_register_confirmations AFTER INSERT ON register_confirmations REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_register_confirmations()",
    *(
        f"refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in WRITTEN_ONCE
    ),
]


def upgrade() -> None:
    _registers()
    _before_payment()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(WRITTEN_ONCE)} TO zhida_app")


def _registers() -> None:
    op.create_table(
        "register_snapshots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("loader_id", sa.Uuid(), nullable=False),
        sa.Column("loaded_by", sa.Uuid(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lines > 0", name=op.f("ck_register_snapshots_lines")),
        sa.CheckConstraint("source <> ''", name=op.f("ck_register_snapshots_source")),
        sa.ForeignKeyConstraint(["loader_id"], ["people.id"], name=op.f("fk_register_snapshots_loader_id")),
        sa.ForeignKeyConstraint(["loaded_by"], ["users.id"], name=op.f("fk_register_snapshots_loaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_snapshots")),
        sa.UniqueConstraint("id", "loader_id", name="uq_register_snapshots_loader"),
        sa.UniqueConstraint("register", "as_of", "sha256", name="uq_register_snapshots_file"),
    )
    op.create_table(
        "register_confirmations",
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("loader_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("person_id <> loader_id", name=op.f("ck_register_confirmations_two_persons")),
        sa.ForeignKeyConstraint(
            ["snapshot_id", "loader_id"],
            ["register_snapshots.id", "register_snapshots.loader_id"],
            name="fk_register_confirmations_snapshot",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_register_confirmations_person_id")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["users.id"], name=op.f("fk_register_confirmations_confirmed_by")),
        sa.PrimaryKeyConstraint("snapshot_id", name=op.f("pk_register_confirmations")),
    )
    op.create_table(
        "register_entries",
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("index", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.Date(), nullable=True),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("graduates", sa.SmallInteger(), nullable=True),
        sa.Column("occupation", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("snapshot_id", "line", name=op.f("pk_register_entries")),
    )
    op.create_index("ix_register_entries_person", "register_entries", ["index", "snapshot_id"])


def _before_payment() -> None:
    # a hold that a check of the registers places is nobody's, as that of a risk signal
    op.drop_constraint(op.f("ck_claim_holds_placed_by"), "claim_holds")
    op.create_check_constraint(
        op.f("ck_claim_holds_placed_by"), "claim_holds", "placed_by IS NOT NULL OR code IN ('signal', 'register')"
    )
    op.create_table(
        "claim_register_findings",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("objections", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("registers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("jsonb_array_length(objections) > 0", name=op.f("ck_claim_register_findings_objections")),
        sa.ForeignKeyConstraint(["hold_id"], ["claim_holds.id"], name=op.f("fk_claim_register_findings_hold_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_register_findings_claim_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_claim_register_findings")),
    )
    op.create_index(op.f("ix_claim_register_findings_claim_id"), "claim_register_findings", ["claim_id"])
    op.create_table(
        "batch_register_checks",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshots", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.Integer(), nullable=False),
        sa.CheckConstraint("step IN ('assemble', 'send')", name=op.f("ck_batch_register_checks_step")),
        sa.CheckConstraint("stopped BETWEEN 0 AND claims", name=op.f("ck_batch_register_checks_counted")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_register_checks_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "step", name=op.f("pk_batch_register_checks")),
    )
