"""Plans of others: each fault is one finding, at the cells where it stands."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Callable
from pathlib import Path

import fabrics
import openpyxl
import pytest
import xlsxwriter
from commands import call
from foreign import DATA, SHARED
from xlsxwriter.worksheet import Worksheet

from fabrictool.cabling.plan_checks import reach_of
from fabrictool.errors import InputError
from fabrictool.formats.plan_rows import cable_rows
from fabrictool.formats.plan_table import plan_table
from fabrictool.formats.point_to_point import ETHERNET
from fabrictool.formats.port_naming import named_ports
from fabrictool.formats.workbooks import Tab, written
from fabrictool.records import Place
from fabrictool.verification import Verification, verify

#: 12 hosts of 4 rails in units of 4, 12 leaves, 4 spines; racks of 4 hosts, one for switches.
RAILS = fabrics.rails(12, 4, 4, 4, protocol="ethernet")
SWITCHES = [name for name, tier in zip(RAILS.names, RAILS.devices.tier.tolist(), strict=True) if tier]
PLACES = {f"host-{n:02d}": Place(f"host-{n:02d}", rack=f"R{(n + 3) // 4:02d}", unit=1 + 8 * ((n - 1) % 4))
          for n in range(1, 13)} | {
    name: Place(name, rack="N01", unit=row + 1) for row, name in enumerate(SWITCHES)
}  # fmt: skip
HEADER = (*ETHERNET, "Speed (Gb/s)", "Cable type", "Length (m)")
A_PORT, Z_NODE, Z_PORT, SPEED, MEDIA, LENGTH = 4, 7, 9, 10, 11, 12
Line = list[str | float | int | None]


def lines() -> list[Line]:
    """Rows of the right plan: sheet row = place + 2."""
    words = named_ports(RAILS, "cumulus", {})
    found: list[Line] = []
    for row in cable_rows(RAILS, words, PLACES):
        ends = [
            cell for end in (row.a, row.z)
            for cell in (end.place.rack, end.place.unit, end.place.device, "Host" if end.kind == "host" else "Switch",
                         end.interface)
        ]  # fmt: skip
        found.append([*ends, 400, "AOC" if row.a.kind == "host" else "DAC", 20 if row.a.kind == "host" else 2])
    return found


def checked(tmp_path: Path, rows: list[Line], header: tuple[str, ...] = HEADER) -> Verification:
    place = tmp_path / "theirs.xlsx"
    place.write_bytes(written([Tab("Links", header, rows)]))
    return verify(RAILS, str(place), price=False)


def told(found: Verification) -> list[tuple[str, str]]:
    """Id and cells of every finding that is no note, the file's name left out."""
    rows = [row.finding for row in found.findings if row.finding.severity != "note"]
    return sorted((row.id, row.where.rpartition("theirs.xlsx")[2].replace("[", "").replace("]", "")) for row in rows)


@pytest.mark.parametrize(
    ("header", "unit_m"),
    [("Length (ft)", 0.3048), ("Cable Length [feet]", 0.3048), ("Length in inches", 0.0254), ("Length", 1.0),
     ("Length_cm", 0.01), ("Cable length (metres)", 1.0)],
)  # fmt: skip
def test_a_header_says_the_unit_of_lengths(header: str, unit_m: float) -> None:
    rows = ["A-Node,A-Port,Z-Node,Z-Port," + header, "a,1,b,1,66", "a,2,b,2,7 m"]
    table = plan_table("theirs.csv", "\n".join(rows).encode())
    assert [row.cable.length_m for row in table.rows] == [pytest.approx(66 * unit_m, rel=1e-12), 7.0]


@pytest.mark.parametrize(
    "header",
    [
        "From Device,From Port,To Device,To Port", "Source,Source Port,Destination,Destination Port",
        "Server,Server Port,Switch,Switch Port", "Host,HCA,Leaf,Leaf Port", "Node1,Port1,Node2,Port2",
        "Device Name (A),Port (A),Device Name (Z),Port (Z)", "Start Device,Start Port,End Device,End Port",
        "Near End Device,Near End Port,Far End Device,Far End Port", "A End,A End Port,B End,B End Port",
        "Termination A Device,Termination A Port,Termination B Device,Termination B Port",
        "Device A Name,Device A Port,Device B Name,Device B Port", "From Node,From Port No.,To Node,To Port No.",
        "Source System,Source Slot/Port,Destination System,Destination Slot/Port",
    ],
)  # fmt: skip
def test_headers_name_both_ends_in_many_ways(header: str) -> None:
    (row,) = plan_table("theirs.csv", f"{header}\ngpu-01,3,leaf-02,7".encode()).rows
    ends = [(end.place.device, end.port) for end in (row.cable.a, row.cable.z)]
    assert ends == [("gpu-01", "3"), ("leaf-02", "7")]


