"""What breaks the promises of holds, checks and delegations of batches, as `test_audit.py` plants it."""

_HOLD = """
    INSERT INTO batch_holds (id, batch_id, code, note, placed_by, placed_person, placed_at, lifted_by, lifted_person,
                             lifted_at)
    SELECT :batch, b.id, 'other', '', s.user_id, s.person_id, {placed}, {lifted}
      FROM batches b JOIN batch_signatures s ON s.batch_id = b.id AND s.step = 'check' WHERE b.id = :batch
"""
_SAME = "s.user_id, s.person_id, s.signed_at + interval '2 hours'"
_DELEGATED = """
    WITH d AS (
      INSERT INTO batch_delegations (id, district, post, delegate_user, delegate_person, first_day, last_day, reason,
                                     proposed_by, proposed_person, proposed_at, confirmed_by, confirmed_person,
                                     confirmed_at)
      SELECT :batch, b.district, '{post}', s.user_id, s.person_id, '{day}', '{day}', 'x',
             m.user_id, m.person_id, now(), r.user_id, r.person_id, now()
        FROM batches b JOIN batch_signatures s ON s.batch_id = b.id AND s.step = 'check'
        JOIN batch_signatures m ON m.batch_id = b.id AND m.step = 'assemble'
        JOIN batch_signatures r ON r.batch_id = b.id AND r.step = 'release'
       WHERE b.id = :batch
    )
    UPDATE batch_signatures SET delegation_id = {delegation} WHERE batch_id = :batch AND step = 'check'
"""


def _three_persons(table: str, statement: str) -> tuple[str, str, str | None, str]:
    return ("three_persons", table, None, statement)


_RESENT = """
    WITH again AS (
      INSERT INTO bank_file_sendings (id, batch_id, kind, sha256, began_at, resend_id)
      SELECT gen_random_uuid(), batch_id, 'resent', sha256, {at}, batch_id FROM bank_file_sendings
       WHERE batch_id = :batch RETURNING *
    )
"""

PLANTED_IN_BATCHES: dict[str, tuple[str, str, str | None, str]] = {
    "checked by fewer than its sum asks for": _three_persons(
        "batches",
        """WITH p AS (UPDATE policies SET value = '{"two_from_fen": 1, "three_from_fen": 2}'
                       WHERE key = 'batch_check_steps')
           UPDATE journal SET after = after || '{"checks_needed": 1}'
            WHERE subject_kind = 'batch' AND action = 'freeze'""",
    ),
    "checked as if it went out alone": _three_persons(
        "batches", "UPDATE batches SET together = together || '{\"fen\": 1}' WHERE id = :batch"
    ),
    "a check missing of several": _three_persons("batches", "UPDATE batches SET checks_needed = 2 WHERE id = :batch"),
    "a delegation that is not there": _three_persons(
        "batch_signatures", "UPDATE batch_signatures SET delegation_id = batch_id WHERE step = 'check'"
    ),
    "a delegation of another day": _three_persons(
        "batch_signatures", _DELEGATED.format(post="checker", day="2001-01-01", delegation=":batch")
    ),
    "a hold lifted by whoever placed it": _three_persons(
        "batch_holds", _HOLD.format(placed="s.signed_at + interval '1 hour'", lifted=_SAME)
    ),
    "signed while it was held": _three_persons(
        "batch_holds", _HOLD.format(placed="s.signed_at - interval '1 hour'", lifted="NULL, NULL, NULL")
    ),
    "decided on a word from before the bytes left again": (
        "unknown_ends_by_evidence",
        "attempt_decisions",
        None,
        _RESENT.format(at="now()")
        + """INSERT INTO attempt_decisions (id, attempt_id, outcome, evidence_sha256, note, proposed_by,
                                            proposed_person, proposed_at, confirmed_by, confirmed_person, closed_at)
             SELECT gen_random_uuid(), a.id, 'paid', 'x', 'x', m.user_id, m.person_id, now() - interval '1 hour',
                    c.user_id, c.person_id, now() + interval '1 hour'
               FROM payment_attempts a
               JOIN batch_signatures m ON m.batch_id = a.batch_id AND m.step = 'assemble'
               JOIN batch_signatures c ON c.batch_id = a.batch_id AND c.step = 'check'
              WHERE a.id = :attempt""",
    ),
    "absent before the bytes left for the last time": (
        "unknown_ends_by_evidence",
        "statement_evidence",
        "attempt",
        _RESENT.format(at="now()")
        + """INSERT INTO statement_evidence (attempt_id, outcome, statement_id, absent_until, shown_at)
             SELECT :attempt, 'not_paid', :batch, CAST(now() AS date) - 3, now()""",
    ),
}
