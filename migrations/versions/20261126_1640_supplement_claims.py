"""Supplements are paid as claims; corrections of standards, enforced clawbacks and new accounts need two persons."""

import sqlalchemy as sa
from alembic import op

revision = "supplement_claims"
down_revision = "bank_statements"
branch_labels = None
depends_on = None

ANSWERING = ("granted", "answered_by", "answered_person", "answered_at")
CHECKING = ("confirmed", "note", "answered_by", "answered_person", "answered_at")

#: What changes of the conditions by kind that revisions `project_claims` and `living_allowance` made.
KINDS = {
    "kind": "kind IN ('training', 'project', 'allowance', 'supplement')",
    "supplement": "(kind = 'supplement') = (supplement_of IS NOT NULL)",
    "granted": "kind <> 'supplement' OR status NOT IN"
    " ('verified', 'in_review', 'sent_back', 'approved', 'noticed', 'refused', 'lapsed')",
    "mandate": "(channel = 'institution' AND kind NOT IN ('project', 'supplement'))"
    " = (mandate_id IS NOT NULL AND institution_id IS NOT NULL)",
    "payee": "kind = 'supplement' OR payee_institution_id IS NOT DISTINCT FROM"
    " CASE WHEN channel = 'enterprise' OR kind = 'project' THEN institution_id END",
}

