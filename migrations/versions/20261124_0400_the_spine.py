"""The tables of the spine: from a catalog edition to a return line."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(sa.schema.CreateSequence(sa.Sequence("batch_numbers")))
    op.create_table(
        "catalog_editions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("in_force"), "&&"), using="gist", name="ex_catalog_editions_one_a_day"
        ),
        sa.CheckConstraint(
            "(status = 'published') = (in_force IS NOT NULL)", name=op.f("ck_catalog_editions_published_has_days")
        ),
        sa.CheckConstraint("status IN ('draft', 'published')", name=op.f("ck_catalog_editions_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_editions")),
    )
    op.create_index("uq_catalog_editions_year_revision", "catalog_editions", ["year", "revision"], unique=True)
    op.create_table(
        "claim_tally",
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("list_kind", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "filed_on", "district", "list_kind", "industry", "level", "channel", name=op.f("pk_claim_tally")
        ),
    )
    op.create_table(
        "claim_tally_deltas",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("list_kind", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_tally_deltas")),
    )
    op.create_table(
        "districts",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["districts.code"], name=op.f("fk_districts_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_districts")),
    )
    op.create_table(
        "door_refusals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_refusals")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('ready', 'done', 'dead')", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_due", "jobs", ["next_at"], unique=False, postgresql_where=sa.text("state = 'ready'"))
    op.create_index("uq_jobs_kind_subject_round", "jobs", ["kind", "subject", "round"], unique=True)
    op.create_index(
        "uq_jobs_ready", "jobs", ["kind", "subject"], unique=True, postgresql_where=sa.text("state = 'ready'")
    )
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_person_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("xid", sa.Text(), server_default=sa.text("(pg_current_xact_id())::text"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_subject", "journal", ["subject_kind", "subject_id", "id"], unique=False)
    op.create_table(
        "lifecycle_moves",
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("noun", "before", "action", name=op.f("pk_lifecycle_moves")),
    )
    op.create_table(
        "occupation_aliases",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_occupation_aliases")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["people.id"], name=op.f("fk_people_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("key"), "="), (sa.column("in_force"), "&&"), using="gist", name="ex_policies_one_a_day"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
    )
    op.create_table(
        "post_exclusions",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.CheckConstraint("scope IN ('person', 'claim', 'batch')", name=op.f("ck_post_exclusions_scope")),
        sa.PrimaryKeyConstraint("scope", "post", "other", name=op.f("pk_post_exclusions")),
    )
    op.create_table(
        "return_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("bytes_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("sum_fen", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_files")),
        sa.UniqueConstraint("sha256", name=op.f("uq_return_files_sha256")),
    )
    op.create_index(op.f("ix_return_files_file_id"), "return_files", ["file_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("posts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "standards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occupation", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("derivation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("occupation"), "="),
            (sa.column("level"), "="),
            (sa.column("in_force"), "&&"),
            using="gist",
            name="ex_standards_one_a_day",
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_standards_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standards")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("holder_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("tail", sa.Text(), nullable=False),
        sa.Column("bank_code", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_accounts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_index(op.f("ix_accounts_number_index"), "accounts", ["number_index"], unique=False)
    op.create_index("uq_accounts_person_number", "accounts", ["person_id", "number_index", "bank_code"], unique=True)
    op.create_table(
        "catalog_findings",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["catalog_editions.id"], name=op.f("fk_catalog_findings_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_findings")),
    )
    op.create_index(op.f("ix_catalog_findings_edition_id"), "catalog_findings", ["edition_id"], unique=False)
    op.create_table(
        "catalog_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("list_kind", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), server_default="", nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["catalog_editions.id"], name=op.f("fk_catalog_items_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_items")),
    )
    op.create_index("ix_catalog_items_edition_code", "catalog_items", ["edition_id", "code"], unique=False)
    op.create_index("uq_catalog_items_edition_line", "catalog_items", ["edition_id", "line"], unique=True)
    op.create_table(
        "institutions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credit_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("sample", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_institutions_district")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institutions")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_institutions_credit_code")),
    )
    op.create_table(
        "person_blind_indexes",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("index", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_blind_indexes_person_id")),
        sa.PrimaryKeyConstraint("key_id", "index", name=op.f("pk_person_blind_indexes")),
    )
    op.create_index(op.f("ix_person_blind_indexes_person_id"), "person_blind_indexes", ["person_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_users_district")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_users_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_index(op.f("ix_users_person_id"), "users", ["person_id"], unique=False)
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=True),
        sa.Column("sum_fen", sa.BigInteger(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status IN ('opened', 'dissolved')) OR (content_hash IS NOT NULL AND line_count > 0 AND sum_fen > 0)",
            name=op.f("ck_batches_frozen_has_content"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_batches_district")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_batches_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("id", "content_hash", "line_count", "sum_fen", name="uq_batches_content"),
        sa.UniqueConstraint("number", name=op.f("uq_batches_number")),
    )
    op.create_table(
        "institution_listings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("institution_id"), "="),
            (sa.column("in_force"), "&&"),
            using="gist",
            name="ex_institution_listings_one_a_day",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_listings_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_listings")),
    )
    op.create_table(
        "mandates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("fee_fen = 0", name=op.f("ck_mandates_no_fee")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_mandates_institution_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_mandates_person_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_mandates_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandates")),
    )
    op.create_index(op.f("ix_mandates_institution_id"), "mandates", ["institution_id"], unique=False)
    op.create_index(op.f("ix_mandates_person_id"), "mandates", ["person_id"], unique=False)
    op.create_table(
        "public_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("closes_on >= opens_on", name=op.f("ck_public_notices_days")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_public_notices_district")),
        sa.ForeignKeyConstraint(["published_by"], ["users.id"], name=op.f("fk_public_notices_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_notices")),
    )
    op.create_index(
        "ix_public_notices_open",
        "public_notices",
        ["closes_on"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "user_posts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_posts_user_id")),
        sa.PrimaryKeyConstraint("user_id", "post", name=op.f("pk_user_posts")),
    )
    op.create_table(
        "bank_files",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("bytes_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("sum_fen", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_bank_files_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_bank_files")),
        sa.UniqueConstraint("file_id", name=op.f("uq_bank_files_file_id")),
    )
    op.create_table(
        "batch_signatures",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("sum_fen", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("step IN ('assemble', 'check', 'release')", name=op.f("ck_batch_signatures_step")),
        sa.ForeignKeyConstraint(
            ["batch_id", "content_hash", "line_count", "sum_fen"],
            ["batches.id", "batches.content_hash", "batches.line_count", "batches.sum_fen"],
            name="fk_batch_signatures_content",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_batch_signatures_person_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_batch_signatures_user_id")),
        sa.PrimaryKeyConstraint("batch_id", "step", name=op.f("pk_batch_signatures")),
        sa.UniqueConstraint("batch_id", "person_id", name="uq_batch_signatures_person"),
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("mandate_id", sa.Uuid(), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("list_kind", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("subsidy_key", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("once_in", sa.Text(), nullable=False),
        sa.Column("certificate_number", sa.Text(), nullable=False),
        sa.Column("certificate_issued_on", sa.Date(), nullable=False),
        sa.Column("training_started_on", sa.Date(), nullable=False),
        sa.Column("group_code", sa.Text(), server_default="", nullable=False),
        sa.Column("standard_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(channel = 'institution') = (mandate_id IS NOT NULL AND institution_id IS NOT NULL)",
            name=op.f("ck_claims_mandate"),
        ),
        sa.CheckConstraint("channel IN ('individual', 'institution', 'enterprise')", name=op.f("ck_claims_channel")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_claims_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_claims_account_id")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_claims_district")),
        sa.ForeignKeyConstraint(["filed_by"], ["users.id"], name=op.f("fk_claims_filed_by")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_claims_institution_id")),
        sa.ForeignKeyConstraint(["item_id"], ["catalog_items.id"], name=op.f("fk_claims_item_id")),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandates.id"], name=op.f("fk_claims_mandate_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_claims_person_id")),
        sa.ForeignKeyConstraint(["standard_id"], ["standards.id"], name=op.f("fk_claims_standard_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_institution_id"), "claims", ["institution_id"], unique=False)
    op.create_index("ix_claims_work", "claims", ["district", "status", "filed_on"], unique=False)
    op.create_index(
        "uq_claims_certificate",
        "claims",
        ["certificate_number"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered')"),
    )
    op.create_index(
        "uq_claims_once",
        "claims",
        ["person_id", "subsidy_key", "level", "once_in"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered')"),
    )
    op.create_table(
        "treasury_transfers",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("voucher", sa.Text(), nullable=False),
        sa.Column("transferred_on", sa.Date(), nullable=False),
        sa.Column("sum_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_treasury_transfers_batch_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_treasury_transfers_recorded_by")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_treasury_transfers")),
        sa.UniqueConstraint("voucher", name=op.f("uq_treasury_transfers_voucher")),
    )
    op.create_table(
        "notice_lines",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_notice_lines_claim_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["public_notices.id"], name=op.f("fk_notice_lines_notice_id")),
        sa.PrimaryKeyConstraint("notice_id", "claim_id", name=op.f("pk_notice_lines")),
    )
    op.create_index(op.f("ix_notice_lines_claim_id"), "notice_lines", ["claim_id"], unique=False)
    op.create_table(
        "payment_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_tail", sa.Text(), nullable=False),
        sa.Column("bank_code", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("reference ~ '^[A-Z0-9]{1,35}$'", name=op.f("ck_payment_attempts_reference")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_attempts_amount")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_payment_attempts_batch_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_payment_attempts_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_attempts")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_attempts_reference")),
    )
    op.create_index("ix_payment_attempts_batch", "payment_attempts", ["batch_id", "status"], unique=False)
    op.create_index(op.f("ix_payment_attempts_claim_id"), "payment_attempts", ["claim_id"], unique=False)
    op.create_index(
        "uq_payment_attempts_live",
        "payment_attempts",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('prepared', 'sending', 'sent', 'unknown', 'done')"),
    )
    op.create_table(
        "registry_replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_registry_replies_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_replies")),
    )
    op.create_index(op.f("ix_registry_replies_claim_id"), "registry_replies", ["claim_id"], unique=False)
    op.create_table(
        "return_lines",
        sa.Column("return_file_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("exception", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("verdict = 'exception' OR attempt_id IS NOT NULL", name=op.f("ck_return_lines_owned")),
        sa.CheckConstraint("verdict IN ('settled', 'repeat', 'exception')", name=op.f("ck_return_lines_verdict")),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempts.id"], name=op.f("fk_return_lines_attempt_id")),
        sa.ForeignKeyConstraint(["return_file_id"], ["return_files.id"], name=op.f("fk_return_lines_return_file_id")),
        sa.PrimaryKeyConstraint("return_file_id", "line_no", name=op.f("pk_return_lines")),
    )
    op.create_index(op.f("ix_return_lines_attempt_id"), "return_lines", ["attempt_id"], unique=False)
    op.create_index(
        "uq_return_lines_counted",
        "return_lines",
        ["attempt_id", "code"],
        unique=True,
        postgresql_where=sa.text("verdict = 'settled'"),
    )
