"""Fat-trees against closed forms and published tables."""

from __future__ import annotations

from typing import Any

import fabrics
import numpy as np
import pytest

from fabrictool.errors import FabrictoolError, InputError
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import counts, free_ports, network_counts, oversubscription

# Zahavi 2010's PGFT; devices at level l = prod(m[l+1..h]) prod(w[1..l]), links l-1 to l = devices(l-1) w[l] p[l]
TABLE = {
    "FT16": ((4, 4), (1, 4), (1, 1), 16, 8, 32),
    "FT64": ((8, 8), (1, 8), (1, 1), 64, 16, 128),
    "FT256": ((16, 16), (1, 16), (1, 1), 256, 32, 512),
    "FT256 2:1": ((16, 16), (1, 8), (1, 1), 256, 24, 384),
    "FT1024": ((8, 8, 16), (1, 8, 8), (1, 1, 1), 1024, 320, 3072),
    "k = 4": ((2, 2, 4), (1, 2, 2), (1, 1, 1), 16, 20, 48),
    "PGFT128": ((8, 4, 4), (1, 4, 4), (1, 2, 2), 128, 48, 384),
    "radix 64, 1,024": ((32, 8, 4), (1, 8, 2), (1, 4, 16), 1024, 80, 3072),
}


def _sw(ports: int, speed: str = "400G", **more: Any) -> dict[str, Any]:
    return {"type": {"name": f"sw{ports}", "ports": ports, "speed": speed} | more}


def _tree(hosts: int, gpus: int = 1, **network: Any) -> Fabric:
    group = {"name": "host", "type": fabrics.host_type(gpus), "count": hosts}
    return fabrics.fabric_of(group, family="fat-tree", **network)


def _counts(fabric: Fabric) -> tuple[int, int, int, int]:
    found = network_counts(fabric)["compute"]
    return found["leaf"], found["spine"], found["core"], found["links"]


def _refusal(hosts: int, gpus: int = 1, **network: Any) -> str:
    with pytest.raises(FabrictoolError) as caught:
        _tree(hosts, gpus, **network)
    return str(caught.value)


@pytest.mark.parametrize("name", TABLE)
def test_pgft(name: str) -> None:
    m, w, p, hosts, switches, cables = TABLE[name]
    fabric = fabrics.pgft(m, w, p)
    found = counts(fabric)
    assert (found["hosts"], found["switches"], found["links"], found["cables"]) == (hosts, switches, cables, cables)


@pytest.mark.parametrize("name", TABLE)
def test_pgft_fits_switches_of_exactly_its_ports(name: str) -> None:
    m, w, p, *_ = TABLE[name]
    for level, kind in enumerate(("leaf", "spine", "core")[: len(m)], 1):
        up = w[level] * p[level] if level < len(m) else 0
        ports = m[level - 1] * p[level - 1] + up
        fabric = fabrics.pgft(m, w, p, **{kind: _sw(ports)}, **({"leaf": _sw(512)} if level > 1 else {}))
        assert free_ports(fabric, 0)[kind] == 0
        with pytest.raises(InputError, match=f"a {kind} needs {ports} ports"):
            fabrics.pgft(m, w, p, **{kind: _sw(ports - 1)}, **({"leaf": _sw(512)} if level > 1 else {}))


