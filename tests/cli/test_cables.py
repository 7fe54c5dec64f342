"""``cables`` and exports of the plan as users type them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from commands import call

import fabrictool as ft
from fabrictool.fabric import KINDS
from fabrictool.fabric.counting import counts, network_counts
from fabrictool.formats.plan_table import read_plan

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
SITE = str(TOPOLOGIES / "dgx-superpod-h100-4su-site.yaml")


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_json_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "cables", SITE, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert found["cables"] == 3199 == sum(row["cables"] for row in found["summary"])
    assert {"bom", "trays", "racks", "assumptions", "findings"} <= set(found)
    assert {row["network"] for row in found["summary"]} == {"compute", "storage", "inband", "oob"}


def test_a_folder_takes_all_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "plan"
    status, _, _ = call(capsys, "cables", SITE, "-o", str(target), "-q")
    assert status == 0
    assert sorted(path.name for path in target.iterdir()) == [
        "bom.csv",
        "ends.csv",
        "labels.csv",
        "plan.csv",
        "racks.csv",
        "trays.csv",
    ]
    plan = _rows(target / "plan.csv")
    assert len(plan) == 3199
    first = plan[0]
    assert (first["cable_id"], first["a_rack"], first["z_device"], first["sku"]) == (
        "C-dgx-001-1", "compute-01", "leaf-01", "MFP7E10-N010",
    )  # fmt: skip
    ends = Counter((row["device"], row["port"]) for row in _rows(target / "ends.csv"))
    assert (len(ends), max(ends.values())) == (2 * 3199, 1)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("name", ["ft64", "dgx-superpod-h100-4su-site", "roce-2048-2to1"])
def test_a_plan_is_a_layout_with_the_same_links(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a plan holds comes back: links, kinds, cages, and the network of each switch, managed ones too."""
    layout, target = str(TOPOLOGIES / f"{name}.yaml"), str(tmp_path / f"plan.{form}")
    call(capsys, "cables", layout, "-o", target, "-q")
    before, after = ft.build(ft.read_layout(layout)), ft.read_fabric(target)

    def links(fabric: ft.Fabric) -> set[tuple[str, str, float]]:
        rows = zip(fabric.links.network.tolist(), fabric.links.speed_bps.tolist(), strict=True)
        names = (fabric.link_name(link) for link in range(len(fabric.links)))
        return {(name, fabric.networks[row].name, speed) for name, (row, speed) in zip(names, rows, strict=True)}

    def devices(fabric: ft.Fabric) -> dict[str, tuple[str, int, int]]:
        columns = (fabric.devices.kind.tolist(), fabric.devices.tier.tolist(), fabric.devices.network.tolist())
        rows = zip(fabric.names, *columns, strict=True)
        linked = {fabric.names[row] for end in fabric.ends for row in end.tolist()}
        several = len(fabric.networks) > 1
        return {
            name: (KINDS[kind], tier, network if several else 0) for name, kind, tier, network in rows if name in linked
        }

    assert links(after) == links(before)
    assert devices(after) == devices(before)
    assert network_counts(after) == network_counts(before)
    assert counts(after)["transceivers"] == counts(before)["transceivers"]


def test_labels_of_an_export_have_real_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "export", SITE, "--to", "labels", "-o", str(tmp_path / "labels.csv"))
    first = _rows(tmp_path / "labels.csv")[0]
    assert first["line3_cable"] == "mmf 10m"
    assert first["tia606_link"] == "compute-01-01:1/network-02-17:1"


def test_netbox_takes_media_and_lengths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "export", SITE, "--to", "netbox", "-o", str(tmp_path / "nb"))
    cables = _rows(tmp_path / "nb" / "08-cables.csv")
    assert len(cables) == 3199
    assert Counter(row["type"] for row in cables) == {"mmf-om4": 2590, "cat6a": 315, "aoc": 266, "dac-passive": 28}
    assert {row["length_unit"] for row in cables} == {"m"}


