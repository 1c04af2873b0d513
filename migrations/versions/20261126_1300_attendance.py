"""Attendance: marks by sheet and by device, keys of devices, corrections as further rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "attendance"
down_revision = "messages"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # A mark is of a session that was held, comes from the class's own institution, and is noted in the journal of its
    # transaction; a correction is about the session and person of what it corrects. (That the person is on the roster
    # and the session of the class is for the foreign keys.)
    """
    CREATE FUNCTION guard_attendance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
           WHERE (SELECT count(*) FROM journal j
                   WHERE j.subject_kind = 'attendance' AND j.subject_id = n.class_id
                     AND j.xid = pg_current_xact_id()::text) = 0) > 0 THEN
        RAISE EXCEPTION 'a mark without a journal row' USING ERRCODE = 'ZD002';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            JOIN training_sessions s ON s.id = n.session_id
            JOIN training_classes c ON c.id = n.class_id
           WHERE c.status NOT IN ('approved', 'running', 'finished') OR lower(s.during) > n.received_at
              OR (n.during IS NOT NULL AND NOT n.during && s.during)) > 0 THEN
        RAISE EXCEPTION 'a mark is of a session that was held' USING ERRCODE = 'ZD130';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            JOIN training_classes c ON c.id = n.class_id
            LEFT JOIN attendance_uploads u ON u.id = n.upload_id
            LEFT JOIN attendance_keys k ON k.id = n.key_id
           WHERE (n.upload_id IS NOT NULL AND u.class_id IS DISTINCT FROM n.class_id)
              OR (n.key_id IS NOT NULL
                  AND (k.institution_id IS DISTINCT FROM c.institution_id OR k.revoked_at <= n.received_at
                       OR NOT k.in_force @> (n.received_at AT TIME ZONE 'Asia/Shanghai')::date))) > 0 THEN
        RAISE EXCEPTION 'a mark comes from the institution of the class' USING ERRCODE = 'ZD131';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            LEFT JOIN attendance_marks m ON m.id = n.corrects_id
           WHERE n.corrects_id IS NOT NULL
             AND (m.session_id, m.person_id) IS DISTINCT FROM (n.session_id, n.person_id)) > 0 THEN
        RAISE EXCEPTION 'a correction is about the same session and person' USING ERRCODE = 'ZD132';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A key is revoked once, and both are noted.
    """
    CREATE FUNCTION guard_attendance_keys() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
           WHERE (SELECT count(*) FROM journal j
                   WHERE j.subject_kind = 'attendance_key' AND j.subject_id = n.id
                     AND j.xid = pg_current_xact_id()::text) = 0) > 0 THEN
        RAISE EXCEPTION 'a key without a journal row' USING ERRCODE = 'ZD002';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_revoked_keys() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(o.revoked_at, '-infinity') > '-infinity' AND o IS DISTINCT FROM n) > 0 THEN
        RAISE EXCEPTION 'a key is revoked once' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NULL;
    END $$
    """,
]

NEW, BOTH = "NEW TABLE AS new_rows", "NEW TABLE AS new_rows OLD TABLE AS old_rows"
ONCE = "FOR EACH STATEMENT EXECUTE FUNCTION"
TRIGGERS = [
    f"guard_attendance AFTER INSERT ON attendance_marks REFERENCING {NEW} {ONCE} guard_attendance()",
    f"guard_keys_on_insert AFTER INSERT ON attendance_keys REFERENCING {NEW} {ONCE} guard_attendance_keys()",
    f"guard_keys_on_update AFTER UPDATE ON attendance_keys REFERENCING {NEW} {ONCE} guard_attendance_keys()",
    f"guard_revoked_keys AFTER UPDATE ON attendance_keys REFERENCING {BOTH} {ONCE} guard_revoked_keys()",
    *(
        f"refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            ("attendance_marks", "UPDATE OR DELETE"),
            ("attendance_uploads", "UPDATE OR DELETE"),
            ("attendance_keys", "DELETE"),
        )
    ),
]

