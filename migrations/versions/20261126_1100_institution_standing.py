"""How an institution stands on a day follows from dated facts: listings, exits, sanctions and their lifting."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "institution_standing"
down_revision = "money_by_the_claim"
branch_labels = None
depends_on = None

KIND = (
    "kind IN ('vocational_college', 'technical_college', 'enterprise_centre', 'public_base', 'private_school',"
    " 'online_platform', 'project_contractor', 'assessment_body')"
)
STOPS = "cardinality(stops) > 0 AND stops <@ ARRAY['file_classes', 'file_claims', 'receive_payments', 'be_listed']"
#: The new posts beside those that they exclude on one person (domain/actor.py).
EXCLUSIONS = [
    ("assessor", "institution_officer"),
    ("evaluator", "inspector"),
    ("evaluator", "institution_officer"),
    *(
        (post, new)
        for post in ("auditor", "clerk", "operator")
        for new in ("assessor", "evaluator", "inspector", "institution_officer")
    ),
]
ONCE = ("institution_exits", "institution_sanctions", "institution_sanction_lifts")


def upgrade() -> None:
    op.add_column("institutions", sa.Column("kind", sa.Text(), server_default="private_school", nullable=False))
    op.create_check_constraint(op.f("ck_institutions_kind"), "institutions", KIND)
    _scopes()
    _exits()
    _sanctions()
    op.execute("GRANT SELECT, INSERT, UPDATE (in_force) ON institution_scopes TO zhida_app")
    for table in ONCE:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO zhida_app")
    op.bulk_insert(
        sa.table("post_exclusions", *(sa.column(name) for name in ("scope", "post", "other"))),
        [{"scope": "person", "post": post, "other": other} for post, other in EXCLUSIONS],
    )


def _scopes() -> None:
    op.create_table(
        "institution_scopes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("occupation", sa.Text(), nullable=False),
        sa.Column("levels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("cardinality(levels) > 0", name=op.f("ck_institution_scopes_levels")),
        postgresql.ExcludeConstraint(
            (sa.column("institution_id"), "="),
            (sa.column("occupation"), "="),
            (sa.column("in_force"), "&&"),
            using="gist",
            name="ex_institution_scopes_one_a_day",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_scopes_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_scopes")),
    )


def _exits() -> None:
    op.create_table(
        "institution_exits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_institution_exits_reason")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_exits_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_exits")),
    )
    op.create_index(op.f("ix_institution_exits_institution_id"), "institution_exits", ["institution_id"])


def _sanctions() -> None:
    op.create_table(
        "institution_sanctions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("days", postgresql.DATERANGE(), nullable=False),
        sa.Column("stops", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("imposed_person", sa.Uuid(), nullable=False),
        sa.Column("imposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(STOPS, name=op.f("ck_institution_sanctions_stops")),
        sa.CheckConstraint(
            "reason <> '' AND NOT isempty(days) AND lower(days) IS NOT NULL",
            name=op.f("ck_institution_sanctions_told"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_sanctions_institution_id")
        ),
        sa.ForeignKeyConstraint(
            ["imposed_person"], ["people.id"], name=op.f("fk_institution_sanctions_imposed_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_sanctions")),
    )
    op.create_index(op.f("ix_institution_sanctions_institution_id"), "institution_sanctions", ["institution_id"])
    op.create_table(
        "institution_sanction_lifts",
        sa.Column("sanction_id", sa.Uuid(), nullable=False),
        sa.Column("lifted_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lifted_person", sa.Uuid(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_institution_sanction_lifts_reason")),
        sa.ForeignKeyConstraint(
            ["sanction_id"], ["institution_sanctions.id"], name=op.f("fk_institution_sanction_lifts_sanction_id")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_person"], ["people.id"], name=op.f("fk_institution_sanction_lifts_lifted_person")
        ),
        sa.PrimaryKeyConstraint("sanction_id", name=op.f("pk_institution_sanction_lifts")),
    )
