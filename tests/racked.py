"""Small fabrics without links, for tests of racks, power and cooling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fabrictool.fabric.tables import KINDS, Devices, Fabric, GpuPorts, Gpus, Links, Ports
from fabrictool.layout.model import Layout

DGX_H100 = {
    "name": "dgx-h100",
    "gpus": 8,
    "nics": 8,
    "speed": "400G",
    "u": 8,
    "power_max": "10.2 kW",
    "weight": "130.45 kg",
    "air_fraction": 1.0,
}
QM9700 = {
    "name": "qm9700",
    "ports": 64,
    "speed": "400G",
    "u": 1,
    "power_max": "1720 W",
    "power_typical": "747 W",
    "weight": "14.8 kg",
}
RACK = {"name": "rack-48u", "u": 48, "tare": "150 kg", "capacity": "1200 kg"}


def host(name: str = "h", **keys: Any) -> dict[str, Any]:
    """An inline host type without figures but for those given."""
    return {"name": name, "gpus": 8, "nics": 1, "speed": "400G"} | keys


def layout(hosts: Any, racks: Any = None, switch: Any = None, **keys: Any) -> Layout:
    """A layout of hosts and, where a switch type is given, one network that names it."""
    document = {"name": "test", "hosts": hosts} | keys
    if racks is not None:
        document["racks"] = racks
    if switch is not None:
        document["networks"] = {"compute": {"family": "fat-tree", "leaf": {"type": switch}}}
    return Layout.model_validate(document)


def fabric(plan: Layout, switches: int = 0) -> Fabric:
    """Devices of a layout: its hosts in order, then leaves of its first switch type."""
    kinds = {"compute": "host", "service": "service"}
    rows = [(kinds[g.role], g.name, g.type.name, g.count) for g in plan.hosts]
    if switches:
        rows.append(("leaf", "leaf", plan.switch_types()[0].name, switches))
    types = tuple(dict.fromkeys(row[2] for row in rows))
    counts = [row[3] for row in rows]
    total = sum(counts)
    column = np.zeros(total, dtype=np.int32)
    devices = Devices(
        kind=np.repeat([KINDS.index(row[0]) for row in rows], counts).astype(np.uint8),
        tier=column.astype(np.int8),
        type=np.repeat([types.index(row[2]) for row in rows], counts).astype(np.int16),
        group=np.repeat(np.arange(len(rows)), counts).astype(np.int16),
        network=column.astype(np.int8),
        plane=column.astype(np.int16),
        rail=column.astype(np.int16),
        pod=column,
        index=np.concatenate([np.arange(count) for count in counts]).astype(np.int32),
        latency_s=column.astype(np.float64),
    )
    i2, i4, f8 = np.zeros(0, np.int16), np.zeros(0, np.int32), np.zeros(0)
    return Fabric(
        name=plan.name,
        devices=devices,
        ports=Ports(i4, i2, i2, f8, i2, i2, i4),
        links=Links(i4, i4, np.zeros(0, np.int8), f8, f8),
        gpus=Gpus(i4, i4, i2, f8, f8),
        gpu_ports=GpuPorts(i4, i4),
        types=types,
        groups=tuple(row[1] for row in rows),
        networks=(),
        widths=(2,) * len(rows),
    )


def vectors(table: str) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a table of reference values."""
    path = Path(__file__).parent / "data" / "power-cooling-vectors.json"
    entry = json.loads(path.read_text(encoding="utf-8"))[table]
    return entry["columns"], entry["rows"]
