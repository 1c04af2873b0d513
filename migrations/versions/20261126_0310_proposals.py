"""Sources of the catalog, proposals of districts, and what was heard about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "proposals"
down_revision = "editions"
branch_labels = None
depends_on = None

MOVES = [
    ("proposal", "", "propose", "proposed"),
    ("proposal", "proposed", "accept", "accepted"),
    ("proposal", "proposed", "decline", "declined"),
]

WRITTEN_ONCE = ["catalog_sources", "catalog_source_items", "catalog_opinions"]

GRANTS = [
    "SELECT, INSERT ON catalog_sources, catalog_source_items, catalog_proposals, catalog_opinions",
    "UPDATE (status, item_id) ON catalog_proposals",
]


def upgrade() -> None:
    moves = sa.table("lifecycle_moves", *(sa.column(name) for name in ("noun", "before", "action", "after")))
    op.bulk_insert(moves, [dict(zip(("noun", "before", "action", "after"), row, strict=True)) for row in MOVES])
    _sources()
    _proposals()
    op.add_column("catalog_item_changes", sa.Column("proposal_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_catalog_item_changes_proposal_id"),
        "catalog_item_changes",
        "catalog_proposals",
        ["proposal_id"],
        ["id"],
    )
    for event, seen in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "NEW TABLE AS new_rows OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER guard_moves_on_{event.lower()} AFTER {event} ON catalog_proposals REFERENCING {seen} "
            "FOR EACH STATEMENT EXECUTE FUNCTION guard_moves('proposal')"
        )
    for table in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO zhida_app")


def _sources() -> None:
    op.create_table(
        "catalog_sources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('provincial_guide', 'shortage', 'survey')", name=op.f("ck_catalog_sources_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_sources")),
    )
    op.create_index("uq_catalog_sources_kind_sha256", "catalog_sources", ["kind", "sha256"], unique=True)
    op.create_table(
        "catalog_source_items",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["catalog_sources.id"], name=op.f("fk_catalog_source_items_source_id")
        ),
        sa.PrimaryKeyConstraint("source_id", "place", name=op.f("pk_catalog_source_items")),
    )


def _proposals() -> None:
    op.create_table(
        "catalog_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("item", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("proposed_by_person", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "status IN ('proposed', 'accepted', 'declined')", name=op.f("ck_catalog_proposals_status")
        ),
        sa.CheckConstraint(
            "(status = 'accepted') = (item_id IS NOT NULL)", name=op.f("ck_catalog_proposals_accepted_has_item")
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_catalog_proposals_district")),
        sa.ForeignKeyConstraint(
            ["proposed_by_person"], ["people.id"], name=op.f("fk_catalog_proposals_proposed_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_proposals")),
    )
    op.create_index(op.f("ix_catalog_proposals_district"), "catalog_proposals", ["district"], unique=False)
    op.create_table(
        "catalog_opinions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stance", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("heard_on", sa.Date(), nullable=False),
        sa.Column("recorded_by_person", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "asked IN ('department', 'enterprise', 'institution', 'trainee')", name=op.f("ck_catalog_opinions_asked")
        ),
        sa.CheckConstraint("stance IN ('for', 'against', 'neither')", name=op.f("ck_catalog_opinions_stance")),
        sa.CheckConstraint("octet_length(document_sha256) = 32", name=op.f("ck_catalog_opinions_document")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["catalog_proposals.id"], name=op.f("fk_catalog_opinions_proposal_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_person"], ["people.id"], name=op.f("fk_catalog_opinions_recorded_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_opinions")),
    )
    op.create_index(op.f("ix_catalog_opinions_proposal_id"), "catalog_opinions", ["proposal_id"], unique=False)
