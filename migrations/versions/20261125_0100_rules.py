"""What the rules of version 2 look at, a refusal in due form, and parameters that two persons change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "rules"
down_revision = "0002"
branch_labels = None
depends_on = None

_LIVE = "status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered')"

FUNCTIONS = [
    # Without a proposal only a parameter of which nothing was said yet; with one, just what two persons signed.
    """
    CREATE FUNCTION guard_policies() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM new_rows n JOIN policies p ON p.key = n.key
                  WHERE n.proposal_id IS NULL AND p.id NOT IN (SELECT id FROM new_rows)) THEN
        RAISE EXCEPTION 'a parameter is changed by two persons' USING ERRCODE = 'ZD030';
      END IF;
      IF EXISTS (SELECT FROM new_rows n JOIN policy_proposals q ON q.id = n.proposal_id
                  WHERE (q.key, q.value, q.first, q.source, q.basis)
                        IS DISTINCT FROM (n.key, n.value, lower(n.in_force), n.source, n.basis)
                     OR NOT upper_inf(n.in_force)) THEN
        RAISE EXCEPTION 'a parameter is what was confirmed' USING ERRCODE = 'ZD030';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A parameter in force only learns its end, the day on which what was confirmed takes over.
    """
    CREATE FUNCTION guard_policy_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (to_jsonb(OLD) - 'in_force') <> (to_jsonb(NEW) - 'in_force')
         OR lower(OLD.in_force) IS DISTINCT FROM lower(NEW.in_force)
         OR NOT upper_inf(OLD.in_force)
         OR NOT EXISTS (SELECT FROM policy_proposals q JOIN policy_confirmations c ON c.proposal_id = q.id
                         WHERE q.key = OLD.key AND q.first = upper(NEW.in_force)) THEN
        RAISE EXCEPTION 'a parameter in force is immutable' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NEW;
    END $$
    """,
]


def upgrade() -> None:
    _claims()
    _policies()
    for grant in (
        "SELECT ON policy_proposals, policy_confirmations",
        "INSERT ON policy_proposals, policy_confirmations",
        "UPDATE (in_force) ON policies",
    ):
        op.execute(f"GRANT {grant} TO zhida_app")


def _claims() -> None:
    op.execute(
        "INSERT INTO lifecycle_moves (noun, before, action, after) VALUES ('claim', 'filed', 'refuse', 'refused')"
    )
    op.add_column("claims", sa.Column("group_proof_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("claims", sa.Column("invoice_number", sa.Text(), nullable=True))
    op.create_index("uq_claims_invoice", "claims", ["invoice_number"], unique=True, postgresql_where=sa.text(_LIVE))


def _policies() -> None:
    op.create_table(
        "policy_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source <> '' AND basis <> ''", name=op.f("ck_policy_proposals_source")),
        sa.ForeignKeyConstraint(["proposer_id"], ["people.id"], name=op.f("fk_policy_proposals_proposer_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_policy_proposals_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_proposals")),
        sa.UniqueConstraint("id", "proposer_id", name="uq_policy_proposals_proposer"),
    )
    op.create_table(
        "policy_confirmations",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("person_id <> proposer_id", name=op.f("ck_policy_confirmations_two_persons")),
        sa.ForeignKeyConstraint(
            ["proposal_id", "proposer_id"],
            ["policy_proposals.id", "policy_proposals.proposer_id"],
            name="fk_policy_confirmations_proposal",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_policy_confirmations_person_id")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["users.id"], name=op.f("fk_policy_confirmations_confirmed_by")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_policy_confirmations")),
    )
    op.add_column("policies", sa.Column("proposal_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_policies_proposal_id"), "policies", "policy_confirmations", ["proposal_id"], ["proposal_id"]
    )
    op.create_unique_constraint("uq_policies_proposal", "policies", ["proposal_id"])
    for function in FUNCTIONS:
        op.execute(function)
    op.execute("DROP TRIGGER refuse_change ON policies")
    for trigger in (
        "refuse_change BEFORE DELETE ON policies FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "guard_policy_end BEFORE UPDATE ON policies FOR EACH ROW EXECUTE FUNCTION guard_policy_end()",
        "guard_policies AFTER INSERT ON policies REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_policies()",
        "refuse_change BEFORE UPDATE OR DELETE ON policy_proposals FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "refuse_change BEFORE UPDATE OR DELETE ON policy_confirmations FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ):
        op.execute(f"CREATE TRIGGER {trigger}")
