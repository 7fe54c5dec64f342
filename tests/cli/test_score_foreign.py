"""``score`` of fabrics from elsewhere: ranks are hosts or adapter ports, and what a layout would tell is null."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import call
from foreign import DATA

import fabrictool as ft

NET = str(DATA / "infiniband" / "ft2_64.net.gz")
PLAN = str(DATA / "plans" / "plan-ref16.csv")
FT64 = str(Path(__file__).parents[2] / "topologies" / "ft64.yaml")


def _document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    _, out, _ = call(capsys, "score", *arguments, "--json")
    return json.loads(out)


def _keys(value: Any) -> Any:
    return {key: _keys(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_a_listing_has_the_keys_of_a_layout(capsys: pytest.CaptureFixture[str]) -> None:
    found, layout = _document(capsys, NET, FT64, "--size", "1GiB")
    for varying in ("network_counts", "congestion", "counts"):
        found.pop(varying), layout.pop(varying)
    assert _keys(found) == _keys(layout)
    assert {row["collective"]: row["ranks"] for row in found["collectives"]} == {"all-reduce": 64, "all-to-all": 64}
    assert "no-layout" in {row["id"] for row in found["findings"]}


def test_a_full_tree_that_was_discovered_rings_at_the_speed_of_its_adapters() -> None:
    """64 adapters: 2 (N - 1)/N S at the speed of one, whatever the order of their LIDs, and the bound says no less."""
    found = ft.score(NET, collective="all-reduce", algorithm="ring", size="1GiB")
    (result,) = found.collectives
    speed = found.fabric.links.speed_bps.max() / 8
    assert result.busbw_bytes_per_s == pytest.approx(speed, rel=0.01)
    assert result.time_s >= result.bound_s


def test_faults_and_routings_go_with_a_listing(capsys: pytest.CaptureFixture[str]) -> None:
    found = _document(capsys, NET, "--fail-links", "4", "--routing", "min-hop", "--size", "1MiB")
    assert len(found["scenario"]["links"]) == 4
    assert [row["routing"] for row in found["congestion"].values()] == ["min-hop"]


def test_a_plan_scores_its_hosts_with_all_their_ports() -> None:
    """16 hosts of 8 ports of 400G: a ring moves 2 (N - 1)/N S at 400 GB/s."""
    found = ft.score(PLAN, collective="all-reduce", algorithm="ring", size="1GiB")
    (result,) = found.collectives
    assert result.ranks == 16
    assert result.time_s - result.latency_s == pytest.approx(2 * 15 / 16 * 2**30 / 400e9, rel=1e-9)


def test_tables_and_a_fabric_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "score", PLAN, "--size", "1MiB", "--fail-devices", "1")
    assert status == 0
    assert out.startswith("SCENARIO 1 device down\ncollectives\n")
    fabric = ft.build(ft.read_layout(FT64))
    scored = ft.score(fabric, size="1MiB")
    whole = ft.score(FT64, size="1MiB")
    assert scored.to_dict()["collectives"] == whole.to_dict()["collectives"]
    assert scored.ok
    assert "<h3>ft64</h3>" in scored._repr_html_()


def test_unknown_speeds_give_no_collectives(tmp_path: Path) -> None:
    rows = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network"]
    rows += [f"h{number},host,1,leaf,leaf,{number},,,net" for number in (1, 2, 3)]
    path = tmp_path / "edges.csv"
    path.write_text("\n".join(rows))
    found = ft.score(str(path))
    assert found.collectives == ()
    said = {finding.id: finding.message for finding in found.findings}
    assert "the speed of links in network net is not known" in said["no-collectives"]
