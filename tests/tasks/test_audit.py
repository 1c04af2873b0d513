"""The sweeps of the journal's seal: what settled is sealed, and the head is noted once, outside of the database."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service import settings
from service.audit.commands import HEADS_FILE, noted_heads
from service.audit.queries.seal import missing_heads, seal_head
from service.database import transaction
from tasks.audit import note_seal, seal_journal
from tests.world import World


async def test_the_head_of_what_was_sealed_is_noted_once(
    committed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transaction() as tx:
        await committed.claim(tx)
    await seal_journal()
    monkeypatch.setenv("ZHIDA_DATA_DIR", str(tmp_path))
    settings.settings.cache_clear()
    try:
        with capture_logs() as said:
            for _ in range(2):
                await note_seal()
            async with transaction() as tx:
                head = await seal_head(tx)
                assert head is not None
                noted = noted_heads(tmp_path / HEADS_FILE)
                assert noted == [head.hash]
                assert await missing_heads(tx, noted) == []
            assert [(each["event"], each["hash"]) for each in said] == [("journal_sealed", head.hash)]
            monkeypatch.setenv("ZHIDA_DATA_DIR", str(tmp_path / "nowhere"))
            settings.settings.cache_clear()
            await note_seal()  # the log has it all the same
            assert len(said) == 2
    finally:
        monkeypatch.undo()
        settings.settings.cache_clear()
