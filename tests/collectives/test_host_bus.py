"""The bus of a host limits collectives where it carries less than the adapters' ports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import call

from fabrictool.collectives.host_bus import limited
from fabrictool.collectives.host_bus import slowed as slow_links
from fabrictool.collectives.runs import run_jobs
from fabrictool.collectives.transport import Transport
from fabrictool.collectives.workloads import CollectiveResult, Job
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.layout.reading import layout_from_tree
from fabrictool.layout.workload import RankOrder
from fabrictool.routing.wiring import wiring

#: 16 GT/s on 16 lanes with 128b/130b.
GEN4_X16 = "252G"
SWITCH = {"name": "sw", "ports": 64, "speed": "400G", "latency": "0 ns"}


def _layout(host: dict[str, Any], count: int = 8, **network: Any) -> Layout:
    shape = {"family": "fat-tree", "levels": 1, "leaf": {"type": SWITCH}, "link": {"latency": "500 ns"}} | network
    return layout_from_tree({"name": "bus", "hosts": {"type": host, "count": count}, "networks": {"compute": shape}})


def _run(
    layout: Layout, collective: str = "all-reduce", algorithm: str = "ring", model: str = "rounds"
) -> CollectiveResult:
    network = Transport(build(layout), 0, types={kind.name: kind for kind in layout.host_types()})
    (found,) = run_jobs(network, [Job(0, collective, algorithm, (1e9,), RankOrder(), model)])
    return found


def _host(**more: Any) -> dict[str, Any]:
    return {"name": "h", "gpus": 1, "nics": 1, "speed": "400G"} | more


@pytest.mark.parametrize("model", ["rounds", "fluid", "loggp", "alpha-beta", "bound"])
def test_a_ring_is_as_fast_as_the_bus(model: str) -> None:
    """Patarasuk, Yuan 2009: 2 (N - 1) / N S/B, with the bus for B."""
    found = _run(_layout(_host(pcie=GEN4_X16)), model=model)
    assert found.time_s - found.latency_s == pytest.approx(14 / 8 * 1e9 * 8 / 252e9, rel=1e-6)
    assert found.bound_s == pytest.approx(14 / 8 * 1e9 * 8 / 252e9, rel=1e-9)
    assert found.limited_by == "PCIe"
    assert _run(_layout(_host()), model=model).limited_by in ("NIC", "GPU")


def test_a_bus_that_is_fast_enough_changes_nothing() -> None:
    assert _run(_layout(_host(pcie="504G"))) == _run(_layout(_host()))


def test_ports_of_an_adapter_share_its_bus() -> None:
    """Two ports of 200G on a bus of 252G: 126G each; in planes a message is split over both."""
    nics = [{"count": 1, "ports_each": 2, "speed": "200G", "pcie": GEN4_X16}]
    host = {"name": "h", "gpus": 1, "nics": nics}
    planes = {"family": "multi-plane", "planes": 2, "plane_by": "port", "levels": 1}
    found = _run(_layout(host, **planes))
    assert found.time_s - found.latency_s == pytest.approx(14 / 8 * 1e9 * 8 / 252e9, rel=1e-6)
    assert found.limited_by == "PCIe"


def test_only_adapters_that_state_it_are_slowed() -> None:
    nics = [
        {"role": "storage", "count": 2, "speed": "400G", "pcie": GEN4_X16},
        {"role": "compute", "count": 1, "speed": "400G"},
    ]
    host = {"name": "h", "gpus": 1, "nics": nics}
    for role, slowed in (("compute", 0), ("storage", 16)):
        layout = _layout(host, attach=[{"hosts": "h", "role": role}])
        network = limited(wiring(build(layout), 0), layout.types())
        assert np.count_nonzero(slow_links(network)) == slowed
        assert np.count_nonzero(network.channels.speed_bps == 252e9) == 2 * slowed


def test_what_a_fault_costs_is_behind_the_bus_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Buses of 25 GB/s behind ports of 50: two uplinks of 50 GB/s for four ranks do not limit until one is lost.

    In an all-to-all of 8 ranks, 7 flows each, 16 leave a leaf: 8 on an uplink, all on the one that is left.
    """
    path = tmp_path / "bus.yaml"
    text = (
        "name: bus\nhosts: {type: {name: h, gpus: 1, nics: 1, speed: 400G, pcie: 200G}, count: 8}\n"
        "networks: {compute: {family: fat-tree, levels: 2, hosts_per_leaf: 4, oversubscription: 2,\n"
        "  leaf: {type: {name: s, ports: 6, speed: 400G, latency: 0 ns}},"
        " spine: {type: {name: t, ports: 4, speed: 400G, latency: 0 ns}, count: 2}}}\n"
    )
    path.write_text(text)
    faults = ["impact", str(path), "--fail-devices", "spine-01", "--json"]
    (change,) = json.loads(call(capsys, *faults)[1])["changes"]
    assert change["before"]["all_reduce_bytes_per_s"] == pytest.approx(25e9)
    assert change["before"]["all_to_all_bytes_per_s"] == pytest.approx(25e9)
    assert change["after"]["all_to_all_bytes_per_s"] == pytest.approx(50e9 * 7 / 16)
    ranked = json.loads(call(capsys, "impact", str(path), "--json")[1])
    spine = next(row for row in ranked["ranking"] if row["kind"] == "spine")
    assert spine["all_to_all_lost"] == pytest.approx(change["all_to_all_lost"])
    score = ["score", str(path), "--no-color"]
    lost = next(line for line in call(capsys, *score)[1].splitlines() if line.startswith("IF LOST"))
    assert f"one spine 0~, {100 * change['all_to_all_lost']:.2g}~" in lost
    path.write_text(text.replace(", pcie: 200G", ""))
    (bare,) = json.loads(call(capsys, *faults)[1])["changes"]
    assert bare["before"]["all_to_all_bytes_per_s"] == pytest.approx(43.75e9)  # 8 flows on an uplink
    assert bare["all_to_all_lost"] == pytest.approx(0.5)


def test_score_names_the_bus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bus.yaml"
    path.write_text(
        "name: bus\nhosts: {type: {name: h, gpus: 1, nics: 1, speed: 400G, pcie: 252G}, count: 8}\n"
        "networks: {compute: {family: fat-tree, levels: 1, leaf: {type: qm9700}, link: {latency: 500 ns}}}\n"
    )
    _, out, _ = call(capsys, "score", str(path), "--collective", "all-reduce", "--size", "1GiB", "--no-color")
    assert "31.49" in out  # GB/s busbw of a bus of 252 Gbit/s
    assert "PCIe" in out
    path.write_text(path.read_text().replace("252G", "252"))
    status, out, error = call(capsys, "score", str(path))
    assert (status, out) == (2, "")
    assert "has no unit" in error
