"""Batches in series, checks by amount, holds on a whole batch, city finance standing in, and lines that leave."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "batch_desk"
down_revision = "bank_terms"
branch_labels = None
depends_on = None

MOVES = [("batch", "frozen", "refreeze", "frozen"), ("batch", "submitted", "check_on", "submitted")]

#: What batches are paid under where a city has agreed nothing.
UNSAID = """'{"bank": "代发银行", "format": "neutral", "way": "http", "lines_max": 9999, "cut_off": "23:59", "duplicate_minutes": 0, "opens": "00:00", "every_day": true}'"""  # noqa: E501

_HELD = "EXISTS (SELECT FROM batch_holds h WHERE h.batch_id = {batch} AND h.lifted_at IS NULL)"

FUNCTIONS = [
    # Content and the number of checks are written at freezing, and again only when lines left before anybody signed;
    # they equal the lines; each further step has its signatures, as many checks as the batch needs.
    """
    CREATE OR REPLACE FUNCTION guard_batches() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(o.status, '') <> 'opened'
             AND (o.content_hash, o.line_count, o.sum_fen, o.checks_needed)
                 IS DISTINCT FROM (n.content_hash, n.line_count, n.sum_fen, n.checks_needed)
             AND NOT coalesce(o.status = 'frozen' AND n.status = 'frozen' AND n.line_count < o.line_count
                              AND n.line_count = (SELECT count(*) FROM payment_attempts a
                                                   WHERE a.batch_id = n.id AND a.status <> 'void'), false)) > 0
         OR (SELECT count(*) FROM new_rows n JOIN old_rows o ON o.id = n.id
              WHERE (o.content_hash, o.line_count, o.sum_fen, o.checks_needed)
                    IS DISTINCT FROM (n.content_hash, n.line_count, n.sum_fen, n.checks_needed)
                AND EXISTS (SELECT FROM batch_signatures s WHERE s.batch_id = n.id)) > 0 THEN
        RAISE EXCEPTION 'the content of a batch is frozen' USING ERRCODE = 'ZD003';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'frozen'
             AND (o.status, o.content_hash, o.line_count, o.sum_fen)
                 IS DISTINCT FROM (n.status, n.content_hash, n.line_count, n.sum_fen)
             AND (n.line_count, n.sum_fen) IS DISTINCT FROM
                 (SELECT ROW (count(*)::integer, coalesce(sum(a.amount_fen), 0)::bigint)
                    FROM payment_attempts a WHERE a.batch_id = n.id AND a.status <> 'void')) > 0 THEN
        RAISE EXCEPTION 'the lines of a batch differ from its total' USING ERRCODE = 'ZD005';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.status IS DISTINCT FROM n.status
             AND NOT (CASE WHEN n.status IN ('submitted', 'checked', 'released') THEN ARRAY['assemble']
                           ELSE ARRAY[]::text[] END
                      || CASE WHEN n.status IN ('checked', 'released')
                              THEN (ARRAY['check', 'check_2', 'check_3'])[1:n.checks_needed]
                              ELSE ARRAY[]::text[] END
                      || CASE WHEN n.status = 'released' THEN ARRAY['release'] ELSE ARRAY[]::text[] END)
                     <@ (SELECT coalesce(array_agg(s.step), '{}') FROM batch_signatures s
                          WHERE s.batch_id = n.id AND s.content_hash = n.content_hash)) > 0 THEN
        RAISE EXCEPTION 'a signature is missing' USING ERRCODE = 'ZD006';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'released' AND coalesce(o.status, '') <> 'released'
             AND NOT EXISTS (SELECT FROM treasury_transfers t
                              WHERE t.batch_id = n.id AND t.sum_fen = n.sum_fen)) > 0 THEN
        RAISE EXCEPTION 'no treasury transfer over this sum' USING ERRCODE = 'ZD007';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A held batch goes no step on; it may be given up.
    f"""
    CREATE FUNCTION guard_held_batches() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE o.status IS DISTINCT FROM n.status AND coalesce(n.status, '') IN ('submitted', 'checked', 'released')
             AND {_HELD.format(batch="n.id")}) > 0 THEN
        RAISE EXCEPTION 'the batch is held' USING ERRCODE = 'ZD200';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Whoever sends locks the batch first, and so does whoever holds it: one of them sees the other.
    f"""
    CREATE FUNCTION guard_held_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM batches b WHERE b.id IN (SELECT n.batch_id FROM new_rows n WHERE n.status = 'sending')
        ORDER BY b.id FOR NO KEY UPDATE;
      IF FOUND AND (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'sending' AND coalesce(o.status, '') <> 'sending'
             AND {_HELD.format(batch="n.batch_id")}) > 0 THEN
        RAISE EXCEPTION 'the batch is held' USING ERRCODE = 'ZD200';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Nobody signs what is held; and whoever does not work for the batch's district stands in by a confirmed
    # delegation, for this post and day.
    f"""
    CREATE FUNCTION guard_batch_signatures() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE district_of_batch text;
    BEGIN
      SELECT b.district INTO district_of_batch FROM batches b WHERE b.id = NEW.batch_id FOR NO KEY UPDATE;
      IF {_HELD.format(batch="NEW.batch_id")} THEN
        RAISE EXCEPTION 'the batch is held' USING ERRCODE = 'ZD200';
      END IF;
      IF NEW.delegation_id IS NULL THEN
        IF NOT EXISTS (SELECT FROM users u WHERE u.id = NEW.user_id AND u.district = district_of_batch) THEN
          RAISE EXCEPTION 'nobody signs elsewhere without a delegation' USING ERRCODE = 'ZD201';
        END IF;
      ELSIF NOT EXISTS (
          SELECT FROM batch_delegations d
           WHERE d.id = NEW.delegation_id AND d.district = district_of_batch AND d.confirmed_at IS NOT NULL
             AND (d.delegate_user, d.delegate_person) = (NEW.user_id, NEW.person_id)
             AND d.post = CASE NEW.step WHEN 'assemble' THEN 'maker' WHEN 'release' THEN 'releaser'
                                        ELSE 'checker' END
             AND (NEW.signed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN d.first_day AND d.last_day) THEN
        RAISE EXCEPTION 'this delegation does not cover the signature' USING ERRCODE = 'ZD201';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_batch_holds() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM batches b WHERE b.id = NEW.batch_id FOR UPDATE;
      IF NOT EXISTS (SELECT FROM batches b
                      WHERE b.id = NEW.batch_id
                        AND b.status IN ('opened', 'frozen', 'submitted', 'checked', 'released'))
         OR EXISTS (SELECT FROM payment_attempts a
                     WHERE a.batch_id = NEW.batch_id AND a.status NOT IN ('prepared', 'void')) THEN
        RAISE EXCEPTION 'nothing is stopped once it is sending' USING ERRCODE = 'ZD202';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Proposed by one person, and confirmed later by another.
    """
    CREATE FUNCTION guard_batch_delegations() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.confirmed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a delegation is confirmed by another person' USING ERRCODE = 'ZD203';
      END IF;
      RETURN NEW;
    END $$
    """,
]

_SETS = "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION"
TRIGGERS = [
    f"guard_held AFTER UPDATE ON batches {_SETS} guard_held_batches()",
    f"guard_held AFTER UPDATE ON payment_attempts {_SETS} guard_held_attempts()",
    # after the foreign keys, whose triggers come first by name
    "guard_own AFTER INSERT ON batch_signatures FOR EACH ROW EXECUTE FUNCTION guard_batch_signatures()",
    "guard_own BEFORE INSERT ON batch_holds FOR EACH ROW EXECUTE FUNCTION guard_batch_holds()",
    "guard_own BEFORE INSERT ON batch_delegations FOR EACH ROW EXECUTE FUNCTION guard_batch_delegations()",
    "refuse_change BEFORE UPDATE OR DELETE ON batch_left_out FOR EACH ROW EXECUTE FUNCTION refuse_change()",
]

#: table → the column that ends its rows, and those that are set with it
ENDED_ONCE = {
    "batch_holds": ("lifted_at", "lifted_by", "lifted_person", "lift_note"),
    "batch_delegations": ("confirmed_at", "confirmed_by", "confirmed_person"),
}

GRANTS = [
    "SELECT, INSERT ON batch_delegations, batch_holds, batch_left_out, batch_progress",
    "UPDATE (checks_needed) ON batches",
    "UPDATE (done, total) ON batch_progress",
    *(f"UPDATE ({', '.join(columns)}) ON {table}" for table, columns in ENDED_ONCE.items()),
]

STEPS = {
    "batch_signatures": "step IN ('assemble', 'check', 'check_2', 'check_3', 'release')",
    "batch_register_checks": "step IN ('assemble', 'submit', 'send')",
}


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    _batches()
    _delegations()
    _holds()
    _left_out()
    op.add_column("batch_signatures", sa.Column("delegation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_batch_signatures_delegation_id"), "batch_signatures", "batch_delegations", ["delegation_id"], ["id"]
    )
    for table, condition in STEPS.items():
        op.drop_constraint(op.f(f"ck_{table}_step"), table)
        op.create_check_constraint(op.f(f"ck_{table}_step"), table, condition)
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for table, columns in ENDED_ONCE.items():
        op.execute(
            f"CREATE TRIGGER ended_once BEFORE UPDATE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION guard_ended_once('{columns[0]}', '{{{','.join(columns)}}}')"
        )
        op.execute(
            f"CREATE TRIGGER refuse_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _batches() -> None:
    op.add_column("batches", sa.Column("series", sa.Uuid(), nullable=True))
    # a constant default fills the rows that are there without writing them
    op.add_column("batches", sa.Column("checks_needed", sa.Integer(), nullable=False, server_default="1"))
    op.create_check_constraint(op.f("ck_batches_checks_needed"), "batches", "checks_needed BETWEEN 1 AND 3")
    op.create_index("ix_batches_series", "batches", ["series"], postgresql_where=sa.text("series IS NOT NULL"))
    op.alter_column("batches", "terms", server_default=sa.text(UNSAID))


def _delegations() -> None:
    table = "batch_delegations"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("delegate_user", sa.Uuid(), nullable=False),
        sa.Column("delegate_person", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_person", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("post IN ('maker', 'checker', 'releaser')", name=op.f(f"ck_{table}_post")),
        sa.CheckConstraint("last_day BETWEEN first_day AND first_day + 366", name=op.f(f"ck_{table}_days")),
        sa.CheckConstraint("reason <> ''", name=op.f(f"ck_{table}_reason")),
        sa.CheckConstraint(
            "num_nulls(confirmed_by, confirmed_person, confirmed_at) IN (0, 3)",
            name=op.f(f"ck_{table}_confirmed_whole"),
        ),
        sa.CheckConstraint(
            "confirmed_person <> proposed_person AND confirmed_person <> delegate_person",
            name=op.f(f"ck_{table}_two_persons"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f(f"fk_{table}_district")),
        *_keys(table, delegate="delegate_user"),
        *_keys(table, proposed="proposed_by", confirmed="confirmed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_batch_delegations_delegate_user", table, ["delegate_user"])


def _keys(table: str, **users: str) -> list[sa.ForeignKeyConstraint]:
    """For each verb the user who did it, and that user's person."""
    made = []
    for verb, user in users.items():
        made += [
            sa.ForeignKeyConstraint([user], ["users.id"], name=op.f(f"fk_{table}_{user}")),
            sa.ForeignKeyConstraint([f"{verb}_person"], ["people.id"], name=op.f(f"fk_{table}_{verb}_person")),
        ]
    return made