FUNCTIONS = [
    # Whether a claim is owed back for what has nothing to do with how much was due: wholly, or at all.
    """
    CREATE FUNCTION asked_back_fen(claim uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
      SELECT coalesce(sum(k.amount_fen), 0)::bigint FROM clawbacks k
       WHERE k.claim_id = claim AND k.status <> 'waived' AND k.cause NOT IN ('appeal', 'standards')
    $$
    """,
    # Only a supplement goes to the money past the officers, while the claim it belongs to is paid and stays so.
    """
    CREATE FUNCTION guard_granted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM claims b WHERE b.id = NEW.supplement_of FOR NO KEY UPDATE;
      IF NOT EXISTS (SELECT FROM claims b
                      WHERE b.id = NEW.supplement_of AND b.status = 'paid'
                        AND asked_back_fen(b.id) < b.amount_fen) THEN
        RAISE EXCEPTION 'only a supplement of what is paid is granted' USING ERRCODE = 'ZD230';
      END IF;
      RETURN NEW;
    END $$
    """,
    # What is owed, to whom it was paid, on the account it was paid to.
    """
    CREATE FUNCTION guard_supplement_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM claim_supplements s JOIN claims b ON b.id = s.claim_id
                      WHERE s.id = NEW.id AND b.id = NEW.supplement_of AND b.status = 'paid'
                        AND s.amount_fen = NEW.amount_fen AND NEW.subsidy_key = 'supplement:' || s.id
                        AND (b.person_id, b.account_id, b.district, b.group_code, b.channel, b.item_id, b.level)
                            = (NEW.person_id, NEW.account_id, NEW.district, NEW.group_code, NEW.channel, NEW.item_id,
                               NEW.level)
                        AND (b.payee_institution_id, b.institution_id)
                            IS NOT DISTINCT FROM (NEW.payee_institution_id, NEW.institution_id)) THEN
        RAISE EXCEPTION 'a supplement is what is owed, to whom it is owed' USING ERRCODE = 'ZD231';
      END IF;
      RETURN NEW;
    END $$
    """,
    # The difference between what an appeal or a correction that two persons made says, and what counts as paid; the
    # claim is locked, so that two cannot pass side by side.
    """
    CREATE OR REPLACE FUNCTION guard_claim_supplements() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM claims c WHERE c.id = NEW.claim_id FOR NO KEY UPDATE;
      IF NOT EXISTS (
           SELECT FROM claims c
             LEFT JOIN amount_appeals a ON a.id = NEW.appeal_id AND a.claim_id = c.id
             LEFT JOIN amount_correction_lines l ON l.correction_id = NEW.correction_id AND l.claim_id = c.id
              AND EXISTS (SELECT FROM amount_corrections k WHERE k.id = l.correction_id AND k.granted)
            WHERE c.id = NEW.claim_id AND c.kind <> 'supplement' AND c.status = 'paid'
              AND NEW.right_fen = coalesce(a.right_fen, l.right_fen)
              AND NEW.paid_fen = c.amount_fen
                  + (SELECT coalesce(sum(s.amount_fen), 0) FROM claim_supplements s LEFT JOIN claims p ON p.id = s.id
                      WHERE s.claim_id = c.id AND p.status IS DISTINCT FROM 'withdrawn')
                  - (SELECT coalesce(sum(k.amount_fen), 0) FROM clawbacks k
                      WHERE k.status <> 'waived' AND k.cause IN ('appeal', 'standards')
                        AND (k.claim_id = c.id
                             OR k.claim_id IN (SELECT s.id FROM claim_supplements s WHERE s.claim_id = c.id)))
              AND asked_back_fen(c.id) = 0) THEN
        RAISE EXCEPTION 'a supplement is the difference that two persons found' USING ERRCODE = 'ZD232';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_enforced() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM clawback_enforcements e JOIN clawback_terms t USING (clawback_id)
                      WHERE e.clawback_id = NEW.id AND e.granted AND e.ordered_on > t.due_on) THEN
        RAISE EXCEPTION 'a clawback is enforced by two persons, after its term' USING ERRCODE = 'ZD233';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_enforcements() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.answered_at IS NOT NULL
         OR NOT EXISTS (SELECT FROM clawbacks k JOIN clawback_terms t ON t.clawback_id = k.id
                         WHERE k.id = NEW.clawback_id AND k.status IN ('demanded', 'part_repaid')
                           AND NEW.ordered_on > t.due_on) THEN
        RAISE EXCEPTION 'nothing is enforced that may still be paid back freely' USING ERRCODE = 'ZD234';
      END IF;
      RETURN NEW;
    END $$
    """,
    # A term begins with the demand.
    """
    CREATE FUNCTION guard_clawback_terms() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM journal j
                      WHERE j.subject_kind = 'clawback' AND j.subject_id = NEW.clawback_id AND j.action = 'demand'
                        AND j.xid = pg_current_xact_id()::text
                        AND NEW.due_on > (j.at AT TIME ZONE 'Asia/Shanghai')::date) THEN
        RAISE EXCEPTION 'a term begins with the demand' USING ERRCODE = 'ZD239';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Another account of the person who is paid, for a claim that came back; checked by somebody who is not paid.
    """
    CREATE FUNCTION guard_account_checks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (TG_OP = 'INSERT' AND NEW.answered_at IS NOT NULL)
         OR NOT EXISTS (SELECT FROM claims c JOIN accounts a ON a.person_id = c.person_id
                         WHERE c.id = NEW.claim_id AND a.id = NEW.account_id AND c.payee_institution_id IS NULL
                           AND (c.status = 'bounced' OR TG_OP = 'UPDATE')
                           AND NEW.answered_person IS DISTINCT FROM c.person_id) THEN
        RAISE EXCEPTION 'another account is checked by another person' USING ERRCODE = 'ZD235';
      END IF;
      RETURN NEW;
    END $$
    """,
    # From the amount on that the policy of the day says, another person confirmed just this account. (That of an
    # institution was confirmed when it was put in force.)
    """
    CREATE FUNCTION guard_new_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.amount_fen >= (
           SELECT (p.value #>> '{}')::bigint FROM policies p
            WHERE p.key = 'new_account_check_fen'
              AND p.in_force @> (SELECT (j.at AT TIME ZONE 'Asia/Shanghai')::date FROM journal j
                                  WHERE j.subject_kind = 'claim' AND j.subject_id = NEW.id
                                    AND j.xid = pg_current_xact_id()::text ORDER BY j.id DESC LIMIT 1))
         AND NOT EXISTS (SELECT FROM account_checks k
                          WHERE k.claim_id = NEW.id AND k.account_id = NEW.account_id AND k.confirmed) THEN
        RAISE EXCEPTION 'another account for this much is confirmed by another person' USING ERRCODE = 'ZD236';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_correction_lines() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM amount_corrections k JOIN claims c ON c.id = NEW.claim_id
                      WHERE k.id = NEW.correction_id AND k.answered_at IS NULL AND c.district = k.district
                        AND c.kind = 'training') THEN
        RAISE EXCEPTION 'a correction has the lines with which it was proposed' USING ERRCODE = 'ZD237';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Confirmed is what its lines add up to, by a set that is in force.
    """
    CREATE FUNCTION guard_corrections() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (TG_OP = 'INSERT' AND NEW.answered_at IS NOT NULL)
         OR (coalesce(NEW.granted, false) AND (NEW.more_count, NEW.more_fen, NEW.less_count, NEW.less_fen)
              <> ALL (SELECT count(*) FILTER (WHERE differs > 0)::integer,
                             coalesce(sum(differs) FILTER (WHERE differs > 0), 0)::bigint,
                             count(*) FILTER (WHERE differs < 0)::integer,
                             coalesce(-sum(differs) FILTER (WHERE differs < 0), 0)::bigint
                        FROM (SELECT right_fen - paid_fen AS differs FROM amount_correction_lines
                               WHERE correction_id = NEW.id) AS line))
         OR ((TG_OP = 'INSERT' OR NEW.granted)
             AND NOT EXISTS (SELECT FROM standard_sets s WHERE s.id = NEW.set_id AND s.status = 'published')) THEN
        RAISE EXCEPTION 'a correction is what its lines add up to, by a published set' USING ERRCODE = 'ZD238';
      END IF;
      RETURN NEW;
    END $$
    """,
]


