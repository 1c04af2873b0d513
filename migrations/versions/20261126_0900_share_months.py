"""The sums of the tally by month as well as by day: a year is read by its months."""

import sqlalchemy as sa
from alembic import op

revision = "share_months"
down_revision = "proposals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("claim_tally_sums", sa.Column("grain", sa.Text(), nullable=False, server_default="day"))
    op.alter_column("claim_tally_sums", "grain", server_default=None)
    op.drop_constraint(op.f("pk_claim_tally_sums"), "claim_tally_sums")
    op.create_primary_key(
        op.f("pk_claim_tally_sums"), "claim_tally_sums", ["along", "grain", "filed_on", "key", "channel"]
    )
    op.create_check_constraint(op.f("ck_claim_tally_sums_grain"), "claim_tally_sums", "grain IN ('day', 'month')")
    op.execute("""
        INSERT INTO claim_tally_sums (along, grain, filed_on, key, channel, count, amount_fen)
        SELECT along, 'month', CAST(date_trunc('month', filed_on) AS date), key, channel, sum(count), sum(amount_fen)
          FROM claim_tally_sums
         GROUP BY along, CAST(date_trunc('month', filed_on) AS date), key, channel
    """)
