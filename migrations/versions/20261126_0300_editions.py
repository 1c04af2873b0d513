"""Editions with a life: consultation, approval, corrections with their trace, and who may not publish."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "editions"
down_revision = "standard_sets"
branch_labels = None
depends_on = None

MOVES = [
    ("edition", "", "import", "draft"),
    ("edition", "", "copy", "draft"),
    ("edition", "draft", "consult", "in_consultation"),
    ("edition", "draft", "publish", "published"),
    ("edition", "in_consultation", "reopen", "draft"),
    ("edition", "in_consultation", "approve", "approved"),
    ("edition", "approved", "reopen", "draft"),
    ("edition", "approved", "publish", "published"),
    ("edition", "published", "supersede", "superseded"),
]

COLUMNS = [
    sa.Column("historical", sa.Boolean(), server_default="false", nullable=False),
    sa.Column("calendar_faults", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    sa.Column("consultation", postgresql.DATERANGE(), nullable=True),
    sa.Column("framework", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
]

#: Every edition so far was put on record by the command line; those that ended were superseded by the next.
FORWARD = [
    "UPDATE catalog_editions SET historical = true WHERE status = 'published'",
    """
    INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
    SELECT 'edition', id, 'supersede', '{"status": "published"}', '{"status": "superseded"}', 'migration', now()
      FROM catalog_editions WHERE NOT upper_inf(in_force)
    """,
    "UPDATE catalog_editions SET status = 'superseded' WHERE NOT upper_inf(in_force)",
    """
    UPDATE catalog_items i SET place = n.place
      FROM (SELECT id, row_number() OVER (PARTITION BY edition_id ORDER BY line) AS place FROM catalog_items) AS n
     WHERE n.id = i.id
    """,
]

FUNCTIONS = [
    # What was published stays; an edition only learns on which day its successor took over.
    """
    CREATE OR REPLACE FUNCTION guard_catalog_editions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an edition is never deleted' USING ERRCODE = 'ZD012';
      END IF;
      IF OLD.status NOT IN ('published', 'superseded') THEN
        IF NEW.status = 'published' AND OLD.status = 'draft' AND NOT NEW.historical THEN
          RAISE EXCEPTION 'only a past edition is published without approval' USING ERRCODE = 'ZD012';
        END IF;
        RETURN NEW;
      END IF;
      IF (to_jsonb(OLD) - 'in_force' - 'status') <> (to_jsonb(NEW) - 'in_force' - 'status')
         OR lower(OLD.in_force) <> lower(NEW.in_force)
         OR (NOT upper_inf(OLD.in_force) AND OLD.in_force <> NEW.in_force) THEN
        RAISE EXCEPTION 'a published edition is immutable' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION guard_edition_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM catalog_editions e
           WHERE e.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.edition_id END,
                          CASE WHEN TG_OP <> 'DELETE' THEN NEW.edition_id END)
             AND e.status <> 'draft') > 0 THEN
        RAISE EXCEPTION 'only a draft is edited' USING ERRCODE = 'ZD012';
      END IF;
      RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    # Whoever edited an edition neither approves nor publishes it; a past one is the machine's to record.
    """
    CREATE FUNCTION guard_edition_hands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n
            JOIN journal j ON j.subject_kind = 'edition' AND j.subject_id = n.id
                          AND j.xid = pg_current_xact_id()::text AND j.action IN ('approve', 'publish')
            JOIN journal e ON e.subject_kind = 'edition' AND e.subject_id = n.id
                          AND e.actor_name = 'catalog_editor' AND e.actor_person_id = j.actor_person_id) > 0
         OR (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
              WHERE n.status IN ('approved', 'published') AND o.status IS DISTINCT FROM n.status AND NOT n.historical
                AND NOT EXISTS (SELECT FROM journal j
                                 WHERE j.subject_kind = 'edition' AND j.subject_id = n.id
                                   AND j.xid = pg_current_xact_id()::text AND j.action IN ('approve', 'publish')
                                   AND j.actor_person_id IS NOT NULL)) > 0 THEN
        RAISE EXCEPTION 'whoever edited an edition neither approves nor publishes it' USING ERRCODE = 'ZD019';
      END IF;
      RETURN NULL;
    END $$
    """,
]

