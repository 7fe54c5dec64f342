"""Medians of repeated work, the first run of which warms up and compiles."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_s(work: Callable[[], object], runs: int = 7) -> float:
    """Return the median time of some work in s, after one run that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
