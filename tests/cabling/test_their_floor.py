"""Plans of others against the layout's floor: racks, units, lengths, modules; slips of a hand as one finding."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from planned import planned, tree

from fabrictool.cable_plan import cables
from fabrictool.cabling.plan_optics import fibre_of
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.workbook import workbook
from fabrictool.layout.reading import layout_from_tree
from fabrictool.verification import Verification, verify

#: 8 hosts of 8 units, two a rack; rows, pitch and trays of the hall are all stated.
ROWS = {"rows": {"count": 2, "racks": 8, "network": "end"}}
TREE = tree(8, per_rack=2, hosts_per_leaf=2) | {"hall": tree()["hall"] | ROWS}
SHEET = "cables"


@pytest.fixture(scope="module")
def whole() -> bytes:
    """Our own plan, as somebody else might have made it."""
    report = PlanReport(planned(TREE))
    book = openpyxl.load_workbook(io.BytesIO(workbook(report, report.rows())))
    for name in book.sheetnames:
        if name != SHEET:
            del book[name]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Edited:
    """The sheet of a plan, by row of the sheet and name of the column."""

    def __init__(self, content: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.sheet = self.book[SHEET]
        self.column = {cell.value: cell.column for cell in self.sheet[1]}

    def __getitem__(self, place: tuple[int, str]) -> Any:
        return self.sheet.cell(place[0], self.column[place[1]]).value

    def __setitem__(self, place: tuple[int, str], value: Any) -> None:
        self.sheet.cell(place[0], self.column[place[1]]).value = value

    def where(self, row: int, column: str) -> str:
        return f"{SHEET}!{self.sheet.cell(row, self.column[column]).coordinate}"

    def rows_of(self, device: str) -> list[int]:
        return [row for row in range(2, self.sheet.max_row + 1) if self[row, "a_device"] == device]


def checked(edited: Edited, tmp_path: Path) -> Verification:
    place = tmp_path / "theirs.xlsx"
    edited.book.save(place)
    return verify(layout_from_tree(TREE), str(place), price=False)


def told(found: Verification) -> list[tuple[str, str, str]]:
    """Severity, id and cells of every finding that is no note."""
    rows = [row.finding for row in found.findings if row.finding.severity != "note"]
    return [
        (row.severity, row.id, row.where.rpartition("theirs.xlsx")[2].replace("[", "").replace("]", "")) for row in rows
    ]


def test_our_own_plan_has_no_fault(whole: bytes, tmp_path: Path) -> None:
    found = checked(Edited(whole), tmp_path)
    assert told(found) == []
    assert found.summary.missing == found.summary.unexpected == found.summary.moved == 0


@pytest.mark.parametrize("name", ["dgx-superpod-h100-4su-site", "edr-1296-directors", "roce-2048-2to1", "dragonfly-72"])
def test_the_plan_of_a_shipped_layout_has_no_fault(name: str, tmp_path: Path) -> None:
    """Directors too, whose inner links no plan has."""
    path = Path(__file__).parents[2] / "topologies" / f"{name}.yaml"
    report = cables(path)
    (tmp_path / "theirs.xlsx").write_bytes(workbook(report, report.rows()))
    found = verify(path, str(tmp_path / "theirs.xlsx"), price=False)
    assert told(found) == []
    assert found.summary.as_expected == found.summary.planned


def test_a_cable_shorter_than_its_way_is_found(whole: bytes, tmp_path: Path) -> None:
    """Ways are those of the plan, which tests/cabling/test_routes.py works out by hand; slack is not asked for."""
    edited = Edited(whole)
    row = next(row for row in range(2, 20) if edited[row, "a_rack"] != edited[row, "z_rack"])
    way = edited[row, "route_m"]
    edited[row, "length_m"] = way + 0.01
    assert told(checked(edited, tmp_path)) == []
    edited[row, "length_m"] = round(way - 0.2, 2)
    found = checked(edited, tmp_path)
    assert told(found) == [("error", "length-short", edited.where(row, "length_m"))]
    (fault,) = [row.finding for row in found.findings if row.finding.id == "length-short"]
    assert f"up to {way:.1f} m" in fault.message


def test_lengths_along_an_assumed_hall_are_warnings(whole: bytes, tmp_path: Path) -> None:
    edited = Edited(whole)
    row = next(row for row in range(2, 20) if edited[row, "a_rack"] != edited[row, "z_rack"])
    edited[row, "length_m"] = 0.5
    place = tmp_path / "theirs.xlsx"
    edited.book.save(place)
    found = verify(layout_from_tree({**TREE, "hall": {}}), str(place), price=False)
    assert ("warning", "length-short") in {line[:2] for line in told(found)}


def test_a_device_in_another_rack_is_named_once(whole: bytes, tmp_path: Path) -> None:
    edited = Edited(whole)
    rows = edited.rows_of("h-03")
    for row in rows:
        edited[row, "a_rack"] = "X99"
    assert told(checked(edited, tmp_path)) == [("warning", "rack-differs", edited.where(rows[0], "a_rack"))]


def test_racks_may_be_called_otherwise(whole: bytes, tmp_path: Path) -> None:
    edited = Edited(whole)
    for row in range(2, edited.sheet.max_row + 1):
        for column in ("a_rack", "z_rack"):
            edited[row, column] = f"Hall 3/{edited[row, column].upper()}"
    assert told(checked(edited, tmp_path)) == []


def test_another_floor_is_one_finding(whole: bytes, tmp_path: Path) -> None:
    """All hosts in one rack: six of eight stand among others, and lengths to them are not judged."""
    edited = Edited(whole)
    for row in range(2, edited.sheet.max_row + 1):
        if edited[row, "a_device"].startswith("h-"):
            edited[row, "a_rack"], edited[row, "a_u"] = "ALL", 1 + 8 * int(edited[row, "a_device"][2:])
            edited[row, "length_m"] = 0.5
    found = told(checked(edited, tmp_path))
    assert [line[1] for line in found].count("rack-differs") == 1


def test_other_units_are_one_finding(whole: bytes, tmp_path: Path) -> None:
    edited = Edited(whole)
    first = []
    for device in ("h-02", "h-05"):
        rows = edited.rows_of(device)
        first.append(edited.where(rows[0], "a_u"))
        for row in rows:
            edited[row, "a_u"] += 3
    found = checked(edited, tmp_path)
    assert told(found) == [("warning", "unit-differs", ", ".join(first))]
    (fault,) = [row.finding for row in found.findings if row.finding.id == "unit-differs"]
    assert "h-02 U12 for U9, h-05 U4 for U1" in fault.message


def test_modules_for_two_kinds_of_fibre_do_not_fit(whole: bytes, tmp_path: Path) -> None:
    """MMA4Z00-NS is multimode, MMS4X00-NS single-mode: NVIDIA's product specifications."""
    assert (fibre_of("MMA4Z00-NS"), fibre_of("980-9I30H-00NM00"), fibre_of("none")) == ("mmf", "smf", "")
    edited = Edited(whole)
    edited.sheet.cell(1, edited.sheet.max_column + 1).value = "A-Module-PN"
    edited.sheet.cell(1, edited.sheet.max_column + 1).value = "Z-Module-PN"
    last = edited.sheet.max_column
    for row, pair in ((3, ("mma4z00-ns", "mms4x00-ns")), (4, ("mma4z00-ns", "mms4x00-ns")), (5, ("mms4x00-ns", ""))):
        edited[row, "media"] = "SMF"
        for place, module in enumerate(pair):
            edited.sheet.cell(row, last - 1 + place).value = module
    found = [line for line in told(checked(edited, tmp_path)) if line[1] == "optics-unlike"]
    letter = edited.sheet.cell(3, last).column_letter
    assert found == [("error", "optics-unlike", f"{SHEET}!{letter}3, {SHEET}!{letter}4")]


