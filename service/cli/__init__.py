"""The `zhida` command."""

import importlib
import os
from pathlib import Path
from types import MappingProxyType

import click


class _Lazy(click.Group):
    """Subcommands are imported when they are asked for, so that each starts quickly."""

    PLACES = MappingProxyType(
        {
            "up": ("service.cli.local", "up"),
            "status": ("service.cli.local", "status"),
            "load": ("service.cli.setup", "load"),
            "cast": ("service.cli.setup", "cast"),
            "clock": ("service.cli.setup", "clock"),
            "catalog": ("service.cli.catalog", "catalog"),
            "explain": ("service.cli.explain", "explain"),
            "audit": ("service.cli.audit", "audit"),
            "staff": ("service.cli.staff", "staff"),
            "institution": ("service.cli.staff", "institution"),
            "standards": ("service.cli.standards", "standards"),
            "register": ("service.cli.registers", "register"),
            "verification": ("service.cli.verification", "verification"),
            "reviews": ("service.cli.reviews", "reviews"),
            "stats": ("service.cli.statistics", "stats"),
            "restored": ("service.cli.restored", "restored"),
            "rehearse": ("service.cli.rehearse", "rehearse"),
            "signals": ("service.cli.signals", "signals"),
        }
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.PLACES:
            return None
        module, name = self.PLACES[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConnectionError:
            raise click.ClickException(
                "数据库没有应答。请先用 make run 启动，或用 ZHIDA_DATABASE_URL 指明数据库。"
            ) from None


#: These start or find a stack themselves.
_OF_STACKS = {"up", "status", "rehearse"}


@click.command(cls=_Lazy)
@click.pass_context
def main(ctx: click.Context) -> None:
    """直达：职业培训补贴直接到人。

    没有设 ZHIDA_DATABASE_URL 时，用数据目录（ZHIDA_DATA_DIR，默认检出目录下的 .zhida）里的数据库。
    """
    if ctx.invoked_subcommand not in _OF_STACKS and not os.environ.get("ZHIDA_DATABASE_URL"):
        _use_local_stack()


def _use_local_stack() -> None:
    from service.local.data_dir import DataDir  # noqa: PLC0415 (a server installation has no stack on its machine)
    from service.local.environment import environment_of  # noqa: PLC0415
    from service.local.supervisor import ROOT  # noqa: PLC0415

    os.environ.update(environment_of(DataDir(Path(os.environ.get("ZHIDA_DATA_DIR", ROOT / ".zhida")))))
