"""What an operator does about a service that is not ours: have it asked now, since it is said to be back."""

from datetime import datetime

from domain.actor import Actor, Post
from domain.errors import Conflict
from domain.text import public_words
from service.database import Tx
from service.jobs import owe_now
from service.journal import By, record
from service.operations.queries.outside import one_outside
from service.operations.schemas import NewAsking, OutsideView
from service.queue import Job, Outside
from service.settings import settings
from service.verification.commands.calls import end_rest


async def ask_now(tx: Tx, me: Actor, new: NewAsking, now: datetime) -> OutsideView:
    """End the rest of a service, so that the next call finds out whether it is back, and owe the hurrying of what
    waits for it. Silent again, it rests as it did.

    Forbidden `post_missing`; Invalid `words.…`, `text.personal_number`; Conflict `outside.being_asked` while a call
    on trial is out, `outside.nothing_waits` where it does not rest and nothing waits.
    """
    me.must_hold(Post.OPERATOR)
    reason = public_words(new.reason, "reason")
    before = await one_outside(tx, new.service)
    rested = new.service is Outside.REGISTRY and await end_rest(tx, settings().registry_url)
    if not rested and not before.waiting:
        raise Conflict("outside.nothing_waits")
    await owe_now(tx, Job.HURRY_WAITING, [new.service.id])
    told = {"outside": str(new.service), "waiting": before.waiting, "rest_ended": rested}
    await record(tx, "outside", [new.service.id], "ask_now", By.actor(me, Post.OPERATOR, now), [told], reason=reason)
    return await one_outside(tx, new.service)
