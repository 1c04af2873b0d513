"""Oversight of institutions: credit, penalties and appeals; the yearly evaluation; complaints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "oversight"
down_revision = "training_classes"
branch_labels = None
depends_on = None

MOVES = [
    ("penalty", "", "propose", "proposed"),
    ("penalty", "proposed", "impose", "imposed"),
    ("penalty", "proposed", "drop", "dropped"),
    ("penalty", "imposed", "appeal", "appealed"),
    ("penalty", "appealed", "uphold", "upheld"),
    ("penalty", "appealed", "grant", "overturned"),
]

#: What a penalty learns with each of its moves, once.
DECIDED = ("decided_by", "decided_person", "decided_on", "sanction_id", "mend_until", "appeal_until")
APPEALED = ("appealed_by", "appealed_person", "appealed_on", "appeal_reason")
ANSWERED = ("answered_by", "answered_person", "answered_on", "answer", "lifted_on")
LEARNT = ("status", *DECIDED, *APPEALED, *ANSWERED)


def _columns(row: str, names: tuple[str, ...]) -> str:
    return f"({', '.join(f'{row}.{name}' for name in names)})"


FUNCTIONS = [
    # What a penalty is about stays, and what was decided, appealed and answered is said once. What it stops is
    # stopped by its own sanction, on its days, and an appeal that was granted has lifted it.
    f"""
    CREATE FUNCTION guard_penalties() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - '{{{",".join(LEARNT)}}}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{{{",".join(LEARNT)}}}'::text[])
              OR (o.decided_on IS NOT NULL AND {_columns("o", DECIDED)} IS DISTINCT FROM {_columns("n", DECIDED)})
              OR (o.appealed_on IS NOT NULL AND {_columns("o", APPEALED)} IS DISTINCT FROM {_columns("n", APPEALED)})
              OR (o.answered_on IS NOT NULL AND {_columns("o", ANSWERED)} IS DISTINCT FROM {_columns("n", ANSWERED)})
         ) > 0 THEN
        RAISE EXCEPTION 'what was said of a penalty stays' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            LEFT JOIN institution_sanctions s ON s.id = n.sanction_id AND s.institution_id = n.institution_id
                 AND s.days = daterange(n.first, n.last, '[]') AND s.imposed_person = n.decided_person
           WHERE n.sanction_id IS NOT NULL AND s.id IS NULL) > 0 THEN
        RAISE EXCEPTION 'a penalty stops what its own sanction stops, on its days' USING ERRCODE = 'ZD070';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            LEFT JOIN institution_sanction_lifts l ON l.sanction_id = n.sanction_id AND l.lifted_on = n.lifted_on
            LEFT JOIN credit_events e ON e.penalty_id = n.id AND e.institution_id = n.institution_id
           WHERE n.status = 'overturned'
             AND (e.id IS NULL OR (n.sanction_id IS NOT NULL AND l.sanction_id IS NULL))) > 0 THEN
        RAISE EXCEPTION 'an appeal is granted with its lift and its credit event' USING ERRCODE = 'ZD071';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Nobody answers their own complaint.
    """
    CREATE FUNCTION guard_complaint_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM complaints c WHERE c.id = NEW.complaint_id
                    AND (c.person_id = NEW.answered_person OR c.filed_on > NEW.answered_on)) THEN
        RAISE EXCEPTION 'nobody answers their own complaint, nor before it came' USING ERRCODE = 'ZD072';
      END IF;
      RETURN NEW;
    END $$
    """,
]

