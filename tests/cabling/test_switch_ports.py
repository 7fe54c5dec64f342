"""Switches whose systems call ports otherwise than a layout, which counts them from 1."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from fabrictool.fabric import Fabric
from fabrictool.fabric.port_labels import SCHEMES
from fabrictool.formats.port_naming import named_ports
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree
from fabrictool.verification import Verification, verify

SYSTEMS = [name for name in SCHEMES if name not in ("rail", "rdma")]


@cache
def site(cages: int) -> tuple[Layout, Fabric]:
    """16 hosts of 8 rails on 8 leaves and 4 spines of 64 ports in so many cages."""
    switch = {"name": "sw64", "ports": 64, "cages": cages, "speed": "400G"}
    tree: dict[str, Any] = {
        "name": "small",
        "hosts": {"name": "gpu", "type": {"name": "h", "gpus": 8, "nics": 8, "speed": "400G"}, "count": 16},
        "networks": {"compute": {
            "family": "rail-optimized", "speed": "400G", "rails": 8, "scalable_unit": {"hosts": 16},
            "leaf": {"type": switch, "down": 16, "up": 16}, "spine": {"type": switch, "count": 4},
        }},
    }  # fmt: skip
    layout = layout_from_tree(tree)
    return layout, build(layout)


def seen(cages: int, words: list[str], folder: Any, kept: np.ndarray, crossed: bool = False) -> Verification:
    """Verify a table under the words of some system; nobody looked at links that are not ``kept``.

    ``crossed`` exchanges the ends of two hosts on one leaf.
    """
    layout, fabric = site(cages)
    device, names = fabric.ports.device.tolist(), fabric.names
    ends = [(a, z) for a, z in zip(fabric.links.port_a.tolist(), fabric.links.port_z.tolist(), strict=True)]
    if crossed:
        ends[0], ends[8] = (ends[8][0], ends[0][1]), (ends[0][0], ends[8][1])
    looked = np.isin(np.arange(len(ends)), kept).tolist()
    rows = [(names[device[a]], words[a], names[device[z]], words[z], "yes") if there else ("", "", "", "", "")
            for (a, z), there in zip(ends, looked, strict=True)]  # fmt: skip
    for (a, z), there in zip(ends, looked, strict=True):
        if not there:
            rows += [(names[device[port]], words[port], "", "", "") for port in (a, z)]
    lines = ["a_device,a_port,z_device,z_port,seen", *(",".join(row) for row in rows if row[0])]
    path = folder / "seen.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return verify(layout, str(path), price=False)


@pytest.mark.parametrize("cages", [32, 64])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_is_understood(system: str, cages: int, tmp_path: Any) -> None:
    _, fabric = site(cages)
    words = named_ports(fabric, system, {})
    found = seen(cages, words, tmp_path, np.arange(len(fabric.links)))
    assert (found.summary.as_expected, found.summary.unexpected) == (256, 0)
    assert found.ok


@pytest.mark.parametrize("cages", [32, 64])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_mistake_in_a_partly_dark_fabric_is_named_in_the_words_of_the_plan(
    system: str, cages: int, tmp_path: Any
) -> None:
    _, fabric = site(cages)
    kept = np.flatnonzero(np.random.default_rng(7).random(len(fabric.links)) < 0.7)
    kept = np.union1d(kept, [0, 8])
    found = seen(cages, named_ports(fabric, system, {}), tmp_path, kept, crossed=True)
    (cause,) = found.causes
    assert (cause.root_cause, cause.subject) in (
        ("swapped-pair", ("gpu-01:1", "gpu-02:1")), ("swapped-pair", ("leaf-01:1", "leaf-01:2")),
    )  # fmt: skip


def test_cages_of_four_lanes_count_by_fours(tmp_path: Any) -> None:
    """SONiC's names are those of the first lane: Ethernet0, 4, 8 for cages of four."""
    _, fabric = site(64)
    words = named_ports(fabric, "number", {})
    tier = fabric.devices.tier[fabric.ports.device]
    words = [f"Ethernet{4 * cage}" if level else word
             for word, cage, level in zip(words, fabric.ports.cage.tolist(), tier.tolist(), strict=True)]  # fmt: skip
    assert seen(64, words, tmp_path, np.arange(len(fabric.links))).summary.as_expected == 256


def test_ports_that_nobody_plans_stay_strange(tmp_path: Any) -> None:
    """No scheme knows them: links of hosts, whose ports are told by order, moved; the others are unexpected."""
    _, fabric = site(64)
    words = [f"p-{word}" for word in named_ports(fabric, "number", {})]
    found = seen(64, words, tmp_path, np.arange(256))
    assert (found.summary.as_expected, found.summary.moved, found.summary.unexpected) == (0, 128, 128)
