"""What the journal keeps for ever names nobody by number, whoever wrote it and however deep it stands."""

from typing import Any
from uuid import uuid4

import pytest

from domain.batch import AttemptAction
from domain.errors import Invalid
from service.batches.commands.moves import move_attempts
from service.database import Tx
from service.journal import By, record
from tests.payments import Stage, attempt_statuses, lines_of
from tests.world import World


@pytest.mark.parametrize(
    "told",
    [
        {"document": "济财发 13800138000"},
        {"document": {"inner": [{"deep": "６２１７００００１００００００００１１"}]}},
        {"document": ["a", "110105 19491231 002x"]},
    ],
)
async def test_what_is_recorded_names_nobody_by_number(tx: Tx, world: World, told: dict[str, Any]) -> None:
    by = By("test", world.now)
    with pytest.raises(Invalid) as refused:
        await record(tx, "claim", [uuid4(), uuid4()], "note", by, [{"document": "济财发〔2026〕12号"}, told])
    assert (refused.value.code, refused.value.field) == ("text.personal_number", "document")


async def test_amounts_and_keys_are_no_numbers_of_persons(tx: Tx, world: World) -> None:
    told = {"amount_fen": 13800138000, "sha256": "13800138000" * 5 + "abcdefabc", "claim_id": str(uuid4())}
    await record(tx, "claim", [uuid4()], "note", By("test", world.now), [told])


async def test_what_changes_with_a_move_names_nobody_by_number(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=2)
    batch = await stage.frozen(tx)
    ids, by = [line.id for line in await lines_of(tx, batch.id)], By("test", world.now)
    changes = {"failure": "账号 6217000010000000011 已销户"}
    with pytest.raises(Invalid) as refused:
        await move_attempts(tx, AttemptAction.VOID, ids, by, changes=changes)
    assert (refused.value.code, refused.value.field) == ("text.personal_number", "failure")
    assert set(await attempt_statuses(tx, batch.id)) == {"prepared"}
