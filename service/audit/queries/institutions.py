"""The promise about institutions: an account by two persons; admission by scores, after publicity."""

from service.audit.queries.checks import Check, Promise

_GIVEN = """
    CROSS JOIN LATERAL (
          SELECT count(DISTINCT coalesce(p.merged_into, p.id)) AS persons,
                 sum((SELECT sum((c ->> 'weight')::integer * (s.points ->> (c ->> 'name'))::integer)
                        FROM jsonb_array_elements(r.criteria) AS c)) / count(s.id) AS mean
            FROM selection_score_sheets s JOIN people p ON p.id = s.person_id
           WHERE s.application_id = a.id) AS given"""

INSTITUTIONS = Promise(
    None,
    "institutions_by_several_persons",
    "institution_account_answers",
    (
        Check(
            "institution_account_answers",
            "账户由提出的人自己答复",
            """SELECT a.proposal_id FROM institution_account_answers a
                 LEFT JOIN institution_account_proposals q ON q.id = a.proposal_id
                 LEFT JOIN people one ON one.id = q.proposer_id LEFT JOIN people other ON other.id = a.person_id
                WHERE one.id IS NULL OR other.id IS NULL
                   OR coalesce(one.merged_into, one.id) = coalesce(other.merged_into, other.id)""",
        ),
        Check(
            "selection_applications",
            "入围不是由足够的评委打分得出的",
            f"""SELECT a.id FROM selection_applications a JOIN selection_rounds r ON r.id = a.round_id {_GIVEN}
                 WHERE a.status IN ('nominated', 'admitted')
                   AND (given.persons < r.assessors OR a.score IS DISTINCT FROM floor(given.mean)
                        OR a.score < r.pass_mark * 100)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "selection_applications",
            "公示期满之前就入围了",
            """SELECT a.id FROM selection_applications a JOIN selection_rounds r ON r.id = a.round_id
                WHERE a.status = 'admitted' AND NOT EXISTS (
                      SELECT FROM journal j
                       WHERE j.subject_kind = 'selection_application' AND j.subject_id = a.id AND j.action = 'admit'
                         AND (j.at AT TIME ZONE 'Asia/Shanghai')::date >= upper(r.publicity))""",
        ),
        Check(
            "selection_applications",
            "入围的日子不是公告的日子",
            """SELECT a.id FROM selection_applications a JOIN selection_rounds r ON r.id = a.round_id
                 LEFT JOIN institution_listings l ON l.id = a.listing_id AND l.institution_id = a.institution_id
                WHERE a.status = 'admitted'
                  AND (l.id IS NULL OR lower(l.in_force) <> lower(r.admits) OR NOT l.in_force <@ r.admits)""",
        ),
    ),
)