def test_a_right_plan_has_no_fault(tmp_path: Path) -> None:
    found = checked(tmp_path, lines())
    assert told(found) == []
    assert found.summary.as_expected == len(RAILS.links) == 96


def test_a_port_in_four_rows_is_one_finding(tmp_path: Path) -> None:
    """The far port of row 2 is copied down: 4 hosts on leaf-01:swp1, 3 ports of the leaf without a row."""
    rows = lines()
    of_leaf = [at for at, row in enumerate(rows) if row[Z_NODE] == "leaf-01"]
    for at in of_leaf:
        rows[at][Z_PORT] = rows[of_leaf[0]][Z_PORT]
    found = checked(tmp_path, rows)
    at = ", ".join(f"Links!J{row + 2}" for row in of_leaf)
    assert told(found) == [("port-used-twice", at)]
    (fault,) = [row.finding for row in found.findings if row.finding.id == "port-used-twice"]
    assert "leaf-01:swp1 is used by 4 rows" in fault.message
    assert found.summary.missing == 0


def test_a_copied_row_is_one_finding(tmp_path: Path) -> None:
    rows = lines()
    assert told(checked(tmp_path, [*rows, rows[5], rows[5]])) == [("row-repeated", "Links!C7, Links!C98, Links!C99")]


def test_exchanged_rails_are_one_finding_at_their_cells(tmp_path: Path) -> None:
    rows = lines()
    first, second = (next(at for at, row in enumerate(rows) if (row[2], row[A_PORT]) == ("host-06", rail))
                     for rail in ("rail1", "rail2"))  # fmt: skip
    for column in range(5, 10):
        rows[first][column], rows[second][column] = rows[second][column], rows[first][column]
    found = checked(tmp_path, rows)
    assert [row.root_cause for row in found.causes] == ["rails-swapped"]
    (cause,) = told(found)
    assert f"{first + 2}" in cause[1]
    assert f"{second + 2}" in cause[1]


def test_missing_rows_are_missing_links(tmp_path: Path) -> None:
    rows = lines()
    found = checked(tmp_path, rows[:7] + rows[8:])
    assert [row.root_cause for row in found.causes] == ["missing-link"] or found.summary.missing == 1
    assert found.summary.missing == 1


@pytest.mark.parametrize(
    ("column", "value", "fault", "cell"),
    [
        (SPEED, 200, "speed-differs", "Links!K4"),
        (LENGTH, 0, "length-impossible", "Links!M4"),
        (LENGTH, 0.1, "length-impossible", "Links!M4"),
        (LENGTH, 31, "media-beyond-reach", "Links!M4"),
        (LENGTH, "long", "cell-unreadable", "Links!M4"),
        (LENGTH, "-3", "cell-unreadable", "Links!M4"),
        (SPEED, "fast", "cell-unreadable", "Links!K4"),
        (A_PORT, "rail9", "port-not-in-layout", "Links!E4"),
        (Z_NODE, "", "row-unreadable", "Links!H4"),
    ],
)
def test_a_wrong_cell_is_found_at_its_place(column: int, value: object, fault: str, cell: str, tmp_path: Path) -> None:
    rows = lines()
    rows[2][column] = value  # type: ignore[call-overload]
    assert (fault, cell) in told(checked(tmp_path, rows))


def test_a_whole_column_of_wrong_speeds_is_one_finding(tmp_path: Path) -> None:
    rows = lines()
    for row in rows:
        row[SPEED] = 200
    (fault,) = told(checked(tmp_path, rows))
    assert fault[0] == "speed-differs"
    assert fault[1].startswith("Links!K2, Links!K3,")
    assert fault[1].endswith("and 90 more")


def test_reach_is_that_of_the_catalogue() -> None:
    """DAC 3 m and AOC 30 m at 400G, as the catalogue's link prices say; nothing is known of a medium without entry."""
    assert reach_of("dac-passive", 400e9) == ("dac-400", 3.0)
    assert reach_of("aoc-split", 400e9) == ("aoc-400", 30.0)
    assert reach_of("string", 400e9) is None


