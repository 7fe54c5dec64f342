"""The sizes of a dragonfly+ that take the hosts asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fabrictool.explore.dragonfly_sizing import first_of_fewest, per_pair, scopes
from fabrictool.explore.sizing import Intent, counted
from fabrictool.fabric import Fabric

SOURCE = "Shpiner et al., HiPINEB 2017"


@dataclass(frozen=True, slots=True)
class DragonflyPlusSize:
    """Leaves and spines of a group, hosts at a leaf, global ports of a spine, and groups."""

    leaves: int
    spines: int
    hosts_per_leaf: int
    global_per_spine: int
    groups: int

    @property
    def switches(self) -> int:
        """Leaves and spines of all groups."""
        return self.groups * (self.leaves + self.spines)

    def keys(self, switch: str) -> Iterator[str]:
        """Yield the keys of the network that state its switches."""
        yield "dragonfly_plus:"
        yield f"  groups: {self.groups}  # each a full mesh of leaves and spines"
        yield f"  leaves: {self.leaves}  # of a group"
        yield f"  spines: {self.spines}  # of a group; each leaf has one link to each"
        yield f"  hosts_per_leaf: {self.hosts_per_leaf}"
        yield f"  global_per_spine: {self.global_per_spine}  # links to spines of other groups"
        yield "#arrangement: absolute  # which spine bears which global link; by default relative"
        yield f"leaf: {{type: {switch}}}"
        yield f"spine: {{type: {switch}}}"

    def arithmetic(self, intent: Intent, fabric: Fabric) -> Iterator[str]:
        """Yield how the numbers come about, and the links that were counted."""
        l, s, g = self.leaves, self.spines, self.global_per_spine  # noqa: E741
        kept = f" + {intent.reserve} kept free" if intent.reserve else ""
        wide = f" x {intent.lanes} links" if intent.lanes > 1 else ""
        used = self.hosts_per_leaf * intent.lanes + s + intent.reserve
        yield f"a leaf: {counted(self.hosts_per_leaf, 'host')}{wide}{kept} + {s} up = {used} of {intent.ports} ports"
        yield f"a spine: {l} down + {g} global = {l + g} of {intent.ports} ports; as many global as down ({SOURCE})"
        held = l * self.hosts_per_leaf
        two = "; two at least" if intent.total <= held else ""
        least = f"{intent.total:,} hosts / ({l} leaves x {self.hosts_per_leaf}) = {intent.total / held:.4g}"
        yield f"groups: {least} -> {self.groups:,}{two}; at most {s} x {g} + 1 = {s * g + 1:,} can be joined"
        yield f"leaves: {self.groups:,} groups x {l} = {self.groups * l:,}, spines: x {s} = {self.groups * s:,}"
        yield f"links between switches: {scopes(fabric)}, {per_pair(s * g, self.groups)}"


def fewest(intent: Intent) -> DragonflyPlusSize | None:
    """Return the size with the fewest switches that takes the hosts of an intent, None if none does.

    Of several it has the most hosts at a leaf, then the fewest leaves of a group.

    References
    ----------
    A. Shpiner et al., "Dragonfly+: Low Cost Topology for Scaling Datacenters", HiPINEB 2017: with k-port
    switches k/2 leaves and k/2 spines a group, half of the ports of each down, at most (k/2)^2 + 1 groups.
    """
    hosts = np.arange(intent.largest_unit, 0, -1)[:, None]
    spines = np.array([intent.up(each) for each in hosts.ravel().tolist()], np.int64)[:, None]
    leaves = np.arange(2, max(2, intent.ports // 2 + 1))[None, :]
    groups = np.maximum(2, -(-intent.bounded // (leaves * hosts)))
    between = np.maximum(leaves, -(-(groups - 1) // spines))
    switches = groups * (leaves + spines)
    at = first_of_fewest(switches, (leaves + between <= intent.ports) & (switches <= intent.most_switches))
    if at is None:
        return None
    each, width = int(hosts[at[0], 0]), int(spines[at[0], 0])
    return DragonflyPlusSize(int(leaves[0, at[1]]), width, each, int(between[at]), int(groups[at]))


def limit(intent: Intent) -> str:
    """Say why no dragonfly+ is larger."""
    hosts = intent.largest_unit
    if not hosts:
        free = counted(max(0, intent.ports - intent.reserve), "port")
        return f"a leaf has {free} to use for {counted(intent.lanes, 'link')} of a host and as many up as asked"
    spines, half = intent.up(hosts), intent.ports // 2
    return (
        f"{hosts} hosts at a leaf, {half} leaves and {spines} spines a group, each of {half} global ports, are the most"
    )
