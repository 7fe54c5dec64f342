"""Every kernel, plain and compiled, against its slow twin."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fabrics
import numpy as np
import pytest
import reference
from reference import Hop, Pgft, Rails, Walk

from fabrictool.fabric import Fabric, edit
from fabrictool.kernels import flows
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.channels import Channels, channels
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import all_to_all_loads
from fabrictool.routing.regular import regular_tree


@dataclass(frozen=True)
class Case:
    """A fabric, its tables, and the twin's walk with the meaning of each channel as a hop."""

    fabric: Fabric
    walk: Walk
    tables: RouteTables
    channels: Channels
    hops: list[Hop]
    ranks: int


def _hops(fabric: Fabric, ports_of_host: int, first_up: tuple[int, ...]) -> list[Hop]:
    """Name each channel by the lower end of its link: tier, index, up port, direction."""
    found: list[Hop] = []
    for port in fabric.links.port_a.tolist():
        device = fabric.ports.device[port]
        tier, index = int(fabric.devices.tier[device]), int(fabric.devices.index[device])
        number = int(fabric.ports.number[port]) - 1
        if tier == 0:
            index, number = index * ports_of_host + number, 0
        else:
            number -= first_up[tier - 1]
        found += [(tier, index, number, "up"), (tier, index, number, "down")]
    for gpu in range(len(fabric.gpus)):
        found += [("scale-up", gpu, 0, "out"), ("scale-up", gpu, 0, "in")]
    return found


def _case(fabric: Fabric, twin: Pgft | Rails, down: tuple[int, ...]) -> Case:
    hops = _hops(fabric, twin.gpus, down)
    return Case(fabric, twin.walk, rank_tables(fabric, 0)[0], channels(fabric), hops, len(fabric.gpus))


def _pgft(m: tuple[int, ...], w: tuple[int, ...], p: tuple[int, ...], ports: int | None = None, gpus: int = 1) -> Case:
    down = tuple(a * b for a, b in zip(m, p, strict=True))
    return _case(fabrics.pgft(m, w, p, ports, gpus), Pgft(m, w, p, gpus), down)


def _rails(hosts: int, gpus: int, unit: int, spines: int, uplinks: int) -> Case:
    fabric = fabrics.rails(hosts, gpus, unit, spines, uplinks)
    return _case(fabric, Rails(gpus, unit, uplinks), (unit,))


CASES: dict[str, Callable[[], Case]] = {
    "two levels": lambda: _pgft((4, 4), (1, 4), (1, 1)),
    "2:1": lambda: _pgft((8, 4), (1, 4), (1, 1)),
    "k = 4": lambda: _pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "three levels, parallel cables": lambda: _pgft((4, 4, 2), (1, 4, 2), (1, 2, 4)),
    "two levels, parallel cables": lambda: _pgft((8, 3), (1, 2), (1, 3)),
    "odd": lambda: _pgft((6, 3, 4), (1, 3, 2), (1, 1, 1)),
    "last leaf short": lambda: _pgft((4, 4), (1, 4), (1, 1), ports=14),
    "last pod half full": lambda: _pgft((4, 4, 3), (1, 4, 4), (1, 1, 1), ports=39),
    "two GPUs a host": lambda: _pgft((8, 4), (1, 4), (1, 2), gpus=2),
    "rails": lambda: _rails(8, 4, 4, 4, 4),
    "rails, hosts missing": lambda: _rails(7, 4, 3, 3, 3),
    "rails, parallel uplinks": lambda: _rails(6, 3, 4, 2, 4),
}
_built: dict[str, Case] = {}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    if request.param not in _built:
        _built[request.param] = CASES[request.param]()
    return _built[request.param]


@pytest.fixture(params=["plain", "compiled"])
def form(request: pytest.FixtureRequest) -> Callable[[Any], Callable[..., Any]]:
    return lambda kernel: getattr(kernel, request.param)


def _pairs(case: Case) -> list[tuple[int, int]]:
    """All pairs, in an order that is no order."""
    pairs = [(s, d) for s in range(case.ranks) for d in range(case.ranks) if s != d]
    random.Random(7).shuffle(pairs)
    return pairs[:1500]


def _columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    source, target = np.array(pairs, np.int32).T
    return np.ascontiguousarray(source), np.ascontiguousarray(target)


def _by_hop(case: Case, load: np.ndarray) -> dict[Hop, float]:
    return {case.hops[at]: float(load[at]) for at in np.flatnonzero(load)}


def test_paths(case: Case, form: Any) -> None:
    pairs = _pairs(case)
    source, target = _columns(pairs)
    path = np.full((len(pairs), flows.MAX_PATH), -1, np.int32)
    length = np.empty(len(pairs), np.int32)
    form(flows.flow_paths)(case.tables, source, target, path, length)
    for (s, d), row, count in zip(pairs, path.tolist(), length.tolist(), strict=True):
        assert [case.hops[at] for at in row[:count]] == case.walk(s, d)


def test_loads(case: Case, form: Any) -> None:
    pairs = _pairs(case)
    load = np.zeros(len(case.channels))
    form(flows.add_loads)(case.tables, *_columns(pairs), 0.5, load)
    assert _by_hop(case, load) == reference.loads(case.walk, pairs, 0.5)


