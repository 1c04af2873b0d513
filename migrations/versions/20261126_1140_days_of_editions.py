"""An edition's days end only where it is superseded, and only what is put on record is historical.

A published edition could learn an end without a successor, which left days without any; and a draft could be called
historical, which sets the calendar and the two persons aside.
"""

from alembic import op

revision = "days_of_editions"
down_revision = "oversight"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE OR REPLACE FUNCTION guard_catalog_editions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an edition is never deleted' USING ERRCODE = 'ZD012';
      END IF;
      IF OLD.status NOT IN ('published', 'superseded') THEN
        IF NEW.status = 'published' AND OLD.status = 'draft' AND NOT NEW.historical THEN
          RAISE EXCEPTION 'only a past edition is published without approval' USING ERRCODE = 'ZD012';
        END IF;
        IF NEW.historical AND NOT (OLD.status = 'draft' AND NEW.status = 'published') THEN
          RAISE EXCEPTION 'only what is put on record is historical' USING ERRCODE = 'ZD012';
        END IF;
        RETURN NEW;
      END IF;
      IF (to_jsonb(OLD) - 'in_force' - 'status') <> (to_jsonb(NEW) - 'in_force' - 'status')
         OR lower(OLD.in_force) <> lower(NEW.in_force)
         OR (OLD.in_force <> NEW.in_force
             AND NOT (upper_inf(OLD.in_force) AND OLD.status = 'published' AND NEW.status = 'superseded')) THEN
        RAISE EXCEPTION 'a published edition is immutable' USING ERRCODE = 'ZD012';
      END IF;
      RETURN NEW;
    END $$
    """)
