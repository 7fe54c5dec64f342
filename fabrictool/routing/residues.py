"""A regular tree under D-mod-k by numbers alone: a part and a residue say which channel a flow takes.

Channels between switches are numbered level by level, part by part, and within a part by the residue of
the receivers' keys; the channel back has the same number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels.flows import RouteTables
from fabrictool.kernels.residues import PLACE, RESIDUE, Code, add_coded_loads
from fabrictool.routing.flows import Usage

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CodedLevel:
    """The channels above one level of switches.

    Parameters
    ----------
    low : int
        The first number of the level.
    ranks : (parts,) int64
        Ranks in each part.
    inside : (parts, classes) int64
        Those of each part by the residue of their key.
    """

    low: int
    ranks: I8
    inside: I8

    @property
    def part(self) -> slice:
        """The numbers of the level."""
        return slice(self.low, self.low + self.inside.size)


@dataclass(frozen=True)
class CodedTree:
    """All levels, and the channels of the fabric that numbers stand for.

    Parameters
    ----------
    code : (ranks, 2, levels) int32
        Of ``kernels.residues.Code``.
    levels : tuple of CodedLevel
    used : (channels used,) int64
        Numbers that any rank's key leads to.
    channel : (channels used,) int32
        The upward channel of the fabric that each stands for.
    """

    code: Code
    levels: tuple[CodedLevel, ...]
    used: I8
    channel: I4

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return sum(level.inside.size for level in self.levels)

    def put(self, up: F8, down: F8, load: F8) -> None:
        """Set the load of the fabric's channels between switches, (channels,), from those by number."""
        every = len(self.used) == len(up)
        load[self.channel] = up if every else up[self.used]
        load[self.channel ^ 1] = down if every else down[self.used]

    def usage(self, source: I4, target: I4, port: I4, backwards: bool) -> Usage:
        """Return the path of each flow, host links included.

        Parameters
        ----------
        source, target : (flows,) int32
        port : (ranks,) int32
            Upward channel of each rank.
        backwards : bool
            Whether flows go from target to source, by the same links.
        """
        of = np.full(self.size, -1, np.int32)
        of[self.used] = self.channel
        place, residue = self.code.of[:, PLACE], self.code.of[target, RESIDUE]
        leaves = place[source] != place[target]
        up, down = of[place[source] + residue], of[place[target] + residue] ^ 1
        ends = port[source][:, None], port[target][:, None] ^ 1
        path = np.concatenate((ends[0], up, down[:, ::-1], ends[1]), axis=1)
        always = np.ones((len(source), 1), bool)
        used = np.concatenate((always, leaves, leaves[:, ::-1], always), axis=1)
        channel = path[:, ::-1][used] ^ 1 if backwards else path[used]  # a path uses the same places from both ends
        hops = (2 + 2 * leaves.sum(axis=1)).astype(np.int32)
        first = np.concatenate(([0], np.cumsum(hops, dtype=np.int64)))
        return Usage(first, channel, np.ones(len(channel)), hops)

    def put_loads(self, source: I4, target: I4, volume: F8, load: F8) -> None:
        """Set the load of the fabric's channels between switches, (channels,), from flows."""
        up, down = np.zeros(self.size), np.zeros(self.size)
        add_coded_loads(6.0 * len(source))(self.code, source, target, volume, up, down)
        self.put(up, down, load)


def coded_tree(tables: RouteTables, block: I4, classes: I8) -> CodedTree | None:
    """Return a regular tree by numbers, or None if two of them stand for one channel.

    Parameters
    ----------
    tables : RouteTables
    block : (levels, ranks) int32
    classes : (levels,) int64
        As of ``RegularTree``.
    """
    code = np.zeros((len(tables.leaf), 2, len(classes)), np.int32)
    levels, used, channel, low = [], [], [], 0
    for at, count in enumerate(classes.tolist()):
        parts, first, part = np.unique(block[at], return_index=True, return_inverse=True)
        residue = tables.key % count
        code[:, PLACE, at], code[:, RESIDUE, at] = low + part * count, residue
        inside = np.bincount(part * count + residue, minlength=len(parts) * count).reshape(len(parts), count)
        present = np.flatnonzero(inside.any(axis=0))
        used.append((low + np.arange(len(parts))[:, None] * count + present).ravel())
        channel.append(_channels_up(tables, tables.leaf[first], present, at))
        levels.append(CodedLevel(low, np.bincount(part), inside))
        low += inside.size
    every = np.concatenate(channel) if channel else np.zeros(0, np.int32)
    if np.bincount(every, minlength=1).max() > 1:
        return None
    numbers = np.concatenate(used) if used else np.zeros(0, np.int64)
    return CodedTree(Code(code), tuple(levels), numbers, every)


def _channels_up(tables: RouteTables, leaf: I4, key: I8, level: int) -> I4:
    """Return the channels above a level that each of some leaves uses for each of some keys, leaf by leaf."""
    device, wanted = np.repeat(leaf, len(key)), np.tile(key, len(leaf))
    channel = device
    for at in range(level + 1):
        start = tables.first_up[device]
        choice = start + wanted // tables.stride[at] % (tables.first_up[device + 1] - start)
        channel, device = tables.up_channel[choice], tables.up_parent[choice]
    return channel
