"""What auditors and operators look at: the story of a claim, and owed work."""

from uuid import UUID

from litestar import get, post
from litestar.params import FromPath

from domain.actor import Post
from domain.errors import NotFound
from service.audit import commands
from service.audit.queries.owed import dead_jobs, job_counts
from service.audit.queries.seal import seal_head
from service.audit.queries.story import story_of
from service.audit.schemas import DeadJobsView, JobCountsView, SealView, StoryView
from service.security import allow
from service.web import Me, Now, Tx


@get("/api/claims/{claim_id:uuid}/story", guards=[allow(Post.AUDITOR, Post.REVIEWER, Post.SECOND_REVIEWER)])
async def explain_claim(tx: Tx, me: Me, claim_id: FromPath[UUID]) -> StoryView:
    """All that was decided and done about a claim I may see: who, when, by which rule, on what evidence."""
    return await story_of(tx, me, claim_id)


@get("/api/jobs/counts", guards=[allow(Post.OPERATOR, Post.AUDITOR)])
async def count_jobs(tx: Tx) -> JobCountsView:
    """How much work is owed, done, and dead."""
    return await job_counts(tx)


@get("/api/jobs/dead", guards=[allow(Post.OPERATOR, Post.AUDITOR)])
async def list_dead_jobs(tx: Tx) -> DeadJobsView:
    """Work that failed too often and waits for an operator, oldest first."""
    return await dead_jobs(tx)


@post("/api/jobs/{job_id:int}/again", guards=[allow(Post.OPERATOR)], status_code=204)
async def do_again(tx: Tx, me: Me, now: Now, job_id: FromPath[int]) -> None:
    """Try a dead job again."""
    await commands.do_again(tx, me, job_id, now)


@get("/api/audit/seal", guards=[allow(Post.OPERATOR, Post.AUDITOR)])
async def show_seal(tx: Tx) -> SealView:
    """The head of the chain that seals the journal: to be kept elsewhere, and held against the chain later."""
    head = await seal_head(tx)
    if head is None:
        raise NotFound("seal.none")
    return head


ROUTES = [explain_claim, count_jobs, list_dead_jobs, do_again, show_seal]
