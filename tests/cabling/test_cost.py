"""What the network costs: the parts of the cable plan behind ``score``, ``cables`` and comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planned
import pytest

import fabrictool as ft
from fabrictool.cabling.report import PlanReport
from fabrictool.layout.reading import layout_from_tree

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
#: Prices of everything but cables and modules.
REST = {"sw": 100, "h": 0, "rack-42u": 0}


def _scored(**keys: Any) -> Any:
    return ft.evaluate(layout_from_tree(planned.tree() | keys))


def test_score_costs_what_the_bill_of_materials_lists() -> None:
    """48 QM9700 at 38,000 USD, and everything of ``cables`` but its spares."""
    path = str(TOPOLOGIES / "dgx-superpod-h100-4su.yaml")
    found = ft.score(path, size="1MiB")
    bill = sum(row.quantity * (row.unit_price or 0.0) for row in ft.cables(path).bill)
    assert found.cost.network == pytest.approx(48 * 38_000 + bill)


def test_by_hand() -> None:
    """Two leaves and a spine at 100; cables of 7 m at 940, three of 10 m at 790, four of 1.5 m at 232.5."""
    found = _scored(cost={"prices": REST})
    assert found.cost.capex == 300 + 940 + 3 * 790 + 4 * 232.5
    rows = {row.name: (row.count, row.unit_price) for row in found.cost.rows}
    assert rows["400G active optical cable 10 m"] == (3, 790)


def test_a_stated_price_of_cables_counts_planned_cables() -> None:
    assert _scored(cost={"prices": REST | {"cable": 7}}).cost.capex == 300 + 8 * 7


def test_stated_prices_of_transceivers_go_to_the_modules_of_the_plan() -> None:
    """Four hosts on two twin-port cages, which copper does not fit: 4 + 2 modules at hosts' links, 2 + 2 up."""
    tree = planned.tree(hosts=4, hosts_per_leaf=4, leaf=planned.switch(8, cages=4, cage="OSFP"))
    prices = {"sw": 0, "h": 0, "rack-42u": 0, "transceiver": 1000}
    found = ft.evaluate(layout_from_tree(tree | {"cost": {"prices": prices}}))
    bill = PlanReport(planned.planned(tree)).bill
    fibres = sum(row.quantity * (row.unit_price or 0.0) for row in bill if row.media != "transceiver")
    assert sum(row.quantity for row in bill if row.media == "transceiver") == 10
    assert found.cost.capex == pytest.approx(10 * 1000 + fibres)


def test_prices_of_the_catalogue_are_in_dollars_alone() -> None:
    found = _scored(cost={"currency": "EUR", "prices": REST})
    assert found.cost.capex is None
    assert "400G passive copper 1.5 m" in found.cost.missing


def test_score_is_not_ready_where_cables_do_not_reach() -> None:
    far = planned.HALL | {"pitch": planned.HALL["pitch"] | {"rack": "1 km"}}
    found = _scored(hall=far, cost={"prices": REST})
    assert [row.id for row in found.findings if row.severity == "error"] == ["cable-beyond-reach"]
    assert found.cost.capex is None
    assert "400G cable" in found.cost.missing


def test_panels_and_trunks_have_no_price() -> None:
    """Fibres over panels cost cords, trunks and panels, not the fibres that they stand for."""
    leaf = planned.switch(8, cages=4, cage="OSFP")
    tree = planned.tree(hosts=4, hosts_per_leaf=4, leaf=leaf) | {"cabling": {"panels": {}}}
    found = ft.evaluate(layout_from_tree(tree | {"cost": {"prices": REST}}))
    rows = {row.name: (row.count, row.unit_price) for row in found.cost.rows if row.part == "network"}
    assert rows["patch cord, multimode fibre OM4, MPO-12/APC, type B, female 3 m"] == (8, 77.5)
    assert rows["trunk of 12, multimode fibre OM4, MPO-12/APC, type B, male 7 m"] == (2, None)
    assert found.cost.network is None
    assert sum(count for name, (count, _) in rows.items() if name.startswith("400G multimode")) == 4  # up, in a rack
