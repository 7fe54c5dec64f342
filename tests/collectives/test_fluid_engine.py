"""The event loop of ``fluid`` against an exact twin, flow by flow; and flows of a kind for all of them."""

from __future__ import annotations

from fractions import Fraction

import fabrics
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.collectives import symmetry, underway
from fabrictool.collectives.entries import Pipeline
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.underway import Running, advanced, without_bytes
from fabrictool.collectives.workloads import Job
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_by_name
from fabrictool.kernels import fluid as kernels
from fabrictool.layout.network import Routing as Stated
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.flows import Usage

CHANNELS = 4


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[list[dict[int, Fraction]], list[int], list[int], list[set[int]], list[int]]:
    """Up to eight flows on four channels, each waiting for some of those before it."""
    count = draw(st.integers(1, 8))
    part = st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2), Fraction(1, 4)])
    uses = [draw(st.dictionaries(st.integers(0, CHANNELS - 1), part, min_size=1)) for _ in range(count)]
    sizes = [draw(st.integers(0, 6)) for _ in range(count)]
    latency = [draw(st.integers(1, 3)) for _ in range(count)]
    waits = [draw(st.sets(st.integers(0, flow - 1), max_size=2)) if flow else set() for flow in range(count)]
    return uses, sizes, latency, waits, draw(st.lists(st.integers(1, 5), min_size=CHANNELS, max_size=CHANNELS))


def _running(case: tuple[list[dict[int, Fraction]], list[int], list[int], list[set[int]], list[int]]) -> Running:
    uses, sizes, latency, waits, _ = case
    first = np.concatenate(([0], np.cumsum([len(used) for used in uses], dtype=np.int64)))
    usage = Usage(
        first,
        np.array([at for used in uses for at in used], np.int32),
        np.array([float(part) for used in uses for part in used.values()]),
        np.array([len(used) for used in uses], np.int32),
    )
    ends = np.zeros(len(uses), np.int32)
    later = np.array([flow for flow, before in enumerate(waits) for _ in before], np.int64)
    earlier = np.array([other for before in waits for other in before], np.int64)
    entry = Pipeline(ends, ends, np.ones(len(uses)), later, earlier)
    return Running.of(entry, usage, np.array(sizes, float), np.array(latency, float), weighted=False)


@settings(max_examples=150, deadline=None)
@given(pipelines())
def test_the_end_is_that_of_the_exact_twin(case) -> None:  # type: ignore[no-untyped-def]
    uses, sizes, latency, waits, speed = case
    exact = [[Fraction(value) for value in values] for values in (sizes, latency, speed)]
    expected = max(reference.fluid(uses, exact[0], exact[1], waits, exact[2]))
    now_s, went_on, full = advanced([_running(case)], np.array(speed, float), 0.0, 1000)
    assert went_on
    assert now_s == pytest.approx(float(expected), rel=1e-9)
    assert (full <= now_s * (1 + 1e-9)).all()
    nothing = [Fraction(0)] * len(sizes)
    assert without_bytes(_running(case)) == max(reference.fluid(uses, nothing, exact[1], waits, exact[2]))


@settings(max_examples=30, deadline=None)
@given(pipelines(), pipelines())
def test_plain_and_compiled_code_agree(one, other) -> None:  # type: ignore[no-untyped-def]
    speed, found = np.array(one[-1], float), []
    for run in (kernels.advance.plain, kernels.advance.compiled):
        running = [_running(one), _running(other)]
        flows = underway._traffic(running, np.arange(CHANNELS, dtype=np.int32))
        state = underway._progress(running, flows, CHANNELS)
        found.append((*run(flows, state, speed, 0.0, 1000), state.left.tolist(), state.full_s.tolist()))
    assert found[0] == found[1]


def test_events_are_counted_and_flows_that_cannot_go_on_are_noticed() -> None:
    case = ([{0: Fraction(1)}, {0: Fraction(1)}], [1, 2], [1, 2], [set(), set()], [1, 1, 1, 1])
    assert not advanced([_running(case)], np.ones(CHANNELS), 0.0, 2)[1]
    assert not advanced([_running(case)], np.zeros(CHANNELS), 0.0, 100)[1]


