"""Classes with their teachers, sessions, rosters and rooms; inspections before a first class."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "training_classes"
down_revision = "institution_registry"
branch_labels = None
depends_on = None

MOVES = [
    ("class", "", "file", "filed"),
    ("class", "filed", "approve", "approved"),
    ("class", "filed", "send_back", "sent_back"),
    ("class", "filed", "deny", "denied"),
    ("class", "filed", "change", "filed"),
    ("class", "filed", "withdraw", "withdrawn"),
    ("class", "sent_back", "refile", "filed"),
    ("class", "sent_back", "deny", "denied"),
    ("class", "sent_back", "withdraw", "withdrawn"),
    ("class", "approved", "change", "approved"),
    ("class", "approved", "replan", "filed"),
    ("class", "approved", "withdraw", "withdrawn"),
    ("class", "approved", "start", "running"),
    ("class", "running", "change", "running"),
    ("class", "running", "finish", "finished"),
    ("class", "finished", "close", "closed"),
]

FUNCTIONS = [
    # A number is given once, at approval, and what was approved stays what it is, or is decided on again before it
    # begins; nothing is approved without a session and a trainee, nor a first class before an inspection that was
    # passed.
    """
    CREATE FUNCTION guard_classes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (o.number IS NOT NULL AND o.number IS DISTINCT FROM n.number)
              OR (o.number IS NULL AND n.number IS NOT NULL
                  AND coalesce(n.status, '') IN ('filed', 'sent_back', 'denied', 'withdrawn'))
              OR (coalesce(o.status, '') NOT IN ('filed', 'sent_back')
                  AND (o.occupation, o.level, o.planned_hours, o.filed_on)
                      IS DISTINCT FROM (n.occupation, n.level, n.planned_hours, n.filed_on))) > 0 THEN
        RAISE EXCEPTION 'a class that was approved is what it is' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(o.status, '') = 'approved' AND coalesce(n.status, '') = 'filed'
             AND (SELECT count(*) FROM journal j JOIN training_sessions s ON s.class_id = n.id
                   WHERE j.subject_kind = 'class' AND j.subject_id = n.id AND j.xid = pg_current_xact_id()::text
                     AND j.at >= lower(s.during)) > 0) > 0 THEN
        RAISE EXCEPTION 'a class that began is not decided on again' USING ERRCODE = 'ZD082';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'approved' AND coalesce(o.status, '') <> 'approved'
             AND ((SELECT count(*) FROM training_sessions s WHERE s.class_id = n.id) = 0
                  OR (SELECT count(*) FROM training_places p WHERE p.class_id = n.id) = 0)) > 0 THEN
        RAISE EXCEPTION 'a class has sessions and trainees' USING ERRCODE = 'ZD083';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'approved' AND coalesce(o.status, '') <> 'approved'
             AND (SELECT count(*) FROM training_classes c
                   WHERE c.institution_id = n.institution_id AND c.id <> n.id
                     AND c.status IN ('approved', 'running', 'finished', 'closed')) = 0
             AND (SELECT i.result FROM inspections i
                   WHERE i.institution_id = n.institution_id AND i.result IS NOT NULL
                   ORDER BY i.inspected_on DESC, i.recorded_at DESC, i.result LIMIT 1)
                 IS DISTINCT FROM 'passed') > 0 THEN
        RAISE EXCEPTION 'no first class before an inspection that was passed' USING ERRCODE = 'ZD084';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Sessions of a class that was never held take nobody's time.
    """
    CREATE FUNCTION free_what_dead_classes_hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE training_sessions SET live = false
       WHERE live AND class_id IN (SELECT n.id FROM new_rows n WHERE n.status IN ('denied', 'withdrawn'));
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_live_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a session lives as its class does' USING ERRCODE = 'ZD080';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Nobody learns in two classes at a time, or teaches in one and learns in another. Those of the class are locked
    # first, in order of id: whoever files for one of them waits, and then sees. (Two who teach, and rooms, are for
    # the exclusion constraints.)
    """
    CREATE FUNCTION keep_people_apart(classes uuid[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM people
        WHERE id IN (SELECT p.person_id FROM training_places p WHERE p.class_id = ANY (classes)
                      UNION ALL SELECT t.person_id FROM training_teachers t WHERE t.class_id = ANY (classes))
        ORDER BY id FOR NO KEY UPDATE;
      IF (SELECT count(*) FROM (
            SELECT p.class_id AS mine, q.class_id AS other, NULL::uuid AS taught, NULL::uuid AS taught_there
              FROM training_places p JOIN training_places q ON q.person_id = p.person_id AND q.class_id <> p.class_id
             WHERE p.class_id = ANY (classes)
             UNION
            SELECT p.class_id, t.class_id, NULL, t.person_id
              FROM training_places p JOIN training_teachers t
                ON t.person_id = p.person_id AND t.class_id <> p.class_id
             WHERE p.class_id = ANY (classes)
             UNION
            SELECT t.class_id, q.class_id, t.person_id, NULL
              FROM training_teachers t JOIN training_places q
                ON q.person_id = t.person_id AND q.class_id <> t.class_id
             WHERE t.class_id = ANY (classes)) AS pair
          JOIN training_sessions a
            ON a.class_id = pair.mine AND a.live AND a.teacher_id = coalesce(pair.taught, a.teacher_id)
          JOIN training_sessions b
            ON b.class_id = pair.other AND b.live AND b.teacher_id = coalesce(pair.taught_there, b.teacher_id)
               AND b.during && a.during) > 0 THEN
        RAISE EXCEPTION 'nobody is in two classes at a time' USING ERRCODE = 'ZD081';
      END IF;
    END $$
    """,
    # Sessions come and go with a journal row of their class that was written before they begin; those of a class that
    # is not approved may go later, too.
    """
    CREATE FUNCTION guard_timetables() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM touched s
           WHERE (SELECT count(*) FROM journal j JOIN training_classes c ON c.id = j.subject_id
                   WHERE j.subject_kind = 'class' AND j.subject_id = s.class_id
                     AND j.xid = pg_current_xact_id()::text
                     AND (j.at < lower(s.during) OR (TG_OP = 'DELETE' AND c.status = 'filed'))
                     AND c.status IN ('filed', 'approved', 'running')) = 0) > 0 THEN
        RAISE EXCEPTION 'a session that began is not moved' USING ERRCODE = 'ZD082';
      END IF;
      IF TG_OP = 'INSERT' THEN
        PERFORM keep_people_apart((SELECT array_agg(DISTINCT s.class_id) FROM touched s));
      END IF;
      RETURN NULL;
    END $$
    """,
    # The roster is what it is once the first session begins.
    """
    CREATE FUNCTION guard_rosters_of_classes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM touched p
           WHERE (SELECT count(*) FROM journal j JOIN training_classes c ON c.id = j.subject_id
                   WHERE j.subject_kind = 'class' AND j.subject_id = p.class_id
                     AND j.xid = pg_current_xact_id()::text AND c.status IN ('filed', 'approved')
                     AND j.at < (SELECT coalesce(min(lower(s.during)), 'infinity') FROM training_sessions s
                                  WHERE s.class_id = p.class_id)) = 0) > 0 THEN
        RAISE EXCEPTION 'the roster of a class that began is not changed' USING ERRCODE = 'ZD082';
      END IF;
      IF TG_OP = 'INSERT' THEN
        PERFORM keep_people_apart((SELECT array_agg(DISTINCT p.class_id) FROM touched p));
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_inspections() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(o.result, '') <> '' AND o IS DISTINCT FROM n) > 0 THEN
        RAISE EXCEPTION 'an inspection has one result' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.result, '') <> ''
             AND (SELECT count(*) FROM inspection_officers f WHERE f.inspection_id = n.id) < 2) > 0 THEN
        RAISE EXCEPTION 'whoever inspects is never alone' USING ERRCODE = 'ZD085';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Whoever ends the inspection waits, and then sees who joined.
    """
    CREATE FUNCTION guard_inspection_officers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM inspections i WHERE i.id IN (SELECT n.inspection_id FROM new_rows n) ORDER BY i.id FOR SHARE;
      IF (SELECT count(*) FROM new_rows n LEFT JOIN inspections i ON i.id = n.inspection_id
           WHERE i.result IS NOT NULL) > 0 THEN
        RAISE EXCEPTION 'the inspection is over' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NULL;
    END $$
    """,
]

