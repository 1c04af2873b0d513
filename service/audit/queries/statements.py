"""The promise about statements: they follow each other and add up, each line counts once, closed days are what they
say, and what came back of clawbacks is lines of statements and money of the ledger."""

from service.audit.queries.checks import Check, Promise

_DAY = "c.account = l.account AND c.day = l.booked_on"

CLOSE_ADDS_UP = Promise(
    None,
    "close_adds_up",
    "bank_statements",
    (
        Check(
            "bank_statements",
            "期初加收减付不等于期末，或与各行的合计不符",
            """SELECT s.id FROM bank_statements s LEFT JOIN statement_lines l ON l.statement_id = s.id
                GROUP BY s.id
               HAVING s.opening_fen + s.credits_fen - s.debits_fen <> s.closing_fen
                   OR count(l.id) <> s.line_count
                   OR coalesce(sum(l.amount_fen) FILTER (WHERE l.side = 'credit'), 0) <> s.credits_fen
                   OR coalesce(sum(l.amount_fen) FILTER (WHERE l.side = 'debit'), 0) <> s.debits_fen""",
        ),
        Check(
            "bank_statements",
            "与同一账户的上一份不相接",
            """SELECT id FROM (
                   SELECT id, opening_fen, from_on, sequence,
                          lag(closing_fen) OVER w AS closed, lag(to_on) OVER w AS ended,
                          lag(sequence) OVER w AS before
                     FROM bank_statements WINDOW w AS (PARTITION BY account ORDER BY from_on)) AS s
                WHERE s.closed IS NOT NULL
                  AND (s.opening_fen <> s.closed OR s.from_on <= s.ended
                       OR (s.sequence <> s.before + 1
                           AND NOT (s.sequence = 1
                                    AND extract(year FROM s.from_on) > extract(year FROM s.ended))))""",
        ),
        Check(
            "statement_lines",
            "同一笔支付、批次、凭证或银行流水入账两次",
            """SELECT (array_agg(id ORDER BY id))[2] FROM statement_lines
                GROUP BY account, bank_key HAVING count(*) > 1
                UNION ALL
               SELECT (array_agg(id ORDER BY id))[2] FROM statement_lines WHERE owner IN ('payment', 'return')
                GROUP BY attempt_id, owner HAVING count(*) > 1
                UNION ALL
               SELECT (array_agg(id ORDER BY id))[2] FROM statement_lines WHERE owner = 'batch'
                GROUP BY batch_id HAVING count(*) > 1
                UNION ALL
               SELECT (array_agg(id ORDER BY id))[2] FROM statement_lines WHERE owner = 'treasury'
                GROUP BY account, reference HAVING count(*) > 1""",
        ),
        Check(
            "statement_lines",
            "入账的金额、付款号或账户与支付不符",
            """SELECT l.id FROM statement_lines l JOIN payment_attempts a ON a.id = l.attempt_id
                 JOIN batches b ON b.id = a.batch_id
                WHERE l.owner IN ('payment', 'return')
                  AND (l.amount_fen, l.reference, l.account) IS DISTINCT FROM (a.amount_fen, a.reference,
                                                                               b.debit_account)""",
        ),
        Check(
            "statement_evidence",
            "结果不明的支付凭对账单了结，而对账单不是这样写的",
            """SELECT e.attempt_id FROM statement_evidence e
                 JOIN payment_attempts a ON a.id = e.attempt_id JOIN batches b ON b.id = a.batch_id
                 JOIN bank_statements s ON s.id = e.statement_id
                 LEFT JOIN statement_lines l ON l.id = e.line_id
                WHERE s.account <> b.debit_account
                   OR CASE e.outcome
                      WHEN 'not_paid' THEN s.to_on < e.absent_until OR EXISTS (
                             SELECT FROM statement_lines n JOIN bank_statements t ON t.id = n.statement_id
                              WHERE n.attempt_id = a.id AND t.to_on <= s.to_on)
                      ELSE (l.statement_id, l.attempt_id, l.owner) IS DISTINCT FROM
                           (s.id, a.id, CASE e.outcome WHEN 'paid' THEN 'payment' ELSE 'return' END) END""",
        ),
        Check(
            "daily_closes",
            "日终的数与当日各行的合计不符，或不与上一日相接",
            f"""SELECT c.id FROM daily_closes c
                  LEFT JOIN LATERAL (
                    SELECT count(*) AS lines,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.side = 'credit'), 0) AS credits,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.side = 'debit'), 0) AS debits,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.owner = 'treasury'), 0) AS treasury,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.owner IN ('batch', 'payment')), 0) AS paid,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.owner = 'return'), 0) AS returned,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.owner = 'repayment'), 0) AS repaid,
                           coalesce(sum(l.amount_fen) FILTER (WHERE l.owner = 'charge'), 0) AS charges
                      FROM statement_lines l WHERE {_DAY}) AS booked ON true
                  LEFT JOIN daily_closes p ON p.account = c.account AND p.day = c.day - 1
                 WHERE c.opening_fen + booked.credits - booked.debits <> c.closing_fen
                    OR (c.line_count, c.treasury_fen, c.paid_fen, c.returned_fen, c.repaid_fen, c.charges_fen)
                       IS DISTINCT FROM (booked.lines, booked.treasury, booked.paid, booked.returned, booked.repaid,
                                         booked.charges)
                    OR (c.opening_fen <> coalesce(p.closing_fen, (
                        SELECT s.opening_fen FROM bank_statements s WHERE s.account = c.account
                         ORDER BY s.from_on LIMIT 1)))
                    OR NOT EXISTS (SELECT FROM bank_statements s WHERE s.account = c.account AND s.to_on >= c.day)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "daily_closes",
            "已经日终，当日还有没有着落的行",
            f"""SELECT c.id FROM daily_closes c JOIN statement_lines l ON {_DAY}
                 WHERE l.verdict <> 'owned'
                   AND NOT EXISTS (SELECT FROM statement_resolutions r WHERE r.line_id = l.id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "daily_closes",
            "日终时记下的额度收支，与当日逐笔收支的合计不符",
            """SELECT c.id FROM daily_closes c
                WHERE c.ledger IS DISTINCT FROM (
                      SELECT coalesce(jsonb_object_agg(moved.kind, moved.fen), '{}') FROM (
                        SELECT m.kind, sum(m.amount_fen)::bigint AS fen
                          FROM fund_movements m JOIN fund_positions p ON p.id = m.position_id
                         WHERE (p.district, p.fund) = (c.district, c.fund)
                           AND m.kind IN ('send', 'pay', 'fail', 'bounce', 'recover', 'repay')
                           AND m.at >= c.day::timestamp AT TIME ZONE 'Asia/Shanghai'
                           AND m.at < (c.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
                         GROUP BY m.kind) AS moved)""",
        ),
    ),
)

REPAYMENTS_ADD_UP = Promise(
    None,
    "repayments_add_up",
    "clawback_repayments",
    (
        Check(
            "clawback_repayments",
            "还款没有恰好一行收款，或多于这一行，或不是编号所指、两人所认定的",
            """SELECT r.id FROM clawback_repayments r JOIN clawbacks k ON k.id = r.clawback_id
                 LEFT JOIN statement_lines l ON l.id = r.line_id AND l.side = 'credit'
                 LEFT JOIN repayment_proposals p ON p.id = r.proposal_id AND p.granted
                   AND (p.line_id, p.clawback_id, p.amount_fen) = (r.line_id, r.clawback_id, r.amount_fen)
                 LEFT JOIN people one ON one.id = p.proposed_person LEFT JOIN people two ON two.id = p.answered_person
                WHERE l.id IS NULL OR r.amount_fen > l.amount_fen
                   OR CASE WHEN r.proposal_id IS NULL
                           THEN (l.owner, l.clawback_serial, l.amount_fen)
                                IS DISTINCT FROM ('repayment', k.serial, r.amount_fen)
                           ELSE p.id IS NULL
                                OR coalesce(one.merged_into, one.id) = coalesce(two.merged_into, two.id) END""",
        ),
        Check(
            "statement_lines",
            "入账为还款的行，没有记到追回上",
            """SELECT l.id FROM statement_lines l
                WHERE l.owner = 'repayment' AND l.verdict = 'owned'
                  AND NOT EXISTS (SELECT FROM clawback_repayments r
                                   WHERE r.line_id = l.id AND r.amount_fen = l.amount_fen)""",
        ),
        Check(
            "clawback_repayments",
            "还款没有恰好一次回到原来的额度",
            """SELECT r.id FROM clawback_repayments r JOIN clawbacks k ON k.id = r.clawback_id
                WHERE (SELECT count(*) FROM fund_movements m
                         JOIN fund_reservations h ON h.claim_id = k.claim_id AND h.position_id = m.position_id
                        WHERE m.repayment_id = r.id AND m.amount_fen = r.amount_fen) <> 1""",
        ),
        Check(
            "fund_reservations",
            "记下的已还与逐笔还款的合计不符",
            """SELECT h.claim_id FROM fund_reservations h
                WHERE h.repaid_fen <> coalesce((SELECT sum(m.amount_fen) FROM clawbacks k
                        JOIN clawback_repayments r ON r.clawback_id = k.id
                        JOIN fund_movements m ON m.repayment_id = r.id WHERE k.claim_id = h.claim_id), 0)""",
        ),
        Check(
            "clawbacks",
            "还清的没有还够，没还清的已经还够",
            """SELECT k.id FROM clawbacks k
                WHERE clawback_repaid_fen(k.id) > k.amount_fen
                   OR (k.status = 'repaid') <> (clawback_repaid_fen(k.id) = k.amount_fen)
                   OR (k.status = 'part_repaid' AND clawback_repaid_fen(k.id) = 0)""",
        ),
        Check(
            "claims",
            "全部还清的申领没有收回，或收回了却没有还清",
            """SELECT c.id FROM claims c JOIN fund_reservations h ON h.claim_id = c.id
                WHERE (h.repaid_fen > 0 OR c.status = 'recovered')
                  AND (c.status = 'recovered') <> (h.repaid_fen = h.amount_fen)""",
        ),
    ),
)
