"""Policy parameters: anybody reads them, two persons change one; and the groups that a claim may name."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from domain.period import parse_date
from service.policies import commands, queries
from service.policies.schemas import GroupsView, GroupView, NewPolicy, PoliciesView, ProposalsView, ProposalView
from service.security import PUBLIC, allow
from service.web import Me, Now, Once, Today, Tx, answered


@get("/api/policies", opt={PUBLIC: True})
async def list_policies(
    tx: Tx, today: Today, on: Annotated[str | None, QueryParameter(max_length=10)] = None
) -> PoliciesView:
    """The parameters in force on a day (today when none is given), each with its source and basis."""
    return await queries.policies_on(tx, parse_date(on, "on") if on else today)


@get("/api/policies/proposals", guards=[allow(Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER, Post.AUDITOR)])
async def list_proposals(tx: Tx, me: Me) -> ProposalsView:
    """What was proposed to change, newest first."""
    return await queries.proposals(tx, me)


@post("/api/policies", guards=[allow(Post.CATALOG_EDITOR)])
async def propose(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewPolicy]
) -> Response[ProposalView]:
    """Propose what a parameter shall be from a day on."""
    return answered(await once(tx, ProposalView, lambda: commands.propose(tx, me, data, today, now)))


@post("/api/policies/{proposal_id:uuid}/confirm", guards=[allow(Post.CATALOG_PUBLISHER)], status_code=200)
async def confirm(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, proposal_id: FromPath[UUID]
) -> Response[ProposalView]:
    """Confirm what another person proposed; it holds from its day on."""
    return answered(await once(tx, ProposalView, lambda: commands.confirm(tx, me, proposal_id, today, now)), 200)


@get("/api/groups", opt={PUBLIC: True})
async def list_groups() -> GroupsView:
    """The groups that a claim may name, and the kinds of proof."""
    return GroupsView([GroupView.of(each) for each in queries.groups().values()])


ROUTES = [list_policies, list_proposals, propose, confirm, list_groups]
