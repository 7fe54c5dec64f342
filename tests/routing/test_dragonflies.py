"""Valiant and UGAL: listed answers, a slow twin, the best mix against a linear program, flows against aggregation."""

from __future__ import annotations

from fractions import Fraction

import fabrics
import numpy as np
import pytest
import routing_samples
import spread_twins
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import NotSupportedError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_of_rows, random_faults
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.dragonflies import Valiant, groups_of
from fabrictool.routing.flows import Routing, flows
from fabrictool.routing.spray import Spray
from fabrictool.routing.ugal import Ugal, lowest_envelope
from fabrictool.routing.wiring import wiring


def _direct(family: str, hosts: int, shape: dict[str, int], gpus: int = 1) -> Fabric:
    group = {"name": "host", "type": fabrics.host_type(gpus), "count": hosts}
    own = {"q": shape["q"]} if family == "slim-fly" else {family.replace("-", "_"): shape}
    return fabrics.fabric_of(group, family=family, leaf={"type": fabrics.SWITCH}, **own)


def _two_ports() -> Fabric:
    """Hosts on two routers of one group, groups of two in a triangle."""
    from fabrictool.formats import edges_csv

    lines = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,a_group,z_group"]
    for group in range(4):
        lines += [f"h{group},host,{port},r{group}{port},router,1,100G,,{group}" for port in (1, 2)]
        lines.append(f"r{group}1,router,2,r{group}2,router,2,100G,{group},{group}")
        for other in range(group):
            near, far = f"r{group}{1 + other % 2}", f"r{other}{1 + group % 2}"
            lines.append(f"{near},router,{3 + other},{far},router,{3 + group},100G,{group},{other}")
    return edges_csv.read("two ports", "\n".join(lines)).fabric


FABRICS = {
    "dragonfly": _direct("dragonfly", 12, {"p": 1, "a": 3, "h": 1, "groups": 4}),
    "dragonfly-plus": _direct(
        "dragonfly-plus", 20, {"groups": 5, "leaves": 2, "spines": 2, "hosts_per_leaf": 2, "global_per_spine": 2}
    ),
    "slim-fly": _direct("slim-fly", 18, {"q": 3}),
    "two ports": _two_ports(),
}


@pytest.mark.parametrize("name", routing_samples.names("valiant_link_load"))
def test_listed_loads_and_best_mix(name: str) -> None:
    sample = routing_samples.sample(name)
    valiant, ugal = Valiant("valiant", sample.wiring), Ugal("ugal", sample.wiring)
    listed = sample.listed(sample.expect["valiant_link_load"])
    assert valiant.loads(sample.flows) == pytest.approx(listed, rel=1e-9, abs=1e-12)
    used = valiant.usage(sample.flows)
    assert used.loads(sample.flows.volume, len(listed)) == pytest.approx(listed, rel=1e-9, abs=1e-12)
    for key, routing in (("minimal", valiant.minimal), ("valiant", valiant), ("mix", ugal)):
        theta = float(Fraction(str(sample.expect[f"{key}_theta"])))
        assert 1 / routing.loads(sample.flows).max() == pytest.approx(theta, rel=1e-7)
    assert ugal.minimal_share(sample.flows) == pytest.approx(sample.expect["mix_minimal_fraction"], rel=1e-7)


def test_closed_forms_of_the_reference() -> None:
    """Reference 2.7, hosts of group i to group i + 1: minimal theta is cables between groups over hosts of a group."""
    for name, hosts, expected in (("dfp5-valiant-adjacent", 4, 17 / 32), ("dfp9-valiant-adjacent", 4, 12 / 13)):
        sample = routing_samples.sample(name)
        assert Spray("minimal", sample.wiring).loads(sample.flows).max() == hosts
        assert 1 / Ugal("ugal", sample.wiring).loads(sample.flows).max() == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.integers(0, 6), st.integers(0, 2), st.integers(0, 99))