def _ended_once(table: str, columns: tuple[str, ...]) -> str:
    return (
        f"guard_ended_once BEFORE UPDATE ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION guard_ended_once('answered_at', '{{{','.join(columns)}}}')"
    )


TRIGGERS = [
    "guard_granted BEFORE UPDATE OF status ON claims FOR EACH ROW"
    " WHEN (OLD.status = 'filed' AND NEW.status = 'payable') EXECUTE FUNCTION guard_granted()",
    "guard_supplement_claims BEFORE INSERT ON claims FOR EACH ROW WHEN (NEW.kind = 'supplement')"
    " EXECUTE FUNCTION guard_supplement_claims()",
    # after the statement, which writes the journal too
    "guard_new_accounts AFTER UPDATE OF account_id ON claims FOR EACH ROW"
    " WHEN (OLD.status = 'bounced' AND OLD.account_id <> NEW.account_id AND NEW.payee_institution_id IS NULL)"
    " EXECUTE FUNCTION guard_new_accounts()",
    "guard_enforced BEFORE UPDATE OF status ON clawbacks FOR EACH ROW"
    " WHEN (OLD.status <> 'enforced' AND NEW.status = 'enforced') EXECUTE FUNCTION guard_enforced()",
    "guard_enforcements BEFORE INSERT ON clawback_enforcements FOR EACH ROW EXECUTE FUNCTION guard_enforcements()",
    "guard_clawback_terms BEFORE INSERT ON clawback_terms FOR EACH ROW EXECUTE FUNCTION guard_clawback_terms()",
    "guard_account_checks BEFORE INSERT OR UPDATE ON account_checks FOR EACH ROW"
    " EXECUTE FUNCTION guard_account_checks()",
    "guard_correction_lines BEFORE INSERT ON amount_correction_lines FOR EACH ROW"
    " EXECUTE FUNCTION guard_correction_lines()",
    "guard_corrections BEFORE INSERT OR UPDATE ON amount_corrections FOR EACH ROW"
    " EXECUTE FUNCTION guard_corrections()",
    _ended_once("clawback_enforcements", ANSWERING),
    _ended_once("amount_corrections", ANSWERING),
    _ended_once("account_checks", CHECKING),
    *(
        f"refuse_change BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for table, events in (
            ("clawback_terms", "UPDATE OR DELETE"),
            ("clawback_enforcements", "DELETE"),
            ("amount_corrections", "DELETE"),
            ("amount_correction_lines", "UPDATE OR DELETE"),
            ("account_checks", "DELETE"),
        )
    ),
]

