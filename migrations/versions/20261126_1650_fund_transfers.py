"""Free money goes from one position to another, by two persons: two lines of one transfer, or none."""

import sqlalchemy as sa
from alembic import op

revision = "fund_transfers"
down_revision = "supplement_claims"
branch_labels = None
depends_on = None

_WAYS = (
    "(kind, source, target) IN (('appropriate', 'treasury', 'free'), ('lower', 'free', 'treasury'),"
    " ('carry_over', 'treasury', 'free'), ('transfer_out', 'free', 'treasury'), ('transfer_in', 'treasury', 'free'),"
    " ('set_aside', 'free', 'set_aside'), ('draw', 'set_aside', 'free'),"
    " ('give_back', 'set_aside', 'free'), ('reserve', 'free', 'reserved'), ('send', 'reserved', 'in_flight'),"
    " ('pay', 'in_flight', 'paid'), ('fail', 'in_flight', 'reserved'), ('bounce', 'paid', 'reserved'),"
    " ('release', 'reserved', 'free'), ('recover', 'paid', 'free'), ('repay', 'paid', 'free'))"
)

CHECKS = [
    ("way", _WAYS),
    ("transfer", "(kind IN ('transfer_out', 'transfer_in')) = (transfer_id IS NOT NULL)"),
]

# What comes from the treasury, or goes there, does so by an appropriation, unless it is a leg of a transfer: that one
# has a guard of its own. One condition of the function changes, so the rest of it stays whatever it is.
POST_FUND_MOVEMENTS = """
    DO $$
    DECLARE was text := pg_get_functiondef('post_fund_movements'::regproc);
            asked text := 'WHERE ''treasury'' IN (n.source, n.target)';
    BEGIN
      IF (length(was) - length(replace(was, asked, ''))) <> length(asked) THEN
        RAISE EXCEPTION 'post_fund_movements does not ask about the treasury just once';
      END IF;
      EXECUTE replace(was, asked, 'WHERE n.transfer_id IS NULL AND ''treasury'' IN (n.source, n.target)');
    END $$
"""

# At commit: a transfer that was confirmed has both its legs, of its amount, out of the one position and into the
# other; a leg belongs to one that was. No third line fits beside them (uq_fund_movements_transfer).
GUARD_FUND_TRANSFER = """
    CREATE FUNCTION guard_fund_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM fund_transfers t
            JOIN fund_transfer_answers s ON s.transfer_id = t.id AND s.answer = 'confirmed'
            JOIN fund_movements m ON m.transfer_id = t.id AND m.amount_fen = t.amount_fen
            JOIN fund_positions p ON p.id = m.position_id
           WHERE t.id = NEW.transfer_id
             AND (m.kind, p.district, p.fund, p.year)
                 IN (('transfer_out', t.source_district, t.source_fund, t.source_year),
                     ('transfer_in', t.target_district, t.target_fund, t.target_year))) <> 2 THEN
        RAISE EXCEPTION 'a transfer is both of its legs, of one amount' USING ERRCODE = 'ZD240';
      END IF;
      RETURN NULL;
    END $$
"""

TRIGGERS = [
    "CONSTRAINT TRIGGER with_both_legs AFTER INSERT ON fund_movements DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW WHEN (NEW.transfer_id IS NOT NULL) EXECUTE FUNCTION guard_fund_transfer()",
    "CONSTRAINT TRIGGER with_both_legs AFTER INSERT ON fund_transfer_answers DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW WHEN (NEW.answer = 'confirmed') EXECUTE FUNCTION guard_fund_transfer()",
    *(
        f"TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in ("fund_transfers", "fund_transfer_answers")
    ),
]


def upgrade() -> None:
    _make_tables()
    op.add_column("fund_movements", sa.Column("transfer_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_fund_movements_transfer_id"),
        "fund_movements",
        "fund_transfer_answers",
        ["transfer_id"],
        ["transfer_id"],
    )
    op.create_unique_constraint("uq_fund_movements_transfer", "fund_movements", ["transfer_id", "kind"])
    for name, said in CHECKS:
        op.execute(f"ALTER TABLE fund_movements DROP CONSTRAINT IF EXISTS ck_fund_movements_{name}")
        op.execute(f"ALTER TABLE fund_movements ADD CONSTRAINT ck_fund_movements_{name} CHECK ({said})")
    op.execute(POST_FUND_MOVEMENTS)
    op.execute(GUARD_FUND_TRANSFER)
    for trigger in TRIGGERS:
        op.execute(f"CREATE {trigger}")
    op.execute("GRANT SELECT, INSERT ON fund_transfers, fund_transfer_answers TO zhida_app")


def _make_tables() -> None:
    op.create_table(
        "fund_transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_district", sa.Text(), nullable=False),
        sa.Column("source_fund", sa.Text(), nullable=False),
        sa.Column("source_year", sa.Integer(), nullable=False),
        sa.Column("target_district", sa.Text(), nullable=False),
        sa.Column("target_fund", sa.Text(), nullable=False),
        sa.Column("target_year", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_fund_transfers_amount")),
        sa.CheckConstraint("document <> '' AND reason <> ''", name=op.f("ck_fund_transfers_said")),
        sa.CheckConstraint(
            "(source_district, source_fund, source_year) <> (target_district, target_fund, target_year)",
            name=op.f("ck_fund_transfers_elsewhere"),
        ),
        sa.CheckConstraint("source_year <= target_year", name=op.f("ck_fund_transfers_forward")),
        *(
            sa.ForeignKeyConstraint([f"{side}_{name}"], [column], name=op.f(f"fk_fund_transfers_{side}_{name}"))
            for side in ("source", "target")
            for name, column in (("district", "districts.code"), ("fund", "funds.code"))
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_fund_transfers_proposed_by")),
        sa.ForeignKeyConstraint(
            ["proposed_by_person"], ["people.id"], name=op.f("fk_fund_transfers_proposed_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fund_transfers")),
        sa.UniqueConstraint("id", "proposed_by_person", name="uq_fund_transfers_proposer"),
    )
    for side in ("source", "target"):
        op.create_index(f"ix_fund_transfers_{side}", "fund_transfers", [f"{side}_district", "proposed_at", "id"])
    op.create_table(
        "fund_transfer_answers",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_person", sa.Uuid(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_by_person", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "answered_by_person <> proposed_by_person", name=op.f("ck_fund_transfer_answers_two_persons")
        ),
        sa.CheckConstraint("answer IN ('confirmed', 'declined')", name=op.f("ck_fund_transfer_answers_answer")),
        sa.CheckConstraint("(answer = 'declined') = (reason <> '')", name=op.f("ck_fund_transfer_answers_reason")),
        sa.ForeignKeyConstraint(
            ["transfer_id", "proposed_by_person"],
            ["fund_transfers.id", "fund_transfers.proposed_by_person"],
            name="fk_fund_transfer_answers_proposer",
        ),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_fund_transfer_answers_answered_by")),
        sa.ForeignKeyConstraint(
            ["answered_by_person"], ["people.id"], name=op.f("fk_fund_transfer_answers_answered_by_person")
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_fund_transfer_answers")),
    )
