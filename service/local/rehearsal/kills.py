"""Violence while a season runs: kill -9 of one part after another, and messages that are lost, doubled, reordered."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.local.broker import prepared_in
from service.local.data_dir import DataDir
from service.local.processes import of_session, send
from service.local.status import read_status
from service.queue import Job, celery

PARTS = ("worker", "broker", "postgres", "beat", "api")
#: What is done to the messages: all are lost, or each is there twice and none in its place.
MISCHIEF = ("lose", "double")
#: What is counted, and what people call it.
VIOLENCE = {
    **{part: f"kill -9 {part}" for part in PARTS},
    "lose": "清空消息",
    "lose_messages": "丢掉的消息",
    "lose_jobs": "丢掉的消息里说要办事的",
    "double": "重复、打乱消息",
    "double_messages": "多出来的消息",
    "double_jobs": "多出来的消息里说要办事的",
}
_PAUSE_SECONDS = 2.0, 5.0
_LOOK_AGAIN_SECONDS = 0.2
#: The worker stands still until so many messages about owed work wait, but never longer than so long.
_PILED_UP, _STANDS_STILL_SECONDS_MAX = 3, 4.0
#: Where Celery keeps what a worker has taken and not yet acknowledged.
_TAKEN = "unacked"

Message = bytes | str


class Killer:
    """Does every kind of violence in a seeded order at seeded times, round after round until it is enough.

    Each round is slower than the one before: parts that fall faster than they come back get nothing done.
    `done` counts what was done, by the names in VIOLENCE.
    """

    def __init__(self, place: DataDir, seed: int, say: Callable[[str], None]) -> None:
        self._place = place
        self._say = say
        self._chance = random.Random(f"kill {seed}")  # noqa: S311 (not for secrets: it must repeat)
        self._left = self._rounds()
        self._turns = 0
        self.done: Counter[str] = Counter()

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
        while not all(self.done[name] for name in (*PARTS, *MISCHIEF)):
            await self._go_on()

    async def _go_on(self) -> None:
        round_no = 1 + self._turns // len((*PARTS, *MISCHIEF))
        await asyncio.sleep(round_no * self._chance.uniform(*_PAUSE_SECONDS))
        name = next(self._left)
        if name in PARTS:
            await self._kill(name)
        else:
            await self._disturb(name)
        self._turns += 1
        self.done[name] += 1

    async def _pid(self, name: str) -> int:
        while not (pid := read_status(self._place).pid(name)):  # noqa: ASYNC110 (another process starts it again)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return pid

    async def _kill(self, name: str) -> None:
        pid = await self._pid(name)
        os.kill(pid, signal.SIGKILL)
        self._say(f"kill -9 {name}（进程 {pid}）")

    async def _disturb(self, name: str) -> None:
        """While the worker stands still and messages gather. What met no owed work is tried again until it does."""
        queue, url = celery.conf.task_default_queue, prepared_in(self._place.path / "broker").url
        try:
            async with self._standing_still("worker"), Redis.from_url(url, socket_timeout=5) as broker:
                waiting = await self._piled_up(broker, queue)
                taken = [json.dumps(json.loads(each)[0]) for each in await broker.hvals(_TAKEN)]
                if name == "lose":
                    await broker.flushall()
                else:
                    await self._double(broker, queue, waiting, taken)
        except (RedisError, OSError) as away:
            self._say(f"{name} 消息服务不在（{type(away).__name__}）")
        else:
            met = [*waiting, *taken]
            jobs = sum(map(_is_about_a_job, met))
            self.done[f"{name}_messages"] += len(met)
            self.done[f"{name}_jobs"] += jobs
            self._say(f"{name} {len(met)} 条消息，其中 {jobs} 条说要办事")
        if not self.done[f"{name}_jobs"]:
            self._left = chain([name], self._left)

    async def _double(self, broker: Redis, queue: str, waiting: Sequence[Message], taken: Sequence[Message]) -> None:
        """What waits is there twice, what the worker has taken comes again, and none is in its place."""
        messages = [*waiting, *waiting, *taken]
        self._chance.shuffle(messages)
        if messages:
            async with broker.pipeline(transaction=True) as together:
                together.ltrim(queue, 0, -1 - len(waiting))  # newer ones come in on the left meanwhile
                together.rpush(queue, *messages)
                await together.execute()

    @asynccontextmanager
    async def _standing_still(self, name: str) -> AsyncIterator[None]:
        """The part and its children neither work nor fall."""
        pids = of_session(await self._pid(name))
        try:
            for pid in pids:
                send(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                send(pid, signal.SIGCONT)

    async def _piled_up(self, broker: Redis, queue: str) -> list[Message]:
        """What waits, once it is enough or time is up."""
        deadline = time.monotonic() + _STANDS_STILL_SECONDS_MAX
        while True:
            waiting = await broker.lrange(queue, 0, -1)
            if sum(map(_is_about_a_job, waiting)) >= _PILED_UP or time.monotonic() > deadline:
                return waiting
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def _is_about_a_job(message: Message) -> bool:
    """A nudge to do owed work; not a sweep."""
    return json.loads(message)["headers"]["task"] in set(Job)