@pytest.mark.parametrize("k", [2, 4, 6, 8, 16])
def test_k_ary(k: int) -> None:
    """Al-Fares 2008: k^3/4 hosts, k^2/2 edge and aggregation switches each, k^2/4 cores, 3 k^3/4 links."""
    fabric = _tree(k**3 // 4, k=k, leaf=_sw(k))
    assert _counts(fabric) == (k * k // 2, k * k // 2, k * k // 4, 3 * k**3 // 4)
    assert set(free_ports(fabric, 0).values()) == {0}


def test_k_ary_of_two_levels() -> None:
    assert _counts(_tree(32, k=8, levels=2, leaf=_sw(8))) == (8, 4, 0, 64)


def test_ports_of_ft64() -> None:
    """Down ports first, then up ports, all counted from 1; up port q of a leaf goes to spine q."""
    fabric = fabrics.pgft((8, 8), (1, 8), (1, 1))
    links = [fabric.link_name(row) for row in range(len(fabric.links))]
    assert links[0] == "host-01:1 - leaf-01:1"
    assert links[63] == "host-64:1 - leaf-08:8"
    assert {"leaf-01:9 - spine-01:1", "leaf-01:16 - spine-08:1", "leaf-08:10 - spine-02:8"} <= set(links)


def test_parallel_cables_interleave_over_parents_and_blocked_ones_do_not() -> None:
    """PGFT: up port q goes to parent q mod w by cable q div w; blocked: to parent q div p."""
    ports = {"interleaved": [1, 2, 1, 2, 1, 2], "blocked": [1, 1, 1, 2, 2, 2]}
    for wiring, spines in ports.items():
        fabric = fabrics.pgft((4, 3), (1, 2), (1, 3), wiring=wiring)
        ends = dict(fabric.link_name(row).split(" - ") for row in range(len(fabric.links)))
        assert [ends[f"leaf-02:{5 + q}"].split(":")[0] for q in range(6)] == [f"spine-{spine:02d}" for spine in spines]
        assert sorted(ends[f"leaf-02:{5 + q}"].split(":")[1] for q in range(6)) == sorted("456456")


def test_ports_of_three_levels() -> None:
    """PGFT128: child (H, x) goes to parent (H div m, x + W (q mod w)) by cable q div w."""
    fabric = fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2))
    ends = dict(fabric.link_name(row).split(" - ") for row in range(len(fabric.links)))
    for subtree in range(4):
        for x in range(4):
            for q in range(8):
                core = x + 4 * (q % 4)
                assert (
                    ends[f"spine-{subtree * 4 + x + 1:02d}:{8 + q + 1}"]
                    == f"core-{core + 1:02d}:{subtree * 2 + q // 4 + 1}"
                )


