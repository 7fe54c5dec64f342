"""Scale-up domains before the network, and PXN: listed loads, closed forms, flows against aggregation."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest
import routing_samples
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_by_name, faults_of_rows, random_faults
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.flows import Routing, all_pairs, flows
from fabrictool.routing.inside import ScaleUp
from fabrictool.routing.modk import ModK
from fabrictool.routing.pxn import Pxn, proxies
from fabrictool.routing.spray import Spray
from fabrictool.routing.wiring import wiring


def _rack_scale() -> Fabric:
    """Domains of two hosts with two GPUs each."""
    kind = fabrics.host_type(2) | {"scale_up": {"domain": 4, "speed": "3.6T", "latency": "1 us"}}
    parts = {"rails": 2, "scalable_unit": {"hosts": 2}, "leaf": {"type": fabrics.SWITCH}}
    spine = {"type": fabrics.SWITCH, "count": 2}
    return fabrics.fabric_of({"name": "host", "type": kind, "count": 6}, family="rail-optimized", spine=spine, **parts)


FABRICS = {
    "rails": fabrics.rails(4, 3, 2, 2),
    "rail only": fabrics.rail_only(4, 3),
    "rack scale": _rack_scale(),
    "no domains": fabrics.pgft((2, 3), (1, 2), (1, 1)),
}


@pytest.mark.parametrize(("name", "unit", "spines"), [("rail-1su-a2a", 4, 2), ("rail-2su-a2a", 4, 4)])
@pytest.mark.parametrize("way", ["pxn", "direct"])
def test_listed_loads_of_all_to_all(name: str, unit: int, spines: int, way: str) -> None:
    """Each cable of a sample by its ends: GPU to NVLink switch, GPU to leaf, leaf to spine."""
    text = routing_samples.text(name)
    hosts = 4 * (2 if "2su" in name else 1)
    fabric = fabrics.rails(hosts, 4, unit, spines, up=4)
    found = wiring(fabric, 0)
    spray = Spray("spray", found)
    routing = Pxn("spray", found, spray) if way == "pxn" else ScaleUp(spray)
    listed = text["expect"][way]["link_load"]
    load, hops = routing.all_to_all()
    pairs = all_pairs(found.hosts)
    assert load == pytest.approx(routing.usage(pairs).loads(pairs.volume, len(load)), rel=1e-12)
    tier = fabric.devices.tier[fabric.ends[0]]
    links = load[: 2 * len(tier)].reshape(-1, 2)
    own = {"nvlink": load[2 * len(tier) :].reshape(-1, 2), "nic": links[tier == 0], "leaf": links[tier == 1]}
    seen: dict[str, list[list[float]]] = {"nvlink": [], "nic": [], "leaf": []}
    for cable, (u, v, _) in enumerate(text["fabric"]["cables"]):
        kind = "leaf" if u[0] == "L" else "nvlink" if v.startswith("NV") else "nic"
        seen[kind].append([listed.get(str(2 * cable), 0.0), listed.get(str(2 * cable + 1), 0.0)])
    for kind, values in seen.items():  # cables of a kind are alike
        assert own[kind] == pytest.approx(np.array(values), rel=1e-9)
    assert sum(hops.values()) == len(pairs)


@pytest.mark.parametrize(("hosts", "pxn"), [(4, 0), (8, 16)])
def test_closed_forms_of_rails(hosts: int, pxn: int) -> None:
    """Reference 2.8 with g = 4 GPUs and 4 hosts a unit: loads of NIC, NVLink and leaf uplinks of each NIC."""
    fabric = fabrics.rails(hosts, 4, 4, 4, up=4)
    found = wiring(fabric, 0)
    tier = fabric.devices.tier[fabric.ends[0]]
    spray = Spray("spray", found)
    direct = 4 * (hosts - 1) - 3
    for routing, nvlink, uplinks in ((Pxn("spray", found, spray), 3 * hosts, pxn), (ScaleUp(spray), 3, direct)):
        load = routing.all_to_all()[0]
        up = load[: 2 * len(tier) : 2]
        assert set(up[tier == 0]) == {4 * (hosts - 1)}
        assert up[tier == 1].sum() == pytest.approx(uplinks * 4 * hosts)
        assert set(load[2 * len(tier) :]) == {nvlink}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.integers(0, 3), st.integers(0, 2), st.integers(0, 99), st.booleans())
def test_aggregation_and_flows_agree(name: str, links: int, ports: int, seed: int, by_rail: bool) -> None:
    fabric = FABRICS[name]
    lower = fabric.devices.tier[fabric.ends[0]]
    down = np.random.default_rng(seed).choice(np.flatnonzero(lower == 0), ports, replace=False)
    faults = random_faults(fabric, min(links, int((lower > 0).sum())), 0, seed) | faults_of_rows(fabric, down)
    found = wiring(fabric, 0, faults)
    for network in (Spray("spray", found), ModK("d-mod-k", found)):
        routing = Pxn("pxn", found, network) if by_rail else ScaleUp(network)
        pairs = all_pairs(found.hosts)
        used = routing.usage(pairs)
        assert routing.loads(pairs) == pytest.approx(used.loads(pairs.volume, len(found.channels)), abs=1e-9)
        load, hops = routing.all_to_all()
        assert load == pytest.approx(used.loads(pairs.volume, len(found.channels)), abs=1e-9)
        assert hops == Routing.all_to_all(routing)[1]
        assert np.array_equal(used.hops < 0, np.diff(used.first) == 0)


def test_rails_without_spines_are_reached_by_proxies_alone() -> None:
    found = wiring(FABRICS["rail only"], 0)
    across = flows([0], [4])  # GPU 0 of the first host to GPU 1 of the second
    assert ScaleUp(Spray("spray", found)).usage(across).hops.tolist() == [-1]
    used = routing_of(found, Stated(name="spray", pxn=True)).usage(across)
    assert used.hops.tolist() == [2]
    out, into, up, down = used.channel.tolist()
    assert (out, into) == (found.scale_up[0], found.scale_up[1] + 1)
    assert (up, down) == (found.terminals.up[1], found.terminals.up[4] ^ 1)


def test_proxies() -> None:
    found = wiring(FABRICS["rack scale"], 0)
    source, target = np.array([0, 0, 0, 0, 2]), np.array([0, 3, 5, 8, 9])
    # itself; within the domain the target; then rail 1 in the same host, rail 0 itself, and from host 2 its rail 1
    assert proxies(found, source, target).tolist() == [0, 3, 1, 0, 3]


def test_a_proxy_with_a_dead_port_is_passed_over() -> None:
    """The other host of the domain has the rail, too; with none left the source sends itself."""
    fabric = FABRICS["rack scale"]
    dead = wiring(fabric, 0, faults_by_name(fabric, links=["host-1:2"] if "host-1" in fabric.names else ["host-01:2"]))
    assert proxies(dead, np.array([0]), np.array([9])).tolist() == [3]
    words = [name for name in fabric.names if name.startswith("host")][:2]
    gone = wiring(fabric, 0, faults_by_name(fabric, links=[f"{word}:2" for word in words]))
    assert proxies(gone, np.array([0]), np.array([9])).tolist() == [0]
