"""Second reviews, recusals, leases, and the list of what waits for a reviewer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "review_desk"
down_revision = "clawbacks"
branch_labels = None
depends_on = None

# Built first and beside the work of others: whoever writes claims meanwhile does not wait, and the build waits for
# transactions that began before it, however long. One that was cut short leaves an index that is not valid, and
# begins again.
BESIDE = {
    "ix_claims_to_review": "claims (district, filed_on, id) WHERE status IN ('verified', 'in_review')",
    "ix_people_merged": "people (merged_into) WHERE merged_into IS NOT NULL",
}

SECOND = "second_reviewer"
EXCLUSIONS = [
    *(("person", post, SECOND) for post in ("auditor", "operator", "clerk")),
    *(("person", SECOND, post) for post in ("maker", "checker", "releaser")),
    ("claim", "acceptor", SECOND),
    ("claim", "acceptor", "notice_publisher"),
    ("claim", "reviewer", SECOND),
    ("claim", SECOND, "notice_publisher"),
]

FINDING = ("finding", "finding_reason", "found_by", "found_person", "found_at")

FUNCTIONS = [
    # The ids of an officer, and of the relatives they declared: those of claims filed before `until`.
    """
    CREATE FUNCTION kin_of(officer uuid) RETURNS TABLE (person_id uuid, own boolean, until timestamptz)
    LANGUAGE sql STABLE AS $$
      WITH human AS (SELECT coalesce(merged_into, id) AS id FROM people WHERE id = officer),
           ids AS (SELECT id FROM human UNION SELECT p.id FROM human h JOIN people p ON p.merged_into = h.id),
           relatives AS (
             SELECT coalesce(p.merged_into, p.id) AS id, coalesce(r.ended_at, 'infinity') AS until
               FROM declared_relatives r
               CROSS JOIN LATERAL unnest(r.key_ids, r.indexes) AS k (key_id, index)
               JOIN person_blind_indexes b ON b.key_id = k.key_id AND b.index = k.index
               JOIN people p ON p.id = b.person_id
              WHERE r.person_id IN (SELECT id FROM ids))
      SELECT id, true, 'infinity'::timestamptz FROM ids
      UNION ALL SELECT id, false, until FROM relatives
      UNION ALL SELECT p.id, false, r.until FROM relatives r JOIN people p ON p.merged_into = r.id
    $$
    """,
    # What was drawn follows from the seed, what is large from the policy that is kept beside; nobody approves for
    # themself or their relatives, or what they have left to others.
    """
    CREATE FUNCTION guard_claim_approvals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n JOIN claims c ON c.id = n.claim_id
           WHERE n.finding IS NOT NULL OR (n.district, n.filed_on) IS DISTINCT FROM (c.district, c.filed_on)
              OR ('sample' = ANY (n.why)) IS DISTINCT FROM
                 (('x' || encode(substr(sha256(n.seed || uuid_send(n.claim_id)), 1, 4), 'hex'))::bit(32)::bigint
                  % 100 < n.percent)
              OR ('amount' = ANY (n.why)) IS DISTINCT FROM coalesce(c.amount_fen >= n.from_fen, false)) > 0 THEN
        RAISE EXCEPTION 'a sample is what its seed draws' USING ERRCODE = 'ZD170';
      END IF;
      IF (SELECT count(*) FROM new_rows n
            JOIN claims c ON c.id = n.claim_id
            JOIN (SELECT officer.approved_person AS officer, k.person_id, k.until
                    FROM (SELECT DISTINCT approved_person FROM new_rows) AS officer
                   CROSS JOIN LATERAL kin_of(officer.approved_person) AS k) AS kin
              ON kin.officer = n.approved_person AND kin.person_id = c.person_id AND c.filed_at < kin.until) > 0
         OR (SELECT count(*) FROM new_rows n
               JOIN claim_recusals r ON r.claim_id = n.claim_id AND r.person_id = n.approved_person) > 0 THEN
        RAISE EXCEPTION 'nobody decides for themself or their own' USING ERRCODE = 'ZD171';
      END IF;
      RETURN NULL;
    END $$
    """,
    # Whoever looks again had no other post on the claim, and is no relative.
    """
    CREATE FUNCTION guard_second_findings() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM journal j
                   JOIN post_exclusions e ON e.scope = 'claim'
                    AND (e.post, e.other) IN ((j.actor_name, 'second_reviewer'), ('second_reviewer', j.actor_name))
                  WHERE j.subject_kind = 'claim' AND j.subject_id = NEW.claim_id
                    AND j.actor_person_id IN (SELECT person_id FROM kin_of(NEW.found_person) WHERE own)) THEN
        RAISE EXCEPTION 'a second look is another person''s' USING ERRCODE = 'ZD172';
      END IF;
      IF EXISTS (SELECT FROM kin_of(NEW.found_person) k
                   JOIN claims c ON c.person_id = k.person_id AND c.filed_at < k.until AND c.id = NEW.claim_id)
         OR EXISTS (SELECT FROM claim_recusals
                     WHERE claim_id = NEW.claim_id AND person_id = NEW.found_person) THEN
        RAISE EXCEPTION 'nobody decides for themself or their own' USING ERRCODE = 'ZD171';
      END IF;
      RETURN NEW;
    END $$
    """,
    # The public sees what nobody has yet to look at again, and what nobody overturned.
    """
    CREATE FUNCTION guard_second_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM new_rows n FULL JOIN old_rows o ON o.id = n.id
           WHERE coalesce(n.status, '') = 'noticed' AND coalesce(o.status, '') <> 'noticed'
             AND (SELECT (a.why <> '{}' AND a.finding IS DISTINCT FROM 'confirmed') FROM claim_approvals a
                   WHERE a.claim_id = n.id ORDER BY a.id DESC LIMIT 1)) > 0 THEN
        RAISE EXCEPTION 'another person has yet to confirm the approval' USING ERRCODE = 'ZD173';
      END IF;
      RETURN NULL;
    END $$
    """,
]

BOTH = "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows"
TRIGGERS = [
    "guard_claim_approvals AFTER INSERT ON claim_approvals REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION guard_claim_approvals()",
    "guard_ended_once BEFORE UPDATE ON claim_approvals FOR EACH ROW"
    f" EXECUTE FUNCTION guard_ended_once('found_at', '{{{','.join(FINDING)}}}')",
    "guard_second_findings BEFORE UPDATE ON claim_approvals FOR EACH ROW EXECUTE FUNCTION guard_second_findings()",
    "guard_ended_once BEFORE UPDATE ON declared_relatives FOR EACH ROW"
    " EXECUTE FUNCTION guard_ended_once('ended_at', '{ended_at}')",
    "refuse_change BEFORE DELETE ON claim_approvals FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "refuse_change BEFORE DELETE ON declared_relatives FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "refuse_change BEFORE UPDATE OR DELETE ON claim_recusals FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    f"guard_second_reviews AFTER UPDATE ON claims {BOTH} FOR EACH STATEMENT EXECUTE FUNCTION guard_second_reviews()",
]

GRANTS = [
    "SELECT, INSERT ON claim_approvals, claim_recusals, declared_relatives",
    f"UPDATE ({', '.join(FINDING)}) ON claim_approvals",
    "UPDATE (ended_at) ON declared_relatives",
    "SELECT, INSERT, UPDATE, DELETE ON claim_leases",
]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        for name, what in BESIDE.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
        op.execute("SET lock_timeout = '4s'")  # as migrations/env.py has it
    _fill()
    _approvals()
    _leaving_to_others()
    op.drop_constraint(op.f("ck_messages_of_claim"), "messages")
    op.create_check_constraint(
        op.f("ck_messages_of_claim"), "messages", "(template IN ('offer', 'digest')) = (claim_id IS NULL)"
    )
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _fill() -> None:
    for table, names, rows in (
        ("post_exclusions", ("scope", "post", "other"), EXCLUSIONS),
        (
            "lifecycle_moves",
            ("noun", "before", "action", "after"),
            [("claim", "approved", "overturn", "in_review")],
        ),
    ):
        target = sa.table(table, *(sa.column(name) for name in names))
        op.bulk_insert(target, [dict(zip(names, row, strict=True)) for row in rows])


def _foreign(table: str, name: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [other], name=op.f(f"fk_{table}_{name}"))


def _uuid(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _approvals() -> None:
    table, is_open = "claim_approvals", sa.text("why <> '{}' AND finding IS NULL")
    checks = {
        "seed": "length(seed) = 32",
        "percent": "percent BETWEEN 0 AND 100",
        "why": "why <@ ARRAY['sample', 'amount', 'manual', 'again']",
        "finding": "finding IN ('confirmed', 'overturned')",
        "found_whole": "num_nulls(finding, found_by, found_person, found_at) IN (0, 4)",
        "found_what_was_asked": "finding IS NULL OR why <> '{}'",
        "finding_reason": "finding IS DISTINCT FROM 'overturned' OR finding_reason <> ''",
        "two_persons": "found_person <> approved_person",
    }
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _uuid("claim_id"),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("from_fen", sa.BigInteger(), nullable=True),
        sa.Column("why", postgresql.ARRAY(sa.Text()), nullable=False),
        _uuid("approved_by"),
        _uuid("approved_person"),
        _instant("approved_at"),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("finding_reason", sa.Text(), server_default="", nullable=False),
        _uuid("found_by", nullable=True),
        _uuid("found_person", nullable=True),
        _instant("found_at", nullable=True),
        *(sa.CheckConstraint(says, name=op.f(f"ck_{table}_{name}")) for name, says in checks.items()),
        _foreign(table, "claim_id", "claims.id"),
        _foreign(table, "district", "districts.code"),
        *(_foreign(table, name, "users.id") for name in ("approved_by", "found_by")),
        *(_foreign(table, name, "people.id") for name in ("approved_person", "found_person")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("uq_claim_approvals_open", table, ["claim_id"], unique=True, postgresql_where=is_open)
    op.create_index("ix_claim_approvals_work", table, ["district", "filed_on", "claim_id"], postgresql_where=is_open)
    op.create_index(op.f("ix_claim_approvals_claim_id"), table, ["claim_id"])


def _leaving_to_others() -> None:
    op.create_table(
        "claim_recusals",
        *(_uuid(name) for name in ("claim_id", "person_id", "user_id")),
        sa.Column("reason", sa.Text(), nullable=False),
        _instant("recused_at"),
        _foreign("claim_recusals", "claim_id", "claims.id"),
        _foreign("claim_recusals", "person_id", "people.id"),
        _foreign("claim_recusals", "user_id", "users.id"),
        sa.PrimaryKeyConstraint("claim_id", "person_id", name=op.f("pk_claim_recusals")),
    )
    op.create_table(
        "claim_leases",
        *(_uuid(name) for name in ("claim_id", "user_id", "person_id")),
        _instant("taken_at"),
        _instant("until"),
        _foreign("claim_leases", "claim_id", "claims.id"),
        _foreign("claim_leases", "person_id", "people.id"),
        _foreign("claim_leases", "user_id", "users.id"),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim_leases")),
    )
    op.create_table(
        "declared_relatives",
        *(_uuid(name) for name in ("id", "person_id")),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("indexes", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        _uuid("declared_by"),
        _instant("declared_at"),
        _instant("ended_at", nullable=True),
        sa.CheckConstraint(
            "relation IN ('spouse', 'parent', 'child', 'sibling', 'in_law', 'other')",
            name=op.f("ck_declared_relatives_relation"),
        ),
        sa.CheckConstraint(
            "cardinality(key_ids) > 0 AND cardinality(key_ids) = cardinality(indexes)",
            name=op.f("ck_declared_relatives_indexed"),
        ),
        _foreign("declared_relatives", "person_id", "people.id"),
        _foreign("declared_relatives", "declared_by", "users.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declared_relatives")),
    )
    op.create_index(op.f("ix_declared_relatives_person_id"), "declared_relatives", ["person_id"])
