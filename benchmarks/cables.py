"""Time of a cable plan at 1,024, 16,384 and 131,072 GPUs: the plan, its figures, its rows and its CSV.

Run as ``python benchmarks/cables.py [GPUS…]``. Times are those of the processor, so that what else runs on the machine
does not count; nothing is compiled.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

SHAPES = {
    1_024: ([16, 8, 8], [1, 16, 8]),
    16_384: ([32, 32, 16], [1, 32, 32]),
    131_072: ([32, 64, 64], [1, 32, 64]),
}
PORTS = {1_024: (32, 16, 8), 16_384: (64, 64, 16), 131_072: (64, 128, 64)}


def _switch(ports: int) -> dict[str, Any]:
    cages = max(1, ports // 2)
    return {"name": f"sw{ports}", "ports": ports, "cages": cages, "cage": "OSFP", "speed": "400G", "u": 1,
            "power_max": "1.7 kW"}  # fmt: skip


def tree(gpus: int) -> dict[str, Any]:
    """A three-level fat-tree of one-GPU hosts, 32 to a rack."""
    m, w = SHAPES[gpus]
    host = {"name": "h", "gpus": 1, "nics": [{"role": "compute", "count": 1, "speed": "400G", "cage": "QSFP112"}],
            "u": 1, "power_max": "1.3 kW"}  # fmt: skip
    tiers = {kind: {"type": _switch(ports)} for kind, ports in zip(("leaf", "spine", "core"), PORTS[gpus], strict=True)}
    network = {"family": "fat-tree", "speed": "400G", "pgft": {"m": m, "w": w, "p": [1, 1, 1]}, **tiers}
    return {"name": "scale", "hosts": {"name": "h", "type": host, "count": gpus}, "networks": {"compute": network},
            "racks": {"type": "rack-48u", "hosts_per_rack": 32}}  # fmt: skip


def _timed(work: Callable[[], Any], found: dict[str, float], name: str) -> Any:
    started = time.process_time()
    result = work()
    found[name] = time.process_time() - started
    return result


def measure(gpus: int) -> dict[str, float]:
    """Return the figures of one size: times in s, memory in MB."""
    from fabrictool.cable_plan import planned_cables
    from fabrictool.cabling.rows import cable_rows
    from fabrictool.formats.plan_csv import write
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_tree

    layout = layout_from_tree(tree(gpus))
    fabric = build(layout)
    found: dict[str, float] = {"links": len(fabric.links)}
    report = _timed(lambda: planned_cables(layout, fabric), found, "plan [s]")
    _timed(report.to_dict, found, "materials, trays, findings [s]")
    _timed(lambda: sum(1 for _ in cable_rows(report.plan)), found, "rows [s]")
    _timed(lambda: write(cable_rows(report.plan)), found, "rows and CSV [s]")
    found["peak [MB]"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


if __name__ == "__main__":
    for size in [int(word) for word in sys.argv[1:]] or SHAPES:
        print(f"{size:,} GPUs: " + ", ".join(f"{name} {value:,.3g}" for name, value in measure(size).items()))
