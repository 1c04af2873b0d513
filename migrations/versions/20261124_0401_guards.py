"""What the database refuses by itself: illegal moves, unjournalled changes, edits of the frozen, unsigned money."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOVES = [
    ("claim", "", "file", "filed"),
    ("claim", "filed", "verify", "verified"),
    ("claim", "filed", "question", "in_review"),
    ("claim", "verified", "approve", "approved"),
    ("claim", "verified", "refuse", "refused"),
    ("claim", "verified", "send_back", "sent_back"),
    ("claim", "verified", "question", "in_review"),
    ("claim", "in_review", "approve", "approved"),
    ("claim", "in_review", "refuse", "refused"),
    ("claim", "in_review", "send_back", "sent_back"),
    ("claim", "sent_back", "correct", "filed"),
    ("claim", "sent_back", "lapse", "lapsed"),
    ("claim", "approved", "publish", "noticed"),
    ("claim", "noticed", "object", "in_review"),
    ("claim", "noticed", "clear", "payable"),
    ("claim", "payable", "question", "in_review"),
    ("claim", "payable", "batch", "batched"),
    ("claim", "batched", "unbatch", "payable"),
    ("claim", "batched", "pay", "paid"),
    ("claim", "batched", "bounce", "bounced"),
    ("claim", "paid", "bounce", "bounced"),
    ("claim", "bounced", "mend", "payable"),
    ("claim", "paid", "recover", "recovered"),
    ("claim", "filed", "withdraw", "withdrawn"),
    ("claim", "verified", "withdraw", "withdrawn"),
    ("claim", "in_review", "withdraw", "withdrawn"),
    ("claim", "sent_back", "withdraw", "withdrawn"),
    ("claim", "approved", "withdraw", "withdrawn"),
    ("claim", "noticed", "withdraw", "withdrawn"),
    ("claim", "payable", "withdraw", "withdrawn"),
    ("claim", "bounced", "withdraw", "withdrawn"),
    ("claim", "refused", "reinstate", "in_review"),
    ("batch", "", "open", "opened"),
    ("batch", "opened", "freeze", "frozen"),
    ("batch", "frozen", "submit", "submitted"),
    ("batch", "submitted", "check", "checked"),
    ("batch", "checked", "release", "released"),
    ("batch", "released", "send", "sent"),
    ("batch", "sent", "settle", "settled"),
    ("batch", "released", "miss", "not_received"),
    ("batch", "opened", "dissolve", "dissolved"),
    ("batch", "frozen", "dissolve", "dissolved"),
    ("batch", "submitted", "dissolve", "dissolved"),
    ("batch", "checked", "dissolve", "dissolved"),
    ("attempt", "", "prepare", "prepared"),
    ("attempt", "prepared", "void", "void"),
    ("attempt", "prepared", "intend", "sending"),
    ("attempt", "sending", "send", "sent"),
    ("attempt", "sending", "lose_sight", "unknown"),
    ("attempt", "sending", "fail", "failed"),
    ("attempt", "sent", "succeed", "done"),
    ("attempt", "sent", "fail", "failed"),
    ("attempt", "sent", "lose_sight", "unknown"),
    ("attempt", "unknown", "send", "sent"),
    ("attempt", "unknown", "succeed", "done"),
    ("attempt", "unknown", "fail", "failed"),
    ("attempt", "unknown", "return", "returned"),
    ("attempt", "sent", "return", "returned"),
    ("attempt", "done", "return", "returned"),
]

EXCLUSIONS = [
    ("batch", "checker", "releaser"),
    ("batch", "maker", "checker"),
    ("batch", "maker", "releaser"),
    ("claim", "acceptor", "reviewer"),
    ("claim", "reviewer", "notice_publisher"),
    ("person", "auditor", "acceptor"),
    ("person", "auditor", "catalog_editor"),
    ("person", "auditor", "catalog_publisher"),
    ("person", "auditor", "checker"),
    ("person", "auditor", "clerk"),
    ("person", "auditor", "maker"),
    ("person", "auditor", "notice_publisher"),
    ("person", "auditor", "operator"),
    ("person", "auditor", "releaser"),
    ("person", "auditor", "reviewer"),
    ("person", "clerk", "acceptor"),
    ("person", "clerk", "catalog_editor"),
    ("person", "clerk", "catalog_publisher"),
    ("person", "clerk", "checker"),
    ("person", "clerk", "maker"),
    ("person", "clerk", "notice_publisher"),
    ("person", "clerk", "releaser"),
    ("person", "clerk", "reviewer"),
    ("person", "operator", "acceptor"),
    ("person", "operator", "catalog_editor"),
    ("person", "operator", "catalog_publisher"),
    ("person", "operator", "checker"),
    ("person", "operator", "clerk"),
    ("person", "operator", "maker"),
    ("person", "operator", "notice_publisher"),
    ("person", "operator", "releaser"),
    ("person", "operator", "reviewer"),
    ("person", "releaser", "checker"),
    ("person", "releaser", "maker"),
    ("person", "reviewer", "checker"),
    ("person", "reviewer", "maker"),
    ("person", "reviewer", "releaser"),
]

FUNCTIONS = [
    # Every new or changed row has taken a legal step and has a journal row of this transaction with its status.
    """
    CREATE FUNCTION guard_moves() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE bad uuid;
    BEGIN
      IF TG_OP = 'INSERT' THEN
        SELECT n.id INTO bad FROM new_rows n
         WHERE NOT EXISTS (SELECT FROM lifecycle_moves m
                            WHERE m.noun = TG_ARGV[0] AND m.before = '' AND m.after = n.status) LIMIT 1;
      ELSE
        SELECT n.id INTO bad FROM new_rows n JOIN old_rows o ON o.id = n.id
         WHERE o.status <> n.status
           AND NOT EXISTS (SELECT FROM lifecycle_moves m
                            WHERE m.noun = TG_ARGV[0] AND m.before = o.status AND m.after = n.status) LIMIT 1;
      END IF;
      IF FOUND THEN
        RAISE EXCEPTION 'a % cannot make this move', TG_ARGV[0] USING ERRCODE = 'ZD001', DETAIL = bad::text;
      END IF;
      IF TG_OP = 'INSERT' THEN
        SELECT n.id INTO bad FROM new_rows n
         WHERE NOT EXISTS (SELECT FROM journal j
                            WHERE j.subject_kind = TG_ARGV[0] AND j.subject_id = n.id
                              AND j.xid = pg_current_xact_id()::text AND j.after ->> 'status' = n.status) LIMIT 1;
      ELSE
        SELECT n.id INTO bad FROM new_rows n JOIN old_rows o ON o.id = n.id
         WHERE o IS DISTINCT FROM n
           AND NOT EXISTS (SELECT FROM journal j
                            WHERE j.subject_kind = TG_ARGV[0] AND j.subject_id = n.id
                              AND j.xid = pg_current_xact_id()::text AND j.after ->> 'status' = n.status) LIMIT 1;
      END IF;
      IF FOUND THEN
        RAISE EXCEPTION 'a change of a % has no journal row', TG_ARGV[0] USING ERRCODE = 'ZD002', DETAIL = bad::text;
      END IF;
      RETURN NULL;
    END $$
    """,
    # A claim's account changes only when a person mends it; a claim is paid only on the bank's evidence.
    """
    CREATE FUNCTION guard_claims() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                  WHERE o.account_id <> n.account_id AND o.status NOT IN ('bounced', 'sent_back')) THEN
        RAISE EXCEPTION 'the account of a claim is frozen' USING ERRCODE = 'ZD003';
      END IF;
      IF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                  WHERE n.status = 'paid' AND o.status <> 'paid'
                    AND NOT EXISTS (SELECT FROM payment_attempts a
                                     WHERE a.claim_id = n.id AND a.status = 'done')) THEN
        RAISE EXCEPTION 'a claim is paid only by an attempt that is done' USING ERRCODE = 'ZD004';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Content is written once, at freezing, and equals its lines; each further step has its signatures.
    """
    CREATE FUNCTION guard_batches() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                  WHERE o.status <> 'opened'
                    AND (o.content_hash, o.line_count, o.sum_fen)
                        IS DISTINCT FROM (n.content_hash, n.line_count, n.sum_fen)) THEN
        RAISE EXCEPTION 'the content of a batch is frozen' USING ERRCODE = 'ZD003';
      END IF;
      IF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                  WHERE n.status = 'frozen' AND o.status = 'opened'
                    AND (n.line_count, n.sum_fen) <>
                        (SELECT count(*)::integer, coalesce(sum(a.amount_fen), 0)::bigint
                           FROM payment_attempts a WHERE a.batch_id = n.id AND a.status <> 'void')) THEN
        RAISE EXCEPTION 'the lines of a batch differ from its total' USING ERRCODE = 'ZD005';
      END IF;
      IF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                   JOIN (VALUES ('submitted', ARRAY['assemble']),
                                ('checked', ARRAY['assemble', 'check']),
                                ('released', ARRAY['assemble', 'check', 'release'])) AS needed (status, steps)
                     ON needed.status = n.status
                  WHERE o.status <> n.status
                    AND NOT needed.steps <@ (SELECT coalesce(array_agg(s.step), '{}') FROM batch_signatures s
                                              WHERE s.batch_id = n.id AND s.content_hash = n.content_hash)) THEN
        RAISE EXCEPTION 'a signature is missing' USING ERRCODE = 'ZD006';
      END IF;
      IF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                  WHERE n.status = 'released' AND o.status <> 'released'
                    AND NOT EXISTS (SELECT FROM treasury_transfers t
                                     WHERE t.batch_id = n.id AND t.sum_fen = n.sum_fen)) THEN
        RAISE EXCEPTION 'no treasury transfer over this sum' USING ERRCODE = 'ZD007';
      END IF;
      RETURN NULL;
    END $$
    """,
    # An attempt pays what its claim is due, into a batch still open; nothing leaves without a committed file.
    """
    CREATE FUNCTION guard_payment_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM new_rows n JOIN claims c ON c.id = n.claim_id JOIN batches b ON b.id = n.batch_id
                    WHERE c.amount_fen <> n.amount_fen OR c.status <> 'batched' OR b.status <> 'opened'
                       OR c.district <> b.district) THEN
          RAISE EXCEPTION 'an attempt does not fit its claim or its batch' USING ERRCODE = 'ZD008';
        END IF;
      ELSIF EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
                     WHERE n.status = 'sending' AND o.status <> 'sending'
                       AND NOT EXISTS (SELECT FROM bank_files f WHERE f.batch_id = n.batch_id)) THEN
        RAISE EXCEPTION 'nothing is sent before its file is committed' USING ERRCODE = 'ZD009';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION guard_bank_files() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM batches b
                      WHERE b.id = NEW.batch_id AND b.status = 'released'
                        AND b.line_count = NEW.line_count AND b.sum_fen = NEW.sum_fen) THEN
        RAISE EXCEPTION 'a file is written for a released batch, with its count and sum' USING ERRCODE = 'ZD010';
      END IF;
      RETURN NEW;
    END $$
    """,
    # No person holds two posts that exclude each other, over all their users.
    """
    CREATE FUNCTION guard_user_posts() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE who uuid;
    BEGIN
      SELECT person_id INTO who FROM users WHERE id = NEW.user_id;
      PERFORM FROM people WHERE id = who FOR NO KEY UPDATE;
      IF EXISTS (SELECT FROM users u JOIN user_posts p ON p.user_id = u.id
                   JOIN post_exclusions x
                     ON x.scope = 'person' AND (x.post, x.other) IN ((NEW.post, p.post), (p.post, NEW.post))
                  WHERE u.person_id = who) THEN
        RAISE EXCEPTION 'this person holds a post that excludes %', NEW.post USING ERRCODE = 'ZD011';
      END IF;
      RETURN NEW;
    END $$
    """,
    # For whoever the role: these rows are written once.
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '% of % is refused: it is written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'ZD012';
    END $$
    """,
    # A published edition only learns on which day its successor took over.
    """
    CREATE FUNCTION guard_catalog_editions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.status <> 'published' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
      END IF;
      IF TG_OP = 'DELETE'
         OR (to_jsonb(OLD) - 'in_force') <> (to_jsonb(NEW) - 'in_force')
         OR lower(OLD.in_force) <> lower(NEW.in_force)
         OR (NOT upper_inf(OLD.in_force) AND OLD.in_force <> NEW.in_force) THEN
        RAISE EXCEPTION 'a published edition is immutable' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_edition_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' AND EXISTS (
           SELECT FROM catalog_editions e WHERE e.id = OLD.edition_id AND e.status = 'published') THEN
        RAISE EXCEPTION 'a published edition is immutable' USING ERRCODE = 'ZD012';
      END IF;
      IF TG_OP = 'DELETE' THEN
        RETURN OLD;
      END IF;
      IF EXISTS (SELECT FROM catalog_editions e WHERE e.id = NEW.edition_id AND e.status = 'published') THEN
        RAISE EXCEPTION 'a published edition is immutable' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NEW;
    END $$
    """,
]

#: table and the noun of its lifecycle; each has a guard of its own beside `guard_moves`
GUARDED = {"claims": "claim", "batches": "batch", "payment_attempts": "attempt"}

WRITTEN_ONCE = [
    "journal",
    "standards",
    "policies",
    "batch_signatures",
    "treasury_transfers",
    "bank_files",
    "registry_replies",
    "accounts",
    "return_files",
    "mandates",
]

#: What the service's role may do beyond reading. A column list freezes every other column.
GRANTS = [
    "INSERT ON journal, people, person_blind_indexes, accounts, claims, mandates, jobs, idempotency_keys, sessions,"
    " users, user_posts, claim_tally_deltas, claim_tally, door_refusals, registry_replies, public_notices,"
    " notice_lines, batches, batch_signatures, treasury_transfers, payment_attempts, bank_files, return_files,"
    " return_lines, catalog_editions, catalog_items, catalog_findings, occupation_aliases, standards, policies,"
    " institutions, institution_listings, districts",
    "UPDATE (status, account_id) ON claims",
    "UPDATE (status, content_hash, line_count, sum_fen) ON batches",
    "UPDATE (status, failure) ON payment_attempts",
    "UPDATE (state, attempts, next_at, last_error) ON jobs",
    "UPDATE (answer) ON idempotency_keys",
    "UPDATE (closed_at) ON public_notices",
    "UPDATE (phone_sealed, merged_into) ON people",
    "UPDATE (password_hash, disabled_at) ON users",
    "UPDATE (count, amount_fen) ON claim_tally",
    "UPDATE (status, in_force, reason) ON catalog_editions",
    "UPDATE (name) ON districts",
    "DELETE ON sessions, user_posts, claim_tally_deltas, catalog_items, catalog_findings, catalog_editions",
]


def upgrade() -> None:
    _fill("lifecycle_moves", ("noun", "before", "action", "after"), MOVES)
    _fill("post_exclusions", ("scope", "post", "other"), EXCLUSIONS)
    for function in FUNCTIONS:
        op.execute(function)
    for table, noun in GUARDED.items():
        _after_statement(table, "guard_moves", f"'{noun}'", "INSERT")
        _after_statement(table, "guard_moves", f"'{noun}'", "UPDATE")
        _after_statement(table, f"guard_{table}", "", "UPDATE")
    _after_statement("payment_attempts", "guard_payment_attempts", "", "INSERT")
    _before_row("bank_files", "guard_bank_files", "INSERT")
    _before_row("user_posts", "guard_user_posts", "INSERT")
    _before_row("catalog_editions", "guard_catalog_editions", "UPDATE OR DELETE")
    for table in ("catalog_items", "catalog_findings"):
        _before_row(table, "guard_edition_rows", "INSERT OR UPDATE OR DELETE")
    for table in WRITTEN_ONCE:
        _before_row(table, "refuse_change", "UPDATE OR DELETE")
    # The role belongs to the cluster, not to the database: an operator may have made it.
    op.execute("""
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zhida_app') THEN CREATE ROLE zhida_app NOLOGIN; END IF;
        END $$
    """)
    op.execute("GRANT USAGE ON SCHEMA public TO zhida_app")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO zhida_app")
    op.execute("GRANT USAGE ON SEQUENCE batch_numbers TO zhida_app")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _fill(table: str, names: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    target = sa.table(table, *(sa.column(name) for name in names))
    op.bulk_insert(target, [dict(zip(names, row, strict=True)) for row in rows])


def _after_statement(table: str, function: str, argument: str, event: str) -> None:
    seen = "NEW TABLE AS new_rows" + (" OLD TABLE AS old_rows" if event == "UPDATE" else "")
    op.execute(
        f"CREATE TRIGGER {function}_on_{event.lower()} AFTER {event} ON {table} REFERENCING {seen} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}({argument})"
    )


def _before_row(table: str, function: str, events: str) -> None:
    op.execute(f"CREATE TRIGGER {function} BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
