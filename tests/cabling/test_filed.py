"""A plan in a file: what it says of its cables holds, what it leaves open is planned."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from commands import call

import fabrictool as ft
from fabrictool.cabling.filed import FiledReport
from fabrictool.cabling.filed_figures import medium_of

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
Capture = pytest.CaptureFixture[str]


def filed(path: str) -> FiledReport:
    found = ft.cables(path)
    assert isinstance(found, FiledReport)
    return found


def edited(text: str, changes: dict[str, dict[str, str]]) -> str:
    """Return a plan CSV with cells of cables replaced."""
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(row | changes.get(row["cable_id"], {}) for row in rows)
    return out.getvalue()


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
    """Return the plan of the shipped layout with 508 links, as CSV."""
    monkeypatch.chdir(tmp_path)
    call(capsys, "cables", str(TOPOLOGIES / "dgx-superpod-h100-1su.yaml"), "-o", "plan.csv", "-q")
    return Path("plan.csv").read_text()


@pytest.mark.parametrize("name", ["roce-2048-2to1", "k-ary-8"])
@pytest.mark.parametrize("form", ["plan.csv", "plan.xlsx"])
def test_a_plan_of_ours_comes_back_as_it_was(
    name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Fibres in pairs of strands, copper, active cables: every cell, and the same to order."""
    monkeypatch.chdir(tmp_path)
    layout = str(TOPOLOGIES / f"{name}.yaml")
    for source, target in ((layout, form), (form, "back.csv"), (layout, "straight.csv")):
        assert call(capsys, "cables", source, "-o", target, "-q")[0] == 0
    assert Path("back.csv").read_text() == Path("straight.csv").read_text()
    before, after = ft.cables(layout), filed(form)
    for key in ("network", "media", "cables", "links", "length_m", "price"):
        assert [row[key] for row in after.summary()] == [row[key] for row in before.summary()]
    assert _ordered(after) == _ordered(before)
    assert {row.name: row.area_m2 for row in after.trays}.keys() == {row.name for row in before.trays}
    assert after.rack_weights_kg() == pytest.approx({rack: kg for rack, kg in before.rack_weights_kg().items() if kg})
    assert after.findings == []


def _ordered(report: Any) -> Counter[tuple[Any, ...]]:
    return Counter({
        (row.sku, row.media, row.length_m, row.unit_price): row.quantity for row in report.bill
    })  # fmt: skip


def test_what_the_file_says_holds(plan: str) -> None:
    """Ten cables that somebody made active optical ones of 30 m over a tray of their own."""
    names = [f"C-dgx-{host:02d}-1" for host in range(1, 11)]
    change = {
        "media": "aoc",
        "length_m": "30",
        "tray_path": "basket-7",
        "sku": "AOC-30",
        "price": "",
        "status": "ordered",
    }
    Path("theirs.csv").write_text(edited(plan, dict.fromkeys(names, change)))
    report = filed("theirs.csv")
    rows = {row.cable_id: row for row in report.rows()}
    assert {(rows[name].media, rows[name].length_m, rows[name].status) for name in names} == {("aoc", 30.0, "ordered")}
    assert next((row["media"], row["cables"], row["length_m"]) for row in report.summary()) == ("aoc", 10, 300.0)
    assert [(row.quantity, row.length_m) for row in report.bill if row.sku == "AOC-30"] == [(10, 30.0)]
    assert next(row for row in report.trays if row.name == "basket-7").cables == 10
    assert report.summary()[0]["price"] is None


def test_what_the_file_leaves_open_is_planned(plan: str) -> None:
    """Without medium and modules, but with lengths: what reaches so far, here fibre for 40 m."""
    blank = {"media": "", "sku": "", "a_optic": "", "z_optic": "", "a_connector": "", "z_connector": "",
             "optics_w": "", "price": "", "length_m": "40", "cable_id": "own-1"}  # fmt: skip
    Path("theirs.csv").write_text(edited(plan, {"C-dgx-01-1": blank}))
    row = next(row for row in filed("theirs.csv").rows() if row.cable_id == "own-1")
    assert (row.media, row.length_m) == ("mmf", 40.0)
    assert row.a.optic


def test_a_list_of_links_alone_is_planned_as_ever(tmp_path: Path) -> None:
    four = "a_device,a_port,z_device,z_port,speed_gbps\nh1,1,leaf1,1,400\nh2,1,leaf1,2,400\n"
    (tmp_path / "four.csv").write_text(four)
    report = filed(str(tmp_path / "four.csv"))
    assert {(row.media != "", row.length_m is not None) for row in report.rows()} == {(True, True)}
    assert report.count == 2


def test_exports_of_a_plan_keep_what_it_says(plan: str, capsys: Capture) -> None:
    Path("theirs.csv").write_text(edited(plan, {"C-dgx-01-1": {"media": "smf", "length_m": "50", "label_a": "here"}}))
    call(capsys, "export", "theirs.csv", "--to", "netbox", "-o", "nb", "-q")
    line = next(row for row in Path("nb/08-cables.csv").read_text().splitlines() if "C-dgx-01-1," in row)
    assert "smf" in line
    assert ",50,m," in line
    assert ",r01,1," in Path("nb/06-devices.csv").read_text()
    call(capsys, "export", "theirs.csv", "--to", "labels", "-o", "labels.csv", "-q")
    assert "here" in Path("labels.csv").read_text("utf-8-sig")
    report = filed("nb")
    assert next(row for row in report.rows() if row.cable_id == "C-dgx-01-1").length_m == 50


def test_faults_of_a_file_are_findings(plan: str, capsys: Capture) -> None:
    """5 km of copper reach nowhere; the cell is named."""
    Path("theirs.csv").write_text(edited(plan, {"C-dgx-01-1": {"media": "dac", "length_m": "5000"}}))
    status, out, _ = call(capsys, "cables", "theirs.csv", "--json")
    assert status == 1
    assert "media-beyond-reach" in out
    assert "theirs.csv:2" in out


@pytest.mark.parametrize(
    ("word", "name"),
    [("mmf", "mmf"), ("MMF-OM4", "mmf"), ("dac-passive", "dac"), ("AOC", "aoc"), ("OM4", "mmf"), ("yarn", None)],
)
def test_media_by_any_name(word: str, name: str | None) -> None:
    found = medium_of(word)
    assert (found.name if found else None) == name
