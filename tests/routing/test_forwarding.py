"""Loads of forwarding tables by aggregation, against every path followed: also with holes, detours and loops."""

from __future__ import annotations

import fabrics
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric.faults import random_faults
from fabrictool.kernels.tables import NOWHERE
from fabrictool.routing.flows import Routing
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import wiring

FABRICS = {
    "two levels": fabrics.pgft((4, 4), (1, 2), (1, 2)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "rails": fabrics.rails(8, 2, 4, 4),
}


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)), st.integers(0, 3), st.integers(0, 3), st.floats(0, 0.3), st.integers(0, 2**32 - 1)
)
def test_damaged_tables_are_counted_as_they_are_followed(
    name: str, dead: int, blank: int, wrong: float, seed: int
) -> None:
    """Some switches have no table, some entries lead another way or nowhere."""
    rng = np.random.default_rng(seed)
    wired = wiring(FABRICS[name], 0, random_faults(FABRICS[name], dead, seed=seed))
    out = ModK("d-mod-k", wired).table().out.copy()
    ways = np.diff(wired.ways.first)
    changed = rng.random(out.shape) < wrong
    drawn = rng.integers(-1, np.maximum(ways, 1)[:, None], out.shape)
    out = np.where(changed & (ways[:, None] > 0), drawn, out).astype(np.int16)
    out[rng.choice(len(out), min(blank, len(out)), replace=False)] = NOWHERE
    routing = TableRouting("lft", wired, out)
    load, hops = routing.all_to_all()
    expected = Routing.all_to_all(routing)
    assert np.allclose(load, expected[0], atol=1e-9)
    assert hops == expected[1]
    assert load.min() >= 0
