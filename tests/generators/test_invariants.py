"""What holds for every fabric, whatever its parameters."""

from __future__ import annotations

from typing import Any

import fabrics
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from fabrictool.errors import FabrictoolError
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import oversubscription
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import paths

small = st.integers(1, 4)


@st.composite
def pgfts(draw: st.DrawFn) -> Fabric:
    levels = draw(st.integers(2, 3))
    gpus = draw(st.sampled_from([1, 2]))
    m = (gpus * draw(st.integers(1, 3)), *(draw(st.integers(2, 4)) for _ in range(levels - 1)))
    w = (1, *(draw(small) for _ in range(levels - 1)))
    p = (1, *(draw(st.integers(1, 3)) for _ in range(levels - 1)))
    most = int(np.prod(m))
    ports = draw(st.integers(max(2, most // 2), most)) // gpus * gpus
    wiring = draw(st.sampled_from(["interleaved", "blocked"]))
    return fabrics.pgft(m, w, p, max(ports, 2 * gpus), gpus, wiring=wiring)


@st.composite
def rail_fabrics(draw: st.DrawFn) -> Fabric:
    spines, parallel, gpus, unit = draw(small), draw(small), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    hosts = draw(st.integers(2, 3 * unit + 1))
    return fabrics.rails(hosts, gpus, unit, spines, spines * parallel)


@st.composite
def sized(draw: st.DrawFn) -> tuple[Fabric, list[float]]:
    """A tree sized by hosts per leaf and oversubscription; parameters that fit no switch are drawn again."""
    down = draw(st.integers(1, 8))
    ratio = draw(st.sampled_from([1, 2, 4 / 3, 3]))
    leaf = {"type": {"name": "sw", "ports": draw(st.integers(4, 16)), "speed": "400G"}}
    hosts = draw(st.integers(2, 120))
    parts: dict[str, Any] = {"hosts_per_leaf": down, "oversubscription": ratio, "leaf": leaf}
    group = {"name": "host", "type": fabrics.host_type(), "count": hosts}
    try:
        return fabrics.fabric_of(group, family="fat-tree", **parts), [ratio, 1.0]
    except FabrictoolError:
        return fabrics.pgft((4, 4), (1, 2), (1, 2)), [1.0]


@settings(max_examples=60, deadline=None)
@given(st.one_of(pgfts(), rail_fabrics(), sized().map(lambda pair: pair[0])))
def test_ports_pair_up_within_their_switches(fabric: Fabric) -> None:
    ports, links = fabric.ports, fabric.links
    joined = np.flatnonzero(ports.peer >= 0)
    assert np.array_equal(ports.peer[ports.peer[joined]], joined)
    assert (ports.peer[joined] != joined).all()
    ends = np.concatenate((links.port_a, links.port_z))
    assert len(np.unique(ends)) == len(ends)
    counts = np.diff(fabric.first_port)
    assert (ports.number >= 1).all()
    assert (ports.number <= counts[ports.device]).all()
    assert (fabric.devices.tier[fabric.ends[0]] + 1 == fabric.devices.tier[fabric.ends[1]]).all()


@settings(max_examples=40, deadline=None)
@given(st.one_of(pgfts(), rail_fabrics(), sized().map(lambda pair: pair[0])))
def test_every_rank_reaches_every_other_by_as_many_hops_as_back(fabric: Fabric) -> None:
    size = len(fabric.gpus)
    assert csgraph.connected_components(fabric.to_scipy(), directed=False)[0] == 1
    source, target = np.divmod(np.arange(size * size, dtype=np.int32), np.int32(size))
    _, length = paths(rank_tables(fabric, 0)[0], source, target)
    hops = length.reshape(size, size)
    assert (hops > 0).all()
    assert np.array_equal(hops, hops.T)


@settings(max_examples=60, deadline=None)
@given(sized())
def test_bandwidth_up_is_bandwidth_down_over_the_oversubscription(pair: tuple[Fabric, list[float]]) -> None:
    fabric, ratios = pair
    tier, (a, z), speed = fabric.devices.tier, fabric.ends, fabric.links.speed_bps
    for level, ratio in zip((1, 2), ratios, strict=False):
        switches = np.flatnonzero(tier == level)
        up = np.bincount(a, speed, len(tier))[switches]
        if not up.any():
            continue
        used = np.bincount(z, minlength=len(tier))[switches].max()
        least = used * 400e9 / ratio
        assert (up >= least * (1 - 1e-12)).all()  # rounded up to whole links, never down
        assert (up < up[0] + 1).all()
    assert all(found <= ratio * (1 + 1e-12) for found, ratio in zip(oversubscription(fabric, 0), ratios, strict=False))


@settings(max_examples=40, deadline=None)
@given(pgfts())
def test_parents_of_a_switch_share_its_uplinks_equally(fabric: Fabric) -> None:
    matrix = fabric.to_scipy().toarray()
    tier = fabric.devices.tier
    for level in range(1, int(tier.max())):
        between = matrix[tier == level][:, tier == level + 1]
        assert len(np.unique(between[between > 0])) == 1
        assert len(np.unique((between > 0).sum(axis=1))) == 1
        assert len(np.unique((between > 0).sum(axis=0))) == 1
