"""Money is set aside for a class when it is approved: a pot of its own in the district's position.

Classes that were approved before have none: their claims take free money, as they did.
"""

import sqlalchemy as sa
from alembic import op

revision = "class_money"
down_revision = "claims_of_classes"
branch_labels = None
depends_on = None

_WAYS = (
    "(kind, source, target) IN (('appropriate', 'treasury', 'free'), ('lower', 'free', 'treasury'),"
    " ('carry_over', 'treasury', 'free'), ('set_aside', 'free', 'set_aside'), ('draw', 'set_aside', 'free'),"
    " ('give_back', 'set_aside', 'free'), ('reserve', 'free', 'reserved'), ('send', 'reserved', 'in_flight'),"
    " ('pay', 'in_flight', 'paid'), ('fail', 'in_flight', 'reserved'), ('bounce', 'paid', 'reserved'),"
    " ('release', 'reserved', 'free'), ('recover', 'paid', 'free'))"
)

CHECKS = [
    ("fund_movements", "way", _WAYS),
    (
        "fund_movements",
        "claim",
        "('treasury' IN (source, target) OR kind IN ('set_aside', 'give_back')) = (claim_id IS NULL)",
    ),
    ("fund_movements", "class", "('set_aside' IN (source, target)) = (class_id IS NOT NULL)"),
    (
        "fund_positions",
        "conserved",
        "appropriated_fen = free_fen + set_aside_fen + reserved_fen + in_flight_fen + paid_fen",
    ),
    ("fund_positions", "set_aside", "set_aside_fen >= 0"),
]


def _moved(pot: str) -> str:
    return (
        f"sum(CASE '{pot}' WHEN target THEN amount_fen WHEN source THEN -amount_fen ELSE 0 END)::bigint AS {pot}_fen"
    )


