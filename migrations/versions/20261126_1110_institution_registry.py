"""What is known of an institution on which days, two persons for its account, and rounds of selection."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "institution_registry"
down_revision = "institution_standing"
branch_labels = None
depends_on = None

MOVES = [
    ("selection_round", "", "announce", "announced"),
    ("selection_round", "announced", "publicise", "in_publicity"),
    ("selection_round", "announced", "drop", "dropped"),
    ("selection_round", "in_publicity", "close", "closed"),
    ("selection_application", "", "file", "filed"),
    ("selection_application", "filed", "nominate", "nominated"),
    ("selection_application", "filed", "turn_down", "not_admitted"),
    ("selection_application", "filed", "withdraw", "withdrawn"),
    ("selection_application", "nominated", "admit", "admitted"),
    ("selection_application", "nominated", "turn_down", "not_admitted"),
    ("selection_application", "nominated", "withdraw", "withdrawn"),
]

FUNCTIONS = [
    # A dated fact ends, or ends earlier than was said; nothing else of it changes.
    """
    CREATE FUNCTION guard_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - 'in_force') IS DISTINCT FROM (to_jsonb(n) - 'in_force')
              OR lower(o.in_force) IS DISTINCT FROM lower(n.in_force)
              OR coalesce(upper(n.in_force), 'infinity') > coalesce(upper(o.in_force), 'infinity')) > 0 THEN
        RAISE EXCEPTION 'a dated fact only ends' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What was announced stays. A round is publicised when each application is decided by its scores, and ends when
    # each that was nominated is decided.
    """
    CREATE FUNCTION guard_selection_rounds() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - '{status,publicity}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{status,publicity}'::text[])
              OR (o.publicity IS NOT NULL AND o.publicity IS DISTINCT FROM n.publicity)) > 0 THEN
        RAISE EXCEPTION 'a selection stays as it was announced' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n JOIN selection_applications a ON a.round_id = n.id
           WHERE (n.status <> 'announced' AND a.status = 'filed')
              OR (n.status IN ('closed', 'dropped') AND a.status = 'nominated')) > 0 THEN
        RAISE EXCEPTION 'a selection goes on when its applications are decided' USING ERRCODE = 'ZD060';
      END IF;
      RETURN NULL;
    END $$
    """,
    # One applies to a round that is announced, which is held, so that whoever publicises it waits and then sees.
    """
    CREATE FUNCTION guard_applying() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM selection_rounds r WHERE r.id IN (SELECT n.round_id FROM new_rows n) ORDER BY r.id FOR SHARE;
      IF (SELECT count(*) FROM new_rows n LEFT JOIN selection_rounds r ON r.id = n.round_id
           WHERE r.status IS DISTINCT FROM 'announced' OR n.score IS NOT NULL OR n.scopes = '[]') > 0 THEN
        RAISE EXCEPTION 'one applies to a round that is announced' USING ERRCODE = 'ZD061';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What was applied for stays. Nobody is nominated but by the mean of so many persons' sheets, nor admitted but
    # after publicity, for the days that were announced.
    """
    CREATE FUNCTION guard_selection_applications() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - '{status,score,listing_id}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{status,score,listing_id}'::text[])
              OR (o.score IS NOT NULL AND o.score IS DISTINCT FROM n.score)
              OR (o.listing_id IS NOT NULL AND o.listing_id IS DISTINCT FROM n.listing_id)) > 0 THEN
        RAISE EXCEPTION 'an application stays as it was filed' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n JOIN selection_rounds r ON r.id = n.round_id
           CROSS JOIN LATERAL (
                 SELECT count(DISTINCT coalesce(p.merged_into, p.id)) AS persons,
                        sum((SELECT sum((c ->> 'weight')::integer * (s.points ->> (c ->> 'name'))::integer)
                               FROM jsonb_array_elements(r.criteria) AS c)) / count(s.id) AS mean
                   FROM selection_score_sheets s JOIN people p ON p.id = s.person_id
                  WHERE s.application_id = n.id) AS given
           WHERE n.status IN ('nominated', 'admitted')
             AND (given.persons < r.assessors OR n.score > given.mean OR n.score < r.pass_mark * 100)) > 0 THEN
        RAISE EXCEPTION 'an institution is nominated by its scores' USING ERRCODE = 'ZD062';
      END IF;
      IF (SELECT count(*) FROM new_rows n JOIN selection_rounds r ON r.id = n.round_id
            JOIN institution_listings l ON l.id = n.listing_id
           WHERE r.status <> 'in_publicity' AND n.status = 'admitted'
              OR l.institution_id <> n.institution_id OR lower(l.in_force) <> lower(r.admits)) > 0 THEN
        RAISE EXCEPTION 'an institution is admitted after publicity, for the announced days' USING ERRCODE = 'ZD063';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A sheet is for an application that waits, by somebody else than who filed it, and scores what was announced.
    """
    CREATE FUNCTION guard_score_sheets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM selection_applications a WHERE a.id IN (SELECT n.application_id FROM new_rows n)
        ORDER BY a.id FOR SHARE;
      IF (SELECT count(*) FROM new_rows n JOIN selection_applications a ON a.id = n.application_id
            JOIN selection_rounds r ON r.id = a.round_id
            JOIN people giver ON giver.id = n.person_id JOIN people filer ON filer.id = a.filed_by_person
           WHERE a.status <> 'filed' OR r.status <> 'announced'
              OR coalesce(giver.merged_into, giver.id) = coalesce(filer.merged_into, filer.id)
              OR (SELECT array_agg(c ->> 'name' ORDER BY c ->> 'name') FROM jsonb_array_elements(r.criteria) AS c)
                 IS DISTINCT FROM (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(n.points) AS k)
              OR EXISTS (SELECT FROM jsonb_each_text(n.points) AS p
                          WHERE (p.value ~ '^([0-9]|[1-9][0-9]|100)$') IS DISTINCT FROM true)) > 0 THEN
        RAISE EXCEPTION 'a sheet scores an application that waits, as announced' USING ERRCODE = 'ZD064';
      END IF;
      RETURN NULL;
    END $$
    """,
]

