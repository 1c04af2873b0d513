"""Work that waits for nobody, beside the same done barely: processor time in turns, and memory in a process alone."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

from bench.figures import Figure
from bench.wish import Wish


def ratio(
    part: str, wish: Wish, name: str, mine: Callable[[], object], bare: Callable[[], object], aim: float
) -> Figure:
    """Taken in turns, so that both meet the same minutes."""
    turns = [(_seconds(mine), _seconds(bare)) for _ in range(wish.turns)]
    own, other = (median(column) for column in zip(*turns, strict=True))
    return Figure(part, name, own, "s", other, median(one / two for one, two in turns), aim)


def _seconds(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def grown_mib(work: Callable[..., object], *about: object, small: int, count: int) -> float:
    """By how much a fresh process grows while it does `work(*about, count)`, which it did for `small` before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_grown, (work, about, small, count))


def _grown(work: Callable[..., object], about: tuple[object, ...], small: int, count: int) -> float:
    work(*about, small)  # what is loaded once is not the file's
    before = _most_mib()
    work(*about, count)
    return _most_mib() - before


def _most_mib() -> float:
    """The most that this process ever had in memory. The kernel's own figure for a child includes its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
