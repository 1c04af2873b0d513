"""The promise about parameters: what is in force is what two persons signed, and one day follows on another."""

from service.audit.queries.checks import Check, Promise

PARAMETERS = Promise(
    17,
    "parameters_by_two_persons",
    "policies",
    (
        Check(
            "policies",
            "修改没有由另一个人确认",
            """SELECT p.id FROM policies p
                 JOIN policy_proposals q ON q.id = p.proposal_id JOIN people a ON a.id = q.proposer_id
                 LEFT JOIN policy_confirmations c ON c.proposal_id = q.id LEFT JOIN people b ON b.id = c.person_id
                WHERE b.id IS NULL OR coalesce(a.merged_into, a.id) = coalesce(b.merged_into, b.id)""",
        ),
        Check(
            "policies",
            "生效的内容不是所提议的内容",
            """SELECT p.id FROM policies p LEFT JOIN policy_proposals q ON q.id = p.proposal_id
                WHERE p.proposal_id IS NOT NULL
                  AND (q.key, q.value, q.first, q.source, q.basis)
                      IS DISTINCT FROM (p.key, p.value, lower(p.in_force), p.source, p.basis)""",
        ),
        Check(
            "policy_proposals",
            "提议的内容与日志所记不符",
            """SELECT q.id FROM policy_proposals q WHERE NOT EXISTS (
                   SELECT FROM journal j WHERE j.subject_kind = 'policy' AND j.subject_id = q.id
                      AND j.action = 'propose' AND j.after -> 'value' = q.value AND j.after ->> 'key' = q.key
                      AND j.actor_person_id = q.proposer_id)""",
        ),
        Check(
            "policies",
            "前后两段生效的日子不相接",
            """SELECT id FROM (SELECT id, lower(in_force) AS first, lag(upper(in_force)) OVER days AS ended,
                                      row_number() OVER days AS place
                                 FROM policies WINDOW days AS (PARTITION BY key ORDER BY in_force)) AS steps
                WHERE place > 1 AND first IS DISTINCT FROM ended""",
        ),
    ),
)
