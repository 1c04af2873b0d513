"""学员: one telephone or account for many, and people who are in two classes at one time."""

from collections.abc import Mapping

from domain.signal import Signal
from service.training.queries.overlaps import IN_TWO_CLASSES

# Whoever has a place in a class of the institution, or a claim that came through it; two ids that were found to be
# one person are one.
_MEMBER = """
    member AS (
        SELECT DISTINCT taught.institution_id, person.id AS person_id, person.phone_index,
               coalesce(person.merged_into, person.id) AS human
          FROM (SELECT k.institution_id, p.person_id
                  FROM training_places p JOIN training_classes k ON k.id = p.class_id
                 WHERE k.status <> ALL (CAST(:dead AS text[])) AND k.first BETWEEN :since AND :until
                 UNION ALL
                SELECT institution_id, person_id FROM claims
                 WHERE institution_id IS NOT NULL AND status <> 'withdrawn' AND kind <> 'supplement'
                   AND filed_on BETWEEN :since AND :until) AS taught
          JOIN people person ON person.id = taught.person_id
    )
"""

_PHONE = f"""
    WITH {_MEMBER}
    SELECT institution_id, jsonb_build_object('people', count(DISTINCT human)) AS figures,
           jsonb_agg(jsonb_build_object('person', person_id)) AS rows
      FROM member
     WHERE phone_index IS NOT NULL
     GROUP BY institution_id, phone_index
    HAVING count(DISTINCT human) >= :people_least
"""  # noqa: S608 (our own constants)

_ACCOUNT = f"""
    WITH {_MEMBER}
    SELECT member.institution_id, jsonb_build_object('people', count(DISTINCT human)) AS figures,
           jsonb_agg(DISTINCT jsonb_build_object('person', member.person_id)) AS rows
      FROM member JOIN accounts a ON a.person_id = member.person_id
     GROUP BY member.institution_id, a.number_index
    HAVING count(DISTINCT human) >= :people_least
"""  # noqa: S608 (our own constants)

# Both institutions are told: whose session was empty, only people can find out.
_TWO_CLASSES = f"""
    WITH {IN_TWO_CLASSES}, meeting AS (
        SELECT twice.person_id, la.institution_id AS one_at, twice.one, lb.institution_id AS other_at, twice.other
          FROM twice
          JOIN live la ON la.id = twice.one AND la.days && daterange(:since, :until, '[]')
          JOIN live lb ON lb.id = twice.other AND lb.days && la.days
         WHERE EXISTS (SELECT FROM training_sessions s JOIN training_sessions t ON t.during && s.during
                        WHERE s.class_id = twice.one AND s.teacher_id = coalesce(twice.teacher_id, s.teacher_id)
                          AND t.class_id = twice.other
                          AND t.teacher_id = coalesce(twice.teacher_there, t.teacher_id))
    ), place AS (
        SELECT one_at AS institution_id, person_id, one AS class_id FROM meeting
         UNION SELECT other_at, person_id, other FROM meeting
    )
    SELECT institution_id, jsonb_build_object('people', count(DISTINCT person_id)) AS figures,
           jsonb_agg(jsonb_build_object('person', person_id, 'class', class_id)) AS rows
      FROM place
     GROUP BY institution_id
    HAVING count(DISTINCT person_id) >= :people_least
"""  # noqa: S608 (our own constants)

QUESTIONS: Mapping[Signal, str] = {
    Signal.SHARED_PHONE: _PHONE,
    Signal.SHARED_ACCOUNT: _ACCOUNT,
    Signal.TWO_CLASSES: _TWO_CLASSES,
}