def test_a_network_alone_has_its_own_rows_and_the_ids_of_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, options in (("all", []), ("part", ["--network", "inband"])):
        call(capsys, "export", SITE, "--to", "plan", *options, "-o", str(tmp_path / name))
    every, part = _rows(tmp_path / "all"), _rows(tmp_path / "part")
    assert part == [row for row in every if row["network"] == "inband"]
    assert len(part) == 294


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("plan.pdf", "a plan is written as .xlsx, .csv, or into a folder, not as '.pdf'"),
        ("missing/plan.csv", "No such file or directory"),
    ],
)
def test_where_a_plan_cannot_be_written(
    output: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, "cables", str(TOPOLOGIES / "ft64.yaml"), "-o", str(tmp_path / output))
    assert (status, out) == (2, "")
    assert said in err


def test_an_existing_plan_is_whole_before_and_after(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "plan.csv"
    target.write_text("kept")
    (tmp_path / "bad.yaml").write_text("name: x\nhosts: {name: h, type: nope, count: 2}\n")
    status, out, _ = call(capsys, "cables", str(tmp_path / "bad.yaml"), "-o", str(target))
    assert (status, out, target.read_text()) == (2, "", "kept")
    call(capsys, "cables", str(TOPOLOGIES / "ft64.yaml"), "-o", str(target), "-q")
    assert len(_rows(target)) == 128
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml", "plan.csv"]


@pytest.mark.parametrize(
    ("hall", "said"),
    [
        ("rows: 0", "rows"),
        ("rows: {count: 2, rakcs: 3}", "rakcs"),
        ("pitch: 600", "rack: '600' has no unit"),
        ("pitch: {rack: -1 m}", "rack"),
        ("trays: {fill: 140 %}", "fill"),
        ("trays: {cross: 0}", "cross"),
        ("trays: {width: 0 m}", "width"),
        ("trays: {depth: 0 m}", "depth"),
        ("trays: {fill: 0}", "fill"),
        ("trays: {above: 3 kW}", "above"),
        ("rows: 1000000000", "rows"),
    ],
)
def test_halls_that_cannot_be(hall: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (TOPOLOGIES / "ft64.yaml").read_text()
    (tmp_path / "layout.yaml").write_text(f"{text}\nhall:\n  {hall}\n")
    status, out, err = call(capsys, "cables", str(tmp_path / "layout.yaml"))
    assert (status, out) == (2, "")
    assert f"layout.yaml:{text.count(chr(10)) + 3}:" in err
    assert said in err
    assert "Traceback" not in err


def test_a_floor_without_distances_still_has_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Zero is odd, but possible: every way is up, over and down in no distance."""
    zero = "pitch: {rack: 0 m, depth: 0 m, cold_aisle: 0 m, hot_aisle: 0 m}"
    text = (TOPOLOGIES / "ft64.yaml").read_text()
    (tmp_path / "layout.yaml").write_text(f"{text}\nhall:\n  {zero}\n  rows: {{count: 10000, racks: 10000}}\n")
    status, out, _ = call(capsys, "cables", str(tmp_path / "layout.yaml"), "--json")
    assert (status, json.loads(out)["cables"]) == (0, 128)


@pytest.mark.parametrize("form", ["p2p", "ptp-links"])
def test_point_to_point_sheets_keep_what_they_have_columns_for(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ends of every link with the names of their ports; the older form racks and units, the newer one modules."""
    call(capsys, "export", SITE, "--to", form, "-o", str(tmp_path / "p2p.xlsx"))
    call(capsys, "export", SITE, "--to", "plan", "--port-names", "sheets", "-o", str(tmp_path / "plan.csv"))

    def ends(name: str) -> Counter[tuple[str | int | None, ...]]:
        found: Counter[tuple[str | int | None, ...]] = Counter()
        for row in read_plan(str(tmp_path / name)).rows:
            for end in (row.cable.a, row.cable.z):
                place = (end.place.rack, end.place.unit) if form == "p2p" else (end.optic, end.connector)
                found[end.place.device, end.called, *place] += 1
        return found

    assert ends("p2p.xlsx") == ends("plan.csv")
    assert sum(ends("p2p.xlsx").values()) == 2 * 3199
