"""Standards come in sets: a formula that two bureaus sign, published for days, of which later sets take what they
are published for. Amounts that were in force before become sets without a formula.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "standard_sets"
down_revision = "objections"
branch_labels = None
depends_on = None

MOVES = [
    ("standard_set", "", "propose", "draft"),
    ("standard_set", "draft", "sign", "signed"),
    ("standard_set", "draft", "load", "published"),
    ("standard_set", "draft", "drop", "dropped"),
    ("standard_set", "signed", "publish", "published"),
    ("standard_set", "signed", "drop", "dropped"),
    ("standard_set", "published", "supersede", "superseded"),
]

EXCLUSIONS = [
    ("person", "finance_signer", "standard_editor"),
    ("person", "finance_signer", "hr_signer"),
    *(
        ("person", post, other)
        for post in ("auditor", "clerk", "operator")
        for other in ("finance_signer", "hr_signer", "standard_editor")
    ),
]

#: One set for all rows with the same days, kind and source. Their days begin the year they are numbered in.
CARRY_FORWARD = [
    """
    INSERT INTO standard_sets (id, year, revision, status, first, until, in_force, place, published_on, facts, source,
                               reason, sample, content_hash, proposed_at)
    SELECT gen_random_uuid(), extract(year FROM lower(days)),
           row_number() OVER (PARTITION BY extract(year FROM lower(days)) ORDER BY days, source, sample) - 1,
           'published', lower(days), upper(days), datemultirange(days),
           row_number() OVER (ORDER BY days, source, sample), lower(days), '{}', source,
           '采用方案以前已在执行的标准，升级时结转', sample, hash, now()
      FROM (SELECT in_force AS days, source, sample,
                   encode(sha256(convert_to(string_agg(occupation || ' ' || level || ' ' || amount_fen, E'\n'
                                                       ORDER BY occupation, level), 'UTF8')), 'hex') AS hash
              FROM standards WHERE NOT isempty(in_force) GROUP BY in_force, source, sample) AS before
    """,
    """
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'standard_set', s.id, step.action, step.before,
           step.after || CASE step.action
                           WHEN 'propose' THEN jsonb_build_object('content_hash', s.content_hash)
                           ELSE jsonb_build_object('in_force', s.in_force, 'place', s.place)
                         END,
           'migration', now()
      FROM standard_sets s
     CROSS JOIN (VALUES (1, 'propose', NULL::jsonb, '{"status": "draft"}'::jsonb),
                        (2, 'load', '{"status": "draft"}', '{"status": "published"}'))
                AS step (n, action, before, after)
     ORDER BY s.place, step.n
    """,
    """
    UPDATE standards r SET set_id = s.id, days = s.in_force FROM standard_sets s
     WHERE datemultirange(r.in_force) = s.in_force AND r.source = s.source AND r.sample = s.sample
    """,
]

FUNCTIONS = [
    # A set comes as a draft with its formula; no day is its own yet.
    """
    CREATE FUNCTION guard_new_standard_sets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows WHERE formula IS NULL OR in_force <> '{}') > 0 THEN
        RAISE EXCEPTION 'a set begins with a formula and without days' USING ERRCODE = 'ZD040';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What was proposed stays; signatures before publishing; days are given whole at publishing, and taken by what is
    # published later for them.
    """
    CREATE FUNCTION guard_standard_sets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - '{status,in_force,place,published_on}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{status,in_force,place,published_on}'::text[])
              OR (o.place IS NOT NULL
                  AND (o.place, o.published_on) IS DISTINCT FROM (n.place, n.published_on))) > 0 THEN
        RAISE EXCEPTION 'a set of standards is immutable' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'published' AND coalesce(o.status, '') <> 'published'
             AND CASE coalesce(o.status, '')
                   WHEN 'draft' THEN NOT coalesce(n.sample, false) OR (
                        SELECT count(*) FROM standard_sets s
                         WHERE NOT s.sample AND s.status IN ('published', 'superseded')) > 0
                   ELSE (SELECT count(DISTINCT g.bureau) FROM standard_signatures g
                          WHERE g.set_id = n.id AND g.content_hash = n.content_hash) < 2
                 END) > 0 THEN
        RAISE EXCEPTION 'a set is published with the signatures of both bureaus' USING ERRCODE = 'ZD041';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE NOT coalesce(n.in_force <@ o.in_force, false)
             AND (o.in_force IS DISTINCT FROM '{}'::datemultirange
                  OR n.in_force IS DISTINCT FROM datemultirange(daterange(n.first, n.until)))) > 0 THEN
        RAISE EXCEPTION 'a set gets its days once, all of them' USING ERRCODE = 'ZD042';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.in_force IS DISTINCT FROM n.in_force AND NOT coalesce(o.in_force <@ n.in_force, false)
             AND (SELECT count(*) FROM standard_sets later
                   WHERE later.status = 'published' AND later.place > o.place
                     AND (o.in_force - n.in_force) <@ datemultirange(daterange(later.first, later.until))) = 0
         ) > 0 THEN
        RAISE EXCEPTION 'days are taken only by what is published for them' USING ERRCODE = 'ZD042';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Amounts come with their set, in one transaction, and never later.
    """
    CREATE FUNCTION guard_new_standards() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n JOIN standard_sets s ON s.id = n.set_id
           WHERE s.sample <> n.sample
              OR NOT EXISTS (SELECT FROM journal j
                              WHERE j.subject_kind = 'standard_set' AND j.subject_id = s.id AND j.action = 'propose'
                                AND j.xid = pg_current_xact_id()::text)) > 0 THEN
        RAISE EXCEPTION 'amounts come with their set' USING ERRCODE = 'ZD040';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Of an amount only the days change, with those of its set (the foreign key sees to it).
    """
    CREATE FUNCTION guard_standards() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - 'in_force') IS DISTINCT FROM (to_jsonb(n) - 'in_force')) > 0 THEN
        RAISE EXCEPTION 'a standard is immutable' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NULL;
    END $$
    """,
]

