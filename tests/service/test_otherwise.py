"""A parameter corrected back in time: exactly the claims whose decision would be another, and nothing changes."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.errors import Invalid
from service.access.tables import DistrictRow
from service.claims.queries.otherwise import decided_otherwise
from service.claims.schemas import DecidedOtherwise, NewOtherwise, OtherwiseView
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from tests.service.test_batches_http import client, desk
from tests.world import WELDER_LEVEL_4_FEN, World

__all__ = ["client"]


@pytest.fixture
async def editor(tx: Tx, world: World) -> Actor:
    """In a district of its own, with its claims."""
    world.here = f"O{uuid4().hex[:10]}"
    await tx.execute(insert(DistrictRow).values(code=world.here, name="示例区", kind="district"))
    return await world.user(tx, {Post.CATALOG_EDITOR}, world.here)


async def asked(tx: Tx, me: Actor, world: World, key: str, value: Any, **other: Any) -> OtherwiseView:
    return await decided_otherwise(tx, me, NewOtherwise(key, value, world.today.isoformat(), **other))


async def issued(tx: Tx, world: World, days_ago: int) -> UUID:
    day = world.today - timedelta(days=days_ago)
    number = world.maker.certificate("4", day.year)
    return (await world.claim(tx, certificate_issued_on=day.isoformat(), certificate_number=number)).id


async def test_a_shorter_window_would_have_refused_the_late_ones(tx: Tx, world: World, editor: Actor) -> None:
    soon, late = await issued(tx, world, 20), await issued(tx, world, 150)
    before = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == late))).scalar_one()
    found = await asked(tx, editor, world, "claim_window_months", 3)
    (one,) = found.claims
    assert (one.claim_id, found.looked_at, found.next) == (late, 2, None)
    assert (one.was_fen, one.would_be_fen, one.status) == (WELDER_LEVEL_4_FEN, None, "filed")
    assert len(one.reasons) == 1
    assert (await asked(tx, editor, world, "claim_window_months", 12)).claims == []
    assert soon not in {each.claim_id for each in found.claims}
    assert (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == late))).scalar_one() == before


async def test_a_longer_window_would_have_granted_what_was_refused(tx: Tx, world: World, editor: Actor) -> None:
    day = world.today - timedelta(days=500)
    given = {"certificate_issued_on": day.isoformat(), "certificate_number": world.maker.certificate("4", day.year)}
    refused = (await world.claim(tx, insist=True, **given)).id
    (one,) = (await asked(tx, editor, world, "claim_window_months", 24)).claims
    assert (one.claim_id, one.was_fen, one.would_be_fen, one.reasons) == (refused, None, WELDER_LEVEL_4_FEN, [])
    assert one.status == "refused"


async def test_only_of_the_days_and_the_district_that_were_asked_for(tx: Tx, world: World, editor: Actor) -> None:
    late = await issued(tx, world, 150)
    elsewhere = await world.user(tx, {Post.CATALOG_EDITOR}, world.other)
    city = await world.user(tx, {Post.AUDITOR})

    async def listed(me: Actor, **days: Any) -> set[UUID]:
        new = NewOtherwise("claim_window_months", 3, **{"first": world.today.isoformat(), **days})
        found: list[DecidedOtherwise] = []
        while True:
            page = await decided_otherwise(tx, me, new)
            found += page.claims
            if page.next is None:
                return {each.claim_id for each in found}
            new.after = page.next

    assert late in await listed(city)
    assert late not in await listed(elsewhere)
    tomorrow = (world.today + timedelta(days=1)).isoformat()
    assert await listed(editor, first=tomorrow) == set()
    assert await listed(editor, last=tomorrow) == {late}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("claim_window_months", "3", "policy.not_whole"),
        ("nothing_of_the_kind", 3, "policy.unknown"),
        ("reconsideration_days", 30, "policy.not_of_claims"),
    ],
)
async def test_what_cannot_be_asked(tx: Tx, world: World, editor: Actor, key: str, value: Any, code: str) -> None:
    await world.claim(tx)
    with pytest.raises(Invalid) as refused:
        await asked(tx, editor, world, key, value)
    assert refused.value.code == code
    reversed_days = {"last": date(2000, 1, 1).isoformat()}
    with pytest.raises(Invalid, match=r"period\.reversed"):
        await asked(tx, editor, world, "claim_window_months", 3, **reversed_days)


async def test_over_http(committed: World, client: httpx.AsyncClient) -> None:
    async with transaction() as tx:
        editor = await committed.user(tx, {Post.CATALOG_EDITOR})
        trainee = (await committed.trainee(tx)).actor
    body = {"key": "claim_window_months", "value": 1, "from": committed.today.isoformat()}
    answer = await (await desk(client, editor)).post("/policies/otherwise", body)
    assert (answer.status_code, set(answer.json())) == (200, {"claims", "looked_at", "next"})
    assert (await (await desk(client, trainee)).post("/policies/otherwise", body)).status_code == 403
