"""The promise about claims that are not a person's alone: who is paid was agreed, and so was how much."""

from service.audit.queries.checks import Check, Promise

KINDS = Promise(
    None,
    "paid_as_agreed",
    "claims WHERE payee_institution_id IS NOT NULL",
    (
        Check(
            "claims",
            "收款账户不是收款人的",
            """SELECT c.id FROM claims c
                 JOIN people p ON p.id = c.person_id
                 LEFT JOIN accounts a ON a.id = c.account_id
                 LEFT JOIN people h ON h.id = a.person_id
                WHERE coalesce(a.institution_id, h.merged_into, h.id)
                      IS DISTINCT FROM coalesce(c.payee_institution_id, p.merged_into, p.id)""",
        ),
        Check(
            "accounts",
            "单位的收款账户没有经两人确认",
            """SELECT a.id FROM accounts a
                 LEFT JOIN institution_account_proposals p
                   ON (p.id, p.institution_id, p.number_index) = (a.id, a.institution_id, a.number_index)
                 LEFT JOIN institution_account_answers k ON k.proposal_id = p.id
                WHERE a.institution_id IS NOT NULL AND k.answer IS DISTINCT FROM 'confirmed'""",
        ),
        Check(
            "procured_projects",
            "有效的申领超出了合同的人数或金额，或合同没有经两人确认",
            """SELECT p.id FROM procured_projects p JOIN claims c ON c.project_id = p.id
                WHERE c.status <> ALL (CAST(:dead AS text[]))
                GROUP BY p.id
               HAVING count(*) > p.places OR sum(c.amount_fen) > p.cap_fen OR p.confirmed_at IS NULL""",
        ),
    ),
)