NEW, BOTH = "NEW TABLE AS new_rows", "NEW TABLE AS new_rows OLD TABLE AS old_rows"


def _statement(name: str, when: str, seen: str, call: str) -> str:
    referencing = f" REFERENCING {seen}" if seen else ""
    return f"{name} {when}{referencing} FOR EACH STATEMENT EXECUTE FUNCTION {call}"


TRIGGERS = [
    _statement("guard_moves_on_insert", "AFTER INSERT ON training_classes", NEW, "guard_moves('class')"),
    _statement("guard_moves_on_update", "AFTER UPDATE ON training_classes", BOTH, "guard_moves('class')"),
    _statement("guard_classes", "AFTER UPDATE ON training_classes", BOTH, "guard_classes()"),
    _statement("with_its_sessions", "AFTER UPDATE ON training_classes", NEW, "free_what_dead_classes_hold()"),
    _statement("guard_live_sessions", "BEFORE UPDATE ON training_sessions", "", "guard_live_sessions()"),
    *(
        _statement(
            f"{guard}_on_{event.lower()}", f"AFTER {event} ON {table}", f"{seen} TABLE AS touched", f"{guard}()"
        )
        for table, guard in (
            ("training_sessions", "guard_timetables"),
            ("training_places", "guard_rosters_of_classes"),
        )
        for event, seen in (("INSERT", "NEW"), ("DELETE", "OLD"))
    ),
    _statement("guard_inspections", "AFTER UPDATE ON inspections", BOTH, "guard_inspections()"),
    _statement("guard_officers", "AFTER INSERT ON inspection_officers", NEW, "guard_inspection_officers()"),
    *(
        f"refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            ("training_classes", "DELETE"),
            ("training_rooms", "DELETE"),
            ("inspections", "DELETE"),
            ("inspection_officers", "UPDATE OR DELETE"),
        )
    ),
]

