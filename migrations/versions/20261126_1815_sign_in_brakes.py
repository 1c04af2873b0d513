"""Wrong sign-ins are counted by login and by address, and what somebody typed when their session ended is kept."""

import sqlalchemy as sa
from alembic import op

revision = "sign_in_brakes"
down_revision = "seams_b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_brakes",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("wrong_count", sa.Integer(), nullable=False),
        sa.Column("counted_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_brakes")),
        sa.CheckConstraint("wrong_count >= 0", name=op.f("ck_sign_in_brakes_counted")),
    )
    op.create_index(op.f("ix_sign_in_brakes_counted_since"), "sign_in_brakes", ["counted_since"])
    op.create_table(
        "kept_forms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("page_index", sa.LargeBinary(), nullable=False),
        sa.Column("typed_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_forms")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_kept_forms_user_id")),
        sa.UniqueConstraint("user_id", "page_index", name=op.f("uq_kept_forms_user_id_page_index")),
    )
    op.create_index(op.f("ix_kept_forms_kept_at"), "kept_forms", ["kept_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_brakes TO zhida_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON kept_forms TO zhida_app")
