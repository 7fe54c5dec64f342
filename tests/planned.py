"""Cable plans for tests, made the way a user would: from layouts."""

from __future__ import annotations

from typing import Any

from fabrictool.cabling.plan import CablePlan, plan_cables
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import rack_limits

#: Figures of a hall that ways are worked out by hand for: nothing of it is assumed.
HALL: dict[str, Any] = {
    "site": "dc1",
    "room": "hall-a",
    "rows": {"count": 2, "racks": 3, "network": "end"},
    "pitch": {"rack": "0.6 m", "depth": "1.2 m", "cold_aisle": "1.2 m", "hot_aisle": "1 m"},
    "trays": {"cross": 1, "above": "0.3 m", "width": "0.3 m", "depth": "0.1 m", "fill": 0.4, "side": "0.3 m",
              "slack": "0.3 m", "bend": "0.05 m"},
}  # fmt: skip


def plan_of(layout: Layout) -> CablePlan:
    """Plan the cables of a layout."""
    fabric = build(layout)
    return plan_cables(layout, fabric, place(layout, fabric, rack_limits(layout).limit_w))


def planned(tree: dict[str, Any]) -> CablePlan:
    """Plan the cables of a layout that is given as a mapping."""
    return plan_of(layout_from_tree(tree))


def nic(speed: str = "400G", cage: str | None = "QSFP112", count: int = 1, **more: Any) -> dict[str, Any]:
    """A group of adapters with a cage."""
    found = {"role": "compute", "count": count, "speed": speed} | more
    return found | ({"cage": cage} if cage else {})


def host(*nics: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An inline host type of 8 units."""
    return {"name": "h", "gpus": 1, "nics": list(nics or [nic()]), "u": 8, "power_max": "5 kW"} | more


def switch(ports: int = 4, speed: str = "400G", **more: Any) -> dict[str, Any]:
    """An inline switch type of one unit."""
    return {"name": "sw", "ports": ports, "speed": speed, "u": 1, "power_max": "500 W"} | more


def tree(hosts: int = 4, kind: dict[str, Any] | None = None, leaf: dict[str, Any] | None = None,
         hall: dict[str, Any] | None = None, per_rack: int = 1, **network: Any) -> dict[str, Any]:  # fmt: skip
    """Two hosts a leaf and one host a rack unless said otherwise, in the hall above."""
    leaf = leaf or switch()
    fabric = {"family": "fat-tree", "speed": "400G", "levels": 2, "hosts_per_leaf": 2, "leaf": {"type": leaf},
              "spine": {"type": leaf}}  # fmt: skip
    return {
        "name": "case",
        "hosts": {"name": "h", "type": kind or host(), "count": hosts},
        "networks": {"compute": fabric | network},
        "racks": {"type": "rack-42u", "hosts_per_rack": per_rack},
        "hall": HALL if hall is None else hall,
    }
