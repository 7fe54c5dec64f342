"""Medians of repeated work, the first run of which warms up and compiles, and the memory that it takes."""

from __future__ import annotations

import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

#: Marks of the largest memory that were set back.
_seen = [0.0]


class Figure(NamedTuple):
    """Time of some work in s, and the memory that it took on top of what was there before, in MB."""

    seconds: float
    megabytes: float


def median_s(work: Callable[[], object], runs: int = 7, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the median time of some work in s by a clock, after one run that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = clock()
        work()
        times.append(clock() - started)
    return statistics.median(times)


def measured(work: Callable[[], object], runs: int = 7) -> Figure:
    """Return the median time of some work, and the memory of one run after the first."""
    work()
    megabytes = _peak_mb(work)
    return Figure(median_s(work, runs), megabytes)


def once(work: Callable[[], object]) -> tuple[Figure, object]:
    """Return time and memory of work that runs once, and what it returns."""
    found: list[object] = []
    started = time.perf_counter()
    megabytes = _peak_mb(lambda: found.append(work()))
    return Figure(time.perf_counter() - started, megabytes), found[0]


def _peak_mb(work: Callable[[], object]) -> float:
    """Return the memory of a run: how far resident memory rises, or what arrays take, whichever is more.

    Linux sets the mark of the largest memory back by ``clear_refs``; arrays in memory that was freed before do not
    raise it, so they are counted as they are made.
    """
    before = _mark_mb(reset=True)
    tracemalloc.start()
    work()
    arrays = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return max(0.0, _mark_mb() - before, arrays)


def _mark_mb(reset: bool = False) -> float:
    """Return the largest resident memory, or where Linux lets it be reset, that from now on."""
    try:
        if not reset:
            return _status_mb("VmHWM")
        _seen.append(_status_mb("VmHWM"))
        Path("/proc/self/clear_refs").write_text("5")
        return _status_mb("VmRSS")
    except OSError:
        return _largest_mb()


def most_mb() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    try:
        return max(*_seen, _status_mb("VmHWM"))
    except OSError:
        return _largest_mb()


def _status_mb(key: str) -> float:
    line = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith(key))
    return int(line.split()[1]) / 1024


def _largest_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def copy_bytes_per_s() -> float:
    """Return how many bytes this machine moves per s, read and written, as it copies 256 MB on one core."""
    import numpy as np

    source = np.ones(1 << 25)
    target = np.empty_like(source)
    return 2 * source.nbytes / median_s(lambda: np.copyto(target, source), 5)
