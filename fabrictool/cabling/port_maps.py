"""Port maps: what each port of each switch is plugged into, free ports among them."""

from __future__ import annotations

from collections.abc import Sequence

from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.rows import places_of
from fabrictool.fabric.tables import KINDS
from fabrictool.formats.linked import port_words
from fabrictool.formats.workbooks import Cell
from fabrictool.records import CableEnd, CableRow

HEADER = (
    "device", "cage", "port", "alias", "rack", "unit", "side", "kind", "peer", "peer_port", "peer_rack", "peer_unit",
    "network", "speed_gbps", "cable_id", "media", "length_m", "colour",
)  # fmt: skip
FREE = "free"


def port_map(
    plan: CablePlan, rows: Sequence[CableRow], aliases: Sequence[str] | None = None
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Return header and rows of a table of all ports of switches, switch by switch in the order of their ports.

    Links inside a device are left out, as no cable is plugged there. ``aliases`` are what the devices' systems call
    ports, (ports,).
    """
    fabric = plan.fabric
    plugged: dict[tuple[str, str], tuple[CableRow, CableEnd]] = {}
    for row in rows:
        for near, far in ((row.a, row.z), (row.z, row.a)):
            plugged[near.place.device, near.port] = row, far
    words, places, ports = port_words(fabric), places_of(plan), fabric.ports
    cage = (plan.cages.cages.number[plan.cages.of_port] + 1).tolist()
    peer, first = ports.peer.tolist(), fabric.first_port.tolist()
    kinds, tiers = fabric.devices.kind.tolist(), fabric.devices.tier.tolist()
    sides = plan.seats.sides() if plan.seats else [""] * len(kinds)
    lines: list[tuple[Cell, ...]] = []
    for device, name in enumerate(fabric.names):
        if tiers[device] == 0:
            continue
        place = places[device]
        for port in range(first[device], first[device + 1]):
            found = plugged.get((name, words[port]))
            if found is None and peer[port] >= 0:
                continue
            alias = aliases[port] if aliases is not None and aliases[port] != words[port] else ""
            own = (name, cage[port], words[port], alias, place.rack, place.unit, sides[device], KINDS[kinds[device]])
            lines.append((*own, *(_plugged(*found) if found else (FREE, *(None,) * 9))))
    return _used(lines)


def _plugged(row: CableRow, far: CableEnd) -> tuple[Cell, ...]:
    place = far.place
    return (
        place.device, far.called, place.rack, place.unit, row.network, row.speed_bps / 1e9 or None, row.cable_id,
        row.media, row.length_m, row.colour,
    )  # fmt: skip


def _used(lines: list[tuple[Cell, ...]]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Leave out columns that are empty in all rows."""
    columns = list(zip(*lines, strict=True)) or [()] * len(HEADER)
    kept = [place for place, cells in enumerate(columns) if not {*cells} <= {None, ""}]
    return tuple(HEADER[place] for place in kept), list(zip(*(columns[place] for place in kept), strict=True))
