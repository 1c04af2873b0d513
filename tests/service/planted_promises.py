"""What breaks promises 10, 11, 14, 15 and 19, as `tests/service/test_audit.py` plants it: promise, table, row (None:
any), statement. The numbers of persons are made up; they have the check digits of real ones."""

ID, ID_IN_GROUPS, PHONE, CARD = "11010519491231002X", "110105 19491231 002x", "13800138000", "6217000010000000011"

_RESTORED = """
    INSERT INTO restores (restored_at, journal_id, serial, jobs_stopped, attempts_unknown)
    SELECT now(), {journal_id}, 1000, 0, 0"""
_OF_ANOTHER = "UPDATE users SET {scope} WHERE id = (SELECT user_id FROM batch_signatures WHERE step = 'check')"


def _in_clear(table: str, statement: str) -> tuple[str, str, str | None, str]:
    return ("nothing_in_clear", table, None, statement)


_APPROVED = """
    INSERT INTO claim_approvals (claim_id, district, filed_on, seed, percent, from_fen, why, approved_by,
                                 approved_person, approved_at)
    SELECT c.id, c.district, c.filed_on, sha256('x'), 0, 1, '{{{why}}}', u.id, {person}, now()
      FROM claims c JOIN users u ON u.person_id <> c.person_id WHERE {which} LIMIT 1"""


def _approval(
    which: str, why: str = "amount", person: str = "u.person_id", table: str = "claim_approvals"
) -> tuple[str, str, str | None, str]:
    return ("approvals_looked_at_again", table, None, _APPROVED.format(which=which, why=why, person=person))


_OBJECTED = """
    WITH n AS (
        INSERT INTO public_notices
               (id, district, opens_on, closes_on, provisional, line_count, content_hash, published_by)
        SELECT gen_random_uuid(), c.district, c.filed_on, c.filed_on + 5, false, 1, 'x', c.filed_by
          FROM claims c WHERE c.id = :paid RETURNING *),
         l AS (INSERT INTO notice_lines (notice_id, claim_id) SELECT n.id, :paid FROM n)
    INSERT INTO notice_objections (id, notice_id, line, claim_id, words_sealed, filed_on, filed_at, due_on)
    SELECT gen_random_uuid(), n.id, {line}, {claim}, 'x', n.opens_on + {after}, '2000-01-01', n.opens_on + 30
      FROM n"""


def _objection(table: str, row: str | None, **what: str) -> tuple[str, str, str | None, str]:
    given = {"line": "1", "claim": ":paid", "after": "1"} | what
    return ("objections_to_notices", table, row, _OBJECTED.format(**given))


_ANSWERED = (
    ", o AS (INSERT INTO notice_objections".join(_OBJECTED.rsplit("INSERT INTO notice_objections", 1))
    + """ RETURNING id),
         u AS (SELECT id, person_id FROM users
                WHERE id = (SELECT user_id FROM batch_signatures WHERE step = 'check' LIMIT 1)), {before}
    INSERT INTO notice_objection_answers
           (objection_id, finding, answer, answered_by, answered_person, answered_on, answered_at)
    SELECT o.id, 'not_upheld', 'x', u.id, u.person_id, '2100-01-01', now() FROM o, u"""
)
_REVIEWED = """j AS (
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, actor_user_id, actor_person_id, at)
    SELECT 'claim', :paid, 'approve', '{}', 'reviewer', u.id, u.person_id, now() FROM u)"""
_RECUSED = """r AS (
    INSERT INTO claim_recusals (claim_id, person_id, user_id, reason, recused_at)
    SELECT :paid, u.person_id, u.id, 'x', now() FROM u)"""


def _answer(before: str) -> tuple[str, str, str | None, str]:
    said = _ANSWERED.format(line="1", claim=":paid", after="1", before=before)
    return ("objections_to_notices", "notice_objection_answers", None, said)


