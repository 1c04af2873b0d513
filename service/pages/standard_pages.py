"""Sets of standards: proposed by changing figures, signed by two bureaus, published; and whom they touch."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.standard import SetStatus
from service.access.queries import district_names
from service.catalog.queries.editions import editions, items_of_edition
from service.claims.queries.affected import affected_by
from service.database import Tx
from service.pages import figures, first_standard
from service.pages.amounts_in_words import in_short
from service.pages.catalog_desk import Visit, number, pick
from service.pages.edition_pages import named
from service.pages.forms import Fault, Typed
from service.standards import commands
from service.standards.queries.days import taken_by, uncovered
from service.standards.queries.sets import sets, whole_set
from service.standards.schemas import NewSignature, NewStandardSet, SetView, WholeSetView
from service.web import as_wanted

_Page = Response[Any]
_NONE: Typed = {}
AT = "/catalog-desk/standards"
TONES = {"draft": "amber", "signed": "blue", "published": "green"}
_AMOUNTS_A_PAGE, _CLAIMS_A_PAGE = 100, 200
_BUREAUS = (("hr", Post.HR_SIGNER), ("finance", Post.FINANCE_SIGNER))


def set_name(view: SetView) -> str:
    """A set as people call it."""
    return f"{view.year} 年标准{f'（第 {view.revision} 次修订）' if view.revision else ''}"


async def waiting_for(tx: Tx, me: Actor) -> list[SetView]:
    """The sets that wait for the signature of my bureau."""
    bureaus = [bureau for bureau, post in _BUREAUS if me.holds(post)]
    found = (await sets(tx, me)).sets if bureaus else []
    drafts = [each for each in found if each.status == SetStatus.DRAFT and not each.mine]
    return [each for each in drafts if {signed.bureau for signed in each.signatures}.isdisjoint(bureaus)]


async def listed(visit: Visit) -> _Page:
    """Every set, those to be signed first; and the days for which there is none."""
    given: dict[str, Any] = {
        "waiting": await waiting_for(visit.tx, visit.me),
        "sets": (await sets(visit.tx, visit.me)).sets,
        "gaps": await uncovered(visit.tx),
        "may_propose": visit.me.holds(Post.STANDARD_EDITOR),
    }
    return visit.shown("standards", **given, tones=TONES, set_name=set_name)


async def with_formula(visit: Visit) -> list[SetView]:
    """The sets whose figures can be changed."""
    found = (await sets(visit.tx, visit.me)).sets
    return [each for each in found if each.status != SetStatus.DROPPED and each.edition_id]


async def base_of(visit: Visit, base: UUID | None) -> WholeSetView | None:
    """The set whose figures are changed: the one that was asked for, or the newest that is published. NotFound
    `standards.not_found`, also for amounts from before there were formulas."""
    if base is not None:
        whole = await whole_set(visit.tx, visit.me, base)
        if whole.formula is None:
            raise NotFound("standards.not_found")
        return whole
    published = [each for each in await with_formula(visit) if each.status == SetStatus.PUBLISHED]
    return await whole_set(visit.tx, visit.me, published[0].id) if published else None


async def proposal_page(
    visit: Visit, base: UUID | None, *, anew: bool = False, typed: Typed = _NONE, faults: Sequence[Fault] = ()
) -> _Page:
    """The form of a new set: another's formula with its figures, to be changed; `anew`, or where there is none yet,
    the usual formula, to be filled in."""
    whole = None if anew else await base_of(visit, base)
    formula = whole.formula if whole else None
    first = {**figures.typed_of(formula), **figures.typed_of(whole.projects if whole else None, "p")}
    found = (await editions(visit.tx, drafts=True)).editions
    known = await with_formula(visit)
    given: dict[str, Any] = {
        "base": whole,
        "formula": figures.sentence(formula) if formula else "",
        "parts": figures.parts_of(formula) if formula else first_standard.parts(),
        "project_parts": _project_parts(whole),
        "editions": [(str(each.id), named(each)) for each in found],
        "sets": [(str(each.id), set_name(each)) for each in known],
        "published": [(str(each.id), set_name(each)) for each in known if each.published_on],
        "set_name": set_name,
    }
    return visit.shown("standard_new", {**(first if whole else first_standard.blank()), **typed}, faults, **given)


def _project_parts(whole: WholeSetView | None) -> list[figures.Part]:
    if whole is None:
        return first_standard.project_parts()
    return figures.parts_of(whole.projects, "p") if whole.projects else []


def _filled_in(whole: WholeSetView | None, typed: Typed) -> dict[str, Any]:
    """Formula, projects and facts: those of a set with other figures, or the usual ones where there is no set."""
    if whole is None:
        projects = first_standard.projects_of(typed)
        return {"formula": first_standard.formula_of(typed), "projects": projects, "facts": {}}
    projects = whole.projects and figures.with_figures(whole.projects, typed, "p")
    return {
        "formula": figures.with_figures(whole.formula or {}, typed),
        "projects": projects,
        "facts": whole.facts,
    }


async def propose(visit: Visit) -> _Page:
    """Propose it: every amount is formed and kept with its steps."""
    typed, made = await visit.typed(), list[SetView]()
    base, anew = as_wanted(typed.get("base") or None, UUID | None), typed.get("anew") == "yes"

    async def effect() -> None:
        whole = None if anew else await base_of(visit, base)
        if whole is None and not anew:
            raise NotFound("standards.not_found")
        told: dict[str, Any] = pick(typed, "source", "reason", "from")
        told |= {name: typed.get(name) or None for name in ("to", "edition_id", "corrects")}
        told |= {"year": number(typed.get("year", "")), **_filled_in(whole, typed)}
        new = as_wanted(told, NewStandardSet)
        once = visit.once(typed)
        effect = commands.propose
        answer = await once(visit.tx, SetView, lambda: effect(visit.tx, visit.me, new, visit.today, visit.now))
        made.append(answer.view)

    async def again(faults: Sequence[Fault]) -> _Page:
        return await proposal_page(visit, base, anew=anew, typed=typed, faults=faults)

    return await visit.does(effect, lambda: f"{AT}/{made[0].id}", "set_proposed", again)


async def shown(
    visit: Visit,
    set_id: UUID,
    after: str = "",
    occupation: str = "",
    typed: Typed = _NONE,
    faults: Sequence[Fault] = (),
) -> _Page:
    """A set with its formula and days, its signatures, and its amounts with their steps."""
    whole = await whole_set(visit.tx, visit.me, set_id, f"{occupation} " if occupation else after)
    found = [each for each in whole.rows if occupation in ("", each.occupation)]
    rows = found[:_AMOUNTS_A_PAGE]
    more = bool(len(found) > len(rows) or (whole.next and not occupation))
    known = await items_of_edition(visit.tx, whole.edition_id) if whole.edition_id else []
    signed = {each.bureau: each for each in whole.signatures}
    draft, mine = whole.status == SetStatus.DRAFT, [b for b, post in _BUREAUS if visit.me.holds(post)]
    given: dict[str, Any] = {
        "set": whole,
        "name": set_name(whole),
        "formula": figures.sentence(whole.formula) if whole.formula else "",
        "parts": figures.parts_of(whole.formula) if whole.formula else [],
        "projects": figures.sentence(whole.projects) if whole.projects else "",
        "project_parts": figures.parts_of(whole.projects, "p") if whole.projects else [],
        "rows": [(each, in_short(each.steps)) for each in rows],
        "names": {each.code: each.name for each in known},
        "next": f"{rows[-1].occupation} {rows[-1].level}" if rows and more else "",
        "occupation": occupation,
        "hands": [(bureau, signed.get(bureau)) for bureau, _ in _BUREAUS],
        "taken": [] if whole.published_on else await taken_by(visit.tx, set_id),
        "gaps": await uncovered(visit.tx, None if whole.published_on else set_id),
        "may_sign": draft and not whole.mine and bool(mine) and signed.keys().isdisjoint(mine),
        "may_change": visit.me.holds(Post.STANDARD_EDITOR),
    }
    return visit.shown("standard", typed, faults, **given, tones=TONES)


async def sign(visit: Visit, set_id: UUID) -> _Page:
    """Sign what was shown, for one's bureau."""
    typed = await visit.typed()

    async def effect() -> None:
        new = as_wanted(pick(typed, "content_hash"), NewSignature)
        once, put = visit.once(typed), commands.sign
        await once(visit.tx, SetView, lambda: put(visit.tx, visit.me, set_id, new, visit.now))

    return await visit.does(
        effect, lambda: f"{AT}/{set_id}", "set_signed", lambda faults: shown(visit, set_id, faults=faults)
    )


