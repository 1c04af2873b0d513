"""Where clawbacks meet repayments: what an order brings counts, what came back before a waiver stands, and a claim is
recovered by repayments only."""

import sqlalchemy as sa
from alembic import op

revision = "seams_b"
down_revision = "seams_a"
branch_labels = None
depends_on = None

MOVES = [("enforced", "repay_part", "enforced"), ("enforced", "repay", "repaid")]

FUNCTIONS = [
    # How much of a clawback stands: all of it, or what had come back when the rest was waived.
    """
    CREATE FUNCTION clawback_stands_fen(clawback clawbacks) RETURNS bigint LANGUAGE sql STABLE AS $$
      SELECT CASE clawback.status WHEN 'waived' THEN clawback_repaid_fen(clawback.id)
                                  ELSE clawback.amount_fen END::bigint
    $$
    """,
    """
    CREATE OR REPLACE FUNCTION asked_back_fen(claim uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
      SELECT coalesce(sum(clawback_stands_fen(k)), 0)::bigint FROM clawbacks k
       WHERE k.claim_id = claim AND k.cause NOT IN ('appeal', 'standards')
    $$
    """,
    # Whether nothing of it is left to the payee, and that not only because less was due.
    """
    CREATE FUNCTION owed_back_wholly(claim claims) RETURNS boolean LANGUAGE sql STABLE AS $$
      SELECT asked_back_fen(claim.id) > 0
         AND claim.amount_fen <= (SELECT sum(clawback_stands_fen(k)) FROM clawbacks k WHERE k.claim_id = claim.id)
    $$
    """,
]

#: Function → what it says, just once, and what it says from now on: the rest of it stays whatever it is.
CHANGED = {
    "guard_clawbacks_raised": (
        """SELECT sum(k.amount_fen) FROM clawbacks k
                                  WHERE k.claim_id = n.claim_id AND k.status <> 'waived'""",
        "SELECT sum(clawback_stands_fen(k)) FROM clawbacks k WHERE k.claim_id = n.claim_id",
    ),
    "guard_claim_supplements": (
        """SELECT coalesce(sum(k.amount_fen), 0) FROM clawbacks k
                      WHERE k.status <> 'waived' AND k.cause IN""",
        "SELECT coalesce(sum(clawback_stands_fen(k)), 0) FROM clawbacks k WHERE k.cause IN",
    ),
    "guard_granted": ("asked_back_fen(b.id) < b.amount_fen", "NOT owed_back_wholly(b)"),
    # An order brings money too; and money that is on its way back from the bank is not the claimant's to repay.
    "guard_clawback_repayments": (
        "k.status IN ('demanded', 'part_repaid')",
        "k.status IN ('demanded', 'part_repaid', 'enforced') AND c.status = 'paid'",
    ),
}

RECOVERED = """
    CREATE FUNCTION guard_recovered() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM fund_reservations r WHERE r.claim_id = NEW.id AND r.repaid_fen = r.amount_fen) THEN
        RAISE EXCEPTION 'a claim is recovered once all of it is back' USING ERRCODE = 'ZD280';
      END IF;
      RETURN NULL;
    END $$
"""


def _change(function: str, asked: str, now: str) -> str:
    return f"""
    DO $do$
    DECLARE was text := pg_get_functiondef('{function}'::regproc);
            asked text := $asked${asked}$asked$;
    BEGIN
      IF (length(was) - length(replace(was, asked, ''))) <> length(asked) THEN
        RAISE EXCEPTION '{function} does not say just once what changes';
      END IF;
      EXECUTE replace(was, asked, $now${now}$now$);
    END $do$
    """


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    told = [
        {"noun": "clawback", "before": before, "action": action, "after": after} for before, action, after in MOVES
    ]
    op.bulk_insert(moves, told)
    for statement in FUNCTIONS:
        op.execute(statement)
    for function, (asked, now) in CHANGED.items():
        op.execute(_change(function, asked, now))
    op.execute(RECOVERED)
    op.execute(
        "CREATE TRIGGER guard_recovered AFTER UPDATE OF status ON claims FOR EACH ROW"
        " WHEN (OLD.status <> 'recovered' AND NEW.status = 'recovered') EXECUTE FUNCTION guard_recovered()"
    )
