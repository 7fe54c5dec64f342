"""What holds for collectives when things are down or slow."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives.schedules import ALGORITHMS
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.errors import InputError
from fabrictool.fabric import edit
from fabrictool.fabric.faults import Faults, faults_of_rows, no_faults, random_faults
from fabrictool.fabric.parts import switch_components
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.flows import all_pairs
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import wiring

TREES = {
    "two levels": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "three levels": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "parallel cables": fabrics.pgft((4, 2, 2), (1, 4, 2), (1, 2, 2)),
    "rails": fabrics.rails(4, 4, 2, 2),
}
#: Each algorithm of each collective; permutations have tests of their own, with stated pairs.
NEED_PAIRS = ("permutation", "all-to-all-v")
PAIRS = [(name, word) for name, known in ALGORITHMS.items() for word in known if name not in NEED_PAIRS]


def _run(name: str, faults: Faults | None, pair: tuple[str, str], model: str = "rounds") -> CollectiveResult | None:
    job = Job(0, *pair, (1e8,), RankOrder(), model)
    try:
        result = next(iter(Transport(TREES[name], 0, faults).run(job)))
    except InputError:  # a power of two, or whole domains
        return None
    return result if result.time_s is not None else None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.sampled_from(PAIRS), st.integers(0, 3), st.integers(1, 3), st.integers(0, 99))
def test_a_bound_never_falls_when_more_is_down(
    name: str, pair: tuple[str, str], few: int, more: int, seed: int
) -> None:
    """D-mod-k may part flows better by chance on a detour, so of its times this does not hold."""
    first = random_faults(TREES[name], few, 0, seed)
    both = first | random_faults(TREES[name], more, 0, seed + 100)
    before, after = _run(name, first, pair), _run(name, both, pair)
    if before is not None and after is not None:
        assert after.bound_s >= before.bound_s * (1 - 1e-12)
        assert after.time_s >= after.bound_s * (1 - 1e-12)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.sampled_from(PAIRS), st.floats(0.05, 1), st.data())
def test_a_slow_link_never_makes_a_collective_faster(
    name: str, pair: tuple[str, str], factor: float, draw: st.DataObject
) -> None:
    """Ways stay the same, so this holds of every time, and of its bound."""
    links = draw.draw(st.sets(st.integers(0, len(TREES[name].links) - 1), max_size=6))
    slow = faults_of_rows(TREES[name], factors=dict.fromkeys(links, factor))
    before, after = _run(name, None, pair), _run(name, slow, pair)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after.time_s >= before.time_s * (1 - 1e-12)
        assert after.bound_s >= before.bound_s * (1 - 1e-12)
        assert after.time_s <= before.time_s / factor * (1 + 1e-12)


@pytest.mark.parametrize("name", sorted(TREES))
@pytest.mark.parametrize("pair", PAIRS)
def test_no_faults_change_nothing(name: str, pair: tuple[str, str]) -> None:
    assert _run(name, no_faults(TREES[name]), pair) == _run(name, None, pair)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.integers(0, 6), st.integers(0, 1), st.integers(0, 99))
def test_failing_and_dropping_leave_the_same_reach(name: str, links: int, devices: int, seed: int) -> None:
    fabric = TREES[name]
    faults = random_faults(fabric, links, devices, seed)
    failed = wiring(fabric, 0, faults)
    dead = np.flatnonzero(faults.links.dead & ~faults.device[fabric.ends[0]] & ~faults.device[fabric.ends[1]])
    words = [fabric.link_name(int(row)).partition(" - ")[0] for row in dead]
    dropped = edit(fabric, drop=[*words, *(fabric.names[row] for row in np.flatnonzero(faults.device).tolist())])
    alive = ~faults.device[failed.switch]
    assert len(np.unique(failed.part[alive])) == switch_components(dropped, 0)
    if not devices:
        pairs = all_pairs(failed.hosts)
        joined = ModK("d-mod-k", failed).usage(pairs).hops >= 0
        assert not (joined & (failed.parts_of(0)[pairs.source] != failed.parts_of(0)[pairs.target])).any()
        again = wiring(dropped, 0)
        label = again.parts_of(0)
        same = failed.parts_of(0)[pairs.source] == failed.parts_of(0)[pairs.target]
        assert np.array_equal(label[pairs.source] == label[pairs.target], same)
