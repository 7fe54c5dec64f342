"""Collectives without a time, because their ranks do not reach each other: which, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.fabric.tables import I4
from fabrictool.records import Finding

#: Algorithms that stay on one rail between domains.
ON_RAILS = ("pxn", "hierarchical")
NAMED = 4


def unreachable_findings(
    results: Sequence[CollectiveResult], jobs: Iterable[Job], transport: Transport, down: bool
) -> Iterator[Finding]:
    """Yield which collectives have no time, once a job.

    Parameters
    ----------
    results : sequence of CollectiveResult
    jobs : iterable of Job
        Those that the results are of.
    transport : Transport
    down : bool
        Whether anything is down.
    """
    asked = {job.number: job for job in jobs}
    lost = {result.job: result for result in results if result.time_s is None}
    for number, row in lost.items():
        fix = ways_out(transport, transport.ranks_of(asked[number]), row.algorithm, down)
        yield Finding("unreachable-ranks", "error", f"job {number}: {row.collective}", row.limited_by, fix)


def ways_out(transport: Transport, ranks: I4, algorithm: str, down: bool) -> str:
    """Return what helps ranks that do not reach each other, by why they do not."""
    wiring = transport.wiring
    dark = ranks[(wiring.up[ranks] < 0).all(axis=1)]
    if len(dark):
        names = ", ".join(wiring.rank_name(rank) for rank in dark[:NAMED].tolist())
        names += f" and {len(dark) - NAMED:,} more" if len(dark) > NAMED else ""
        return f"mend what is down, or leave out the ranks without a port that is up: {names}"
    found = ["mend what is down", "leave out the ranks that it parts"] if down else []
    if all((part[ranks] == part[ranks[:1]]).all() for part in transport.part):
        return ", or ".join([*found, "choose a routing that knows a way, such as min-hop"])
    domain = wiring.domain[ranks[wiring.scale_up[ranks] >= 0]]
    if algorithm not in ON_RAILS and len(np.unique(domain)) < len(domain):
        found.append(f"choose an algorithm that changes rails inside domains, such as {' or '.join(ON_RAILS)}")
    return ", or ".join([*found, "join the parts by switches"])
