"""The promise about backups: what was put back sends nothing that may have been sent already.

Held against what `zhida restored` recorded; a backup that was put back without it leaves nothing to check.
"""

from service.audit.queries.checks import Check, Promise


def _stood(kind: str, table: str) -> str:
    """How each row stood in the backup, and what was said of it next."""
    status = f"""
           SELECT j.after ->> 'status' FROM journal j
            WHERE j.subject_kind = '{kind}' AND j.subject_id = t.id AND j.after ? 'status' AND j.id"""  # noqa: S608 (our own constants)
    return f"""(
        SELECT t.id, r.journal_id,
               ({status} <= r.journal_id ORDER BY j.id DESC LIMIT 1) AS status,
               ({status} > r.journal_id ORDER BY j.id LIMIT 1) AS next
          FROM restores r CROSS JOIN {table} t) AS stood"""  # noqa: S608 (our own constants)


RESENDS_NOTHING = Promise(
    19,
    "restored_resends_nothing",
    "restores",
    (
        Check(
            "payment_attempts",
            "恢复备份时在途，却没有转为不明",
            f"""SELECT id FROM {_stood("attempt", "payment_attempts")}
                 WHERE status = 'sending' AND next IS DISTINCT FROM 'unknown'""",  # noqa: S608 (our own constants)
        ),
        Check(
            "payment_attempts",
            "恢复备份时已经放行，没有运维的重办就送出了",
            f"""SELECT stood.id FROM {_stood("attempt", "payment_attempts")}
                  JOIN payment_attempts a ON a.id = stood.id
                 CROSS JOIN LATERAL (
                       SELECT min(j.id) AS id FROM journal j
                        WHERE j.subject_kind = 'attempt' AND j.subject_id = a.id AND j.id > stood.journal_id
                          AND j.action = 'intend') AS intended
                 WHERE stood.status = 'prepared' AND intended.id IS NOT NULL
                   AND EXISTS (SELECT FROM journal j WHERE j.subject_kind = 'batch' AND j.subject_id = a.batch_id
                                  AND j.action = 'release' AND j.id <= stood.journal_id)
                   AND NOT EXISTS (SELECT FROM journal j WHERE j.subject_kind = 'job' AND j.subject_id = a.batch_id
                                      AND j.action = 'again' AND j.id > stood.journal_id AND j.id < intended.id)""",  # noqa: S608 (our own constants)
        ),
        Check(
            "batches",
            "恢复备份时还没有编好，却没有解散",
            f"""SELECT id FROM {_stood("batch", "batches")}
                 WHERE status = 'opened' AND next IS DISTINCT FROM 'dissolved'""",  # noqa: S608 (our own constants)
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
