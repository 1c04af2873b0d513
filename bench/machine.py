"""What was measured on, and what processes have used: `/proc` and the installed versions."""

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from time import process_time

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("litestar", "sqlalchemy", "asyncpg", "celery", "msgspec", "uvicorn")


def told() -> dict[str, str]:
    """The machine and the versions, for the first line and for the JSON."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{pages * size / 2**30:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f}",
        "a million additions": f"{yardstick_ms():.0f} ms",
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def yardstick_ms() -> float:
    """Processor time of a million additions: what a millisecond is worth on this machine at this moment."""
    began, total = process_time(), 0
    for number in range(1_000_000):
        total += number
    return (process_time() - began) * 1000


def cpu_seconds(pids: Iterable[int]) -> dict[int, float]:
    """Processor time (user and system) that each living process has used."""
    used = {}
    for pid in pids:
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
    return used


def cpu_since(before: Mapping[int, float], pids: Iterable[int]) -> float:
    """Seconds used since `before`, also by processes that have begun since; what those used that ended is lost."""
    return sum(used - before.get(pid, 0) for pid, used in cpu_seconds(pids).items())


def peak_mib(pids: Iterable[int]) -> float:
    """The largest resident size that any of the processes ever had."""
    return max((_peak_kib(pid) for pid in pids), default=0) / 1024


def _peak_kib(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