BOTH = "NEW TABLE AS new_rows OLD TABLE AS old_rows"
DATED = (
    "institution_listings",
    "institution_scopes",
    "institution_branches",
    "institution_contacts",
    "institution_grades",
)
ONCE = (
    "institution_account_proposals",
    "institution_account_answers",
    "institution_evaluations",
    "institution_documents",
    "selection_documents",
    "selection_score_sheets",
    "stored_files",
)
GUARDED = {"selection_rounds": "selection_round", "selection_applications": "selection_application"}


def upgrade() -> None:
    op.create_unique_constraint("uq_institutions_class", "institutions", ["id", "kind"])
    _registry()
    _accounts()
    _selection()
    _documents()
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    for function in FUNCTIONS:
        op.execute(function)
    for table in DATED:
        _after(table, "guard_only_ends", "UPDATE")
        _before(table, "DELETE")
        op.execute(f"GRANT SELECT, INSERT, UPDATE (in_force) ON {table} TO zhida_app")
    for table in ONCE:
        _before(table, "UPDATE OR DELETE")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO zhida_app")
    for table, noun in GUARDED.items():
        _after(table, "guard_moves", "INSERT", noun)
        _after(table, "guard_moves", "UPDATE", noun)
        _after(table, f"guard_{table}", "UPDATE")
        _before(table, "DELETE")
    _after("selection_applications", "guard_applying", "INSERT")
    _after("selection_score_sheets", "guard_score_sheets", "INSERT")
    op.execute("GRANT SELECT, INSERT, UPDATE (status, publicity) ON selection_rounds TO zhida_app")
    op.execute("GRANT SELECT, INSERT, UPDATE (status, score, listing_id) ON selection_applications TO zhida_app")


def _after(table: str, function: str, event: str, argument: str = "") -> None:
    name = f"{function}_on_{event.lower()}" if argument else function
    seen, given = (BOTH if event == "UPDATE" else "NEW TABLE AS new_rows"), (f"'{argument}'" if argument else "")
    op.execute(
        f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {seen}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}({given})"
    )


