"""When a bank file's bytes left, by whom, and why: by itself over HTTP, carried by two persons, or resent by two."""

import sqlalchemy as sa
from alembic import op

revision = "bank_sending"
down_revision = "batch_desk"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # Only the file's own bytes leave, of a released batch, the way that was agreed; a first time, and then again only
    # as two persons said, once for each time they said it, and inside the window in which the bank knows the file.
    """
    CREATE FUNCTION guard_bank_file_sendings() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE batch batches%ROWTYPE; first_at timestamptz;
    BEGIN
      SELECT * INTO batch FROM batches WHERE id = NEW.batch_id FOR NO KEY UPDATE;
      IF batch.status IS DISTINCT FROM 'released'
         OR NOT EXISTS (SELECT FROM bank_files f WHERE f.batch_id = NEW.batch_id AND f.sha256 = NEW.sha256)
         OR (NEW.kind = 'carried') <> (batch.terms ->> 'way' = 'files') THEN
        RAISE EXCEPTION 'these bytes do not leave so' USING ERRCODE = 'ZD210';
      END IF;
      IF NEW.kind <> 'resent' THEN
        RETURN NEW;
      END IF;
      SELECT s.began_at INTO first_at FROM bank_file_sendings s
       WHERE s.batch_id = NEW.batch_id AND s.kind <> 'resent';
      IF first_at IS NULL
         OR NEW.began_at >= first_at + make_interval(mins => (batch.terms ->> 'duplicate_minutes')::integer) THEN
        RAISE EXCEPTION 'the bank promises to know this file no longer' USING ERRCODE = 'ZD211';
      END IF;
      IF NOT EXISTS (SELECT FROM bank_file_resends r
                      WHERE r.id = NEW.resend_id AND r.batch_id = NEW.batch_id AND r.confirmed_person IS NOT NULL)
         OR NOT EXISTS (SELECT FROM payment_attempts a
                         WHERE a.batch_id = NEW.batch_id AND a.status IN ('sending', 'unknown')) THEN
        RAISE EXCEPTION 'a file is resent by two persons while nobody knows of it' USING ERRCODE = 'ZD212';
      END IF;
      RETURN NEW;
    END $$
    """,
    # A payment is on its way only when its file's bytes were allowed to leave. Of a file that persons carry, the bank
    # has it when another than its carrier says so, and has it not when two persons say so.
    """
    CREATE FUNCTION guard_sending_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'sending' AND coalesce(o.status, '') <> 'sending'
             AND NOT EXISTS (SELECT FROM bank_file_sendings s WHERE s.batch_id = n.batch_id)) > 0 THEN
        RAISE EXCEPTION 'nothing is on its way of which no bytes left' USING ERRCODE = 'ZD213';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
            LEFT JOIN batches b ON b.id = n.batch_id
           WHERE coalesce(o.status, '') = 'sending' AND coalesce(n.status, '') IN ('sent', 'failed')
             AND coalesce(b.terms ->> 'way', '') = 'files'
             AND NOT EXISTS (SELECT FROM bank_file_handovers h
                              WHERE h.batch_id = n.batch_id AND h.confirmed_person IS NOT NULL
                                AND h.outcome = CASE n.status WHEN 'sent' THEN 'handed_over'
                                                              ELSE 'not_handed_over' END)) > 0 THEN
        RAISE EXCEPTION 'nobody said what became of the file' USING ERRCODE = 'ZD214';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Who carried the file cannot be who vouches that the bank has it.
    """
    CREATE FUNCTION guard_bank_file_handovers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM bank_file_sendings s
                      WHERE s.batch_id = NEW.batch_id AND s.kind = 'carried'
                        AND (NEW.outcome <> 'handed_over' OR s.person_id = NEW.proposed_person)) THEN
        RAISE EXCEPTION 'this file was not taken out so' USING ERRCODE = 'ZD215';
      END IF;
      RETURN NEW;
    END $$
    """,
]

BOTH = "NEW TABLE AS new_rows OLD TABLE AS old_rows"
CONFIRMING = ("closed_at", "confirmed_by", "confirmed_person")
TRIGGERS = [
    "guard_bank_file_sendings BEFORE INSERT ON bank_file_sendings"
    " FOR EACH ROW EXECUTE FUNCTION guard_bank_file_sendings()",
    "refuse_change BEFORE UPDATE OR DELETE ON bank_file_sendings FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    f"guard_sending_attempts AFTER UPDATE ON payment_attempts REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_sending_attempts()",
    "guard_bank_file_handovers BEFORE INSERT ON bank_file_handovers"
    " FOR EACH ROW EXECUTE FUNCTION guard_bank_file_handovers()",
    *(
        line
        for table in ("bank_file_resends", "bank_file_handovers")
        for line in (
            f"guard_ended_once BEFORE UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('closed_at', '{{{','.join(CONFIRMING)}}}')",
            f"refuse_change BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        )
    ),
]

GRANTS = [
    "SELECT, INSERT ON bank_file_sendings, bank_file_resends, bank_file_handovers",
    f"UPDATE ({', '.join(CONFIRMING)}) ON bank_file_resends, bank_file_handovers",
]


def _persons(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    """Who did it: users, and the persons behind them."""
    return [
        sa.ForeignKeyConstraint(
            [column], ["users.id" if column.endswith(("_by", "user_id")) else "people.id"],
            name=op.f(f"fk_{table}_{column}"),
        )
        for column in columns
    ]  # fmt: skip


def _said_by_two(table: str, *own: sa.Column[str] | sa.CheckConstraint) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        *own,
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_person", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("proposed_person <> confirmed_person", name=op.f(f"ck_{table}_two_persons")),
        sa.CheckConstraint(
            "num_nulls(confirmed_by, confirmed_person) IN (0, 2) AND (confirmed_by IS NULL OR closed_at IS NOT NULL)",
            name=op.f(f"ck_{table}_confirmed_whole"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["bank_files.batch_id"], name=op.f(f"fk_{table}_batch_id")),
        *_persons(table, "proposed_by", "proposed_person", "confirmed_by", "confirmed_person"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_batch_id"), table, ["batch_id"])
    op.create_index(
        f"uq_{table}_open", table, ["batch_id"], unique=True, postgresql_where=sa.text("closed_at IS NULL")
    )


def upgrade() -> None:
    _said_by_two("bank_file_resends")
    _said_by_two(
        "bank_file_handovers",
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("evidence_sha256", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('handed_over', 'not_handed_over', 'unclear')", name=op.f("ck_bank_file_handovers_outcome")
        ),
    )
    op.create_index(
        "uq_bank_file_handovers_confirmed",
        "bank_file_handovers",
        ["batch_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_person IS NOT NULL"),
    )
    op.create_table(
        "bank_file_sendings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("resend_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('sent', 'carried', 'resent')", name=op.f("ck_bank_file_sendings_kind")),
        sa.CheckConstraint(
            "num_nulls(user_id, person_id) = CASE kind WHEN 'carried' THEN 0 ELSE 2 END",
            name=op.f("ck_bank_file_sendings_carrier"),
        ),
        sa.CheckConstraint(
            "(kind = 'resent') = (resend_id IS NOT NULL)", name=op.f("ck_bank_file_sendings_said_again")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["bank_files.batch_id"], name=op.f("fk_bank_file_sendings_batch_id")),
        sa.ForeignKeyConstraint(
            ["resend_id"], ["bank_file_resends.id"], name=op.f("fk_bank_file_sendings_resend_id")
        ),
        *_persons("bank_file_sendings", "user_id", "person_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file_sendings")),
        sa.UniqueConstraint("resend_id", name=op.f("uq_bank_file_sendings_resend_id")),
    )
    op.create_index(
        "uq_bank_file_sendings_first",
        "bank_file_sendings",
        ["batch_id"],
        unique=True,
        postgresql_where=sa.text("kind <> 'resent'"),
    )
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")