FABRICS: dict[str, Fabric] = {
    "even": fabrics.pgft((4, 4), (1, 4), (1, 1)),
    "tapered": fabrics.pgft((4, 4), (1, 2), (1, 1)),
    "rails": fabrics.rails(4, 4, 2, 2),
    "three levels": fabrics.pgft((2, 4, 2), (1, 2, 2), (1, 1, 2)),
}


@pytest.mark.parametrize("name", FABRICS)
@pytest.mark.parametrize("routing", ["d-mod-k", "spray"])
@pytest.mark.parametrize("sharing", ["max-min", "inverse-latency"])
def test_one_flow_of_each_kind_stands_for_all(
    name: str, routing: str, sharing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabric, found = FABRICS[name], []
    kinds: list[int] = []
    original = symmetry.one_of_each

    def counted(flows: Running, speed: np.ndarray) -> object:
        some = original(flows, speed)
        kinds.append(len(some[0].nbytes) if some else 0)
        return some

    monkeypatch.setattr("fabrictool.collectives.fluid.one_of_each", counted)
    for uses in (1, 10**9):
        monkeypatch.setattr(symmetry, "FROM_USES", uses)
        transport = Transport(fabric, 0, stated=Stated(name=routing))
        (result,) = run_jobs(transport, [Job(0, "all-to-all", "direct", (1e8,), RankOrder(), "fluid")], sharing)
        found.append(result)
    assert found[0].time_s == pytest.approx(found[1].time_s, rel=1e-12)
    assert found[0].latency_s == found[1].latency_s
    assert (found[0].limited_by, found[0].bottleneck) == (found[1].limited_by, found[1].bottleneck)
    assert 0 < kinds[0] < 30
    assert kinds[1] == 0


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(16)), st.integers(2, 16), st.sampled_from(["leaf-01:5", "leaf-02:6", "leaf-03:1"]))
def test_whatever_the_placement_and_the_fault(order: list[int], count: int, link: str) -> None:
    """Where flows differ, they are found to differ, or to fare alike all the same."""
    fabric = FABRICS["tapered"]
    transport = Transport(fabric, 0, faults_by_name(fabric, slow={link: 0.5}))
    job = Job(0, "all-to-all", "direct", (1e8,), RankOrder(**{"list": order[:count]}), "fluid")
    found = []
    for uses in (1, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(symmetry, "FROM_USES", uses)
            found.append(run_jobs(transport, [job])[0])
    assert found[0].time_s == pytest.approx(found[1].time_s, rel=1e-12)


@pytest.mark.parametrize("algorithm", ["pairwise", "direct"])
def test_shifts_that_host_links_limit_are_known(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport(FABRICS["three levels"], 0)
    job = Job(0, "all-to-all", algorithm, (1e8,), RankOrder(), "fluid")
    (known,) = run_jobs(transport, [job])
    monkeypatch.setattr("fabrictool.collectives.carriers.Lane.known", lambda *_, **__: None)
    (followed,) = run_jobs(transport, [job])
    assert known.time_s == pytest.approx(followed.time_s, rel=1e-12)
    assert known.latency_s == pytest.approx(followed.latency_s, rel=1e-12)


@pytest.mark.parametrize("pair", [("all-reduce", "ring"), ("all-to-all", "pairwise"), ("broadcast", "binomial")])
def test_overlapping_rounds_lie_between_the_bound_and_a_barrier(pair: tuple[str, str]) -> None:
    """On a random placement no rank waits for the slowest of a round, but for its own neighbours."""
    order = np.random.default_rng(3).permutation(16).tolist()
    transport = Transport(FABRICS["tapered"], 0)
    jobs = [Job(at, *pair, (1e8,), RankOrder(**{"list": order}), "fluid", overlap=at == 1) for at in (0, 1)]
    barrier, overlap = run_jobs(transport, jobs)
    assert overlap.bound_s <= overlap.time_s <= barrier.time_s * (1 + 1e-9)
    if pair[0] == "all-to-all":
        assert overlap.time_s < 0.97 * barrier.time_s