GRANTS = [
    "SELECT, INSERT ON catalog_item_changes, occupations, trades",
    "DELETE ON catalog_item_changes",
    "UPDATE (status, in_force, reason, historical, calendar_faults, consultation, framework, source_name,"
    " source_sha256) ON catalog_editions",
    "UPDATE (list_name, list_kind, serial, code, name, tag, industry, printed) ON catalog_items",
    "UPDATE (decision, note, decided_at, message, suggestion, code) ON catalog_findings",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    _tables()
    for name in ("status", "published_has_days"):
        op.drop_constraint(op.f(f"ck_catalog_editions_{name}"), "catalog_editions")
    for table in ("catalog_editions", "catalog_items"):
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in FORWARD:
        op.execute(statement)
    for table in ("catalog_editions", "catalog_items"):
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    _constraints()
    for function in FUNCTIONS:
        op.execute(function)
    op.execute(
        "CREATE TRIGGER guard_edition_rows BEFORE INSERT OR UPDATE OR DELETE ON catalog_item_changes "
        "FOR EACH ROW EXECUTE FUNCTION guard_edition_rows()"
    )
    for event, seen in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "NEW TABLE AS new_rows OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER guard_moves_on_{event.lower()} AFTER {event} ON catalog_editions REFERENCING {seen} "
            "FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('edition')"
        )
    op.execute(
        "CREATE TRIGGER guard_edition_hands AFTER UPDATE ON catalog_editions "
        "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows "
        "FOR EACH STATEMENT EXECUTE FUNCTION guard_edition_hands()"
    )
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")
    op.execute("REVOKE DELETE ON catalog_editions FROM zhida_app")


def _tables() -> None:
    for column in COLUMNS:
        op.add_column("catalog_editions", column)
    op.add_column("catalog_items", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("catalog_items", sa.Column("printed", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    for column in (
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("catalog_findings", column)
    op.create_table(
        "catalog_item_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('added', 'corrected', 'removed')", name=op.f("ck_catalog_item_changes_kind")),
        sa.CheckConstraint(
            "(kind = 'added') = (before IS NULL) AND (kind = 'removed') = (after IS NULL)",
            name=op.f("ck_catalog_item_changes_before_and_after"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_catalog_item_changes_reason")),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["catalog_editions.id"], name=op.f("fk_catalog_item_changes_edition_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_catalog_item_changes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_item_changes")),
    )
    op.create_index(op.f("ix_catalog_item_changes_edition_id"), "catalog_item_changes", ["edition_id"], unique=False)
    op.create_table(
        "occupations",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_occupations")),
    )
    op.create_table(
        "trades",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "code", name=op.f("pk_trades")),
    )


def _constraints() -> None:
    op.drop_index("uq_catalog_items_edition_line", "catalog_items")
    op.alter_column("catalog_items", "place", nullable=False)
    op.create_index("uq_catalog_items_edition_place", "catalog_items", ["edition_id", "place"], unique=True)
    checks = {
        "status": "status IN ('draft', 'in_consultation', 'approved', 'published', 'superseded')",
        "published_has_days": "(status IN ('published', 'superseded')) = (in_force IS NOT NULL)",
        "superseded_has_end": "status <> 'superseded' OR upper(in_force) IS NOT NULL",
        "override_has_reason": "(calendar_faults = '{}') OR (reason <> '')",
    }
    for name, condition in checks.items():
        op.create_check_constraint(op.f(f"ck_catalog_editions_{name}"), "catalog_editions", condition)
    findings = {
        "decision": "decision IN ('accept', 'correct', 'ask')",
        "decided": "num_nonnulls(decision, note, decided_at) IN (0, 3)",
    }
    for name, condition in findings.items():
        op.create_check_constraint(op.f(f"ck_catalog_findings_{name}"), "catalog_findings", condition)
