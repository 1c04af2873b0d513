"""The desk of standards: sets, reviews, what others would cost; the policies and registers that rules look at."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from domain.actor import Post
from service.gateways.catalog_files import FILE_BYTES_MAX
from service.pages import policy_pages, register_pages, review_pages, standard_pages, whatif_pages
from service.pages.catalog_desk import CATALOG, AtDesk
from service.security import allow
from service.standards.routes import EDITS, SEES

Page = Response[Any]
Text = Annotated[str, QueryParameter(max_length=60)]
_SIGNS, _PROPOSES = allow(Post.HR_SIGNER, Post.FINANCE_SIGNER), allow(Post.CATALOG_EDITOR)
_READS, _CONFIRMS = allow(*CATALOG), allow(Post.CATALOG_PUBLISHER)
_FORM: dict[str, Any] = {"include_in_schema": False, "status_code": 303}
_FILE: dict[str, Any] = {**_FORM, "request_max_body_size": FILE_BYTES_MAX + 100_000}


@get("/catalog-desk/standards", guards=[SEES], include_in_schema=False)
async def standards(visit: AtDesk) -> Page:
    """Sets, those to be signed first."""
    return await standard_pages.listed(visit)


@get("/catalog-desk/standards/new", guards=[EDITS], include_in_schema=False)
async def standard_form(visit: AtDesk, base: FromQuery[UUID | None] = None, anew: FromQuery[bool] = False) -> Page:
    """The form of a new set."""
    return await standard_pages.proposal_page(visit, base, anew=anew)


@post("/catalog-desk/standards/new", guards=[EDITS], **_FORM)
async def propose(visit: AtDesk) -> Page:
    """Propose a set."""
    return await standard_pages.propose(visit)


@get("/catalog-desk/standards/{set_id:uuid}", guards=[SEES], include_in_schema=False)
async def standard(
    visit: AtDesk,
    set_id: FromPath[UUID],
    after: Annotated[str, QueryParameter(max_length=40)] = "",
    occupation: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Page:
    """One set."""
    return await standard_pages.shown(visit, set_id, after, occupation)


@post("/catalog-desk/standards/{set_id:uuid}/sign", guards=[_SIGNS], **_FORM)
async def sign(visit: AtDesk, set_id: FromPath[UUID]) -> Page:
    """Sign it for one's bureau."""
    return await standard_pages.sign(visit, set_id)


@post("/catalog-desk/standards/{set_id:uuid}/publish", guards=[EDITS], **_FORM)
async def publish(visit: AtDesk, set_id: FromPath[UUID]) -> Page:
    """Publish it."""
    return await standard_pages.publish(visit, set_id)


@post("/catalog-desk/standards/{set_id:uuid}/drop", guards=[EDITS], **_FORM)
async def drop(visit: AtDesk, set_id: FromPath[UUID]) -> Page:
    """Give it up."""
    return await standard_pages.drop(visit, set_id)


@get("/catalog-desk/standards/{set_id:uuid}/affected", guards=[SEES], include_in_schema=False)
async def affected(visit: AtDesk, set_id: FromPath[UUID], after: FromQuery[UUID | None] = None) -> Page:
    """The claims that it touches."""
    return await standard_pages.affected(visit, set_id, after)


@get("/catalog-desk/reviews", guards=[SEES], include_in_schema=False)
async def reviews(visit: AtDesk) -> Page:
    """Reviews."""
    return await review_pages.listed(visit)


@post("/catalog-desk/reviews", guards=[EDITS], **_FORM)
async def begin_review(visit: AtDesk) -> Page:
    """Open a review."""
    return await review_pages.begin(visit)


