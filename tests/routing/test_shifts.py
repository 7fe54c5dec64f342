"""Every shift of the hosts: closed form, counting flow by flow, and listed answers agree."""

from __future__ import annotations

from collections import Counter
from typing import Any

import fabrics
import numpy as np
import pytest
import sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric.faults import random_faults
from fabrictool.kernels import shifts as kernels
from fabrictool.routing import shifts
from fabrictool.routing.flows import Routing
from fabrictool.routing.modk import ModK
from fabrictool.routing.shifts import counted_peaks, shift_peaks
from fabrictool.routing.wiring import wiring

FABRICS = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "parallel cables": fabrics.pgft((4, 4, 2), (1, 2, 4), (1, 2, 2)),
    "odd": fabrics.pgft((6, 3, 4), (1, 3, 2), (1, 1, 1)),
    "oversubscribed": fabrics.pgft((4, 4, 3), (1, 2, 2), (1, 2, 1)),
    "not full": fabrics.pgft((4, 4), (1, 4), (1, 1), ports=13),
    "gpus": fabrics.pgft((4, 4), (1, 2), (1, 2), gpus=2),
    "rails": fabrics.rails(8, 4, 4, 4),
    "rails, half of the uplinks": fabrics.rails(9, 2, 4, 2),
}


@pytest.mark.parametrize("name", sampled.names("shift_max_load"))
def test_largest_load_of_each_shift_of_samples(name: str) -> None:
    """Samples list host links too, which carry 1."""
    sample = sampled.sample(name)
    listed = sample.expect["shift_max_load"]
    found = shift_peaks(ModK("d-mod-k", sample.wiring))
    assert [max(1.0, peak) for peak in found] == [listed[str(step)] for step in range(1, len(found) + 1)]


@pytest.mark.parametrize("routing", ["d-mod-k", "s-mod-k"])
@pytest.mark.parametrize(
    ("shape", "peaks"),
    [
        (((16, 16), (1, 16), (1, 1)), {1: 255}),
        (((16, 16), (1, 8), (1, 1)), {1: 16, 2: 239}),
        (((8, 4, 4), (1, 4, 4), (1, 2, 2)), {1: 127}),
    ],
)
def test_published_numbers_of_shifts_by_load(shape: Any, peaks: dict[int, int], routing: str) -> None:
    """256 hosts at 1:1 and at 2:1, and 128 hosts with parallel cables."""
    assert Counter(shift_peaks(ModK(routing, wiring(fabrics.pgft(*shape), 0))).tolist()) == peaks


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.sampled_from(["d-mod-k", "s-mod-k"]), st.integers(0, 99), st.booleans())
def test_closed_form_kernels_and_usage_agree(name: str, stated: str, seed: int, broken: bool) -> None:
    fabric = FABRICS[name]
    routing = ModK(stated, wiring(fabric, 0, random_faults(fabric, 3, 1, seed) if broken else None))
    steps = np.arange(1, routing.wiring.hosts)
    exact = shifts._by_usage(routing, steps)
    found = shift_peaks(routing)
    assert np.array_equal(found, exact)
    assert np.array_equal(counted_peaks(routing, steps), exact)
    if not broken:
        known = shifts._in_closed_form(routing, steps)
        assert (known >= 0).sum() >= len(steps) - 2 * (4 if "rails" in name else 0)
    if stated == "d-mod-k":
        assert np.array_equal(shift_peaks(routing.table()), exact)


class _Unknown(Routing):
    """A routing of which nothing is known but what flows use."""

    name = "unknown"

    def __init__(self, routing: Routing) -> None:
        self.routing, self.wiring = routing, routing.wiring

    def usage(self, flows: Any) -> Any:
        return self.routing.usage(flows)


def test_a_routing_without_kernel_is_asked_for_many_shifts_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    routing = ModK("d-mod-k", wiring(FABRICS["odd"], 0))
    monkeypatch.setattr(shifts, "_FLOWS", 5 * 72)
    assert np.array_equal(shift_peaks(_Unknown(routing)), shift_peaks(routing))


def test_compiled_kernels_agree_with_plain_ones() -> None:
    routing = ModK("d-mod-k", wiring(FABRICS["odd"], 0, random_faults(FABRICS["odd"], 3, 1, 1)))
    table = routing.table()
    steps = np.arange(1, 72, dtype=np.int32)
    peaks = np.zeros((4, 71), np.int32)
    load = np.empty(len(routing.wiring.channels), np.int32)
    for row, form in enumerate(("plain", "compiled")):
        getattr(kernels.walked_shifts, form)(routing.lanes[0], steps, load, peaks[row])
        terminal = routing.wiring.lanes[:, 0].copy()
        getattr(kernels.followed_shifts, form)(table.tables, terminal, steps, load, peaks[row + 2])
    assert (peaks == peaks[0]).all()
    assert peaks.max() > 1
