"""Violence while a season runs: kill -9 of one part after another, and messages that are lost, doubled, reordered."""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.local.broker import prepared_in
from service.local.data_dir import DataDir
from service.local.status import read_status
from service.queue import celery

PARTS = ("worker", "broker", "postgres", "beat", "api")
#: What is done to the messages: all are lost, or each is there twice and none in its place.
MISCHIEF = ("lose", "double")
_PAUSE_SECONDS = 2.0, 5.0
_LOOK_AGAIN_SECONDS = 0.2


class Killer:
    """Does every kind of violence in a seeded order at seeded times, round after round until it is enough.

    Each round is slower than the one before: parts that fall faster than they come back get nothing done.
    """

    def __init__(self, place: DataDir, seed: int, say: Callable[[str], None]) -> None:
        self._place = place
        self._say = say
        self._chance = random.Random(f"kill {seed}")  # noqa: S311 (not for secrets: it must repeat)
        self._left = self._rounds()
        self.done: list[str] = []

    def _rounds(self) -> Iterator[str]:
        everything = (*PARTS, *MISCHIEF)
        while True:
            yield from self._chance.sample(everything, len(everything))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._go_on()

    async def finish_round(self) -> None:
        """Go on until everything was done at least once."""
        while not {*PARTS, *MISCHIEF} <= set(self.done):
            await self._go_on()

    async def _go_on(self) -> None:
        round_no = 1 + len(self.done) // len((*PARTS, *MISCHIEF))
        await asyncio.sleep(round_no * self._chance.uniform(*_PAUSE_SECONDS))
        name = next(self._left)
        if name in PARTS:
            await self._kill(name)
        else:
            await self._disturb(name)
        self.done.append(name)

    async def _kill(self, name: str) -> None:
        while not (pid := read_status(self._place).pid(name)):  # noqa: ASYNC110 (another process starts it again)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        os.kill(pid, signal.SIGKILL)
        self._say(f"kill -9 {name}（进程 {pid}）")

    async def _disturb(self, name: str) -> None:
        """A broker that is just coming back is disturbed enough."""
        url = prepared_in(self._place.path / "broker").url
        try:
            async with Redis.from_url(url, socket_timeout=5) as broker:
                said = await (self._lose(broker) if name == "lose" else self._double(broker))
        except (RedisError, OSError) as away:
            said = f"消息服务不在（{type(away).__name__}）"
        self._say(f"{name} {said}")

    async def _lose(self, broker: Redis) -> str:
        await broker.flushall()
        return "清空了全部消息"

    async def _double(self, broker: Redis) -> str:
        queue = celery.conf.task_default_queue
        waiting = await broker.lrange(queue, 0, -1)
        doubled = 2 * [*waiting]
        self._chance.shuffle(doubled)
        if doubled:
            async with broker.pipeline(transaction=True) as together:
                together.delete(queue)
                together.lpush(queue, *doubled)
                await together.execute()
        return f"{len(waiting)} 条消息各多出一份，打乱了先后"
