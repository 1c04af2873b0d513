"""What one was told."""

from litestar import get

from domain.actor import Post
from service.messages import queries
from service.messages.schemas import MessagesView
from service.security import allow
from service.web import Me, Tx


@get("/api/messages", guards=[allow(Post.TRAINEE, Post.REVIEWER, Post.SECOND_REVIEWER)])
async def my_messages(tx: Tx, me: Me) -> MessagesView:
    """The messages that I was sent about my claims or my work, newest first."""
    return await queries.my_messages(tx, me)


ROUTES = [my_messages]
