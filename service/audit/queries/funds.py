"""The promise about money: no fen is made or lost, and each that is held belongs to one claim."""

from sqlalchemy import text

from service.audit.queries.checks import FACTS, Check, Promise
from service.database import Tx

_IN_AND_OUT = """
    SELECT position_id, source AS pot, -amount_fen AS fen FROM fund_movements
     UNION ALL SELECT position_id, target, amount_fen FROM fund_movements"""

_POTS = """(VALUES ('free', p.free_fen), ('set_aside', p.set_aside_fen), ('reserved', p.reserved_fen),
                   ('in_flight', p.in_flight_fen), ('paid', p.paid_fen))"""

_DRAWN = "coalesce((SELECT sum(m.amount_fen) FROM fund_movements m WHERE m.class_id = c.id AND m.kind = 'draw'), 0)"
_LEFT = "coalesce((SELECT sum(k.left_fen) FROM fund_class_pots k WHERE k.class_id = c.id), 0)"

_OTHER_FUND = """
      FROM payment_attempts a JOIN batches b ON b.id = a.batch_id
      JOIN fund_reservations r ON r.claim_id = a.claim_id JOIN fund_positions p ON p.id = r.position_id
     WHERE a.status = ANY (CAST(:live AS text[])) AND p.fund <> b.fund"""

# Batches that were sent before each paid from one fund: the upgrade wrote down whose money was in them.
_NAMED_LATER = """
    EXISTS (SELECT FROM journal j WHERE j.subject_kind = 'batch' AND j.subject_id = b.id
               AND j.action = 'name_fund' AND j.actor_name = 'migration' AND j.reason <> '')"""

_LEGS = "FROM fund_movements m JOIN fund_positions p ON p.id = m.position_id WHERE m.transfer_id = t.id"


def _answered_by_another(table: str, answers: str, key: str) -> Check:
    return Check(
        table,
        "提出和答复的是同一个人，或签字的用户不是签字的人",
        f"""SELECT a.id FROM {table} a JOIN {answers} s ON s.{key} = a.id
              JOIN people p ON p.id = a.proposed_by_person JOIN people q ON q.id = s.answered_by_person
              JOIN users u ON u.id = a.proposed_by JOIN users v ON v.id = s.answered_by
             WHERE coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id)
                OR (u.person_id, v.person_id) <> (p.id, q.id) OR s.proposed_by_person <> p.id""",  # noqa: S608 (our own constants)
    )


