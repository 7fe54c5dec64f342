"""Rail-optimized fabrics against the published DGX SuperPOD tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fabrics
import numpy as np
import pytest
import yaml

from fabrictool.errors import FabrictoolError
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import counts, free_ports, network_counts, occupied_cages
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

REFERENCE = Path(__file__).parents[3] / "shared" / "reference-designs.yaml"
UFM = {"name": "ufm", "type": {"name": "u", "gpus": 0, "nics": 4, "speed": "400G"}, "count": 1, "role": "service"}


def _superpod(units: int, hosts: int, with_ufm: bool, **more: Any) -> Fabric:
    groups = [{"name": "dgx", "type": "dgx-h100", "count": hosts}] + ([UFM] if with_ufm else [])
    attach = [{"hosts": "dgx", "role": "compute"}] + ([{"hosts": "ufm", "ports": [0, 1, 2, 3]}] if with_ufm else [])
    parts = {"rails": 8, "scalable_unit": {"hosts": 32}, "leaf": {"type": "qm9700"}, "speed": "400G"}
    network = {"family": "rail-optimized", "attach": attach} | parts | more
    return build(layout_from_tree({"name": "pod", "hosts": groups, "networks": {"compute": network}}))


# NVIDIA DGX SuperPOD Reference Architecture, DGX H100, RA-11333-001 V11 (2023-09-22), Table 4, with UFM in
# place of one host; DGX B200, RA-11334-001 V08 (2025-04-24), Table 3: full scalable units
PUBLISHED = [
    # units, hosts, UFM, leaves, spines, links at hosts, links between, per pair
    (1, 31, True, 8, 4, 252, 256, 8),
    (2, 63, True, 16, 8, 508, 512, 4),
    (3, 95, True, 24, 16, 764, 768, 2),
    (4, 127, True, 32, 16, 1020, 1024, 2),
    (4, 128, False, 32, 16, 1024, 1024, 2),
    (8, 256, False, 64, 32, 2048, 2048, 1),
]


@pytest.mark.parametrize(("units", "hosts", "ufm", "leaf", "spine", "at_hosts", "between", "per_pair"), PUBLISHED)
def test_superpod(
    units: int, hosts: int, ufm: bool, leaf: int, spine: int, at_hosts: int, between: int, per_pair: int
) -> None:
    fabric = _superpod(units, hosts, ufm)
    found = network_counts(fabric)["compute"]
    assert (found["hosts"], found["leaf"], found["spine"], found["core"]) == (hosts, leaf, spine, 0)
    assert found.get("service", 0) == int(ufm)
    assert (found["links"], found["cables"]) == (at_hosts + between, at_hosts + between)
    tier = fabric.devices.tier[fabric.ends[0]]
    assert (np.count_nonzero(tier == 0), np.count_nonzero(tier == 1)) == (at_hosts, between)
    matrix = fabric.to_scipy()[fabric.devices.tier == 1][:, fabric.devices.tier == 2]
    assert (matrix.toarray() == per_pair).all()


def _reference() -> dict[str, dict[str, Any]]:
    if not REFERENCE.exists():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {row["id"]: row for row in yaml.load(REFERENCE.read_text(encoding="utf-8"), loader)["designs"]}


@pytest.mark.parametrize(
    "name",
    [f"dgx-superpod-h100-{n}su" for n in (1, 2, 4)] + [f"dgx-superpod-b200-{n}su-full" for n in (4, 8)],
)
def test_reference_design(name: str) -> None:
    if name not in _reference():
        pytest.skip("the collection of reference designs is not beside this checkout")
    design = _reference()[name]
    spec, ufm = design["spec"], "ufm" in design["tiers"]
    hosts = spec["su"] * spec["hosts_per_su"] - spec.get("hosts_removed_for_ufm", 0)
    fabric = _superpod(spec["su"], hosts, ufm)
    found = network_counts(fabric)["compute"] | {"gpus": counts(fabric)["gpus"]}
    expected = {key: design["expect"][key] for key in ("gpus", "hosts", "leaf", "spine", "core")}
    assert {key: found[key] for key in expected} == expected
    assert found["links"] == sum(row["count"] for row in design["links"])


def test_bill_of_materials_of_four_units() -> None:
    """RA-11333-001 V11, Tables 7 and 8: 1016 + 1024 cables between hosts, leaves and spines and 4 to UFM;
    1536 switch transceivers (48 switches x 32 cages), 508 of hosts (127 x 4 cages), 4 of UFM."""
    fabric = _superpod(4, 127, True)
    found = counts(fabric)
    assert (found["gpus"], found["hosts"], found["switches"]) == (1016, 127, 48)
    assert found["cables"] == 2040 + 4
    assert found["transceivers"] == 1536 + 508 + 4
    every = occupied_cages(fabric, np.ones(len(fabric.links), bool)) >> 16
    groups = np.array(fabric.groups)[fabric.devices.group[every]]
    assert {title: int(np.count_nonzero(groups == title)) for title in fabric.groups} == {
        "dgx": 508, "ufm": 4, "leaf": 32 * 32, "spine": 16 * 32,
    }  # fmt: skip
    assert free_ports(fabric, 0) == {"leaf": 4, "spine": 0}


def test_rail_and_unit_of_every_link() -> None:
    """Port r of host h goes to leaf (h div 32) x 8 + r, port h mod 32, all counted from 0."""
    fabric = _superpod(4, 127, True)
    lower, upper = fabric.ports, fabric.ports
    for link in np.flatnonzero(fabric.devices.tier[fabric.ends[0]] == 0).tolist():
        a, z = fabric.links.port_a[link], fabric.links.port_z[link]
        host, leaf = fabric.ends[0][link], fabric.ends[1][link]
        place = fabric.devices.index[host] + (127 if fabric.devices.kind[host] == 1 else 0)
        lane = lower.rail[a]
        assert fabric.devices.index[leaf] == place // 32 * 8 + lane
        assert upper.number[z] == place % 32 + 1
        assert (fabric.devices.pod[leaf], fabric.devices.rail[leaf]) == (place // 32, lane)
    assert fabric.link_name(0) == "dgx-001:1 - leaf-01:1"


@pytest.mark.parametrize("hosts", [9, 97, 127])
def test_leaves_and_spines_are_those_of_full_units(hosts: int) -> None:
    """RA-11333, Network Fabrics: hosts left out change no switch and no link between switches."""
    units = -(-hosts // 32)
    full, short = _superpod(units, 32 * units, False), _superpod(units, hosts, False)
    keys = ("leaf", "spine")
    assert [network_counts(short)["compute"][key] for key in keys] == [
        network_counts(full)["compute"][key] for key in keys
    ]
    assert len(full.links) - len(short.links) == 8 * (32 * units - hosts)
    assert short.to_igraph().is_connected()


def test_one_unit_more_than_spines_have_ports_adds_a_core_tier() -> None:
    """72 leaves fill no mesh of 64-port spines: each rail gets 16 spines for its 9 leaves, with 18 links down
    and up; 128 x 18 links fill 36 cores."""
    found = network_counts(_superpod(9, 257, False))["compute"]
    assert (found["leaf"], found["spine"], found["core"]) == (72, 8 * 16, 36)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"spine": {"type": "qm9700", "count": 12}}, "do not spread evenly under 12 spines of 64 ports"),
        ({"spine": {"type": "qm9700", "count": 8}}, "use one of 16, 32"),
        ({"leaf": {"type": "qm9700", "up": 0}}, "use the family rail-only"),
        ({"leaf": {"type": "qm9700", "count": 31}}, "take 32 leaves"),
        (
            {"leaf": {"type": "qm9700", "down": 18}},
            "leaves of 18 ports down do not share the 32 hosts of a scalable unit evenly",
        ),
        ({"leaf": {"type": "qm9700", "groups": 2}}, "leaves have no tier of switches below"),
        ({"leaf": {"type": "qm9700", "up": 32}, "oversubscription": 2}, "take 16 up; give one of them"),
        ({"oversubscription": [1, 2]}, "2 ratios are given"),
        ({"rails": 4}, "a host has 8 attached ports, but there are 4 rails"),
        ({"levels": 4}, "has 2 or 3 levels, not 4"),
        ({"hosts_per_leaf": 32}, "takes no 'hosts_per_leaf'"),
        ({"scalable_unit": {"hosts": 33}}, "a leaf needs 66 ports"),
        ({"scalable_unit": {"hosts": 32, "reserve": 1}}, "a leaf needs 65 ports for 33 links down and 32 up"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(more: dict[str, Any], words: str) -> None:
    with pytest.raises(FabrictoolError) as caught:
        _superpod(4, 128, False, **more)
    assert words in str(caught.value)


def test_oversubscription_and_reserve() -> None:
    fabric = _superpod(4, 128, False, oversubscription=2, scalable_unit={"hosts": 32, "reserve": 4})
    found = network_counts(fabric)["compute"]
    assert (found["leaf"], found["spine"], found["links"]) == (32, 8, 1024 + 32 * 16)
    assert "leaf-01:37 - spine-01:1" in {fabric.link_name(row) for row in range(1024, len(fabric.links))}


def test_blocked_uplinks_put_neighbours_on_one_spine() -> None:
    fabric = fabrics.rails(8, 2, 4, 2, 4, wiring="blocked")
    ends = dict(fabric.link_name(row).split(" - ") for row in range(len(fabric.links)))
    assert [ends[f"leaf-03:{port}"] for port in (5, 6, 7, 8)] == [
        "spine-01:5", "spine-01:6", "spine-02:5", "spine-02:6",
    ]  # fmt: skip


def test_scale_up_domains_are_hosts() -> None:
    fabric = _superpod(1, 31, True)
    assert len(fabric.gpus) == 248
    assert np.array_equal(fabric.gpus.domain, np.arange(248) // 8 * 8)
    assert np.array_equal(fabric.gpus.host, np.arange(248) // 8)
    assert np.array_equal(fabric.ports.device[fabric.gpu_ports.port], fabric.gpus.host[fabric.gpu_ports.gpu])
    assert (fabric.gpus.scale_up_bps == 3.6e12).all()


def test_planes_grow_without_renaming() -> None:
    """Switches of one place in all planes are counted one after another; one more unit renames none."""
    names = []
    for hosts in (64, 96):
        network = {"family": "multi-plane", "planes": 2, "rails": 8, "scalable_unit": {"hosts": 32}}
        network |= {"leaf": {"type": "qm9700"}, "plane_by": "nic"}
        kind = {"name": "h", "gpus": 8, "nics": 16, "speed": "400G"}
        tree = {"name": "p", "hosts": {"name": "h", "type": kind, "count": hosts}, "networks": {"compute": network}}
        fabric = build(layout_from_tree(tree))
        linked = fabric.ports.device[fabric.ports.peer[: 64 * 16]]
        names.append([fabric.names[row] for row in linked.tolist()])
    assert names[0] == names[1]
    assert len(set(names[0])) == 2 * 2 * 8
