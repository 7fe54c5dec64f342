"""What the owner of a fabric should know about changes.

A change that takes the network from hosts that were not failed or drained themselves is an error. A drain
that stops hosts homed only on what is drained is expected, and a warning, like a single point of failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from fabrictool.changes.effects import Impact
from fabrictool.changes.job_losses import JobLoss
from fabrictool.changes.ranking import Loss
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.fabric.tables import Bool
from fabrictool.records import Finding

#: Share of a bandwidth whose loss is worth a word.
WORTH = 0.01
NAMED = 6


def change_findings(fabric: Fabric, what: str, found: Impact, faults: Faults, drain: bool = False) -> Iterator[Finding]:
    """Yield what a change takes.

    Parameters
    ----------
    fabric : Fabric
    what : str
        The change, in words.
    found : Impact
    faults : Faults
        All that is down with the change.
    drain : bool
        Whether hosts that hang on what is drained are expected to stop.
    """
    where = f"network {found.network}"
    down, hung = _names(fabric, faults.device), _names(fabric, _hung(fabric, faults))
    hit = [name for name in (*found.hosts_lost, *found.hosts_impaired) if name not in down]
    stopped = [name for name in hit if drain and (name in hung or name in found.hosts_impaired)]
    cut = [name for name in hit if name not in set(stopped)]
    if stopped:
        fix = "move their jobs away first, or attach each host to a second switch"
        yield Finding("drain-stops-hosts", "warning", where, f"{what}: stops {_hosts(stopped)}", fix)
    if cut:
        fix = "attach these hosts to a second switch, or mend what is down"
        yield Finding("hosts-cut-off", "error", where, f"{what}: takes the network from {_hosts(cut)}", fix)
    apart = found.pairs_lost - _pairs_of_lost(found)
    if apart > 0:
        fix = "join them by another path"
        what_now = f"{what}: {apart:,} ordered pairs of endpoints that are up no longer reach each other"
        yield Finding("pairs-cut", "error", where, what_now, fix)
    lost = max(found.all_reduce_lost or 0.0, found.all_to_all_lost or 0.0)
    if lost >= WORTH:
        numbers = f"{_percent(found.all_reduce_lost)} of all-reduce, {_percent(found.all_to_all_lost)} of all-to-all"
        fix = f"relieve {found.hot[0].link}, the busiest then" if found.hot else "mend it first"
        yield Finding("bandwidth-lost", "warning", where, f"{what}: loses {numbers} bandwidth", fix)


def ranking_findings(fabric: Fabric, network: str, ranking: Iterable[Loss]) -> Iterator[Finding]:
    """Yield a finding for each kind of which the loss of one takes the network from hosts that are not in it."""
    by_kind: dict[str, list[Loss]] = {}
    for loss in ranking:
        by_kind.setdefault(loss.kind, []).append(loss)
    for kind, losses in by_kind.items():
        single = [loss for loss in losses if loss.pairs_lost > 0]
        if not single or any((fabric.devices.tier[list(loss.domain.devices)] == 0).any() for loss in single):
            continue
        worst = max(single, key=lambda loss: (loss.hosts_lost + loss.hosts_impaired, loss.pairs_lost))
        hosts = worst.hosts_lost + worst.hosts_impaired
        takes = f"stops {hosts:,} host{'s' * (hosts != 1)}" if hosts else f"parts {worst.pairs_lost:,} pairs"
        what = f"{len(single):,} of {len(losses):,} of kind {kind}: the loss of {worst.domain.name} alone {takes}"
        fix = "accept it, or attach hosts to two switches that do not depend on each other"
        yield Finding("single-loss", "warning", f"network {network}", what, fix)


def stopped_job_finding(
    network: str, losses: Iterable[tuple[str, float | None, Sequence[JobLoss]]]
) -> Iterator[Finding]:
    """Yield why a collective may have lost all where the usual figure says a few percent.

    Parameters
    ----------
    network : str
    losses : iterable of (str, float or None, sequence of JobLoss)
        What is lost, the share of all-reduce bandwidth that goes with it, and what it takes from collectives.
    """
    stopped = [
        (share, name, job)
        for name, share, jobs in losses
        for job in jobs
        if share is not None and share < 1.0 and job.after.time_s is None and job.before.time_s is not None
    ]
    if stopped:
        share, name, job = min(stopped, key=lambda row: row[0])
        message = (
            f"{name} stops {job.title}, which needs all of its ranks: 100 % lost; "
            f"the usual figures let the others close up: {_percent(share)} of all-reduce"
        )
        fix = "read the first for a job that runs, the other for one that starts anew without the ranks that are lost"
        yield Finding("job-stops", "note", f"network {network}", message, fix)


def bound_finding(network: str, ranking: Iterable[Loss]) -> Iterator[Finding]:
    """Yield that bandwidths are bounds, where the network was not routed anew for each loss."""
    if any(loss.bound for loss in ranking):
        message = "too large to be routed anew for each loss: shares are of what the network gives at most, by cuts"
        yield Finding(
            "bandwidth-bounds", "note", f"network {network}", message, "fail one of them by --fail-domain to route it"
        )


def _hung(fabric: Fabric, faults: Faults) -> Bool:
    """Return the devices all of whose links are down, (devices,)."""
    up = np.zeros(len(fabric.devices), bool)
    for end in fabric.ends:
        up[end[~faults.links.dead]] = True
    return ~up


def _pairs_of_lost(found: Impact) -> int:
    """Return the ordered pairs that are lost because one of their ends is, if all reached each other."""
    before, after = found.before.endpoints, found.after.endpoints
    lost = before * (before - 1) - after * (after - 1)
    return min(lost, found.pairs_lost) if found.before.pairs == before * (before - 1) else found.pairs_lost


def _names(fabric: Fabric, chosen: Bool) -> set[str]:
    return {fabric.names[row] for row in np.flatnonzero(chosen).tolist()}


def _hosts(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    return f"{len(names):,} host{'s' * (len(names) != 1)} ({shown})"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.3g} %"
