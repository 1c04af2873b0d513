"""An auditor's pages: the journal, and the whole story of a claim."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from domain.actor import Post
from service.audit.queries.story import story_of
from service.pages import operating
from service.security import allow
from service.web import Me, StrictRequest, Tx


@get("/journal", guards=[allow(Post.AUDITOR)], include_in_schema=False)
async def journal(
    request: StrictRequest, tx: Tx, me: Me, cursor: Annotated[int | None, QueryParameter(ge=0, le=2**63 - 1)] = None
) -> Response[bytes]:
    """What was done, the latest first."""
    found = await operating.journal(tx, me, dict(request.query_params.items()), cursor)
    return operating.page(
        request, "journal/entries", me, status=422 if found["faults"] else 200, desk_name="审计", **found
    )


@get(
    "/journal/claims/{claim_id:uuid}",
    guards=[allow(Post.AUDITOR, Post.REVIEWER, Post.SECOND_REVIEWER)],
    include_in_schema=False,
)
async def story(request: StrictRequest, tx: Tx, me: Me, claim_id: FromPath[UUID]) -> Response[bytes]:
    """All that was decided and done about one claim."""
    told = await story_of(tx, me, claim_id)
    return operating.page(request, "journal/story", me, desk_name="审计", story=told)


ROUTES = [journal, story]
