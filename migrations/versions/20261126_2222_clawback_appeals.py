"""Whoever is asked to pay back has it looked at again, once; meanwhile, and if granted, nothing is enforced."""

import sqlalchemy as sa
from alembic import op

revision = "clawback_appeals"
down_revision = "paid_counts"
branch_labels = None
depends_on = None

ANSWERING = ("granted", "answer_text", "answered_by", "answered_person", "answered_at")
FUNCTIONS = [
    """
    CREATE FUNCTION guard_clawback_appeals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.answered_at IS NOT NULL
         OR NOT EXISTS (SELECT FROM clawbacks k JOIN clawback_terms t ON t.clawback_id = k.id
                         WHERE k.id = NEW.clawback_id AND k.status IN ('demanded', 'part_repaid')
                           AND (NEW.appealed_at AT TIME ZONE 'Asia/Shanghai')::date <= t.due_on) THEN
        RAISE EXCEPTION 'what is demanded is appealed within its term' USING ERRCODE = 'ZD263';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Two ids of one human are one person.
    """
    CREATE FUNCTION guard_clawback_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM clawbacks k JOIN claims c ON c.id = k.claim_id
                   JOIN people a ON a.id = NEW.answered_person
                   LEFT JOIN people r ON r.id = k.raised_person LEFT JOIN people p ON p.id = c.person_id
                  WHERE k.id = NEW.clawback_id
                    AND coalesce(a.merged_into, a.id) IN (coalesce(r.merged_into, r.id),
                                                          coalesce(p.merged_into, p.id))) THEN
        RAISE EXCEPTION 'who raised a clawback, or owes it, does not answer the appeal' USING ERRCODE = 'ZD264';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_appealed_enforcements() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM clawback_appeals a
                  WHERE a.clawback_id = NEW.clawback_id AND a.granted IS DISTINCT FROM false) THEN
        RAISE EXCEPTION 'nothing is enforced that is looked at again' USING ERRCODE = 'ZD265';
      END IF;
      RETURN NEW;
    END $$
    """,
]
TRIGGERS = [
    "guard_clawback_appeals BEFORE INSERT ON clawback_appeals FOR EACH ROW EXECUTE FUNCTION guard_clawback_appeals()",
    "guard_clawback_answers BEFORE UPDATE ON clawback_appeals FOR EACH ROW EXECUTE FUNCTION guard_clawback_answers()",
    "guard_ended_once BEFORE UPDATE ON clawback_appeals"
    f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('answered_at', '{{{','.join(ANSWERING)}}}')",
    "refuse_change BEFORE DELETE ON clawback_appeals FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "guard_appealed_enforcements BEFORE INSERT ON clawback_enforcements"
    " FOR EACH ROW EXECUTE FUNCTION guard_appealed_enforcements()",
]


def upgrade() -> None:
    persons = {
        "appealed_by": "users",
        "appealed_person": "people",
        "answered_by": "users",
        "answered_person": "people",
    }
    op.create_table(
        "clawback_appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clawback_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appealed_by", sa.Uuid(), nullable=False),
        sa.Column("appealed_person", sa.Uuid(), nullable=False),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("answer_text", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_person", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "num_nulls(granted, answered_by, answered_person, answered_at) IN (0, 4)",
            name=op.f("ck_clawback_appeals_answered_whole"),
        ),
        sa.CheckConstraint("(granted IS NULL) = (answer_text = '')", name=op.f("ck_clawback_appeals_answer_text")),
        sa.CheckConstraint("answered_person <> appealed_person", name=op.f("ck_clawback_appeals_two_persons")),
        sa.ForeignKeyConstraint(["clawback_id"], ["clawbacks.id"], name=op.f("fk_clawback_appeals_clawback_id")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_clawback_appeals_{column}"))
            for column, table in persons.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clawback_appeals")),
        sa.UniqueConstraint("clawback_id", name="uq_clawback_appeals_clawback"),
    )
    op.create_index(
        "ix_clawback_appeals_due", "clawback_appeals", ["due_on"], postgresql_where=sa.text("answered_at IS NULL")
    )
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT ON clawback_appeals TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(ANSWERING)}) ON clawback_appeals TO zhida_app")
