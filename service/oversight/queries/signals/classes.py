"""班: nearly all pass, trainers assess, arrivals are too alike, hours were cut, patrols saw fewer than the list."""

from collections.abc import Mapping

from domain.signal import Signal
from service.training.queries.attendance_rates import STANDING

# Of those who sat, in the version of the results that holds.
_NEARLY_ALL_PASSED = """
    SELECT k.institution_id,
           jsonb_build_object('assessed', count(*), 'passed', count(*) FILTER (WHERE r.mark = 'passed')) AS figures,
           jsonb_agg(DISTINCT jsonb_build_object('class', k.id)) AS rows
      FROM assessment_results r
      JOIN assessments a ON a.id = r.assessment_id AND a.assessed_on BETWEEN :since AND :until
      JOIN training_classes k ON k.id = r.class_id
     WHERE r.live AND r.mark <> 'absent'
     GROUP BY k.institution_id
    HAVING count(*) >= :assessed_least
"""

# Whoever taught a class is refused as its examiner; here: who teaches at the institution examines its other classes.
_TRAINER_ASSESSOR = """
    WITH teacher AS (
        SELECT DISTINCT k.institution_id, coalesce(p.merged_into, p.id) AS human
          FROM training_teachers t
          JOIN training_classes k ON k.id = t.class_id AND k.status <> ALL (CAST(:dead AS text[]))
          JOIN people p ON p.id = t.person_id
    )
    SELECT k.institution_id,
           jsonb_build_object('classes', count(DISTINCT k.id), 'people', count(DISTINCT teacher.human)) AS figures,
           jsonb_agg(DISTINCT jsonb_build_object('class', k.id, 'examiner', e.person_id)) AS rows
      FROM assessment_examiners e
      JOIN assessments a ON a.id = e.assessment_id AND a.assessed_on BETWEEN :since AND :until
      JOIN training_classes k ON k.id = a.class_id
      JOIN people p ON p.id = e.person_id
      JOIN teacher ON teacher.institution_id = k.institution_id AND teacher.human = coalesce(p.merged_into, p.id)
     WHERE NOT EXISTS (SELECT FROM assessments later WHERE later.class_id = a.class_id AND later.version > a.version)
     GROUP BY k.institution_id
    HAVING count(DISTINCT k.id) >= :classes_least
"""

# The minute of each arrival, counted from the beginning of its session. Of each session the most that came in one
# minute: a list that was filled in for all. Of each person the most sessions to which they came in one minute: a list
# that was filled in ahead.
_REGULAR = f"""
    WITH arrival AS MATERIALIZED (
        SELECT m.class_id, m.session_id, m.person_id,
               min(floor(extract(epoch FROM lower(m.during) - lower(s.during)) / 60)) AS minute
          FROM {STANDING} AS m
          JOIN training_sessions s ON s.id = m.session_id
          JOIN training_classes k ON k.id = m.class_id AND k.first BETWEEN :since AND :until
         GROUP BY m.class_id, m.session_id, m.person_id
    ), of_session AS (
        SELECT class_id, session_id, max(came) AS most
          FROM (SELECT class_id, session_id, count(*) AS came
                  FROM arrival GROUP BY class_id, session_id, minute) AS one
         GROUP BY class_id, session_id
    ), of_person AS (
        SELECT class_id, person_id, max(came) AS most, sum(came) AS sessions
          FROM (SELECT class_id, person_id, count(*) AS came
                  FROM arrival GROUP BY class_id, person_id, minute) AS one
         GROUP BY class_id, person_id
    ), alike AS (
        SELECT p.class_id, p.people, p.arrivals, s.sessions, s.together * 100 / p.arrivals AS together_percent,
               p.steady * 100 / p.arrivals AS steady_percent
          FROM (SELECT class_id, count(*) AS people, sum(sessions) AS arrivals, sum(most) AS steady
                  FROM of_person GROUP BY class_id) p
          JOIN (SELECT class_id, count(*) AS sessions, sum(most) AS together
                  FROM of_session GROUP BY class_id) s USING (class_id)
         WHERE s.sessions >= :sessions_least AND p.people >= :people_least
    )
    SELECT k.institution_id,
           jsonb_build_object('percent', floor(greatest(together_percent, steady_percent)), 'sessions', sessions,
                              'people', people) AS figures,
           jsonb_build_array(jsonb_build_object('class', k.id)) AS rows
      FROM alike JOIN training_classes k ON k.id = alike.class_id
     WHERE greatest(together_percent, steady_percent) >= :percent_least
"""  # noqa: S608 (our own constants)

