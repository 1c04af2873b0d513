"""Anybody objects to a line of a notice, or to the whole of it; the line's money waits until that is answered."""

import sqlalchemy as sa
from alembic import op

revision = "notice_objections"
down_revision = "pages_at_size"
branch_labels = None
depends_on = None

FUNCTIONS = [
    """
    CREATE FUNCTION guard_notice_objections() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM public_notices n WHERE n.id = NEW.notice_id AND n.closed_at IS NULL
                        AND NEW.filed_on BETWEEN n.opens_on AND n.closes_on) THEN
        RAISE EXCEPTION 'a notice is objected to while it stands' USING ERRCODE = 'ZD260';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Two ids of one human are one person.
    """
    CREATE FUNCTION guard_notice_objection_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM notice_objections o LEFT JOIN claims c ON c.id = o.claim_id
                   JOIN people a ON a.id = NEW.answered_person
                   LEFT JOIN people p ON p.id = o.person_id LEFT JOIN people q ON q.id = c.person_id
                  WHERE o.id = NEW.objection_id
                    AND (o.filed_on > NEW.answered_on
                         OR coalesce(a.merged_into, a.id) IN (coalesce(p.merged_into, p.id),
                                                              coalesce(q.merged_into, q.id)))) THEN
        RAISE EXCEPTION 'nobody answers what they raised or gain by, nor before it came' USING ERRCODE = 'ZD261';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_objected_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM notice_objections o WHERE o.claim_id = NEW.id AND NOT EXISTS (
                   SELECT FROM notice_objection_answers a WHERE a.objection_id = o.id)) THEN
        RAISE EXCEPTION 'a claim that somebody objects to goes no further' USING ERRCODE = 'ZD262';
      END IF;
      RETURN NULL;
    END $$
    """,
]
TRIGGERS = [
    "guard_notice_objections BEFORE INSERT ON notice_objections"
    " FOR EACH ROW EXECUTE FUNCTION guard_notice_objections()",
    "guard_notice_objection_answers BEFORE INSERT ON notice_objection_answers"
    " FOR EACH ROW EXECUTE FUNCTION guard_notice_objection_answers()",
    "guard_objected_claims AFTER UPDATE OF status ON claims FOR EACH ROW"
    " WHEN (OLD.status = 'noticed' AND NEW.status = 'payable') EXECUTE FUNCTION guard_objected_claims()",
    *(
        f"refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in ("notice_objections", "notice_objection_answers")
    ),
]


def upgrade() -> None:
    op.create_table(
        "notice_objections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "num_nulls(line, claim_id) IN (0, 2) AND line >= 1", name=op.f("ck_notice_objections_line")
        ),
        sa.CheckConstraint("due_on >= filed_on", name=op.f("ck_notice_objections_days")),
        sa.ForeignKeyConstraint(
            ["notice_id", "claim_id"],
            ["notice_lines.notice_id", "notice_lines.claim_id"],
            name="fk_notice_objections_line",
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["public_notices.id"], name=op.f("fk_notice_objections_notice_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notice_objections_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_objections")),
    )
    op.create_index("ix_notice_objections_of", "notice_objections", ["notice_id", "filed_at"])
    op.create_index(
        "ix_notice_objections_claim",
        "notice_objections",
        ["claim_id"],
        postgresql_where=sa.text("claim_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_notice_objections_person_id"), "notice_objections", ["person_id"])
    op.create_table(
        "notice_objection_answers",
        sa.Column("objection_id", sa.Uuid(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_person", sa.Uuid(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("finding IN ('upheld', 'not_upheld')", name=op.f("ck_notice_objection_answers_finding")),
        sa.CheckConstraint("answer <> ''", name=op.f("ck_notice_objection_answers_answer")),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_notice_objection_answers_answered_by")),
        sa.ForeignKeyConstraint(
            ["answered_person"], ["people.id"], name=op.f("fk_notice_objection_answers_answered_person")
        ),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["notice_objections.id"], name=op.f("fk_notice_objection_answers_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_notice_objection_answers")),
    )
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT ON notice_objections, notice_objection_answers TO zhida_app")
