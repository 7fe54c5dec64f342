"""What a pattern word or file stands for: who sends to whom, how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabrictool.layout.model import Layout
from fabrictool.routing.flows import Flows
from fabrictool.routing.inside import ScaleUp


@dataclass(frozen=True)
class Traffic:
    """What a pattern word or file stands for; ``flows`` is None for all pairs."""

    name: str
    flows: Flows | None
    group: np.ndarray | None = None
    shifts: bool = False
    trials: int = 0


def traffic_of(pattern: str, routing: ScaleUp, layout: Layout | None = None) -> Traffic:
    """Return what a pattern word or file stands for.

    Raises
    ------
    InputError
        If it is neither.
    """
    from pathlib import Path

    from fabrictool.explore.job_traffic import collective_flows, is_collective, scenario_flows
    from fabrictool.formats.pattern_csv import read_pattern
    from fabrictool.routing.explicit import Explicit, check_paths
    from fabrictool.routing.patterns import PATTERNS, pattern_flows, pattern_of
    from fabrictool.routing.stated import flows_of_rows

    is_file = Path(pattern).is_file() or "/" in pattern or pattern.endswith((".csv", ".gz", ".xz"))
    if is_file and pattern.partition(":")[0] not in PATTERNS:
        rows = read_pattern(pattern)
        flows, group = flows_of_rows(routing.wiring, rows, pattern)
        if isinstance(routing.network, Explicit) and routing.network.known is None:
            check_paths(routing.wiring, flows, [f"{pattern}:{row.line}:1" for row in rows])
        return Traffic(Path(pattern).name, flows, group if group.max(initial=0) else None)
    if pattern == "jobs":
        return Traffic(pattern, scenario_flows(routing.wiring, layout))
    if is_collective(pattern):
        return Traffic(pattern, collective_flows(routing.wiring, pattern))
    word = pattern_of(pattern)
    if word.name in ("all-to-all", "shifts", "bisection"):
        trials = word.number or 0
        return Traffic(pattern, None, shifts=word.name == "shifts", trials=trials)
    return Traffic(pattern, pattern_flows(word, routing.wiring.hosts))