MONEY_CONSERVED = Promise(
    9,
    "money_conserved",
    "fund_movements",
    (
        Check(
            "fund_positions",
            "下达数不等于可用、为开班留出、预留、在途、已付之和，或有一项为负",
            """SELECT id FROM fund_positions
                WHERE appropriated_fen <> free_fen + set_aside_fen + reserved_fen + in_flight_fen + paid_fen
                   OR least(free_fen, set_aside_fen, reserved_fen, in_flight_fen, paid_fen) < 0""",
        ),
        Check(
            "fund_positions",
            "与逐笔收支累计的结果不符",
            f"""SELECT p.id FROM fund_positions p CROSS JOIN LATERAL {_POTS} AS kept (pot, fen)
                 WHERE kept.fen <> coalesce((SELECT sum(m.fen) FROM ({_IN_AND_OUT}) AS m
                                              WHERE m.position_id = p.id AND m.pot = kept.pot), 0)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "fund_positions",
            "与逐笔申领所占的合计不符",
            f"""SELECT p.id FROM fund_positions p CROSS JOIN LATERAL {_POTS} AS kept (pot, fen)
                 WHERE kept.pot NOT IN ('free', 'set_aside')
                   AND kept.fen <> coalesce((SELECT sum(r.amount_fen - r.repaid_fen) FROM fund_reservations r
                                              WHERE r.position_id = p.id AND r.pot = kept.pot), 0)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "fund_movements",
            "收支的种类与去向不符，或不是从钱所在的地方划出",
            """SELECT m.id FROM (
                   SELECT id, kind, source, target, claim_id, class_id,
                          lag(target, 1, 'free') OVER (PARTITION BY claim_id, class_id ORDER BY id) AS was
                     FROM fund_movements) AS m
                WHERE (m.claim_id IS NOT NULL AND m.class_id IS NULL AND m.source <> m.was)
                   OR NOT EXISTS (SELECT FROM unnest(CAST(:way_kinds AS text[]), CAST(:way_sources AS text[]),
                                                     CAST(:way_targets AS text[])) AS way (kind, source, target)
                                   WHERE (way.kind, way.source, way.target) = (m.kind, m.source, m.target))""",
        ),
        Check(
            "fund_reservations",
            "与这笔申领最后一次收支不符",
            """SELECT r.claim_id FROM fund_reservations r
                 LEFT JOIN LATERAL (SELECT m.target, m.position_id, m.amount_fen FROM fund_movements m
                                     WHERE m.claim_id = r.claim_id AND m.class_id IS NULL
                                     ORDER BY m.id DESC LIMIT 1) AS last ON true
                WHERE (last.target, last.position_id, last.amount_fen)
                      IS DISTINCT FROM (CASE WHEN r.repaid_fen > 0 THEN 'paid' ELSE r.pot END,
                                        r.position_id, r.amount_fen)
                   OR (r.repaid_fen > 0 AND r.pot <> CASE r.repaid_fen WHEN r.amount_fen THEN 'free'
                                                                       ELSE 'paid' END)""",
        ),
        Check(
            "fund_positions",
            "为开班留出的与逐班所余的合计不符",
            """SELECT p.id FROM fund_positions p
                WHERE p.set_aside_fen <> coalesce((SELECT sum(k.left_fen) FROM fund_class_pots k
                                                    WHERE k.position_id = p.id), 0)""",
        ),
        Check(
            "fund_class_pots",
            "与这个班逐笔收支累计的结果不符，或为负",
            """SELECT k.class_id FROM fund_class_pots k
                WHERE k.left_fen < 0
                   OR k.left_fen <> coalesce((
                      SELECT sum(CASE m.kind WHEN 'set_aside' THEN m.amount_fen ELSE -m.amount_fen END)
                        FROM fund_movements m WHERE (m.class_id, m.position_id) = (k.class_id, k.position_id)), 0)""",
        ),
        Check(
            "training_classes",
            "为开班留出的不是名额所需，或班级已了结却还留着",
            f"""SELECT c.id FROM training_classes c
                 WHERE EXISTS (SELECT FROM fund_class_pots k WHERE k.class_id = c.id)
                   AND {_LEFT} <> CASE WHEN c.status IN ('approved', 'running', 'finished')
                        THEN (SELECT count(*) FROM training_places p WHERE p.class_id = c.id)
                             * (SELECT s.amount_fen FROM standards s WHERE s.id = c.standard_id) - {_DRAWN}
                        ELSE 0 END""",  # noqa: S608 (our own constants)
        ),
        Check(
            "fund_movements",
            "动用的不是自己的班留出的，或不是本区的，或动用之后没有预留",
            """SELECT m.id FROM fund_movements m
                 JOIN fund_positions p ON p.id = m.position_id JOIN training_classes t ON t.id = m.class_id
                 LEFT JOIN claims c ON c.id = m.claim_id
                WHERE p.district <> t.district
                   OR (m.kind = 'draw' AND (c.class_id IS DISTINCT FROM m.class_id OR NOT EXISTS (
                       SELECT FROM fund_movements n
                        WHERE (n.claim_id, n.position_id, n.kind, n.at)
                              = (m.claim_id, m.position_id, 'reserve', m.at)
                          AND n.id > m.id AND n.amount_fen >= m.amount_fen)))""",
        ),
        Check(
            "claims",
            "申领的状态与它所占的额度不符",
            """SELECT c.id FROM claims c LEFT JOIN fund_reservations r ON r.claim_id = c.id
                WHERE (c.status, coalesce(r.pot, 'free')) NOT IN (
                       SELECT held.status, held.pot
                         FROM unnest(CAST(:held_statuses AS text[]), CAST(:held_pots AS text[]))
                              AS held (status, pot))""",
        ),
        Check(
            "claims",
            "所占的额度不是本区的，或金额不符",
            """SELECT c.id FROM claims c JOIN fund_reservations r ON r.claim_id = c.id
                 JOIN fund_positions p ON p.id = r.position_id
                WHERE r.pot <> 'free' AND (r.amount_fen, p.district) <> (c.amount_fen, c.district)""",
        ),
        Check(
            "claims",
            "在途的额度与送往银行的支付不符",
            """SELECT c.id FROM claims c JOIN fund_reservations r ON r.claim_id = c.id
                WHERE c.status = 'batched' AND (r.pot = 'in_flight') <> EXISTS (
                      SELECT FROM payment_attempts a
                       WHERE a.claim_id = c.id AND a.status IN ('sending', 'sent', 'unknown'))""",
        ),
        Check(
            "payment_attempts",
            "支付所在批次的资金，不是这笔申领所占额度的资金",
            f"SELECT a.id {_OTHER_FUND} AND NOT {_NAMED_LATER}",
        ),
        Check(
            "appropriations",
            "复核了却没有恰好计入一次，或计入的与提出的不符",
            """SELECT a.id FROM appropriations a
                 JOIN appropriation_answers s ON s.appropriation_id = a.id AND s.answer = 'confirmed'
                WHERE (SELECT count(*) FROM fund_movements m JOIN fund_positions p ON p.id = m.position_id
                        WHERE m.appropriation_id = a.id
                          AND (p.district, p.fund, p.year, CASE m.kind WHEN 'lower' THEN -1 ELSE 1 END * m.amount_fen)
                              = (a.district, a.fund, a.year, a.amount_fen)) <> 1
                   OR (SELECT count(*) FROM fund_movements m WHERE m.appropriation_id = a.id) <> 1""",
        ),
        Check(
            "appropriations",
            "没有经人复核，或被退回，却计入了",
            """SELECT a.id FROM appropriations a JOIN fund_movements m ON m.appropriation_id = a.id
                 LEFT JOIN appropriation_answers s ON s.appropriation_id = a.id
                WHERE s.answer IS DISTINCT FROM 'confirmed'""",
        ),
        _answered_by_another("appropriations", "appropriation_answers", "appropriation_id"),
        Check(
            "fund_transfers",
            "复核了却没有恰好一出一进，或金额、去向与提出的不符",
            f"""SELECT t.id FROM fund_transfers t
                  JOIN fund_transfer_answers s ON s.transfer_id = t.id AND s.answer = 'confirmed'
                 WHERE (SELECT count(*) {_LEGS}) <> 2 OR (SELECT count(DISTINCT m.kind) {_LEGS}
                           AND m.amount_fen = t.amount_fen
                           AND (p.district, p.fund, p.year) = CASE m.kind
                               WHEN 'transfer_out' THEN (t.source_district, t.source_fund, t.source_year)
                               WHEN 'transfer_in' THEN (t.target_district, t.target_fund, t.target_year) END) <> 2""",  # noqa: S608 (our own constants)
        ),
        Check(
            "fund_transfers",
            "没有经人复核，或被退回，却调剂了",
            f"""SELECT t.id FROM fund_transfers t LEFT JOIN fund_transfer_answers s ON s.transfer_id = t.id
                 WHERE s.answer IS DISTINCT FROM 'confirmed' AND EXISTS (SELECT {_LEGS})""",  # noqa: S608 (our own constants)
        ),
        _answered_by_another("fund_transfers", "fund_transfer_answers", "transfer_id"),
    ),
)


async def carried_over(tx: Tx) -> int:
    """Positions to which the migration carried over what claims approved before it needed: nobody signed for that."""
    asked = text("SELECT count(DISTINCT position_id) FROM fund_movements WHERE kind = 'carry_over'")
    return int((await tx.execute(asked)).scalar_one())


async def mixed_batches(tx: Tx) -> int:
    """Batches that took claims of several funds, before each paid from one."""
    asked = text(f"SELECT count(DISTINCT b.id) {_OTHER_FUND} AND {_NAMED_LATER}")
    return int((await tx.execute(asked, FACTS)).scalar_one())
