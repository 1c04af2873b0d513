"""The promise about backups: what was put back sends nothing that may have been sent already.

Held against what `zhida restored` recorded; a backup that was put back without it leaves nothing to check.
"""

from service.audit.queries.checks import Check, Promise

#: How each attempt stood in the backup, and what was said of it next.
_STOOD = """
    SELECT r.id AS restore, r.journal_id, a.id, a.batch_id,
           (SELECT j.after ->> 'status' FROM journal j
             WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.id <= r.journal_id
               AND j.after ? 'status' ORDER BY j.id DESC LIMIT 1) AS status,
           (SELECT j.after ->> 'status' FROM journal j
             WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.id > r.journal_id
               AND j.after ? 'status' ORDER BY j.id LIMIT 1) AS next,
           (SELECT min(j.id) FROM journal j
             WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.id > r.journal_id
               AND j.action = 'intend') AS intended
      FROM restores r CROSS JOIN payment_attempts a"""

RESENDS_NOTHING = Promise(
    19,
    "restored_resends_nothing",
    "restores",
    (
        Check(
            "payment_attempts",
            "恢复备份时在途，却没有转为不明",
            f"SELECT id FROM ({_STOOD}) AS stood WHERE status = 'sending' AND next IS DISTINCT FROM 'unknown'",  # noqa: S608 (our own constants)
        ),
        Check(
            "payment_attempts",
            "恢复备份时已经放行，没有运维的重办就送出了",
            f"""SELECT s.id FROM ({_STOOD}) AS s
                 WHERE s.status = 'prepared' AND s.intended IS NOT NULL
                   AND EXISTS (SELECT FROM journal j WHERE j.subject_kind = 'batch' AND j.subject_id = s.batch_id
                                  AND j.action = 'release' AND j.id <= s.journal_id)
                   AND NOT EXISTS (SELECT FROM journal j WHERE j.subject_kind = 'job' AND j.subject_id = s.batch_id
                                      AND j.action = 'again' AND j.id > s.journal_id AND j.id < s.intended)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "payment_attempts",
            "同一笔支付送出过两次",
            """SELECT subject_id FROM journal WHERE subject_kind = 'attempt' AND action = 'intend'
                GROUP BY subject_id HAVING count(*) > 1""",
        ),
        Check(
            "batches",
            "恢复备份之后开的批次，用了可能用过的批次号",
            """SELECT b.id FROM batches b
                 JOIN journal j ON j.subject_kind = 'batch' AND j.subject_id = b.id AND j.action = 'open'
                 JOIN restores r ON j.id > r.journal_id
                WHERE CAST(substring(b.number FROM '-([0-9]+)$') AS bigint) <= r.serial""",
        ),
    ),
)