def test_leaf_loads_count_every_rank_and_what_arrives(case: Case, form: Any) -> None:
    leaves, ranks = np.unique(case.tables.leaf, return_counts=True)
    load, hops, sent = np.zeros(len(case.channels)), np.zeros(flows.MAX_PATH + 1), np.zeros(len(leaves))
    form(flows.add_leaf_loads)(case.tables, leaves.astype(np.int32), ranks.astype(float), load, hops, sent)
    between: Counter[Hop] = Counter()
    links: Counter[int] = Counter()
    network_only = case.walk.__self__  # type: ignore[attr-defined]
    alone = type(network_only)(**(vars(network_only) | {"gpus": 1})) if isinstance(network_only, Pgft) else None
    for s in range(case.ranks):
        for d in range(case.ranks):
            walk = alone.walk(s, d) if alone else _rails_without_scale_up(network_only, s, d)
            inner = [hop for hop in walk if hop[0] != 0]
            between.update(inner)
            links[len(inner) + 2] += 1
    load[case.tables.port_channel ^ 1] -= case.ranks
    assert _by_hop(case, load) == between
    assert {at: int(hops[at]) for at in np.flatnonzero(hops)} == links
    assert (sent == case.ranks).all()


def _rails_without_scale_up(twin: Rails, s: int, d: int) -> list[Hop]:
    """As the twin's walk, but between GPUs of one host the network is taken too."""
    (host, rail), (to, lane) = divmod(s, twin.gpus), divmod(d, twin.gpus)
    leaf, other = host // twin.unit * twin.gpus + rail, to // twin.unit * twin.gpus + lane
    port = to % twin.uplinks
    return [] if leaf == other else [(1, leaf, port, "up"), (1, other, port, "down")]


@pytest.mark.parametrize("regular", [False, True])
def test_all_to_all_by_aggregation_is_the_sum_over_pairs(case: Case, regular: bool) -> None:
    tree = regular_tree(case.fabric, 0, case.tables, case.channels) if regular else None
    load, _ = all_to_all_loads(case.tables, len(case.channels), tree)
    pairs = [(s, d) for s in range(case.ranks) for d in range(case.ranks) if s != d]
    expected = reference.loads(case.walk, pairs)
    network = {hop: value for hop, value in expected.items() if hop[0] != "scale-up"}
    assert _by_hop(case, load) == network


def test_every_case_is_a_regular_tree(case: Case) -> None:
    """So the closed form above is really the one tried."""
    assert regular_tree(case.fabric, 0, case.tables, case.channels) is not None


def test_round_cost(case: Case, form: Any) -> None:
    rng = np.random.default_rng(3)
    pairs = sorted(_pairs(case)[:200])
    share = rng.random(len(pairs))
    seconds, latency = rng.random(len(case.channels)), rng.random(len(case.channels))
    place = {hop: at for at, hop in enumerate(case.hops)}
    scratch = _scratch(len(case.channels))
    source, target = _columns(pairs)
    cost, channel, longest, lost, alone = form(flows.round_cost)(
        case.tables, source, target, source, share, seconds, latency, scratch
    )
    flow_list = [(s, d, x) for (s, d), x in zip(pairs, share.tolist(), strict=True)]
    expected = reference.round_cost(case.walk, flow_list, lambda h: seconds[place[h]], lambda h: latency[place[h]])
    assert (cost, longest, alone) == pytest.approx(expected, rel=1e-12)
    carried: Counter[Hop] = Counter()
    for s, d, x in flow_list:
        for hop in case.walk(s, d):
            carried[hop] += x  # type: ignore[assignment]
    assert carried[case.hops[channel]] * seconds[channel] == pytest.approx(cost)
    assert lost == -1
    assert not scratch.load.any()
    assert (scratch.owner == -1).all()


def _scratch(channels: int) -> flows.Scratch:
    return flows.Scratch(
        np.zeros(channels), np.zeros(channels), np.full(channels, -1, np.int32), np.empty(channels, np.int32)
    )


def test_bottleneck_rates(case: Case, form: Any) -> None:
    order = np.random.default_rng(5).permutation(case.ranks).tolist()
    half = case.ranks // 2
    pairs = list(zip(order[:half], order[half : 2 * half], strict=True))
    place = {hop: at for at, hop in enumerate(case.hops)}
    weight = np.random.default_rng(6).uniform(0.2, 2, len(case.channels))
    load = np.zeros(len(case.channels))
    mean = form(flows.bottleneck_rates)(case.tables, *_columns(pairs), weight, load)
    expected = reference.mean_bottleneck_rate(case.walk, pairs, lambda hop: float(weight[place[hop]]))
    assert mean == pytest.approx(expected, rel=1e-12)
    assert not load.any()


def test_a_flow_without_a_way_is_named(form: Any) -> None:
    """Two leaves without a spine between them: rank 0 reaches 1, not 2."""
    cut = edit(fabrics.pgft((2, 2), (1, 1), (1, 1)), drop=["leaf-01:3", "leaf-02:3"])
    tables = rank_tables(cut, 0)[0]
    place = channels(cut)
    source, target = np.array([0, 0, 0], np.int32), np.array([1, 2, 1], np.int32)
    scratch = _scratch(len(place))
    ones = np.ones(len(place))
    result = form(flows.round_cost)(tables, source, target, source, np.ones(3), ones, ones, scratch)
    assert result[3] == 1
    assert not scratch.load.any()
    assert (scratch.owner == -1).all()
    path, length = np.full((3, flows.MAX_PATH), -1, np.int32), np.empty(3, np.int32)
    form(flows.flow_paths)(tables, source, target, path, length)
    assert length.tolist() == [2, -1, 2]
