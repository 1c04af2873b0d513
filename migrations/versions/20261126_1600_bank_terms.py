"""A batch keeps what was agreed with its bank when it was opened: the file's form, how it travels, limits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "bank_terms"
down_revision = "living_allowance"
branch_labels = None
depends_on = None

#: What batches were paid under before.
BEFORE = """'{"bank": "代发银行", "format": "neutral", "way": "http", "lines_max": 9999, "cut_off": "23:59", "duplicate_minutes": 0}'"""  # noqa: E501


def upgrade() -> None:
    # a constant default fills the rows that are there without writing them
    op.add_column("batches", sa.Column("terms", JSONB(), nullable=False, server_default=sa.text(BEFORE)))
