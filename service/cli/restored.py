"""`zhida restored`: a backup was put back; nothing leaves until an operator has looked at the bank's list."""

import click

from service import clock
from service.batches.commands import mark_restored
from service.cli.running import run
from service.database import transaction
from service.security import close_all_sessions


@click.command()
def restored() -> None:
    """恢复备份之后、启动之前：停下待送出的文件，在途的记为不明，解散没编好的批次，跳过可能用过的批次号。"""

    async def work() -> None:
        async with transaction() as tx:
            view = await mark_restored(tx, clock.now())
            await close_all_sessions(tx)
        click.echo(
            f"停下待办 {view.jobs_stopped} 件，在途转为不明 {view.attempts_unknown} 笔，"
            f"解散没编好的批次 {view.batches_dissolved} 个，下一个批次号大于 {view.serial}；所有人须重新登录"
        )

    run(work())
