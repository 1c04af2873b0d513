"""Days of steps and lists of batches are counted now and then, so that pages read rows of counts and no claims."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "step_counts"
down_revision = "proven_decisions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "step_counts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("days", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("every > 0 AND date_part('day', month) = 1", name=op.f("ck_step_counts_month")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_counts")),
    )
    op.create_index("ix_step_counts_month", "step_counts", ["month", "counted_at"])
    op.create_table(
        "batch_lists",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("list_kind", sa.Text(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.CheckConstraint("lines > 0", name=op.f("ck_batch_lists_lines")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_lists_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "list_kind", name=op.f("pk_batch_lists")),
    )
    for table in ("step_counts", "batch_lists"):
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO zhida_app")
