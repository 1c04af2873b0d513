"""The promise about territory: whoever works for a district, an institution or themself acted nowhere else.

What they only read leaves no row behind; that a foreign id answers 404 is for the tests of each feature.
"""

from service.audit.queries.checks import Check, Promise

#: Whose each subject of the journal is. Subjects of the whole city (editions, parameters, users) belong nowhere.
_PLACES = """
    SELECT 'claim' AS kind, id, district, institution_id, person_id FROM claims
     UNION ALL SELECT named.kind, id, district, institution_id, person_id
                 FROM claims, unnest(ARRAY['claim_unmasking', 'registry_asking']) AS named (kind)
     UNION ALL SELECT 'claim_hold', h.id, c.district, c.institution_id, c.person_id
                 FROM claim_holds h JOIN claims c ON c.id = h.claim_id
     UNION ALL SELECT 'claim_objection', o.id, c.district, c.institution_id, c.person_id
                 FROM claim_objections o JOIN claims c ON c.id = o.claim_id
     UNION ALL SELECT 'claim_recusal', r.claim_id, c.district, c.institution_id, c.person_id
                 FROM claim_recusals r JOIN claims c ON c.id = r.claim_id
     UNION ALL SELECT 'claim_appeal', a.id, c.district, c.institution_id, c.person_id
                 FROM claim_appeals a JOIN claims c ON c.id = a.claim_id
     UNION ALL SELECT 'manual_check', m.id, c.district, c.institution_id, c.person_id
                 FROM manual_checks m JOIN claims c ON c.id = m.claim_id
     UNION ALL SELECT named.kind, k.id, c.district, c.institution_id, c.person_id
                 FROM clawbacks k JOIN claims c ON c.id = k.claim_id,
                       unnest(ARRAY['clawback', 'clawback_waiver', 'clawback_enforcement',
                                    'clawback_repayment']) AS named (kind)
     UNION ALL SELECT 'amount_appeal', a.id, c.district, c.institution_id, c.person_id
                 FROM amount_appeals a JOIN claims c ON c.id = a.claim_id
     UNION ALL SELECT 'claim_supplement', s.id, c.district, c.institution_id, c.person_id
                 FROM claim_supplements s JOIN claims c ON c.id = s.claim_id
     UNION ALL SELECT 'account_check', k.id, c.district, c.institution_id, c.person_id
                 FROM account_checks k JOIN claims c ON c.id = k.claim_id
     UNION ALL SELECT 'amount_correction', id, district, NULL, NULL FROM amount_corrections
     UNION ALL SELECT 'check_evidence', id, district, institution_id, person_id FROM claims
     UNION ALL SELECT 'offer', id, district, NULL, person_id FROM claim_offers
     UNION ALL SELECT named.kind, a.id, c.district, c.institution_id, c.person_id
                 FROM payment_attempts a JOIN claims c ON c.id = a.claim_id,
                      unnest(ARRAY['attempt', 'attempt_decision']) AS named (kind)
     UNION ALL SELECT kind, id, district, NULL, NULL
                 FROM batches, unnest(ARRAY['batch', 'treasury_transfer', 'bank_file', 'batch_refusal',
                                            'batch_left_out', 'batch_register_check']) AS kind
     UNION ALL SELECT 'batch_hold', h.id, b.district, NULL, NULL
                 FROM batch_holds h JOIN batches b ON b.id = h.batch_id
     UNION ALL SELECT 'return_file', f.id, b.district, NULL, NULL
                 FROM return_files f JOIN batches b ON b.number = f.file_id
     UNION ALL SELECT 'bank_statement', id, district, NULL, NULL FROM bank_statements
     UNION ALL SELECT 'bank_statement', id, district, NULL, NULL FROM blocked_statements
     UNION ALL SELECT 'statement_line', l.id, s.district, NULL, NULL
                 FROM statement_lines l JOIN bank_statements s ON s.id = l.statement_id
     UNION ALL SELECT 'daily_close', id, district, NULL, NULL FROM daily_closes
     UNION ALL SELECT 'notice', id, district, NULL, NULL FROM public_notices
     UNION ALL SELECT 'appropriation', id, district, NULL, NULL FROM appropriations
     UNION ALL SELECT 'fund_transfer', id, unnest(ARRAY[source_district, target_district]), NULL, NULL
                 FROM fund_transfers
     UNION ALL SELECT 'institution', id, district, id, NULL FROM institutions
     UNION ALL SELECT 'institution_account', p.id, i.district, i.id, NULL
                 FROM institution_account_proposals p JOIN institutions i ON i.id = p.institution_id
     UNION ALL SELECT 'selection_application', a.id, i.district, i.id, NULL
                 FROM selection_applications a JOIN institutions i ON i.id = a.institution_id
     UNION ALL SELECT kind, id, district, institution_id, NULL
                 FROM training_classes, unnest(ARRAY['class', 'class_change']) AS kind
     UNION ALL SELECT 'attendance', id, district, institution_id, NULL FROM training_classes
     UNION ALL SELECT 'patrol', p.id, c.district, NULL, NULL
                 FROM patrols p JOIN training_classes c ON c.id = p.class_id
     UNION ALL SELECT 'patrol_draw', id, district, NULL, NULL FROM patrol_draws
     UNION ALL SELECT 'attendance_key', k.id, i.district, i.id, NULL
                 FROM attendance_keys k JOIN institutions i ON i.id = k.institution_id
     UNION ALL SELECT 'assessment', id, NULL, institution_id, NULL FROM assessments
     UNION ALL SELECT 'roster', id, NULL, institution_id, NULL FROM rosters
     UNION ALL SELECT 'mandate', id, NULL, institution_id, person_id FROM mandates
     UNION ALL SELECT 'contract', id, NULL, institution_id, person_id FROM employment_contracts
     UNION ALL SELECT 'project', id, district, institution_id, NULL FROM procured_projects"""

