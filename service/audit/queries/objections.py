"""Objections: raised by the trainee, closed by somebody else, and all of it in the journal."""

from service.audit.queries.checks import Check, Promise

OBJECTIONS = Promise(
    None,
    "objections",
    "claim_objections",
    (
        Check(
            "claim_objections",
            "提出异议的不是申领人本人，或申领不是机构代领的，或协议没有收回",
            """SELECT o.id FROM claim_objections o JOIN claims c ON c.id = o.claim_id
                 JOIN people p ON p.id = c.person_id JOIN people r ON r.id = o.raised_person
                 JOIN users u ON u.id = o.raised_by
                WHERE coalesce(p.merged_into, p.id) <> coalesce(r.merged_into, r.id) OR u.person_id <> r.id
                   OR c.channel <> 'institution'
                   OR (o.ground = 'revoked' AND NOT EXISTS (
                       SELECT FROM mandate_revocations m WHERE m.mandate_id = c.mandate_id))""",
        ),
        Check(
            "claim_objections",
            "认定异议的就是申领人，或签字的用户不是签字的人",
            """SELECT o.id FROM claim_objections o JOIN claims c ON c.id = o.claim_id
                 JOIN people p ON p.id = c.person_id JOIN people q ON q.id = o.closed_person
                 JOIN users u ON u.id = o.closed_by
                WHERE coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id) OR u.person_id <> q.id""",
        ),
        Check(
            "claim_objections",
            "提出或认定没有记入日志",
            """SELECT o.id FROM claim_objections o CROSS JOIN LATERAL (VALUES
                        ('object', o.raised_person),
                        (CASE o.finding WHEN 'upheld' THEN 'uphold' WHEN 'not_upheld' THEN 'dismiss' END,
                         o.closed_person)) AS done (action, person_id)
                WHERE done.action IS NOT NULL AND NOT EXISTS (
                      SELECT FROM journal j WHERE j.subject_kind = 'claim_objection' AND j.subject_id = o.id
                         AND j.action = done.action AND j.actor_person_id = done.person_id)""",
        ),
    ),
)
