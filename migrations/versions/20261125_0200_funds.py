"""Funds: positions, appropriations by two persons, and a ledger without which no claim enters or leaves its money."""

import sqlalchemy as sa
from alembic import op

revision = "funds"
down_revision = "guards_of_sets"
branch_labels = None
depends_on = None

POTS = [
    *((status, "free") for status in ("filed", "verified", "in_review", "sent_back")),
    *((status, "free") for status in ("refused", "withdrawn", "lapsed", "recovered")),
    *((status, "reserved") for status in ("approved", "noticed", "payable", "batched", "bounced")),
    ("batched", "in_flight"),
    ("paid", "paid"),
]

_WAYS = (
    "(kind, source, target) IN (('appropriate', 'treasury', 'free'), ('carry_over', 'treasury', 'free'),"
    " ('reserve', 'free', 'reserved'), ('send', 'reserved', 'in_flight'), ('pay', 'in_flight', 'paid'),"
    " ('fail', 'in_flight', 'reserved'), ('bounce', 'paid', 'reserved'), ('release', 'reserved', 'free'),"
    " ('recover', 'paid', 'free'))"
)

#: What claims approved before now need, as if it had been appropriated for the year in which each was approved.
CARRY_OVER = [
    """
    CREATE TEMPORARY TABLE carried ON COMMIT DROP AS
    SELECT c.id AS claim_id, c.district, c.amount_fen,
           extract(year FROM coalesce((SELECT max(j.at) FROM journal j WHERE j.subject_kind = 'claim'
                                          AND j.subject_id = c.id AND j.action = 'approve'), c.filed_at)
                             AT TIME ZONE 'Asia/Shanghai')::integer AS year,
           CASE WHEN c.status = 'paid' THEN 'paid'
                WHEN EXISTS (SELECT FROM payment_attempts a
                              WHERE a.claim_id = c.id AND a.status IN ('sending', 'sent', 'unknown')) THEN 'in_flight'
                ELSE 'reserved' END AS pot
      FROM claims c
     WHERE c.status IN ('approved', 'noticed', 'payable', 'batched', 'bounced', 'paid')
    """,
    "INSERT INTO funds SELECT 'employment_subsidy', '就业补助资金' WHERE EXISTS (SELECT FROM carried)",
    """
    INSERT INTO fund_positions (id, district, fund, year, appropriated_fen, reserved_fen, in_flight_fen, paid_fen)
    SELECT gen_random_uuid(), district, 'employment_subsidy', year, sum(amount_fen),
           coalesce(sum(amount_fen) FILTER (WHERE pot = 'reserved'), 0),
           coalesce(sum(amount_fen) FILTER (WHERE pot = 'in_flight'), 0),
           coalesce(sum(amount_fen) FILTER (WHERE pot = 'paid'), 0)
      FROM carried GROUP BY district, year
    """,
    """
    INSERT INTO fund_reservations (claim_id, position_id, amount_fen, pot)
    SELECT c.claim_id, p.id, c.amount_fen, c.pot
      FROM carried c JOIN fund_positions p ON (p.district, p.year) = (c.district, c.year)
    """,
    """
    INSERT INTO fund_movements (position_id, claim_id, kind, source, target, amount_fen, actor_name, at)
    SELECT line.position_id, line.claim_id, line.kind, line.source, line.target, line.amount_fen, 'migration', now()
      FROM (SELECT 0 AS place, id AS position_id, NULL::uuid AS claim_id, 'carry_over' AS kind, 'treasury' AS source,
                   'free' AS target, appropriated_fen AS amount_fen FROM fund_positions
             UNION ALL
            SELECT way.place, r.position_id, r.claim_id, way.kind, way.source, way.target, r.amount_fen
              FROM fund_reservations r
              JOIN (VALUES (1, 'reserve', 'free', 'reserved'), (2, 'send', 'reserved', 'in_flight'),
                           (3, 'pay', 'in_flight', 'paid')) AS way (place, kind, source, target)
                ON way.place <= array_position(ARRAY['reserved', 'in_flight', 'paid'], r.pot)) AS line
     ORDER BY line.place, line.position_id, line.claim_id
    """,
]

