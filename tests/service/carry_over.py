"""Some of a season's free money goes into the next year, by two persons of the city."""

from domain.actor import Actor, Post
from service.database import Tx
from service.funds.commands import confirm_transfer, propose_transfer
from service.funds.schemas import NewEnd, NewTransfer
from tests.service.season import AT, DAY, Season


async def carry_over(tx: Tx, season: Season) -> None:
    """One yuan of the first district's."""
    maker, checker = (
        Actor(season.users[place], season.persons[place], frozenset({post}))
        for place, post in enumerate((Post.MAKER, Post.CHECKER))
    )
    ends = [NewEnd(season.districts[0], "employment_subsidy", year) for year in (DAY.year, DAY.year + 1)]
    proposed = await propose_transfer(tx, maker, NewTransfer(*ends, 100, "season", "season"), DAY, AT)
    await confirm_transfer(tx, checker, proposed.id, AT)
