"""One claim that waits for the registry's answer: how it stands, and having it asked about now, over HTTP."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from domain.errors import NotFound
from service.security import allow
from service.verification.commands.asking import ask_again as ask
from service.verification.queries.asking import asking_of
from service.verification.schemas import AskingView
from service.web import Me, Now, Once, Tx, answered


@get("/api/claims/{claim_id:uuid}/registry-asking", guards=[allow(Post.REVIEWER, Post.AUDITOR)])
async def show_asking(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID]) -> AskingView:
    """Since when the claim waits for an answer about its certificate, and when it is asked about next."""
    found = await asking_of(tx, me, claim_id, now)
    if found is None:
        raise NotFound("registry.nothing_owed")
    return found


@post("/api/claims/{claim_id:uuid}/registry-asking", guards=[allow(Post.REVIEWER)], status_code=200)
async def ask_again(tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID]) -> Response[AskingView]:
    """Have it asked about now, once in ten minutes, unless the registry is left alone."""
    return answered(await once(tx, AskingView, lambda: ask(tx, me, claim_id, now)), 200)


ROUTES = [show_asking, ask_again]