def _before(table: str, events: str) -> None:
    op.execute(
        f"CREATE TRIGGER refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _registry() -> None:
    op.create_table(
        "institution_branches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("institution_id"), "="),
            (sa.column("address"), "="),
            (sa.column("in_force"), "&&"),
            using="gist",
            name="ex_institution_branches_one_a_day",
        ),
        sa.CheckConstraint("name <> '' AND address <> ''", name=op.f("ck_institution_branches_told")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_institution_branches_district")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_branches_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_branches")),
    )
    op.create_table(
        "institution_contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("institution_id"), "="),
            (sa.column("role"), "="),
            (sa.column("in_force"), "&&"),
            using="gist",
            name="ex_institution_contacts_one_a_day",
        ),
        sa.CheckConstraint("role IN ('head', 'training', 'finance')", name=op.f("ck_institution_contacts_role")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_contacts_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_contacts")),
    )
    op.create_table(
        "institution_grades",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("institution_id"), "="),
            (sa.column("in_force"), "&&"),
            using="gist",
            name="ex_institution_grades_one_a_day",
        ),
        sa.CheckConstraint("grade IN ('A', 'B', 'C')", name=op.f("ck_institution_grades_grade")),
        sa.ForeignKeyConstraint(
            ["institution_id", "kind"], ["institutions.id", "institutions.kind"], name="fk_institution_grades_class"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_grades")),
    )
    op.create_table(
        "institution_evaluations",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_person", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_institution_evaluations_source")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_evaluations_institution_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_person"], ["people.id"], name=op.f("fk_institution_evaluations_recorded_person")
        ),
        sa.PrimaryKeyConstraint("institution_id", "year", "version", name=op.f("pk_institution_evaluations")),
    )


def _accounts() -> None:
    op.create_table(
        "institution_account_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("holder_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("tail", sa.Text(), nullable=False),
        sa.Column("bank_code", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_institution_account_proposals_reason")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_account_proposals_institution_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["users.id"], name=op.f("fk_institution_account_proposals_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["proposer_id"], ["people.id"], name=op.f("fk_institution_account_proposals_proposer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_account_proposals")),
        sa.UniqueConstraint("id", "proposer_id", name="uq_institution_account_proposals_proposer"),
    )
    op.create_index(
        op.f("ix_institution_account_proposals_institution_id"),
        "institution_account_proposals",
        ["institution_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_institution_account_proposals_number_index"),
        "institution_account_proposals",
        ["number_index"],
        unique=False,
    )
    op.create_table(
        "institution_account_answers",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(answer = 'declined') = (reason <> '')", name=op.f("ck_institution_account_answers_reason")
        ),
        sa.CheckConstraint("answer IN ('confirmed', 'declined')", name=op.f("ck_institution_account_answers_answer")),
        sa.CheckConstraint("person_id <> proposer_id", name=op.f("ck_institution_account_answers_two_persons")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_institution_account_answers_answered_by")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_institution_account_answers_person_id")),
        sa.ForeignKeyConstraint(
            ["proposal_id", "proposer_id"],
            ["institution_account_proposals.id", "institution_account_proposals.proposer_id"],
            name="fk_institution_account_answers_proposal",
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_institution_account_answers")),
    )