PLANTED_IN_PROMISES: dict[str, tuple[str, str, str | None, str]] = {
    "money that went on though somebody objected": _objection("claims", "paid"),
    "an objection to a notice that was over": _objection("notice_objections", None, after="6"),
    "an objection in silence": _objection(
        "notice_objections", None, line="CAST(NULL AS int)", claim="CAST(NULL AS uuid)"
    ),
    "an objection answered by who reviewed the claim": _answer(_REVIEWED),
    "an objection answered by who left the claim to others": _answer(_RECUSED),
    "a sample that no seed drew": _approval("c.id = :open", "sample,amount"),
    "a large claim published before another looked": _approval("c.status = 'paid'", table="claims"),
    "an approval of one's own": _approval("c.id = :open", person="c.person_id"),
    "an answer about what is not there": (
        "answered_is_committed",
        "idempotency_keys",
        None,
        """UPDATE idempotency_keys SET answer = jsonb_build_object('id', gen_random_uuid(), 'status', 'released')
            WHERE route LIKE '%/release'""",
    ),
    "an answer with a status that never was": (
        "answered_is_committed",
        "idempotency_keys",
        None,
        """UPDATE idempotency_keys SET answer = (answer::jsonb || '{"status": "not_received"}')::text
            WHERE route LIKE '%/release'""",
    ),
    "an answer to what another did": (
        "answered_once",
        "idempotency_keys",
        None,
        """INSERT INTO idempotency_keys SELECT filed_by, 'POST /api/claims', 'k', '-', jsonb_build_object('id', id)
             FROM claims WHERE id = :open""",
    ),
    "two answers to one key": (
        "answered_once",
        "idempotency_keys",
        None,
        "INSERT INTO idempotency_keys SELECT * FROM idempotency_keys",
    ),
    "a key without an answer": (
        "answered_once",
        "idempotency_keys",
        None,
        "UPDATE idempotency_keys SET answer = NULL WHERE route LIKE '%/submit'",
    ),
    "the answer to a signature thrown away": (
        "answered_once",
        "batch_signatures",
        None,
        "DELETE FROM idempotency_keys WHERE route LIKE '%/check'",
    ),
    "an id number in a reason": _in_clear(
        "journal", f"UPDATE journal SET reason = '本人{ID}' WHERE id = (SELECT max(id) FROM journal)"
    ),
    "an id number in groups": _in_clear(
        "journal", f"UPDATE journal SET reason = '号码 {ID_IN_GROUPS}。' WHERE id = (SELECT max(id) FROM journal)"
    ),
    "a phone within JSON": _in_clear(
        "claims", f"""UPDATE claims SET decision = decision || '{{"x": ["{PHONE}"]}}' WHERE id = :open"""
    ),
    "a phone in full width": _in_clear(
        "appropriations", "UPDATE appropriations SET reason = '电话１３８００１３８０００' WHERE district = '370102'"
    ),
    "a phone as a login": _in_clear(
        "users", f"UPDATE users SET login = '{PHONE}' WHERE id = (SELECT filed_by FROM claims WHERE id = :open)"
    ),
    "a card in an answer": _in_clear(
        "idempotency_keys",
        f"""UPDATE idempotency_keys SET answer = (answer::jsonb || '{{"x": "{CARD}"}}')::text""",
    ),
    "a card in groups": _in_clear(
        "return_lines", "UPDATE return_lines SET reason = '账号 6217 0000 1000 0000 011 已销户'"
    ),
    "a number in a column that is to be sealed": _in_clear("people", f"UPDATE people SET phone_sealed = '{PHONE}'"),
    "a signer of another district": (
        "nobody_acts_elsewhere",
        "journal",
        None,
        _OF_ANOTHER.format(scope="district = '370112'"),
    ),
    "a signer of an institution": (
        "nobody_acts_elsewhere",
        "journal",
        None,
        _OF_ANOTHER.format(scope="institution_id = gen_random_uuid()"),
    ),
    "a trainee in another's claim": (
        "nobody_acts_elsewhere",
        "journal",
        None,
        """INSERT INTO journal (subject_kind, subject_id, action, after, actor_user_id, actor_person_id, actor_name,
                                at)
           SELECT 'claim', :open, 'amend', '{}', id, person_id, 'trainee', now() FROM users LIMIT 1""",
    ),
    "a clerk who filed for another institution": (
        "nobody_acts_elsewhere",
        "claims",
        None,
        """UPDATE users SET institution_id = gen_random_uuid()
            WHERE id = (SELECT filed_by FROM claims WHERE id = :open)""",
    ),
    "bytes that are not the file's": (
        "bytes_leave_as_agreed",
        "bank_file_sendings",
        None,
        "UPDATE bank_file_sendings SET sha256 = 'x'",
    ),
    "resent by nobody": (
        "bytes_leave_as_agreed",
        "bank_file_sendings",
        None,
        """INSERT INTO bank_file_sendings (id, batch_id, kind, sha256, began_at, resend_id)
           SELECT gen_random_uuid(), batch_id, 'resent', sha256, began_at, gen_random_uuid()
             FROM bank_file_sendings""",
    ),
    "carried, and said by nobody": (
        "bytes_leave_as_agreed",
        "payment_attempts",
        None,
        "UPDATE batches SET terms = jsonb_set(terms, '{way}', to_jsonb(CAST('files' AS text))) WHERE id = :batch",
    ),
    "on its way when it was restored, and never unknown": (
        "restored_resends_nothing",
        "payment_attempts",
        "attempt",
        _RESTORED.format(journal_id="max(id)") + " FROM journal WHERE subject_id = :attempt AND action = 'intend'",
    ),
    "released when it was restored, and sent by itself": (
        "restored_resends_nothing",
        "payment_attempts",
        "attempt",
        _RESTORED.format(journal_id="max(id)") + " FROM journal WHERE subject_id = :batch AND action = 'release'",
    ),
    "opened when it was restored, and filled": (
        "restored_resends_nothing",
        "batches",
        "batch",
        _RESTORED.format(journal_id="max(id)") + " FROM journal WHERE subject_id = :batch AND action = 'open'",
    ),
    "sent twice": (
        "restored_resends_nothing",
        "payment_attempts",
        "attempt",
        """INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
           SELECT subject_kind, subject_id, action, before, after, actor_name, at FROM journal
            WHERE subject_id = :attempt AND action = 'intend'""",
    ),
    "a number that the bank may know": (
        "restored_resends_nothing",
        "batches",
        "batch",
        f"""WITH r AS ({_RESTORED.format(journal_id="0")})
            UPDATE batches SET number = 'JN20260302-000999' WHERE id = :batch""",
    ),
    "a figure too many": ("share", "claim_tally", None, "UPDATE claim_tally SET count = count + 1"),
    "a sum too many": ("share", "claim_tally_sums", None, "UPDATE claim_tally_sums SET count = count + 1"),
    "a month's sum too many": (
        "share",
        "claim_tally_sums",
        None,
        "UPDATE claim_tally_sums SET count = count + 1 WHERE grain = 'month'",
    ),
    "a change lost": ("share", "claim_tally", None, "DELETE FROM claim_tally_deltas WHERE count = -1"),
}
