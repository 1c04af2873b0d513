"""The `zhida` command."""

import importlib

import click


class _Lazy(click.Group):
    """Subcommands are imported when they are asked for, so that each starts quickly."""

    PLACES = {
        "up": ("service.cli.local", "up"),
        "status": ("service.cli.local", "status"),
        "load": ("service.cli.setup", "load"),
        "cast": ("service.cli.setup", "cast"),
        "clock": ("service.cli.setup", "clock"),
        "catalog": ("service.cli.catalog", "catalog"),
        "audit": ("service.cli.audit", "audit"),
        "stats": ("service.cli.statistics", "stats"),
        "rehearse": ("service.cli.rehearse", "rehearse"),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.PLACES:
            return None
        module, name = self.PLACES[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=_Lazy)
def main() -> None:
    """直达：职业培训补贴直接到人。"""
