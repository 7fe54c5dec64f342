"""What a plan takes to order, what fills trays, and what is wrong: figures by hand and as published."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import planned
import pytest
from planned import HALL

from fabrictool.cabling.bill import bill_of_materials
from fabrictool.cabling.findings import plan_findings
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import cable_rows
from fabrictool.cabling.trays import tray_domains, tray_loads
from fabrictool.layout.reading import read_layout

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def _ids(plan: CablePlan) -> list[str]:
    return [finding.id for finding in plan_findings(plan)]


def test_the_superpod_takes_what_is_published() -> None:
    """RA-11333-001, Table 8: 1,536 modules in switches, 508 in DGX, 4 in UFM; a fibre for each of 2,044 links."""
    plan = planned.plan_of(read_layout(str(TOPOLOGIES / "dgx-superpod-h100-4su.yaml")))
    modules = {row.sku: row.quantity for row in bill_of_materials(plan) if row.media == "transceiver"}
    assert modules == {"980-9I510-00NS00": 1536, "980-9I51A-00NS00": 508, "": 4}
    fibres = [row for row in bill_of_materials(plan) if row.media == "mmf"]
    assert sum(row.quantity for row in fibres) == 2044
    assert {row.sku.partition("-")[0] for row in fibres if row.quantity != 4} == {"MFP7E10"}


def test_quantities_spares_and_prices_by_hand() -> None:
    """Four hosts, two leaves, a spine (see test_routes): 3 x 10 m and 1 x 7 m to hosts, 4 x 1.5 m up.

    The catalogue's prices at 400G: passive copper 150 + 55 a metre, retimed 450 + 70, optical 650 + 14.
    Spares: one in fifty, one at least.
    """
    bill = {row.media: row for row in bill_of_materials(planned.planned(planned.tree()))}
    said = {name: (row.length_m, row.quantity, row.spares, row.unit_price, row.total) for name, row in bill.items()}
    assert said == {
        "aec": (7, 1, 1, 940, 1880), "aoc": (10, 3, 1, 790, 3160), "dac": (1.5, 4, 1, 232.5, 1162.5),
    }  # fmt: skip


def test_one_in_fifty_is_kept() -> None:
    """The superpod's 1,536 modules in switches: 31 beside them (30.72 rounded up)."""
    plan = planned.plan_of(read_layout(str(TOPOLOGIES / "dgx-superpod-h100-4su.yaml")))
    kept = {row.sku: row.spares for row in bill_of_materials(plan) if row.media == "transceiver"}
    assert kept == {"980-9I510-00NS00": 31, "980-9I51A-00NS00": 11, "": 1}


def test_the_bill_adds_up_to_the_rows() -> None:
    """What cables and their shares of modules cost and draw is what the bill lists, without spares."""
    plan = planned.plan_of(read_layout(str(TOPOLOGIES / "dgx-superpod-gb200-2su.yaml")))
    rows = list(cable_rows(plan))
    bill = sum(row.unit_price * row.quantity for row in bill_of_materials(plan) if row.unit_price is not None)
    assert sum(row.price or math.nan for row in rows) == pytest.approx(bill)
    # 2,880 twin-port modules of at most 15 W, 1,152 of at most 9 W: product specifications of MMA4Z00 and MMA1Z00
    assert sum(row.optics_w or math.nan for row in rows) == pytest.approx(2880 * 15 + 1152 * 9)


def test_links_of_800g_take_two_fibres() -> None:
    """16 spines x 16 leaves x ... links of 800G beyond copper: two MPO-12 cables of eight fibres for each."""
    plan = planned.plan_of(read_layout(str(TOPOLOGIES / "roce-2048-2to1.yaml")))
    rows = [row for row in cable_rows(plan) if row.media == "mmf"]
    bill = [row for row in bill_of_materials(plan) if row.media == "mmf"]
    wide = sum(row.speed_bps == 800e9 for row in rows)
    assert wide > 0
    assert sum(row.quantity for row in bill) == len(rows) + wide
    assert {row.description for row in bill} == {"400G multimode fibre OM4, MPO-12/APC, type B"}
    modules = sum(row.unit_price * row.quantity for row in bill_of_materials(plan) if row.media == "transceiver")
    copper = sum(row.unit_price * row.quantity for row in bill_of_materials(plan) if row.media in ("dac", "acc"))
    fibres = sum(row.unit_price * row.quantity for row in bill)
    assert sum(row.price for row in cable_rows(plan)) == pytest.approx(modules + copper + fibres)


