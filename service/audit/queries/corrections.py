"""Checks by hand, and what is owed after payment: by whom they were made, and that they add up."""

from service.audit.queries.checks import Check, Promise

BY_HAND = Promise(
    None,
    "checked_by_hand",
    "manual_checks",
    (
        Check(
            "manual_checks",
            "核验的是申领人、提交的人，或两次是同一个人",
            """SELECT m.id FROM manual_checks m JOIN claims c ON c.id = m.claim_id
                 JOIN users f ON f.id = c.filed_by
                 JOIN people p ON p.id = c.person_id JOIN people filer ON filer.id = f.person_id
                 JOIN people one ON one.id = m.checked_person LEFT JOIN people two ON two.id = m.second_person
                WHERE coalesce(one.merged_into, one.id) IN (coalesce(p.merged_into, p.id),
                                                            coalesce(filer.merged_into, filer.id))
                   OR coalesce(two.merged_into, two.id) IN (coalesce(p.merged_into, p.id),
                          coalesce(one.merged_into, one.id), coalesce(filer.merged_into, filer.id))""",
        ),
        Check(
            "manual_checks",
            "核验材料的哈希没有对应的文件",
            """SELECT m.id FROM manual_checks m WHERE NOT EXISTS (
                      SELECT FROM stored_files f WHERE f.sha256 = m.evidence_sha256)""",
        ),
        Check(
            "manual_checks",
            "核验没有记入日志",
            """SELECT m.id FROM manual_checks m CROSS JOIN LATERAL (VALUES
                        ('check', m.checked_person),
                        (CASE WHEN m.second_finding = m.finding THEN 'confirm'
                              WHEN m.second_finding IS NOT NULL THEN 'differ' END, m.second_person))
                        AS done (action, person_id)
                WHERE done.action IS NOT NULL AND NOT EXISTS (
                      SELECT FROM journal j WHERE j.subject_kind = 'manual_check' AND j.subject_id = m.id
                         AND j.action = done.action AND j.actor_person_id = done.person_id)""",
        ),
    ),
)

