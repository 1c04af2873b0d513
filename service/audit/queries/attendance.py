"""The promise about attendance: whoever is marked is on the roster of a class, at a session that was held."""

from service.audit.queries.checks import Check, Promise

ATTENDANCE = Promise(
    None,
    "attendance_inside_rosters",
    "attendance_marks",
    (
        Check(
            "attendance_marks",
            "考勤记到了名册之外的人",
            """SELECT m.id FROM attendance_marks m
                WHERE NOT EXISTS (SELECT FROM training_places p
                                   WHERE p.class_id = m.class_id AND p.person_id = m.person_id)""",
        ),
        Check(
            "attendance_marks",
            "考勤不在这个班的课次里",
            """SELECT m.id FROM attendance_marks m
                 LEFT JOIN training_sessions s ON s.id = m.session_id AND s.class_id = m.class_id
                WHERE s.id IS NULL OR lower(s.during) > m.received_at
                   OR (m.during IS NOT NULL AND NOT m.during && s.during)""",
        ),
        Check(
            "attendance_marks",
            "考勤记了还没有到的时间",
            "SELECT m.id FROM attendance_marks m WHERE upper(m.during) > m.received_at",
        ),
        Check(
            "attendance_marks",
            "考勤由别的机构的设备送来",
            """SELECT m.id FROM attendance_marks m
                 JOIN attendance_keys k ON k.id = m.key_id JOIN training_classes c ON c.id = m.class_id
                WHERE k.institution_id <> c.institution_id OR k.revoked_at <= m.received_at""",
        ),
        Check(
            "attendance_marks",
            "更正不是官员写明原因、对同一次课同一个人的",
            """SELECT m.id FROM attendance_marks m
                 LEFT JOIN attendance_marks was ON was.id = m.corrects_id
                WHERE (m.source = 'officer' OR m.corrects_id IS NOT NULL)
                  AND (m.reason = '' OR m.source <> 'officer'
                       OR (was.session_id, was.person_id) IS DISTINCT FROM (m.session_id, m.person_id))""",
        ),
        Check(
            "attendance_marks",
            "考勤没有日志",
            """SELECT m.id FROM attendance_marks m
                WHERE NOT EXISTS (SELECT FROM journal j
                                   WHERE j.subject_kind = 'attendance' AND j.subject_id = m.class_id
                                     AND j.at = m.received_at)""",
        ),
    ),
)
