"""`python -m bench`: measure every part, or the one that is named, and print a table."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console

from bench import machine
from bench.figures import Figure, as_json, show
from bench.ground import Ground, find_ground
from bench.parts import (
    assembling,
    bank_files,
    filing,
    pages,
    rosters,
    settling,
    share,
    verification,
    vouchers,
    whatif,
)
from bench.wish import Wish

PARTS: dict[str, Callable[[Ground, Wish], Iterator[Figure]]] = {
    "filing": filing.measure,
    "rosters": rosters.measure,
    "verification": verification.measure,
    "assembling": assembling.measure,
    "settling": settling.measure,
    "bank_files": bank_files.measure,
    "vouchers": vouchers.measure,
    "share": share.measure,
    "whatif": whatif.measure,
    "pages": pages.measure,
}


@click.command()
@click.option("--only", type=click.Choice(list(PARTS)), multiple=True, help="Only this part (may be repeated).")
@click.option(
    "--size", type=click.FloatRange(0, 1, min_open=True), default=0.1, show_default=True, help="1: the whole."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--turns", type=click.IntRange(1), default=3, show_default=True, help="How often each is taken.")
@click.option(
    "--seconds", type=click.IntRange(1), default=5, show_default=True, help="How long a turn of filing takes."
)
@click.option("--clients", default="8,32", show_default=True, help="How many file at once, one after another.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures there, too.")
def main(
    only: tuple[str, ...], size: float, seed: int, turns: int, seconds: int, clients: str, file: Path | None
) -> None:
    """What each hot path costs, beside a ceiling taken in the same minutes."""
    wish = Wish(size, seed, seconds, tuple(int(each) for each in clients.split(",")), turns)
    console, figures = Console(), list[Figure]()
    with find_ground() as ground:
        told = machine.told() | {"postgresql": ground.postgres_version(), "seed": str(seed), "size": f"{size:g}"}
        console.print(" · ".join(f"{name} {value}" for name, value in told.items()), highlight=False)
        for name in only or PARTS:
            with console.status(name):
                figures += PARTS[name](ground, wish)
    show(figures, console)
    if file:
        file.write_text(json.dumps({"on": told, "figures": as_json(figures)}, indent=1))


if __name__ == "__main__":
    main()