GRANTS = [
    "SELECT, INSERT ON clawback_terms, clawback_enforcements, amount_corrections, amount_correction_lines,"
    " account_checks",
    f"UPDATE ({', '.join(ANSWERING)}) ON clawback_enforcements",
    f"UPDATE ({', '.join(ANSWERING)}) ON amount_corrections",
    f"UPDATE ({', '.join(CHECKING)}) ON account_checks",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [{"noun": "claim", "before": "filed", "action": "grant", "after": "payable"}])
    _claims()
    _clawbacks()
    _account_checks()
    _corrections()
    _supplements()
    for statement in FUNCTIONS:
        op.execute(statement)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _claims() -> None:
    op.add_column("claims", sa.Column("supplement_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_claims_supplement_of"), "claims", "claims", ["supplement_of"], ["id"])
    op.create_index(
        "ix_claims_supplement", "claims", ["supplement_of"], postgresql_where=sa.text("supplement_of IS NOT NULL")
    )
    for name in ("kind", "mandate", "payee"):
        op.drop_constraint(op.f(f"ck_claims_{name}"), "claims")
    for name, condition in KINDS.items():
        op.create_check_constraint(op.f(f"ck_claims_{name}"), "claims", condition)


def _persons(table: str, *who: str) -> list[sa.Column[object] | sa.ForeignKeyConstraint]:
    """Who did it, as a user and as the person behind it, and when; only the first has to be there."""
    made: list[sa.Column[object] | sa.ForeignKeyConstraint] = []
    for place, each in enumerate(who):
        there = {"nullable": place > 0}
        made += [
            sa.Column(f"{each}_by", sa.Uuid(), **there),
            sa.Column(f"{each}_person", sa.Uuid(), **there),
            sa.Column(f"{each}_at", sa.DateTime(timezone=True), **there),
            sa.ForeignKeyConstraint([f"{each}_by"], ["users.id"], name=op.f(f"fk_{table}_{each}_by")),
            sa.ForeignKeyConstraint([f"{each}_person"], ["people.id"], name=op.f(f"fk_{table}_{each}_person")),
        ]
    return made


def _two_persons(table: str, answer: str) -> list[sa.Column[object] | sa.CheckConstraint]:
    return [
        sa.Column(answer, sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            f"num_nulls({answer}, answered_by, answered_person, answered_at) IN (0, 4)",
            name=op.f(f"ck_{table}_answered_whole"),
        ),
        sa.CheckConstraint("answered_person <> proposed_person", name=op.f(f"ck_{table}_two_persons")),
    ]


