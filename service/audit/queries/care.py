"""Promises about what went wrong: the unknown ends by evidence or two persons; what is held or sent back waits."""

from service.audit.queries.checks import Check, Promise

EVIDENCE = Promise(
    5,
    "unknown_ends_by_evidence",
    "journal WHERE subject_kind = 'attempt' AND before ->> 'status' = 'unknown'",
    (
        Check(
            "journal",
            "结果不明的支付有了结果，却没有银行的回盘、对账单或答复，也没有两人的认定",
            """SELECT j.id FROM journal j JOIN payment_attempts a ON a.id = j.subject_id
                WHERE j.subject_kind = 'attempt' AND j.before ->> 'status' = 'unknown'
                  AND j.after ->> 'status' IN ('done', 'failed', 'returned')
                  AND NOT (j.after ->> 'status' = 'failed'
                           AND j.after ->> 'failure' IN ('bank.refused', 'bank.not_received'))
                  AND NOT EXISTS (SELECT FROM return_lines l
                                   WHERE l.attempt_id = a.id AND l.verdict = 'settled'
                                     AND split_part(l.code, ':', 1) = j.after ->> 'status'
                                     AND l.code <> 'failed:unknown')
                  AND NOT EXISTS (SELECT FROM statement_evidence e
                                   WHERE e.attempt_id = a.id
                                     AND j.after ->> 'status' = CASE e.outcome WHEN 'paid' THEN 'done'
                                                                               WHEN 'returned' THEN 'returned'
                                                                               ELSE 'failed' END)
                  AND NOT EXISTS (SELECT FROM attempt_decisions d
                                   WHERE d.attempt_id = a.id AND d.confirmed_person IS NOT NULL
                                     AND j.after ->> 'status' = CASE d.outcome WHEN 'paid' THEN 'done'
                                                                               ELSE 'failed' END)""",
        ),
        Check(
            "attempt_decisions",
            "两次认定出自同一个人",
            """SELECT d.id FROM attempt_decisions d
                 JOIN people p ON p.id = d.proposed_person JOIN people c ON c.id = d.confirmed_person
                WHERE coalesce(p.merged_into, p.id) = coalesce(c.merged_into, c.id)""",
        ),
        Check(
            "attempt_decisions",
            "认定的用户不是认定的人",
            """SELECT d.id FROM attempt_decisions d
                 JOIN users p ON p.id = d.proposed_by LEFT JOIN users c ON c.id = d.confirmed_by
                WHERE p.person_id <> d.proposed_person OR c.person_id IS DISTINCT FROM d.confirmed_person""",
        ),
        Check(
            "attempt_decisions",
            "认定之后文件又送过一次，却仍按先前的认定办了",
            """SELECT d.id FROM attempt_decisions d JOIN payment_attempts a ON a.id = d.attempt_id
                 JOIN bank_file_sendings s ON s.batch_id = a.batch_id AND s.kind = 'resent'
                WHERE d.confirmed_person IS NOT NULL AND s.began_at BETWEEN d.proposed_at AND d.closed_at""",
        ),
        Check(
            "statement_evidence",
            "对账单上没有扣款就算没有付成，文件却是在那之后才最后一次送出的",
            """SELECT e.attempt_id FROM statement_evidence e JOIN payment_attempts a ON a.id = e.attempt_id
                 JOIN bank_file_sendings s ON s.batch_id = a.batch_id
                WHERE e.outcome = 'not_paid'
                  AND (s.began_at AT TIME ZONE 'Asia/Shanghai')::date >= e.absent_until""",
        ),
        Check(
            "payment_attempts",
            "两人认定的结果不明的支付，没有按认定办",
            """SELECT a.id FROM payment_attempts a JOIN attempt_decisions d ON d.attempt_id = a.id
                WHERE d.confirmed_person IS NOT NULL AND a.status IN ('unknown', 'sent', 'prepared', 'sending')""",
        ),
    ),
)

STOPPED = Promise(
    None,
    "held_and_sent_back_wait",
    "claim_holds",
    (
        Check(
            "claims",
            "已冻结，却仍往下办",
            """SELECT j.subject_id FROM journal j JOIN claim_holds h ON h.claim_id = j.subject_id
                WHERE j.subject_kind = 'claim' AND j.action IN ('approve', 'clear', 'batch')
                  AND j.id > (SELECT min(n.id) FROM journal n
                               WHERE n.subject_kind = 'claim_hold' AND n.subject_id = h.id AND n.action = 'hold')
                  AND j.id < coalesce((SELECT min(n.id) FROM journal n
                                        WHERE n.subject_kind = 'claim_hold' AND n.subject_id = h.id
                                          AND n.action = 'lift'), 9223372036854775807)""",
        ),
        Check(
            "claims",
            "判断要由人核对，却只凭登记库的答复就算核实",
            """SELECT c.id FROM claims c
                WHERE c.decision ->> 'verdict' = 'needs_human' AND EXISTS (
                      SELECT FROM journal j
                       WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.action = 'verify'
                         AND j.id > coalesce((SELECT max(k.id) FROM journal k
                                               WHERE k.subject_kind = 'claim' AND k.subject_id = c.id
                                                 AND k.action = 'correct'), 0))""",
        ),
        Check(
            "claims",
            "退回补正，却没有写明要补正什么",
            """SELECT c.id FROM claims c WHERE c.status = 'sent_back' AND NOT EXISTS (
                   SELECT FROM claim_corrections k WHERE k.claim_id = c.id AND k.corrected_at IS NULL)""",
        ),
        Check(
            "treasury_transfers",
            "同一张凭证用在两个有效的批次上",
            """SELECT (array_agg(t.batch_id ORDER BY t.batch_id))[2] FROM treasury_transfers t
                 JOIN batches b ON b.id = t.batch_id AND b.status <> 'dissolved'
                GROUP BY t.voucher HAVING count(*) > 1""",
        ),
    ),
)
