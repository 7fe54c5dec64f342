"""Lossless settings of an Ethernet network, and whether its switches have the buffer for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabrictool.fabric.lossless import JUMBO_BYTES, PATH_MTU, ecn_start, longest_cable, pfc_headroom
from fabrictool.fabric.tables import F8, KINDS, Fabric
from fabrictool.records import Finding
from fabrictool.units import format_speed

#: Priorities of a port that are lossless; the preset of NVIDIA Cumulus Linux, "RDMA over Converged Ethernet
#: - RoCE", mode lossless: priority 3 alone.
PRIORITIES = 1


@dataclass(frozen=True, slots=True)
class SwitchBuffer:
    """The switch of a kind and type that needs most.

    ``need_bytes`` is the headroom of all its connected ports, ``buffer_bytes`` what it has and
    ``max_length_m`` the longest cable at all ports, None where no buffer is published.
    """

    kind: str
    type: str
    ports: int
    need_bytes: float
    buffer_bytes: float | None
    max_length_m: float | None


@dataclass(frozen=True)
class LosslessNetwork:
    """What to set on a RoCE network, and what its switches must hold.

    ``headroom_bytes`` is of one port and priority, by place: ``host`` or ``fabric`` links.
    """

    network: str
    length_m: Mapping[str, float]
    headroom_bytes: Mapping[str, float]
    switches: tuple[SwitchBuffer, ...]
    speeds_bps: tuple[float, ...]

    @property
    def tightest(self) -> SwitchBuffer:
        """The switch with the least buffer over need; where none is known, the one that needs most."""
        known = [row for row in self.switches if row.buffer_bytes is not None]
        if known:
            return min(known, key=lambda row: (row.buffer_bytes or 0) / row.need_bytes)
        return max(self.switches, key=lambda row: row.need_bytes)

    def to_dict(self) -> dict[str, Any]:
        """Return what stands under ``lossless`` in the JSON of ``score``."""
        tightest = self.tightest
        return {
            "mtu_bytes": JUMBO_BYTES,
            "roce_mtu_bytes": PATH_MTU,
            "lossless_priorities": PRIORITIES,
            "cable_length_m": dict(self.length_m),
            "headroom_bytes_per_port": dict(self.headroom_bytes),
            "switch_type": tightest.type,
            "buffer_need_bytes": tightest.need_bytes,
            "buffer_bytes": tightest.buffer_bytes,
            "max_length_m": tightest.max_length_m,
            "ecn": {format_speed(speed): ecn_start(speed) for speed in self.speeds_bps},
        }

    def findings(self) -> Iterator[Finding]:
        """Yield an error if buffers are too small, and a note that names unknown ones."""
        where = f"network {self.network}"
        short = [row for row in self.switches if row.buffer_bytes is not None and row.need_bytes > row.buffer_bytes]
        if short:
            row = self.tightest
            lengths = ", ".join(f"{value:g} m at {place} links" for place, value in self.length_m.items())
            others = "".join(f"; a {other.kind} {other.type} has too little, too" for other in short if other != row)
            what = (
                f"a {row.kind} {row.type} needs {row.need_bytes / 1e6:.4g} MB of headroom for {row.ports} ports "
                f"({lengths}), but has {(row.buffer_bytes or 0) / 1e6:.4g} MB{others}"
            )
            fix = f"shorten cables to {row.max_length_m:,.0f} m, connect fewer ports, or choose a deeper buffer"
            yield Finding("cable-beyond-buffer", "error", where, what, fix)
        unknown = sorted({row.type for row in self.switches if row.buffer_bytes is None})
        if unknown:
            what = f"no packet buffer published: {', '.join(unknown)} (headroom not checked)"
            fix = "give it in the type, such as buffer: 160 MB"
            yield Finding("buffer-unknown", "note", where, what, fix)


def lossless_network(
    fabric: Fabric, network: int, length_m: Mapping[str, float], buffers: Mapping[str, float]
) -> LosslessNetwork | None:
    """Return the lossless settings of a network; None where no link has a known speed.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.
    length_m : mapping of str to float
        Length of cables in m at ``host`` and ``fabric`` links.
    buffers : mapping of str to float
        Packet buffer in bytes by switch type, where published.
    """
    links, tier = fabric.links, fabric.devices.tier
    rows = np.flatnonzero((links.network == network) & (links.speed_bps > 0))
    if not len(rows):
        return None
    a, z = fabric.ends[0][rows], fabric.ends[1][rows]
    speed, at_host = links.speed_bps[rows], tier[a] == 0
    length = np.where(at_host, length_m["host"], length_m["fabric"])
    need = pfc_headroom(speed, length)
    headroom = {
        place: float(need[inside].max()) for place, inside in (("host", at_host), ("fabric", ~at_host)) if inside.any()
    }
    ends, both = np.concatenate((z, a[~at_host])), np.concatenate((np.arange(len(rows)), np.flatnonzero(~at_host)))
    return LosslessNetwork(
        fabric.networks[network].name,
        {place: length_m[place] for place in headroom},
        headroom,
        tuple(_worst_switches(fabric, ends, need[both], speed[both], buffers)),
        tuple(np.unique(speed).tolist()),
    )


def _worst_switches(
    fabric: Fabric, device: np.ndarray, need: F8, speed: F8, buffers: Mapping[str, float]
) -> Iterator[SwitchBuffer]:
    """Yield for each kind and type the switch that needs most; rows are connected ports."""
    devices = fabric.devices
    total = PRIORITIES * np.bincount(device, need, len(devices))
    switches = np.unique(device)
    label = np.column_stack((devices.kind, devices.type))[switches]
    for kind, which in np.unique(label, axis=0).tolist():
        rows = switches[(label == (kind, which)).all(axis=1)]
        worst = int(rows[total[rows].argmax()])
        name = fabric.types[which]
        speeds = speed[device == worst]
        have = buffers.get(name)
        longest = None if have is None else longest_cable(have, speeds, PRIORITIES)
        yield SwitchBuffer(KINDS[kind], name, len(speeds), float(total[worst]), have, longest)
