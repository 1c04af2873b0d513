"""The promise about rosters: each line came to one end, and a filed one has the one claim of its own institution."""

from service.audit.queries.checks import Check, Promise

ROSTER_LINES = Promise(
    None,
    "roster_lines",
    "roster_lines",
    (
        Check(
            "roster_lines",
            "名册中提交了的行没有申领，或没有提交的行有申领",
            """SELECT roster_id || '/' || line FROM roster_lines
                WHERE (outcome = 'filed') <> (claim_id IS NOT NULL) OR (outcome = 'refused') <> (reasons <> '[]')
                   OR outcome NOT IN ('filed', 'refused')""",
        ),
        Check(
            "roster_lines",
            "名册中两行是同一笔申领",
            """SELECT (array_agg(roster_id || '/' || line ORDER BY roster_id, line))[2] FROM roster_lines
                WHERE claim_id IS NOT NULL GROUP BY claim_id HAVING count(*) > 1""",
        ),
        Check(
            "roster_lines",
            "名册中一行的申领不是这家机构在那一天代领的",
            """SELECT l.roster_id || '/' || l.line FROM roster_lines l JOIN rosters r ON r.id = l.roster_id
                 LEFT JOIN claims c ON c.id = l.claim_id
                WHERE l.outcome = 'filed'
                  AND (c.institution_id, c.filed_by, c.filed_on)
                      IS DISTINCT FROM (r.institution_id, r.uploaded_by, r.received_on)""",
        ),
        Check(
            "roster_portions",
            "名册的一部分办完了，但行数与结果不符",
            """SELECT p.id FROM roster_portions p LEFT JOIN roster_lines l ON l.portion_id = p.id
                GROUP BY p.id
               HAVING (count(l.line) FILTER (WHERE l.outcome = 'filed'),
                       count(l.line) FILTER (WHERE l.outcome = 'refused'))
                      <> (coalesce(p.filed, 0), coalesce(p.refused, 0))
                   OR (p.done_at IS NOT NULL AND count(l.line) <> p.line_count)""",
        ),
        Check(
            "rosters",
            "名册办完了，但不是每一行都有结果",
            """SELECT r.id FROM rosters r LEFT JOIN roster_portions p ON p.roster_id = r.id
                WHERE r.status IN ('filing', 'finished')
                GROUP BY r.id
               HAVING coalesce(sum(p.line_count), 0) <> r.line_count
                   OR (r.status = 'finished') <> (count(*) FILTER (WHERE p.done_at IS NULL) = 0)""",
        ),
    ),
)
