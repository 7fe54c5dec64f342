"""Which links may share a cable: assemblies between whole cages, splitters, and fibres of one connector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.cages import CagePlan, used_cages
from fabrictool.fabric.tables import I4, Bool, Fabric

I8 = npt.NDArray[np.int64]
Ints = npt.NDArray[np.signedinteger]
#: Where a link shares with none.
ALONE = -1
#: Rules by which cables are counted: the end whose cages count, 0 for the lower.
ENDS = {"per-cage": 0, "per-upper-cage": 1}


@dataclass(frozen=True)
class Sharing:
    """Groups of links that may share one cable, (links,) each.

    ``group`` is a number for each group, -1 for a link alone; ``split`` is 0 for a cable with two ends, n for one
    with its single end at the lower end of n links, -n for one with it at the upper end.
    """

    group: I8
    split: I4

    def dropped(self, links: Bool) -> Sharing:
        """Return the groups without some links, which are then alone."""
        return Sharing(np.where(links, ALONE, self.group), np.where(links, 0, self.split).astype(np.int32))


def assemblies(fabric: Fabric, cages: CagePlan, inside: Bool) -> Sharing:
    """Return which links may share an assembly with ends of its own, where cables are counted by cages.

    All links of the cage that counts share it: to one other cage, which they fill too, or each to a cage of one port.
    """
    links = fabric.links
    both = np.stack([cages.of_port[links.port_a], cages.of_port[links.port_z]])
    used = used_cages(cages, np.concatenate((links.port_a[inside], links.port_z[inside])))
    end = _counted_end(fabric)
    chosen = inside & (end >= 0)
    cage, other = (both[np.maximum(end, 0) ^ turned, np.arange(len(end))] for turned in (0, 1))
    count = np.bincount(cage[chosen], minlength=len(used))
    full = chosen & (count[cage] == used[cage]) & (count[cage] > 1)
    speed, ports = cages.speed_bps, cages.cages.ports
    straight = _all_of(cage, full & np.isclose(speed[cage], speed[other]) & (used[other] == count[cage]), count)
    straight &= _one_other(cage, other, straight, len(used))
    split = _all_of(cage, full & (used[other] == 1) & (ports[other] == 1) & _alike(cages, other, cage, full), count)
    legs = np.where(split, np.where(end == 0, count[cage], -count[cage]), 0)
    group = np.where(straight | split, cage.astype(np.int64) * 2 + np.maximum(end, 0), ALONE)
    return Sharing(group, legs.astype(np.int32))


def _counted_end(fabric: Fabric) -> I4:
    """Return the end whose cages are counted as cables, (links,): 0 for the lower, 1, or -1 for one a link."""
    a, links = fabric.ends[0], fabric.links
    outside = (fabric.devices.tier[a] == 0) | (fabric.devices.network[a] != links.network)
    rules = [[ENDS.get(row.cables, -1), ENDS.get(row.host_cables, -1)] for row in fabric.networks]
    return np.asarray(np.array(rules, np.int32).reshape(-1, 2)[links.network, outside.astype(int)], np.int32)


def _all_of(cage: I4, fit: Bool, count: npt.NDArray[np.integer]) -> Bool:
    """Say of each link whether all links of its cage fit."""
    return np.asarray(fit & (np.bincount(cage, fit, len(count))[cage] == count[cage]), np.bool_)


def _one_other(cage: Ints, other: Ints, chosen: Bool, cages: int) -> Bool:
    """Say of each link whether all chosen links of its cage lead to one other cage."""
    low, high = np.full(cages, 2**62, np.int64), np.full(cages, -1, np.int64)
    np.minimum.at(low, cage[chosen], other[chosen])
    np.maximum.at(high, cage[chosen], other[chosen])
    return np.asarray(low[cage] == high[cage], np.bool_)


def _alike(cages: CagePlan, other: I4, cage: I4, chosen: Bool) -> Bool:
    """Say of each link whether all chosen links of its cage lead to cages of one kind."""
    kind = cages.cages.kind[other]
    return _one_other(cage, kind, chosen, len(cages.cages))


def fibres(fabric: Fabric, cages: CagePlan, links: I8, plug_lanes: int, lanes: I4) -> Sharing:
    """Return which links share a fibre cable, as a connector carries more lanes than a link has.

    Links of one connector share a straight cable if they lead to one other connector, and a splitter if each leads to
    a connector of its own.

    Parameters
    ----------
    links : ndarray of int64, (some,)
        Links that fibres join.
    plug_lanes : int
        Lanes of a connector each way.
    lanes : ndarray of int32, (links,)
        Of each link.
    """
    group, split = np.full(len(fabric.links), ALONE, np.int64), np.zeros(len(fabric.links), np.int32)
    few = links[(lanes[links] > 0) & (lanes[links] < plug_lanes)]
    if not len(few):
        return Sharing(group, split)
    ends = [_receptacles(cages, port[few], plug_lanes) for port in (fabric.links.port_a, fabric.links.port_z)]
    count = [np.bincount(place)[place] for place in ends]
    mates = [np.bincount(here, count[1 - end] == 1)[here] for end, here in enumerate(ends)]
    for end, turned in ((0, 1), (1, -1)):
        alone = (count[end] > 1) & (mates[end] == count[end])
        group[few[alone]], split[few[alone]] = ends[end][alone] * 2 + end, turned * count[end][alone]
    every = np.ones(len(few), np.bool_)
    pair = (count[0] > 1) & (count[0] == count[1]) & _one_other(ends[0], ends[1], every, int(ends[0].max()) + 1)
    group[few[pair]] = ends[0][pair] * 2
    return Sharing(group, split)


def _receptacles(cages: CagePlan, port: I4, plug_lanes: int) -> I8:
    """Return a number of the connector that each port's lanes go through, (ports,)."""
    cage = cages.of_port[port]
    lanes = np.array([kind.socket.lanes if kind.socket else 1 for kind in cages.kinds])[cages.cages.kind[cage]]
    leg = port - _first_port(cages)[cage]
    return np.asarray(cage.astype(np.int64) * 8 + leg * (lanes // cages.cages.ports[cage]) // plug_lanes, np.int64)


def _first_port(cages: CagePlan) -> I8:
    first = np.full(len(cages.cages), len(cages.of_port), np.int64)
    np.minimum.at(first, cages.of_port, np.arange(len(cages.of_port)))
    return first
