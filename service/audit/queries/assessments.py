"""The promise about results of classes: another body than who taught told them, whole, and no certificate twice."""

from service.audit.queries.checks import Check, Promise

_OF = """
    FROM assessments a JOIN training_classes c ON c.id = a.class_id
    JOIN institutions t ON t.id = c.institution_id JOIN institutions b ON b.id = a.institution_id"""

ASSESSMENTS = Promise(
    None,
    "assessed_by_others",
    "assessment_results",
    (
        Check(
            "assessments",
            "评价机构就是培训机构，或与它有关联，或不是评价机构",
            f"""SELECT a.id {_OF}
                 WHERE b.kind <> 'assessment_body' OR substr(b.credit_code, 9, 9) = substr(t.credit_code, 9, 9)
                    OR EXISTS (SELECT FROM institution_affiliations f
                                WHERE f.days @> a.assessed_on
                                  -- what is found later is no fault of what was told before
                                  AND f.declared_at <= a.filed_at
                                  AND (f.one_id, f.other_id) = (least(t.id, b.id), greatest(t.id, b.id)))""",  # noqa: S608 (our own constants)
        ),
        Check(
            "assessments",
            "评价的日子不在结业之后，或不在评价机构备案的职业、等级和日子之内",
            f"""SELECT a.id {_OF}
                 WHERE a.assessed_on NOT BETWEEN c.last AND a.filed_on OR c.status NOT IN ('finished', 'closed')
                    OR NOT EXISTS (SELECT FROM institution_scopes s
                                    WHERE s.institution_id = b.id AND s.in_force @> a.assessed_on
                                      AND s.occupation = c.occupation AND c.level = ANY (s.levels))
                    OR NOT EXISTS (SELECT FROM institution_listings l
                                    WHERE l.institution_id = b.id AND l.in_force @> a.assessed_on)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "assessments",
            "考评员是班级的教师或学员",
            """SELECT DISTINCT a.id FROM assessments a JOIN assessment_examiners x ON x.assessment_id = a.id
                 JOIN people p ON p.id = x.person_id
                 JOIN (SELECT class_id, person_id FROM training_teachers
                        UNION ALL SELECT class_id, person_id FROM training_places) AS held
                   ON held.class_id = a.class_id
                 JOIN people q ON q.id = held.person_id
                WHERE coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id)""",
        ),
        Check(
            "assessments",
            "结果不是名册上每人恰好一个",
            """SELECT a.id FROM assessments a
                WHERE (SELECT count(*) FROM training_places p WHERE p.class_id = a.class_id)
                      <> (SELECT count(*) FROM assessment_results r JOIN training_places p
                            ON (p.class_id, p.person_id) = (a.class_id, r.person_id)
                           WHERE r.assessment_id = a.id AND r.class_id = a.class_id)""",
        ),
        Check(
            "assessment_results",
            "有效的不是最后一版",
            """SELECT r.assessment_id FROM assessment_results r JOIN assessments a ON a.id = r.assessment_id
                WHERE r.live <> (a.version = (SELECT max(n.version) FROM assessments n WHERE n.class_id = a.class_id))
            """,
        ),
        Check(
            "assessment_results",
            "一个证书编号用在几个人身上",
            """SELECT min(r.assessment_id::text) FROM assessment_results r
                WHERE r.live AND r.certificate_number IS NOT NULL
                GROUP BY r.certificate_number HAVING count(*) > 1""",
        ),
        Check(
            "assessments",
            "各版不是同一评价机构依次更正的，或没有写明理由",
            """SELECT a.id FROM assessments a
                WHERE (a.version = 1) <> (a.reason = '')
                   OR a.version - 1 <> (SELECT count(*) FROM assessments b
                                         WHERE b.class_id = a.class_id AND b.institution_id = a.institution_id
                                           AND b.version < a.version)""",
        ),
        Check(
            "assessments",
            "与日志所记的结果不符",
            """SELECT a.id FROM assessments a
                WHERE NOT EXISTS (
                      SELECT FROM journal j
                       WHERE j.subject_kind = 'assessment' AND j.subject_id = a.id
                         AND j.actor_person_id = a.filed_person
                         AND (j.after ->> 'class_id', j.after ->> 'version')
                             = (a.class_id::text, a.version::text)
                         AND (SELECT jsonb_object_agg(m.mark, m.who) FROM (
                                SELECT r.mark, jsonb_agg(r.person_id::text ORDER BY r.person_id::text) AS who
                                  FROM assessment_results r WHERE r.assessment_id = a.id GROUP BY r.mark) AS m)
                             <@ j.after)""",
        ),
    ),
)
