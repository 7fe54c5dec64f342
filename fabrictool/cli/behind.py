"""What stands behind a collective's figures on the first screen: parts of its time, and other algorithms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fabrictool.collectives.workloads import others
from fabrictool.units import format_time

if TYPE_CHECKING:
    from fabrictool.collectives.workloads import CollectiveResult

#: Parts of a time in the order of the sum.
PARTS = ("latency", "serialisation", "congestion")


def behind(result: CollectiveResult) -> Iterator[str]:
    """Yield what a result's time is made of, what other algorithms take, and which do not fit."""
    parts = [(name, getattr(result, f"{name}_s")) for name in PARTS]
    if result.time_s is not None:
        bottleneck = f"; busiest {result.bottleneck}" if result.bottleneck else ""
        if result.healthy_time_s is not None:
            yield f"without faults {format_time(result.healthy_time_s)}"
        yield " + ".join(f"{name} {format_time(value)}" for name, value in parts) + bottleneck
    if result.groups is not None:
        yield f"groups: {result.groups}"
    if result.alternatives:
        yield "others: " + others(result)
    for one in result.unsuitable:
        yield f"not {one.algorithm}: {one.reason}"


def lost_words(loss_percent: float) -> str:
    """Say how much of a bandwidth faults take, or give where a detour meets fewer flows; what rounds to 0 is none."""
    share = abs(loss_percent) if abs(loss_percent) >= 0.01 else 0.0
    return f"faults {'give' if share and loss_percent < 0 else 'take'} {share:.3g} %"
