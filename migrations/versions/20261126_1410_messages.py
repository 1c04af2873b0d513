"""Messages to persons, made of what the journal says from now on: what happened before is told to nobody."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "messages"
down_revision = "project_formula"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="owed", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('owed', 'sent', 'undeliverable')", name=op.f("ck_messages_state")),
        sa.CheckConstraint("(state = 'owed') = (ended_at IS NULL)", name=op.f("ck_messages_ended")),
        sa.CheckConstraint("(state = 'undeliverable') = (why <> '')", name=op.f("ck_messages_why")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_messages_person_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_messages_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("event", name=op.f("uq_messages_event")),
    )
    op.create_index(op.f("ix_messages_person_id"), "messages", ["person_id"])
    op.create_index(op.f("ix_messages_claim_id"), "messages", ["claim_id"])
    op.create_table(
        "message_floor",
        sa.Column("one", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("horizon", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_message_floor_one")),
        sa.CheckConstraint("floor <= seen", name=op.f("ck_message_floor_rising")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_message_floor")),
    )
    op.execute("""
        INSERT INTO message_floor (floor, seen, horizon)
        SELECT latest, latest, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
          FROM (SELECT coalesce(max(id), 0) FROM journal) AS told (latest)
    """)
    op.execute("""
        CREATE FUNCTION guard_messages() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' OR OLD.state <> 'owed'
             OR (to_jsonb(OLD) - '{state,why,ended_at}'::text[])
                <> (to_jsonb(NEW) - '{state,why,ended_at}'::text[]) THEN
            RAISE EXCEPTION 'a message stays as it was told' USING ERRCODE = 'ZD012';
          END IF;
          RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER guard_messages BEFORE UPDATE OR DELETE ON messages"
        " FOR EACH ROW EXECUTE FUNCTION guard_messages()"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (state, why, ended_at) ON messages TO zhida_app")
    op.execute("GRANT SELECT, UPDATE ON message_floor TO zhida_app")
