"""Promises about answers: what was answered with success is there, and a key was answered once."""

from service.audit.queries.checks import Check, Promise

#: What a kept answer names: whose it is, and the row. An answer that was given on what another had brought before
#: (the same return, the same roster) is not the asker's own act; nor is the batch what they did who held it: that is
#: a row of its own. A key whose answer is no object names nothing.
_NAMED = """
    SELECT k.user_id, k.route, k.key, what.kind, what.own, said.answer ->> 'status' AS status,
           CAST(said.answer ->> 'id' AS uuid) AS id
      FROM idempotency_keys k
      JOIN (VALUES ('^POST /api/claims$', 'claim', true),
                   ('^POST /api/claims/[^/]+/(correct|account|retry|send-back)$', 'claim', true),
                   ('^POST /api/claims/[^/]+/(hold|lift)$', 'claim_hold', true),
                   ('^POST /api/(claims/[^/]+/object|objections/[^/]+/close)$', 'claim_objection', true),
                   ('^POST /api/(claims/[^/]+/appeal|appeals/[^/]+/answer)$', 'claim_appeal', true),
                   ('^POST /api/rosters$', 'roster', false),
                   ('^POST /api/returns$', 'return_file', false),
                   ('^POST /api/batches(/[^/]+/(submit|check|release|dissolve|reject|handed-over))?$', 'batch', true),
                   ('^POST /api/batches/[^/]+/(hold|lift)$', 'batch', false),
                   ('^POST /finance/batches(/[^/]+/sign)?$', 'batch', true),
                   ('^POST /api/batches/delegations(/[^/]+/confirm)?$', 'batch_delegation', true),
                   ('^POST /api/clawbacks(/[^/]+/demand)?$', 'clawback', true),
                   ('^POST /api/clawbacks/[^/]+/(waiver|enforcement)(/answer)?$', 'clawback', false),
                   ('^POST /api/(claims/[^/]+/appeal-amount|amount-appeals/[^/]+/answer)$', 'amount_appeal', true),
                   ('^POST /api/amount-corrections(/[^/]+/answer)?$', 'amount_correction', true),
                   ('^POST /api/account-checks/[^/]+/answer$', 'account_check', true),
                   ('^POST /api/statement-lines/[^/]+/repayment(/answer)?$', 'repayment_proposal', false),
                   ('^POST /api/funds/appropriations', 'appropriation', true),
                   ('^POST /api/funds/transfers', 'fund_transfer', true),
                   ('^POST /api/policies', 'policy', true),
                   ('^POST /api/catalog/drafts(/copy)?$', 'edition', true),
                   ('^POST /api/catalog/proposals(/[^/]+/opinions)?$', 'proposal', true),
                   ('^POST /api/standards/sets(/[^/]+/(publish|drop))?$', 'standard_set', true),
                   ('^POST /api/standards/reviews(/[^/]+/(close|conclude|drop))?$', 'standard_review', true),
                   ('^POST /api/selections(/[^/]+/(publicise|close|drop))?$', 'selection_round', true),
                   ('^POST /api/selections/[^/]+/applications$', 'selection_application', true)
           ) AS what (route, kind, own)
        ON k.route ~ what.route
     CROSS JOIN LATERAL (SELECT k.answer::jsonb) AS said (answer)
     WHERE said.answer ? 'id'"""

_KEY = "user_id || ' ' || route || ' ' || key"