def _holds() -> None:
    table = "batch_holds"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_person", sa.Uuid(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_person", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lift_note", sa.Text(), nullable=False, server_default=""),
        sa.CheckConstraint(
            "num_nulls(lifted_by, lifted_person, lifted_at) IN (0, 3)", name=op.f(f"ck_{table}_lifted_whole")
        ),
        sa.CheckConstraint("lifted_person <> placed_person", name=op.f(f"ck_{table}_two_persons")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f(f"fk_{table}_batch_id")),
        *_keys(table, placed="placed_by", lifted="lifted_by"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(
        "uq_batch_holds_live", table, ["batch_id"], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_index("ix_batch_holds_batch", table, ["batch_id"])


def _left_out() -> None:
    op.create_table(
        "batch_left_out",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reasons", JSONB(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("step IN ('assemble', 'submit')", name=op.f("ck_batch_left_out_step")),
        sa.CheckConstraint("(step = 'submit') = (reference IS NOT NULL)", name=op.f("ck_batch_left_out_reference")),
        sa.CheckConstraint("jsonb_array_length(reasons) > 0", name=op.f("ck_batch_left_out_reasons")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_left_out_batch_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_batch_left_out_claim_id")),
        sa.PrimaryKeyConstraint("batch_id", "claim_id", name=op.f("pk_batch_left_out")),
    )
    op.create_table(
        "batch_progress",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("total", sa.Integer(), nullable=False, server_default="0"),
        sa.CheckConstraint("done BETWEEN 0 AND total", name=op.f("ck_batch_progress_done")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_progress_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch_progress")),
    )