CLASSES, PARTS = "training_classes", "training_teachers, training_places, training_sessions"
GRANTS = [
    f"SELECT ON {CLASSES}",
    "INSERT (id, institution_id, district, site, address, item_id, occupation, level, standard_id, planned_hours,"
    f" first, last, status, filed_on, filed_at, filed_by, decision) ON {CLASSES}",
    f"SELECT, INSERT ON {PARTS}, training_rooms, training_serials, inspection_officers",
    f"DELETE ON {PARTS}",
    "UPDATE (status, number, site, address, item_id, occupation, level, standard_id, planned_hours, first, last,"
    f" filed_on, filed_at, filed_by, decision) ON {CLASSES}",
    "UPDATE (live) ON training_sessions",
    "UPDATE (name) ON training_rooms",
    "UPDATE (last) ON training_serials",
    "SELECT ON inspections",
    "INSERT (id, institution_id, opened_by, opened_at) ON inspections",
    "UPDATE (result, inspected_on, note, recorded_by, recorded_at) ON inspections",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    _classes()
    _people()
    _sessions()
    _inspections()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _classes() -> None:
    op.create_table(
        "training_classes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("occupation", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("standard_id", sa.Uuid(), nullable=False),
        sa.Column("planned_hours", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("decision", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "status IN ('filed', 'sent_back', 'approved', 'running', 'finished', 'closed', 'denied', 'withdrawn')",
            name=op.f("ck_training_classes_status"),
        ),
        sa.CheckConstraint(
            "number IS NOT NULL OR status IN ('filed', 'sent_back', 'denied', 'withdrawn')",
            name=op.f("ck_training_classes_numbered_when_approved"),
        ),
        sa.CheckConstraint("first <= last", name=op.f("ck_training_classes_days")),
        sa.CheckConstraint("planned_hours > 0", name=op.f("ck_training_classes_planned_hours")),
        *(
            sa.ForeignKeyConstraint([name], [f"{other}"], name=op.f(f"fk_training_classes_{name}"))
            for name, other in (
                ("institution_id", "institutions.id"),
                ("district", "districts.code"),
                ("item_id", "catalog_items.id"),
                ("standard_id", "standards.id"),
                ("filed_by", "users.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_classes")),
        sa.UniqueConstraint("number", name="uq_training_classes_number"),
    )
    op.create_index(op.f("ix_training_classes_institution_id"), "training_classes", ["institution_id"])
    op.create_index("ix_training_classes_work", "training_classes", ["district", "status", "first"])
    op.create_table(
        "training_serials",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_training_serials_district")),
        sa.PrimaryKeyConstraint("district", "year", name=op.f("pk_training_serials")),
    )


def _people() -> None:
    for table, place in (("training_teachers", "n"), ("training_places", "line")):
        op.create_table(
            table,
            sa.Column("class_id", sa.Uuid(), nullable=False),
            sa.Column(place, sa.Integer(), nullable=False),
            sa.Column("person_id", sa.Uuid(), nullable=False),
            sa.ForeignKeyConstraint(["class_id"], ["training_classes.id"], name=op.f(f"fk_{table}_class_id")),
            sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{table}_person_id")),
            sa.PrimaryKeyConstraint("class_id", place, name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("class_id", "person_id", name=f"uq_{table}_person"),
        )
        op.create_index(op.f(f"ix_{table}_person_id"), table, ["person_id"])


def _sessions() -> None:
    op.create_table(
        "training_rooms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_rooms")),
        sa.UniqueConstraint("key", name=op.f("uq_training_rooms_key")),
    )
    during = (sa.column("during"), "&&")
    op.create_table(
        "training_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("teacher_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint(
            "NOT isempty(during) AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL",
            name=op.f("ck_training_sessions_during"),
        ),
        sa.CheckConstraint("hours > 0", name=op.f("ck_training_sessions_hours")),
        postgresql.ExcludeConstraint(
            (sa.column("class_id"), "="), during, using="gist", name="ex_training_sessions_class"
        ),
        *(
            postgresql.ExcludeConstraint(
                (sa.column(f"{what}_id"), "="),
                during,
                using="gist",
                where=sa.text("live"),
                name=f"ex_training_sessions_{what}",
            )
            for what in ("teacher", "room")
        ),
        sa.ForeignKeyConstraint(["class_id"], ["training_classes.id"], name=op.f("fk_training_sessions_class_id")),
        sa.ForeignKeyConstraint(["room_id"], ["training_rooms.id"], name=op.f("fk_training_sessions_room_id")),
        sa.ForeignKeyConstraint(
            ["class_id", "teacher_id"],
            ["training_teachers.class_id", "training_teachers.person_id"],
            name="fk_training_sessions_teacher",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_sessions")),
    )


def _inspections() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("inspected_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("result IN ('passed', 'failed')", name=op.f("ck_inspections_result")),
        sa.CheckConstraint(
            "num_nonnulls(result, inspected_on, recorded_by, recorded_at) IN (0, 4)",
            name=op.f("ck_inspections_recorded"),
        ),
        sa.CheckConstraint("(result IS NULL) = (note = '')", name=op.f("ck_inspections_note")),
        sa.ForeignKeyConstraint(["institution_id"], ["institutions.id"], name=op.f("fk_inspections_institution_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_inspections_opened_by")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_inspections_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
    )
    op.create_index(op.f("ix_inspections_institution_id"), "inspections", ["institution_id"])
    op.create_table(
        "inspection_officers",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("joined_by", sa.Uuid(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=op.f("fk_inspection_officers_inspection_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_inspection_officers_person_id")),
        sa.ForeignKeyConstraint(["joined_by"], ["users.id"], name=op.f("fk_inspection_officers_joined_by")),
        sa.PrimaryKeyConstraint("inspection_id", "person_id", name=op.f("pk_inspection_officers")),
    )
