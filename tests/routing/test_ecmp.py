"""ECMP hashing: listed paths, a slow twin, polarisation, and balls in bins."""

from __future__ import annotations

import zlib
from itertools import product

import fabrics
import numpy as np
import pytest
import routing_samples
import spread_twins
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrictool.errors import InputError
from fabrictool.fabric.faults import random_faults
from fabrictool.kernels import hashing
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.ecmp import Ecmp
from fabrictool.routing.flows import Flows, Routing, flows
from fabrictool.routing.hash_words import crc32_words, expected_largest, five_tuples, mix_words
from fabrictool.routing.wiring import wiring

#: 10.0.0.1 to 10.0.1.2, UDP source port 50000, destination port 4791 (reference 2.4).
KEY = bytes([10, 0, 0, 1, 10, 0, 1, 2]) + (50000).to_bytes(2, "big") + (4791).to_bytes(2, "big") + b"\x11"
FABRICS = {
    "three levels": fabrics.pgft((2, 3, 3), (1, 2, 3), (1, 2, 1)),
    "rails": fabrics.rails(4, 2, 2, 2),
    "dual plane": fabrics.fabric_of(
        {
            "name": "host",
            "count": 8,
            "type": {
                "name": "h",
                "gpus": 1,
                "nics": [{"role": "compute", "count": 1, "ports_each": 2, "speed": "200G"}],
            },
        },
        family="multi-plane",
        planes=2,
        plane_by="port",
        hosts_per_leaf=2,
        leaf={"type": fabrics.SWITCH},
    ),
}


@pytest.mark.parametrize("name", ["ecmp-crc-1qp", "ecmp-crc-sameseed"])
def test_listed_paths_and_loads(name: str) -> None:
    sample = routing_samples.sample(name)
    routing = Ecmp("ecmp", sample.wiring, "crc32", tuple(sample.text["seeds"] + [0]))
    used = routing.usage(sample.flows)
    paths = np.split(used.channel, used.first[1:-1])
    assert [path.tolist() for path in paths] == [sample.channel[path].tolist() for path in sample.expect["paths"]]
    load = routing.loads(sample.flows)
    assert np.array_equal(load, sample.listed(sample.expect["link_load"]))
    assert load.max() == sample.expect["max_load"]


@pytest.mark.parametrize(
    ("key", "seed", "value"),
    [(KEY, 0, 0x1F569981), (KEY + bytes([0, 0, 0x11]), 0, 0x578D4DDA), (KEY, 0x1234, 0x38B56D5B)],
)
def test_crc_of_published_keys(key: bytes, seed: int, value: int) -> None:
    """Reference 2.4, computed with zlib."""
    rows = np.frombuffer(key, np.uint8)[None, :]
    assert crc32_words(rows, [seed]).tolist() == [[value]]
    assert zlib.crc32(key, seed) == value


@given(st.binary(min_size=0, max_size=20), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4))
def test_crc_is_that_of_zlib(key: bytes, seeds: list[int]) -> None:
    rows = np.frombuffer(key, np.uint8).reshape(1, -1)
    assert crc32_words(rows, seeds)[:, 0].tolist() == [zlib.crc32(key, seed) for seed in seeds]


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(FABRICS)),
    st.integers(0, 6),
    st.lists(st.integers(0, 9), min_size=4, max_size=4),
    st.integers(0, 99),
)
def test_paths_are_those_of_a_slow_twin(name: str, links: int, seeds: list[int], seed: int) -> None:
    found = wiring(FABRICS[name], 0, random_faults(FABRICS[name], links, 0, seed))
    rng = np.random.default_rng(seed)
    source = rng.integers(0, found.hosts, 12).astype(np.int32)
    target = ((source + rng.integers(1, found.hosts, 12)) % found.hosts).astype(np.int32)
    keys = [rng.bytes(rng.integers(13, 17)) for _ in source]
    used = Ecmp("ecmp", found, "crc32", tuple(seeds)).usage(Flows(source, target, np.ones(12), keys))
    graph = spread_twins.graph_of(found)
    for row, key in enumerate(keys):
        twin = spread_twins.hashed(graph, found, int(source[row]), int(target[row]), key, seeds)
        assert used.channel[used.first[row] : used.first[row + 1]].tolist() == (twin or [])
        assert used.hops[row] == (len(twin) if twin else -1)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(FABRICS)), st.integers(0, 6), st.integers(1, 4), st.integers(0, 99))
def test_loads_usage_and_single_queue_pairs_agree(name: str, links: int, pairs: int, seed: int) -> None:
    found = wiring(FABRICS[name], 0, random_faults(FABRICS[name], links, 0, seed))
    rng = np.random.default_rng(seed)
    routing = Ecmp("ecmp", found, flows_per_pair=pairs, seed=seed)
    some = flows(*rng.integers(0, found.hosts, (2, 20)), rng.random(20))
    load = routing.loads(some)
    assert load == pytest.approx(Routing.loads(routing, some), rel=1e-12)
    parts, single = routing.subflows(some)
    assert len(parts) == 20 * pairs
    assert load == pytest.approx(single.loads(parts), rel=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "same", "mixed"), [(8, 8, 1, 8), (8, 32, 4, 32), (32, 32, 1, 32), (6, 8, 4, 8), (7, 8, 8, 8)]
)
def test_polarisation(first: int, second: int, same: int, mixed: int) -> None:
    """Reference 2.4: of flows that chose one of n1 ports, n2 / gcd(n1, n2) of n2 are used, whatever the CRC's seed."""
    rng = np.random.default_rng(1)
    keys = five_tuples(*rng.integers(0, 1000, (2, 20_000)).astype(np.int32))
    leaf, again, other = crc32_words(keys, [0, 0, 24301])
    chosen = leaf % first == 1
    assert len(np.unique(again[chosen] % second)) == same
    assert len(np.unique(other[chosen] % second)) == same
    leaf, other = mix_words(keys, [0, 1])
    assert len(np.unique((other * second >> 32)[leaf * first >> 32 == 1])) == mixed


