"""Latencies over the lengths of the cable plan, by hand, where a layout states none."""

from __future__ import annotations

from typing import Any

import numpy as np
import planned
import pytest

from fabrictool.evaluation import evaluate, evaluate_collectives
from fabrictool.fabric.edits import edit
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.signal_ways import fabric_on_cables

JOB = {"collective": "all-reduce", "algorithm": "ring", "sizes": ["1KiB"]}


def _tree(**network: Any) -> dict[str, Any]:
    return planned.tree(4, protocol="infiniband", **network) | {"workload": {"collectives": [JOB]}}


def _latencies_s(tree: dict[str, Any]) -> dict[bool, set[float]]:
    """Latencies of links at hosts and between switches."""
    fabric = evaluate(layout_from_tree(tree)).fabric
    at_host = fabric.devices.tier[fabric.ends[0]] == 0
    return {word: set(np.round(fabric.links.latency_s[at_host == word], 12).tolist()) for word in (True, False)}


def test_the_longest_cable_of_the_plan_counts() -> None:
    """1.4 and 0.45 us are taken for 30 m; the plan has 10 m at hosts and 1.5 m of copper in the switches' rack."""
    found = _latencies_s(_tree())
    assert found == {True: {round(1.4e-6 - 20 * 4.9e-9, 12)}, False: {round(0.45e-6 - 28.5 * 4.9e-9, 12)}}


def test_a_stated_length_goes_before_the_plan() -> None:
    found = _latencies_s(_tree(link={"length": {"host": "50 m", "fabric": "30 m"}}))
    assert found == {True: {round(1.4e-6 + 20 * 4.9e-9, 12)}, False: {0.45e-6}}


def test_a_stated_latency_is_the_latency() -> None:
    """``With link.latency given, a path's latency is the sum of its links' plus the switches' own, nothing else``."""
    tree = _tree(link={"latency": {"host": "1 us", "fabric": "500 ns"}})
    assert _latencies_s(tree) == {True: {1e-6}, False: {0.5e-6}}
    assert not [row for row in evaluate(layout_from_tree(tree)).assumptions if row.what.startswith("signals")]


def test_without_racks_cables_are_as_long_as_usual() -> None:
    bare = {key: value for key, value in _tree().items() if key not in ("racks", "hall")}
    assert _latencies_s(bare) == {True: {1.4e-6}, False: {0.45e-6}}


def test_what_is_assumed_is_named() -> None:
    found = evaluate(layout_from_tree(_tree())).assumptions
    (said,) = [row for row in found if row.what == "signals on cables of compute"]
    assert said.value == "over 10 m at hosts, 1.5 m between switches"


def test_times_take_it_and_agree_wherever_they_are_worked_out() -> None:
    """A ring of 4 on two leaves: 6 rounds over two host links and up to two between switches."""
    layout = layout_from_tree(_tree())
    (found,) = evaluate(layout).collectives
    assert found.latency_s == pytest.approx(6 * (2 * (1.4e-6 - 98e-9) + 2 * (0.45e-6 - 139.65e-9)))
    from fabrictool.collectives.workloads import jobs_of

    assert evaluate_collectives(layout, build(layout), jobs_of(layout))[0].time_s == found.time_s


def test_a_fabric_on_cables_keeps_its_latencies() -> None:
    """What is lost of an evaluated fabric moves no rack, and no cable counts twice."""
    layout = layout_from_tree(_tree())
    whole = evaluate(layout).fabric
    less = edit(whole, drop=["spine-01"])
    assert fabric_on_cables(layout, less).links.latency_s.max() == whole.links.latency_s.max() == 1.4e-6 - 20 * 4.9e-9
