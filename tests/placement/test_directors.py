"""A director is one piece of equipment: one place, its power, weight and price once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fabrictool.cabling.burden import burden_of
from fabrictool.evaluation import Evaluation, evaluate
from fabrictool.layout.reading import layout_from_tree

CHIPS = {"leaf_chips": 4, "spine_chips": 4}
DIRECTOR: dict[str, Any] = {
    "name": "dir", "ports": 16, "speed": "400G", "u": 20, "power_max": "5 kW", "weight": "300 kg", "director": CHIPS,
}  # fmt: skip
HOST = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "u": 1, "power_max": "1 kW", "weight": "10 kg"}
LEAF = {"name": "sw8", "ports": 8, "speed": "400G", "u": 1, "power_max": "500 W", "weight": "5 kg"}
OVER_LEAVES = {
    "levels": 2, "leaf": {"type": LEAF, "down": 4, "up": 4}, "spine": {"type": DIRECTOR, "count": 2},
}  # fmt: skip
RACKS = {"type": {"name": "r48", "u": 48, "tare": "100 kg", "capacity": "1000 kg"}}


def _scored(hosts: int, network: dict[str, Any], **more: Any) -> Evaluation:
    group = {"name": "h", "type": HOST, "count": hosts}
    tree = {"name": "t", "hosts": group, "networks": {"compute": {"family": "fat-tree"} | network}}
    return evaluate(layout_from_tree(tree | {"racks": RACKS} | more))


def test_one_place_in_a_rack() -> None:
    """16 hosts of 1 U in one rack, the director of 20 U in another."""
    found = _scored(16, {"leaf": {"type": DIRECTOR}})
    assert found.power.units_used.tolist() == [16, 20]
    assert found.power.it_w.tolist() == [16e3, 5e3]
    cables_kg = burden_of(found.facility.plan).cables_kg
    assert (found.power.load_kg - cables_kg).tolist() == pytest.approx([160, 300])
    assert found.placement is not None
    placed = np.flatnonzero(found.placement.rack == 1)
    assert [found.fabric.names[row] for row in placed] == ["leaf-01/L01"]
    assert found.placement.unit[placed].tolist() == [1]


def test_directors_stand_beside_other_switches() -> None:
    """Six leaves of 1 U and two directors of 20 U: 46 U."""
    found = _scored(24, OVER_LEAVES)
    assert found.power.units_used.tolist() == [24, 46]
    assert found.power.it_w.tolist() == [24e3, 6 * 500 + 2 * 5e3]


def test_power_without_racks() -> None:
    found = _scored(24, OVER_LEAVES, racks=None)
    assert found.power.it_max_w == 24e3 + 6 * 500 + 2 * 5e3


def test_price_of_chassis_and_of_cables_outside_alone() -> None:
    prices = {"dir": 1000, "sw8": 100, "h": 10, "cable": 1, "transceiver": 2, "r48": 0}
    found = _scored(24, OVER_LEAVES, cost={"prices": prices})
    rows = {row.name: row.count for row in found.cost.rows}
    modules = rows.pop("400G transceiver", 0)  # none: in two neighbouring racks copper reaches
    assert rows == {"h": 24, "sw8": 6, "dir": 2, "400G cable": 48, "r48": 2}
    assert found.cost.capex == 24 * 10 + 6 * 100 + 2 * 1000 + 48
    apart = _scored(24, OVER_LEAVES, cost={"prices": prices}, hall={"pitch": {"rack": "60 m"}})
    rows = {row.name: row.count for row in apart.cost.rows}
    assert (modules, rows["400G cable"], rows["400G transceiver"] % 2) == (0, 48, 0)
    assert apart.cost.capex == found.cost.capex + 2 * rows["400G transceiver"]


@pytest.mark.parametrize(("key", "count"), [("power_max", 1), ("weight", 1)])
def test_unknown_figures_are_named_once(key: str, count: int) -> None:
    kind = {name: value for name, value in DIRECTOR.items() if name != key}
    found = _scored(16, {"leaf": {"type": kind}})
    named = [row for row in found.findings if row.id in ("no-power-data", "no-weight-data")]
    assert len(named) == count
    assert "dir" in f"{named[0].where}: {named[0].message}"
    assert "devices" not in named[0].message


def test_height_that_nobody_gave_is_that_of_the_largest() -> None:
    kind = {name: value for name, value in DIRECTOR.items() if name != "u"}
    found = _scored(16, {"leaf": {"type": kind}})
    assert found.power.units_used.tolist() == [16, 28]
    assert "height of dir" in [row.what for row in found.assumptions]


def test_a_director_without_a_place_is_one() -> None:
    racks = {"type": {"name": "r16", "u": 16, "tare": "1 kg", "capacity": "900 kg"}}
    found = _scored(16, {"leaf": {"type": DIRECTOR}}, racks=racks)
    lost = next(row for row in found.findings if row.id == "unplaced")
    assert lost.message.startswith("1 of 1 leaf (dir) fit no rack: 20 U are needed")
