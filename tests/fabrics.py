"""Small fabrics for tests, built the way a user would: from layouts."""

from __future__ import annotations

from typing import Any

from fabrictool.fabric import Fabric
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

SWITCH = {"name": "sw", "ports": 512, "speed": "400G", "latency": "0 ns"}
LATENCY = {"latency": {"host": "500 ns", "fabric": "500 ns"}}


def fabric_of(hosts: Any, name: str = "case", **network: Any) -> Fabric:
    """Build one network for hosts."""
    tree = {"name": name, "hosts": hosts, "networks": {"compute": {"link": LATENCY} | network}}
    return build(layout_from_tree(tree))


def host_type(gpus: int = 1, speed: str = "400G", scale_up: str | None = None) -> dict[str, Any]:
    """A host with one network port a GPU, and a scale-up domain of its own if asked for."""
    kind: dict[str, Any] = {"name": "h", "gpus": gpus, "nics": gpus, "speed": speed}
    if scale_up:
        kind["scale_up"] = {"domain": gpus, "speed": scale_up, "latency": "1 us"}
    return kind


def pgft(
    m: tuple[int, ...], w: tuple[int, ...], p: tuple[int, ...], ports: int | None = None, gpus: int = 1, **more: Any
) -> Fabric:
    """Build a parallel ports generalised fat-tree, with fewer host ports than fit if asked for."""
    total = 1
    for children in m:
        total *= children
    hosts = {"name": "host", "type": host_type(gpus, scale_up="3.6T" if gpus > 1 else None)}
    shape = {"m": list(m), "w": list(w), "p": list(p)}
    count = (ports or total) // gpus
    return fabric_of(hosts | {"count": count}, family="fat-tree", pgft=shape, **({"leaf": {"type": SWITCH}} | more))


def rails(hosts: int, gpus: int, unit: int, spines: int, up: int | None = None, **more: Any) -> Fabric:
    """Build a rail-optimized fabric with scale-up inside the hosts."""
    group = {"name": "host", "type": host_type(gpus, scale_up="3.6T"), "count": hosts}
    leaf = {"type": SWITCH} | ({"up": up} if up else {})
    spine = {"type": SWITCH, "count": spines}
    unit_of = {"hosts": unit}
    parts = {"rails": gpus, "scalable_unit": unit_of, "leaf": leaf, "spine": spine}
    return fabric_of(group, family="rail-optimized", **(parts | more))


def rail_only(hosts: int, gpus: int) -> Fabric:
    """Build rails without any switch between them, with scale-up inside the hosts."""
    group = {"name": "host", "type": host_type(gpus, scale_up="3.6T"), "count": hosts}
    return fabric_of(group, family="rail-only", rails=gpus, leaf={"type": SWITCH})
