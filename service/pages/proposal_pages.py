"""What districts propose for the catalog of a year, what was heard about it, and what became of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Post
from domain.catalog.edition import EDITABLE
from domain.catalog.sources import PROPOSAL_LIFECYCLE
from service.access.queries import district_names
from service.catalog.commands import proposing
from service.catalog.queries import proposals as kept
from service.catalog.queries.editions import editions
from service.catalog.queries.published import catalog_on
from service.catalog.schemas import NewOpinion, NewProposal, NewProposalDecision, ProposalView
from service.pages.catalog_desk import TAGS, Visit, number, pick
from service.pages.edition_pages import may_edit, named
from service.pages.forms import Fault, Typed
from service.web import as_wanted
from service.wording import words

_Page = Response[Any]
_NONE: Typed = {}
_FIGURES = 3
_ASKED = [(each, words(f"voice.{each}")) for each in ("department", "enterprise", "institution", "trainee")]
_STANCES = [(each, words(f"stance.{each}")) for each in ("for", "against", "neither")]
TONES = {"proposed": "amber", "accepted": "green", "declined": ""}
AT = "/catalog-desk/proposals"


async def proposals(visit: Visit, year: int | None) -> _Page:
    """What was proposed for a year: by my district, or by any for the city."""
    asked = year or visit.today.year
    found = (await kept.proposals(visit.tx, visit.me, asked)).proposals
    may_propose = visit.me.holds(Post.CATALOG_EDITOR) and visit.me.district is not None
    names = await district_names(visit.tx)
    return visit.shown("proposals", proposals=found, year=asked, names=names, may_propose=may_propose, tones=TONES)


async def proposal_form(visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form of a proposal."""
    known = (await catalog_on(visit.tx, visit.today)).items
    lists = {name: list(dict.fromkeys(getattr(each, name) for each in known)) for name in ("list_name", "industry")}
    return visit.shown("proposal_new", typed, faults, **lists, tags=TAGS, figures=range(1, _FIGURES + 1))


async def propose(visit: Visit) -> _Page:
    """Propose a row for my district."""
    typed, made = await visit.typed(), list[ProposalView]()

    async def effect() -> None:
        item: dict[str, Any] = pick(typed, "list_name", "name", "industry", "reason", "tag")
        item["code"] = typed.get("code") or None
        told = {"year": number(typed.get("year", "")), "item": item, "figures": _figures(typed)}
        new = as_wanted(told, NewProposal)
        once = visit.once(typed)
        answer = await once(visit.tx, ProposalView, lambda: proposing.propose(visit.tx, visit.me, new, visit.now))
        made.append(answer.view)

    return await visit.does(
        effect, lambda: f"{AT}/{made[0].id}", "proposal_made", lambda faults: proposal_form(visit, typed, faults)
    )


def _figures(typed: Typed) -> list[dict[str, str]]:
    """The figures of which anything was typed."""
    rows = [
        {name: typed.get(f"{name}_{place}", "") for name in ("name", "value", "source")}
        for place in range(1, _FIGURES + 1)
    ]
    return [row for row in rows if any(row.values())]


async def proposal(visit: Visit, proposal_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """One proposal with its figures and opinions, and what can be done about it."""
    view = await kept.proposal_view(visit.tx, visit.me, proposal_id)
    found = (await editions(visit.tx, drafts=True)).editions
    drafts = [each for each in found if each.year == view.year and each.status in EDITABLE]
    stands = view.status == PROPOSAL_LIFECYCLE.first
    given = {
        "proposal": view,
        "district": (await district_names(visit.tx)).get(view.district, view.district),
        "editions": [(str(each.id), named(each)) for each in drafts],
        "may_hear": stands and visit.me.holds(Post.CATALOG_EDITOR),
        "may_decide": stands and may_edit(visit),
        "asked": _ASKED,
        "stances": _STANCES,
        "tones": TONES,
    }
    return visit.shown("proposal", typed, faults, **given)


async def hear(visit: Visit, proposal_id: UUID) -> _Page:
    """Record what somebody said; of their document only the fingerprint stays here."""
    typed = await visit.typed()

    async def effect() -> None:
        said = pick(typed, "asked", "name", "stance", "said", "heard_on")
        new = as_wanted({**said, "document_sha256": await visit.fingerprint()}, NewOpinion)
        once, record = visit.once(typed), proposing.record_opinion
        await once(
            visit.tx,
            ProposalView,
            lambda: record(visit.tx, visit.me, proposal_id, new, visit.today, visit.now),
        )

    return await visit.does(
        effect, lambda: f"{AT}/{proposal_id}", "heard", lambda faults: proposal(visit, proposal_id, typed, faults)
    )


async def decide(visit: Visit, proposal_id: UUID) -> _Page:
    """Carry it into a draft, or say no."""
    typed = await visit.typed()
    accepts = typed.get("decision") == "accept"

    async def effect() -> None:
        told = {"reason": typed.get("reason", ""), "edition_id": typed.get("edition_id") or None}
        new = as_wanted(told if accepts else {**told, "edition_id": None}, NewProposalDecision)
        answer = proposing.accept if accepts else proposing.decline
        await answer(visit.tx, visit.me, proposal_id, new, visit.now)

    told = "proposal_accepted" if accepts else "proposal_declined"
    return await visit.does(
        effect, lambda: f"{AT}/{proposal_id}", told, lambda faults: proposal(visit, proposal_id, typed, faults)
    )