async def publish(visit: Visit, set_id: UUID) -> _Page:
    """Put a signed set in force on its days."""
    typed = await visit.typed()

    async def effect() -> None:
        once, put = visit.once(typed), commands.publish
        await once(visit.tx, SetView, lambda: put(visit.tx, visit.me, set_id, visit.today, visit.now))

    return await visit.does(
        effect, lambda: f"{AT}/{set_id}", "set_published", lambda faults: shown(visit, set_id, faults=faults)
    )


async def drop(visit: Visit, set_id: UUID) -> _Page:
    """Give up a set that is not published."""
    typed = await visit.typed()

    async def effect() -> None:
        once, give_up = visit.once(typed), commands.drop
        await once(visit.tx, SetView, lambda: give_up(visit.tx, visit.me, set_id, visit.now))

    return await visit.does(effect, lambda: AT, "set_dropped", lambda faults: shown(visit, set_id, faults=faults))


async def affected(visit: Visit, set_id: UUID, after: UUID | None) -> _Page:
    """The claims to which the set would give another amount."""
    whole = await whole_set(visit.tx, visit.me, set_id)
    found = await affected_by(visit.tx, visit.me, set_id, after)
    claims = found.claims[:_CLAIMS_A_PAGE]
    following = claims[-1].claim_id if len(found.claims) > len(claims) else found.next
    names = await district_names(visit.tx)
    given: dict[str, Any] = {
        "set": whole,
        "name": set_name(whole),
        "claims": claims,
        "next": following,
        "after": after,
    }
    return visit.shown("standard_affected", **given, districts=names)
