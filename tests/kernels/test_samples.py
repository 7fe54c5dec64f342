"""Loads against listed answers: ``tests/data/routing``, computed by explicit walks and exact fractions."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import fabrics
import numpy as np
import pytest

from fabrictool.fabric import Fabric
from fabrictool.kernels import flows
from fabrictool.routing.dmodk import rank_tables
from fabrictool.routing.loads import all_to_all_loads, flow_loads

HERE = Path(__file__).parent.parent / "data" / "routing"
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))}
WITH_LOADS = [name for name, s in SAMPLES.items() if "link_load" in s["expect"] and s["routing"].startswith("d-mod-k")]


def _fabric(sample: dict[str, Any]) -> Fabric:
    params = sample["fabric"]["params"]
    return fabrics.pgft(tuple(params["m"]), tuple(params["w"]), tuple(params["p"]))


def _cables(sample: dict[str, Any], fabric: Fabric) -> np.ndarray:
    """Return our link of each cable of a sample: both list children in order, each one's up ports in order."""
    names = [f"host-{i:0{fabric.widths[fabric.groups.index('host')]}d}" for i in range(1, len(fabric.gpus) + 1)]
    title = dict(zip(sample["fabric"]["hosts"], names, strict=True))
    for word in sample["fabric"]["switches"]:
        level, index = word[1:].split("_")
        kind = ("leaf", "spine", "core")[int(level) - 1]
        title[word] = f"{kind}-{int(index) + 1:0{fabric.widths[fabric.groups.index(kind)]}d}"
    ups: dict[str, list[int]] = {}
    for link in np.lexsort((fabric.ports.number[fabric.links.port_a], fabric.ends[0])).tolist():
        ups.setdefault(fabric.names[fabric.ends[0][link]], []).append(link)
    seen: dict[str, int] = {}
    rows = []
    for child, parent, _ in sample["fabric"]["cables"]:
        link = ups[title[child]][seen.get(child, 0)]
        assert fabric.names[fabric.ends[1][link]] == title[parent]
        seen[child] = seen.get(child, 0) + 1
        rows.append(link)
    return np.array(rows)


def _loads(sample: dict[str, Any], fabric: Fabric) -> np.ndarray:
    tables, size = rank_tables(fabric, 0)[0], 2 * len(fabric.links) + 2 * len(fabric.gpus)
    if not sample["demands"]:
        return all_to_all_loads(tables, size)[0]
    hosts = {name: row for row, name in enumerate(sample["fabric"]["hosts"])}
    source, target = (
        np.array([hosts[row[end]] if isinstance(row[end], str) else row[end] for row in sample["demands"]], np.int32)
        for end in (0, 1)
    )
    assert {row[2] for row in sample["demands"]} == {1}
    return flow_loads(tables, source, target, size)


@pytest.mark.parametrize("name", WITH_LOADS)
def test_every_cable_carries_what_is_listed(name: str) -> None:
    sample = SAMPLES[name]
    fabric = _fabric(sample)
    load = _loads(sample, fabric)
    channel = (2 * _cables(sample, fabric)[:, None] + np.array([0, 1])).ravel()
    listed = np.zeros(len(channel))
    for at, value in sample["expect"]["link_load"].items():
        listed[int(at)] = value
    assert np.array_equal(load[channel], listed)
    if "max_load" in sample["expect"]:
        assert load.max() == sample["expect"]["max_load"]
    if "edge_forwarding_index" in sample["expect"]:
        hosts = len(fabric.gpus)
        assert load.max() == sample["expect"]["edge_forwarding_index"]
        assert load[2 * hosts :].max() == sample["expect"]["edge_forwarding_index_switch_links"]


@pytest.mark.parametrize("name", [name for name, s in SAMPLES.items() if "shift_max_load" in s["expect"]])
def test_every_shift_is_free_of_contention(name: str) -> None:
    sample = SAMPLES[name]
    fabric = _fabric(sample)
    tables, ranks = rank_tables(fabric, 0)[0], np.arange(len(fabric.gpus), dtype=np.int32)
    size = 2 * len(fabric.links) + 2 * len(fabric.gpus)
    listed = sample["expect"]["shift_max_load"]
    steps = listed.items() if isinstance(listed, dict) else enumerate(listed, 1)
    for step, worst in steps:
        shifted = ((ranks + int(step)) % len(ranks)).astype(np.int32)
        assert flow_loads(tables, ranks, shifted, size).max() == worst


def test_effective_bisection_of_listed_matchings() -> None:
    sample = SAMPLES["ft64-ebb"]
    fabric = _fabric(sample)
    tables = rank_tables(fabric, 0)[0]
    weight = np.ones(2 * len(fabric.links) + 2 * len(fabric.gpus))
    means = []
    for matching in sample["matchings"]:
        source, target = (np.array(column, np.int32) for column in zip(*matching, strict=True))
        means.append(flows.bottleneck_rates.plain(tables, source, target, weight, np.zeros(len(weight))))
    listed = [float(Fraction(str(value))) for value in sample["expect"]["per_matching"]]
    assert means == pytest.approx(listed, rel=1e-9)
    assert np.mean(means) == pytest.approx(0.85625, rel=1e-9)
