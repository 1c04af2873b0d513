"""What one turn of a part took, and the bare statements it is held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import asyncpg

from bench import machine
from bench.ground import Database, Server


@dataclass(frozen=True)
class Turn:
    """Seconds on the clock; of the server's processes their processor time and the largest size any of them had."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def taken(server: Server, work: Callable[[], float]) -> Turn:
    """Have `work` keep the server busy; it answers the seconds that count."""
    before = machine.cpu_seconds(server.pids)
    seconds = work()
    return Turn(seconds, machine.cpu_since(before, server.pids), machine.peak_mib(server.pids))


def in_one_transaction(database: Database, statements: Sequence[str]) -> float:
    """The seconds that the statements take as the service's role, with their COMMIT."""

    async def work(line: asyncpg.Connection) -> float:
        began = monotonic()
        async with line.transaction():
            for each in statements:
                await line.execute(each)
        return monotonic() - began

    return database.on_connection(work, as_app=True)