def test_a_tray_is_as_full_as_its_fullest_place() -> None:
    """Row 2: racks 4 and 5 at x = 0.3, 0.9; the tray across comes down at 0.9, and so do three cables from row 1.

    Between 0.3 and 0.9 lies one retimed cable of 5.5 mm; three optical ones of 3 mm lie at 0.9 alone. The tray
    across holds these three: 3 x pi/4 x 3 mm x 3 mm = 21.2 mm2 of 0.3 m x 0.1 m.
    """
    plan = planned.planned(planned.tree())
    loads = {load.name: load for load in tray_loads(plan)}
    optical, retimed = math.pi / 4 * 9e-6, math.pi / 4 * 5.5e-3**2
    assert loads["x1:01-02"].area_m2 == pytest.approx(3 * optical)
    assert loads["x1:01-02"].fill == pytest.approx(3 * optical / 0.03)
    assert loads["row-02"].area_m2 == pytest.approx(max(retimed, 3 * optical, retimed + 3 * optical))
    assert (loads["row-02"].cables, loads["x1:01-02"].cables) == (4, 3)
    # row 1: from 0.3 to 0.9 one cable, at 0.9 one, from 1.5 to 0.9 one: all three at 0.9
    assert loads["row-01"].area_m2 == pytest.approx(3 * optical)


def test_a_tray_that_is_too_full_is_a_warning() -> None:
    trays = HALL["trays"] | {"width": "1 cm", "depth": "1 cm", "fill": 0.2}
    plan = planned.planned(planned.tree(hall=HALL | {"trays": trays}))
    found = [finding for finding in plan_findings(plan) if finding.id == "tray-overfull"]
    assert [(row.severity, row.where) for row in found][-1:] == [("warning", "tray x1:01-02")]
    # 21.2 mm2 of 100 mm2; 0.2 of a tray 1.06 cm wide and 1 cm deep
    assert found[-1].message == "3 cables fill 21% of the tray, more than 20%"


def test_trays_are_domains_of_failure() -> None:
    plan = planned.planned(planned.tree())
    lost = {domain.name: [plan.fabric.link_name(link) for link in domain.links] for domain in tray_domains(plan)}
    assert lost["row-01"] == lost["x1:01-02"] == ["h-01:1 - leaf-01:1", "h-02:1 - leaf-01:2", "h-03:1 - leaf-02:1"]
    assert lost["row-02"] == [*lost["row-01"], "h-04:1 - leaf-02:2"]


def test_cables_beyond_every_reach_are_an_error() -> None:
    far = HALL | {"pitch": HALL["pitch"] | {"rack": "1 km"}}
    plan = planned.planned(planned.tree(hall=far))
    found = {finding.id: finding for finding in plan_findings(plan)}
    assert found["cable-beyond-reach"].severity == "error"
    # rack 1 at 0.5 km, the tray across at 1.5 km, rack 5 there: 1 km along; 4 m up and down, 2.4 m, 0.9 m, slack
    assert found["cable-beyond-reach"].message == (
        "3 cables are longer than any medium reaches: h-01:1 - leaf-01:1 needs 1,008.0 m, the limit is 500 m"
    )  # fmt: skip


def test_modules_that_draw_more_than_their_cage_gives_are_an_error() -> None:
    """A 2xSR4 module draws up to 15 W (indicative); a cage of 12 W is too weak, one of 17 W is not."""

    def found(power: str) -> list[str]:
        leaf = planned.switch(8, "400G", cages=4, cage="OSFP", cage_power=power)
        plan = planned.planned(planned.tree(leaf=leaf, hosts_per_leaf=4, hosts=4))
        return [f"{row.severity} {row.where}: {row.message}" for row in plan_findings(plan) if row.id == "cage-power"]

    assert found("17 W") == []
    assert found("12 W") == ["error sw: 6 cages of sw supply 12 W, but 2xsr4-800 draws 15 W"]


def test_links_to_what_stands_nowhere_are_named() -> None:
    tree = {key: value for key, value in planned.tree().items() if key not in ("racks", "hall")}
    assert _ids(planned.planned(tree)) == ["no-route"]


def test_weights_by_hand() -> None:
    """Half of each cable weighs on the rack at either end: 10 m of optical cable at 12 g/m, 7 m of copper at 65 g/m."""
    weights = PlanReport(planned.planned(planned.tree())).rack_weights_kg()
    assert weights["r01"] == pytest.approx(0.06)
    assert weights["r04"] == pytest.approx(7 * 0.065 / 2)
    # in rack 5 both ends of four passive ones of 1.5 m at 110 g/m
    assert weights["r05"] == pytest.approx(3 * 0.06 + 7 * 0.065 / 2 + 4 * 1.5 * 0.110)


def test_the_report_in_figures() -> None:
    found: dict[str, Any] = PlanReport(planned.planned(planned.tree())).to_dict()
    assert found["cables"] == 8
    summary = {row["media"]: row for row in found["summary"]}
    assert (summary["aoc"]["cables"], summary["aoc"]["length_m"], summary["aoc"]["optics_w"]) == (3, 30, 48)
    assert summary["dac"]["route_m"] == pytest.approx(2 * 0.7889 + 2 * 0.74445)
    assert {row["what"] for row in found["assumptions"]} == {"cables in a bundle",
                                                             "spares of each cable", "spares of each transceiver",
                                                            "cage of sw at 400G"}  # fmt: skip
    assert np.isfinite([row["fill"] for row in found["trays"]]).all()