def test_aggregation_and_flows_agree(name: str, links: int, ports: int, seed: int) -> None:
    found = wiring(FABRICS[name], 0, _faults(FABRICS[name], links, ports, seed))
    rng = np.random.default_rng(seed)
    some = flows(*rng.integers(0, found.hosts, (2, 15)), rng.random(15))
    for routing in (Valiant("valiant", found), Ugal("ugal", found)):
        load = Routing.loads(routing, some)
        assert routing.loads(some) == pytest.approx(load, rel=1e-11, abs=1e-11)
    valiant = Valiant("valiant", found)
    load, hops = valiant.all_to_all()
    one_by_one, longest = Routing.all_to_all(valiant)
    assert load == pytest.approx(one_by_one, rel=1e-11, abs=1e-11)
    assert sum(hops.values()) == pytest.approx(sum(longest.values()), rel=1e-11)
    assert hops.get(-1, 0.0) == longest.get(-1, 0.0)
    assert max(hops) == max(longest)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.integers(0, 4), st.integers(0, 99))
def test_shares_are_those_of_a_slow_twin(name: str, links: int, seed: int) -> None:
    found = wiring(FABRICS[name], 0, _faults(FABRICS[name], links, 0, seed))
    rng = np.random.default_rng(seed)
    source = rng.integers(0, found.hosts, 4)
    some = flows(source, (source + rng.integers(1, found.hosts, 4)) % found.hosts)
    used = Valiant("valiant", found).usage(some)
    graph, label = spread_twins.graph_of(found), groups_of(found).tolist()
    for row, ends in enumerate(zip(some.source.tolist(), some.target.tolist(), strict=True)):
        twin = spread_twins.valiant(graph, found, label, *ends)
        part = slice(used.first[row], used.first[row + 1])
        own = dict(zip(used.channel[part].tolist(), used.share[part].tolist(), strict=True))
        assert own == pytest.approx({channel: float(share) for channel, share in (twin or {}).items()}, rel=1e-11)


def _faults(fabric: Fabric, links: int, ports: int, seed: int):  # type: ignore[no-untyped-def]
    lower = fabric.devices.tier[fabric.ends[0]]
    down = np.random.default_rng(seed).choice(np.flatnonzero(lower == 0), ports, replace=False)
    return random_faults(fabric, links, 0, seed) | faults_of_rows(fabric, down)


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(0, 999))
def test_best_mix_is_that_of_a_linear_program(lines: int, seed: int) -> None:
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    at_0, at_1 = rng.integers(0, 9, (2, lines)).astype(float)
    rows = np.column_stack((at_1 - at_0, -np.ones(lines)))
    best = linprog([0, 1], rows, -at_0, bounds=[(0, 1), (None, None)], method="highs")
    x = lowest_envelope(at_0, at_1)
    assert 0 <= x <= 1
    assert (x * at_1 + (1 - x) * at_0).max() == pytest.approx(best.fun, rel=1e-9, abs=1e-9)


def test_uniform_traffic_goes_the_minimal_ways() -> None:
    """All-to-all loads a dragonfly+ evenly as it is; ways by other groups would only be longer."""
    found = wiring(FABRICS["dragonfly-plus"], 0)
    ugal = routing_of(found, Stated(name="ugal"))
    assert isinstance(ugal, Ugal)
    assert ugal.minimal_share() == 1.0
    assert np.array_equal(ugal.all_to_all()[0], ugal.valiant.minimal.all_to_all()[0])


def test_valiant_keeps_volume_times_links() -> None:
    found = wiring(FABRICS["dragonfly"], 0)
    load, hops = routing_of(found, Stated(name="valiant")).all_to_all()
    assert load.sum() == pytest.approx(sum(links * pairs for links, pairs in hops.items()))
    assert sum(hops.values()) == pytest.approx(12 * 11)


def test_trees_have_no_groups_to_go_by() -> None:
    found = wiring(fabrics.pgft((2, 2), (1, 2), (1, 1)), 0)
    with pytest.raises(NotSupportedError, match="network compute is a tree, which has no groups to go by; use spray"):
        Valiant("valiant", found).loads(flows([0], [3]))
