"""What pages ask for among many claims is found by an index: somebody's own, an institution's, a month's offers."""

from alembic import op

revision = "pages_at_size"
down_revision = "sign_in_brakes"
branch_labels = None
depends_on = None

# Built beside the work of others, as in `20261126_1510_review_desk.py`: one that was cut short begins again.
BESIDE = {
    "ix_claims_person_id": "claims (person_id)",
    "ix_claims_of_institution": "claims (institution_id, filed_at, id) WHERE institution_id IS NOT NULL",
    "ix_claims_of_institution_status": "claims (institution_id, status, filed_at, id) INCLUDE (amount_fen, person_id)"
    " WHERE institution_id IS NOT NULL",
    "ix_claim_offers_made": "claim_offers (made_on, status)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        for name, what in BESIDE.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
        # each of the two that begin with the institution does its work
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_claims_institution_id")
        op.execute("SET lock_timeout = '4s'")  # as migrations/env.py has it
