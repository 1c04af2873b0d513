"""Promises about claims: one live attempt, one subsidy, one counted return line, and the figures."""

from service.audit.queries.checks import Check, Promise

ONE_LIVE_ATTEMPT = Promise(
    1,
    "one_live_attempt",
    "payment_attempts",
    (
        Check(
            "payment_attempts",
            "同一笔申领另有一次有效的支付",
            """SELECT (array_agg(id ORDER BY id))[2] FROM payment_attempts
                WHERE status = ANY (CAST(:live AS text[])) GROUP BY claim_id HAVING count(*) > 1""",
        ),
    ),
)

ONE_SUBSIDY = Promise(
    2,
    "one_subsidy",
    "claims",
    (
        Check(
            "claims",
            "同一人、同一职业、同一等级另有一笔有效的申领",
            """SELECT (array_agg(c.id ORDER BY c.id))[2] FROM claims c JOIN people p ON p.id = c.person_id
                WHERE c.status <> ALL (CAST(:dead AS text[]))
                GROUP BY coalesce(p.merged_into, p.id), c.subsidy_key, c.level, c.once_in HAVING count(*) > 1""",
        ),
    ),
)

COUNTED_ONCE = Promise(
    13,
    "counted_once",
    "return_lines",
    (
        Check(
            "claims",
            "已支付，但成功的支付不是恰好一次",
            """SELECT c.id FROM claims c LEFT JOIN payment_attempts a ON a.claim_id = c.id AND a.status = 'done'
                WHERE c.status = 'paid' GROUP BY c.id HAVING count(a.id) <> 1""",
        ),
        Check(
            "payment_attempts",
            "支付成功，但回盘中没有恰好一行成功的记录，也没有对账单的扣款或两人的认定",
            """SELECT a.id FROM payment_attempts a
                 LEFT JOIN return_lines l ON l.attempt_id = a.id AND l.verdict = 'settled' AND l.code = 'done'
                 LEFT JOIN attempt_decisions d
                   ON d.attempt_id = a.id AND d.outcome = 'paid' AND d.confirmed_person IS NOT NULL
                 LEFT JOIN statement_evidence e ON e.attempt_id = a.id AND e.outcome = 'paid'
                WHERE a.status = 'done' GROUP BY a.id
               HAVING count(DISTINCT (l.return_file_id, l.line_no)) FILTER (WHERE l.line_no IS NOT NULL)
                      + count(DISTINCT d.id) + count(DISTINCT e.attempt_id) <> 1""",
        ),
        Check(
            "return_lines",
            "同一次支付的同一结果入账两次",
            """SELECT (array_agg(return_file_id || '/' || line_no ORDER BY return_file_id, line_no))[2]
                 FROM return_lines WHERE verdict = 'settled' GROUP BY attempt_id, code HAVING count(*) > 1""",
        ),
        Check(
            "return_lines",
            "入账的付款号或金额与支付不符",
            """SELECT l.return_file_id || '/' || l.line_no FROM return_lines l
                 LEFT JOIN payment_attempts a ON a.id = l.attempt_id
                WHERE l.verdict = 'settled'
                  AND (l.reference, l.amount_fen) IS DISTINCT FROM (a.reference, a.amount_fen)
                  AND NOT (l.reference = a.reference AND l.amount_fen = 0
                           AND l.code NOT IN ('done', 'returned'))""",  # the bank need not name what it did not pay
        ),
        Check(
            "return_files",
            "回盘文件的行数与存下的行不符",
            # line 0 is a file that could not be read at all
            """SELECT f.id FROM return_files f LEFT JOIN return_lines l ON l.return_file_id = f.id
                GROUP BY f.id, f.line_count
               HAVING count(l.line_no) FILTER (WHERE l.line_no > 0) <> f.line_count""",
        ),
    ),
)

SHARE = Promise(
    None,
    "share",
    "claims WHERE status <> 'withdrawn' AND kind <> 'supplement'",
    (
        Check(
            "claim_tally",
            "统计数与按申领重新计数的结果不符",
            """SELECT concat_ws('/', filed_on, district, list_kind, industry, level, channel) FROM (
                   SELECT filed_on, district, list_kind, industry, level, channel, count, amount_fen FROM claim_tally
                    UNION ALL
                   SELECT filed_on, district, list_kind, industry, level, channel, count, amount_fen
                     FROM claim_tally_deltas
                    UNION ALL
                   SELECT filed_on, district, list_kind, industry, level, channel, -count(*), -sum(amount_fen)
                     FROM claims WHERE status <> 'withdrawn' AND kind <> 'supplement'
                    GROUP BY filed_on, district, list_kind, industry, level, channel
               ) AS kept_less_filed
                GROUP BY filed_on, district, list_kind, industry, level, channel
               HAVING sum(count) <> 0 OR sum(amount_fen) <> 0""",
        ),
        Check(
            "claim_tally_sums",
            "统计合计与统计数不符",
            """SELECT concat_ws('/', along, grain, filed_on, key, channel) FROM (
                   SELECT along, grain, filed_on, key, channel, count, amount_fen FROM claim_tally_sums
                    UNION ALL
                   SELECT each.along, days.grain, days.first, each.key, channel, -count, -amount_fen
                     FROM claim_tally
                    CROSS JOIN LATERAL (
                          VALUES ('day', filed_on),
                                 ('month', CAST(date_trunc('month', filed_on) AS date))) AS days (grain, first)
                    CROSS JOIN LATERAL (
                          VALUES ('month', to_char(filed_on, 'YYYY-MM')), ('district', district),
                                 ('list', list_kind), ('industry', industry), ('level', level)) AS each (along, key)
               ) AS sums_less_tally
                GROUP BY along, grain, filed_on, key, channel
               HAVING sum(count) <> 0 OR sum(amount_fen) <> 0""",
        ),
    ),
)
