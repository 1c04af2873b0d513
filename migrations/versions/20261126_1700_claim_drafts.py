"""What somebody has typed of a claim that is not filed yet, sealed, for a week."""

import sqlalchemy as sa
from alembic import op

revision = "claim_drafts"
down_revision = "operations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("typed_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_drafts")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_claim_drafts_person_id")),
    )
    op.create_index(op.f("ix_claim_drafts_person_id"), "claim_drafts", ["person_id"])
    op.create_index(op.f("ix_claim_drafts_touched_at"), "claim_drafts", ["touched_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE (typed_sealed, touched_at), DELETE ON claim_drafts TO zhida_app")