def drag(edited: Edited) -> str:
    """Ports of a leaf dragged down over the rows of the next ones: each row takes what another row has."""
    rows = [row for row in range(2, edited.sheet.max_row + 1) if edited[row, "a_device"].startswith("h-")][:4]
    target = [row for row in range(2, edited.sheet.max_row + 1) if edited[row, "a_device"].startswith("leaf")][:4]
    for row, other in zip(rows, target, strict=True):
        for column in ("z_device", "z_port", "z_rack", "z_u"):
            edited[row, column] = edited[other, column]
    return ", ".join(edited.where(row, "z_port") for row in rows)


def copy_down(edited: Edited) -> str:
    rows = [row for row in range(2, edited.sheet.max_row + 1) if edited[row, "a_device"].startswith("h-")][:4]
    for row in rows[1:]:
        for column in ("z_device", "z_port"):
            edited[row, column] = edited[rows[0], column]
    return ", ".join(edited.where(row, "z_port") for row in rows)


def merge(edited: Edited) -> str:
    """The far device merged over four rows, as whoever groups rows by leaf does; their ports are the same."""
    rows = [row for row in range(2, edited.sheet.max_row + 1) if edited[row, "a_device"].startswith("h-")][:4]
    for row in rows:
        edited[row, "z_port"] = "1"
    column = edited.column["z_device"]
    edited.sheet.merge_cells(start_row=rows[0], end_row=rows[-1], start_column=column, end_column=column)
    return ", ".join(edited.where(row, "z_port") for row in rows)


