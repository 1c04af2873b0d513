"""What one is offered, to be confirmed or declined."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from domain.actor import Post
from domain.claim import Channel
from domain.errors import Conflict, Ineligible
from service.claims.commands.filing import count_door_refusal
from service.database import transaction
from service.offers import commands, queries
from service.offers.schemas import ConfirmedView, NewConfirmation, OffersView, OfferView
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered


@get("/api/offers", guards=[allow(Post.TRAINEE)])
async def my_offers(tx: Tx, me: Me, today: Today) -> OffersView:
    """What I am offered, with the amount and what would be filed, and what became of earlier offers."""
    return await queries.my_offers(tx, me, today)


@post("/api/offers/{offer_id:uuid}/confirm", guards=[allow(Post.TRAINEE)])
async def confirm_offer(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, offer_id: FromPath[UUID], data: JSONBody[NewConfirmation]
) -> Response[ConfirmedView]:
    """File what I am offered as my own claim, by the rules of today."""
    try:
        confirmed = once(tx, ConfirmedView, lambda: commands.confirm_offer(tx, me, offer_id, data, today, now))
        return answered(await confirmed)
    except (Conflict, Ineligible) as refusal:
        async with transaction() as own:  # this one is rolled back with the refusal
            await count_door_refusal(own, refusal.code, Channel.INDIVIDUAL, today)
        raise


@post("/api/offers/{offer_id:uuid}/decline", guards=[allow(Post.TRAINEE)])
async def decline_offer(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, offer_id: FromPath[UUID]
) -> Response[OfferView]:
    """I do not want what I am offered; I may still claim for the certificate."""
    return answered(
        await once(tx, OfferView, lambda: commands.decline_offer(tx, me, offer_id, today, now)), status=200
    )


ROUTES = [my_offers, confirm_offer, decline_offer]
