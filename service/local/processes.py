"""What `/proc` knows about processes: who lives, since when, of which session, standing where."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def all_pids() -> Iterator[int]:
    """Every process id of this moment."""
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _stat(pid: int) -> list[str] | None:
    """The fields of `/proc/PID/stat` after the name, which may itself hold blanks and brackets."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def started(pid: int | None) -> int | None:
    """When `pid` started, in clock ticks since boot: with it a pid is one process, and a reused pid another.

    None when there is no such process, or only its exit code is left of it.
    """
    fields = _stat(pid) if pid else None
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def is_same(pid: int | None, start: int | None) -> bool:
    """Whether the process that was noted down as (`pid`, `start`) is still alive."""
    return start is not None and started(pid) == start


def of_session(leader: int) -> list[int]:
    """Living processes of the session that `leader` opened, also after its death."""
    found = []
    for pid in all_pids():
        fields = _stat(pid)
        if fields and fields[0] not in "ZX" and int(fields[3]) == leader:
            found.append(pid)
    return found


def standing_in(directory: Path, program: str) -> list[int]:
    """Processes of `program` (its file's name) whose working directory is `directory`."""
    found = []
    for pid in all_pids():
        try:
            here = Path(os.readlink(_PROC / str(pid) / "cwd"))
            file = Path(os.readlink(_PROC / str(pid) / "exe"))
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
        # A program whose file was replaced while it runs reads as "NAME (deleted)".
        if here == directory and file.name.split(" ")[0] == program:
            found.append(pid)
    return found


def has_in_environment(pid: int, name: str, value: str) -> bool:
    """Whether `pid` was started with NAME=VALUE."""
    try:
        return f"{name}={value}".encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; nothing happens when the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def end_all_in(directory: Path, program: str, number: signal.Signals, patience: float = 10) -> None:
    """End the servers that an earlier run left at work in `directory`: `number` first, SIGKILL after `patience` s."""
    deadline = time.monotonic() + patience
    while left := standing_in(directory, program):
        for pid in left:
            send(pid, number if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(0.1)
