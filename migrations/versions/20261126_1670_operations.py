"""The operations desk reads what has not ended, what is unknown and what does not fit, however much has ended;
operators are told of alarms."""

import sqlalchemy as sa
from alembic import op

revision = "operations"
down_revision = "journal_seal"
branch_labels = None
depends_on = None

#: index → table, columns, of which rows.
INDEXES = {
    "ix_batches_open": (
        *("batches", ["district", "status"]),
        "status NOT IN ('settled', 'dissolved', 'not_received')",
    ),
    "ix_payment_attempts_unknown": ("payment_attempts", ["batch_id"], "status = 'unknown'"),
    "ix_return_lines_exception": ("return_lines", ["return_file_id"], "verdict = 'exception'"),
}


def upgrade() -> None:
    for name, (table, columns, rows) in INDEXES.items():
        op.create_index(name, table, columns, postgresql_where=sa.text(rows))
    op.drop_constraint(op.f("ck_messages_of_claim"), "messages")
    op.create_check_constraint(
        op.f("ck_messages_of_claim"),
        "messages",
        "(template IN ('offer', 'digest', 'alarm')) = (claim_id IS NULL)",
    )
