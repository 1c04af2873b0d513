"""Violence while a season runs: kill -9 of one part after another, messages lost, doubled, reordered, a process that
stands still until its work is done by another, and lines that are cut after COMMIT or once the bank has a file."""

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.local import wires
from service.local.broker import prepared_in
from service.local.data_dir import DataDir
from service.local.processes import of_session, send
from service.local.status import read_status
from service.queue import Job, celery
from service.settings import settings

PARTS = ("worker", "broker", "postgres", "beat", "api")
#: All messages are lost; each is there twice and none in its place; who is at work is overtaken.
MISCHIEF = ("lose", "double", "freeze")
#: Done by wires (service/local/wires.py), where there are any.
CUT = "cut"
#: What is counted, and what people call it.
VIOLENCE = {
    **{part: f"kill -9 {part}" for part in PARTS},
    "lose": "清空消息",
    "lose_messages": "丢掉的消息",
    "lose_jobs": "丢掉的消息里说要办事的",
    "double": "重复、打乱消息",
    "double_messages": "多出来的消息",
    "double_jobs": "多出来的消息里说要办事的",
    "freeze": "冻住一个进程直到别人办完",
    "freeze_messages": "那时正在办的消息",
    "freeze_jobs": "其中说要办事的",
    CUT: "掐断连接",
    "cut_commits": "已提交、没听到回话的事务",
    "cut_files": "银行已收下、没听到回话的文件",
}
_PAUSE_SECONDS = 2.0, 5.0
_LOOK_AGAIN_SECONDS = 0.2
#: The worker stands still until so many messages about owed work have gathered, but never longer than so long.
_ENOUGH, _STANDS_STILL_SECONDS_MAX = 3, 4.0
_LOOKS_FOR_WORK_MAX = 30
_LONGER_THAN_THE_LEASE_SECONDS = 3
_CUTS_AT_ONCE, _CUT_SECONDS_MAX = 5, 8.0
#: The first file meets a bank that hangs up by itself, so that one is not cut.
_FILES_CUT = 1

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
        self._tokens = place.path / "wires"
        self._everything = (*PARTS, *MISCHIEF, *([CUT] if self._tokens.exists() else []))
        self._left = self._rounds()
        self._turns = 0
        self._work_is_left = True
        self.done: Counter[str] = Counter()

    def _rounds(self) -> Iterator[str]:
        """The first disturbs messages early on, while people file: towards the end there are none."""
        parts = self._chance.sample(PARTS, len(PARTS))
        cut = [name for name in self._everything if name == CUT]
        yield from (*parts[:1], *cut, *self._chance.sample(MISCHIEF, len(MISCHIEF)), *parts[1:])
        while True:
            yield from self._chance.sample(self._everything, len(self._everything))

    async def run(self) -> None:
        """Until cancelled."""
        if CUT in self._everything:
            wires.put(self._tokens, "bank", _FILES_CUT, "first")
        while True:
            await self._go_on()

    async def finish_round(self) -> None:
        """Go on until everything was done at least once. The season is over, and no message is about owed work."""
        self._work_is_left = False
        while not all(self.done[name] for name in self._everything):
            await self._go_on()
        if CUT in self._everything:
            self.done["cut_files"] = _FILES_CUT - wires.left(self._tokens, "bank")

    async def _go_on(self) -> None:
        round_no = 1 + self._turns // len(self._everything)
        await asyncio.sleep(round_no * self._chance.uniform(*_PAUSE_SECONDS))
        name = next(self._left)
        if name in PARTS:
            await self._kill(name)
        elif name == CUT:
            await self._cut()
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
        send(pid, signal.SIGKILL)
        self._say(f"kill -9 {name}（进程 {pid}）")

    async def _cut(self) -> None:
        """API and worker commit, and do not hear of it."""
        wires.put(self._tokens, "database", _CUTS_AT_ONCE, str(self._turns))
        deadline = time.monotonic() + _CUT_SECONDS_MAX
        while (missing := wires.left(self._tokens, "database")) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self.done["cut_commits"] += _CUTS_AT_ONCE - missing
        self._say(f"cut {_CUTS_AT_ONCE - missing} 次提交没有回话")

    async def _disturb(self, name: str) -> None:
        """What met no owed work is tried again until it does, as long as there is any."""
        url = prepared_in(self._place.path / "broker").url
        how = {"lose": self._lose, "double": self._double, "freeze": self._freeze}
        try:
            async with Redis.from_url(url, socket_timeout=5) as broker:
                met = await how[name](broker)
        except (RedisError, OSError) as away:
            self._say(f"{name} 消息服务不在（{type(away).__name__}）")
        else:
            jobs = sum(map(_is_about_a_job, met))
            self.done[f"{name}_messages"] += len(met)
            self.done[f"{name}_jobs"] += jobs
            self._say(f"{name} {len(met)} 条消息，其中 {jobs} 条说要办事")
        if self._work_is_left and not self.done[f"{name}_jobs"]:
            self._left = chain([name], self._left)

    async def _lose(self, broker: Redis) -> list[Message]:
        """Every message that has gathered and that the worker has taken; the messages."""
        async with _standing_still(of_session(await self._pid("worker"))):
            met = [*await self._gathered(broker), *await self._taken(broker)]
            await broker.flushall()
        return met

    async def _double(self, broker: Redis) -> list[Message]:
        """What has gathered is there twice, what the worker has taken comes again, and none is in its place."""
        queue = celery.conf.task_default_queue
        async with _standing_still(of_session(await self._pid("worker"))):
            waiting, taken = await self._gathered(broker), await self._taken(broker)
            messages = [*waiting, *waiting, *taken]
            self._chance.shuffle(messages)
            if messages:
                async with broker.pipeline(transaction=True) as together:
                    together.ltrim(queue, 0, -1 - len(waiting))  # newer ones come in on the left meanwhile
                    together.rpush(queue, *messages)
                    await together.execute()
        return [*waiting, *taken]

    async def _freeze(self, broker: Redis) -> list[Message]:
        """A child of the worker stands still in the middle of its work, for longer than the lease, and loses its
        connections: another does that work, and then the first goes on where it stood."""
        for _ in range(_LOOKS_FOR_WORK_MAX):
            worker = await self._pid("worker")
            children = [pid for pid in of_session(worker) if pid != worker]
            async with _standing_still(children):
                taken = await self._taken(broker)
                if children and any(map(_is_about_a_job, taken)):
                    child = self._chance.choice(children)
                    _wake([pid for pid in children if pid != child])
                    await self._kill("postgres")
                    await asyncio.sleep(settings().job_lease_seconds + _LONGER_THAN_THE_LEASE_SECONDS)
                    return taken
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return []

    async def _gathered(self, broker: Redis) -> list[Message]:
        """What waits, once it is enough or time is up."""
        deadline = time.monotonic() + _STANDS_STILL_SECONDS_MAX
        while True:
            waiting = await broker.lrange(celery.conf.task_default_queue, 0, -1)
            if sum(map(_is_about_a_job, waiting)) >= _ENOUGH or time.monotonic() > deadline:
                return waiting
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _taken(self, broker: Redis) -> list[Message]:
        """What the worker has taken and not acknowledged: it is at work on that."""
        return [json.dumps(json.loads(each)[0]) for each in await broker.hvals("unacked")]


@asynccontextmanager
async def _standing_still(pids: Sequence[int]) -> AsyncIterator[None]:
    """These processes neither work nor end."""
    try:
        for pid in pids:
            send(pid, signal.SIGSTOP)
        yield
    finally:
        _wake(pids)


def _wake(pids: Sequence[int]) -> None:
    for pid in pids:
        send(pid, signal.SIGCONT)


def _is_about_a_job(message: Message) -> bool:
    """A nudge to do owed work; not a sweep."""
    return json.loads(message)["headers"]["task"] in set(Job)
