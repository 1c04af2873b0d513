"""Publish a set: it takes its days from those that were published before; or drop one that will not be."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Row, func, select, text

from domain.actor import Actor, Post
from domain.catalog.edition import IN_FORCE, Publishing
from domain.errors import Conflict, Invalid, NotFound
from domain.standard import SET_LIFECYCLE, SetAction, SetStatus, must_be_explained
from service.catalog.tables import EditionRow
from service.database import Tx
from service.journal import By, move, move_all
from service.standards.queries.forming import formed_amounts, must_price_projects
from service.standards.queries.sets import set_view
from service.standards.schemas import SetView
from service.standards.tables import StandardRow, StandardSetRow

#: Days are taken first and given then, so that no day ever has two.
_TAKE = text("""
    WITH taken AS (
         UPDATE standard_sets s SET in_force = s.in_force - datemultirange(daterange(n.first, n.until))
           FROM standard_sets n
          WHERE n.id = :set_id AND s.id <> n.id AND s.in_force && datemultirange(daterange(n.first, n.until))
      RETURNING s.id, s.status, s.in_force),
    noted AS (
         INSERT INTO journal (subject_kind, subject_id, action, after, actor_user_id, actor_person_id, actor_name, at)
         SELECT 'standard_set', id, 'give_days', jsonb_build_object('status', status, 'in_force', in_force),
                CAST(:actor_user_id AS uuid), CAST(:actor_person_id AS uuid), CAST(:actor_name AS text),
                CAST(:at AS timestamptz)
           FROM taken)
    SELECT id FROM taken WHERE in_force = '{}'
""")
_GIVE = text("""
    WITH given AS (
         UPDATE standard_sets SET in_force = datemultirange(daterange(first, until))
          WHERE id = :set_id RETURNING id, status, in_force)
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_user_id, actor_person_id, actor_name, at)
    SELECT 'standard_set', id, 'take_days', jsonb_build_object('status', status, 'in_force', in_force),
           CAST(:actor_user_id AS uuid), CAST(:actor_person_id AS uuid), CAST(:actor_name AS text),
                CAST(:at AS timestamptz)
      FROM given
""")


async def publish(tx: Tx, me: Actor, set_id: UUID, today: date, now: datetime) -> SetView:
    """Put a signed set in force on its days, past ones and late ones too where its reason says why.

    NotFound `standards.not_found`; Conflict `wrong_status` before both bureaus have signed, `standards.calendar`,
    `standards.edition_not_published`, `standards.edition_changed`, `standards.other_published`; Invalid
    `standards.reason` when its first day has passed since it was proposed, and nothing says why.
    """
    me.must_hold(Post.STANDARD_EDITOR)
    found = await _locked(tx, set_id)
    SET_LIFECYCLE.after(SetStatus(found.status), SetAction.PUBLISH)
    must_be_explained(Publishing(found.year, found.revision, today), found.first, found.reason)
    await _must_fit_its_edition(tx, set_id)
    await put_in_force(tx, set_id, SetAction.PUBLISH, By.actor(me, Post.STANDARD_EDITOR, now), today)
    return await set_view(tx, me, set_id)


async def _must_fit_its_edition(tx: Tx, set_id: UUID) -> None:
    """A set may be proposed and signed over a draft, whose items then change: only what its formula gives over the
    edition as it was published goes out. Conflict `standards.edition_not_published`, `standards.edition_changed`."""
    of, row = StandardSetRow, StandardRow
    asked = select(of.edition_id, of.formula, of.projects, of.facts, EditionRow.status).join(EditionRow)
    found = (await tx.execute(asked.where(of.id == set_id))).one()
    if found.status not in IN_FORCE:
        raise Conflict("standards.edition_not_published")
    try:
        formed = await formed_amounts(tx, found.edition_id, found.formula, found.facts)
        await must_price_projects(tx, found.edition_id, found.projects)
    except (Conflict, Invalid):  # it has lost what the formula or its facts speak of
        raise Conflict("standards.edition_changed") from None
    now = {(each["occupation"], each["level"]): (each["facts"], each["amount_fen"]) for each in formed}
    rows = await tx.execute(select(row.occupation, row.level, row.facts, row.amount_fen).where(row.set_id == set_id))
    if now != {(each.occupation, each.level): (each.facts, each.amount_fen) for each in rows}:
        raise Conflict("standards.edition_changed")


async def put_in_force(tx: Tx, set_id: UUID, action: SetAction, by: By, today: date) -> None:
    """Move a set to published and give it its days; who is left without any is superseded.

    Conflict `standards.other_published` while another publication is under way: this one would take days from a set
    that nobody who publishes or signed it has seen.
    """
    row, who = StandardSetRow, {"set_id": set_id, **by.columns()}
    alone = select(func.pg_try_advisory_xact_lock(func.hashtext("standard_sets.publish")))
    if not (await tx.execute(alone)).scalar_one():
        raise Conflict("standards.other_published")
    place = (await tx.execute(select(func.coalesce(func.max(row.place), 0) + 1))).scalar_one()
    changes = {"place": place, "published_on": today}
    await move(tx, row.__table__, SET_LIFECYCLE, action, set_id, by, changes=changes)
    left_without = list((await tx.execute(_TAKE, who)).scalars())
    await move_all(tx, row.__table__, SET_LIFECYCLE, SetAction.SUPERSEDE, left_without, by)
    await tx.execute(_GIVE, who)


async def drop(tx: Tx, me: Actor, set_id: UUID, now: datetime) -> SetView:
    """Give up a set that is not published; its number in the year is free again."""
    me.must_hold(Post.STANDARD_EDITOR)
    await _locked(tx, set_id)
    by = By.actor(me, Post.STANDARD_EDITOR, now)
    await move(tx, StandardSetRow.__table__, SET_LIFECYCLE, SetAction.DROP, set_id, by)
    return await set_view(tx, me, set_id)


async def _locked(tx: Tx, set_id: UUID) -> Row[str, int, int, date, str]:
    row = StandardSetRow
    asked = select(row.status, row.year, row.revision, row.first, row.reason).where(row.id == set_id)
    found = (await tx.execute(asked.with_for_update())).one_or_none()
    if found is None:
        raise NotFound("standards.not_found")
    return found
