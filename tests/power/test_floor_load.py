"""Floor load: the reference's racks on their footprint and with an aisle."""

from __future__ import annotations

from typing import Any

import pytest
from racked import layout, vectors

import fabrictool as ft
from fabrictool.facility import Facility, facility_of
from fabrictool.layout.reading import layout_from_tree


def house(kg: float, **hall: Any) -> Facility:
    """Racks of one device each, on 0.6 x 1.2 m with 1.2 m of aisle to each."""
    kind = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "u": 8, "power_max": "1 kW", "weight": f"{kg - 100} kg"}
    rack = {"name": "r", "u": 48, "tare": "100 kg", "capacity": "3 t"}
    pitch = {"rack": "0.6 m", "depth": "1.2 m", "cold_aisle": "1.2 m", "hot_aisle": "1.2 m"}
    tree = {"name": "t", "hosts": {"type": kind, "count": 2}, "racks": {"type": rack, "hosts_per_rack": 1},
            "hall": {"pitch": pitch} | hall}  # fmt: skip
    plan = layout_from_tree(tree)
    return facility_of(plan, ft.build(plan))


@pytest.mark.parametrize(("row", "bare"), [(0, True), (1, True), (2, False)])
def test_loads_are_those_of_the_reference(row: int, bare: bool) -> None:
    from fabrictool.power.floor_load import floor_pa

    _, kg, width, depth, _, _, kpa = vectors("floor")[1][row]
    found = house(kg)
    assert (width, depth) == (0.6, 1.2)
    assert found.plan.floor is not None
    both = floor_pa(found.plan.floor, found.power.weight_kg)
    assert both[0 if bare else 1][0] / 1e3 == pytest.approx(kpa, rel=1e-6)


def test_a_heavy_footprint_is_a_warning_and_a_heavy_hall_an_error() -> None:
    """1,360 kg: 18.5 kPa on the footprint, 9.3 kPa with the aisle."""
    (finding,) = house(1360).floor_findings
    assert (finding.id, finding.severity, finding.where) == ("floor-load", "warning", "racks r01-r02")
    assert finding.message.startswith(
        "r01 of 1,360 kg: 18.5 kPa on its footprint, 9.3 kPa with its share of the aisles"
    )
    (worse,) = house(1360, floor_limit="9 kPa").floor_findings
    assert (worse.id, worse.severity) == ("floor-overload", "error")
    assert house(1360, floor_limit="19 kPa").floor_findings == ()
    assert house(700).floor_findings == ()


def test_a_floor_that_carries_nothing_is_refused() -> None:
    with pytest.raises(ft.InputError, match=r"more than 0|greater than 0"):
        layout_from_tree({"name": "t", "hosts": {"type": "dgx-h100", "count": 1}, "hall": {"floor_limit": "0 kPa"}})
    assert layout({"type": "dgx-h100", "count": 1}).hall is None


def test_oversubscription_is_nameplates_over_rating() -> None:
    """Two racks of 40.8 kW held to 30 behind a busway of 68 kW: 1.2 times sold, 0.88 loaded."""
    supply = [{"name": "bus", "kind": "busway", "rating": "68 kW"}]
    tree = {
        "name": "t", "hosts": {"type": "dgx-h100", "count": 8},
        "racks": {"type": "rack-48u", "hosts_per_rack": 4, "power_limit": "41 kW", "power_cap": "30 kW"},
        "hall": {"feeds": [{"name": "A", "voltage": "415 V", "amps": 80, "from": "bus"}], "supply": supply},
    }  # fmt: skip
    plan = layout_from_tree(tree)
    found = facility_of(plan, ft.build(plan)).supply
    assert found.elements[0].to_dict()["oversubscription"] == pytest.approx(1.2)
    assert found.elements[0].load_w == 60e3
    assert found.findings == ()