def test_an_unknown_device_is_named_with_the_nearest(tmp_path: Path) -> None:
    rows = lines()
    for row in rows[:4]:
        row[2] = "hots-01"
    found = checked(tmp_path, rows)
    (fault,) = [row.finding for row in found.findings if row.finding.id == "device-not-in-layout"]
    assert fault.where.endswith("[Links!C2], Links!C3, Links!C4, Links!C5")
    assert fault.fix == "did you mean host-01?"


def test_places_that_contradict_each_other(tmp_path: Path) -> None:
    rows = lines()
    rows[1][0] = "R02"
    assert told(checked(tmp_path, rows)) == [
        ("device-in-two-places", "Links!A2, Links!A3"), ("unit-occupied", "Links!B3, Links!B18"),
    ]  # fmt: skip


def test_rails_may_count_from_one_and_names_have_domains(tmp_path: Path) -> None:
    rows = lines()
    for row in rows:
        row[2] = f"{row[2]}.example.net".upper() if row[3] == "Host" else row[2]
        row[A_PORT] = f"rail{int(str(row[A_PORT])[4:]) + 1}" if row[3] == "Host" else row[A_PORT]
    found = checked(tmp_path, rows)
    assert told(found) == []
    assert "h: rails from 1" in next(row.finding.message for row in found.findings if row.finding.id == "ports-called")


HEADERS = {
    "links sheet": ("A-Node", "A-Port", "Z-Node", "Z-Port"),
    "words": ("Source Device", "Source Port", "Destination Device", "Destination Port"),
    "from to": ("From", "From Port", "To", "To Port"),
    "netbox": ("side_a_device", "side_a_name", "side_b_device", "side_b_name"),
    "ends": ("Near End Hostname", "Near End Interface", "Far End Hostname", "Far End Interface"),
}


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_columns_are_told_by_their_headers(name: str, tmp_path: Path) -> None:
    rows: list[Line] = [[row[2], row[4], row[7], row[9]] for row in lines()]
    assert told(checked(tmp_path, rows, HEADERS[name])) == []


def test_the_infiniband_form_names_both_sides_alike() -> None:
    text = "Rack,U,Name,HCA/Port,Rack,Name,Name,Port\nR1,3,gpu01,1,N1,40,leaf0,1/2\n"
    (row,) = plan_table("p2p.csv", text.encode()).rows
    a, z = row.cable.a, row.cable.z
    assert (a.place.rack, a.place.unit, a.place.device, a.port) == ("R1", 3, "gpu01", "1")
    assert (z.place.rack, z.place.unit, z.place.device, z.port) == ("N1", 40, "leaf0", "1/2")
    assert row.place("z_port") == "p2p.csv:2:8"


