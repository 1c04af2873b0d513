"""kill -9 of one part after another while a season runs."""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator

from service.local.data_dir import DataDir
from service.local.status import read_status

PARTS = ("worker", "broker", "postgres", "beat", "api")
_PAUSE_SECONDS = 2.0, 5.0
_LOOK_AGAIN_SECONDS = 0.2


class Killer:
    """Kills every part in a seeded order at seeded times, round after round until it is told that it is enough.

    Each round is slower than the one before: parts that fall faster than they come back get nothing done.
    """

    def __init__(self, place: DataDir, seed: int, say: Callable[[str], None]) -> None:
        self._place = place
        self._say = say
        self._chance = random.Random(f"kill {seed}")  # noqa: S311 (not for secrets: it must repeat)
        self._left = self._rounds()
        self.killed: list[str] = []

    def _rounds(self) -> Iterator[str]:
        while True:
            yield from self._chance.sample(PARTS, len(PARTS))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._kill_next()

    async def finish_round(self) -> None:
        """Go on until every part was killed at least once."""
        while not set(PARTS) <= set(self.killed):
            await self._kill_next()

    async def _kill_next(self) -> None:
        round_no = 1 + len(self.killed) // len(PARTS)
        await asyncio.sleep(round_no * self._chance.uniform(*_PAUSE_SECONDS))
        name = next(self._left)
        while not (pid := read_status(self._place).pid(name)):  # noqa: ASYNC110 (another process starts it again)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        os.kill(pid, signal.SIGKILL)
        self.killed.append(name)
        self._say(f"kill -9 {name}（进程 {pid}）")