FUNCTIONS = [
    # As `money_by_the_claim` left it; a line of a class changes its pot, and one that draws on it is for a claim of
    # it. Positions are locked before pots: whoever would draw on the same pot waits at its position.
    f"""
    CREATE OR REPLACE FUNCTION post_fund_movements() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE held bigint; followed bigint;
    BEGIN
      IF EXISTS (SELECT FROM new_rows n
                   LEFT JOIN appropriation_answers s
                     ON s.appropriation_id = n.appropriation_id AND s.answer = 'confirmed'
                   LEFT JOIN appropriations a ON a.id = s.appropriation_id
                   JOIN fund_positions p ON p.id = n.position_id
                  WHERE 'treasury' IN (n.source, n.target)
                    AND (a.district, a.fund, a.year, a.amount_fen)
                        IS DISTINCT FROM
                        (p.district, p.fund, p.year, CASE n.source WHEN 'treasury' THEN 1 ELSE -1 END * n.amount_fen)
      ) THEN
        RAISE EXCEPTION 'money comes and goes by an appropriation, of its district, fund and year'
              USING ERRCODE = 'ZD021';
      END IF;
      INSERT INTO fund_reservations AS r (claim_id, position_id, amount_fen, pot)
      SELECT n.claim_id, n.position_id, n.amount_fen, n.target FROM new_rows n
       WHERE n.source = 'free' AND n.target NOT IN ('treasury', 'set_aside')
       ORDER BY n.claim_id
      ON CONFLICT (claim_id) DO UPDATE
         SET position_id = excluded.position_id, amount_fen = excluded.amount_fen, pot = excluded.pot
       WHERE r.pot = 'free';
      GET DIAGNOSTICS held = ROW_COUNT;
      UPDATE fund_reservations r SET pot = n.target FROM new_rows n
       WHERE n.source NOT IN ('treasury', 'free', 'set_aside') AND r.claim_id = n.claim_id
         -- none of these is ever NULL, so = would say the same; but the planner may join by =, and by this it cannot
         AND (r.position_id, r.amount_fen, r.pot) IS NOT DISTINCT FROM (n.position_id, n.amount_fen, n.source);
      GET DIAGNOSTICS followed = ROW_COUNT;
      IF EXISTS (SELECT FROM new_rows n JOIN claims c ON c.id = n.claim_id
                  WHERE n.source NOT IN ('free', 'set_aside') AND n.target <> 'free'
                    AND c.status <> CASE n.kind WHEN 'bounce' THEN 'paid' ELSE 'batched' END) THEN
        RAISE EXCEPTION 'this money is not with a bank' USING ERRCODE = 'ZD024';
      END IF;
      IF held + followed <> (SELECT count(*) FROM new_rows n WHERE n.claim_id IS NOT NULL AND n.class_id IS NULL) THEN
        RAISE EXCEPTION 'the money of a claim is not where this takes it from' USING ERRCODE = 'ZD022';
      END IF;
      IF (SELECT count(*) FROM new_rows n JOIN claims c ON c.id = n.claim_id
           WHERE n.kind = 'draw' AND c.class_id IS DISTINCT FROM n.class_id) > 0 THEN
        RAISE EXCEPTION 'a claim draws on the money of its own class' USING ERRCODE = 'ZD120';
      END IF;
      PERFORM FROM fund_positions WHERE id IN (SELECT n.position_id FROM new_rows n)
        ORDER BY id FOR NO KEY UPDATE;
      IF (SELECT count(*) FROM new_rows n WHERE n.class_id IS NOT NULL) > 0 THEN
        INSERT INTO fund_class_pots AS k (class_id, position_id, left_fen)
        SELECT n.class_id, n.position_id, 0 FROM new_rows n WHERE n.kind = 'set_aside'
        ON CONFLICT DO NOTHING;
        UPDATE fund_class_pots k SET left_fen = k.left_fen + d.fen
          FROM (SELECT class_id, position_id,
                       sum(CASE target WHEN 'set_aside' THEN amount_fen ELSE -amount_fen END)::bigint AS fen
                  FROM new_rows WHERE class_id IS NOT NULL GROUP BY class_id, position_id) AS d
         WHERE k.class_id = d.class_id AND k.position_id = d.position_id;
        GET DIAGNOSTICS followed = ROW_COUNT;
        IF followed <> (SELECT count(DISTINCT (n.class_id, n.position_id)) FROM new_rows n
                         WHERE n.class_id IS NOT NULL) THEN
          RAISE EXCEPTION 'nothing was set aside there for this class' USING ERRCODE = 'ZD120';
        END IF;
      END IF;
      UPDATE fund_positions p
         SET appropriated_fen = p.appropriated_fen + d.appropriated_fen, free_fen = p.free_fen + d.free_fen,
             set_aside_fen = p.set_aside_fen + d.set_aside_fen, reserved_fen = p.reserved_fen + d.reserved_fen,
             in_flight_fen = p.in_flight_fen + d.in_flight_fen, paid_fen = p.paid_fen + d.paid_fen
        FROM (SELECT position_id,
                     sum(CASE 'treasury' WHEN source THEN amount_fen WHEN target THEN -amount_fen ELSE 0 END)::bigint
                       AS appropriated_fen,
                     {_moved("free")}, {_moved("set_aside")}, {_moved("reserved")},
                     {_moved("in_flight")}, {_moved("paid")}
                FROM new_rows GROUP BY position_id) AS d
       WHERE p.id = d.position_id;
      RETURN NULL;
    END $$
    """,
    # A class is approved with the money for its places, and keeps none once it is closed, given up, or before the
    # district again.
    """
    CREATE FUNCTION guard_class_money() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'approved' AND coalesce(o.status, '') <> 'approved'
             AND (SELECT coalesce(sum(k.left_fen), 0) FROM fund_class_pots k WHERE k.class_id = n.id)
                 <> (SELECT count(*) FROM training_places p WHERE p.class_id = n.id)
                    * (SELECT s.amount_fen FROM standards s WHERE s.id = n.standard_id)) > 0 THEN
        RAISE EXCEPTION 'a class is approved with the money for its places' USING ERRCODE = 'ZD121';
      END IF;
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') NOT IN ('approved', 'running', 'finished')
             AND (SELECT count(*) FROM fund_class_pots k WHERE k.class_id = n.id AND k.left_fen > 0) > 0) > 0 THEN
        RAISE EXCEPTION 'the money of a class goes with it' USING ERRCODE = 'ZD121';
      END IF;
      RETURN NULL;
    END $$
    """,
    # And at commit what is set aside, or given back, is for the places of a class that has not ended, in its own
    # district: what is left for it, with what its claims drew, is what they cost.
    """
    CREATE FUNCTION guard_money_of_class() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (
           SELECT FROM training_classes c JOIN fund_positions p ON p.id = NEW.position_id AND p.district = c.district
            WHERE c.id = NEW.class_id
              AND (SELECT coalesce(sum(k.left_fen), 0) FROM fund_class_pots k WHERE k.class_id = c.id)
                  = CASE WHEN c.status IN ('approved', 'running', 'finished')
                         THEN (SELECT count(*) FROM training_places t WHERE t.class_id = c.id)
                              * (SELECT s.amount_fen FROM standards s WHERE s.id = c.standard_id)
                              - (SELECT coalesce(sum(m.amount_fen), 0) FROM fund_movements m
                                  WHERE m.class_id = c.id AND m.kind = 'draw')
                         ELSE 0 END) THEN
        RAISE EXCEPTION 'money is set aside for the places of a class' USING ERRCODE = 'ZD121';
      END IF;
      RETURN NULL;
    END $$
    """,
]

TRIGGERS = [
    "TRIGGER with_its_money AFTER UPDATE ON training_classes"
    " REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_class_money()",
    "CONSTRAINT TRIGGER with_its_class AFTER INSERT ON fund_movements DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW WHEN (NEW.kind IN ('set_aside', 'give_back')) EXECUTE FUNCTION guard_money_of_class()",
    "TRIGGER guard_ledger BEFORE INSERT OR UPDATE ON fund_class_pots"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_ledger()",
]

GRANTS = [
    "SELECT, INSERT ON fund_class_pots",
    "UPDATE (left_fen) ON fund_class_pots",
    "UPDATE (set_aside_fen) ON fund_positions",
]


def upgrade() -> None:
    op.add_column("fund_positions", sa.Column("set_aside_fen", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("fund_movements", sa.Column("class_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_fund_movements_class_id"), "fund_movements", "training_classes", ["class_id"], ["id"]
    )
    op.create_index(
        "ix_fund_movements_class", "fund_movements", ["class_id"], postgresql_where=sa.text("class_id IS NOT NULL")
    )
    op.create_table(
        "fund_class_pots",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("left_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("left_fen >= 0", name=op.f("ck_fund_class_pots_left")),
        sa.ForeignKeyConstraint(["class_id"], ["training_classes.id"], name=op.f("fk_fund_class_pots_class_id")),
        sa.ForeignKeyConstraint(["position_id"], ["fund_positions.id"], name=op.f("fk_fund_class_pots_position_id")),
        sa.PrimaryKeyConstraint("class_id", "position_id", name=op.f("pk_fund_class_pots")),
    )
    for table, name, said in CHECKS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_{name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({said})")
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")
