"""Appeals: a refusal is looked at again once, by another person; only a granted one brings the claim back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "claim_appeals"
down_revision = "signals"
branch_labels = None
depends_on = None

ANSWERING = ("answered_at", "answered_by", "answered_person", "answer", "answer_text", "in_the_way")

FUNCTIONS = [
    # Only by the claimant or the institution that filed, only against the refusal that stands, and open at first.
    """
    CREATE FUNCTION guard_claim_appeals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.answer IS NOT NULL OR NOT EXISTS (
           SELECT FROM claims c
            WHERE c.id = NEW.claim_id AND c.status = 'refused'
              AND NEW.refusal_id = (SELECT max(j.id) FROM journal j
                                     WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.action = 'refuse')
              AND (c.person_id = NEW.appealed_person
                   OR EXISTS (SELECT FROM users u
                               WHERE u.id = NEW.appealed_by AND u.person_id = NEW.appealed_person
                                 AND u.institution_id = c.institution_id))) THEN
        RAISE EXCEPTION 'nobody may appeal so' USING ERRCODE = 'ZD028';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_appeal_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.answered_person = (SELECT actor_person_id FROM journal WHERE id = NEW.refusal_id) THEN
        RAISE EXCEPTION 'an appeal is answered by another person' USING ERRCODE = 'ZD029';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_reinstated() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
           SELECT FROM claim_appeals a
            WHERE a.claim_id = NEW.id AND a.answer = 'granted'
              AND a.refusal_id = (SELECT max(j.id) FROM journal j
                                   WHERE j.subject_kind = 'claim' AND j.subject_id = NEW.id
                                     AND j.action = 'refuse')) THEN
        RAISE EXCEPTION 'a claim comes back by an appeal that was granted' USING ERRCODE = 'ZD028';
      END IF;
      RETURN NEW;
    END $$
    """,
]


def upgrade() -> None:
    op.create_table(
        "claim_appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("refusal_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appealed_by", sa.Uuid(), nullable=False),
        sa.Column("appealed_person", sa.Uuid(), nullable=False),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_text", sa.Text(), server_default="", nullable=False),
        sa.Column("in_the_way", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_person", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('granted', 'denied', 'moot')", name=op.f("ck_claim_appeals_answer")),
        sa.CheckConstraint(
            "num_nulls(answer, answered_by, answered_person, answered_at) IN (0, 4)",
            name=op.f("ck_claim_appeals_answered_whole"),
        ),
        sa.CheckConstraint("(answer IS NULL) = (answer_text = '')", name=op.f("ck_claim_appeals_answer_text")),
        sa.CheckConstraint(
            "coalesce(answer = 'moot', false) = (in_the_way <> '{}')", name=op.f("ck_claim_appeals_in_the_way")
        ),
        sa.CheckConstraint("answered_person <> appealed_person", name=op.f("ck_claim_appeals_two_persons")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_appeals_claim_id")),
        sa.ForeignKeyConstraint(["refusal_id"], ["journal.id"], name=op.f("fk_claim_appeals_refusal_id")),
        sa.ForeignKeyConstraint(["appealed_by"], ["users.id"], name=op.f("fk_claim_appeals_appealed_by")),
        sa.ForeignKeyConstraint(["appealed_person"], ["people.id"], name=op.f("fk_claim_appeals_appealed_person")),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_claim_appeals_answered_by")),
        sa.ForeignKeyConstraint(["answered_person"], ["people.id"], name=op.f("fk_claim_appeals_answered_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_appeals")),
        sa.UniqueConstraint("refusal_id", name="uq_claim_appeals_refusal"),
    )
    op.create_index(op.f("ix_claim_appeals_claim_id"), "claim_appeals", ["claim_id"])
    op.create_index(
        "ix_claim_appeals_due", "claim_appeals", ["due_on"], postgresql_where=sa.text("answered_at IS NULL")
    )
    for function in FUNCTIONS:
        op.execute(function)
    for name, events, arguments in (
        ("guard_claim_appeals", "INSERT", ""),
        ("guard_appeal_answers", "UPDATE", ""),
        ("guard_ended_once", "UPDATE", f"'answered_at', '{{{','.join(ANSWERING)}}}'"),
        ("refuse_change", "DELETE", ""),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {events} ON claim_appeals FOR EACH ROW"
            f" EXECUTE FUNCTION {name}({arguments})"
        )
    op.execute(
        "CREATE TRIGGER guard_reinstated BEFORE UPDATE OF status ON claims FOR EACH ROW"
        " WHEN (OLD.status = 'refused' AND NEW.status = 'in_review') EXECUTE FUNCTION guard_reinstated()"
    )
    op.execute("GRANT SELECT, INSERT ON claim_appeals TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(ANSWERING)}) ON claim_appeals TO zhida_app")
