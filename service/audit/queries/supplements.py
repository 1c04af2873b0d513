"""The promises about what is paid after a payment: a supplement once and with its claim, a new account by two."""

from service.audit.queries.checks import Check, Promise

SUPPLEMENTS = Promise(
    None,
    "supplements_paid_once",
    "claim_supplements",
    (
        Check(
            "claims",
            "补发的申领不是认定的金额、人或收款单位",
            """SELECT p.id FROM claims p
                 LEFT JOIN claim_supplements s ON s.id = p.id
                 LEFT JOIN claims b ON b.id = p.supplement_of
                WHERE p.kind = 'supplement'
                  AND (s.claim_id, s.amount_fen, b.person_id, b.payee_institution_id, b.district,
                       b.kind <> 'supplement')
                      IS DISTINCT FROM
                      (p.supplement_of, p.amount_fen, p.person_id, p.payee_institution_id, p.district, true)""",
        ),
        Check(
            "claim_supplements",
            "补发不是更正或复核认定的差额",
            """SELECT s.id FROM claim_supplements s
                 LEFT JOIN amount_appeals a ON a.id = s.appeal_id AND a.claim_id = s.claim_id
                 LEFT JOIN amount_corrections k ON k.id = s.correction_id AND k.granted
                 LEFT JOIN amount_correction_lines l ON l.correction_id = k.id AND l.claim_id = s.claim_id
                WHERE s.amount_fen <> s.right_fen - s.paid_fen
                   OR s.right_fen IS DISTINCT FROM coalesce(a.right_fen, l.right_fen)""",
        ),
        Check(
            "claim_supplements",
            "认定了补发，没有去付，也没有待办",
            """SELECT s.id FROM claim_supplements s
                 JOIN claims b ON b.id = s.claim_id LEFT JOIN claims p ON p.id = s.id
                WHERE b.status <> ALL (CAST(:dead AS text[])) AND coalesce(p.status, 'filed') = 'filed'
                  AND NOT EXISTS (SELECT FROM jobs j WHERE j.kind = 'clawbacks.pay_supplement' AND j.subject = s.id
                                                       AND j.state IN ('ready', 'dead'))
                  AND NOT EXISTS (SELECT FROM clawbacks c WHERE c.claim_id = b.id AND c.status <> 'waived'
                                                            AND c.cause NOT IN ('appeal', 'standards'))""",
        ),
        Check(
            "claims",
            "原来那笔申领不再有效，补发却没有停下或追回",
            """SELECT p.id FROM claims p JOIN claims b ON b.id = p.supplement_of
                WHERE b.status = ANY (CAST(:dead AS text[])) AND p.status <> ALL (CAST(:dead AS text[]))
                  AND (b.status <> 'recovered' OR asked_back_fen(b.id) > 0)
                  AND NOT EXISTS (SELECT FROM clawbacks c WHERE c.claim_id = p.id)
                  AND NOT EXISTS (SELECT FROM jobs j WHERE j.kind = 'clawbacks.raise_clawback' AND j.subject = b.id
                                                       AND j.state IN ('ready', 'dead'))""",
        ),
    ),
)

#: Where the parameter was in force on the day of the mending, and the account became another by it.
NEW_ACCOUNTS = Promise(
    None,
    "new_accounts_checked",
    "journal WHERE subject_kind = 'claim' AND action = 'mend'",
    (
        Check(
            "claims",
            "退票后换了账户，金额大，没有另一人核对",
            """SELECT c.id FROM claims c
                 JOIN journal j ON j.subject_kind = 'claim' AND j.subject_id = c.id AND j.action = 'mend'
                 JOIN policies p ON p.key = 'new_account_check_fen'
                                AND p.in_force @> (j.at AT TIME ZONE 'Asia/Shanghai')::date
                WHERE c.payee_institution_id IS NULL AND c.amount_fen >= (p.value #>> '{}')::bigint
                  AND j.after ->> 'account_id' IS NOT NULL
                  AND j.after ->> 'account_id' IS DISTINCT FROM (
                      SELECT before.after ->> 'account_id' FROM journal before
                       WHERE before.subject_kind = 'claim' AND before.subject_id = c.id AND before.id < j.id
                         AND before.after ? 'account_id' ORDER BY before.id DESC LIMIT 1)
                  AND NOT EXISTS (SELECT FROM account_checks k
                                    JOIN people one ON one.id = k.proposed_person
                                    JOIN people two ON two.id = k.answered_person
                                   WHERE k.claim_id = c.id AND k.account_id::text = j.after ->> 'account_id'
                                     AND k.confirmed
                                     AND coalesce(one.merged_into, one.id) <> coalesce(two.merged_into, two.id))""",
        ),
    ),
)
