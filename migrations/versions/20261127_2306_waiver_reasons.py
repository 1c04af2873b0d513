"""Whoever declines a waiver says why; those declined before stay without words."""

import sqlalchemy as sa
from alembic import op

revision = "waiver_reasons"
down_revision = "step_counts"
branch_labels = None
depends_on = None

ANSWERING = ["granted", "answered_by", "answered_person", "answered_at", "answer_text"]

# A function, for a CHECK would have to hold of the rows that were declined before.
GUARD = """
    CREATE FUNCTION guard_waiver_answers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT NEW.granted AND btrim(NEW.answer_text) = '' THEN
        RAISE EXCEPTION 'whoever declines a waiver says why' USING ERRCODE = 'ZD268';
      END IF;
      RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.add_column("clawback_waivers", sa.Column("answer_text", sa.Text(), server_default="", nullable=False))
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER guard_waiver_answers BEFORE UPDATE ON clawback_waivers"
        " FOR EACH ROW EXECUTE FUNCTION guard_waiver_answers()"
    )
    op.execute("DROP TRIGGER guard_ended_once ON clawback_waivers")
    op.execute(
        "CREATE TRIGGER guard_ended_once BEFORE UPDATE ON clawback_waivers"
        f" FOR EACH ROW EXECUTE FUNCTION guard_ended_once('answered_at', '{{{','.join(ANSWERING)}}}')"
    )
    op.execute("GRANT UPDATE (answer_text) ON clawback_waivers TO zhida_app")
