"""Classes with their teachers, sessions and places, rooms, inspections before a first class, attendance, and
patrols."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATERANGE, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.catalog.tables import CatalogItemRow
from service.database import Base
from service.institutions.tables import InstitutionRow
from service.standards.tables import StandardRow


class ClassRow(Base):
    """开班. `district` is that of its place, whose officers approve it; `first` and `last` are its sessions' days."""

    __tablename__ = "training_classes"
    __table_args__ = (
        CheckConstraint(
            "status IN ('filed', 'sent_back', 'approved', 'running', 'finished', 'closed', 'denied', 'withdrawn')",
            name="status",
        ),
        CheckConstraint(
            "number IS NOT NULL OR status IN ('filed', 'sent_back', 'denied', 'withdrawn')",
            name="numbered_when_approved",
        ),
        CheckConstraint("first <= last", name="days"),
        CheckConstraint("planned_hours > 0", name="planned_hours"),
        UniqueConstraint("number", name="uq_training_classes_number"),
        Index("ix_training_classes_work", "district", "status", "first"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id), index=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    site: Mapped[str]  # the branch, as people call it
    address: Mapped[str]
    item_id: Mapped[UUID] = mapped_column(ForeignKey(CatalogItemRow.id))
    occupation: Mapped[str]
    level: Mapped[str]
    standard_id: Mapped[UUID] = mapped_column(ForeignKey(StandardRow.id))
    planned_hours: Mapped[int] = mapped_column(Integer)
    first: Mapped[date]
    last: Mapped[date]
    status: Mapped[str]
    number: Mapped[str | None]
    filed_on: Mapped[date]
    filed_at: Mapped[datetime]
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    #: Facts, rule versions and outcomes of what it was last filed or changed by.
    decision: Mapped[dict[str, Any]]


class TeacherRow(Base):
    """`n` counts the teachers of a class from 1; one who was named stays."""

    __tablename__ = "training_teachers"
    __table_args__ = (UniqueConstraint("class_id", "person_id", name="uq_training_teachers_person"),)

    class_id: Mapped[UUID] = mapped_column(ForeignKey("training_classes.id"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)


class PlaceRow(Base):
    """A trainee's place in a class, as line of its roster."""

    __tablename__ = "training_places"
    __table_args__ = (UniqueConstraint("class_id", "person_id", name="uq_training_places_person"),)

    class_id: Mapped[UUID] = mapped_column(ForeignKey("training_classes.id"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)


class RoomRow(Base):
    """A room of an address, whoever teaches there. `key` is how it is compared, `name` how it was last written."""

    __tablename__ = "training_rooms"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class SessionRow(Base):
    """One session. `live` follows the class: what was denied or withdrawn takes nobody's time. Never changed
    otherwise; one that has not begun is replaced."""

    __tablename__ = "training_sessions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["class_id", "teacher_id"],
            ["training_teachers.class_id", "training_teachers.person_id"],
            name="fk_training_sessions_teacher",
        ),
        UniqueConstraint("id", "class_id", name="uq_training_sessions_class"),
        CheckConstraint(
            "NOT isempty(during) AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL", name="during"
        ),
        CheckConstraint("hours > 0", name="hours"),
        ExcludeConstraint(("class_id", "="), ("during", "&&"), name="ex_training_sessions_class", using="gist"),
        ExcludeConstraint(
            ("teacher_id", "="),
            ("during", "&&"),
            name="ex_training_sessions_teacher",
            using="gist",
            where=text("live"),
        ),
        ExcludeConstraint(
            ("room_id", "="), ("during", "&&"), name="ex_training_sessions_room", using="gist", where=text("live")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("training_classes.id"))
    teacher_id: Mapped[UUID]
    room_id: Mapped[UUID] = mapped_column(ForeignKey("training_rooms.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    hours: Mapped[int] = mapped_column(Integer)
    live: Mapped[bool] = mapped_column(server_default="true")


class SerialRow(Base):
    """The last serial of class numbers that a district has given in a year."""

    __tablename__ = "training_serials"

    district: Mapped[str] = mapped_column(ForeignKey("districts.code"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class InspectionRow(Base):
    """实地检查 of an institution: opened, joined by its officers, and ended once with a result."""

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint("result IN ('passed', 'failed')", name="result"),
        CheckConstraint("num_nonnulls(result, inspected_on, recorded_by, recorded_at) IN (0, 4)", name="recorded"),
        CheckConstraint("(result IS NULL) = (note = '')", name="note"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id), index=True)
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime]
    result: Mapped[str | None]
    inspected_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(server_default="")
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime | None]


class InspectionOfficerRow(Base):
    """Who was there: each joins under their own login, before there is a result."""

    __tablename__ = "inspection_officers"

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspections.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    joined_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    joined_at: Mapped[datetime]


class AttendanceKeyRow(Base):
    """By which the devices of an institution hand in marks; of the key there is only the hash. Revoked once."""

    __tablename__ = "attendance_keys"
    __table_args__ = (
        CheckConstraint("NOT isempty(in_force) AND upper(in_force) IS NOT NULL", name="dated"),
        CheckConstraint("num_nonnulls(revoked_by, revoked_at, revoke_reason) IN (0, 3)", name="revoked"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id), index=True)
    name: Mapped[str]  # of the device, as people call it
    key_sha256: Mapped[bytes]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    issued_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    issued_at: Mapped[datetime]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None]


class AttendanceUploadRow(Base):
    """A sheet that was handed in for a class, kept in the store of files. The same bytes are the same upload."""

    __tablename__ = "attendance_uploads"
    __table_args__ = (UniqueConstraint("class_id", "sha256", name="uq_attendance_uploads_file"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("training_classes.id"))
    sha256: Mapped[bytes]
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    uploaded_at: Mapped[datetime]


class AttendanceMarkRow(Base):
    """Somebody of the roster was there `during`. Never changed: a correction is a further row about the same session
    and person, and one without `during` says that the mark it corrects stands no more."""

    __tablename__ = "attendance_marks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["session_id", "class_id"],
            ["training_sessions.id", "training_sessions.class_id"],
            name="fk_attendance_marks_session",
        ),
        ForeignKeyConstraint(
            ["class_id", "person_id"],
            ["training_places.class_id", "training_places.person_id"],
            name="fk_attendance_marks_place",
        ),
        CheckConstraint(
            "(source = 'upload') = (num_nonnulls(upload_id, line) = 2) AND num_nonnulls(upload_id, line) <> 1"
            " AND (source = 'device') = (num_nonnulls(key_id, event_sha256) = 2)"
            " AND num_nonnulls(key_id, event_sha256) <> 1 AND (source = 'device') = (received_by IS NULL)"
            " AND (source = 'officer') = (corrects_id IS NOT NULL) AND (source = 'officer') = (reason <> '')"
            " AND source IN ('upload', 'device', 'officer')",
            name="source",
        ),
        CheckConstraint(
            "CASE WHEN during IS NULL THEN source = 'officer' ELSE NOT isempty(during) AND lower(during) IS NOT NULL"
            " AND coalesce(upper(during) <= received_at, false) END",
            name="during",
        ),
        UniqueConstraint("corrects_id", name="uq_attendance_marks_corrected_once"),
        UniqueConstraint("key_id", "event_sha256", name="uq_attendance_marks_event"),
        Index(
            "uq_attendance_marks_uploaded",
            *("session_id", "person_id", "during"),
            unique=True,
            postgresql_where=text("source = 'upload'"),
        ),
        Index("ix_attendance_marks_class", "class_id", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID]
    session_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(index=True)
    during: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    source: Mapped[str]
    upload_id: Mapped[UUID | None] = mapped_column(ForeignKey("attendance_uploads.id"))
    line: Mapped[int | None] = mapped_column(Integer)
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("attendance_keys.id"))
    event_sha256: Mapped[bytes | None]  # what devices call their events may look like anybody's number
    received_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    received_at: Mapped[datetime]
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("attendance_marks.id"))
    reason: Mapped[str] = mapped_column(server_default="")


