"""Classes on the desk of the officers who decide on them."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from service.pages.field import acts, classes
from service.pages.field.acts import Said
from service.security import allow
from service.training.queries.views import STAFF
from service.web import Me, Now, StrictRequest, Today, Tx


@get("/desk/classes", guards=[allow(*STAFF)], include_in_schema=False)
async def waiting(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """Classes of my district by status."""
    said = Said(tx, me, today, now, dict(request.query_params), request)
    return acts.desk(request, "field/classes.html", today, me, **await classes.waiting(said))


@get("/desk/classes/{class_id:uuid}", guards=[allow(*STAFF)], include_in_schema=False)
async def one(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[bytes]:
    """One class with what its rules say."""
    return await acts.shown(classes.DECIDE, request, tx, me, today, now, class_id)


@post(
    "/desk/classes/{class_id:uuid}/decide",
    guards=[allow(Post.INSTITUTION_OFFICER)],
    include_in_schema=False,
    status_code=303,
)
async def decide(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[Any]:
    """Approve, send back, deny, close."""
    return await acts.done(classes.DECIDE, request, tx, me, today, now, class_id)


ROUTES = [waiting, one, decide]
