"""生活费补贴: for each day attended of a class, to persons of named groups, beside the claim for the training."""

import sqlalchemy as sa
from alembic import op

revision = "living_allowance"
down_revision = "project_claims"
branch_labels = None
depends_on = None

#: What changes of the conditions by kind that revision `project_claims` made.
KINDS = {
    "kind": "kind IN ('training', 'project', 'allowance')",
    "allowance": "(kind = 'allowance') = (allowance_class_id IS NOT NULL)",
    "of_person": "kind <> 'allowance' OR channel = 'individual'",
}

# Of a class that is over, in which the person had a place; and never without a claim for the training that stands.
GUARD = """
    CREATE FUNCTION guard_allowances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM training_classes c
                       JOIN training_places p ON p.class_id = c.id AND p.person_id = NEW.person_id
                       JOIN claims t ON t.person_id = NEW.person_id AND t.kind = 'training'
                                    AND t.subsidy_key = c.occupation AND t.level = c.level
                                    AND t.status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered')
                      WHERE c.id = NEW.allowance_class_id AND c.status IN ('finished', 'closed')
                        AND ('allowance:' || c.occupation, c.level, c.first)
                            = (NEW.subsidy_key, NEW.level, NEW.training_started_on)) THEN
        RAISE EXCEPTION 'an allowance is of a class that was attended, beside its claim' USING ERRCODE = 'ZD186';
      END IF;
      RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.add_column("claims", sa.Column("allowance_class_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_claims_allowance_class_id"), "claims", "training_classes", ["allowance_class_id"], ["id"]
    )
    op.drop_constraint(op.f("ck_claims_kind"), "claims")
    for name, condition in KINDS.items():
        op.create_check_constraint(op.f(f"ck_claims_{name}"), "claims", condition)
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER guard_allowances BEFORE INSERT ON claims FOR EACH ROW"
        " WHEN (NEW.allowance_class_id IS NOT NULL) EXECUTE FUNCTION guard_allowances()"
    )
