"""An appropriation is answered once by its second person, confirmed or declined; a negative one takes money back.

The confirmations there are become the answers: one table, one row a proposal, so that no proposal is both.
"""

import sqlalchemy as sa
from alembic import op

revision = "answered_appropriations"
down_revision = "fund_of_batch"
branch_labels = None
depends_on = None

_OLD, _NEW = "appropriation_confirmations", "appropriation_answers"

COLUMNS = {
    "confirmed_by": "answered_by",
    "confirmed_by_person": "answered_by_person",
    "confirmed_at": "answered_at",
}
CONSTRAINTS = {
    f"pk_{_OLD}": f"pk_{_NEW}",
    f"fk_{_OLD}_proposer": f"fk_{_NEW}_proposer",
    f"fk_{_OLD}_confirmed_by": f"fk_{_NEW}_answered_by",
    f"fk_{_OLD}_confirmed_by_person": f"fk_{_NEW}_answered_by_person",
    f"ck_{_OLD}_two_persons": f"ck_{_NEW}_two_persons",
}

_WAYS = (
    "(kind, source, target) IN (('appropriate', 'treasury', 'free'), ('lower', 'free', 'treasury'),"
    " ('carry_over', 'treasury', 'free'), ('reserve', 'free', 'reserved'), ('send', 'reserved', 'in_flight'),"
    " ('pay', 'in_flight', 'paid'), ('fail', 'in_flight', 'reserved'), ('bounce', 'paid', 'reserved'),"
    " ('release', 'reserved', 'free'), ('recover', 'paid', 'free'))"
)

CHECKS = [
    ("appropriations", "amount", "amount_fen <> 0"),
    ("fund_movements", "way", _WAYS),
    ("fund_movements", "appropriation", "(kind IN ('appropriate', 'lower')) = (appropriation_id IS NOT NULL)"),
    ("fund_movements", "claim", "('treasury' IN (source, target)) = (claim_id IS NULL)"),
]

# A line is added up, or refused when it takes money from where it is not. Rows are locked in order of id.
POST_FUND_MOVEMENTS = """
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
       WHERE n.source = 'free' AND n.target <> 'treasury'
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
                     sum(CASE 'treasury' WHEN source THEN amount_fen WHEN target THEN -amount_fen ELSE 0 END)::bigint
                       AS appropriated_fen,
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
"""

# From PostgreSQL 18 on these have names, which a table that is renamed does not take along.
NOT_NULLS = f"""
    DO $$ DECLARE kept record; BEGIN
      FOR kept IN SELECT k.conname, format('{_NEW}_%s_not_null', a.attname) AS name
                    FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
                   WHERE k.conrelid = '{_NEW}'::regclass AND k.contype = 'n' AND k.conname LIKE '{_OLD}%' LOOP
        EXECUTE format('ALTER TABLE {_NEW} RENAME CONSTRAINT %I TO %I', kept.conname, kept.name);
      END LOOP;
    END $$
"""


def upgrade() -> None:
    op.rename_table(_OLD, _NEW)
    for before, after in COLUMNS.items():
        op.alter_column(_NEW, before, new_column_name=after)
    for before, after in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE {_NEW} RENAME CONSTRAINT {before} TO {after}")
    op.execute(NOT_NULLS)
    op.add_column(_NEW, sa.Column("answer", sa.Text(), server_default="confirmed", nullable=False))
    op.alter_column(_NEW, "answer", server_default=None)
    op.add_column(_NEW, sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.create_check_constraint(op.f(f"ck_{_NEW}_answer"), _NEW, "answer IN ('confirmed', 'declined')")
    op.create_check_constraint(op.f(f"ck_{_NEW}_reason"), _NEW, "(answer = 'declined') = (reason <> '')")
    for table, name, rule in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    op.execute(POST_FUND_MOVEMENTS)
