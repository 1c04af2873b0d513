"""Project-based claims (项目制): a contract two persons vouch for, its result, and places within its cap."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "project_claims"
down_revision = "enterprise_claims"
branch_labels = None
depends_on = None

CONFIRMING = ("confirmed_at", "confirmed_by", "confirmed_person")

FUNCTIONS = [
    # A contract is over a project item of a catalog, which has no code.
    """
    CREATE FUNCTION guard_procured_projects() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.confirmed_at IS NOT NULL
         OR NOT EXISTS (SELECT FROM catalog_items i JOIN catalog_editions e ON e.id = i.edition_id
                         WHERE i.id = NEW.item_id AND i.code IS NULL AND e.status = 'published') THEN
        RAISE EXCEPTION 'a contract is over a published project, and unconfirmed at first' USING ERRCODE = 'ZD182';
      END IF;
      RETURN NEW;
    END $$
    """,
    # What is keyed in at a counter is a person's own claim, by an acceptor who is somebody else.
    """
    CREATE FUNCTION guard_counter_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.channel <> 'individual'
         OR NOT EXISTS (SELECT FROM users u JOIN user_posts p ON p.user_id = u.id AND p.post = 'acceptor'
                         WHERE u.id = NEW.filed_by AND u.person_id <> NEW.person_id
                           AND coalesce(u.district, NEW.district) = NEW.district) THEN
        RAISE EXCEPTION 'a counter is kept by an acceptor of the district' USING ERRCODE = 'ZD185';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Live claims stay within the places and the money of a confirmed contract: one at a time counts them.
    """
    CREATE FUNCTION guard_project_cap() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE of procured_projects; taken bigint; drawn bigint;
    BEGIN
      SELECT * INTO of FROM procured_projects WHERE id = NEW.project_id FOR NO KEY UPDATE;
      SELECT count(*), coalesce(sum(amount_fen), 0) INTO taken, drawn FROM claims
       WHERE project_id = NEW.project_id AND id <> NEW.id
         AND status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered');
      IF of.confirmed_at IS NULL THEN
        RAISE EXCEPTION 'a claim draws on a confirmed contract' USING ERRCODE = 'ZD183';
      END IF;
      IF taken + 1 > of.places OR drawn + NEW.amount_fen > of.cap_fen THEN
        RAISE EXCEPTION 'the project has no more room' USING ERRCODE = 'ZD184';
      END IF;
      RETURN NEW;
    END $$
    """,
]

TRIGGERS = [
    "guard_procured_projects BEFORE INSERT ON procured_projects FOR EACH ROW"
    " EXECUTE FUNCTION guard_procured_projects()",
    "guard_ended_once BEFORE UPDATE ON procured_projects FOR EACH ROW"
    f" EXECUTE FUNCTION guard_ended_once('confirmed_at', '{{{','.join(CONFIRMING)}}}')",
    "refuse_change BEFORE DELETE ON procured_projects FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "refuse_change BEFORE UPDATE OR DELETE ON project_results FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "guard_counter_claims BEFORE INSERT ON claims FOR EACH ROW WHEN (NEW.via = 'counter')"
    " EXECUTE FUNCTION guard_counter_claims()",
    "guard_certificates_of_approved BEFORE UPDATE OF status ON claims FOR EACH ROW"
    " WHEN (OLD.status = 'in_review' AND NEW.status = 'approved' AND NEW.kind = 'training')"
    " EXECUTE FUNCTION guard_certificates_of_approved()",
    "guard_project_cap BEFORE INSERT ON claims FOR EACH ROW WHEN (NEW.project_id IS NOT NULL)"
    " EXECUTE FUNCTION guard_project_cap()",
    "guard_project_cap_again BEFORE UPDATE OF status ON claims FOR EACH ROW"
    " WHEN (NEW.project_id IS NOT NULL AND OLD.status = 'refused' AND NEW.status = 'in_review')"
    " EXECUTE FUNCTION guard_project_cap()",
]

