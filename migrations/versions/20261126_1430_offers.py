"""Offers (免申即享): checked and priced from results; they become claims of one's own, or end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "offers"
down_revision = "registers"
branch_labels = None
depends_on = None

MOVES = [
    ("offer", "", "prepare", "offered"),
    ("offer", "offered", "confirm", "confirmed"),
    ("offer", "offered", "decline", "declined"),
    ("offer", "offered", "expire", "expired"),
]

FUNCTIONS = [
    # What is offered stands in a result that holds.
    """
    CREATE FUNCTION guard_offers_made() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
            LEFT JOIN assessment_results r ON r.assessment_id = n.assessment_id AND r.person_id = n.person_id
           WHERE (r.class_id, r.certificate_number, r.certificate_issued_on, r.live)
                 IS DISTINCT FROM (n.class_id, n.certificate_number, n.issued_on, true)) > 0 THEN
        RAISE EXCEPTION 'an offer is of a result that holds' USING ERRCODE = 'ZD150';
      END IF;
      RETURN NULL;
    END $$
    """,
    # It stays as it was shown, and ends once; confirmed, it is the individual claim of its person and certificate.
    """
    CREATE FUNCTION guard_offers_ended() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.status IS DISTINCT FROM 'offered'
              OR (to_jsonb(o) - '{status,claim_id}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{status,claim_id}'::text[])) > 0 THEN
        RAISE EXCEPTION 'an offer stays as it was shown' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            LEFT JOIN people p ON p.id = n.person_id
            LEFT JOIN claims c ON c.id = n.claim_id
            LEFT JOIN people k ON k.id = c.person_id
           WHERE n.status = 'confirmed'
             AND (c.channel, c.certificate_number, coalesce(k.merged_into, k.id))
                 IS DISTINCT FROM ('individual', n.certificate_number, coalesce(p.merged_into, p.id))) > 0 THEN
        RAISE EXCEPTION 'what is confirmed is a claim of one''s own' USING ERRCODE = 'ZD151';
      END IF;
      RETURN NULL;
    END $$
    """,
]

NEW, BOTH = "NEW TABLE AS new_rows", "NEW TABLE AS new_rows OLD TABLE AS old_rows"
TRIGGERS = [
    f"guard_moves_on_insert AFTER INSERT ON claim_offers REFERENCING {NEW}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('offer')",
    f"guard_moves_on_update AFTER UPDATE ON claim_offers REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('offer')",
    f"guard_offers_made AFTER INSERT ON claim_offers REFERENCING {NEW}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_offers_made()",
    f"guard_offers_ended AFTER UPDATE ON claim_offers REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_offers_ended()",
    "refuse_change BEFORE DELETE ON claim_offers FOR EACH ROW EXECUTE FUNCTION refuse_change()",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    op.create_table(
        "claim_offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("certificate_number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("decision", postgresql.JSONB(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "status IN ('offered', 'confirmed', 'declined', 'expired')", name=op.f("ck_claim_offers_status")
        ),
        sa.CheckConstraint("(status = 'confirmed') = (claim_id IS NOT NULL)", name=op.f("ck_claim_offers_confirmed")),
        sa.CheckConstraint("made_on <= expires_on", name=op.f("ck_claim_offers_days")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_claim_offers_amount")),
        sa.ForeignKeyConstraint(
            ["assessment_id", "person_id"],
            ["assessment_results.assessment_id", "assessment_results.person_id"],
            name="fk_claim_offers_result",
        ),
        sa.ForeignKeyConstraint(["class_id"], ["training_classes.id"], name=op.f("fk_claim_offers_class_id")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_claim_offers_district")),
        sa.ForeignKeyConstraint(["item_id"], ["catalog_items.id"], name=op.f("fk_claim_offers_item_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_offers_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_offers")),
        sa.UniqueConstraint("certificate_number", "person_id", name="uq_claim_offers_certificate"),
        sa.UniqueConstraint("claim_id", name=op.f("uq_claim_offers_claim_id")),
    )
    op.create_index("ix_claim_offers_person", "claim_offers", ["person_id"])
    op.create_index("ix_claim_offers_open", "claim_offers", ["id"], postgresql_where=sa.text("status = 'offered'"))
    # a claim that is over keeps its certificate from being offered as well
    op.create_index(
        "ix_claims_dead_certificate",
        "claims",
        ["certificate_number"],
        postgresql_where=sa.text("status IN ('refused', 'withdrawn', 'lapsed', 'recovered')"),
    )
    op.alter_column("messages", "claim_id", nullable=True)
    op.create_check_constraint(op.f("ck_messages_of_claim"), "messages", "(template = 'offer') = (claim_id IS NULL)")
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT, UPDATE (status, claim_id) ON claim_offers TO zhida_app")
