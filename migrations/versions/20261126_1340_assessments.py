"""Results of classes by assessment bodies, version by version; institutions that belong together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "assessments"
down_revision = "class_money"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # What an earlier version said of a class holds no longer.
    """
    CREATE FUNCTION supersede_results() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE assessment_results SET live = false
       WHERE live AND class_id IN (SELECT n.class_id FROM new_rows n);
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_live_results() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a result holds until another version comes' USING ERRCODE = 'ZD112';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Results and examiners come with their assessment, in the transaction that journalled it.
    """
    CREATE FUNCTION guard_parts_of_assessments() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
           WHERE (SELECT count(*) FROM journal j
                   WHERE j.subject_kind = 'assessment' AND j.subject_id = n.assessment_id
                     AND j.xid = pg_current_xact_id()::text) = 0) > 0 THEN
        RAISE EXCEPTION 'results are told once' USING ERRCODE = 'ZD112';
      END IF;
      RETURN NULL;
    END $$
    """,
    # At commit: another organisation than the one that taught, filed for it on the day, after the class had ended;
    # version after version by the same body; and whole.
    """
    CREATE FUNCTION guard_assessments() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
           SELECT FROM training_classes c
             JOIN institutions t ON t.id = c.institution_id
             JOIN institutions b ON b.id = NEW.institution_id AND b.kind = 'assessment_body'
             JOIN institution_scopes s ON s.institution_id = b.id AND s.in_force @> NEW.assessed_on
                                      AND s.occupation = c.occupation AND c.level = ANY (s.levels)
             JOIN institution_listings l ON l.institution_id = b.id AND l.in_force @> NEW.assessed_on
            WHERE c.id = NEW.class_id AND c.status IN ('finished', 'closed')
              AND NEW.assessed_on BETWEEN c.last AND NEW.filed_on
              AND substr(b.credit_code, 9, 9) <> substr(t.credit_code, 9, 9)
              AND NOT EXISTS (SELECT FROM institution_exits e
                               WHERE e.institution_id = b.id
                                 AND e.left_on BETWEEN lower(l.in_force) AND NEW.assessed_on)
              AND NOT EXISTS (SELECT FROM institution_affiliations a
                               WHERE a.days @> NEW.assessed_on
                                 AND (a.one_id, a.other_id) = (least(t.id, b.id), greatest(t.id, b.id)))) THEN
        RAISE EXCEPTION 'this body may not assess this class' USING ERRCODE = 'ZD110';
      END IF;
      IF (SELECT count(*) FROM assessments a WHERE a.class_id = NEW.class_id AND a.institution_id = NEW.institution_id
             AND a.version < NEW.version) <> NEW.version - 1 THEN
        RAISE EXCEPTION 'a body corrects its own results' USING ERRCODE = 'ZD110';
      END IF;
      IF NOT EXISTS (SELECT FROM assessment_examiners x WHERE x.assessment_id = NEW.id)
         OR EXISTS (SELECT FROM assessment_examiners x
                     WHERE x.assessment_id = NEW.id
                       AND x.person_id IN (SELECT p.person_id FROM training_teachers p WHERE p.class_id = NEW.class_id
                                            UNION ALL SELECT p.person_id FROM training_places p
                                                       WHERE p.class_id = NEW.class_id)) THEN
        RAISE EXCEPTION 'who taught or learnt does not examine' USING ERRCODE = 'ZD111';
      END IF;
      IF (SELECT count(*) FROM assessment_results r WHERE r.assessment_id = NEW.id)
         <> (SELECT count(*) FROM training_places p WHERE p.class_id = NEW.class_id)
         OR NOT EXISTS (SELECT FROM journal j
                         WHERE j.subject_kind = 'assessment' AND j.subject_id = NEW.id
                           AND j.xid = pg_current_xact_id()::text) THEN
        RAISE EXCEPTION 'results are told whole, and journalled' USING ERRCODE = 'ZD112';
      END IF;
      RETURN NULL;
    END $$
    """,
]

_NEW = "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION"
TRIGGERS = [
    f"TRIGGER supersede_results AFTER INSERT ON assessments {_NEW} supersede_results()",
    "TRIGGER guard_live_results BEFORE UPDATE ON assessment_results"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_live_results()",
    *(
        f"TRIGGER guard_parts AFTER INSERT ON {table} {_NEW} guard_parts_of_assessments()"
        for table in ("assessment_results", "assessment_examiners")
    ),
    "CONSTRAINT TRIGGER guard_assessments AFTER INSERT ON assessments DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION guard_assessments()",
    *(
        f"TRIGGER refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            ("assessments", "UPDATE OR DELETE"),
            ("assessment_examiners", "UPDATE OR DELETE"),
            ("assessment_results", "DELETE"),
            ("institution_affiliations", "UPDATE OR DELETE"),
        )
    ),
]

