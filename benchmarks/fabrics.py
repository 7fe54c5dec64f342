"""Fat-trees that benchmarks route, and the rows that they print."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from timing import Figure

SHAPES: dict[int, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    64: ((8, 8), (1, 8), (1, 1)),
    128: ((16, 8), (1, 16), (1, 1)),
    256: ((16, 16), (1, 16), (1, 1)),
    1_024: ((8, 8, 16), (1, 8, 8), (1, 1, 1)),
    4_096: ((16, 16, 16), (1, 16, 16), (1, 1, 1)),
    16_384: ((32, 32, 16), (1, 32, 8), (1, 1, 4)),
    65_536: ((32, 32, 64), (1, 32, 32), (1, 1, 1)),
    131_072: ((64, 32, 64), (1, 32, 32), (1, 1, 1)),
}
#: Arrays of fewer bytes stay in a processor's own memory between runs.
CACHED = 1 << 20


class Row(NamedTuple):
    """A row of the output: what, its figure, a remark, and the bytes that must be moved at least.

    ``moved`` is -1 where somebody else does the work, so that nothing is said of the memory bandwidth.
    """

    title: str
    figure: Figure
    remark: str
    moved: int = -1


def routed(hosts: int) -> Any:
    """Return a fat-tree of so many hosts under D-mod-k."""
    from fabrictool.generators.building import build
    from fabrictool.layout.reading import layout_from_tree
    from fabrictool.routing.modk import ModK
    from fabrictool.routing.wiring import wiring

    switch = {"name": "sw", "ports": 512, "speed": "400G", "latency": "0 ns"}
    shape = dict(zip("mwp", map(list, SHAPES[hosts]), strict=True))
    host = {"type": {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"}, "count": hosts}
    network = {"family": "fat-tree", "pgft": shape, "leaf": {"type": switch}, "link": {"latency": "500 ns"}}
    fabric = build(layout_from_tree({"name": "routing", "hosts": host, "networks": {"compute": network}}))
    routing = ModK("d-mod-k", wiring(fabric, 0))
    assert all(tree is not None for tree in routing.trees)
    return routing


def nbytes(*things: Any) -> int:
    """Return the bytes of arrays, also those in tuples and in the fields of dataclasses."""
    total = 0
    for thing in things:
        if isinstance(thing, np.ndarray):
            total += thing.nbytes
        elif isinstance(thing, tuple):
            total += nbytes(*thing)
        elif hasattr(thing, "__dataclass_fields__"):
            total += nbytes(*(getattr(thing, name) for name in thing.__dataclass_fields__))
    return total


def share_of_bandwidth(row: Row, copied_bytes_per_s: float) -> str:
    """Return in words which share of the memory bandwidth a row reaches, or why that says nothing."""
    if row.moved < 0 or not row.figure.seconds > 0:
        return ""
    if row.moved < CACHED:
        return f"{row.moved / 1e6:.2g} MB stay in the processor's own memory"
    share = 100 * row.moved / row.figure.seconds / copied_bytes_per_s
    return f"{row.moved / 1e6:,.3g} MB at least, {share:.2g} % of the memory bandwidth"