@pytest.mark.parametrize(
    ("leaves", "uplinks", "ports", "spines"),
    # smallest divisor of the uplinks that is at least leaves x uplinks / ports; the last: B300 XDR with 8 SU
    [
        (8, 32, 64, 4),
        (16, 32, 64, 8),
        (24, 32, 64, 16),
        (32, 32, 64, 16),
        (64, 32, 64, 32),
        (3, 6, 10, 2),
        (64, 72, 144, 36),
    ],
)
def test_spines_are_the_next_divisor_of_the_uplinks(leaves: int, uplinks: int, ports: int, spines: int) -> None:
    fabric = _tree(leaves * uplinks, hosts_per_leaf=uplinks, levels=2, leaf=_sw(144), spine=_sw(ports))
    assert _counts(fabric) == (leaves, spines, 0, 2 * leaves * uplinks)
    matrix = fabric.to_scipy()[fabric.devices.tier == 1][:, fabric.devices.tier == 2]
    assert (matrix.toarray() == uplinks // spines).all()


@pytest.mark.parametrize(
    ("hosts", "network", "expected"),
    [
        (256, {"hosts_per_leaf": 16, "leaf": _sw(32)}, (16, 8, 0, 512)),
        (256, {"hosts_per_leaf": 16, "oversubscription": 2, "leaf": _sw(32)}, (16, 4, 0, 384)),
        (256, {"oversubscription": 2, "leaf": _sw(24), "spine": _sw(32) | {"count": 8}}, (16, 8, 0, 384)),
        # 64 ports at 3:1: 48 down and 16 up
        (480, {"oversubscription": 3, "leaf": _sw(64)}, (10, 4, 0, 640)),
        # three levels begin where leaves outnumber the ports of a spine
        (2048, {"leaf": _sw(64)}, (64, 32, 0, 4096)),
        (1024, {"hosts_per_leaf": 8, "leaf": _sw(16)}, (128, 128, 64, 3072)),
        (16384, {"leaf": _sw(64)}, (512, 512, 256, 49152)),
        (1024, {"hosts_per_leaf": 32, "leaf": _sw(64), "pod": {"hosts": 256}}, (32, 32, 16, 3072)),
        # 66 leaves: 3 pods of 22, not of 32 with 30 leaves idle
        (2112, {"leaf": _sw(64)}, (66, 96, 64, 2112 * 3)),
        # a second ratio tapers the spines: 28 of 32 ports down, 4 up
        (
            8 * 28 * 4,
            {"hosts_per_leaf": 8, "oversubscription": [1, 7], "leaf": _sw(32), "pod": {"hosts": 224}},
            (112, 32, 8, 1920),
        ),
    ],
)
def test_sized_by_hosts_per_leaf_and_oversubscription(
    hosts: int, network: dict[str, Any], expected: tuple[int, ...]
) -> None:
    fabric = _tree(hosts, **network)
    assert _counts(fabric) == expected
    asked = network.get("oversubscription", 1)
    ratios = asked if isinstance(asked, list) else [asked, 1]
    found = oversubscription(fabric, 0)
    assert found == pytest.approx(ratios[: len(found)])


def test_counts_of_three_levels_are_totals() -> None:
    tiers = {"leaf": _sw(16) | {"count": 40}, "spine": _sw(16) | {"count": 40}, "core": _sw(16) | {"count": 32}}
    assert _counts(_tree(320, hosts_per_leaf=8, levels=3, **tiers)) == (40, 40, 32, 960)
    spine = {"spine": _sw(16) | {"count": 41}}
    assert "in 5 groups; use one of 20, 40" in _refusal(320, hosts_per_leaf=8, levels=3, **tiers | spine)
    core = {"core": _sw(16) | {"count": 40}}
    assert "in 8 groups; use one of 32, 64" in _refusal(320, hosts_per_leaf=8, levels=3, **tiers | core)


def test_a_spine_takes_the_type_of_the_leaf_but_not_its_ports_and_count() -> None:
    fabric = _tree(64, hosts_per_leaf=8, leaf=_sw(64) | {"count": 9, "up": 8})
    assert _counts(fabric) == (9, 2, 0, 64 + 72)


def test_breakout_and_faster_uplinks() -> None:
    """64 cages of 800G: 64 hosts of 400G on 32 cages, 32 uplinks of 800G on the others."""
    leaf = {"type": {"name": "sw", "ports": 64, "speed": "800G", "cages": 64}, "up_speed": "800G"}
    fabric = _tree(2048, hosts_per_leaf=64, leaf=leaf, spine={"type": leaf["type"]})
    assert _counts(fabric) == (32, 16, 0, 2048 + 32 * 32)
    assert free_ports(fabric, 0) == {"leaf": 0, "spine": 0}
    assert oversubscription(fabric, 0) == [1.0]
    at_leaf = fabric.links.port_z[fabric.devices.tier[fabric.ends[0]] == 0]
    assert np.array_equal(fabric.ports.cage[at_leaf][:4], [0, 0, 1, 1])


@pytest.mark.parametrize(("ports", "cages", "per_cage"), [(64, 32, 2), (64, None, 1)])
def test_cables_per_cage_count_twin_ports_once(ports: int, cages: int | None, per_cage: int) -> None:
    kind = {"name": "sw", "ports": ports, "speed": "400G"} | ({"cages": cages} if cages else {})
    group = {"name": "host", "type": fabrics.host_type(2), "count": 64}
    parts = {"family": "fat-tree", "hosts_per_leaf": 16, "leaf": {"type": kind}, "wiring": "blocked"}
    links, cables = (
        network_counts(fabrics.fabric_of(group, **parts, cables=word))["compute"] for word in ("per-link", "per-cage")
    )
    assert links["cables"] == links["links"] == 256
    # host ports have cages of their own here; a leaf's 32 uplinks share 32 / per_cage
    assert cables["cables"] == 128 + 128 // per_cage


@pytest.mark.parametrize("hosts", [1, 2, 13, 15, 16])
def test_an_uneven_last_leaf(hosts: int) -> None:
    if hosts < 2:
        assert "attaches 1 host" in _refusal(hosts, hosts_per_leaf=4, leaf=_sw(8))
        return
    fabric = _tree(hosts, hosts_per_leaf=4, leaf=_sw(8))
    leaves = -(-hosts // 4)
    assert _counts(fabric)[0] == leaves
    used = np.bincount(fabric.ends[1][fabric.devices.tier[fabric.ends[0]] == 0])[-leaves:]
    assert sorted(used[used > 0].tolist(), reverse=True) == [4] * (hosts // 4) + ([hosts % 4] if hosts % 4 else [])
    assert fabric.to_igraph().is_connected()


def test_a_half_filled_pod_keeps_its_switches() -> None:
    full, half = fabrics.pgft((4, 4, 3), (1, 4, 4), (1, 1, 1)), fabrics.pgft((4, 4, 3), (1, 4, 4), (1, 1, 1), ports=40)
    assert _counts(full)[:3] == _counts(half)[:3]
    assert len(full.links) - len(half.links) == 8


def test_one_host_too_many_is_refused() -> None:
    for network in (
        {"k": 4, "leaf": _sw(4)},
        {"pgft": {"m": [4, 4], "w": [1, 4], "p": [1, 1]}, "leaf": _sw(8)},
    ):
        assert "17 host ports do not fit a fat-tree for 16; lower count, or enlarge the tree" in _refusal(17, **network)
    assert "4 leaves of 4 ports hold 16 host ports, but 17 are attached" in _refusal(
        17, hosts_per_leaf=4, leaf=_sw(8) | {"count": 4}
    )


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({"hosts_per_leaf": 40, "leaf": _sw(64)}, "a leaf needs 80 ports for 40 links down and 40 up, but sw64 has 64"),
        ({"hosts_per_leaf": 8, "leaf": _sw(64) | {"up": 0}}, "the leaf has no uplinks"),
        ({"hosts_per_leaf": 4, "leaf": _sw(64), "levels": 2, "core": _sw(64)}, "2 levels has no core tier"),
        ({"hosts_per_leaf": 4, "leaf": _sw(64) | {"up": 4}, "oversubscription": 2}, "take 2 up; give one of them"),
        ({"hosts_per_leaf": 4, "leaf": _sw(64) | {"down": 8}}, "leaf.down is 8, but 4 hosts a leaf have 4 ports"),
        ({"hosts_per_leaf": 4, "leaf": _sw(64), "spine": _sw(64) | {"groups": 2}}, "spine.groups is 2, but the rest"),
        ({"hosts_per_leaf": 4, "leaf": _sw(64), "oversubscription": [1, 2]}, "2 ratios are given, but 1 tiers"),
        ({"k": 8, "leaf": _sw(8) | {"count": 9}}, "leaf.count is 9, but the rest describes a tree with 32"),
        ({"k": 8, "leaf": _sw(8), "hosts_per_leaf": 4}, "another way to size it is given too"),
        ({"k": 8}, "the leaf's type is not given"),
        ({"k": 7, "leaf": _sw(8)}, "k is 7, but half of k ports go up; use 6 or 8"),
        ({"hosts_per_leaf": 8, "leaf": _sw(64), "levels": 4}, "4 levels is sized by pgft or k alone"),
        ({"hosts_per_leaf": 2, "leaf": _sw(16), "pod": {"hosts": 24}}, "a pod of 12 leaves takes all ports"),
        ({"hosts_per_leaf": 4, "leaf": _sw(16), "pod": {"hosts": 10}}, "does not fill leaves of 4 ports"),
        ({"pgft": {"m": [4, 4], "w": [2, 4], "p": [1, 1]}, "leaf": _sw(16)}, "each host port has one leaf"),
        ({"hosts_per_leaf": 4, "leaf": _sw(16, "200G")}, "port of 400G does not fit sw16"),
        ({"hosts_per_leaf": 4, "leaf": _sw(16), "rails": 2}, "a fat-tree network takes no 'rails'"),
        ({"hosts_per_leaf": 4, "leaf": _sw(16), "speed": "800G"}, "links of 800G do not fit host ports of 400G"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_way_out(network: dict[str, Any], words: str) -> None:
    assert words in _refusal(48, **network)


def _leaves_of_hosts(fabric: Fabric) -> dict[str, set[str]]:
    ends: dict[str, set[str]] = {}
    for a, z in zip(*fabric.ends, strict=True):
        if fabric.devices.tier[a] == 0:
            ends.setdefault(fabric.names[a], set()).add(fabric.names[z])
    return ends


def test_a_hosts_ports_stay_at_one_leaf() -> None:
    """Leaves of 5 ports hold 2 hosts of 2 ports each."""
    fabric = _tree(8, gpus=2, leaf=_sw(16) | {"down": 5, "up": 2})
    assert _counts(fabric)[0] == 4
    assert set(map(len, _leaves_of_hosts(fabric).values())) == {1}
    pgft = {"pgft": {"m": [5, 3], "w": [1, 2], "p": [1, 1]}, "leaf": _sw(16)}
    assert len(_tree(6, gpus=2, **pgft).links) == 12 + 6
    assert "14 host ports do not fit a fat-tree for 15, leaf by leaf with a host's ports together" in _refusal(
        7, gpus=2, **pgft
    )


def test_hosts_of_fewer_ports_do_not_push_others_over_two_leaves() -> None:
    two, one = fabrics.host_type(2), {"name": "login", "gpus": 0, "nics": 1, "speed": "400G"}
    groups = [{"name": "a", "type": one, "count": 1, "role": "service"}, {"name": "b", "type": two, "count": 6}]
    fabric = fabrics.fabric_of(groups, family="fat-tree", hosts_per_leaf=2, leaf=_sw(8))
    assert set(map(len, _leaves_of_hosts(fabric).values())) == {1}
    assert _counts(fabric)[0] == 4


def test_a_host_with_more_ports_than_a_leaf_takes_several() -> None:
    fabric = _tree(2, gpus=4, leaf=_sw(8) | {"down": 2, "up": 2})
    assert list(map(len, _leaves_of_hosts(fabric).values())) == [2, 2]
