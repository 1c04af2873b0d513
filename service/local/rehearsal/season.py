"""The stages of a season: their progress bars, their deadlines, and what went wrong in them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from service.local.rehearsal.calls import Unexpected

T = TypeVar("T")

#: The stages in their order, and what people call them.
STAGES = {
    "sign_in": "演示人物登录",
    "sign_up": "申领人注册",
    "inspect": "首次开班前实地检查",
    "classes": "申报和批准开班",
    "patrol_draw": "抽取巡查",
    "patrols": "巡查",
    "attendance": "考勤",
    "results": "评价结果",
    "certificates": "证书登记",
    "file": "逐笔提交申领",
    "roster": "提交名册",
    "roster_mend": "改正后再提交的名册",
    "verify": "证书核验",
    "review": "审核",
    "second_review": "审核复核",
    "notice": "公示",
    "pay": "组批、签字与发放",
    "come_back": "银行退回",
    "mend": "改收款卡",
    "pay_again": "再次发放",
    "statements": "交对账单",
    "close_classes": "班级结案",
    "settle": "等待办结",
}

#: Questions to the service while something is waited for.
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class StageTime:
    """`items`: what the stage worked on; `seconds` of real time."""

    name: str
    items: int
    seconds: float


@dataclass
class Bar:
    """A stage's progress."""

    progress: Progress
    task: TaskID
    total: int
    items: int = 0

    def advance(self, by: int = 1) -> None:
        self.items += by
        self.progress.update(self.task, completed=self.items)

    def reach(self, done: int) -> None:
        """Set how much is done, from figures of the service; it never goes back."""
        self.advance(max(0, done - self.items))


@dataclass
class Season:
    """`stage_seconds` bounds each stage, `seconds` all of them together, so that nothing waits for ever."""

    progress: Progress
    stage_seconds: float
    seconds: float
    stages: list[StageTime] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.seconds

    @asynccontextmanager
    async def stage(self, name: str, total: int) -> AsyncIterator[Bar]:
        """A stage that is too slow, or meets an answer it cannot go on with, ends with a complaint; the season goes
        on, so that the figures at its end say what became of everybody."""
        title, began = STAGES[name], time.monotonic()
        bar = Bar(self.progress, self.progress.add_task(title, total=total), total)
        allowed = max(0.0, min(self.stage_seconds, self._deadline - began))
        try:
            async with asyncio.timeout(allowed):
                yield bar
        except TimeoutError:
            self.complaints.append(f"{title}：{allowed:.0f} 秒内没有完成")
        except Unexpected as surprise:
            self.complaints.append(f"{title}：{surprise}")
        self.progress.stop_task(bar.task)
        self.stages.append(StageTime(name, bar.items, round(time.monotonic() - began, 2)))

    async def each(
        self,
        items: Sequence[T],
        work: Callable[[T], Awaitable[None]],
        bar: Bar,
        over_seconds: float = 0.0,
        size: Callable[[T], int] = lambda _: 1,
    ) -> None:
        """Do `work` for every item, all at once or begun one after the other over some time; one that meets an answer
        it cannot go on with stops no other. The bar advances by each one's `size`."""

        async def one(place: int, item: T) -> None:
            await asyncio.sleep(over_seconds * place / len(items))
            try:
                await work(item)
            except Unexpected as surprise:
                self.complaints.append(str(surprise))
            bar.advance(size(item))

        async with asyncio.TaskGroup() as group:
            for place, item in enumerate(items):
                group.create_task(one(place, item))

    @staticmethod
    async def until(arrived: Callable[[], Awaitable[bool]]) -> None:
        """Ask until it is so; the stage's deadline ends the asking."""
        while not await arrived():  # noqa: ASYNC110 (only the service knows, and it has to be asked)
            await asyncio.sleep(POLL_SECONDS)


def progress_columns() -> tuple[TextColumn, BarColumn, MofNCompleteColumn, TimeElapsedColumn]:
    """How a stage is shown."""
    return TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
