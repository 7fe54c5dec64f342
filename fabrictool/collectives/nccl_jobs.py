"""Jobs under the model ``nccl``: what the library would choose at each size, and the time that it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fabrictool.catalogue.types import HostType
from fabrictool.collectives.nccl.asked import Answer, Asked, answer, check
from fabrictool.collectives.nccl.derive import derive, hosts_of
from fabrictool.errors import InputError
from fabrictool.fabric.tables import I4
from fabrictool.records import Assumption
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Tuned:
    """What NCCL answers a job, and what was derived for that."""

    answer: Answer
    assumptions: tuple[Assumption, ...]


def tuned(
    wiring: Wiring, ranks: I4, asked: Asked, sizes: tuple[float, ...], types: Mapping[str, HostType]
) -> Tuned | None:
    """Return what NCCL chooses for a job on some ranks; None for a rank alone.

    Raises
    ------
    InputError
        If something is not known of the hosts, or what is asked for is not to be had.
    """
    check(asked)
    if len(ranks) < 2:
        return None
    try:
        derived = derive(wiring, ranks, types)
    except InputError as error:
        path = (*asked.path, "model") if asked.path else ()
        raise InputError([replace(problem, path=path) for problem in error.problems]) from None
    return Tuned(answer(derived.system, asked, sizes), derived.assumptions)


def apart(wiring: Wiring, ranks: I4) -> tuple[int, int] | None:
    """Return two ranks that neither switches nor scale-up nor their hosts join, None where all are joined.

    The library passes data on inside a host (PXN), so ranks on different rails of a host are joined.
    """
    host = hosts_of(wiring, ranks)
    hosts, of_host = np.unique(host, return_inverse=True)
    parts = np.stack([wiring.parts_of(lane)[ranks] for lane in range(wiring.lanes.shape[1])], axis=1)
    rank, lane = np.nonzero((parts >= 0) & (wiring.up[ranks] >= 0))
    size = len(hosts) + int(parts.max(initial=-1)) + 1
    ones = np.ones(len(rank), np.int8)
    edges = coo_array((ones, (of_host[rank], len(hosts) + parts[rank, lane])), shape=(size, size))
    label = connected_components(edges, directed=False)[1][of_host]
    other = np.flatnonzero(label != label[0])
    return (int(ranks[0]), int(ranks[other[0]])) if len(other) else None
