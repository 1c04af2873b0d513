"""Reviews of standards with their samples, opinions and answers; and what other standards would have cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "reviews_and_simulations"
down_revision = "restores"
branch_labels = None
depends_on = None

MOVES = [
    ("standard_review", "", "open", "open"),
    ("standard_review", "open", "close", "closed"),
    ("standard_review", "open", "drop", "dropped"),
    ("standard_review", "closed", "conclude", "concluded"),
]

FUNCTIONS = [
    # What is collected goes into an open review. The review is locked first: whoever closes it waits, and then sees.
    """
    CREATE FUNCTION guard_collected() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM standard_reviews r WHERE r.id IN (SELECT n.review_id FROM new_rows n) ORDER BY r.id FOR SHARE;
      IF (SELECT count(*) FROM new_rows n LEFT JOIN standard_reviews r ON r.id = n.review_id
           WHERE r.status IS DISTINCT FROM 'open') > 0 THEN
        RAISE EXCEPTION 'a review that is not open collects nothing' USING ERRCODE = 'ZD050';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What a review is about stays; what it came to is said once, when every opinion has its answer.
    """
    CREATE FUNCTION guard_standard_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - '{status,summary,closed_on,set_id}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{status,summary,closed_on,set_id}'::text[])
              OR (o.closed_on IS NOT NULL
                  AND (o.summary, o.closed_on) IS DISTINCT FROM (n.summary, n.closed_on))
              OR (o.set_id IS NOT NULL AND o.set_id IS DISTINCT FROM n.set_id)) > 0 THEN
        RAISE EXCEPTION 'a review is immutable' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n JOIN standard_review_opinions p ON p.review_id = n.id
            LEFT JOIN standard_review_answers a ON a.opinion_id = p.id
           WHERE n.status IN ('closed', 'concluded') AND a.opinion_id IS NULL) > 0 THEN
        RAISE EXCEPTION 'a review ends when every opinion is answered' USING ERRCODE = 'ZD051';
      END IF;
      RETURN NULL;
    END $$
    """,
]

BOTH = "NEW TABLE AS new_rows OLD TABLE AS old_rows"
COLLECTED = ("standard_review_samples", "standard_review_opinions", "standard_review_answers")
TRIGGERS = [
    "guard_moves_on_insert AFTER INSERT ON standard_reviews REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('standard_review')",
    f"guard_moves_on_update AFTER UPDATE ON standard_reviews REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('standard_review')",
    f"guard_standard_reviews AFTER UPDATE ON standard_reviews REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_standard_reviews()",
    *(
        f"guard_collected AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_collected()"
        for table in COLLECTED
    ),
    "refuse_change BEFORE DELETE ON standard_reviews FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    *(
        f"refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in (*COLLECTED, "simulations")
    ),
]

GRANTS = [
    f"SELECT, INSERT ON standard_reviews, simulations, {', '.join(COLLECTED)}",
    "UPDATE (status, summary, closed_on, set_id) ON standard_reviews",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    _reviews()
    _collected()
    _simulations()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _reviews() -> None:
    op.create_table(
        "standard_reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("set_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'closed', 'concluded', 'dropped')", name=op.f("ck_standard_reviews_status")
        ),
        sa.CheckConstraint("first <= last", name=op.f("ck_standard_reviews_days")),
        sa.CheckConstraint("title <> ''", name=op.f("ck_standard_reviews_title")),
        sa.CheckConstraint(
            "(status IN ('closed', 'concluded')) = (closed_on IS NOT NULL) AND (closed_on IS NULL) = (summary = '')",
            name=op.f("ck_standard_reviews_closed"),
        ),
        sa.CheckConstraint(
            "(status = 'concluded') = (set_id IS NOT NULL)", name=op.f("ck_standard_reviews_concluded")
        ),
        sa.ForeignKeyConstraint(["set_id"], ["standard_sets.id"], name=op.f("fk_standard_reviews_set_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_standard_reviews_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_reviews")),
    )


def _collected() -> None:
    op.create_table(
        "standard_review_samples",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("occupation", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(measure = 'training_cost' AND value BETWEEN 1 AND 100000000)"
            " OR (measure = 'vacancy_ratio' AND value BETWEEN 0 AND 100000)"
            " OR (measure IN ('pass_rate', 'employment_rate') AND value BETWEEN 0 AND 1000)",
            name=op.f("ck_standard_review_samples_value"),
        ),
        sa.CheckConstraint("source <> ''", name=op.f("ck_standard_review_samples_source")),
        sa.CheckConstraint("document_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_standard_review_samples_document")),
        sa.ForeignKeyConstraint(
            ["review_id"], ["standard_reviews.id"], name=op.f("fk_standard_review_samples_review_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_standard_review_samples_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_review_samples")),
    )
    op.create_index(op.f("ix_standard_review_samples_review_id"), "standard_review_samples", ["review_id"])
    op.create_table(
        "standard_review_opinions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("voice", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("heard_on", sa.Date(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "voice IN ('expert', 'department', 'enterprise', 'institution', 'trainee', 'public')",
            name=op.f("ck_standard_review_opinions_voice"),
        ),
        sa.CheckConstraint(
            "(voice IN ('trainee', 'public')) = (speaker = '')", name=op.f("ck_standard_review_opinions_speaker")
        ),
        sa.CheckConstraint("summary <> ''", name=op.f("ck_standard_review_opinions_summary")),
        sa.CheckConstraint("document_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_standard_review_opinions_document")),
        sa.ForeignKeyConstraint(
            ["review_id"], ["standard_reviews.id"], name=op.f("fk_standard_review_opinions_review_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_standard_review_opinions_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_review_opinions")),
        sa.UniqueConstraint("id", "review_id", name="uq_standard_review_opinions_of_review"),
    )
    op.create_index(op.f("ix_standard_review_opinions_review_id"), "standard_review_opinions", ["review_id"])
    op.create_table(
        "standard_review_answers",
        sa.Column("opinion_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("answer <> ''", name=op.f("ck_standard_review_answers_answer")),
        sa.ForeignKeyConstraint(
            ["opinion_id", "review_id"],
            ["standard_review_opinions.id", "standard_review_opinions.review_id"],
            name="fk_standard_review_answers_opinion",
        ),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_standard_review_answers_answered_by")),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f("pk_standard_review_answers")),
    )


def _simulations() -> None:
    op.create_table(
        "simulations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inputs_sha256", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_person_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_user_id"], ["users.id"], name=op.f("fk_simulations_actor_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulations")),
        sa.UniqueConstraint("inputs_sha256", name=op.f("uq_simulations_inputs_sha256")),
    )