GRANTS = [
    "SELECT, INSERT ON attendance_marks, attendance_uploads",
    "SELECT ON attendance_keys",
    "INSERT (id, institution_id, name, key_sha256, in_force, issued_by, issued_at) ON attendance_keys",
    "UPDATE (revoked_by, revoked_at, revoke_reason) ON attendance_keys",
]


def upgrade() -> None:
    op.create_unique_constraint("uq_training_sessions_class", "training_sessions", ["id", "class_id"])
    _keys()
    _uploads()
    _marks()
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _foreign(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [other], name=op.f(f"fk_{table}_{name}"))


def _keys() -> None:
    op.create_table(
        "attendance_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "NOT isempty(in_force) AND upper(in_force) IS NOT NULL", name=op.f("ck_attendance_keys_dated")
        ),
        sa.CheckConstraint(
            "num_nonnulls(revoked_by, revoked_at, revoke_reason) IN (0, 3)", name=op.f("ck_attendance_keys_revoked")
        ),
        _foreign("attendance_keys", "institution_id", "institutions.id"),
        _foreign("attendance_keys", "issued_by", "users.id"),
        _foreign("attendance_keys", "revoked_by", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_keys")),
    )
    op.create_index(op.f("ix_attendance_keys_institution_id"), "attendance_keys", ["institution_id"])


def _uploads() -> None:
    op.create_table(
        "attendance_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        _foreign("attendance_uploads", "class_id", "training_classes.id"),
        _foreign("attendance_uploads", "uploaded_by", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_uploads")),
        sa.UniqueConstraint("class_id", "sha256", name="uq_attendance_uploads_file"),
    )


def _marks() -> None:
    op.create_table(
        "attendance_marks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("event_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(source = 'upload') = (num_nonnulls(upload_id, line) = 2) AND num_nonnulls(upload_id, line) <> 1"
            " AND (source = 'device') = (num_nonnulls(key_id, event_sha256) = 2)"
            " AND num_nonnulls(key_id, event_sha256) <> 1 AND (source = 'device') = (received_by IS NULL)"
            " AND (source = 'officer') = (corrects_id IS NOT NULL) AND (source = 'officer') = (reason <> '')"
            " AND source IN ('upload', 'device', 'officer')",
            name=op.f("ck_attendance_marks_source"),
        ),
        sa.CheckConstraint(
            "CASE WHEN during IS NULL THEN source = 'officer' ELSE NOT isempty(during) AND lower(during) IS NOT NULL"
            " AND coalesce(upper(during) <= received_at, false) END",
            name=op.f("ck_attendance_marks_during"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id", "class_id"],
            ["training_sessions.id", "training_sessions.class_id"],
            name="fk_attendance_marks_session",
        ),
        sa.ForeignKeyConstraint(
            ["class_id", "person_id"],
            ["training_places.class_id", "training_places.person_id"],
            name="fk_attendance_marks_place",
        ),
        _foreign("attendance_marks", "upload_id", "attendance_uploads.id"),
        _foreign("attendance_marks", "key_id", "attendance_keys.id"),
        _foreign("attendance_marks", "received_by", "users.id"),
        _foreign("attendance_marks", "corrects_id", "attendance_marks.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_marks")),
        sa.UniqueConstraint("corrects_id", name="uq_attendance_marks_corrected_once"),
        sa.UniqueConstraint("key_id", "event_sha256", name="uq_attendance_marks_event"),
    )
    op.create_index(
        "uq_attendance_marks_uploaded",
        "attendance_marks",
        ["session_id", "person_id", "during"],
        unique=True,
        postgresql_where=sa.text("source = 'upload'"),
    )
    op.create_index("ix_attendance_marks_class", "attendance_marks", ["class_id", "person_id"])
    op.create_index(op.f("ix_attendance_marks_person_id"), "attendance_marks", ["person_id"])