FUNCTIONS = [
    # Positions and reservations are what the ledger adds up to: they change from within its trigger only.
    """
    CREATE FUNCTION guard_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% changes only by a movement', TG_TABLE_NAME USING ERRCODE = 'ZD020';
      END IF;
      RETURN NULL;
    END $$
    """,
    # A line is added up, or refused when it takes money from where it is not. Rows are locked in order of id.
    """
    CREATE FUNCTION post_fund_movements() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE held bigint; followed bigint;
    BEGIN
      IF EXISTS (SELECT FROM new_rows n
                   LEFT JOIN appropriations a ON a.id = n.appropriation_id
                   JOIN fund_positions p ON p.id = n.position_id
                  WHERE n.source = 'treasury'
                    AND (a.district, a.fund, a.year, a.amount_fen)
                        IS DISTINCT FROM (p.district, p.fund, p.year, n.amount_fen)) THEN
        RAISE EXCEPTION 'money comes by an appropriation, for its district, fund and year' USING ERRCODE = 'ZD021';
      END IF;
      INSERT INTO fund_reservations AS r (claim_id, position_id, amount_fen, pot)
      SELECT n.claim_id, n.position_id, n.amount_fen, n.target FROM new_rows n WHERE n.source = 'free'
       ORDER BY n.claim_id
      ON CONFLICT (claim_id) DO UPDATE
         SET position_id = excluded.position_id, amount_fen = excluded.amount_fen, pot = excluded.pot
       WHERE r.pot = 'free';
      GET DIAGNOSTICS held = ROW_COUNT;
      UPDATE fund_reservations r SET pot = n.target FROM new_rows n
       WHERE n.source NOT IN ('treasury', 'free')
         AND (r.claim_id, r.position_id, r.amount_fen, r.pot)
             = (n.claim_id, n.position_id, n.amount_fen, n.source);
      GET DIAGNOSTICS followed = ROW_COUNT;
      IF EXISTS (SELECT FROM new_rows n JOIN claims c ON c.id = n.claim_id
                  WHERE n.source <> 'free' AND n.target <> 'free'
                    AND c.status <> CASE n.kind WHEN 'bounce' THEN 'paid' ELSE 'batched' END) THEN
        RAISE EXCEPTION 'this money is not with a bank' USING ERRCODE = 'ZD024';
      END IF;
      IF held + followed <> (SELECT count(*) FROM new_rows n WHERE n.claim_id IS NOT NULL) THEN
        RAISE EXCEPTION 'the money of a claim is not where this takes it from' USING ERRCODE = 'ZD022';
      END IF;
      PERFORM FROM fund_positions WHERE id IN (SELECT n.position_id FROM new_rows n)
        ORDER BY id FOR NO KEY UPDATE;
      UPDATE fund_positions p
         SET appropriated_fen = p.appropriated_fen + d.appropriated_fen, free_fen = p.free_fen + d.free_fen,
             reserved_fen = p.reserved_fen + d.reserved_fen, in_flight_fen = p.in_flight_fen + d.in_flight_fen,
             paid_fen = p.paid_fen + d.paid_fen
        FROM (SELECT position_id,
                     sum(CASE WHEN source = 'treasury' THEN amount_fen ELSE 0 END)::bigint AS appropriated_fen,
                     sum(CASE 'free' WHEN target THEN amount_fen WHEN source THEN -amount_fen ELSE 0 END)::bigint
                       AS free_fen,
                     sum(CASE 'reserved' WHEN target THEN amount_fen WHEN source THEN -amount_fen ELSE 0 END)::bigint
                       AS reserved_fen,
                     sum(CASE 'in_flight' WHEN target THEN amount_fen WHEN source THEN -amount_fen ELSE 0 END)::bigint
                       AS in_flight_fen,
                     sum(CASE 'paid' WHEN target THEN amount_fen WHEN source THEN -amount_fen ELSE 0 END)::bigint
                       AS paid_fen
                FROM new_rows GROUP BY position_id) AS d
       WHERE p.id = d.position_id;
      RETURN NULL;
    END $$
    """,
    # Whatever moves a claim brings its money along first. (The old rows are not joined: a plan that a connection made
    # for one row and kept would compare each of thousands with each.)
    """
    CREATE FUNCTION guard_claim_money() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE bad uuid;
    BEGIN
      SELECT n.id INTO bad FROM new_rows n LEFT JOIN fund_reservations r ON r.claim_id = n.id
       WHERE NOT EXISTS (SELECT FROM fund_pots h WHERE h.status = n.status AND h.pot = coalesce(r.pot, 'free'))
       LIMIT 1;
      IF FOUND THEN
        RAISE EXCEPTION 'a claim moves only with its money' USING ERRCODE = 'ZD023', DETAIL = bad::text;
      END IF;
      RETURN NULL;
    END $$
    """,
    # And what is drawn or freed is, at commit, for a claim that stands by it: its amount, of its district. (What goes
    # between the bank and us stays held; a row each at commit would cost as much as settling it.)
    """
    CREATE FUNCTION guard_money_of_claim() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM claims c
                       JOIN fund_reservations r ON r.claim_id = c.id
                       JOIN fund_positions p ON p.id = r.position_id
                       JOIN fund_pots h ON h.status = c.status AND h.pot = r.pot
                      WHERE c.id = NEW.claim_id AND r.amount_fen = c.amount_fen AND p.district = c.district) THEN
        RAISE EXCEPTION 'money moves only with its claim' USING ERRCODE = 'ZD024', DETAIL = NEW.claim_id::text;
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_attempt_money() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM new_rows n LEFT JOIN fund_reservations r ON r.claim_id = n.claim_id
                  WHERE n.status = 'sending' AND r.pot IS DISTINCT FROM 'in_flight') THEN
        RAISE EXCEPTION 'nothing is sent before its money is in flight' USING ERRCODE = 'ZD025';
      END IF;
      RETURN NULL;
    END $$
    """,
]

