"""Objections and appeals: raised by the claimant, answered by somebody else, and all of it in the journal."""

from service.audit.queries.approvals import related
from service.audit.queries.checks import Check, Promise

_GRANTED = "j.subject_kind = 'claim' AND j.action = 'reinstate'"

APPEALS = Promise(
    None,
    "appeals_by_another",
    "claim_appeals",
    (
        Check(
            "claim_appeals",
            "答复复核的就是作出原决定的人、申领人，或签字的用户不是签字的人",
            """SELECT a.id FROM claim_appeals a JOIN claims c ON c.id = a.claim_id
                 JOIN journal r ON r.id = a.refusal_id
                 JOIN people p ON p.id = c.person_id JOIN people q ON q.id = a.answered_person
                 JOIN users u ON u.id = a.answered_by LEFT JOIN people f ON f.id = r.actor_person_id
                WHERE coalesce(q.merged_into, q.id) IN (coalesce(p.merged_into, p.id), coalesce(f.merged_into, f.id))
                   OR u.person_id <> q.id OR r.subject_id <> a.claim_id OR r.action <> 'refuse'""",
        ),
        Check(
            "claims",
            "不予补贴的申领恢复了，却没有复核通过",
            f"""SELECT j.subject_id FROM journal j
                 WHERE {_GRANTED} AND NOT EXISTS (
                       SELECT FROM claim_appeals a
                        WHERE a.claim_id = j.subject_id AND a.answer = 'granted' AND a.refusal_id < j.id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "claim_appeals",
            "复核通过了，申领却没有恢复",
            f"""SELECT a.id FROM claim_appeals a
                 WHERE a.answer = 'granted' AND NOT EXISTS (
                       SELECT FROM journal j
                        WHERE {_GRANTED} AND j.subject_id = a.claim_id AND j.id > a.refusal_id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "claim_appeals",
            "申请或答复没有记入日志",
            """SELECT a.id FROM claim_appeals a CROSS JOIN LATERAL (VALUES
                        ('appeal', a.appealed_person),
                        (CASE a.answer WHEN 'granted' THEN 'grant' WHEN 'denied' THEN 'deny' ELSE a.answer END,
                         a.answered_person)) AS done (action, person_id)
                WHERE done.action IS NOT NULL AND NOT EXISTS (
                      SELECT FROM journal j WHERE j.subject_kind = 'claim_appeal' AND j.subject_id = a.id
                         AND j.action = done.action AND j.actor_person_id = done.person_id)""",
        ),
    ),
)

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

_ANSWERED = "notice_objection_answers a JOIN notice_objections o ON o.id = a.objection_id"

TO_NOTICES = Promise(
    None,
    "objections_to_notices",
    "notice_objections",
    (
        Check(
            "notice_objections",
            "异议不是在公示期内提的，或那一行不在公示里",
            """SELECT o.id FROM notice_objections o JOIN public_notices n ON n.id = o.notice_id
                WHERE o.filed_on NOT BETWEEN n.opens_on AND n.closes_on
                   OR (o.claim_id IS NOT NULL AND NOT EXISTS (
                       SELECT FROM notice_lines l WHERE l.notice_id = o.notice_id AND l.claim_id = o.claim_id))""",
        ),
        Check(
            "notice_objection_answers",
            "答复的就是提出的人或申领人，或签字的用户不是签字的人",
            f"""SELECT a.objection_id FROM {_ANSWERED}
                 JOIN people q ON q.id = a.answered_person JOIN users u ON u.id = a.answered_by
                 LEFT JOIN people p ON p.id = o.person_id
                 LEFT JOIN claims c ON c.id = o.claim_id LEFT JOIN people m ON m.id = c.person_id
                WHERE coalesce(q.merged_into, q.id) IN (coalesce(p.merged_into, p.id), coalesce(m.merged_into, m.id))
                   OR u.person_id <> q.id""",  # noqa: S608 (our own constants)
        ),
        Check(
            "notice_objection_answers",
            "答复的人先前审核过这笔申领，或应当回避",
            f"""SELECT a.objection_id FROM {_ANSWERED}
                 JOIN claims c ON c.id = o.claim_id JOIN people holder ON holder.id = c.person_id
                 JOIN people me ON me.id = a.answered_person
                WHERE {related("me.id", "a.answered_at")}
                   OR EXISTS (SELECT FROM journal j JOIN people p ON p.id = j.actor_person_id
                               WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.at <= a.answered_at
                                 AND j.actor_name IN ('acceptor', 'reviewer', 'second_reviewer')
                                 AND coalesce(p.merged_into, p.id) = coalesce(me.merged_into, me.id))
                   OR EXISTS (SELECT FROM claim_recusals r JOIN people p ON p.id = r.person_id
                               WHERE r.claim_id = c.id AND r.recused_at <= a.answered_at
                                 AND coalesce(p.merged_into, p.id) = coalesce(me.merged_into, me.id))""",  # noqa: S608 (our own constants)
        ),
        Check(
            "claims",
            "有人提出异议，没有答复就结束了公示",
            """SELECT o.claim_id FROM notice_objections o
                 LEFT JOIN notice_objection_answers a ON a.objection_id = o.id
                 JOIN journal j ON j.subject_kind = 'claim' AND j.subject_id = o.claim_id AND j.action = 'clear'
                  AND j.at > o.filed_at
                WHERE a.objection_id IS NULL OR j.at < a.answered_at""",
        ),
        Check(
            "notice_objections",
            "提出或答复没有记入日志",
            """SELECT o.id FROM notice_objections o LEFT JOIN notice_objection_answers a ON a.objection_id = o.id
                CROSS JOIN LATERAL (VALUES
                        ('object', o.person_id),
                        (CASE a.finding WHEN 'upheld' THEN 'uphold' WHEN 'not_upheld' THEN 'dismiss' END,
                         a.answered_person)) AS done (action, person_id)
                WHERE done.action IS NOT NULL AND NOT EXISTS (
                      SELECT FROM journal j WHERE j.subject_kind = 'notice_objection' AND j.subject_id = o.id
                         AND j.action = done.action AND j.actor_person_id IS NOT DISTINCT FROM done.person_id)""",
        ),
    ),
)
