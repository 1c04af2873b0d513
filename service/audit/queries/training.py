"""The promise about classes: nobody and no room is in two at one time, and no first one without an inspection."""

from domain.training import DEAD
from service.audit.queries.checks import Check, Promise

_LIVE = "status NOT IN ({})".format(", ".join(f"'{status}'" for status in sorted(DEAD)))
_HELD = "status IN ('approved', 'running', 'finished', 'closed')"


def _at_one_time(what: str) -> str:
    return f"""SELECT t.id FROM training_sessions s
                 JOIN training_sessions t ON t.{what} = s.{what} AND t.during && s.during AND t.id > s.id
                 JOIN training_classes a ON a.id = s.class_id AND a.{_LIVE}
                 JOIN training_classes b ON b.id = t.class_id AND b.{_LIVE}"""  # noqa: S608 (our own constants)


CLASSES = Promise(
    None,
    "classes_apart",
    "training_classes",
    (
        Check("training_sessions", "教师同一时间上两次课", _at_one_time("teacher_id")),
        Check("training_sessions", "教室同一时间有两次课", _at_one_time("room_id")),
        # first those who are in two classes, who are few: see training.queries.overlaps
        Check(
            "training_places",
            "有人同一时间在两个班",
            f"""WITH held AS (
                    SELECT person_id, class_id, NULL::uuid AS teacher_id FROM training_places
                     UNION ALL SELECT person_id, class_id, person_id FROM training_teachers
                ), twice AS MATERIALIZED (
                    SELECT p.person_id, p.class_id AS one, h.class_id AS other, h.teacher_id
                      FROM training_places p JOIN held h ON h.person_id = p.person_id AND h.class_id <> p.class_id
                )
                SELECT DISTINCT twice.one FROM twice
                  JOIN training_classes a ON a.id = twice.one AND a.{_LIVE}
                  JOIN training_classes b ON b.id = twice.other AND b.{_LIVE}
                  JOIN training_sessions s ON s.class_id = twice.one
                  JOIN training_sessions t ON t.class_id = twice.other AND t.during && s.during
                                          AND t.teacher_id = coalesce(twice.teacher_id, t.teacher_id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "training_sessions",
            "课次是否占用与班级的状态不符",
            f"""SELECT s.id FROM training_sessions s JOIN training_classes c ON c.id = s.class_id
                 WHERE s.live <> (c.{_LIVE})""",  # noqa: S608 (our own constants)
        ),
        Check(
            "training_classes",
            "机构没有通过实地检查就开了班",
            f"""SELECT c.id FROM training_classes c
                 WHERE c.{_HELD} AND NOT EXISTS (
                       SELECT FROM inspections i
                        WHERE i.institution_id = c.institution_id AND i.result = 'passed')""",  # noqa: S608 (our own constants)
        ),
        Check(
            "claims",
            "申领注明的班不是开成的班，或没有教过这个人这个职业和等级",
            f"""SELECT a.id FROM claims a JOIN training_classes c ON c.id = a.class_id
                 WHERE NOT (c.{_HELD}) OR c.filed_on >= c.first
                    OR (c.occupation, c.level, c.first) <> (a.subsidy_key, a.level, a.training_started_on)
                    OR c.institution_id <> coalesce(a.institution_id, c.institution_id)
                    OR NOT EXISTS (SELECT FROM training_places p
                                    WHERE p.class_id = c.id AND p.person_id = a.person_id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "inspections",
            "有结果的实地检查不足两人",
            """SELECT i.id FROM inspections i
                WHERE i.result IS NOT NULL AND (
                      SELECT count(DISTINCT coalesce(p.merged_into, p.id))
                        FROM inspection_officers f JOIN people p ON p.id = f.person_id
                       WHERE f.inspection_id = i.id) < 2""",
        ),
    ),
)
