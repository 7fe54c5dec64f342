"""What the network costs: one bill of materials behind ``score`` and ``cables``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import planned
import pytest

import fabrictool as ft
from fabrictool.cabling.report import PlanReport
from fabrictool.layout.reading import layout_from_tree

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def _scored(**keys: Any) -> Any:
    return ft.evaluate(layout_from_tree(planned.tree() | keys))


def test_score_costs_what_the_bill_of_materials_lists() -> None:
    """48 QM9700 at 38,000 USD, and everything of ``cables``, spares among it."""
    path = str(TOPOLOGIES / "dgx-superpod-h100-4su.yaml")
    found = ft.score(path, size="1MiB")
    bill = sum(row.total or 0.0 for row in ft.cables(path).bill)
    assert found.cost.network == pytest.approx(48 * 38_000 + bill)


def test_by_hand() -> None:
    """Two leaves and a spine at 100; 7 m at 940, 3 x 10 m at 790, 4 x 1.5 m at 232.5, and a spare of each."""
    found = _scored(cost={"prices": {"sw": 100, "h": 0, "rack-42u": 0}})
    assert found.cost.capex == 300 + 940 + 3 * 790 + 4 * 232.5 + (940 + 790 + 232.5)
    rows = {row.name: (row.count, row.unit_price) for row in found.cost.rows if "cable" in row.name}
    assert rows["400G active optical cable"] == (3, 790)
    assert rows["spare cables and transceivers"] == (3, pytest.approx((940 + 790 + 232.5) / 3))


def test_a_stated_price_of_cables_counts_links() -> None:
    found = _scored(cost={"prices": {"sw": 100, "h": 0, "rack-42u": 0, "cable": 7}})
    assert found.cost.capex == 300 + 8 * 7


def test_stated_prices_of_transceivers_go_to_the_modules_of_the_plan() -> None:
    """Four hosts on two twin-port cages, which copper does not fit: 4 + 2 modules at hosts' links, 2 + 2 up."""
    leaf = planned.switch(8, cages=4, cage="OSFP")
    tree = planned.tree(hosts=4, hosts_per_leaf=4, leaf=leaf)
    prices = {"sw": 0, "h": 0, "rack-42u": 0, "transceiver": 1000}
    found = ft.evaluate(layout_from_tree(tree | {"cost": {"prices": prices}}))
    plan = PlanReport(planned.planned(tree))
    fibres = sum(row.total or 0.0 for row in plan.bill if row.media != "transceiver")
    modules = sum(row.quantity + row.spares for row in plan.bill if row.media == "transceiver")
    assert sum(row.quantity for row in plan.bill if row.media == "transceiver") == 10
    assert found.cost.capex == pytest.approx(1000 * modules + fibres)


def test_prices_of_the_catalogue_are_in_dollars_alone() -> None:
    found = _scored(cost={"currency": "EUR", "prices": {"sw": 100, "h": 0, "rack-42u": 0}})
    assert found.cost.capex is None
    assert "400G passive copper" in found.cost.missing


def test_a_cable_that_nothing_is_known_of_has_no_price() -> None:
    far = planned.HALL | {"pitch": planned.HALL["pitch"] | {"rack": "1 km"}}
    found = _scored(hall=far, cost={"prices": {"sw": 100, "h": 0, "rack-42u": 0}})
    (row,) = [row for row in found.cost.rows if row.name == "cable without a medium"]
    assert (row.count, row.unit_price, found.cost.capex) == (3, None, None)
