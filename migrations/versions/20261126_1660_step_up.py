"""Second factors and step-ups: a batch's signature names the proof that was given for it.

Signatures of before have none. From now on the database asks for one, unless the policy `step_up` says "none" on the
day: whoever has to sign enrols a telephone first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "step_up"
down_revision = "fund_transfers"
branch_labels = None
depends_on = None

FUNCTIONS = [
    # A factor learns that it is confirmed, and that it is over; its codes are used in one direction, a lock holds.
    """
    CREATE FUNCTION guard_second_factors() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.ended_at IS NOT NULL OR NEW.last_counter < OLD.last_counter
         OR (OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at)
         OR (OLD.locked_until > now() AND (NEW.locked_until < OLD.locked_until) IS NOT FALSE) THEN
        RAISE EXCEPTION 'a second factor does not go back' USING ERRCODE = 'ZD252';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_step_ups() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.granted_at := now();
      NEW.expires_at := now() + interval '5 minutes';
      IF NOT EXISTS (SELECT FROM second_factors f
                      WHERE f.id = NEW.factor_id AND f.user_id = NEW.user_id AND f.confirmed_at IS NOT NULL
                        AND f.ended_at IS NULL AND coalesce(f.locked_until <= now(), true))
         OR NOT EXISTS (SELECT FROM sessions s
                         WHERE s.token_sha256 = NEW.session_sha256 AND s.user_id = NEW.user_id
                           AND s.expires_at > now())
         OR abs(NEW.counter - floor(extract(epoch FROM now()) / 30)) > 1 THEN
        RAISE EXCEPTION 'a step-up is of a standing factor, a live session, and this minute' USING ERRCODE = 'ZD251';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_signed_with_step_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.step_up_id IS NULL AND EXISTS (
           SELECT FROM policies p WHERE p.key = 'step_up' AND p.value = '"none"'
              AND p.in_force @> (now() AT TIME ZONE 'Asia/Shanghai')::date) THEN
        RETURN NEW;
      END IF;
      IF NOT EXISTS (SELECT FROM step_ups s JOIN second_factors f ON f.id = s.factor_id AND f.ended_at IS NULL
                      WHERE s.id = NEW.step_up_id AND s.user_id = NEW.user_id AND s.expires_at > now()
                        AND 'batch.' || split_part(NEW.step, '_', 1) || ' ' || NEW.batch_id = ANY (s.signs)) THEN
        RAISE EXCEPTION 'a signature needs a step-up of its own' USING ERRCODE = 'ZD250';
      END IF;
      RETURN NEW;
    END $$
    """,
    # Looked at when the transaction ends: the journal may be written before or after.
    """
    CREATE FUNCTION must_be_journalled() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM journal j WHERE j.subject_kind = TG_ARGV[0] AND j.subject_id = NEW.id
                        AND j.xid = pg_current_xact_id()::text) THEN
        RAISE EXCEPTION 'a change of a % has no journal row', TG_ARGV[0] USING ERRCODE = 'ZD253';
      END IF;
      RETURN NULL;
    END $$
    """,
]

TRIGGERS = [
    "TRIGGER guard_second_factors BEFORE UPDATE ON second_factors"
    " FOR EACH ROW EXECUTE FUNCTION guard_second_factors()",
    "TRIGGER refuse_change BEFORE DELETE ON second_factors FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "TRIGGER guard_step_ups BEFORE INSERT ON step_ups FOR EACH ROW EXECUTE FUNCTION guard_step_ups()",
    "TRIGGER refuse_change BEFORE UPDATE OR DELETE ON step_ups FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "TRIGGER guard_signed_with_step_up BEFORE INSERT ON batch_signatures"
    " FOR EACH ROW EXECUTE FUNCTION guard_signed_with_step_up()",
    "CONSTRAINT TRIGGER must_be_journalled AFTER INSERT OR UPDATE OF confirmed_at, ended_at ON second_factors"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION must_be_journalled('second_factor')",
    "CONSTRAINT TRIGGER must_be_journalled AFTER INSERT ON step_ups"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION must_be_journalled('step_up')",
]

GRANTS = [
    "SELECT, INSERT ON second_factors, step_ups",
    "UPDATE (confirmed_at, ended_at, last_counter, wrong_count, locked_until) ON second_factors",
]


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "second_factors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", instant, nullable=False),
        sa.Column("confirmed_at", instant, nullable=True),
        sa.Column("ended_at", instant, nullable=True),
        sa.Column("last_counter", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("wrong_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", instant, nullable=True),
        sa.CheckConstraint("wrong_count >= 0 AND last_counter >= 0", name=op.f("ck_second_factors_counted")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factors")),
        sa.UniqueConstraint("id", "user_id", name="uq_second_factors_user"),
    )
    standing = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_second_factors_standing", "second_factors", ["user_id"], unique=True, postgresql_where=standing
    )
    op.create_table(
        "step_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("factor_id", sa.Uuid(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("session_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("signs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("granted_at", instant, server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", instant, server_default=sa.text("now() + interval '5 minutes'"), nullable=False),
        sa.CheckConstraint("cardinality(signs) BETWEEN 1 AND 100", name=op.f("ck_step_ups_signs")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_step_ups_user_id")),
        sa.ForeignKeyConstraint(
            ["factor_id", "user_id"], ["second_factors.id", "second_factors.user_id"], name="fk_step_ups_factor"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_ups")),
        sa.UniqueConstraint("factor_id", "counter", name="uq_step_ups_code"),
        sa.UniqueConstraint("token_sha256", name="uq_step_ups_token"),
    )
    op.add_column("batch_signatures", sa.Column("step_up_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_batch_signatures_step_up_id"), "batch_signatures", "step_ups", ["step_up_id"], ["id"]
    )
    op.create_index("ix_batch_signatures_step_up_id", "batch_signatures", ["step_up_id"])
    for function in FUNCTIONS:
        op.execute(function)
    for trigger in TRIGGERS:
        op.execute(f"CREATE {trigger}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")
