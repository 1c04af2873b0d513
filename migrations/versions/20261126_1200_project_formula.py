"""A set of standards may price projects (项目制) by heads and result; as all that was proposed, it stays."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "project_formula"
down_revision = "days_of_editions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("standard_sets", sa.Column("projects", postgresql.JSONB(none_as_null=True), nullable=True))
