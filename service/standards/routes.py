"""Amounts that anybody looks up, and the way of a set from proposal to publication."""

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Actor, Post
from domain.period import parse_date
from domain.standard import FACTS, WORKS_ON_STANDARDS
from service.gateways.publication_files import ATOM_TYPE
from service.gateways.sheet_files import TYPES
from service.openapi import files
from service.security import PUBLIC, allow
from service.standards import commands
from service.standards.commands import reviewing
from service.standards.queries import amounts, lookup, projects, publication, reviews, sets
from service.standards.schemas import (
    LookupView,
    NewAnswer,
    NewClosing,
    NewConclusion,
    NewOpinion,
    NewReview,
    NewSamples,
    NewSignature,
    NewStandardSet,
    ProjectView,
    ReviewsView,
    ReviewView,
    SetsView,
    SetView,
    StandardsView,
    WholeReviewView,
    WholeSetView,
)
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, cacheable, download

SEES = allow(*WORKS_ON_STANDARDS)
EDITS = allow(Post.STANDARD_EDITOR)


@get("/api/standards", opt={PUBLIC: True})
async def standards(
    tx: Tx,
    today: Today,
    occupation: Annotated[str, QueryParameter(max_length=20)],
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
) -> StandardsView:
    """The amounts of an occupation on a day (today when none is given), by level."""
    return StandardsView(await amounts.standards_on(tx, occupation, parse_date(on, "on") if on else today))


@get("/api/standards/file", opt={PUBLIC: True}, operation_class=files(gives=tuple(TYPES.values())))
async def standards_file(
    request: StrictRequest,
    tx: Tx,
    today: Today,
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
    kind: Annotated[Literal["csv", "xlsx"], QueryParameter()] = "xlsx",
) -> Response[bytes]:
    """Every amount in force on a day (today when none is given), as CSV or XLSX."""
    day = parse_date(on, "on") if on else today
    published = await publication.publication(tx, day)
    name = f"standards-{day}.{kind}"
    return download(request, published.tag, name, TYPES[kind], lambda: published.file(kind))


@get("/standards/feed.atom", opt={PUBLIC: True}, include_in_schema=False)
async def feed(request: StrictRequest, tx: Tx) -> Response[bytes]:
    """Publications of standards as an Atom feed."""
    content = await publication.feed(tx, str(request.base_url).rstrip("/"))
    return cacheable(request, sha256(content).hexdigest()[:32], lambda: content, media_type=ATOM_TYPE)


@get("/api/standards/lookup", opt={PUBLIC: True})
async def look_up(
    tx: Tx,
    today: Today,
    level: Annotated[str, QueryParameter(max_length=20)],
    code: Annotated[str | None, QueryParameter(max_length=20)] = None,
    name: Annotated[str | None, QueryParameter(max_length=60)] = None,
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
    group: Annotated[str | None, QueryParameter(max_length=40)] = None,
) -> LookupView:
    """What one will get for an occupation (by code or name), a level, a day and a group; or why there is nothing."""
    asked = lookup.Asked.read(code, name, level, parse_date(on, "on") if on else today, group)
    return await lookup.look_up(tx, asked)


@get("/api/standards/project", opt={PUBLIC: True})
async def price_project(
    tx: Tx,
    today: Today,
    name: Annotated[str, QueryParameter(max_length=60)],
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
    heads: Annotated[int | None, QueryParameter(ge=0, le=FACTS["heads"].most)] = None,
    hours: Annotated[int | None, QueryParameter(ge=0, le=FACTS["hours"].most)] = None,
    employment_percent: Annotated[int | None, QueryParameter(ge=0, le=100)] = None,
    mode: Annotated[str | None, QueryParameter(max_length=40)] = None,
    result: Annotated[str | None, QueryParameter(max_length=40)] = None,
) -> ProjectView:
    """What is paid for a project (项目制) on a day, by heads and result; or the reason why nothing is."""
    told = {"heads": heads, "hours": hours, "employment_percent": employment_percent, "mode": mode, "result": result}
    asked = projects.AskedProject.read(name, parse_date(on, "on") if on else today, **told)
    return await projects.price_project(tx, asked)


@get("/api/standards/sets", guards=[SEES])
async def list_sets(tx: Tx, me: Me) -> SetsView:
    """The latest sets of standards, newest first."""
    return await sets.sets(tx, me)


@get("/api/standards/sets/{set_id:uuid}", guards=[SEES])
async def show_set(
    tx: Tx, me: Me, set_id: FromPath[UUID], after: Annotated[str, QueryParameter(max_length=40)] = ""
) -> WholeSetView:
    """A set with its formula, and its amounts with the steps that made them, a page at a time."""
    return await sets.whole_set(tx, me, set_id, after)


@post("/api/standards/sets", guards=[EDITS])
async def propose(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewStandardSet]
) -> Response[SetView]:
    """Propose a set: a formula over an edition. It is in force when two bureaus have signed and it is published."""
    return answered(await once(tx, SetView, lambda: commands.propose(tx, me, data, today, now)))


