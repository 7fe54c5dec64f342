"""Links between the switches that carry terminals and all others, over what is up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import I4
from fabrictool.routing.minimal_ways import hops_to_seats
from fabrictool.routing.wiring import Wiring

U1 = npt.NDArray[np.uint8]


def seats(wiring: Wiring) -> I4:
    """Return the switches that carry terminals, as places in ``wiring.switch``, (seats,)."""
    found = np.unique(wiring.terminals.seat)
    return found[found >= 0].astype(np.int32)


def distances(wiring: Wiring, source: I4 | None = None) -> U1:
    """Return the links between switches.

    Parameters
    ----------
    wiring : Wiring
    source : (sources,) int32, optional
        Places in ``wiring.switch``; by default the seats.

    Returns
    -------
    (sources, switches) uint8
        255 where there is no way, or one of 255 links or more.
    """
    source = seats(wiring) if source is None else source
    return hops_to_seats(wiring, source[:, None])
