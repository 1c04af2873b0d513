"""The tally summed along each thing the share is asked by: a read no longer grows with the claims of a day."""

import sqlalchemy as sa
from alembic import op

revision = "share_sums"
down_revision = "care"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim_tally_sums",
        sa.Column("along", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("along", "filed_on", "key", "channel", name=op.f("pk_claim_tally_sums")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (count, amount_fen) ON claim_tally_sums TO zhida_app")
    op.execute("""
        INSERT INTO claim_tally_sums (along, filed_on, key, channel, count, amount_fen)
        SELECT each.along, filed_on, each.key, channel, sum(count), sum(amount_fen)
          FROM claim_tally
         CROSS JOIN LATERAL (
               VALUES ('month', to_char(filed_on, 'YYYY-MM')), ('district', district), ('list', list_kind),
                      ('industry', industry), ('level', level)) AS each (along, key)
         GROUP BY each.along, filed_on, each.key, channel
    """)
