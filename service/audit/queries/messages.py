"""The promise about messages: each is of what happened to a claim, or of an offer, and went to its holder."""

from service.audit.queries.checks import Check, Promise

_NUMBER = "split_part(m.event, ':', 2)"

TOLD = Promise(
    None,
    "told_what_happened",
    "messages",
    (
        Check(
            "messages",
            "发了短信，但没有发生过这件事",
            f"""SELECT m.id FROM messages m
                  LEFT JOIN journal j ON m.event LIKE 'journal:%' AND j.id = CASE WHEN m.event LIKE 'journal:%'
                       THEN CAST({_NUMBER} AS bigint) END AND j.subject_id = m.claim_id
                       AND j.action = regexp_replace(m.template, '_(to_another|at_counter)$', '')
                  LEFT JOIN claim_corrections d ON d.id = CASE WHEN m.event LIKE 'remind:%'
                       THEN CAST({_NUMBER} AS uuid) END AND d.claim_id = m.claim_id AND m.template = 'remind'
                  LEFT JOIN claim_offers o ON o.id = CASE WHEN m.event LIKE 'offer:%'
                       THEN CAST({_NUMBER} AS uuid) END AND m.claim_id IS NULL AND m.template = 'offer'
                  LEFT JOIN clawbacks k ON k.id = CASE WHEN m.event LIKE 'clawback:%'
                       THEN CAST({_NUMBER} AS uuid) END AND k.claim_id = m.claim_id AND m.template = 'clawback'
                 WHERE j.id IS NULL AND d.id IS NULL AND o.id IS NULL AND k.id IS NULL AND NOT (
                       m.template = 'alarm' AND m.event LIKE 'alarm:' || m.person_id || ':%'
                       AND EXISTS (SELECT FROM users u JOIN people p ON p.id = u.person_id
                                     JOIN user_posts own ON own.user_id = u.id AND own.post = 'operator'
                                    WHERE coalesce(p.merged_into, p.id) = m.person_id)) AND NOT (
                       m.template = 'digest' AND m.event LIKE 'digest:' || m.person_id || ':%'
                       AND EXISTS (SELECT FROM users u JOIN people p ON p.id = u.person_id
                                     JOIN user_posts own ON own.user_id = u.id
                                      AND own.post IN ('reviewer', 'second_reviewer')
                                    WHERE coalesce(p.merged_into, p.id) = m.person_id))""",  # noqa: S608 (our own constants)
        ),
        Check(
            "messages",
            "短信发给了别人",
            f"""SELECT m.id FROM messages m
                  LEFT JOIN claims c ON c.id = m.claim_id
                  LEFT JOIN claim_offers o ON o.id = CASE WHEN m.event LIKE 'offer:%'
                       THEN CAST({_NUMBER} AS uuid) END
                  JOIN people p ON p.id = coalesce(c.person_id, o.person_id)
                 WHERE m.person_id NOT IN (p.id, coalesce(p.merged_into, p.id))""",  # noqa: S608 (our own constants)
        ),
    ),
)
