"""Rack-scale hosts: each tray is a host, and a rack stands whole in a position of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fabrictool.errors import InputError
from fabrictool.evaluation import Evaluation, evaluate
from fabrictool.layout.reading import layout_from_tree, read_layout

TWO_UNITS = Path(__file__).parents[2] / "topologies" / "dgx-superpod-gb200-2su.yaml"
DGX = {"name": "dgx", "type": "dgx-h100", "count": 8}


def _tree(count: int, racks: Any, more: list[dict[str, Any]] | None = None, **keys: Any) -> dict[str, Any]:
    hosts = [{"name": "tray", "type": "gb200-nvl72", "count": count}, *(more or [])]
    return {"name": "t", "hosts": hosts, "racks": racks} | keys


def _rack(**keys: Any) -> dict[str, Any]:
    return {"type": "rack-48u", "cooling": "direct-to-chip"} | keys


def _evaluate(*arguments: Any, **keys: Any) -> Evaluation:
    return evaluate(layout_from_tree(_tree(*arguments, **keys)))


def test_a_scalable_unit_of_eight_racks() -> None:
    """DGX GB200: 8 racks, 576 GPUs (RA-11338-001), 8 x 132 kW = 1,056 kW, 17 kW of each rack to air."""
    done = _evaluate(8, _rack())
    assert (done.counts["racks"], done.counts["hosts"], done.counts["gpus"]) == (8, 144, 576)
    assert done.power.it_w.tolist() == pytest.approx([132e3] * 8)
    assert done.cooling.air_w.tolist() == pytest.approx([17e3] * 8, rel=1e-3)
    assert done.ok


def test_the_weight_of_a_rack_is_its_own() -> None:
    done = _evaluate(2, _rack())
    assert done.power.weight_kg.tolist() == pytest.approx([1360] * 2)
    assert done.placement is not None
    assert done.placement.racks.type.tolist() == ["gb200-nvl72"] * 2


def test_the_domain_spans_the_trays_of_a_rack() -> None:
    done = _evaluate(3, _rack())
    assert done.placement is not None
    rack = done.placement.rack[done.fabric.gpus.host]
    assert np.unique(done.fabric.gpus.domain, return_counts=True)[1].tolist() == [72] * 3
    assert len(np.unique(np.column_stack((rack, done.fabric.gpus.domain)), axis=0)) == 3
    assert done.fabric.names[17:19] == ["tray-18", "tray-19"]
    assert rack[[71, 72]].tolist() == [0, 1]


def test_two_scalable_units_as_published() -> None:
    """16 racks: 288 trays, 64 leaves, 48 spines, 18 cores; switches stand in racks beside."""
    done = evaluate(read_layout(str(TWO_UNITS)))
    counts = done.to_dict()["network_counts"]["compute"]
    assert [counts[kind] for kind in ("hosts", "leaf", "spine", "core")] == [288, 64, 48, 18]
    assert done.placement is not None
    assert done.ok
    assert np.count_nonzero(done.placement.racks.role == "compute") == 16


def test_a_limit_below_a_rack_is_a_finding_and_divides_nothing() -> None:
    done = _evaluate(2, _rack(power_limit="120 kW"))
    found = [row for row in done.findings if row.id == "rack-over-power"]
    assert [row.message for row in found] == ["2 racks at 132.0 of 120.0 kW"]
    assert "gb200-nvl72 is one machine and cannot be divided" in found[0].fix
    assert done.counts["racks"] == 2


def test_racks_without_a_position_are_named_whole() -> None:
    done = _evaluate(5, _rack(count=3))
    found = [row for row in done.findings if row.id == "unplaced"]
    assert [row.message.split(":")[0] for row in found] == ["36 of 90 tray (gb200-nvl72) have no place"]
    assert found[0].fix.startswith("2 more racks at 18 a rack")


@pytest.mark.parametrize("first", [True, False])
def test_other_hosts_share_no_rack_with_them(first: bool) -> None:
    tree = _tree(2, _rack(hosts_per_rack=3), [DGX])
    tree["hosts"] = tree["hosts"] if first else tree["hosts"][::-1]
    done = evaluate(layout_from_tree(tree))
    assert done.placement is not None
    trays = done.fabric.devices.type[:] == done.fabric.types.index("gb200-nvl72")
    assert not set(done.placement.rack[trays]) & set(done.placement.rack[~trays])
    assert sorted(np.bincount(done.placement.rack).tolist()) == [2, 3, 3, 18, 18]


def test_a_rack_is_bought_once() -> None:
    done = _evaluate(4, _rack(), cost={"prices": {"gb200-nvl72": 3e6}})
    assert [(row.name, row.count, row.total) for row in done.cost.rows] == [("gb200-nvl72", 4, 12e6)]


def test_pdus_of_whole_racks() -> None:
    """Two NVL72 racks, and eight hosts at three a rack in three more."""
    oob = {"family": "fat-tree", "levels": 1, "speed": "1G", "attach": [{"racks": "pdu"}]}
    oob["leaf"] = {"type": {"name": "access", "ports": 48, "speed": "1G"}}
    done = _evaluate(2, _rack(hosts_per_rack=3, pdus=2), [DGX], networks={"oob": oob})
    assert int(np.count_nonzero(done.fabric.devices.group == done.fabric.groups.index("pdu"))) == (2 + 3) * 2


TRAY = {"name": "r", "gpus": 8, "trays": 2, "nics": 1, "speed": "400G"}
WRONG: list[tuple[dict[str, Any], str]] = [
    (TRAY | {"gpus_per_tray": 3}, "2 trays of 3 GPUs do not make a rack of 8; give 6, or another gpus_per_tray"),
    (TRAY | {"gpus": 7}, "2 trays of 3 GPUs do not make a rack of 7; give 6"),
    ({"name": "r", "gpus": 8, "nics": [], "gpus_per_tray": 4}, "gpus_per_tray belongs to a rack of hosts; give trays"),
    (TRAY | {"scale_up": {"domain": 6, "speed": "3.6T"}}, "a domain of 6 does not hold whole hosts of 4 GPUs"),
]


@pytest.mark.parametrize(("kind", "words"), WRONG)
def test_racks_that_do_not_add_up(kind: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words.replace("a domain", "a scale-up domain")):
        layout_from_tree({"name": "t", "hosts": {"name": "h", "type": kind, "count": 1}})


def test_a_site_too_large_is_counted_by_trays() -> None:
    """A tray has eight ports: 30,000 racks of 18 have 4.32 million."""
    with pytest.raises(InputError, match="540,000 hosts have 4,320,000 ports or GPUs"):
        layout_from_tree(_tree(30_000, _rack()))


def test_hosts_per_rack_of_whole_racks_is_refused() -> None:
    with pytest.raises(InputError, match="hosts_per_rack is 4, but a gb200-nvl72 is a rack of 18; remove it"):
        layout_from_tree(_tree(1, _rack(hosts_per_rack=4)))
