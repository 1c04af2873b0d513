"""Wires that can be cut, for rehearsals: `python -m service.local.wires --tokens DIR NAME:LISTEN:TARGET …`

Whoever connects to 127.0.0.1:LISTEN speaks to 127.0.0.1:TARGET. A wire is cut in the worst moment, once the other end
has done what it was asked and before anybody hears of it: of `database`, when the answer to a COMMIT has come; of
`bank`, when the answer to a file has. A token, a file DIR/NAME.anything, is taken for each cut; without one nothing
is cut. So whoever puts tokens there can count how many were taken.
"""

import argparse
import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_CHUNK = 65_536


def _commits(said: bytes) -> bool:
    return b"COMMIT;\0" in said or b"COMMIT\0" in said


def _hands_in_a_file(said: bytes) -> bool:
    return said.startswith(b"POST /files/") and b"/close" not in said.partition(b"\r\n")[0]


#: Wire → what is said before the answer that is lost.
BEFORE_THE_WORST: dict[str, Callable[[bytes], bool]] = {"database": _commits, "bank": _hands_in_a_file}


def put(tokens: Path, name: str, count: int, mark: str) -> None:
    """Let the wire `name` be cut so many times; `mark` tells these tokens from others."""
    tokens.mkdir(exist_ok=True)
    for each in range(count):
        (tokens / f"{name}.{mark}.{each}").touch()


def left(tokens: Path, name: str) -> int:
    """How many of its tokens nobody has taken."""
    return len(list(tokens.glob(f"{name}.*")))


def _take(tokens: Path, name: str) -> bool:
    for token in tokens.glob(f"{name}.*"):
        with suppress(FileNotFoundError):
            token.unlink()
            return True
    return False


class Wire:
    """One listening port and where it leads."""

    def __init__(self, tokens: Path, name: str, target: int) -> None:
        self._tokens, self._name, self._target = tokens, name, target

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry both ways until either end leaves, or the wire is cut."""
        try:
            there, to_there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()  # as a port where nobody listens
            return
        Line(self, reader, writer, there, to_there).start()

    def worst_follows(self, said: bytes) -> bool:
        return BEFORE_THE_WORST[self._name](said)

    def is_to_be_cut(self) -> bool:
        return _take(self._tokens, self._name)


class Line:
    """A connection over a wire."""

    def __init__(
        self,
        wire: Wire,
        near: asyncio.StreamReader,
        to_near: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        to_far: asyncio.StreamWriter,
    ) -> None:
        self._wire, self._near, self._to_near, self._far, self._to_far = wire, near, to_near, far, to_far
        self._worst = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._there()), asyncio.create_task(self._back())]

    async def _there(self) -> None:
        with suppress(OSError):
            while said := await self._near.read(_CHUNK):
                self._worst = self._worst or self._wire.worst_follows(said)
                self._to_far.write(said)
                await self._to_far.drain()
        self._hang_up()

    async def _back(self) -> None:
        with suppress(OSError):
            while said := await self._far.read(_CHUNK):
                if self._worst and self._wire.is_to_be_cut():
                    self._cut()
                    return
                self._worst = False
                self._to_near.write(said)
                await self._to_near.drain()
        self._hang_up()

    def _hang_up(self) -> None:
        """What was said before still arrives."""
        for end in (self._to_near, self._to_far):
            end.close()

    def _cut(self) -> None:
        for end in (self._to_near, self._to_far):
            end.transport.abort()


async def _serve(tokens: Path, lines: list[str]) -> None:
    servers = []
    for line in lines:
        name, listen, target = line.split(":")
        wire = Wire(tokens, name, int(target))
        servers.append(await asyncio.start_server(wire.connect, "127.0.0.1", int(listen)))
    await asyncio.gather(*(each.serve_forever() for each in servers))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("lines", nargs="+")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(given.tokens, given.lines))