GRANTS = [
    "SELECT, INSERT ON assessments, assessment_examiners, institution_affiliations",
    "SELECT ON assessment_results",
    "INSERT (assessment_id, class_id, person_id, mark, score_tenths, certificate_number, certificate_issued_on,"
    " warnings) ON assessment_results",
    "UPDATE (live) ON assessment_results",
]


def upgrade() -> None:
    _assessments()
    _parts()
    _affiliations()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _assessments() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("filed_person", sa.Uuid(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0 AND (version = 1) = (reason = '')", name=op.f("ck_assessments_reason")),
        *(
            sa.ForeignKeyConstraint([name], [other], name=op.f(f"fk_assessments_{name}"))
            for name, other in (
                ("class_id", "training_classes.id"),
                ("institution_id", "institutions.id"),
                ("filed_by", "users.id"),
                ("filed_person", "people.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessments")),
        sa.UniqueConstraint("class_id", "version", name="uq_assessments_version"),
        sa.UniqueConstraint("id", "class_id", name="uq_assessments_class"),
    )
    op.create_index(op.f("ix_assessments_institution_id"), "assessments", ["institution_id"])


def _parts() -> None:
    op.create_table(
        "assessment_results",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("score_tenths", sa.Integer(), nullable=True),
        sa.Column("certificate_number", sa.Text(), nullable=True),
        sa.Column("certificate_issued_on", sa.Date(), nullable=True),
        sa.Column("warnings", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("live", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("mark IN ('passed', 'failed', 'absent')", name=op.f("ck_assessment_results_mark")),
        sa.CheckConstraint(
            "(mark = 'absent') = (score_tenths IS NULL)", name=op.f("ck_assessment_results_score_of_who_sat")
        ),
        sa.CheckConstraint("score_tenths BETWEEN 0 AND 1000", name=op.f("ck_assessment_results_score")),
        sa.CheckConstraint(
            "num_nonnulls(certificate_number, certificate_issued_on) = CASE mark WHEN 'passed' THEN 2 ELSE 0 END",
            name=op.f("ck_assessment_results_certificate_of_who_passed"),
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id", "class_id"], ["assessments.id", "assessments.class_id"], name="fk_assessment_results_of"
        ),
        sa.ForeignKeyConstraint(
            ["class_id", "person_id"],
            ["training_places.class_id", "training_places.person_id"],
            name="fk_assessment_results_place",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_assessment_results_person_id")),
        sa.PrimaryKeyConstraint("assessment_id", "person_id", name=op.f("pk_assessment_results")),
    )
    op.create_index(
        "uq_assessment_results_certificate",
        "assessment_results",
        ["certificate_number"],
        unique=True,
        postgresql_where=sa.text("live"),
    )
    op.create_index("ix_assessment_results_person", "assessment_results", ["person_id"])
    op.create_index("ix_assessment_results_class", "assessment_results", ["class_id"])
    op.create_table(
        "assessment_examiners",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessments.id"], name=op.f("fk_assessment_examiners_assessment_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_assessment_examiners_person_id")),
        sa.PrimaryKeyConstraint("assessment_id", "person_id", name=op.f("pk_assessment_examiners")),
    )


def _affiliations() -> None:
    op.create_table(
        "institution_affiliations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("one_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("days", postgresql.DATERANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("declared_person", sa.Uuid(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("one_id < other_id", name=op.f("ck_institution_affiliations_pair")),
        sa.CheckConstraint(
            "source <> '' AND NOT isempty(days) AND lower(days) IS NOT NULL",
            name=op.f("ck_institution_affiliations_told"),
        ),
        *(
            sa.ForeignKeyConstraint([name], [other], name=op.f(f"fk_institution_affiliations_{name}"))
            for name, other in (
                ("one_id", "institutions.id"),
                ("other_id", "institutions.id"),
                ("declared_person", "people.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_affiliations")),
    )
    op.create_index("ix_institution_affiliations_one", "institution_affiliations", ["one_id"])
    op.create_index("ix_institution_affiliations_other", "institution_affiliations", ["other_id"])
