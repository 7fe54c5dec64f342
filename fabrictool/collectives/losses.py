"""What of a collective's bandwidth is lost against the same one elsewhere."""

from __future__ import annotations

from dataclasses import replace

from fabrictool.collectives.workloads import CollectiveResult


def with_loss(result: CollectiveResult, healthy: CollectiveResult) -> CollectiveResult:
    """Return a result with the time that it takes where nothing is down or slow, and what is lost against that."""
    return replace(result, healthy_time_s=healthy.time_s, loss_percent=loss_percent(healthy, result))


def loss_percent(before: CollectiveResult, after: CollectiveResult) -> float | None:
    """Return how much of a collective's bus bandwidth is lost, in percent; below 0 where it is won.

    All is lost where ranks no longer reach each other; None where there was none before.
    """
    if not before.busbw_bytes_per_s:
        return None
    if after.time_s is None:
        return 100.0
    lost = 100.0 * (1.0 - (after.busbw_bytes_per_s or 0.0) / before.busbw_bytes_per_s)
    return 0.0 if abs(lost) < 1e-9 else lost
