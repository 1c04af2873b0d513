"""What was measured on, and what processes have used: `/proc` and the installed versions."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

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
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time (user and system) that living processes have used; those that are gone count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def peak_mib(pids: Iterable[int]) -> float:
    """The largest resident size that any of the processes ever had."""
    return max((_peak_kib(pid) for pid in pids), default=0) / 1024


def _peak_kib(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
