"""Rosters: the upload, its portions, what became of each line; and the lifecycle of a roster for the guard."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "rosters"
down_revision = "funds"
branch_labels = None
depends_on = None

MOVES = [
    ("roster", "", "receive", "received"),
    ("roster", "received", "read", "filing"),
    ("roster", "received", "reject", "rejected"),
    ("roster", "filing", "finish", "finished"),
]

GRANTS = [
    "SELECT, INSERT ON rosters, roster_portions, roster_lines",
    "UPDATE (status, line_count, rejection) ON rosters",
    "UPDATE (filed, refused, done_at) ON roster_portions",
]


def upgrade() -> None:
    op.create_table(
        "rosters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=True),
        sa.Column("rejection", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('csv', 'xlsx')", name=op.f("ck_rosters_kind")),
        sa.CheckConstraint("(status = 'rejected') = (rejection IS NOT NULL)", name=op.f("ck_rosters_rejected")),
        sa.CheckConstraint(
            "(status IN ('filing', 'finished')) = (line_count IS NOT NULL)", name=op.f("ck_rosters_read")
        ),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_rosters_institution_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["users.id"], name=op.f("fk_rosters_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
    )
    op.create_index("uq_rosters_institution_sha256", "rosters", ["institution_id", "sha256"], unique=True)
    op.create_table(
        "roster_portions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("first_line", sa.Integer(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("lines_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("filed", sa.Integer(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("filed + refused = line_count", name=op.f("ck_roster_portions_counted")),
        sa.CheckConstraint("num_nonnulls(filed, refused, done_at) IN (0, 3)", name=op.f("ck_roster_portions_done")),
        sa.ForeignKeyConstraint(["roster_id"], ["rosters.id"], name=op.f("fk_roster_portions_roster_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_portions")),
    )
    op.create_index("uq_roster_portions_first", "roster_portions", ["roster_id", "first_line"], unique=True)
    op.create_table(
        "roster_lines",
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("portion_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(outcome = 'filed') = (claim_id IS NOT NULL)", name=op.f("ck_roster_lines_filed")),
        sa.CheckConstraint("(outcome = 'refused') = (reasons <> '[]')", name=op.f("ck_roster_lines_refused")),
        sa.CheckConstraint("outcome IN ('filed', 'refused')", name=op.f("ck_roster_lines_outcome")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_roster_lines_claim_id")),
        sa.ForeignKeyConstraint(["portion_id"], ["roster_portions.id"], name=op.f("fk_roster_lines_portion_id")),
        sa.ForeignKeyConstraint(["roster_id"], ["rosters.id"], name=op.f("fk_roster_lines_roster_id")),
        sa.PrimaryKeyConstraint("roster_id", "line", name=op.f("pk_roster_lines")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_roster_lines_claim_id")),
    )
    op.create_index(op.f("ix_roster_lines_portion_id"), "roster_lines", ["portion_id"], unique=False)
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    for event, seen in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "NEW TABLE AS new_rows OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER guard_moves_on_{event.lower()} AFTER {event} ON rosters REFERENCING {seen} "
            "FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('roster')"
        )
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON roster_lines "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")