def test_a_splitter_of_netbox_is_a_link_for_each_leg() -> None:
    text = 'side_a_device,side_a_name,side_b_device,side_b_name,label\nleaf0,swp1,"gpu01,gpu02","rail0,rail0",C1\n'
    rows = plan_table("cables.csv", text.encode()).rows
    assert [(row.cable.z.place.device, row.cable.leg, row.cable.cable_id) for row in rows] == [
        ("gpu01", 1, "C1"), ("gpu02", 2, "C1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sample", ["p2p/ref16-legacy-ethernet.xlsx", "p2p/ref16-ptp-links.xlsx", "netbox/08-cables.csv"]
)
def test_sheets_of_the_reference_fabric_are_its_plan(sample: str) -> None:
    path = SHARED / "formats" / sample
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    found = verify(str(DATA / "plans" / "plan-ref16.csv"), str(path), price=False)
    assert [row.finding for row in found.findings if row.finding.severity == "error"] == []
    assert found.summary.as_expected == 256


def workbook(fill: Callable[[xlsxwriter.Workbook, Worksheet], None]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        fill(book, book.add_worksheet("Cables"))
    return out.getvalue()


def odd(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
    sheet.merge_range("A1:D1", "Cabling of hall 3")
    sheet.write_row("A3", ["A-Node", "A-Port", "Z-Node", "Z-Port"])
    sheet.merge_range("A4:A5", "host-01")
    sheet.write_row("B4", ["rail0", "leaf-01"])
    sheet.write_number("D4", 1)
    sheet.write_row("B5", ["rail1", "leaf-02"])
    sheet.write_formula("D5", "=D4", None, 1)
    sheet.write_row("A6", ["host-02", "rail0", "leaf-01"])
    sheet.write_datetime("D6", datetime.datetime(2026, 1, 2), book.add_format({"num_format": "d-mmm"}))
    hidden = book.add_worksheet("old")
    hidden.hide()
    hidden.write_row("A1", ["A-Node", "A-Port", "Z-Node", "Z-Port"])
    hidden.write_row("A2", ["host-03", "rail0", "leaf-01", "swp3"])
    book.add_worksheet("notes").write_row("A1", ["who", "when"])


def test_what_spreadsheets_do_to_plans_is_told() -> None:
    table = plan_table("odd.xlsx", workbook(odd))
    ends = [(row.cable.a.place.device, row.cable.a.port, row.cable.z.port, row.place("z_port")) for row in table.rows]
    assert ends == [
        ("host-01", "rail0", "1", "odd.xlsx[Cables!D4]"), ("host-01", "rail1", "1", "odd.xlsx[Cables!D5]"),
        ("host-03", "rail0", "swp3", "odd.xlsx[old!D2]"),
    ]  # fmt: skip
    assert [(finding.id, finding.where) for finding in table.findings] == [
        ("cell-formula", "odd.xlsx[Cables!D5]"), ("cell-merged", "odd.xlsx[Cables!A4]"),
        ("cell-date", "odd.xlsx[Cables!D6]"), ("sheet-hidden", "odd.xlsx[old!1]"),
        ("sheet-passed", "odd.xlsx[notes!1]"),
    ]  # fmt: skip


def test_two_readers_agree_on_what_we_write() -> None:
    rows = lines()
    content = written([Tab("Links", HEADER, rows)])
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Links"]
    assert [list(cells) for cells in sheet.iter_rows(values_only=True)] == [list(HEADER), *rows]
    kept = plan_table("x", content).rows
    assert [row.cable.z.port for row in kept] == [str(row[Z_PORT]) for row in rows]
    assert {type(sheet.cell(line, Z_PORT + 1).value) for line in range(2, 98)} == {str}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (written([Tab("a", ("who", "when"), [["x", "y"]])]), "no sheet has the columns of a plan"),
        (written([Tab("Links", HEADER, lines())])[:3000], "no whole workbook"),
        (b"PK\x03\x04[Content_Types].xml" + bytes(500), "no whole workbook"),
        (b'A-Node,A-Port,Z-Node,Z-Port\nh,1,l,"2\n', "cannot be read"),
    ],
)
def test_files_that_are_no_plan_say_so(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        plan_table("bad.xlsx", content)
    assert error.value.problems[0].where.startswith("bad.xlsx:")
    assert error.value.problems[0].fix


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n\r\n"])
def test_line_ends_of_any_kind(ends: str) -> None:
    text = ends.join(["A-Node;A-Port;Z-Node;Z-Port", "h1;1;l1;1", "h2;1;l1;2\n"])
    assert len(plan_table("x.csv", text.encode()).rows) == 2


def test_the_command_exits_with_findings_and_names_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = str(Path(__file__).parents[2] / "topologies" / "roce-2048-2to1.yaml")
    sheet = str(tmp_path / "p2p.xlsx")
    assert call(capsys, "export", layout, "--to", "p2p", "-o", sheet)[0] == 0
    status, shown, _ = call(capsys, "verify", layout, sheet, "--json", "--no-price")
    assert (status, json.loads(shown)["summary"]["as_expected"]) == (0, 2560)
    book = openpyxl.load_workbook(sheet)
    cells = book[book.sheetnames[0]]
    for line in range(3, 6):
        cells.cell(line, 10).value = cells.cell(2, 10).value
    book.save(sheet)
    status, shown, _ = call(capsys, "verify", layout, sheet, "--json", "--no-price")
    faults = [row for row in json.loads(shown)["findings"] if row["severity"] == "error"]
    assert status == 1
    assert [(row["id"], row["where"]) for row in faults] == [
        ("port-used-twice", f"{sheet}[{book.sheetnames[0]}!J2], " + ", ".join(
            f"{book.sheetnames[0]}!J{line}" for line in range(3, 6)))
    ]  # fmt: skip