BOTH = "NEW TABLE AS new_rows OLD TABLE AS old_rows"
ONCE = (
    *("penalty_ladders", "credit_events", "penalty_holds", "evaluation_formulas", "evaluations"),
    *("complaints", "complaint_answers"),
)
TRIGGERS = [
    "guard_moves_on_insert AFTER INSERT ON penalties REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('penalty')",
    f"guard_moves_on_update AFTER UPDATE ON penalties REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('penalty')",
    f"guard_penalties AFTER UPDATE ON penalties REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_penalties()",
    "refuse_change BEFORE DELETE ON penalties FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "guard_complaint_answers BEFORE INSERT ON complaint_answers"
    " FOR EACH ROW EXECUTE FUNCTION guard_complaint_answers()",
    *(
        f"refuse_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table in ONCE
    ),
]

GRANTS = [
    f"SELECT, INSERT ON penalties, {', '.join(ONCE)}",
    f"UPDATE ({', '.join(LEARNT)}) ON penalties",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    _published()
    _penalties()
    _credit()
    _evaluations()
    _complaints()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _published() -> None:
    op.create_table(
        "evaluation_formulas",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_evaluation_formulas_source")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_evaluation_formulas")),
        sa.UniqueConstraint("first", name=op.f("uq_evaluation_formulas_first")),
    )
    op.create_table(
        "penalty_ladders",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("source <> ''", name=op.f("ck_penalty_ladders_source")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_penalty_ladders")),
        sa.UniqueConstraint("first", name=op.f("uq_penalty_ladders_first")),
    )


def _complaints() -> None:
    op.create_table(
        "complaints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.CheckConstraint("kind IN ('complaint', 'opinion')", name=op.f("ck_complaints_kind")),
        sa.CheckConstraint("due_on >= filed_on", name=op.f("ck_complaints_days")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_complaints_institution_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_complaints_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
    )
    op.create_index("ix_complaints_of", "complaints", ["institution_id", "filed_on"])
    op.create_index(op.f("ix_complaints_person_id"), "complaints", ["person_id"])
    op.create_table(
        "complaint_answers",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("founded", sa.Boolean(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_person", sa.Uuid(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_complaint_answers_answered_by")),
        sa.ForeignKeyConstraint(
            ["answered_person"], ["people.id"], name=op.f("fk_complaint_answers_answered_person")
        ),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_answers_complaint_id")),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_complaint_answers")),
    )


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("score_hundredths", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("corrected_version", sa.Integer(), nullable=True),
        sa.Column("corrected_person", sa.Uuid(), nullable=True),
        sa.Column("evaluated_by", sa.Uuid(), nullable=False),
        sa.Column("evaluated_person", sa.Uuid(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nulls(corrects_id, corrected_version, corrected_person) = CASE version WHEN 1 THEN 3 ELSE "
            "0 END"
            " AND version >= 1"
            " AND (version = 1) = (reason = '')"
            " AND (version = 1 OR corrected_version = version - 1)",
            name=op.f("ck_evaluations_corrects"),
        ),
        sa.CheckConstraint("summary <> ''", name=op.f("ck_evaluations_summary")),
        sa.CheckConstraint("corrected_person <> evaluated_person", name=op.f("ck_evaluations_two_persons")),
        sa.CheckConstraint(
            "year BETWEEN 2000 AND 2100 AND score_hundredths BETWEEN 0 AND 10000", name=op.f("ck_evaluations_score")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id", "institution_id", "year", "corrected_version", "corrected_person"],
            [
                "evaluations.id",
                "evaluations.institution_id",
                "evaluations.year",
                "evaluations.version",
                "evaluations.evaluated_person",
            ],
            name="fk_evaluations_corrects",
        ),
        sa.ForeignKeyConstraint(["evaluated_by"], ["users.id"], name=op.f("fk_evaluations_evaluated_by")),
        sa.ForeignKeyConstraint(["evaluated_person"], ["people.id"], name=op.f("fk_evaluations_evaluated_person")),
        sa.ForeignKeyConstraint(["formula"], ["evaluation_formulas.code"], name=op.f("fk_evaluations_formula")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_evaluations_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_evaluations_corrects_id")),
        sa.UniqueConstraint(
            "id", "institution_id", "year", "version", "evaluated_person", name="uq_evaluations_whole"
        ),
        sa.UniqueConstraint(
            "institution_id", "year", "version", name=op.f("uq_evaluations_institution_id_year_version")
        ),
    )


def _penalties() -> None:
    op.create_table(
        "penalties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("published_until", sa.Date(), nullable=True),
        sa.Column("claims_in_flight", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_person", sa.Uuid(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("sanction_id", sa.Uuid(), nullable=True),
        sa.Column("mend_until", sa.Date(), nullable=True),
        sa.Column("appeal_until", sa.Date(), nullable=True),
        sa.Column("appealed_by", sa.Uuid(), nullable=True),
        sa.Column("appealed_person", sa.Uuid(), nullable=True),
        sa.Column("appealed_on", sa.Date(), nullable=True),
        sa.Column("appeal_reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_person", sa.Uuid(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("lifted_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(appeal_until IS NULL) = (status IN ('proposed', 'dropped'))"
            " AND (sanction_id IS NULL) = (status IN ('proposed', 'dropped') OR last IS NULL)",
            name=op.f("ck_penalties_imposed"),
        ),
        sa.CheckConstraint("claims_in_flight IN ('go_on', 'hold')", name=op.f("ck_penalties_claims_in_flight")),
        sa.CheckConstraint(
            "num_nulls(answered_by, answered_person, answered_on, answer) = CASE WHEN status IN ('upheld',"
            " 'overturned') THEN 0 ELSE 4 END"
            " AND (lifted_on IS NULL) = (status <> 'overturned' OR last IS NULL)",
            name=op.f("ck_penalties_answered"),
        ),
        sa.CheckConstraint(
            "num_nulls(appealed_by, appealed_person, appealed_on, appeal_reason) = CASE WHEN status IN "
            "('appealed', 'upheld', 'overturned') THEN 0 ELSE 4 END"
            " AND appealed_on <= appeal_until",
            name=op.f("ck_penalties_appealed"),
        ),
        sa.CheckConstraint(
            "num_nulls(decided_by, decided_person, decided_on) = CASE status WHEN 'proposed' THEN 3 ELSE 0 "
            "END"
            " AND (decided_on IS NULL OR status = 'dropped' OR decided_on <= first)",
            name=op.f("ck_penalties_decided"),
        ),
        sa.CheckConstraint("reason <> '' AND document_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_penalties_evidence")),
        sa.CheckConstraint(
            "rule IN ('credit_below', 'repeated', 'failed_share', 'officer')", name=op.f("ck_penalties_rule")
        ),
        sa.CheckConstraint(
            "status = 'dropped' OR decided_person <> proposed_person", name=op.f("ck_penalties_two_persons")
        ),
        sa.CheckConstraint(
            "status IN ('proposed', 'dropped', 'imposed', 'appealed', 'upheld', 'overturned')",
            name=op.f("ck_penalties_status"),
        ),
        sa.CheckConstraint(
            "answered_person NOT IN (proposed_person, decided_person)", name=op.f("ck_penalties_three_persons")
        ),
        sa.CheckConstraint("last >= first AND published_until >= first", name=op.f("ck_penalties_days")),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_penalties_answered_by")),
        sa.ForeignKeyConstraint(["answered_person"], ["people.id"], name=op.f("fk_penalties_answered_person")),
        sa.ForeignKeyConstraint(["appealed_by"], ["users.id"], name=op.f("fk_penalties_appealed_by")),
        sa.ForeignKeyConstraint(["appealed_person"], ["people.id"], name=op.f("fk_penalties_appealed_person")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_penalties_decided_by")),
        sa.ForeignKeyConstraint(["decided_person"], ["people.id"], name=op.f("fk_penalties_decided_person")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_penalties_institution_id")),
        sa.ForeignKeyConstraint(["ladder"], ["penalty_ladders.code"], name=op.f("fk_penalties_ladder")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_penalties_proposed_by")),
        sa.ForeignKeyConstraint(["proposed_person"], ["people.id"], name=op.f("fk_penalties_proposed_person")),
        sa.ForeignKeyConstraint(["sanction_id"], ["institution_sanctions.id"], name=op.f("fk_penalties_sanction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_penalties")),
        sa.UniqueConstraint("sanction_id", name=op.f("uq_penalties_sanction_id")),
    )
    op.create_index(op.f("ix_penalties_institution_id"), "penalties", ["institution_id"])
    op.create_index(
        "uq_penalties_proposed",
        "penalties",
        ["institution_id"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "penalty_holds",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("penalty_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["claim_holds.id"], name=op.f("fk_penalty_holds_hold_id")),
        sa.ForeignKeyConstraint(["penalty_id"], ["penalties.id"], name=op.f("fk_penalty_holds_penalty_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_penalty_holds")),
    )
    op.create_index(op.f("ix_penalty_holds_penalty_id"), "penalty_holds", ["penalty_id"])


def _credit() -> None:
    op.create_table(
        "credit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("classes_held", sa.Integer(), nullable=True),
        sa.Column("classes_failed", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("corrected_person", sa.Uuid(), nullable=True),
        sa.Column("penalty_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_person", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'appeal_granted') = (penalty_id IS NOT NULL)", name=op.f("ck_credit_events_penalty")
        ),
        sa.CheckConstraint(
            "num_nulls(corrects_id, corrected_person) = CASE kind WHEN 'correction' THEN 0 ELSE 2 END",
            name=op.f("ck_credit_events_corrects"),
        ),
        sa.CheckConstraint("corrected_person <> recorded_person", name=op.f("ck_credit_events_two_persons")),
        sa.CheckConstraint(
            "kind IN ('patrol_failed', 'class_failed', 'class_results', 'false_roster', 'fee_charged',"
            " 'complaint_founded', 'not_mended', 'commended', 'other', 'correction', 'appeal_granted')",
            name=op.f("ck_credit_events_kind"),
        ),
        sa.CheckConstraint(
            "num_nulls(classes_held, classes_failed) = CASE kind WHEN 'class_results' THEN 0 ELSE 2 END"
            " AND classes_held > 0"
            " AND classes_failed BETWEEN 0 AND classes_held",
            name=op.f("ck_credit_events_results"),
        ),
        sa.CheckConstraint(
            "points BETWEEN -100 AND 100"
            " AND (points < 0 OR kind NOT IN ('patrol_failed', 'class_failed', 'false_roster',"
            " 'fee_charged', 'complaint_founded', 'not_mended'))"
            " AND (points >= 0 OR kind NOT IN ('class_results', 'commended', 'appeal_granted'))"
            " AND (points = 0 OR kind <> 'class_results')",
            name=op.f("ck_credit_events_points"),
        ),
        sa.CheckConstraint(
            "words <> '' AND document_sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_credit_events_evidence")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id", "institution_id", "happened_on", "corrected_person"],
            [
                "credit_events.id",
                "credit_events.institution_id",
                "credit_events.happened_on",
                "credit_events.recorded_person",
            ],
            name="fk_credit_events_corrects",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institutions.id"], name=op.f("fk_credit_events_institution_id")
        ),
        sa.ForeignKeyConstraint(["penalty_id"], ["penalties.id"], name=op.f("fk_credit_events_penalty_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_credit_events_recorded_by")),
        sa.ForeignKeyConstraint(["recorded_person"], ["people.id"], name=op.f("fk_credit_events_recorded_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_events")),
        sa.UniqueConstraint("id", "institution_id", "happened_on", "recorded_person", name="uq_credit_events_whole"),
        sa.UniqueConstraint("penalty_id", name=op.f("uq_credit_events_penalty_id")),
    )
    op.create_index("ix_credit_events_of", "credit_events", ["institution_id", "happened_on"])
