"""The kernel that finds which channels forwarding tables use directly one after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import kernel
from fabrictool.kernels.tables import HERE, NOWHERE, Forwarding

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]


@kernel
def turns(tables: Forwarding, target: I4, sends: U1, back: I4, port: I4, block: I8, seen: U1) -> None:
    """Mark every turn that traffic to some targets takes in switches: from a port in to a port out.

    A block of marks stands for each switch: a row for each way in, which is the way out to the same
    neighbour, and one for all terminals on the switch; a column for each way out and each terminal. Each
    switch is left once for each target, from wherever the traffic started.

    Parameters
    ----------
    tables : Forwarding
    target : (targets,) int32
        Terminals.
    sends : (switches,) uint8
        Whether traffic to all targets starts on a switch.
    back : (ways,) int32
        Place of the opposite way among the ways of the neighbour, -1 if there is none.
    port : (terminals,) int32
        Place of each terminal among those of its switch.
    block : (switches + 1,) int64
        Where the marks of each switch start.
    seen : (marks,) uint8
        Gets 1 for each turn.
    """
    switches = len(tables.first) - 1
    passed = np.full(switches, -1, np.int32)
    for place in range(len(target)):
        goal = target[place]
        for start in range(switches):
            here = start
            entry = tables.first[start + 1] - tables.first[start]
            while sends[start] == 1:
                ways = tables.first[here + 1] - tables.first[here]
                way = tables.out[here, goal]
                if way == NOWHERE:
                    break
                column = ways + port[goal] if way == HERE else way
                width = (block[here + 1] - block[here]) // (ways + 1)
                seen[block[here] + entry * width + column] = 1
                if way == HERE or passed[here] == place:
                    break
                passed[here] = place
                entry = back[tables.first[here] + way]
                here = tables.to[tables.first[here] + way]
