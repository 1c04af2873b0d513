"""The promise about messages: each is of something that happened to a claim, and went to its holder."""

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
                       THEN CAST({_NUMBER} AS bigint) END AND j.subject_id = m.claim_id AND j.action = m.template
                  LEFT JOIN claim_corrections d ON d.id = CASE WHEN m.event LIKE 'remind:%'
                       THEN CAST({_NUMBER} AS uuid) END AND d.claim_id = m.claim_id AND m.template = 'remind'
                 WHERE j.id IS NULL AND d.id IS NULL""",  # noqa: S608 (our own constants)
        ),
        Check(
            "messages",
            "短信发给了别人",
            """SELECT m.id FROM messages m
                 JOIN claims c ON c.id = m.claim_id
                 JOIN people p ON p.id = c.person_id
                WHERE m.person_id NOT IN (p.id, coalesce(p.merged_into, p.id))""",
        ),
    ),
)
