"""Objections: a trainee objects to a claim that an institution was paid for in their name; a reviewer closes it."""

import sqlalchemy as sa
from alembic import op

revision = "objections"
down_revision = "answered_appropriations"
branch_labels = None
depends_on = None

CLOSING = ("closed_at", "closed_by", "closed_person", "finding", "finding_reason")

# Only by the claimant, only against an institution that was paid, and open at first.
GUARD = """
    CREATE FUNCTION guard_claim_objections() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.finding IS NOT NULL OR NOT EXISTS (
           SELECT FROM claims c
            WHERE c.id = NEW.claim_id AND c.person_id = NEW.raised_person
              AND c.channel = 'institution' AND c.status = 'paid'
              AND (NEW.ground <> 'revoked'
                   OR EXISTS (SELECT FROM mandate_revocations m WHERE m.mandate_id = c.mandate_id))) THEN
        RAISE EXCEPTION 'nobody may object to this claim so' USING ERRCODE = 'ZD027';
      END IF;
      RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "claim_objections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("raised_person", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("finding_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_person", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ground IN ('revoked', 'never_given')", name=op.f("ck_claim_objections_ground")),
        sa.CheckConstraint("finding IN ('upheld', 'not_upheld')", name=op.f("ck_claim_objections_finding")),
        sa.CheckConstraint(
            "num_nulls(finding, closed_by, closed_person, closed_at) IN (0, 4)",
            name=op.f("ck_claim_objections_closed_whole"),
        ),
        sa.CheckConstraint(
            "(finding IS NULL) = (finding_reason = '')", name=op.f("ck_claim_objections_finding_reason")
        ),
        sa.CheckConstraint("closed_person <> raised_person", name=op.f("ck_claim_objections_two_persons")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_objections_claim_id")),
        sa.ForeignKeyConstraint(["raised_by"], ["users.id"], name=op.f("fk_claim_objections_raised_by")),
        sa.ForeignKeyConstraint(["raised_person"], ["people.id"], name=op.f("fk_claim_objections_raised_person")),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name=op.f("fk_claim_objections_closed_by")),
        sa.ForeignKeyConstraint(["closed_person"], ["people.id"], name=op.f("fk_claim_objections_closed_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_objections")),
    )
    op.create_index(op.f("ix_claim_objections_claim_id"), "claim_objections", ["claim_id"])
    op.create_index(
        "uq_claim_objections_standing",
        "claim_objections",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("finding IS NULL OR finding = 'upheld'"),
    )
    op.execute(GUARD)
    for name, events, arguments in (
        ("guard_claim_objections", "INSERT", ""),
        ("guard_ended_once", "UPDATE", f"'closed_at', '{{{','.join(CLOSING)}}}'"),
        ("refuse_change", "DELETE", ""),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON claim_objections FOR EACH ROW EXECUTE FUNCTION"
            f" {name}({arguments})"
        )
    op.execute("GRANT SELECT, INSERT ON claim_objections TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(CLOSING)}) ON claim_objections TO zhida_app")