@pytest.mark.parametrize("fault", [drag, copy_down, merge], ids=lambda fault: fault.__name__)
def test_what_a_hand_slips_with_is_one_finding(fault: Callable[[Edited], str], whole: bytes, tmp_path: Path) -> None:
    """Racks and units that the same slip contradicts are not told beside it, and no link counts as missing."""
    edited = Edited(whole)
    cells = fault(edited)
    found = checked(edited, tmp_path)
    assert told(found) == [("error", "port-used-twice", cells)]
    assert found.summary.missing == 0


def test_a_formula_without_a_value_is_told_and_its_link_is_not_missing(whole: bytes, tmp_path: Path) -> None:
    edited = Edited(whole)
    edited[4, "z_port"] = f"={edited.sheet.cell(3, edited.column['z_port']).coordinate}+1"
    found = checked(edited, tmp_path)
    assert told(found) == [("error", "row-unreadable", edited.where(4, "z_port"))]
    assert (found.summary.missing, found.summary.not_seen) == (0, 1)
    (fault,) = [row.finding for row in found.findings if row.finding.id == "row-unreadable"]
    assert "formula without a stored value" in fault.message


def test_a_row_that_is_missing_is_named_as_one(whole: bytes, tmp_path: Path) -> None:
    edited = Edited(whole)
    ends = f"{edited[3, 'a_device']}:{edited[3, 'a_port']} - {edited[3, 'z_device']}:{edited[3, 'z_port']}"
    edited.sheet.delete_rows(3)
    found = checked(edited, tmp_path)
    (fault,) = [row for row in found.findings if row.root_cause]
    assert (fault.finding.message, fault.finding.fix) == (f"no row has the link {ends}", "add the row")
    assert fault.finding.where.endswith("theirs.xlsx")


def test_sheets_without_a_plan_are_one_note(tmp_path: Path) -> None:
    """Those of a workbook of ours are what is expected there; one more, and all are named."""
    report = PlanReport(planned(TREE))
    (tmp_path / "theirs.xlsx").write_bytes(workbook(report, report.rows()))
    found = verify(layout_from_tree(TREE), str(tmp_path / "theirs.xlsx"), price=False)
    assert not [row for row in found.findings if row.finding.id == "sheet-passed"]
    book = openpyxl.load_workbook(tmp_path / "theirs.xlsx")
    book.create_sheet("prices")["A1"] = "EUR"
    book.save(tmp_path / "theirs.xlsx")
    found = verify(layout_from_tree(TREE), str(tmp_path / "theirs.xlsx"), price=False)
    notes = [row.finding for row in found.findings if row.finding.id == "sheet-passed"]
    assert len(notes) == 1
    assert "summary, BOM, rack elevations, port maps, labels, phases, trays, prices" in notes[0].message
