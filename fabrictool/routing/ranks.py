"""A network with all GPUs as endpoints: what collectives run over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.routing.wiring import Wiring, wiring


class NotJoinedError(NotSupportedError):
    """A network that does not join all GPUs alike, whatever its routing."""


def rank_wiring(fabric: Fabric, network: int, faults: Faults | None = None) -> Wiring:
    """Return a network with one endpoint for each rank: the GPUs, or the hosts of a fabric without GPUs.

    Raises
    ------
    NotJoinedError
        If GPUs have no port or unequally many ports in it.
    """
    size = len(fabric.gpus)
    found = wiring(fabric, network, faults, by_gpu=True if size else None)
    if not size:
        return _first(found, found.hosts, found.lanes.shape[1])
    name = fabric.networks[network].name
    present = np.count_nonzero(found.gpu >= 0)
    if present < size:
        what = f"{size - present} GPUs have no port in network {name}"
        raise NotJoinedError([Problem("", what, "attach a port of every GPU", ("networks", name))])
    uses = np.count_nonzero(found.lanes[:size] >= 0, axis=1)
    if (uses != uses[0]).any():
        what = f"GPUs have {int(uses.min())} to {int(uses.max())} ports in network {name}"
        fix = "attach equally many ports of every GPU"
        raise NotJoinedError([Problem("", what, fix, ("networks", name))])
    return _first(found, size, int(uses[0]))


def _first(found: Wiring, size: int, lanes: int) -> Wiring:
    """Return the wiring of the first endpoints alone."""
    return replace(
        found, lanes=found.lanes[:size, :lanes], hosts=size, device=found.device[:size], gpu=found.gpu[:size]
    )