#: Named so that they fire after the guards of lifecycle and content.
TRIGGERS = [
    "CREATE TRIGGER guard_ledger BEFORE UPDATE ON fund_positions FOR EACH STATEMENT EXECUTE FUNCTION guard_ledger()",
    "CREATE TRIGGER guard_ledger BEFORE INSERT OR UPDATE ON fund_reservations"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_ledger()",
    "CREATE TRIGGER post_fund_movements AFTER INSERT ON fund_movements REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION post_fund_movements()",
    "CREATE CONSTRAINT TRIGGER with_its_claim AFTER INSERT ON fund_movements DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW WHEN (NEW.claim_id IS NOT NULL AND 'free' IN (NEW.source, NEW.target))"
    " EXECUTE FUNCTION guard_money_of_claim()",
    "CREATE TRIGGER with_its_money AFTER UPDATE ON claims REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_claim_money()",
    "CREATE TRIGGER with_its_money AFTER UPDATE ON payment_attempts REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_attempt_money()",
]

WRITTEN_ONCE = ["appropriations", "appropriation_confirmations", "fund_movements"]

GRANTS = [
    "SELECT ON funds, fund_pots, fund_positions, appropriations, appropriation_confirmations, fund_movements,"
    " fund_reservations",
    "INSERT ON funds, appropriations, appropriation_confirmations, fund_movements, fund_reservations",
    "INSERT (id, district, fund, year) ON fund_positions",
    "UPDATE (name) ON funds",
    "UPDATE (appropriated_fen, free_fen, reserved_fen, in_flight_fen, paid_fen) ON fund_positions",
    "UPDATE (position_id, amount_fen, pot) ON fund_reservations",
]