@get("/catalog-desk/reviews/{review_id:uuid}", guards=[SEES], include_in_schema=False)
async def review(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """One review."""
    return await review_pages.shown(visit, review_id)


@get("/catalog-desk/reviews/{review_id:uuid}/sample", guards=[EDITS], include_in_schema=False)
async def sample_form(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """The form of a figure."""
    return await review_pages.sample_page(visit, review_id)


@post("/catalog-desk/reviews/{review_id:uuid}/sample", guards=[EDITS], **_FILE)
async def add_sample(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """Add a figure."""
    return await review_pages.add_sample(visit, review_id)


@get("/catalog-desk/reviews/{review_id:uuid}/opinion", guards=[EDITS], include_in_schema=False)
async def opinion_form(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """The form of an opinion."""
    return await review_pages.opinion_page(visit, review_id)


@post("/catalog-desk/reviews/{review_id:uuid}/opinion", guards=[EDITS], **_FILE)
async def hear(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """Record an opinion."""
    return await review_pages.hear(visit, review_id)


@get("/catalog-desk/reviews/{review_id:uuid}/opinions/{opinion_id:uuid}", guards=[SEES], include_in_schema=False)
async def opinion(visit: AtDesk, review_id: FromPath[UUID], opinion_id: FromPath[UUID]) -> Page:
    """One opinion."""
    return await review_pages.answer_page(visit, review_id, opinion_id)


@post("/catalog-desk/reviews/{review_id:uuid}/opinions/{opinion_id:uuid}", guards=[EDITS], **_FORM)
async def answer(visit: AtDesk, review_id: FromPath[UUID], opinion_id: FromPath[UUID]) -> Page:
    """Answer it."""
    return await review_pages.answer(visit, review_id, opinion_id)


@post("/catalog-desk/reviews/{review_id:uuid}/close", guards=[EDITS], **_FORM)
async def close_review(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """End the collecting."""
    return await review_pages.close(visit, review_id)


@post("/catalog-desk/reviews/{review_id:uuid}/conclude", guards=[EDITS], **_FORM)
async def conclude(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """Name the set that it led to."""
    return await review_pages.conclude(visit, review_id)


@post("/catalog-desk/reviews/{review_id:uuid}/drop", guards=[EDITS], **_FORM)
async def drop_review(visit: AtDesk, review_id: FromPath[UUID]) -> Page:
    """Give it up."""
    return await review_pages.drop(visit, review_id)


@get("/catalog-desk/what-if", guards=[SEES], include_in_schema=False)
async def what_if(visit: AtDesk) -> Page:
    """What was computed before."""
    return await whatif_pages.listed(visit)


@post("/catalog-desk/what-if", guards=[SEES], **_FORM)
async def try_set(visit: AtDesk) -> Page:
    """Try a set."""
    return await whatif_pages.try_set(visit)


@get("/catalog-desk/what-if/new", guards=[SEES], include_in_schema=False)
async def figures_form(visit: AtDesk, base: FromQuery[UUID | None] = None) -> Page:
    """The form to try other figures."""
    return await whatif_pages.figures_page(visit, base)


@post("/catalog-desk/what-if/new", guards=[SEES], **_FORM)
async def try_figures(visit: AtDesk) -> Page:
    """Try other figures."""
    return await whatif_pages.try_figures(visit)


@get("/catalog-desk/what-if/{simulation_id:uuid}", guards=[SEES], include_in_schema=False)
async def what_if_result(visit: AtDesk, simulation_id: FromPath[UUID]) -> Page:
    """One result."""
    return await whatif_pages.shown(visit, simulation_id)


@get("/catalog-desk/what-if/{simulation_id:uuid}/numbers", guards=[SEES], include_in_schema=False)
async def numbers(visit: AtDesk, simulation_id: FromPath[UUID]) -> Page:
    """Its numbers as a file."""
    return await whatif_pages.numbers(visit, simulation_id)


@get("/catalog-desk/policies", guards=[_READS], include_in_schema=False)
async def policies(visit: AtDesk) -> Page:
    """Parameters in force, and what is proposed."""
    return await policy_pages.listed(visit)


@get("/catalog-desk/policies/{key:str}", guards=[_PROPOSES], include_in_schema=False)
async def policy_form(visit: AtDesk, key: FromPath[str]) -> Page:
    """The form of a change."""
    return await policy_pages.proposal_page(visit, key)


@post("/catalog-desk/policies/{key:str}", guards=[_PROPOSES], **_FORM)
async def propose_policy(visit: AtDesk, key: FromPath[str]) -> Page:
    """Propose a change."""
    return await policy_pages.propose(visit, key)


@post("/catalog-desk/policies/{proposal_id:uuid}/confirm", guards=[_CONFIRMS], **_FORM)
async def confirm_policy(visit: AtDesk, proposal_id: FromPath[UUID]) -> Page:
    """Confirm what another proposed."""
    return await policy_pages.confirm(visit, proposal_id)


@get("/catalog-desk/registers", guards=[_READS], include_in_schema=False)
async def registers(visit: AtDesk) -> Page:
    """Registers that were loaded."""
    return await register_pages.listed(visit)


@post("/catalog-desk/registers", guards=[_PROPOSES], **_FILE)
async def load_register(visit: AtDesk) -> Page:
    """Load one."""
    return await register_pages.load(visit)


@post("/catalog-desk/registers/{snapshot_id:uuid}/confirm", guards=[_CONFIRMS], **_FORM)
async def confirm_register(visit: AtDesk, snapshot_id: FromPath[UUID]) -> Page:
    """Confirm what another loaded."""
    return await register_pages.confirm(visit, snapshot_id)


_STANDARDS = (standards, standard_form, propose, standard, sign, publish, drop, affected)
_REVIEWS = (
    reviews,
    begin_review,
    review,
    sample_form,
    add_sample,
    opinion_form,
    hear,
    opinion,
    answer,
    close_review,
    conclude,
    drop_review,
)
_OTHERS = (
    what_if,
    try_set,
    figures_form,
    try_figures,
    what_if_result,
    numbers,
    policies,
    policy_form,
    propose_policy,
    confirm_policy,
)
_REGISTERS = (registers, load_register, confirm_register)
ROUTES = [*_STANDARDS, *_REVIEWS, *_OTHERS, *_REGISTERS]