# How much of each session those who came were there for, on average; a session to which nobody came counts nothing.
# Only classes that have marks: of others the list has not come yet.
_HOURS_CUT = f"""
    WITH stay AS MATERIALIZED (
        SELECT m.class_id, m.session_id, m.person_id, range_agg(m.during) AS during
          FROM {STANDING} AS m
          JOIN training_classes k ON k.id = m.class_id AND k.first BETWEEN :since AND :until AND k.last < :until
         GROUP BY m.class_id, m.session_id, m.person_id
    ), held AS (
        SELECT s.id AS session_id,
               avg((SELECT sum(extract(epoch FROM upper(part) - lower(part)))
                      FROM unnest(stay.during * tstzmultirange(s.during)) AS part)
                   / extract(epoch FROM upper(s.during) - lower(s.during))) AS share
          FROM stay JOIN training_sessions s ON s.id = stay.session_id
         GROUP BY s.id
    ), cut AS (
        SELECT s.class_id, count(*) AS sessions, count(*) FILTER (WHERE held.share IS NULL) AS empty,
               100 - 100 * sum(coalesce(held.share, 0)) / count(*) AS percent
          FROM training_sessions s LEFT JOIN held ON held.session_id = s.id
         WHERE s.class_id IN (SELECT class_id FROM stay)
         GROUP BY s.class_id
        HAVING count(*) >= :sessions_least
    )
    SELECT k.institution_id,
           jsonb_build_object('percent', floor(cut.percent), 'sessions', cut.sessions, 'empty', cut.empty) AS figures,
           jsonb_build_array(jsonb_build_object('class', k.id)) AS rows
      FROM cut JOIN training_classes k ON k.id = cut.class_id
     WHERE cut.percent >= :percent_least
"""  # noqa: S608 (our own constants)

# Beside what a patrol counted, how many the list has for that session.
_FEWER_SEEN = f"""
    WITH seen AS MATERIALIZED (
        SELECT p.id, p.class_id, p.headcount, s.id AS session_id, (p.begins AT TIME ZONE 'Asia/Shanghai')::date AS day
          FROM patrols p
          JOIN training_sessions s ON s.class_id = p.class_id AND lower(s.during) = p.begins
         WHERE p.headcount IS NOT NULL
           AND (p.begins AT TIME ZONE 'Asia/Shanghai')::date BETWEEN :since AND :until
    ), marked AS (
        SELECT seen.id, count(DISTINCT m.person_id) AS people
          FROM seen JOIN {STANDING} AS m ON m.class_id = seen.class_id AND m.session_id = seen.session_id
         GROUP BY seen.id
    )
    SELECT k.institution_id,
           jsonb_build_object('missing', marked.people - seen.headcount, 'marked', marked.people,
                              'seen', seen.headcount, 'on', seen.day) AS figures,
           jsonb_build_array(jsonb_build_object('class', k.id, 'patrol', seen.id)) AS rows
      FROM seen JOIN marked USING (id) JOIN training_classes k ON k.id = seen.class_id
     WHERE marked.people - seen.headcount >= :missing_least
"""  # noqa: S608 (our own constants)

QUESTIONS: Mapping[Signal, str] = {
    Signal.NEARLY_ALL_PASSED: _NEARLY_ALL_PASSED,
    Signal.TRAINER_ASSESSOR: _TRAINER_ASSESSOR,
    Signal.REGULAR_ATTENDANCE: _REGULAR,
    Signal.HOURS_CUT: _HOURS_CUT,
    Signal.FEWER_SEEN: _FEWER_SEEN,
}
