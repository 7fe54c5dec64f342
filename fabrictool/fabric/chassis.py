"""Directors: several switch chips in one chassis, joined inside it without cables."""

from __future__ import annotations

import numpy as np

from fabrictool.fabric.tables import Bool, Devices, Fabric


def boxes(devices: Devices) -> Bool:
    """Say of each device whether it stands for a box of its own: the first chip does for its chassis, (devices,)."""
    alone = np.ones(len(devices), bool)
    if devices.chassis is not None:
        inside = np.flatnonzero(devices.chassis >= 0)
        _, first = np.unique(devices.chassis[inside], return_index=True)
        alone[inside] = False
        alone[inside[first]] = True
    return alone


def chassis_names(fabric: Fabric) -> dict[str, list[int]]:
    """Return the rows of the chips of each director by its name, which stands before the board in theirs."""
    found: dict[str, list[int]] = {}
    if fabric.devices.chassis is not None:
        for row in np.flatnonzero(fabric.devices.chassis >= 0).tolist():
            found.setdefault(box_name(fabric, row), []).append(row)
    return found


def box_name(fabric: Fabric, device: int) -> str:
    """Return what the box of a device is called: of a chip of a director what stands before the board in its name."""
    chassis = fabric.devices.chassis
    name = fabric.names[device]
    return name if chassis is None or chassis[device] < 0 else name.partition("/")[0]


def type_title(fabric: Fabric, device: int) -> str:
    """Return what one device is: its type, or a chip of that type of director."""
    devices = fabric.devices
    title: str = fabric.types[devices.type[device]]
    return f"{title} chip" if devices.chassis is not None and devices.chassis[device] >= 0 else title


def director_count(devices: Devices, network: int | None = None) -> int:
    """Return the number of directors, of all networks or of one."""
    if devices.chassis is None:
        return 0
    chosen = devices.chassis >= 0
    if network is not None:
        chosen &= devices.network == network
    return len(np.unique(devices.chassis[chosen]))


def backplane_links(fabric: Fabric) -> Bool:
    """Say of each link whether it lies inside a chassis, (links,)."""
    chassis = fabric.devices.chassis
    if chassis is None:
        return np.zeros(len(fabric.links), bool)
    a, z = fabric.ends
    return np.asarray((chassis[a] >= 0) & (chassis[a] == chassis[z]), np.bool_)
