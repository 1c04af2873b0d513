"""The institution that somebody names by its credit code, as far as it is theirs to see."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.identity import CreditCode
from service.database import Tx
from service.institutions.queries import Institution, institution_with
from service.institutions.tables import InstitutionRow

#: Who reads of every institution in the district they work for; the auditor of all.
READERS = (Post.INSTITUTION_OFFICER, Post.AUDITOR, Post.EVALUATOR)


async def named(tx: Tx, code: str) -> Institution:
    """NotFound `oversight.no_institution`; Invalid for what is no credit code."""
    found = await institution_with(tx, CreditCode.parse(code, field="institution"))
    if found is None:
        raise NotFound("oversight.no_institution")
    return found


async def in_my_district(tx: Tx, me: Actor, code: str) -> Institution:
    """The same for who acts in a district: an institution of another is not there for them."""
    found = await named(tx, code)
    if me.district not in (None, found.district):
        raise NotFound("oversight.no_institution")
    return found


async def mine_to_read(tx: Tx, me: Actor, code: str) -> Institution:
    """The same for whoever may read of it: also its own clerk."""
    found = await named(tx, code)
    own = me.holds(Post.CLERK) and me.institution_id == found.id
    if not own and not (me.holds(*READERS) and me.district in (None, found.district)):
        raise NotFound("oversight.no_institution")
    return found


def visible_to(me: Actor) -> ColumnElement[bool]:
    """Institutions of which `me` may read: of one's district, or of the whole city; a clerk's own."""
    seen: list[ColumnElement[bool]] = [InstitutionRow.id == (me.institution_id or UUID(int=0))]
    if me.holds(*READERS):
        everywhere = InstitutionRow.id.is_not(None)
        seen.append(InstitutionRow.district == me.district if me.district else everywhere)
    return or_(*seen)
