"""Clawbacks and supplements: what was paid too much or too little is owed, by rule and by several persons."""

import sqlalchemy as sa
from alembic import op

revision = "clawbacks"
down_revision = "manual_checks"
branch_labels = None
depends_on = None

MOVES = [
    ("clawback", "", "raise", "raised"),
    ("clawback", "raised", "demand", "demanded"),
    ("clawback", "raised", "waive", "waived"),
    ("clawback", "demanded", "repay_part", "part_repaid"),
    ("clawback", "demanded", "repay", "repaid"),
    ("clawback", "demanded", "waive", "waived"),
    ("clawback", "demanded", "enforce", "enforced"),
    ("clawback", "part_repaid", "repay_part", "part_repaid"),
    ("clawback", "part_repaid", "repay", "repaid"),
    ("clawback", "part_repaid", "waive", "waived"),
    ("clawback", "part_repaid", "enforce", "enforced"),
]
WAIVING = ("granted", "answered_by", "answered_person", "answered_at")
ANSWERING = ("right_fen", "answer_text", "answered_by", "answered_person", "answered_at")

FUNCTIONS = [
    # Of paid claims only, and in all no more than was paid: claims are locked, so that two cannot pass side by side.
    """
    CREATE FUNCTION guard_clawbacks_raised() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM claims c WHERE c.id IN (SELECT claim_id FROM new_rows) ORDER BY c.id FOR NO KEY UPDATE;
      IF (SELECT count(*) FROM new_rows n LEFT JOIN claims c ON c.id = n.claim_id
           WHERE c.status IS DISTINCT FROM 'paid'
              OR c.amount_fen < (SELECT sum(k.amount_fen) FROM clawbacks k
                                  WHERE k.claim_id = n.claim_id AND k.status <> 'waived')) > 0 THEN
        RAISE EXCEPTION 'no more is owed back than was paid' USING ERRCODE = 'ZD193';
      END IF;
      RETURN NULL;
    END $$
    """,
    # What is owed stays as it was raised; it is waived only by the law that two persons named.
    """
    CREATE FUNCTION guard_clawbacks_ended() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE (to_jsonb(o) - '{status,letter_number}'::text[])
                 IS DISTINCT FROM (to_jsonb(n) - '{status,letter_number}'::text[])
              OR (o.letter_number <> '' AND o.letter_number IS DISTINCT FROM n.letter_number)) > 0 THEN
        RAISE EXCEPTION 'a clawback stays as it was raised' USING ERRCODE = 'ZD012';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'waived' AND o.status IS DISTINCT FROM 'waived'
             AND NOT EXISTS (SELECT FROM clawback_waivers w WHERE w.clawback_id = n.id AND w.granted)) > 0 THEN
        RAISE EXCEPTION 'a clawback is waived by two persons' USING ERRCODE = 'ZD194';
      END IF;
      RETURN NULL;
    END $$
    """,
    # By the claimant or the institution that filed, over a claim that is paid, and open at first.
    """
    CREATE FUNCTION guard_amount_appeals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.right_fen IS NOT NULL OR NOT EXISTS (
           SELECT FROM claims c
            WHERE c.id = NEW.claim_id AND c.status = 'paid'
              AND (c.person_id = NEW.appealed_person
                   OR EXISTS (SELECT FROM users u
                               WHERE u.id = NEW.appealed_by AND u.person_id = NEW.appealed_person
                                 AND u.institution_id = c.institution_id))) THEN
        RAISE EXCEPTION 'nobody may appeal so' USING ERRCODE = 'ZD195';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_amount_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM claims c
                  WHERE c.id = NEW.claim_id
                    AND (c.person_id = NEW.answered_person
                         OR EXISTS (SELECT FROM journal j
                                     WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.action = 'approve'
                                       AND j.actor_person_id = NEW.answered_person))) THEN
        RAISE EXCEPTION 'an appeal is answered by another person' USING ERRCODE = 'ZD196';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Just the difference that an answered appeal says.
    """
    CREATE FUNCTION guard_claim_supplements() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM amount_appeals a JOIN claims c ON c.id = a.claim_id
                      WHERE a.id = NEW.appeal_id AND a.claim_id = NEW.claim_id
                        AND a.right_fen - c.amount_fen = NEW.amount_fen) THEN
        RAISE EXCEPTION 'a supplement is the difference that an appeal was answered with' USING ERRCODE = 'ZD197';
      END IF;
      RETURN NEW;
    END $$
    """,
]

NEW, BOTH = "NEW TABLE AS new_rows", "NEW TABLE AS new_rows OLD TABLE AS old_rows"
TRIGGERS = [
    f"guard_moves_on_insert AFTER INSERT ON clawbacks REFERENCING {NEW}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('clawback')",
    f"guard_moves_on_update AFTER UPDATE ON clawbacks REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('clawback')",
    f"guard_clawbacks_raised AFTER INSERT ON clawbacks REFERENCING {NEW}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_clawbacks_raised()",
    f"guard_clawbacks_ended AFTER UPDATE ON clawbacks REFERENCING {BOTH}"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_clawbacks_ended()",
    "guard_ended_once BEFORE UPDATE ON clawback_waivers"
    f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('answered_at', '{{{','.join(WAIVING)}}}')",
    "guard_amount_appeals BEFORE INSERT ON amount_appeals FOR EACH ROW EXECUTE FUNCTION guard_amount_appeals()",
    "guard_amount_answers BEFORE UPDATE ON amount_appeals FOR EACH ROW EXECUTE FUNCTION guard_amount_answers()",
    "guard_ended_once BEFORE UPDATE ON amount_appeals"
    f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('answered_at', '{{{','.join(ANSWERING)}}}')",
    "guard_claim_supplements BEFORE INSERT ON claim_supplements"
    " FOR EACH ROW EXECUTE FUNCTION guard_claim_supplements()",
    *(
        f"refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            ("clawbacks", "DELETE"),
            ("clawback_waivers", "DELETE"),
            ("amount_appeals", "DELETE"),
            ("claim_supplements", "UPDATE OR DELETE"),
        )
    ),
]


def _persons(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    """Who did it: users, and the persons behind them."""
    return [
        sa.ForeignKeyConstraint(
            [column], ["people.id" if column.endswith("_person") else "users.id"], name=op.f(f"fk_{table}_{column}")
        )
        for column in columns
    ]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    op.create_table(
        "clawbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("ground_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=True),
        sa.Column("raised_person", sa.Uuid(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("letter_number", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "cause IN ('revocation', 'objection', 'appeal', 'sanction', 'recheck', 'audit', 'standards')",
            name=op.f("ck_clawbacks_cause"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_clawbacks_amount")),
        sa.CheckConstraint("status IN ('raised', 'waived') OR letter_number <> ''", name=op.f("ck_clawbacks_letter")),
        sa.CheckConstraint("num_nulls(raised_by, raised_person) IN (0, 2)", name=op.f("ck_clawbacks_raised_whole")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_clawbacks_claim_id")),
        *_persons("clawbacks", "raised_by", "raised_person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clawbacks")),
        sa.UniqueConstraint("cause", "ground_id", name="uq_clawbacks_ground"),
    )
    op.create_index(op.f("ix_clawbacks_claim_id"), "clawbacks", ["claim_id"])
    op.create_index(
        "uq_clawbacks_open",
        "clawbacks",
        ["claim_id", "cause"],
        unique=True,
        postgresql_where=sa.text("status IN ('raised', 'demanded', 'part_repaid')"),
    )
    op.create_table(
        "clawback_waivers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clawback_id", sa.Uuid(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_person", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("law <> '' AND note <> ''", name=op.f("ck_clawback_waivers_reason")),
        sa.CheckConstraint(
            "num_nulls(granted, answered_by, answered_person, answered_at) IN (0, 4)",
            name=op.f("ck_clawback_waivers_answered_whole"),
        ),
        sa.CheckConstraint("answered_person <> proposed_person", name=op.f("ck_clawback_waivers_two_persons")),
        sa.ForeignKeyConstraint(["clawback_id"], ["clawbacks.id"], name=op.f("fk_clawback_waivers_clawback_id")),
        *_persons("clawback_waivers", "proposed_by", "proposed_person", "answered_by", "answered_person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clawback_waivers")),
    )
    op.create_index(op.f("ix_clawback_waivers_clawback_id"), "clawback_waivers", ["clawback_id"])
    op.create_index(
        "uq_clawback_waivers_open",
        "clawback_waivers",
        ["clawback_id"],
        unique=True,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "amount_appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appealed_by", sa.Uuid(), nullable=False),
        sa.Column("appealed_person", sa.Uuid(), nullable=False),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("right_fen", sa.BigInteger(), nullable=True),
        sa.Column("answer_text", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_person", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "num_nulls(right_fen, answered_by, answered_person, answered_at) IN (0, 4)",
            name=op.f("ck_amount_appeals_answered_whole"),
        ),
        sa.CheckConstraint("(right_fen IS NULL) = (answer_text = '')", name=op.f("ck_amount_appeals_answer_text")),
        sa.CheckConstraint("right_fen >= 0", name=op.f("ck_amount_appeals_right")),
        sa.CheckConstraint("answered_person <> appealed_person", name=op.f("ck_amount_appeals_two_persons")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_amount_appeals_claim_id")),
        *_persons("amount_appeals", "appealed_by", "appealed_person", "answered_by", "answered_person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amount_appeals")),
        sa.UniqueConstraint("claim_id", name="uq_amount_appeals_claim"),
    )
    op.create_index(
        "ix_amount_appeals_due", "amount_appeals", ["due_on"], postgresql_where=sa.text("answered_at IS NULL")
    )
    op.create_table(
        "claim_supplements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("owed_by", sa.Uuid(), nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_claim_supplements_amount")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_supplements_claim_id")),
        sa.ForeignKeyConstraint(["appeal_id"], ["amount_appeals.id"], name=op.f("fk_claim_supplements_appeal_id")),
        *_persons("claim_supplements", "owed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_supplements")),
        sa.UniqueConstraint("appeal_id", name="uq_claim_supplements_appeal"),
    )
    op.create_index(op.f("ix_claim_supplements_claim_id"), "claim_supplements", ["claim_id"])
    for statement in FUNCTIONS:
        op.execute(statement)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT ON clawbacks, clawback_waivers, amount_appeals, claim_supplements TO zhida_app")
    op.execute("GRANT UPDATE (status, letter_number) ON clawbacks TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(WAIVING)}) ON clawback_waivers TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(ANSWERING)}) ON amount_appeals TO zhida_app")