def _clawbacks() -> None:
    op.drop_constraint("uq_clawbacks_ground", "clawbacks")
    op.create_unique_constraint("uq_clawbacks_ground", "clawbacks", ["cause", "ground_id", "claim_id"])
    op.create_table(
        "clawback_terms",
        sa.Column("clawback_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["clawback_id"], ["clawbacks.id"], name=op.f("fk_clawback_terms_clawback_id")),
        sa.PrimaryKeyConstraint("clawback_id", name=op.f("pk_clawback_terms")),
    )
    # what was demanded before there were terms: thirty days, as where no parameter says otherwise
    op.execute("""
        INSERT INTO clawback_terms (clawback_id, due_on)
        SELECT subject_id, (max(at) AT TIME ZONE 'Asia/Shanghai')::date + 30 FROM journal
         WHERE subject_kind = 'clawback' AND action = 'demand' GROUP BY subject_id
    """)
    table = "clawback_enforcements"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clawback_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        *_persons(table, "proposed", "answered"),
        *_two_persons(table, "granted"),
        sa.CheckConstraint("order_number <> ''", name=op.f(f"ck_{table}_order_number")),
        sa.ForeignKeyConstraint(["clawback_id"], ["clawbacks.id"], name=op.f(f"fk_{table}_clawback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_clawback_id"), table, ["clawback_id"])
    _open_once(table, "clawback_id")


def _open_once(table: str, *columns: str) -> None:
    op.create_index(
        f"uq_{table}_open", table, list(columns), unique=True, postgresql_where=sa.text("answered_at IS NULL")
    )


def _account_checks() -> None:
    table = "account_checks"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        *_persons(table, "proposed", "answered"),
        *_two_persons(table, "confirmed"),
        sa.CheckConstraint("(confirmed IS NULL) = (note = '')", name=op.f(f"ck_{table}_note")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f(f"fk_{table}_claim_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_claim_id"), table, ["claim_id"])
    _open_once(table, "claim_id")


def _corrections() -> None:
    table = "amount_corrections"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("more_count", sa.Integer(), nullable=False),
        sa.Column("more_fen", sa.BigInteger(), nullable=False),
        sa.Column("less_count", sa.Integer(), nullable=False),
        sa.Column("less_fen", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *_persons(table, "proposed", "answered"),
        *_two_persons(table, "granted"),
        sa.CheckConstraint(
            "more_count >= 0 AND less_count >= 0 AND more_count + less_count > 0", name=op.f(f"ck_{table}_counts")
        ),
        sa.CheckConstraint(
            "(more_count > 0) = (more_fen > 0) AND (less_count > 0) = (less_fen > 0)", name=op.f(f"ck_{table}_sums")
        ),
        sa.CheckConstraint("note <> ''", name=op.f(f"ck_{table}_note")),
        sa.ForeignKeyConstraint(["set_id"], ["standard_sets.id"], name=op.f(f"fk_{table}_set_id")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f(f"fk_{table}_district")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    _open_once(table, "set_id", "district")
    lines = "amount_correction_lines"
    op.create_table(
        lines,
        sa.Column("correction_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("right_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("right_fen >= 0 AND right_fen <> paid_fen", name=op.f(f"ck_{lines}_differs")),
        sa.ForeignKeyConstraint(["correction_id"], [f"{table}.id"], name=op.f(f"fk_{lines}_correction_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f(f"fk_{lines}_claim_id")),
        sa.PrimaryKeyConstraint("correction_id", "claim_id", name=op.f(f"pk_{lines}")),
    )


def _supplements() -> None:
    """Those that are there say what was right and what was paid, and their payment is owed."""
    table = "claim_supplements"
    op.alter_column(table, "appeal_id", nullable=True)
    op.add_column(table, sa.Column("correction_id", sa.Uuid(), nullable=True))
    for name in ("right_fen", "paid_fen"):
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    op.execute(f"""
        UPDATE {table} s SET right_fen = a.right_fen, paid_fen = a.right_fen - s.amount_fen
          FROM amount_appeals a WHERE a.id = s.appeal_id
    """)
    op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for name in ("right_fen", "paid_fen"):
        op.alter_column(table, name, nullable=False)
    op.create_foreign_key(op.f(f"fk_{table}_correction_id"), table, "amount_corrections", ["correction_id"], ["id"])
    op.create_unique_constraint(f"uq_{table}_correction", table, ["correction_id", "claim_id"])
    op.create_check_constraint(op.f(f"ck_{table}_difference"), table, "amount_fen = right_fen - paid_fen")
    op.create_check_constraint(op.f(f"ck_{table}_ground"), table, "num_nonnulls(appeal_id, correction_id) = 1")
    op.execute(f"""
        INSERT INTO jobs (kind, subject, round, next_at)
        SELECT 'clawbacks.pay_supplement', id, 1, now() FROM {table} ORDER BY owed_at, id
    """)
