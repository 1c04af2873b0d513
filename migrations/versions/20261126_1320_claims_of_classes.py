"""A claim may name the class (开班) that its claimant was taught in; a roster names one for lines that name none."""

import sqlalchemy as sa
from alembic import op

revision = "claims_of_classes"
down_revision = "patrols"
branch_labels = None
depends_on = None

# Only for claims that name a class: the others do not pay for it.
GUARD = """
    CREATE FUNCTION guard_class_of_claim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM training_classes c
                       JOIN training_places p ON p.class_id = c.id AND p.person_id = NEW.person_id
                      WHERE c.id = NEW.class_id AND c.status IN ('approved', 'running', 'finished', 'closed')
                        AND c.filed_on < c.first
                        AND (c.occupation, c.level, c.first)
                            = (NEW.subsidy_key, NEW.level, NEW.training_started_on)
                        AND c.institution_id = coalesce(NEW.institution_id, c.institution_id)) THEN
        RAISE EXCEPTION 'a claim is of a class that taught its claimant just this' USING ERRCODE = 'ZD100';
      END IF;
      RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.add_column("claims", sa.Column("class_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_claims_class_id"), "claims", "training_classes", ["class_id"], ["id"])
    op.create_index("ix_claims_class", "claims", ["class_id"], postgresql_where=sa.text("class_id IS NOT NULL"))
    op.add_column("rosters", sa.Column("class_number", sa.Text(), nullable=True))
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER guard_class_of_claim BEFORE INSERT OR UPDATE OF subsidy_key, level, training_started_on"
        " ON claims FOR EACH ROW WHEN (NEW.class_id IS NOT NULL) EXECUTE FUNCTION guard_class_of_claim()"
    )