BOTH = "NEW TABLE AS new_rows OLD TABLE AS old_rows"
TRIGGERS = [
    "guard_moves_on_insert AFTER INSERT ON standard_sets REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('standard_set')",
    f"guard_moves_on_update AFTER UPDATE ON standard_sets REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('standard_set')",
    "guard_new_standard_sets AFTER INSERT ON standard_sets REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_new_standard_sets()",
    f"guard_standard_sets AFTER UPDATE ON standard_sets REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_standard_sets()",
    "guard_new_standards AFTER INSERT ON standards REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_new_standards()",
    f"guard_standards AFTER UPDATE ON standards REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_standards()",
    "refuse_change BEFORE DELETE ON standard_sets FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "refuse_change BEFORE DELETE ON standards FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "refuse_change BEFORE UPDATE OR DELETE ON standard_signatures FOR EACH ROW EXECUTE FUNCTION refuse_change()",
]

GRANTS = [
    "SELECT, INSERT ON standard_sets, standard_signatures",
    "UPDATE (status, in_force, place, published_on) ON standard_sets",
]


def upgrade() -> None:
    op.bulk_insert(
        sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after"))),
        [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES],
    )
    op.bulk_insert(
        sa.table("post_exclusions", *(sa.column(name) for name in ("scope", "post", "other"))),
        [dict(zip(("scope", "post", "other"), row, strict=True)) for row in EXCLUSIONS],
    )
    _sets()
    _standards()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _sets() -> None:
    op.create_table(
        "standard_sets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("in_force", postgresql.DATEMULTIRANGE(), server_default="{}", nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("formula", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("in_force"), "&&"),
            using="gist",
            where=sa.text("formula IS NOT NULL"),
            name="ex_standard_sets_one_a_day",
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'signed', 'published', 'superseded', 'dropped')",
            name=op.f("ck_standard_sets_status"),
        ),
        sa.CheckConstraint("in_force <@ datemultirange(daterange(first, until))", name=op.f("ck_standard_sets_days")),
        sa.CheckConstraint(
            "status = 'published' OR in_force = '{}'", name=op.f("ck_standard_sets_in_force_when_published")
        ),
        sa.CheckConstraint(
            "(status IN ('published', 'superseded')) = (place IS NOT NULL)"
            " AND (place IS NULL) = (published_on IS NULL)",
            name=op.f("ck_standard_sets_placed_when_published"),
        ),
        sa.CheckConstraint(
            "sample OR formula IS NULL OR proposer_id IS NOT NULL", name=op.f("ck_standard_sets_proposed")
        ),
        sa.CheckConstraint("source <> ''", name=op.f("ck_standard_sets_source")),
        sa.ForeignKeyConstraint(["edition_id"], ["catalog_editions.id"], name=op.f("fk_standard_sets_edition_id")),
        sa.ForeignKeyConstraint(["corrects_id"], ["standard_sets.id"], name=op.f("fk_standard_sets_corrects_id")),
        sa.ForeignKeyConstraint(["proposer_id"], ["people.id"], name=op.f("fk_standard_sets_proposer_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_standard_sets_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_sets")),
        sa.UniqueConstraint("id", "content_hash", name="uq_standard_sets_content"),
        sa.UniqueConstraint("id", "in_force", name="uq_standard_sets_days"),
        sa.UniqueConstraint("id", "proposer_id", name="uq_standard_sets_proposer"),
        sa.UniqueConstraint("place", name="uq_standard_sets_place"),
    )
    op.create_index(
        "uq_standard_sets_revision",
        "standard_sets",
        ["year", "revision"],
        unique=True,
        postgresql_where=sa.text("status <> 'dropped'"),
    )
    op.create_table(
        "standard_signatures",
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("bureau", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bureau IN ('hr', 'finance')", name=op.f("ck_standard_signatures_bureau")),
        sa.CheckConstraint("person_id <> proposer_id", name=op.f("ck_standard_signatures_three_persons")),
        sa.ForeignKeyConstraint(
            ["set_id", "content_hash"],
            ["standard_sets.id", "standard_sets.content_hash"],
            name="fk_standard_signatures_content",
        ),
        sa.ForeignKeyConstraint(
            ["set_id", "proposer_id"],
            ["standard_sets.id", "standard_sets.proposer_id"],
            name="fk_standard_signatures_proposer",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_standard_signatures_person_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["users.id"], name=op.f("fk_standard_signatures_signed_by")),
        sa.PrimaryKeyConstraint("set_id", "bureau", name=op.f("pk_standard_signatures")),
        sa.UniqueConstraint("set_id", "person_id", name="uq_standard_signatures_person"),
    )


def _standards() -> None:
    op.execute("DROP TRIGGER refuse_change ON standards")
    op.drop_constraint("ex_standards_one_a_day", "standards")
    op.add_column("standards", sa.Column("set_id", sa.Uuid(), nullable=True))
    op.add_column("standards", sa.Column("days", postgresql.DATEMULTIRANGE(), server_default="{}", nullable=True))
    op.add_column(
        "standards",
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    for statement in CARRY_FORWARD:
        op.execute(statement)
    for column in ("in_force", "source"):
        op.drop_column("standards", column)
    op.alter_column("standards", "days", new_column_name="in_force")
    for column in ("in_force", "set_id"):
        op.alter_column("standards", column, nullable=False)
    op.alter_column("standards", "facts", server_default=None)
    op.create_exclude_constraint(
        "ex_standards_one_a_day",
        "standards",
        (sa.column("occupation"), "="),
        (sa.column("level"), "="),
        (sa.column("in_force"), "&&"),
        using="gist",
    )
    op.create_unique_constraint("uq_standards_of_set", "standards", ["set_id", "occupation", "level"])
    op.create_foreign_key(
        "fk_standards_set",
        "standards",
        "standard_sets",
        ["set_id", "in_force"],
        ["id", "in_force"],
        onupdate="CASCADE",
    )
