"""The places of a procured project under races: as many as the contract has, whoever is quicker."""

import asyncio
from collections import Counter

from sqlalchemy import text

from domain.errors import Conflict, Ineligible
from service.database import transaction
from tests.projects import PLACE_FEN, Procured
from tests.world import World


async def _claim(project: Procured) -> str:
    try:
        async with transaction() as tx:
            return (await project.claim(tx)).status
    except Ineligible as refused:
        outcomes = refused.facts["decision"]["outcomes"]
        (code,) = (each["code"] for each in outcomes if each["outcome"] == "failed")
        return str(code)
    except Conflict as refused:
        return refused.code


async def test_thirty_two_claims_for_ten_places(committed: World) -> None:
    async with transaction() as tx:
        await committed.provide(tx, committed.here)
        project = await Procured.build(tx, committed, places=10)
    told = Counter(await asyncio.gather(*(_claim(project) for _ in range(32))))
    assert told == {"in_review": 10, "project.full": 22}
    async with transaction() as tx:
        drawn = text("SELECT count(*), sum(amount_fen) FROM claims WHERE project_id = :id")
        assert (await tx.execute(drawn, {"id": project.id})).one() == (10, 10 * PLACE_FEN)