def test_equal_seeds_leave_cables_of_a_tree_unused() -> None:
    """Leaves and spines with four ways up each: one hash for both uses one of four cores ways out of each spine."""
    found = wiring(fabrics.pgft((4, 4, 8), (1, 4, 4), (1, 1, 1)), 0)
    source = np.repeat(np.arange(16), 50)
    some = flows(source, source + 64)
    used = {}
    for hash_, seeds in product(("crc32", "mix"), ((0, 0, 0, 0), (0, 1, 2, 3))):
        many = Ecmp("ecmp", found, hash_, seeds, flows_per_pair=16).loads(some)
        tier = found.fabric.devices.tier[found.fabric.ends[0]]
        used[hash_, seeds[1]] = int(np.count_nonzero(many[: 2 * len(tier) : 2][tier == 2]))
    assert used == {("crc32", 0): 4, ("crc32", 1): 4, ("mix", 0): 4, ("mix", 1): 16}


@pytest.mark.parametrize(
    ("bins", "pairs", "expected"),
    [(4, 1, 2.1250), (4, 16, 20.2020), (8, 1, 2.5972), (16, 1, 3.0782), (16, 8, 13.3569), (32, 1, 3.5329),
     (32, 4, 8.6506), (32, 16, 24.8236), (64, 1, 3.9577), (64, 8, 15.3363)],
)  # fmt: skip
def test_balls_in_bins(bins: int, pairs: int, expected: float) -> None:
    """Reference 2.4: E[max load] in flows, exact."""
    assert expected_largest(bins * pairs, bins) == pytest.approx(expected, abs=5e-5)


def test_balls_in_bins_by_listing_all_throws() -> None:
    throws = list(product(range(3), repeat=5))
    mean = sum(max(np.bincount(throw)) for throw in throws) / len(throws)
    assert expected_largest(5, 3) == pytest.approx(mean, rel=1e-12)
    assert expected_largest(2, 2) == 1.5
    assert expected_largest(4, 1) == 4
    assert expected_largest(3, 3) == pytest.approx((6 * 1 + 18 * 2 + 3 * 3) / 27, rel=1e-12)


def test_hashed_permutations_load_leaf_uplinks_like_balls_in_bins() -> None:
    """32 flows on 32 uplinks: E[max] = 3.533."""
    found = wiring(fabrics.pgft((32, 32), (1, 32), (1, 1)), 0)
    rng = np.random.default_rng(3)
    up = found.fabric.devices.tier[found.fabric.ends[0]] == 1
    largest = []
    for seed in range(10):
        source = np.arange(1024)
        target = (source + 32 * rng.integers(1, 32, 1024)) % 1024
        load = Ecmp("ecmp", found, seed=seed).loads(flows(source, target))[: 2 * len(up) : 2][up]
        largest.append(load.reshape(32, 32).max(axis=1).mean())
    assert np.mean(largest) == pytest.approx(expected_largest(32, 32), abs=0.15)


def test_plain_and_compiled_kernel_agree() -> None:
    found = wiring(FABRICS["dual plane"], 0, random_faults(FABRICS["dual plane"], 2, 0, 1))
    routing = Ecmp("ecmp", found)
    some = flows(np.repeat(np.arange(8), 8), np.tile(np.arange(8), 8))
    word = next(iter(routing._words(some)))
    answers = []
    for run in (hashing.hashed_paths.plain, hashing.hashed_paths.compiled):
        path, length = np.full((64, 8), -1, np.int32), np.empty(64, np.int32)
        run(routing.choices, some.source, some.target, word, (False, False), path, length)
        answers.append(np.column_stack((path, length)))
    assert np.array_equal(*answers)


def test_queue_pairs_take_planes_in_turn() -> None:
    found = wiring(FABRICS["dual plane"], 0)
    routing = routing_of(found, Stated(name="ecmp", planes="round-robin", flows_per_pair=4))
    load = routing.loads(flows([0], [7]))
    plane = found.fabric.ports.plane[found.fabric.links.port_a]
    at_host = found.fabric.devices.tier[found.fabric.ends[0]] == 0
    assert [load[0 : 2 * len(plane) : 2][at_host & (plane == number)].sum() for number in (0, 1)] == [0.5, 0.5]


def test_wrong_options_are_refused() -> None:
    found = wiring(FABRICS["three levels"], 0)
    with pytest.raises(InputError, match="hash 'md5' is not known; use mix or crc32"):
        Ecmp("ecmp", found, "md5")
    with pytest.raises(InputError, match=r"2 seeds for the 4 tiers of network compute, the hosts' among them; give 4"):
        Ecmp("ecmp", found, seeds=(1, 2))


def test_more_paths_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabrictool.routing.ecmp.MOST_PATHS", 10)
    routing = Ecmp("ecmp", wiring(fabrics.pgft((4, 4), (1, 4), (1, 1)), 0), flows_per_pair=4)
    assert len(routing.usage(flows([0, 1], [5, 6])).hops) == 2
    with pytest.raises(InputError, match="3 flows of 4 queue pairs are more than 10 paths; use flows_per_pair up to 3"):
        routing.usage(flows([0, 1, 2], [5, 6, 7]))