#: Who takes one claim out of a batch dissolves the batch, and frees the claims of others with it.
_WITH_A_BATCH = "'dissolve', 'void', 'unbatch', 'carry_over'"

TERRITORY = Promise(
    15,
    "nobody_acts_elsewhere",
    "journal WHERE actor_user_id IS NOT NULL",
    (
        # who works for a district is a person too, and claims where they were trained: that is the third check's
        Check(
            "journal",
            "在别的区办了事",
            f"""SELECT j.id FROM journal j
                  JOIN users u ON u.id = j.actor_user_id AND u.district IS NOT NULL AND u.institution_id IS NULL
                  JOIN ({_PLACES}) AS place ON place.kind = j.subject_kind AND place.id = j.subject_id
                 WHERE place.district <> u.district
                   AND j.actor_name <> 'trainee'""",  # noqa: S608 (our own constants)
        ),
        Check(
            "journal",
            "替别的机构办了事",
            f"""SELECT j.id FROM journal j
                  JOIN users u ON u.id = j.actor_user_id AND u.institution_id IS NOT NULL
                  JOIN ({_PLACES}) AS place ON place.kind = j.subject_kind AND place.id = j.subject_id
                 WHERE place.institution_id IS DISTINCT FROM u.institution_id AND j.action NOT IN ({_WITH_A_BATCH})
                   AND place.person_id IS DISTINCT FROM u.person_id""",  # noqa: S608 (our own constants)
        ),
        Check(
            "journal",
            "申领人动了别人的事",
            f"""SELECT j.id FROM journal j
                  JOIN users u ON u.id = j.actor_user_id JOIN people me ON me.id = u.person_id
                  JOIN ({_PLACES}) AS place ON place.kind = j.subject_kind AND place.id = j.subject_id
                  LEFT JOIN people other ON other.id = place.person_id
                 WHERE j.actor_name = 'trainee' AND j.action NOT IN ({_WITH_A_BATCH})
                   AND coalesce(other.merged_into, other.id) IS DISTINCT FROM coalesce(me.merged_into, me.id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "claims",
            "代领的申领不是经办所在机构的",
            """SELECT c.id FROM claims c JOIN users u ON u.id = c.filed_by
                WHERE u.institution_id <> c.institution_id AND c.person_id <> u.person_id""",
        ),
    ),
)
