"""Which GPUs of a layout the ranks of a measured run stand for."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.tables import I4
from fabrictool.formats.measurements import Run


def gpus_of(run: Run, fabric: Fabric) -> I4:
    """Return the GPU of each rank of a run.

    Hosts that bear names of the layout are these; others stand for the layout's first hosts in the order of their
    ranks. Where the source does not tell hosts, the ranks are the first GPUs.

    Raises
    ------
    InputError
        If the layout has fewer GPUs or hosts than the run, or fewer GPUs in a host.
    """
    total = len(fabric.gpus)
    ranks = run.ranks or total
    if ranks > total:
        raise _too_many(run, f"{ranks} ranks ran, but the layout has {total} GPUs")
    if len(run.hosts) != ranks:
        return np.arange(ranks, dtype=np.int32)
    first, count = np.unique(fabric.gpus.host, return_index=True, return_counts=True)[1:]
    place = _places(run, fabric)
    if len(first) <= max(place.values()):
        raise _too_many(run, f"{len(place)} hosts took part, but the layout has {len(first)} with GPUs")
    used = np.zeros(len(first), np.int64)
    found = np.empty(ranks, np.int32)
    for rank, host in enumerate(run.hosts):
        row = place[host]
        if used[row] >= count[row]:
            raise _too_many(run, f"more ranks ran on {host} than the {count[row]} GPUs of a host of the layout")
        found[rank] = first[row] + used[row]
        used[row] += 1
    return found


def _places(run: Run, fabric: Fabric) -> dict[str, int]:
    """Return the place of each host of a run among the layout's hosts with GPUs."""
    named = {fabric.names[row]: at for at, row in enumerate(np.unique(fabric.gpus.host).tolist())}
    hosts = list(dict.fromkeys(run.hosts))
    if all(host in named for host in hosts):
        return {host: named[host] for host in hosts}
    return {host: at for at, host in enumerate(hosts)}


def _too_many(run: Run, what: str) -> InputError:
    return InputError([Problem(f"{run.file}:{run.line}:1", what, "give the layout that was measured, or another log")])
