"""What was paid in a year is counted now and then, so that the first page reads a row."""

import sqlalchemy as sa
from alembic import op

revision = "paid_counts"
down_revision = "notice_objections"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paid_counts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=True),
        sa.Column("month_claims", sa.Integer(), nullable=True),
        sa.Column("half_days", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "persons >= 0 AND payments >= persons AND paid_fen >= payments", name=op.f("ck_paid_counts_counts")
        ),
        sa.CheckConstraint("num_nulls(month, month_claims, half_days) IN (0, 3)", name=op.f("ck_paid_counts_month")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paid_counts")),
    )
    op.create_index("ix_paid_counts_day", "paid_counts", ["counted_on", "counted_at"])
    op.execute(
        "CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON paid_counts FOR EACH ROW"
        " EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON paid_counts TO zhida_app")