_THERE = """
    SELECT 'claim' AS kind, id FROM claims UNION ALL SELECT 'claim_hold', id FROM claim_holds
     UNION ALL SELECT 'claim_objection', id FROM claim_objections
     UNION ALL SELECT 'claim_appeal', id FROM claim_appeals
     UNION ALL SELECT 'roster', id FROM rosters UNION ALL SELECT 'return_file', id FROM return_files
     UNION ALL SELECT 'clawback', id FROM clawbacks UNION ALL SELECT 'amount_appeal', id FROM amount_appeals
     UNION ALL SELECT 'amount_correction', id FROM amount_corrections
     UNION ALL SELECT 'account_check', id FROM account_checks
     UNION ALL SELECT 'repayment_proposal', id FROM repayment_proposals
     UNION ALL SELECT 'batch_delegation', id FROM batch_delegations
     UNION ALL SELECT 'batch', id FROM batches UNION ALL SELECT 'appropriation', id FROM appropriations
     UNION ALL SELECT 'fund_transfer', id FROM fund_transfers
     UNION ALL SELECT 'policy', id FROM policy_proposals
     UNION ALL SELECT 'edition', id FROM catalog_editions UNION ALL SELECT 'proposal', id FROM catalog_proposals
     UNION ALL SELECT 'standard_set', id FROM standard_sets
     UNION ALL SELECT 'standard_review', id FROM standard_reviews
     UNION ALL SELECT 'selection_round', id FROM selection_rounds
     UNION ALL SELECT 'selection_application', id FROM selection_applications"""

COMMITTED = Promise(
    10,
    "answered_is_committed",
    "idempotency_keys",
    (
        Check(
            "idempotency_keys",
            "答复了成功，所说的那一行却不存在",
            f"""SELECT {_KEY} FROM ({_NAMED}) AS named
                 WHERE NOT EXISTS (
                       SELECT FROM ({_THERE}) AS there WHERE there.kind = named.kind AND there.id = named.id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "idempotency_keys",
            "答复所说的状态，日志里从未有过",
            f"""SELECT {_KEY} FROM ({_NAMED}) AS named
                 WHERE kind IN ('claim', 'batch', 'clawback', 'roster', 'edition', 'proposal', 'standard_set',
                                'standard_review', 'selection_round', 'selection_application')
                   AND status IS NOT NULL
                   AND NOT EXISTS (SELECT FROM journal j WHERE j.subject_kind = named.kind AND j.subject_id = named.id
                                      AND j.after ->> 'status' = named.status)""",  # noqa: S608 (our own constants)
        ),
    ),
)

ANSWERED_ONCE = Promise(
    11,
    "answered_once",
    "idempotency_keys",
    (
        Check(
            "idempotency_keys",
            "同一把钥匙有两个答复",
            f"SELECT min({_KEY}) FROM idempotency_keys GROUP BY user_id, route, key HAVING count(*) > 1",  # noqa: S608 (our own constants)
        ),
        Check(
            "idempotency_keys",
            "钥匙记下了，却没有答复",
            f"SELECT {_KEY} FROM idempotency_keys WHERE answer IS NULL",  # noqa: S608 (our own constants)
        ),
        Check(
            "idempotency_keys",
            "答复了成功，日志里却没有这个用户所为",
            f"""SELECT {_KEY} FROM ({_NAMED}) AS named
                 WHERE own AND NOT EXISTS (
                       SELECT FROM journal j WHERE j.subject_kind = named.kind AND j.subject_id = named.id
                          AND j.actor_user_id = named.user_id)
                   -- another account is named; the claim moves when a second person has confirmed it
                   AND NOT (kind = 'claim' AND EXISTS (
                       SELECT FROM account_checks k JOIN journal j ON j.subject_kind = 'account_check'
                          AND j.subject_id = k.id AND j.action = 'propose' AND j.actor_user_id = named.user_id
                        WHERE k.claim_id = named.id))""",  # noqa: S608 (our own constants)
        ),
        Check(
            "batch_signatures",
            "签了字，却没有留下对这次签字的答复",
            """SELECT s.batch_id || '/' || s.step FROM batch_signatures s
                WHERE NOT EXISTS (
                      SELECT FROM idempotency_keys k
                       WHERE k.user_id = s.user_id
                         AND k.route = 'POST /api/batches/' || s.batch_id || '/'
                                       || CASE s.step WHEN 'assemble' THEN 'submit' WHEN 'release' THEN s.step
                                                         ELSE 'check' END)""",
        ),
    ),
)
