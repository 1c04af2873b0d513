"""Officers say which institutions belong together, so that none assesses whom the other taught."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.faults import Faults
from domain.period import Period, parse_date
from domain.text import public_words
from service.assessments.queries.bodies import affiliations
from service.assessments.schemas import AffiliationView, NewAffiliation
from service.assessments.tables import AffiliationRow
from service.database import Tx, range_of
from service.institutions.tables import InstitutionRow
from service.journal import By, record


async def declare_affiliation(tx: Tx, me: Actor, new: NewAffiliation, now: datetime) -> AffiliationView:
    """An officer says that two institutions belong together, from a day on. NotFound `institution.not_found` unless
    one of them is of the officer's district; Invalid `affiliation.itself`, `period.reversed`, `words.empty`."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    faults = Faults()
    first = faults.read(parse_date, new.first, "first")
    last = faults.read(parse_date, new.last, "last") if new.last else None
    source = faults.read(public_words, new.source, "source")
    if new.one == new.other:
        faults.tell("affiliation.itself", "other")
    faults.raise_all()
    await _must_reach(tx, me, new)
    one, other = sorted((new.one, new.other))
    affiliation_id, by = uuid4(), By.actor(me, Post.INSTITUTION_OFFICER, now)
    about = {"one_id": one, "other_id": other, "source": source}
    noted = {**{name: str(value) for name, value in about.items()}, "first": str(first), "last": str(last or "")}
    await record(tx, "affiliation", [affiliation_id], "declare", by, [noted])
    declared = {"declared_person": me.person_id, "declared_at": now, "days": range_of(Period(first, last))}
    await tx.execute(insert(AffiliationRow).values(id=affiliation_id, **about, **declared))
    views = (await affiliations(tx, one)).affiliations
    return next(each for each in views if each.id == affiliation_id)


async def _must_reach(tx: Tx, me: Actor, new: NewAffiliation) -> None:
    """Both are there, and one of them is mine to look after."""
    row = InstitutionRow
    found = (await tx.execute(select(row.district).where(row.id.in_([new.one, new.other])))).scalars().all()
    if len(found) < 2 or (me.district is not None and me.district not in found):
        raise NotFound("institution.not_found")
