"""Patrols: weights of institutions, draws that can be made again, what was found, and the credit it costs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "patrols"
down_revision = "attendance"
branch_labels = None
depends_on = None

NOTED = """
      IF (SELECT count(*) FROM new_rows n
           WHERE (SELECT count(*) FROM journal j
                   WHERE j.subject_kind = '{kind}' AND j.subject_id = n.{subject}
                     AND j.xid = pg_current_xact_id()::text) = 0) > 0 THEN
        RAISE EXCEPTION 'a change without a journal row' USING ERRCODE = 'ZD002';
      END IF;"""

FUNCTIONS = [
    # Sessions of a day that begin after an instant and that nobody has drawn.
    """
    CREATE FUNCTION sessions_to_draw(on_day date, of_district text, after timestamptz)
    RETURNS TABLE (class_id uuid, begins timestamptz) LANGUAGE sql STABLE AS $$
      SELECT s.class_id, lower(s.during)
        FROM training_sessions s
        JOIN training_classes c ON c.id = s.class_id AND c.status IN ('approved', 'running')
         AND c.first <= on_day AND c.last >= on_day AND c.district = coalesce(of_district, c.district)
       WHERE s.live AND lower(s.during) > after
         AND lower(s.during) >= on_day::timestamp AT TIME ZONE 'Asia/Shanghai'
         AND lower(s.during) < (on_day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
         AND NOT EXISTS (SELECT FROM patrols p WHERE p.class_id = s.class_id AND p.begins = lower(s.during))
    $$
    """,
    # The candidates of a draw are all sessions that could be drawn, each with the weight its institution has.
    """
    CREATE FUNCTION guard_patrol_candidates() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
            JOIN training_classes c ON c.id = n.class_id
            LEFT JOIN patrol_weights w ON w.institution_id = c.institution_id
           WHERE n.weight <> coalesce(w.weight, 1)) > 0 THEN
        RAISE EXCEPTION 'a candidate has the weight of its institution' USING ERRCODE = 'ZD140';
      END IF;
      IF (SELECT count(*)
            FROM (SELECT d.id, s.class_id, s.begins
                    FROM patrol_draws d CROSS JOIN LATERAL sessions_to_draw(d.day, d.district, d.drawn_at) AS s
                   WHERE d.id IN (SELECT n.draw_id FROM new_rows n)) AS s
            FULL JOIN (SELECT k.* FROM patrol_candidates k
                        WHERE k.draw_id IN (SELECT n.draw_id FROM new_rows n)) AS k
              ON k.draw_id = s.id AND k.class_id = s.class_id AND k.begins = s.begins
           WHERE s.id IS NULL OR k.draw_id IS NULL) > 0 THEN
        RAISE EXCEPTION 'the candidates are the sessions that could be drawn' USING ERRCODE = 'ZD141';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A patrol has one result: told by one of its officers, of whom there are as many as its kind asks, with evidence.
    """
    CREATE FUNCTION guard_patrol_results() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(o.result, '') <> '' AND o IS DISTINCT FROM n) > 0 THEN
        RAISE EXCEPTION 'a patrol has one result' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.result, '') <> ''
             AND ((SELECT count(*) FROM patrol_officers f WHERE f.patrol_id = n.id)
                    < CASE n.kind WHEN 'on_site' THEN 2 ELSE 1 END
                  OR (SELECT count(*) FROM patrol_officers f
                       WHERE f.patrol_id = n.id AND f.person_id = n.recorded_person) = 0)) > 0 THEN
        RAISE EXCEPTION 'a patrol is told by those who were there' USING ERRCODE = 'ZD142';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.result, '') <> ''
             AND (SELECT count(*) FROM patrol_evidence e WHERE e.patrol_id = n.id) = 0) > 0 THEN
        RAISE EXCEPTION 'a result has its evidence' USING ERRCODE = 'ZD143';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Whoever tells the result waits, and then sees who joined and what was handed in.
    """
    CREATE FUNCTION guard_open_patrols() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM 1 FROM patrols p WHERE p.id IN (SELECT n.patrol_id FROM new_rows n) ORDER BY p.id FOR SHARE;
      IF (SELECT count(*) FROM new_rows n LEFT JOIN patrols p ON p.id = n.patrol_id
           WHERE p.result IS NOT NULL) > 0 THEN
        RAISE EXCEPTION 'the patrol is over' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NULL;
    END $$
    """,
    *(
        f"CREATE FUNCTION note_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {NOTED.format(kind=kind, subject=subject)} RETURN NULL; END $$"
        for name, kind, subject in (
            ("patrols", "patrol", "id"),
            ("patrol_draws", "patrol_draw", "id"),
            ("patrol_weights", "patrol_weight", "institution_id"),
        )
    ),
]

NEW, BOTH = "NEW TABLE AS new_rows", "NEW TABLE AS new_rows OLD TABLE AS old_rows"
ONCE = "FOR EACH STATEMENT EXECUTE FUNCTION"
TRIGGERS = [
    f"guard_candidates AFTER INSERT ON patrol_candidates REFERENCING {NEW} {ONCE} guard_patrol_candidates()",
    f"guard_results AFTER UPDATE ON patrols REFERENCING {BOTH} {ONCE} guard_patrol_results()",
    *(
        f"guard_open_patrols AFTER INSERT ON {table} REFERENCING {NEW} {ONCE} guard_open_patrols()"
        for table in ("patrol_officers", "patrol_evidence")
    ),
    *(
        f"noted_on_{event.lower()} AFTER {event} ON {table} REFERENCING {NEW} {ONCE} note_{table}()"
        for table, event in (
            *(("patrols", "INSERT"), ("patrols", "UPDATE"), ("patrol_draws", "INSERT")),
            *(("patrol_weights", "INSERT"), ("patrol_weights", "UPDATE")),
        )
    ),
    *(
        f"refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            *(("patrol_draws", "UPDATE OR DELETE"), ("patrol_candidates", "UPDATE OR DELETE")),
            *(("patrol_officers", "UPDATE OR DELETE"), ("patrol_evidence", "UPDATE OR DELETE")),
            *(("patrol_weighings", "UPDATE OR DELETE"), ("patrol_weights", "DELETE"), ("patrols", "DELETE")),
        )
    ),
]

GRANTS = [
    "SELECT, INSERT ON patrol_weighings, patrol_weights, patrol_draws, patrol_candidates, patrol_officers,"
    " patrol_evidence",
    "UPDATE (weight, reasons, weighed_at) ON patrol_weights",
    "SELECT ON patrols",
    "INSERT (id, draw_id, turn, class_id, begins, ends, kind, due_on) ON patrols",
    "UPDATE (result, headcount, findings, recorded_by, recorded_person, recorded_at, recorded_on) ON patrols",
]


def upgrade() -> None:
    _weights()
    _draws()
    _patrols()
    _followers()
    op.add_column("credit_events", sa.Column("patrol_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_credit_events_patrol_id"), "credit_events", "patrols", ["patrol_id"], ["id"])
    op.create_unique_constraint(op.f("uq_credit_events_patrol_id"), "credit_events", ["patrol_id"])
    op.create_check_constraint(
        op.f("ck_credit_events_patrol"), "credit_events", "kind = 'patrol_failed' OR patrol_id IS NULL"
    )
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _foreign(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [other], name=op.f(f"fk_{table}_{name}"))


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _uuid(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _weights() -> None:
    op.create_table(
        "patrol_weighings",
        _uuid("id"),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _instant("told_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_weighings")),
    )
    op.create_table(
        "patrol_weights",
        _uuid("institution_id"),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _instant("weighed_at"),
        sa.CheckConstraint("weight BETWEEN 1 AND 100", name=op.f("ck_patrol_weights_weight")),
        _foreign("patrol_weights", "institution_id", "institutions.id"),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_patrol_weights")),
    )


def _draws() -> None:
    op.create_table(
        "patrol_draws",
        _uuid("id"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        _uuid("drawn_by"),
        _instant("drawn_at"),
        sa.CheckConstraint("wanted BETWEEN 1 AND 100", name=op.f("ck_patrol_draws_wanted")),
        sa.CheckConstraint("length(seed) = 32", name=op.f("ck_patrol_draws_seed")),
        _foreign("patrol_draws", "district", "districts.code"),
        _foreign("patrol_draws", "drawn_by", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_draws")),
    )
    op.create_table(
        "patrol_candidates",
        _uuid("draw_id"),
        sa.Column("n", sa.Integer(), nullable=False),
        _uuid("class_id"),
        _instant("begins"),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.CheckConstraint("weight BETWEEN 1 AND 100", name=op.f("ck_patrol_candidates_weight")),
        _foreign("patrol_candidates", "draw_id", "patrol_draws.id"),
        _foreign("patrol_candidates", "class_id", "training_classes.id"),
        sa.PrimaryKeyConstraint("draw_id", "n", name=op.f("pk_patrol_candidates")),
        sa.UniqueConstraint("draw_id", "class_id", "begins", name="uq_patrol_candidates_session"),
    )


def _patrols() -> None:
    op.create_table(
        "patrols",
        _uuid("id"),
        _uuid("draw_id"),
        sa.Column("turn", sa.Integer(), nullable=False),
        _uuid("class_id"),
        _instant("begins"),
        _instant("ends"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("findings", sa.Text(), server_default="", nullable=False),
        _uuid("recorded_by", nullable=True),
        _uuid("recorded_person", nullable=True),
        _instant("recorded_at", nullable=True),
        sa.Column("recorded_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('on_site', 'live_online')", name=op.f("ck_patrols_kind")),
        sa.CheckConstraint("result IN ('passed', 'failed')", name=op.f("ck_patrols_result")),
        sa.CheckConstraint("headcount >= 0 AND (result IS NULL) = (findings = '')", name=op.f("ck_patrols_found")),
        sa.CheckConstraint(
            "num_nonnulls(result, headcount, recorded_by, recorded_person, recorded_at, recorded_on) IN (0, 6)"
            " AND recorded_at >= begins",
            name=op.f("ck_patrols_recorded"),
        ),
        sa.ForeignKeyConstraint(
            ["draw_id", "class_id", "begins"],
            ["patrol_candidates.draw_id", "patrol_candidates.class_id", "patrol_candidates.begins"],
            name="fk_patrols_candidate",
        ),
        _foreign("patrols", "recorded_by", "users.id"),
        _foreign("patrols", "recorded_person", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrols")),
        sa.UniqueConstraint("class_id", "begins", name="uq_patrols_session"),
        sa.UniqueConstraint("draw_id", "turn", name="uq_patrols_turn"),
    )
    op.create_index("ix_patrols_open", "patrols", ["due_on"], postgresql_where=sa.text("result IS NULL"))


def _followers() -> None:
    op.create_table(
        "patrol_officers",
        _uuid("patrol_id"),
        _uuid("person_id"),
        _uuid("joined_by"),
        _instant("joined_at"),
        _foreign("patrol_officers", "patrol_id", "patrols.id"),
        _foreign("patrol_officers", "person_id", "people.id"),
        _foreign("patrol_officers", "joined_by", "users.id"),
        sa.PrimaryKeyConstraint("patrol_id", "person_id", name=op.f("pk_patrol_officers")),
    )
    op.create_table(
        "patrol_evidence",
        _uuid("patrol_id"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        _uuid("handed_in_by"),
        _instant("handed_in_at"),
        _foreign("patrol_evidence", "patrol_id", "patrols.id"),
        _foreign("patrol_evidence", "handed_in_by", "users.id"),
        sa.PrimaryKeyConstraint("patrol_id", "sha256", name=op.f("pk_patrol_evidence")),
    )