CORRECTIONS = Promise(
    None,
    "corrections_add_up",
    "clawbacks",
    (
        Check(
            "claims",
            "追回的总数超过已发",
            """SELECT c.id FROM claims c JOIN clawbacks k ON k.claim_id = c.id
                GROUP BY c.id HAVING sum(clawback_stands_fen(k)) > c.amount_fen""",
        ),
        Check(
            "clawbacks",
            "追回的申领没有发放过",
            """SELECT k.id FROM clawbacks k WHERE NOT EXISTS (
                      SELECT FROM journal j WHERE j.subject_kind = 'claim' AND j.subject_id = k.claim_id
                         AND j.action = 'pay' AND j.at <= k.raised_at)""",
        ),
        Check(
            "clawbacks",
            "免于追回没有两个人决定",
            """SELECT k.id FROM clawbacks k WHERE k.status = 'waived' AND NOT EXISTS (
                      SELECT FROM clawback_waivers w
                        JOIN people one ON one.id = w.proposed_person JOIN people two ON two.id = w.answered_person
                       WHERE w.clawback_id = k.id AND w.granted
                         AND coalesce(one.merged_into, one.id) <> coalesce(two.merged_into, two.id))""",
        ),
        Check(
            "amount_appeals",
            "补发和追回不是复核认定的差额",
            # what counted as paid is the claim's amount, and what other supplements and corrections made of it before
            """SELECT a.id FROM amount_appeals a JOIN claims c ON c.id = a.claim_id
                CROSS JOIN LATERAL (
                      SELECT a.right_fen - c.amount_fen
                             - coalesce((SELECT sum(s.amount_fen) FROM claim_supplements s
                                           LEFT JOIN claims p ON p.id = s.id
                                          WHERE s.claim_id = c.id AND s.owed_at < a.answered_at
                                            AND p.status IS DISTINCT FROM 'withdrawn'), 0)
                             + coalesce((SELECT sum(clawback_stands_fen(k)) FROM clawbacks k
                                          WHERE k.cause = 'standards'
                                            AND k.raised_at < a.answered_at
                                            AND (k.claim_id = c.id OR k.claim_id IN (
                                                 SELECT s.id FROM claim_supplements s WHERE s.claim_id = c.id))), 0)
                             AS fen) AS difference
                WHERE a.answered_at IS NOT NULL
                  AND (coalesce((SELECT sum(s.amount_fen) FROM claim_supplements s WHERE s.appeal_id = a.id), 0)
                         <> greatest(difference.fen, 0)
                       OR coalesce((SELECT sum(k.amount_fen) FROM clawbacks k
                                     WHERE k.cause = 'appeal' AND k.ground_id = a.id), 0)
                          > greatest(-difference.fen, 0))""",
        ),
        Check(
            "amount_appeals",
            "答复金额复核的是申领人、申请人或批准的人",
            """SELECT a.id FROM amount_appeals a JOIN claims c ON c.id = a.claim_id
                 JOIN people q ON q.id = a.answered_person JOIN people p ON p.id = c.person_id
                WHERE coalesce(q.merged_into, q.id) = coalesce(p.merged_into, p.id)
                   OR a.answered_person = a.appealed_person
                   OR EXISTS (SELECT FROM journal j WHERE j.subject_kind = 'claim' AND j.subject_id = c.id
                                 AND j.action = 'approve' AND j.actor_person_id = a.answered_person)""",
        ),
        Check(
            "clawbacks",
            "强制执行没有过期限，或没有两个人决定",
            """SELECT k.id FROM clawbacks k WHERE k.status = 'enforced' AND NOT EXISTS (
                      SELECT FROM clawback_enforcements e JOIN clawback_terms t ON t.clawback_id = e.clawback_id
                        JOIN people one ON one.id = e.proposed_person JOIN people two ON two.id = e.answered_person
                       WHERE e.clawback_id = k.id AND e.granted AND e.ordered_on > t.due_on
                         AND coalesce(one.merged_into, one.id) <> coalesce(two.merged_into, two.id))""",
        ),
        Check(
            "clawback_appeals",
            "追回的复核由提出追回（或它所依据的更正、异议）的人、要退钱的人或申请的人答复，或没有答复就强制执行，或没有记入日志",
            """SELECT a.id FROM clawback_appeals a JOIN clawbacks k ON k.id = a.clawback_id
                 JOIN claims c ON c.id = k.claim_id JOIN people p ON p.id = c.person_id
                 LEFT JOIN people q ON q.id = a.answered_person LEFT JOIN people s ON s.id = a.appealed_person
                CROSS JOIN LATERAL (VALUES
                        ('appeal', a.appealed_person),
                        (CASE a.granted WHEN true THEN 'grant' WHEN false THEN 'deny' END, a.answered_person))
                        AS done (action, person_id)
                WHERE coalesce(q.merged_into, q.id) IN (coalesce(p.merged_into, p.id), coalesce(s.merged_into, s.id))
                   OR coalesce(q.merged_into, q.id) IN (SELECT raisers_of(k.id))
                   OR (k.status = 'enforced' AND a.granted IS DISTINCT FROM false)
                   OR (done.action IS NOT NULL AND NOT EXISTS (
                       SELECT FROM journal j WHERE j.subject_kind = 'clawback_appeal' AND j.subject_id = a.id
                          AND j.action = done.action AND j.actor_person_id = done.person_id))""",
        ),
        Check(
            "amount_corrections",
            "更正的数字与明细不符，或没有两个人决定",
            """SELECT k.id FROM amount_corrections k
                 LEFT JOIN people one ON one.id = k.proposed_person LEFT JOIN people two ON two.id = k.answered_person
                CROSS JOIN LATERAL (
                      SELECT count(*) FILTER (WHERE differs > 0) AS more,
                             coalesce(sum(differs) FILTER (WHERE differs > 0), 0) AS more_fen,
                             count(*) FILTER (WHERE differs < 0) AS less,
                             coalesce(-sum(differs) FILTER (WHERE differs < 0), 0) AS less_fen
                        FROM (SELECT right_fen - paid_fen AS differs FROM amount_correction_lines
                               WHERE correction_id = k.id) AS line) AS said
                WHERE (k.more_count, k.more_fen, k.less_count, k.less_fen)
                      <> (said.more, said.more_fen, said.less, said.less_fen)
                   OR coalesce(one.merged_into, one.id) = coalesce(two.merged_into, two.id)""",
        ),
        Check(
            "claim_supplements",
            "补发没有记入日志",
            """SELECT s.id FROM claim_supplements s WHERE NOT EXISTS (
                      SELECT FROM journal j WHERE j.subject_kind = 'claim_supplement' AND j.subject_id = s.id
                         AND j.action = 'owe' AND j.after ->> 'amount_fen' = s.amount_fen::text)""",
        ),
    ),
)
