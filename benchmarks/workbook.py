"""A plan of 32,768 cables through files and back: time out, time in, and how many rows differ.

Run as ``python benchmarks/workbook.py``: 2,048 hosts of 8 rails below 512 leaves and 32 spines. Times are by the clock;
those of the processor, which what else runs on the machine does not lengthen, stand beside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from fabrictool.cable_plan import planned_cables
from fabrictool.cabling.workbook import workbook
from fabrictool.formats import plan_csv
from fabrictool.formats.plan_table import plan_table
from fabrictool.formats.port_naming import named_ports
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

LEAF = {"name": "sw64", "ports": 64, "cages": 32, "cage": "OSFP", "speed": "400G", "u": 1, "power_max": "1.7 kW"}
SPINE = LEAF | {"name": "sw512", "ports": 512, "cages": 256, "u": 16}
HOST = {"name": "h8", "gpus": 8, "nics": [{"role": "compute", "count": 8, "speed": "400G", "cage": "QSFP112"}],
        "u": 8, "power_max": "10.2 kW"}  # fmt: skip
TREE = {
    "name": "32768-cables", "hosts": {"name": "gpu", "type": HOST, "count": 2048},
    "networks": {"compute": {
        "family": "rail-optimized", "speed": "400G", "rails": 8, "scalable_unit": {"hosts": 32},
        "leaf": {"type": LEAF}, "spine": {"type": SPINE},
    }},
    "racks": {"type": "rack-48u", "hosts_per_rack": 4},
}  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return a result, and the time that it took by the clock and of the processor, in s."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    layout = layout_from_tree(TREE)
    fabric = build(layout)
    report = planned_cables(layout, fabric)
    rows = report.rows(named_ports(fabric, "cumulus", {}))
    print(f"{len(rows):,} links, {len(report.plan.cables):,} cables, {len(fabric.names):,} devices")
    outputs: dict[str, Callable[[], bytes]] = {
        "plan.xlsx": lambda: workbook(report, rows),
        "plan.csv": lambda: plan_csv.write(rows).encode(),
    }
    for name, write in outputs.items():
        content, out_s, out_cpu_s = timed(write)
        found, in_s, in_cpu_s = timed(lambda name=name, content=content: plan_table(name, content))
        differ = sum(row is None or back is None or row != back.cable for row, back in zip_longest(rows, found.rows))
        both, processor = out_s + in_s, out_cpu_s + in_cpu_s
        print(f"{name:<9} {len(content) / 1e6:5.1f} MB  out {out_s:5.2f} s  in {in_s:5.2f} s  both {both:5.2f} s "
              f"(processor {processor:5.2f} s)  {differ:,} rows differ")  # fmt: skip


if __name__ == "__main__":
    main()
