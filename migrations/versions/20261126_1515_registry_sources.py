"""The registry by its sources: how often it was asked and was silent, the files that its owner sends, and offers that
stand in them."""

import sqlalchemy as sa
from alembic import op

revision = "registry_sources"
down_revision = "review_desk"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # The row of a file comes after its entries, and closes it.
    """
    CREATE FUNCTION guard_registry_entries() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM registry_files f WHERE f.id IN (SELECT n.file_id FROM new_rows n)) > 0 THEN
        RAISE EXCEPTION 'nothing is added to a file that was loaded' USING ERRCODE = 'ZD160';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What is vouched for is there: as many entries as its row says.
    """
    CREATE FUNCTION guard_registry_confirmations() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n LEFT JOIN registry_files f ON f.id = n.file_id
           WHERE f.entries IS DISTINCT FROM
                 (SELECT count(*) FROM registry_entries e WHERE e.file_id = n.file_id)) > 0 THEN
        RAISE EXCEPTION 'a file is confirmed with all of its entries' USING ERRCODE = 'ZD161';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What is offered stands in a result that holds, or in a file that two persons vouch for, as its holder's. It
    # takes the place of the same for results alone.
    """
    CREATE OR REPLACE FUNCTION guard_offers_made() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
            LEFT JOIN assessment_results r ON r.assessment_id = n.assessment_id AND r.person_id = n.person_id
           WHERE n.entry_id IS NULL
             AND (r.class_id, r.certificate_number, r.certificate_issued_on, r.live)
                 IS DISTINCT FROM (n.class_id, n.certificate_number, n.issued_on, true)) > 0
         OR (SELECT count(*) FROM new_rows n
               LEFT JOIN registry_entries e ON e.id = n.entry_id
               LEFT JOIN registry_file_confirmations k ON k.file_id = e.file_id
               LEFT JOIN person_blind_indexes b ON b.index = e.holder_index AND b.person_id = n.person_id
              WHERE n.entry_id IS NOT NULL
                AND (e.certificate_number, e.issued_on, e.revoked, k.file_id IS NULL, b.person_id)
                    IS DISTINCT FROM (n.certificate_number, n.issued_on, false, false, n.person_id)) > 0 THEN
        RAISE EXCEPTION 'an offer is of a result or an entry that holds' USING ERRCODE = 'ZD162';
      END IF;
      RETURN NULL;
    END $$
    """,
]

WRITTEN_ONCE = ["registry_files", "registry_file_confirmations", "registry_entries"]
TRIGGERS = [
    "guard_registry_entries AFTER INSERT ON registry_entries REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_registry_entries()",
    "guard_registry_confirmations AFTER INSERT ON registry_file_confirmations REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_registry_confirmations()",
    *(
        f"refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in WRITTEN_ONCE
    ),
]


def upgrade() -> None:
    _lines()
    _files()
    _offers()
    op.create_index("ix_jobs_dead", "jobs", ["kind"], postgresql_where=sa.text("state = 'dead'"))
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(WRITTEN_ONCE)} TO zhida_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON registry_lines, registry_minutes TO zhida_app")


def _lines() -> None:
    op.create_table(
        "registry_lines",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rests", sa.Integer(), server_default="0", nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_registry_lines")),
    )
    op.create_table(
        "registry_minutes",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.CheckConstraint("slot BETWEEN 0 AND 59", name=op.f("ck_registry_minutes_slot")),
        sa.PrimaryKeyConstraint("source", "slot", name=op.f("pk_registry_minutes")),
    )


def _files() -> None:
    op.create_table(
        "registry_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("loader_id", sa.Uuid(), nullable=False),
        sa.Column("loaded_by", sa.Uuid(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("entries > 0", name=op.f("ck_registry_files_entries")),
        sa.CheckConstraint("source <> ''", name=op.f("ck_registry_files_source")),
        sa.ForeignKeyConstraint(["sha256"], ["stored_files.sha256"], name=op.f("fk_registry_files_sha256")),
        sa.ForeignKeyConstraint(["loader_id"], ["people.id"], name=op.f("fk_registry_files_loader_id")),
        sa.ForeignKeyConstraint(["loaded_by"], ["users.id"], name=op.f("fk_registry_files_loaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_files")),
        sa.UniqueConstraint("id", "loader_id", name="uq_registry_files_loader"),
        sa.UniqueConstraint("sha256", name=op.f("uq_registry_files_sha256")),
    )
    op.create_table(
        "registry_file_confirmations",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("loader_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("person_id <> loader_id", name=op.f("ck_registry_file_confirmations_two_persons")),
        sa.ForeignKeyConstraint(
            ["file_id", "loader_id"],
            ["registry_files.id", "registry_files.loader_id"],
            name="fk_registry_file_confirmations_file",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_registry_file_confirmations_person_id")),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name=op.f("fk_registry_file_confirmations_confirmed_by")
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_registry_file_confirmations")),
    )
    op.create_table(
        "registry_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("certificate_number", sa.Text(), nullable=False),
        sa.Column("holder_index", sa.LargeBinary(), nullable=True),
        sa.Column("holder_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("occupation_code", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("revoked_on", sa.Date(), nullable=True),
        sa.CheckConstraint("revoked OR revoked_on IS NULL", name=op.f("ck_registry_entries_revoked")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_entries")),
        sa.UniqueConstraint("file_id", "line", name="uq_registry_entries_line"),
    )
    op.create_index(op.f("ix_registry_entries_certificate_number"), "registry_entries", ["certificate_number"])


def _offers() -> None:
    """An offer is of a result in a class, or of an entry in such a file, which knows no class and no district."""
    op.add_column("claim_offers", sa.Column("entry_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_claim_offers_entry_id"), "claim_offers", "registry_entries", ["entry_id"], ["id"])
    for name in ("assessment_id", "class_id", "district"):
        op.alter_column("claim_offers", name, nullable=True)
    op.create_check_constraint(
        op.f("ck_claim_offers_found_in"),
        "claim_offers",
        "num_nulls(assessment_id, class_id, district) = CASE WHEN entry_id IS NULL THEN 0 ELSE 3 END",
    )
