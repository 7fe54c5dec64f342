"""Kernels that count flows on a regular tree by parts and residues, without walking its switches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fabrictool.kernels.jit import kernel

I4 = npt.NDArray[np.int32]
F8 = npt.NDArray[np.float64]

#: Halves of a rank's code.
PLACE, RESIDUE = 0, 1


class Code(NamedTuple):
    """Ranks of a regular tree by numbers, side by side as they are read together.

    Parameters
    ----------
    of : (ranks, 2, levels) int32
        The sum of the sender's place and the receiver's residue is the number of the channel up, that of the
        receiver's own two that of the channel down; equal places are one part, which a flow does not leave.
    """

    of: I4


@kernel
def add_coded_loads(code: Code, source: I4, target: I4, volume: F8, up: F8, down: F8) -> None:
    """Add the volume of each flow to the channels on its path, by number.

    Parameters
    ----------
    code : Code
    source, target : (flows,) int32
    volume : (flows,) float64
    up, down : (channels,) float64
        Get the volumes.
    """
    of = code.of
    levels = of.shape[2]
    for flow in range(len(source)):
        here, there = source[flow], target[flow]
        for level in range(levels):
            if of[here, PLACE, level] == of[there, PLACE, level]:
                break
            residue = of[there, RESIDUE, level]
            up[of[here, PLACE, level] + residue] += volume[flow]
            down[of[there, PLACE, level] + residue] += volume[flow]
