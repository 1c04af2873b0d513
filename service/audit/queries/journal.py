"""Promises about the journal: what it says is legal, complete, and what stands in the rows."""

from service.audit.queries.checks import Check, Promise

_GUARDED = {
    "claim": "claims",
    "roster": "rosters",
    "batch": "batches",
    "attempt": "payment_attempts",
    "standard_set": "standard_sets",
    "standard_review": "standard_reviews",
    "penalty": "penalties",
    "selection_round": "selection_rounds",
    "selection_application": "selection_applications",
    "class": "training_classes",
    "offer": "claim_offers",
    "clawback": "clawbacks",
}

_CHAIN = """
    SELECT id, subject_kind, action, before ->> 'status' AS said_before, after ->> 'status' AS status,
           lag(after ->> 'status') OVER steps AS was, row_number() OVER steps AS place
      FROM journal WHERE subject_kind = ANY (CAST(:kinds AS text[])) AND after ->> 'status' IS NOT NULL
    WINDOW steps AS (PARTITION BY subject_kind, subject_id ORDER BY id)"""

# What a journal row says that is no object says nothing, and the row it should speak for differs.
_FOLD = """
    SELECT j.subject_id, jsonb_object_agg(said.key, said.value ORDER BY j.id) AS state
      FROM journal j
     CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(j.after) WHEN 'object' THEN j.after ELSE '{{}}' END) AS said
     WHERE j.subject_kind = '{kind}' GROUP BY j.subject_id"""


def _fold_differs(kind: str, table: str) -> Check:
    """Laying the journal's `after`s over each other gives the row; a row without a journal has no such state."""
    return Check(
        table,
        "与日志累积的结果不符",
        f"""SELECT r.id FROM {table} r LEFT JOIN ({_FOLD.format(kind=kind)}) AS fold ON fold.subject_id = r.id
             WHERE fold.state ->> 'status' IS NULL OR NOT to_jsonb(r) @> fold.state""",  # noqa: S608 (our own constants)
    )


def _of_nothing(kind: str, table: str) -> Check:
    return Check(
        "journal",
        "日志所记的那一行不存在",
        f"""SELECT j.id FROM journal j
             WHERE j.subject_kind = '{kind}' AND NOT EXISTS (SELECT FROM {table} r WHERE r.id = j.subject_id)""",  # noqa: S608 (our own constants)
    )


REFERENCES = Promise(
    3,
    "reference_unique_and_frozen",
    "payment_attempts",
    (
        Check(
            "payment_attempts",
            "付款号重复",
            """SELECT (array_agg(id ORDER BY id))[2] FROM payment_attempts GROUP BY reference HAVING count(*) > 1""",
        ),
        Check(
            "payment_attempts",
            "付款号与产生时日志所记不符",
            """SELECT a.id FROM payment_attempts a WHERE NOT EXISTS (
                   SELECT FROM journal j WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id
                      AND j.before ->> 'status' IS NULL AND j.after ->> 'reference' = a.reference)""",
        ),
        Check(
            "journal",
            "日志中这个付款号曾属于另一次支付",
            """SELECT max(id) FROM journal WHERE subject_kind = 'attempt' AND after ->> 'reference' IS NOT NULL
                GROUP BY after ->> 'reference' HAVING count(DISTINCT subject_id) > 1""",
        ),
    ),
)

LEGAL_MOVES = Promise(
    6,
    "legal_moves_and_frozen_money",
    "journal WHERE subject_kind IN ('claim', 'batch', 'attempt')",
    (
        Check(
            "journal",
            "状态的产生不合规定",
            f"""SELECT chain.id FROM ({_CHAIN}) AS chain
                  JOIN unnest(CAST(:kinds AS text[]), CAST(:firsts AS text[])) AS born (kind, status)
                    ON born.kind = chain.subject_kind
                 WHERE chain.place = 1 AND chain.status IS DISTINCT FROM born.status""",  # noqa: S608 (our own constants)
        ),
        Check(
            "journal",
            "状态的变化不合规定",
            f"""SELECT chain.id FROM ({_CHAIN}) AS chain
                 WHERE chain.place > 1 AND chain.status IS DISTINCT FROM chain.was AND NOT EXISTS (
                       SELECT FROM unnest(CAST(:move_kinds AS text[]), CAST(:move_befores AS text[]),
                                          CAST(:move_actions AS text[]), CAST(:move_afters AS text[]))
                                AS legal (kind, before, action, after)
                        WHERE legal.kind = chain.subject_kind AND legal.before = chain.was
                          AND legal.action = chain.action AND legal.after = chain.status)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "payment_attempts",
            "支付金额与申领金额不符",
            """SELECT a.id FROM payment_attempts a JOIN claims c ON c.id = a.claim_id
                WHERE a.amount_fen <> c.amount_fen AND a.status <> 'void'""",
        ),
        Check(
            "claims",
            "金额与提交时日志所记不符",
            """SELECT c.id FROM claims c WHERE NOT EXISTS (
                   SELECT FROM journal j WHERE j.subject_kind = 'claim' AND j.subject_id = c.id
                      AND j.before ->> 'status' IS NULL AND j.after ->> 'amount_fen' = c.amount_fen::text)""",
        ),
        Check(
            "payment_attempts",
            "金额与产生时日志所记不符",
            """SELECT a.id FROM payment_attempts a WHERE NOT EXISTS (
                   SELECT FROM journal j WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id
                      AND j.before ->> 'status' IS NULL AND j.after ->> 'amount_fen' = a.amount_fen::text)""",
        ),
        Check(
            "payment_attempts",
            "收款账户不是申领所定的账户",
            """SELECT a.id FROM payment_attempts a
                 JOIN claims c ON c.id = a.claim_id JOIN accounts k ON k.id = c.account_id
                WHERE a.status = ANY (CAST(:live AS text[]))
                  AND (a.account_tail, a.bank_code) IS DISTINCT FROM (k.tail, k.bank_code)""",
        ),
        Check(
            "claims",
            "收款账户不属于申领人",
            """SELECT c.id FROM claims c JOIN accounts k ON k.id = c.account_id
                 JOIN people p ON p.id = c.person_id JOIN people h ON h.id = k.person_id
                WHERE coalesce(p.merged_into, p.id) <> coalesce(h.merged_into, h.id)""",
        ),
    ),
)

JOURNALLED = Promise(
    12,
    "journal_equals_rows",
    "journal",
    (
        Check(
            "journal",
            "日志前后不相接",
            f"""SELECT chain.id FROM ({_CHAIN}) AS chain
                 WHERE chain.said_before IS DISTINCT FROM chain.was
                   AND NOT (chain.said_before IS NULL AND chain.status = chain.was)""",  # noqa: S608 (our own constants)
        ),
        *(_fold_differs(kind, table) for kind, table in _GUARDED.items()),
        *(_of_nothing(kind, table) for kind, table in _GUARDED.items()),
        Check(
            "journal",
            "日志没有记下是谁所为",
            """SELECT j.id FROM journal j LEFT JOIN users u ON u.id = j.actor_user_id
                WHERE j.actor_name = ''
                   OR (j.actor_user_id IS NOT NULL
                       AND (u.id IS NULL OR u.person_id IS DISTINCT FROM j.actor_person_id))""",
        ),
    ),
)