@post(
    "/api/standards/sets/{set_id:uuid}/sign",
    guards=[allow(Post.HR_SIGNER, Post.FINANCE_SIGNER)],
    status_code=200,
)
async def sign(
    tx: Tx, me: Me, now: Now, once: Once, set_id: FromPath[UUID], data: JSONBody[NewSignature]
) -> Response[SetView]:
    """Sign what was shown, for one's bureau."""
    return answered(await once(tx, SetView, lambda: commands.sign(tx, me, set_id, data, now)), 200)


@post("/api/standards/sets/{set_id:uuid}/publish", guards=[EDITS], status_code=200)
async def publish(tx: Tx, me: Me, today: Today, now: Now, once: Once, set_id: FromPath[UUID]) -> Response[SetView]:
    """Put a set that both bureaus have signed in force on its days."""
    return answered(await once(tx, SetView, lambda: commands.publish(tx, me, set_id, today, now)), 200)


@post("/api/standards/sets/{set_id:uuid}/drop", guards=[EDITS], status_code=200)
async def drop(tx: Tx, me: Me, now: Now, once: Once, set_id: FromPath[UUID]) -> Response[SetView]:
    """Give up a set that is not published."""
    return answered(await once(tx, SetView, lambda: commands.drop(tx, me, set_id, now)), 200)


def _is_public(request: StrictRequest) -> bool:
    return not (isinstance(request.user, Actor) and request.user.holds(*WORKS_ON_STANDARDS))


@get("/api/standards/reviews", opt={PUBLIC: True})
async def list_reviews(request: StrictRequest, tx: Tx) -> ReviewsView:
    """The latest reviews of standards that are closed, newest first; for those who work on them the others, too."""
    return await reviews.reviews(tx, public=_is_public(request))


@get("/api/standards/reviews/{review_id:uuid}", opt={PUBLIC: True})
async def show_review(request: StrictRequest, tx: Tx, review_id: FromPath[UUID]) -> WholeReviewView:
    """A review: medians of its figures, opinions in short and what was answered; for everybody once it is closed."""
    return await reviews.whole_review(tx, review_id, public=_is_public(request))


@post("/api/standards/reviews", guards=[EDITS])
async def open_review(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewReview]) -> Response[ReviewView]:
    """Open a review for a period."""
    return answered(await once(tx, ReviewView, lambda: reviewing.open_review(tx, me, data, now)))


@post("/api/standards/reviews/{review_id:uuid}/samples", guards=[EDITS])
async def add_samples(
    tx: Tx, me: Me, now: Now, once: Once, review_id: FromPath[UUID], data: JSONBody[NewSamples]
) -> Response[ReviewView]:
    """Add figures, each with its source and its document's hash: all of them, or none."""
    return answered(await once(tx, ReviewView, lambda: reviewing.add_samples(tx, me, review_id, data, now)))


@post("/api/standards/reviews/{review_id:uuid}/opinions", guards=[EDITS])
async def hear(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, review_id: FromPath[UUID], data: JSONBody[NewOpinion]
) -> Response[ReviewView]:
    """Record what an expert, an office or one of the public said."""
    return answered(await once(tx, ReviewView, lambda: reviewing.hear(tx, me, review_id, data, today, now)))


@post("/api/standards/reviews/{review_id:uuid}/opinions/{opinion_id:uuid}/answer", guards=[EDITS])
async def answer(
    *,
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    review_id: FromPath[UUID],
    opinion_id: FromPath[UUID],
    data: JSONBody[NewAnswer],
) -> Response[ReviewView]:
    """Answer an opinion, once."""
    return answered(await once(tx, ReviewView, lambda: reviewing.answer(tx, me, review_id, opinion_id, data, now)))


@post("/api/standards/reviews/{review_id:uuid}/close", guards=[EDITS], status_code=200)
async def close_review(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, review_id: FromPath[UUID], data: JSONBody[NewClosing]
) -> Response[ReviewView]:
    """Close a review in which every opinion is answered; from then on everybody may read it."""
    return answered(await once(tx, ReviewView, lambda: reviewing.close(tx, me, review_id, data, today, now)), 200)


@post("/api/standards/reviews/{review_id:uuid}/conclude", guards=[EDITS], status_code=200)
async def conclude(
    tx: Tx, me: Me, now: Now, once: Once, review_id: FromPath[UUID], data: JSONBody[NewConclusion]
) -> Response[ReviewView]:
    """Name the set of standards that a closed review led to."""
    return answered(await once(tx, ReviewView, lambda: reviewing.conclude(tx, me, review_id, data, now)), 200)


@post("/api/standards/reviews/{review_id:uuid}/drop", guards=[EDITS], status_code=200)
async def drop_review(tx: Tx, me: Me, now: Now, once: Once, review_id: FromPath[UUID]) -> Response[ReviewView]:
    """Give up a review that was opened by mistake."""
    return answered(await once(tx, ReviewView, lambda: reviewing.drop_review(tx, me, review_id, now)), 200)


REVIEWS = [
    *(list_reviews, show_review, open_review, add_samples, hear, answer, close_review, conclude, drop_review),
]
ROUTES = [
    standards,
    standards_file,
    feed,
    look_up,
    price_project,
    list_sets,
    show_set,
    propose,
    sign,
    publish,
    drop,
    *REVIEWS,
]
