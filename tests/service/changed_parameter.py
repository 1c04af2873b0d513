"""A season in which a parameter changed."""

from domain.actor import Actor, Post
from service.database import Tx
from service.policies import commands as policies
from service.policies.schemas import NewPolicy
from tests.service.season import AT, Season


async def change_parameter(season: Season, tx: Tx) -> None:
    """A parameter that two of the season's persons changed."""
    editor, publisher = (
        Actor(season.users[place], season.persons[place], frozenset({post}))
        for place, post in enumerate((Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER))
    )
    new = NewPolicy("claim_window_months", 18, "2099-01-01", "示例", "示例")
    proposal = await policies.propose(tx, editor, new, AT.date(), AT)
    await policies.confirm(tx, publisher, proposal.id, AT.date(), AT)
