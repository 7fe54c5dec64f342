"""Four units of four hosts with four rails, for tests of which switches share a rack."""

from __future__ import annotations

from typing import Any

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.placement import Placement

HOST = {"name": "h", "gpus": 4, "nics": 4, "speed": "400G", "u": 8, "power_max": "8 kW",
        "scale_up": {"domain": 4, "speed": "3.6T", "latency": "1 us"}}  # fmt: skip
SWITCH = {"name": "s", "ports": 32, "speed": "400G", "u": 1, "power_max": "2 kW"}


def tree(hosts: int = 16, limit: str = "32 kW", racks: dict[str, Any] | None = None, **placing: str) -> dict[str, Any]:
    """Four units of four hosts with four rails: sixteen leaves, four spines."""
    network = {"family": "rail-optimized", "speed": "400G", "scalable_unit": {"hosts": 4}, "leaf": {"type": SWITCH},
               "spine": {"type": SWITCH, "count": 4}}  # fmt: skip
    return {
        "name": "case", "hosts": {"type": HOST, "count": hosts}, "networks": {"compute": network},
        "racks": {"type": "rack-48u", "power_limit": limit} | (racks or {}), "placement": placing,
    }  # fmt: skip


def shared(fabric: Fabric, placement: Placement, tier: int, column: str) -> list[list[int]]:
    """What switches of a tier in each rack of switches have in a column."""
    mine = fabric.devices.tier == tier
    racks = np.unique(placement.rack[fabric.devices.tier > 0])
    return [sorted(getattr(fabric.devices, column)[mine & (placement.rack == rack)].tolist()) for rack in racks]
