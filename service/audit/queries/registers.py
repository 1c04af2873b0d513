"""The promise about registers: two persons vouch for each, and nobody was paid whom those of the day kept out."""

from datetime import date
from uuid import UUID

from sqlalchemy import text

from service.audit.queries.checks import Breach, Check, Promise
from service.claims.queries.looking_again import findings_of
from service.database import Tx
from service.registers.queries import Snapshot

# What was asked at a check is told by the order of the journal: a signature and a check wait for each other, so that
# the earlier of two rows was committed when the later was written.
REGISTERS = Promise(
    None,
    "registers_before_payment",
    "batch_register_checks",
    (
        Check(
            "register_confirmations",
            "装入和确认名册的是同一个人，或签字的用户不是签字的人",
            """SELECT k.snapshot_id FROM register_confirmations k
                 JOIN register_snapshots s ON s.id = k.snapshot_id
                 JOIN people p ON p.id = s.loader_id JOIN people q ON q.id = k.person_id
                 JOIN users u ON u.id = s.loaded_by JOIN users v ON v.id = k.confirmed_by
                WHERE coalesce(p.merged_into, p.id) = coalesce(q.merged_into, q.id)
                   OR u.person_id <> p.id OR v.person_id <> q.id""",
        ),
        Check(
            "register_snapshots",
            "名册的行数不是装入时的行数",
            """SELECT s.id FROM register_snapshots s
                WHERE s.lines <> (SELECT count(*) FROM register_entries e WHERE e.snapshot_id = s.id)""",
        ),
        Check(
            "claim_holds",
            "因名册冻结，却没有写明名册里有什么",
            """SELECT h.id FROM claim_holds h LEFT JOIN claim_register_findings f ON f.hold_id = h.id
                WHERE h.placed_by IS NULL AND h.code = 'register' AND f.hold_id IS NULL""",
        ),
        Check(
            "batches",
            "有名册可核对，却没有核对就送出",
            """SELECT b.id FROM batches b
                WHERE NOT EXISTS (SELECT FROM batch_register_checks k
                                   WHERE k.batch_id = b.id AND k.step = 'send' AND k.stopped = 0)
                  AND EXISTS (SELECT FROM payment_attempts a JOIN journal j ON j.subject_id = a.id
                               WHERE a.batch_id = b.id AND j.subject_kind = 'attempt' AND j.action = 'intend'
                                 AND j.id > (SELECT min(c.id) FROM journal c
                                              WHERE c.subject_kind = 'register' AND c.action = 'confirm'))""",
        ),
        Check(
            "batch_register_checks",
            "核对用的不是当时有效的名册",
            """SELECT k.batch_id FROM batch_register_checks k
                WHERE k.snapshots IS DISTINCT FROM (
                      SELECT coalesce(jsonb_object_agg(newest.register, newest.id), '{}')
                        FROM (SELECT DISTINCT ON (s.register) s.register, s.id, s.in_force
                                FROM register_snapshots s
                                JOIN journal c ON c.subject_kind = 'register' AND c.subject_id = s.id
                                              AND c.action = 'confirm'
                               WHERE lower(s.in_force) <= k.checked_on
                                 AND c.id < (SELECT min(j.id) FROM journal j
                                              WHERE j.subject_kind = 'batch_register_check'
                                                AND j.subject_id = k.batch_id AND j.action = k.step)
                               ORDER BY s.register, s.as_of DESC, c.id DESC) AS newest
                       WHERE newest.in_force @> k.checked_on)""",
        ),
    ),
)

_CHECKS = (
    "SELECT batch_id, checked_on, snapshots FROM batch_register_checks WHERE step = 'send' AND snapshots <> '{}'"
)
_AS_OF = "SELECT id, as_of FROM register_snapshots WHERE id = ANY (CAST(:ids AS uuid[]))"
# Whoever is in none of them and named no group has nothing that could have kept them out.
_PAID = """
    SELECT c.id FROM payment_attempts a JOIN claims c ON c.id = a.claim_id
     WHERE a.batch_id = :batch AND a.status NOT IN ('prepared', 'void')
       AND (c.group_code <> ''
            OR EXISTS (SELECT FROM person_blind_indexes b JOIN register_entries e ON e.index = b.index
                        WHERE b.person_id = c.person_id AND e.snapshot_id = ANY (CAST(:ids AS uuid[]))))
     ORDER BY c.id
"""


async def registers_recompute(tx: Tx) -> Breach | None:
    """The first claim that was sent although the registers asked then kept it out, and nobody weighed that."""
    for batch_id, checked_on, asked in (await tx.execute(text(_CHECKS + " ORDER BY batch_id"))).all():
        if found := await _paid_in_spite(tx, batch_id, checked_on, asked):
            return Breach("claims", str(found), "发放时名册里有不予补贴的记录，没有人复核过")
    return None


async def _paid_in_spite(tx: Tx, batch_id: UUID, day: date, asked: dict[str, str]) -> UUID | None:
    ids = {"ids": [UUID(each) for each in asked.values()]}
    described = {row.id: row.as_of for row in await tx.execute(text(_AS_OF), ids)}
    paid = (await tx.execute(text(_PAID), {"batch": batch_id, **ids})).scalars().all()
    snapshots = {name: Snapshot(UUID(each), described[UUID(each)]) for name, each in asked.items()}
    found = await findings_of(tx, paid, snapshots, day)
    return found[0].claim_id if found else None