#: Of what a claim is made, by its kind.
KINDS = {
    "kind": "kind IN ('training', 'project')",
    "certificate": "(kind = 'training') = (num_nulls(certificate_number, certificate_issued_on, standard_id) = 0)",
    "no_certificate": "(kind = 'training') = (num_nonnulls(certificate_number, certificate_issued_on) > 0)",
    "project": "(kind = 'project') = (project_id IS NOT NULL)",
    "of_contractor": "kind <> 'project' OR (channel = 'institution' AND institution_id IS NOT NULL)",
    "looked_at": "kind = 'training' OR status <> 'verified'",
    "mandate": "(channel = 'institution' AND kind <> 'project')"
    " = (mandate_id IS NOT NULL AND institution_id IS NOT NULL)",
    "payee": "payee_institution_id IS NOT DISTINCT FROM"
    " CASE WHEN channel = 'enterprise' OR kind = 'project' THEN institution_id END",
}


def upgrade() -> None:
    _projects()
    op.add_column("claims", sa.Column("kind", sa.Text(), server_default="training", nullable=False))
    op.add_column("claims", sa.Column("project_id", sa.Uuid(), nullable=True))
    for column in ("certificate_number", "certificate_issued_on", "standard_id"):
        op.alter_column("claims", column, nullable=True)
    for name in ("mandate", "payee"):
        op.drop_constraint(op.f(f"ck_claims_{name}"), "claims")
    for name, condition in KINDS.items():
        op.create_check_constraint(op.f(f"ck_claims_{name}"), "claims", condition)
    op.create_foreign_key(
        "fk_claims_project",
        "claims",
        "procured_projects",
        ["project_id", "institution_id", "item_id", "district"],
        ["id", "institution_id", "item_id", "district"],
    )
    op.create_index("ix_claims_project", "claims", ["project_id"], postgresql_where=sa.text("project_id IS NOT NULL"))
    for function in FUNCTIONS:
        op.execute(function)
    # what has no certificate is not asked for one when an officer approves it
    op.execute("DROP TRIGGER guard_certificates_of_approved ON claims")
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT ON procured_projects, project_results TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(CONFIRMING)}) ON procured_projects TO zhida_app")


def _projects() -> None:
    op.create_table(
        "procured_projects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("contract_number", sa.Text(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("place_fen", sa.BigInteger(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_person", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("places > 0 AND cap_fen > 0 AND place_fen > 0", name=op.f("ck_procured_projects_over")),
        sa.CheckConstraint(
            "num_nulls(confirmed_by, confirmed_person, confirmed_at) IN (0, 3)",
            name=op.f("ck_procured_projects_confirmed_whole"),
        ),
        sa.CheckConstraint("confirmed_person <> proposed_person", name=op.f("ck_procured_projects_two_persons")),
        sa.ForeignKeyConstraint(["item_id"], ["catalog_items.id"], name=op.f("fk_procured_projects_item_id")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_procured_projects_institution_id")
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_procured_projects_district")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_procured_projects_proposed_by")),
        sa.ForeignKeyConstraint(
            ["proposed_person"], ["people.id"], name=op.f("fk_procured_projects_proposed_person")
        ),
        sa.ForeignKeyConstraint(["confirmed_by"], ["users.id"], name=op.f("fk_procured_projects_confirmed_by")),
        sa.ForeignKeyConstraint(
            ["confirmed_person"], ["people.id"], name=op.f("fk_procured_projects_confirmed_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procured_projects")),
        sa.UniqueConstraint("id", "institution_id", "item_id", "district", name="uq_procured_projects_contract"),
        sa.UniqueConstraint("district", "contract_number", name="uq_procured_projects_number"),
    )
    op.create_table(
        "project_results",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("reached_on", sa.Date(), nullable=False),
        sa.Column("employment_percent", sa.Integer(), nullable=False),
        sa.Column("evidence_sha256", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("employment_percent BETWEEN 0 AND 100", name=op.f("ck_project_results_percent")),
        sa.ForeignKeyConstraint(["project_id"], ["procured_projects.id"], name=op.f("fk_project_results_project_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_project_results_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_results")),
    )
    op.create_index("ix_project_results_latest", "project_results", ["project_id", "recorded_at"])
