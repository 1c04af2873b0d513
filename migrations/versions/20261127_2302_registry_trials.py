"""A rest of the registry that an operator may end is told apart from a call on trial that is out."""

import sqlalchemy as sa
from alembic import op

revision = "registry_trials"
down_revision = "who_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("on_trial", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("registry_lines", column)