def upgrade() -> None:
    _make_tables()
    pots = sa.table("fund_pots", sa.column("status"), sa.column("pot"))
    op.bulk_insert(pots, [{"status": status, "pot": pot} for status, pot in POTS])
    # before the triggers: nobody proposed and confirmed this money, and nobody carries any over again
    for statement in CARRY_OVER:
        op.execute(statement)
    for statement in (*FUNCTIONS, *TRIGGERS):
        op.execute(statement)
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _make_tables() -> None:
    op.create_table(
        "funds",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_funds")),
    )
    op.create_table(
        "fund_pots",
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("pot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("status", "pot", name=op.f("pk_fund_pots")),
    )
    op.create_table(
        "fund_positions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("appropriated_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("free_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("in_flight_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "appropriated_fen = free_fen + reserved_fen + in_flight_fen + paid_fen",
            name=op.f("ck_fund_positions_conserved"),
        ),
        sa.CheckConstraint("free_fen >= 0", name=op.f("ck_fund_positions_free")),
        sa.CheckConstraint("reserved_fen >= 0", name=op.f("ck_fund_positions_reserved")),
        sa.CheckConstraint("in_flight_fen >= 0", name=op.f("ck_fund_positions_in_flight")),
        sa.CheckConstraint("paid_fen >= 0", name=op.f("ck_fund_positions_paid")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_fund_positions_district")),
        sa.ForeignKeyConstraint(["fund"], ["funds.code"], name=op.f("fk_fund_positions_fund")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fund_positions")),
        sa.UniqueConstraint("district", "fund", "year", name="uq_fund_positions_year"),
    )
    op.create_table(
        "appropriations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_appropriations_amount")),
        sa.CheckConstraint("document <> '' AND reason <> ''", name=op.f("ck_appropriations_said")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_appropriations_district")),
        sa.ForeignKeyConstraint(["fund"], ["funds.code"], name=op.f("fk_appropriations_fund")),
        sa.ForeignKeyConstraint(["proposed_by"], ["users.id"], name=op.f("fk_appropriations_proposed_by")),
        sa.ForeignKeyConstraint(
            ["proposed_by_person"], ["people.id"], name=op.f("fk_appropriations_proposed_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appropriations")),
        sa.UniqueConstraint("id", "proposed_by_person", name="uq_appropriations_proposer"),
    )
    op.create_index("ix_appropriations_district", "appropriations", ["district", "proposed_at", "id"], unique=False)
    op.create_table(
        "appropriation_confirmations",
        sa.Column("appropriation_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by_person", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_by_person", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "confirmed_by_person <> proposed_by_person", name=op.f("ck_appropriation_confirmations_two_persons")
        ),
        sa.ForeignKeyConstraint(
            ["appropriation_id", "proposed_by_person"],
            ["appropriations.id", "appropriations.proposed_by_person"],
            name="fk_appropriation_confirmations_proposer",
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name=op.f("fk_appropriation_confirmations_confirmed_by")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by_person"], ["people.id"], name=op.f("fk_appropriation_confirmations_confirmed_by_person")
        ),
        sa.PrimaryKeyConstraint("appropriation_id", name=op.f("pk_appropriation_confirmations")),
    )
    op.create_table(
        "fund_movements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("appropriation_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_person_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_fund_movements_amount")),
        sa.CheckConstraint(_WAYS, name=op.f("ck_fund_movements_way")),
        sa.CheckConstraint(
            "(kind = 'appropriate') = (appropriation_id IS NOT NULL)", name=op.f("ck_fund_movements_appropriation")
        ),
        sa.CheckConstraint("(source = 'treasury') = (claim_id IS NULL)", name=op.f("ck_fund_movements_claim")),
        sa.ForeignKeyConstraint(
            ["appropriation_id"],
            ["appropriation_confirmations.appropriation_id"],
            name=op.f("fk_fund_movements_appropriation_id"),
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_fund_movements_claim_id")),
        sa.ForeignKeyConstraint(["position_id"], ["fund_positions.id"], name=op.f("fk_fund_movements_position_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fund_movements")),
        sa.UniqueConstraint("appropriation_id", name="uq_fund_movements_appropriation"),
    )
    op.create_index("ix_fund_movements_claim", "fund_movements", ["claim_id", "id"], unique=False)
    op.create_index("ix_fund_movements_position", "fund_movements", ["position_id", "at"], unique=False)
    op.create_table(
        "fund_reservations",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("pot", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_fund_reservations_amount")),
        sa.CheckConstraint("pot IN ('free', 'reserved', 'in_flight', 'paid')", name=op.f("ck_fund_reservations_pot")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_fund_reservations_claim_id")),
        sa.ForeignKeyConstraint(
            ["position_id"], ["fund_positions.id"], name=op.f("fk_fund_reservations_position_id")
        ),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_fund_reservations")),
    )
    op.create_index("ix_fund_reservations_position", "fund_reservations", ["position_id", "pot"], unique=False)
