"""Enterprises claim for staff they hired and trained, by an employment contract, and are paid themselves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "enterprise_claims"
down_revision = "registry_sources"
branch_labels = None
depends_on = None

_KINDS = (
    "kind IN ('vocational_college', 'technical_college', 'enterprise_centre', 'public_base', 'private_school',"
    " 'online_platform', 'project_contractor', 'assessment_body', 'enterprise')"
)

FUNCTIONS = [
    # An institution's account is the one that two persons put in force, and carries that proposal's id.
    """
    CREATE FUNCTION guard_corporate_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM institution_account_proposals p
                       JOIN institution_account_answers a ON a.proposal_id = p.id AND a.answer = 'confirmed'
                      WHERE (p.id, p.institution_id, p.number_index, p.bank_code, p.tail)
                            = (NEW.id, NEW.institution_id, NEW.number_index, NEW.bank_code, NEW.tail)
                        AND (p.holder_sealed, p.number_sealed) = (NEW.holder_sealed, NEW.number_sealed)) THEN
        RAISE EXCEPTION 'an institution is paid on the account that was confirmed' USING ERRCODE = 'ZD180';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Whoever is paid holds the account: the person, or the institution that the claim names in their place.
    """
    CREATE FUNCTION guard_payees() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n LEFT JOIN accounts a ON a.id = n.account_id
           WHERE coalesce(a.institution_id, a.person_id)
                 IS DISTINCT FROM coalesce(n.payee_institution_id, n.person_id)) > 0 THEN
        RAISE EXCEPTION 'a claim is paid on the account of its payee' USING ERRCODE = 'ZD181';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_mended_payee() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT coalesce(a.institution_id, a.person_id) FROM accounts a WHERE a.id = NEW.account_id)
         IS DISTINCT FROM coalesce(NEW.payee_institution_id, NEW.person_id) THEN
        RAISE EXCEPTION 'a claim is paid on the account of its payee' USING ERRCODE = 'ZD181';
      END IF;
      RETURN NEW;
    END $$
    """,
]

TRIGGERS = [
    "guard_corporate_accounts BEFORE INSERT ON accounts FOR EACH ROW WHEN (NEW.institution_id IS NOT NULL)"
    " EXECUTE FUNCTION guard_corporate_accounts()",
    "guard_payees AFTER INSERT ON claims REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_payees()",
    # in any other status the account is frozen anyhow
    "guard_mended_payee BEFORE UPDATE OF account_id ON claims FOR EACH ROW"
    " WHEN (OLD.status IN ('bounced', 'sent_back')) EXECUTE FUNCTION guard_mended_payee()",
    "refuse_change BEFORE UPDATE OR DELETE ON employment_contracts FOR EACH ROW EXECUTE FUNCTION refuse_change()",
]


def upgrade() -> None:
    op.drop_constraint(op.f("ck_institutions_kind"), "institutions")
    op.create_check_constraint(op.f("ck_institutions_kind"), "institutions", _KINDS)
    op.create_table(
        "employment_contracts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("employer_kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "employer_kind IN ('enterprise', 'enterprise_centre')", name=op.f("ck_employment_contracts_employer")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id", "employer_kind"],
            ["institutions.id", "institutions.kind"],
            name="fk_employment_contracts_employer",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_employment_contracts_person_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_employment_contracts_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employment_contracts")),
        sa.UniqueConstraint("id", "person_id", "institution_id", name="uq_employment_contracts_parties"),
    )
    op.create_index("ix_employment_contracts_parties", "employment_contracts", ["person_id", "institution_id"])
    op.create_index(op.f("ix_employment_contracts_institution_id"), "employment_contracts", ["institution_id"])
    _accounts()
    _claims()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT ON employment_contracts TO zhida_app")


def _accounts() -> None:
    op.add_column("accounts", sa.Column("institution_id", sa.Uuid(), nullable=True))
    op.alter_column("accounts", "person_id", nullable=True)
    op.create_foreign_key(op.f("fk_accounts_institution_id"), "accounts", "institutions", ["institution_id"], ["id"])
    op.create_check_constraint(op.f("ck_accounts_holder"), "accounts", "num_nonnulls(person_id, institution_id) = 1")


def _claims() -> None:
    op.add_column("claims", sa.Column("contract_id", sa.Uuid(), nullable=True))
    op.add_column("claims", sa.Column("payee_institution_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_claims_contract",
        "claims",
        "employment_contracts",
        ["contract_id", "person_id", "institution_id"],
        ["id", "person_id", "institution_id"],
    )
    op.create_check_constraint(
        op.f("ck_claims_contract"),
        "claims",
        "(channel = 'enterprise') = (contract_id IS NOT NULL AND institution_id IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_claims_payee"),
        "claims",
        "payee_institution_id IS NOT DISTINCT FROM CASE channel WHEN 'enterprise' THEN institution_id END",
    )
