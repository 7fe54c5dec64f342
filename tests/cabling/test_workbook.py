"""The cable plan as a workbook: nothing is lost, and sheets agree with each other and with the placement."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from planned import planned, tree

from fabrictool.cable_plan import cables
from fabrictool.cabling.elevations import rack_elevations
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.workbook import workbook
from fabrictool.formats import plan_csv
from fabrictool.formats.plan_table import plan_table
from fabrictool.formats.port_naming import named_ports
from fabrictool.formats.workbooks import Tab, written
from fabrictool.records import CableRow

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
LAYOUTS = sorted(TOPOLOGIES.glob("*.yaml"))
SITE = TOPOLOGIES / "dgx-superpod-h100-1su.yaml"


@cache
def plan_of(path: Path) -> tuple[PlanReport, list[CableRow]]:
    report = cables(str(path))
    return report, report.rows(named_ports(report.plan.fabric, "cumulus", {}))


@cache
def book(path: Path = SITE) -> Any:
    report, rows = plan_of(path)
    words = named_ports(report.plan.fabric, "cumulus", {})
    return openpyxl.load_workbook(io.BytesIO(workbook(report, rows, words)))


def table(name: str) -> list[dict[str, Any]]:
    header, *rows = book()[name].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_no_cable_of_a_shipped_layout_changes_on_its_way(path: Path) -> None:
    """Every field of every row of a plan: out and in again by CSV and by the workbook's sheet of cables.

    Large plans go by CSV alone here; benchmarks/workbook.py takes 32,768 cables through a workbook.
    """
    report, rows = plan_of(path)
    files = {"plan.csv": plan_csv.write(rows).encode()}
    if len(rows) < 5000:
        files["plan.xlsx"] = workbook(report, rows)
    for name, content in files.items():
        found = plan_table(name, content)
        assert [row.cable for row in found.rows] == rows
        assert [row.id for row in found.findings if row.severity != "note"] == []


def test_sheets_are_those_that_people_work_with() -> None:
    assert book().sheetnames == [
        "summary", "cables", "BOM", "rack elevations", "port maps", "labels", "phases", "trays",
    ]  # fmt: skip


def test_materials_are_those_of_the_report() -> None:
    report, rows = plan_of(SITE)
    bill = table("BOM")
    assert [row["total"] for row in bill] == [row.total for row in report.bill]
    ordered = sum(row["order"] - row["spares"] for row in bill if row["length_m"] is not None)
    assert ordered == len({row.cable_id for row in rows}) == 508


def test_every_device_fills_its_units_once() -> None:
    """Merged cells of the drawing against the placement: names, lowest unit and height, rack by rack."""
    report, _ = plan_of(SITE)
    placement, fabric = report.plan.placement, report.plan.fabric
    assert placement is not None
    sheet = book()["rack elevations"]
    merged = {(area.min_row, area.min_col): area.max_row for area in sheet.merged_cells.ranges}
    drawn = {}
    for cells in sheet.iter_rows(min_col=2):
        for cell in cells:
            if isinstance(cell.value, str) and "  (" in cell.value:
                bottom = merged.get((cell.row, cell.column), cell.row)
                drawn[cell.value.partition("  (")[0]] = sheet.cell(bottom, 1).value, bottom - cell.row + 1
    units = {"dgx-h100": 8, "qm9700": 1, "ufm-server": 2}  # of the catalogue; the last is assumed
    expected = {
        fabric.names[row]: (int(placement.unit[row]), units[fabric.types[fabric.devices.type[row]]])
        for row in range(len(fabric.names))
        if placement.unit[row] > 0
    }
    assert drawn == expected


def test_a_director_stands_as_one_box_under_its_own_name() -> None:
    """Its chips have names of their own on labels, but nothing that stands in a rack."""
    racks = rack_elevations(cables(str(TOPOLOGIES / "edr-1296-directors.yaml")).plan)
    found = sorted((device.name, device.height) for rack in racks for device in rack.devices if device.kind == "spine")
    assert found == [("spine-01", 28), ("spine-02", 28)]  # a cs7500 is 28 units


def test_cables_of_a_rack_are_those_that_end_in_it() -> None:
    report, rows = plan_of(SITE)
    counted: Counter[str] = Counter()
    for row in rows:
        if row.leg == 1:
            counted.update((row.a.place.rack, row.z.place.rack))
    assert {rack.rack: rack.cables for rack in rack_elevations(report.plan)} == dict(counted)


def test_port_maps_hold_every_port_of_every_switch() -> None:
    """Both ends of a cable name each other, and what is not plugged is free."""
    report, rows = plan_of(SITE)
    fabric = report.plan.fabric
    mapped = table("port maps")
    switches = {name for name, tier in zip(fabric.names, fabric.devices.tier.tolist(), strict=True) if tier}
    ports = Counter(name for name, device in _ports(report) if name in switches)
    assert Counter(row["device"] for row in mapped) == ports
    assert {row["side"] for row in mapped} == {"rear"}  # free ports too; qm9700 comes with air either way
    assert [row["alias"] for row in mapped[:3]] == ["swp1s0", "swp1s1", "swp2s0"]
    assert all(row["alias"] for row in mapped)
    free = sum(row["peer"] == "free" for row in mapped)
    assert free == sum(peer < 0 for peer in _switch_peers(report))
    plugged = {(row["device"], row["port"]): (row["peer"], row["cable_id"]) for row in mapped if row["peer"] != "free"}
    ends = {}
    for row in rows:
        for near, far in ((row.a, row.z), (row.z, row.a)):
            if near.place.device in switches:
                ends[near.place.device, near.port] = far.place.device, row.cable_id
    assert plugged == ends


def _ports(report: PlanReport) -> list[tuple[str, int]]:
    fabric = report.plan.fabric
    return [(fabric.names[device], device) for device in fabric.ports.device.tolist()]


def _switch_peers(report: PlanReport) -> list[int]:
    fabric = report.plan.fabric
    of_switch = fabric.devices.tier[fabric.ports.device] > 0
    found: list[int] = fabric.ports.peer[of_switch].tolist()
    return found


def test_labels_name_both_ends_of_every_link() -> None:
    _, rows = plan_of(SITE)
    labels = table("labels")
    assert [row["tia606_link"] for row in labels] == [end.label for row in rows for end in (row.a, row.z)]
    assert {row["colour"] for row in labels} == {row.colour for row in rows}


def test_steps_add_up_to_all_cables() -> None:
    assert sum(row["cables"] for row in table("phases")) == 508


def test_a_plan_without_racks_has_no_elevations() -> None:
    report = PlanReport(planned({key: value for key, value in tree().items() if key not in {"racks", "hall"}}))
    sheets = openpyxl.load_workbook(io.BytesIO(workbook(report, report.rows()))).sheetnames
    assert sheets == ["summary", "cables", "BOM", "port maps", "labels", "phases", "findings"]


def test_a_workbook_needs_no_room_beside_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of sheets are made in memory: where temporary files cannot be written, workbooks can."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert written([Tab("one", ("a",), [("x",)])]).startswith(b"PK")