class PatrolWeighingRow(Base):
    """Weights that somebody told, `[{"institution_id", "weight", "reasons"}]`, until the job has set them."""

    __tablename__ = "patrol_weighings"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    content: Mapped[list[Any]]
    told_at: Mapped[datetime]


class PatrolWeightRow(Base):
    """How much more often than others an institution is drawn; 1 for whoever has no row."""

    __tablename__ = "patrol_weights"
    __table_args__ = (CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),)

    institution_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id), primary_key=True)
    weight: Mapped[int] = mapped_column(Integer)
    reasons: Mapped[list[Any]]
    weighed_at: Mapped[datetime]


class PatrolDrawRow(Base):
    """A draw for a day, in a district or (null) in the whole city. Written once, with its candidates."""

    __tablename__ = "patrol_draws"
    __table_args__ = (
        CheckConstraint("wanted BETWEEN 1 AND 100", name="wanted"),
        CheckConstraint("length(seed) = 32", name="seed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    district: Mapped[str | None] = mapped_column(ForeignKey("districts.code"))
    wanted: Mapped[int] = mapped_column(Integer)
    seed: Mapped[bytes]
    drawn_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    drawn_at: Mapped[datetime]


class PatrolCandidateRow(Base):
    """A session that could be drawn; `n` counts them from 0. Named by its class and beginning: a change of the class
    replaces the row of a session."""

    __tablename__ = "patrol_candidates"
    __table_args__ = (
        UniqueConstraint("draw_id", "class_id", "begins", name="uq_patrol_candidates_session"),
        CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),
    )

    draw_id: Mapped[UUID] = mapped_column(ForeignKey("patrol_draws.id"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey("training_classes.id"))
    begins: Mapped[datetime]
    weight: Mapped[int] = mapped_column(Integer)


class PatrolRow(Base):
    """A session that was drawn, and once what was found there. `turn`: in which round of the draw, from 0."""

    __tablename__ = "patrols"
    __table_args__ = (
        ForeignKeyConstraint(
            ["draw_id", "class_id", "begins"],
            ["patrol_candidates.draw_id", "patrol_candidates.class_id", "patrol_candidates.begins"],
            name="fk_patrols_candidate",
        ),
        UniqueConstraint("class_id", "begins", name="uq_patrols_session"),
        UniqueConstraint("draw_id", "turn", name="uq_patrols_turn"),
        CheckConstraint("kind IN ('on_site', 'live_online')", name="kind"),
        CheckConstraint("result IN ('passed', 'failed')", name="result"),
        CheckConstraint("headcount >= 0 AND (result IS NULL) = (findings = '')", name="found"),
        CheckConstraint(
            "num_nonnulls(result, headcount, recorded_by, recorded_person, recorded_at, recorded_on) IN (0, 6)"
            " AND recorded_at >= begins",
            name="recorded",
        ),
        Index("ix_patrols_open", "due_on", postgresql_where=text("result IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    draw_id: Mapped[UUID]
    turn: Mapped[int] = mapped_column(Integer)
    class_id: Mapped[UUID]
    begins: Mapped[datetime]
    ends: Mapped[datetime]
    kind: Mapped[str]
    due_on: Mapped[date]
    result: Mapped[str | None]
    headcount: Mapped[int | None] = mapped_column(Integer)
    findings: Mapped[str] = mapped_column(server_default="")
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    recorded_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime | None]
    recorded_on: Mapped[date | None]


class PatrolOfficerRow(Base):
    """Who goes there: each joins under their own login, before there is a result."""

    __tablename__ = "patrol_officers"

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    joined_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    joined_at: Mapped[datetime]


class PatrolEvidenceRow(Base):
    """A photo or paper of what was found, in the store of files."""

    __tablename__ = "patrol_evidence"

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    handed_in_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    handed_in_at: Mapped[datetime]
