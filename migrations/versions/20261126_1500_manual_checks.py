"""Manual checks: what the registry does not know, persons find out, with evidence; and a revocation stops a claim."""

import sqlalchemy as sa
from alembic import op

revision = "manual_checks"
down_revision = "offers"
branch_labels = None
depends_on = None

SECOND = ("second_at", "second_by", "second_finding", "second_note", "second_person")

#: A certificate that is revoked brings its claim before an officer again, wherever it stands before the money.
MOVES = [("claim", before, "question", "in_review") for before in ("approved", "noticed", "bounced")]

FUNCTIONS = [
    # By others than the claimant and who filed, while the registry leaves it open, and of two persons where the
    # policy of the day says so; where it says nothing, always.
    """
    CREATE FUNCTION guard_manual_checks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.second_at IS NOT NULL OR NOT EXISTS (
           SELECT FROM claims c
            WHERE c.id = NEW.claim_id AND c.status = 'in_review'
              AND NEW.needs_second = (c.amount_fen >= coalesce(
                    (SELECT (p.value #>> '{}')::bigint FROM policies p
                      WHERE p.key = 'manual_check_second_from_fen'
                        AND p.in_force @> (NEW.checked_at AT TIME ZONE 'Asia/Shanghai')::date), 0))) THEN
        RAISE EXCEPTION 'nobody may check so by hand' USING ERRCODE = 'ZD190';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_hands_of_checks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (
           SELECT FROM claims c
             JOIN users u ON u.id = c.filed_by
             JOIN people theirs ON theirs.id IN (c.person_id, u.person_id)
             JOIN people hand ON hand.id IN (NEW.checked_person, NEW.second_person)
            WHERE c.id = NEW.claim_id
              AND coalesce(theirs.merged_into, theirs.id) = coalesce(hand.merged_into, hand.id)) THEN
        RAISE EXCEPTION 'nobody checks their own claim' USING ERRCODE = 'ZD191';
      END IF;
      RETURN NEW;
    END $$
    """,
    # What the registry or persons said last of the claim as it was last corrected.
    """
    CREATE FUNCTION guard_certificates_of_approved() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      mended timestamptz := coalesce(
        (SELECT max(corrected_at) FROM claim_corrections WHERE claim_id = OLD.id), '-infinity');
      hand record;
    BEGIN
      IF (SELECT r.outcome FROM registry_replies r
           WHERE r.claim_id = OLD.id AND r.received_at >= mended
           ORDER BY r.received_at DESC, r.id LIMIT 1) = 'found' THEN
        RETURN NEW;
      END IF;
      SELECT m.finding, coalesce(m.second_finding, m.finding) AS second_finding, m.checked_at INTO hand
        FROM manual_checks m
       WHERE m.claim_id = OLD.id AND m.checked_at >= mended AND (NOT m.needs_second OR m.second_at IS NOT NULL)
       ORDER BY m.checked_at DESC, m.id LIMIT 1;
      IF (hand.finding, hand.second_finding) IS DISTINCT FROM ('genuine', 'genuine')
         OR EXISTS (SELECT FROM registry_replies r
                     WHERE r.claim_id = OLD.id AND r.outcome = 'revoked' AND r.received_at > hand.checked_at) THEN
        RAISE EXCEPTION 'neither the registry nor persons found this certificate' USING ERRCODE = 'ZD192';
      END IF;
      RETURN NEW;
    END $$
    """,
]

TRIGGERS = [
    "guard_manual_checks BEFORE INSERT ON manual_checks FOR EACH ROW EXECUTE FUNCTION guard_manual_checks()",
    "guard_hands_of_checks BEFORE INSERT OR UPDATE ON manual_checks"
    " FOR EACH ROW EXECUTE FUNCTION guard_hands_of_checks()",
    "guard_ended_once BEFORE UPDATE ON manual_checks"
    f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('second_at', '{{{','.join(SECOND)}}}')",
    "refuse_change BEFORE DELETE ON manual_checks FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "refuse_change BEFORE UPDATE OR DELETE ON manual_check_evidence FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    # what was approved before stays so: only who is approved from now on is looked at
    "guard_certificates_of_approved BEFORE UPDATE OF status ON claims"
    " FOR EACH ROW WHEN (OLD.status = 'in_review' AND NEW.status = 'approved')"
    " EXECUTE FUNCTION guard_certificates_of_approved()",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    op.create_table(
        "manual_check_evidence",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("handed_in_by", sa.Uuid(), nullable=False),
        sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_manual_check_evidence_claim_id")),
        sa.ForeignKeyConstraint(["sha256"], ["stored_files.sha256"], name=op.f("fk_manual_check_evidence_sha256")),
        sa.ForeignKeyConstraint(["handed_in_by"], ["users.id"], name=op.f("fk_manual_check_evidence_handed_in_by")),
        sa.PrimaryKeyConstraint("claim_id", "sha256", name=op.f("pk_manual_check_evidence")),
    )
    op.create_table(
        "manual_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("evidence_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=False),
        sa.Column("checked_person", sa.Uuid(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_finding", sa.Text(), nullable=True),
        sa.Column("second_note", sa.Text(), server_default="", nullable=False),
        sa.Column("second_by", sa.Uuid(), nullable=True),
        sa.Column("second_person", sa.Uuid(), nullable=True),
        sa.Column("second_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("finding IN ('genuine', 'not_genuine')", name=op.f("ck_manual_checks_finding")),
        sa.CheckConstraint(
            "second_finding IN ('genuine', 'not_genuine')", name=op.f("ck_manual_checks_second_finding")
        ),
        sa.CheckConstraint("how IN ('phone', 'letter', 'visit')", name=op.f("ck_manual_checks_how")),
        sa.CheckConstraint("note <> ''", name=op.f("ck_manual_checks_note")),
        sa.CheckConstraint(
            "num_nulls(second_finding, second_by, second_person, second_at) IN (0, 4)",
            name=op.f("ck_manual_checks_second_whole"),
        ),
        sa.CheckConstraint("second_at IS NULL OR needs_second", name=op.f("ck_manual_checks_second_wanted")),
        sa.CheckConstraint("second_person <> checked_person", name=op.f("ck_manual_checks_two_persons")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_manual_checks_claim_id")),
        sa.ForeignKeyConstraint(
            ["claim_id", "evidence_sha256"],
            ["manual_check_evidence.claim_id", "manual_check_evidence.sha256"],
            name="fk_manual_checks_evidence",
        ),
        *(
            sa.ForeignKeyConstraint([f"{who}_by"], ["users.id"], name=op.f(f"fk_manual_checks_{who}_by"))
            for who in ("checked", "second")
        ),
        *(
            sa.ForeignKeyConstraint([f"{who}_person"], ["people.id"], name=op.f(f"fk_manual_checks_{who}_person"))
            for who in ("checked", "second")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_checks")),
    )
    op.create_index(op.f("ix_manual_checks_claim_id"), "manual_checks", ["claim_id"])
    op.create_index(
        "uq_manual_checks_open",
        "manual_checks",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("needs_second AND second_at IS NULL"),
    )
    op.create_index(
        "ix_registry_replies_revoked",
        "registry_replies",
        ["claim_id"],
        postgresql_where=sa.text("outcome = 'revoked'"),
    )
    for statement in FUNCTIONS:
        op.execute(statement)
    for trigger in TRIGGERS:
        op.execute(f"CREATE TRIGGER {trigger}")
    op.execute("GRANT SELECT, INSERT ON manual_checks, manual_check_evidence TO zhida_app")
    op.execute(f"GRANT UPDATE ({', '.join(SECOND)}) ON manual_checks TO zhida_app")