def _selection() -> None:
    op.create_table(
        "selection_rounds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("criteria", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pass_mark", sa.Integer(), nullable=False),
        sa.Column("assessors", sa.Integer(), nullable=False),
        sa.Column("applications", postgresql.DATERANGE(), nullable=False),
        sa.Column("admits", postgresql.DATERANGE(), nullable=False),
        sa.Column("publicity_working_days", sa.Integer(), nullable=False),
        sa.Column("publicity", postgresql.DATERANGE(), nullable=True),
        sa.Column("announced_by", sa.Uuid(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(publicity IS NOT NULL) = (status IN ('in_publicity', 'closed')) AND NOT isempty(publicity)",
            name=op.f("ck_selection_rounds_publicity"),
        ),
        sa.CheckConstraint(
            "status IN ('announced', 'in_publicity', 'closed', 'dropped')", name=op.f("ck_selection_rounds_status")
        ),
        sa.CheckConstraint(
            "NOT isempty(applications) AND NOT isempty(admits) AND NOT upper_inf(applications)"
            " AND NOT upper_inf(admits) AND upper(applications) <= lower(admits)",
            name=op.f("ck_selection_rounds_days"),
        ),
        sa.CheckConstraint("assessors >= 2", name=op.f("ck_selection_rounds_assessors")),
        sa.CheckConstraint("cardinality(kinds) > 0", name=op.f("ck_selection_rounds_kinds")),
        sa.CheckConstraint("pass_mark BETWEEN 0 AND 100", name=op.f("ck_selection_rounds_pass_mark")),
        sa.ForeignKeyConstraint(["announced_by"], ["users.id"], name=op.f("fk_selection_rounds_announced_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_rounds")),
    )
    op.create_table(
        "selection_applications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("listing_id", sa.Uuid(), nullable=True),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("filed_by_person", sa.Uuid(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'admitted') = (listing_id IS NOT NULL)",
            name=op.f("ck_selection_applications_admitted_is_listed"),
        ),
        sa.CheckConstraint(
            "status IN ('filed', 'nominated', 'admitted', 'not_admitted', 'withdrawn')",
            name=op.f("ck_selection_applications_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('nominated', 'admitted') OR score IS NOT NULL",
            name=op.f("ck_selection_applications_scored"),
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 10000", name=op.f("ck_selection_applications_score")),
        sa.ForeignKeyConstraint(["filed_by"], ["users.id"], name=op.f("fk_selection_applications_filed_by")),
        sa.ForeignKeyConstraint(
            ["filed_by_person"], ["people.id"], name=op.f("fk_selection_applications_filed_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_selection_applications_institution_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["institution_listings.id"], name=op.f("fk_selection_applications_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["selection_rounds.id"], name=op.f("fk_selection_applications_round_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_applications")),
        sa.UniqueConstraint("id", "institution_id", name="uq_selection_applications_institution"),
    )
    op.create_index(
        op.f("ix_selection_applications_institution_id"), "selection_applications", ["institution_id"], unique=False
    )
    op.create_index(
        "uq_selection_applications_live",
        "selection_applications",
        ["round_id", "institution_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'withdrawn'"),
    )


def _documents() -> None:
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("sha256", name="uq_stored_files_sha256"),
    )
    op.create_table(
        "institution_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("handed_in_by", sa.Uuid(), nullable=False),
        sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["handed_in_by"], ["users.id"], name=op.f("fk_institution_documents_handed_in_by")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_institution_documents_institution_id")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["stored_files.sha256"], name=op.f("fk_institution_documents_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_documents")),
        sa.UniqueConstraint("id", "institution_id", name="uq_institution_documents_institution"),
        sa.UniqueConstraint("institution_id", "sha256", name="uq_institution_documents_once"),
    )
    op.create_table(
        "selection_documents",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id", "institution_id"],
            ["selection_applications.id", "selection_applications.institution_id"],
            name="fk_selection_documents_application",
        ),
        sa.ForeignKeyConstraint(
            ["document_id", "institution_id"],
            ["institution_documents.id", "institution_documents.institution_id"],
            name="fk_selection_documents_document",
        ),
        sa.PrimaryKeyConstraint("application_id", "document_id", name=op.f("pk_selection_documents")),
    )
    op.create_table(
        "selection_score_sheets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("points", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["selection_applications.id"], name=op.f("fk_selection_score_sheets_application_id")
        ),
        sa.ForeignKeyConstraint(["given_by"], ["users.id"], name=op.f("fk_selection_score_sheets_given_by")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_selection_score_sheets_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_score_sheets")),
        sa.UniqueConstraint("application_id", "person_id", name="uq_selection_score_sheets_person"),
    )
