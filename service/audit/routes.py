"""The operator's view of owed work."""

from litestar import get, post
from litestar.params import FromPath

from domain.actor import Post
from service import jobs
from service.audit.queries.owed import dead_jobs, job_counts
from service.audit.schemas import DeadJobsView, JobCountsView
from service.security import allow
from service.web import Tx


@get("/api/jobs/counts", guards=[allow(Post.OPERATOR, Post.AUDITOR)])
async def count_jobs(tx: Tx) -> JobCountsView:
    """How much work is owed, done, and dead."""
    return await job_counts(tx)


@get("/api/jobs/dead", guards=[allow(Post.OPERATOR, Post.AUDITOR)])
async def list_dead_jobs(tx: Tx) -> DeadJobsView:
    """Work that failed too often and waits for an operator, oldest first."""
    return await dead_jobs(tx)


@post("/api/jobs/{job_id:int}/again", guards=[allow(Post.OPERATOR)], status_code=204)
async def do_again(tx: Tx, job_id: FromPath[int]) -> None:
    """Try a dead job again."""
    await jobs.revive(tx, job_id)


ROUTES = [count_jobs, list_dead_jobs, do_again]
