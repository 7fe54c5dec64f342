"""Patch panels for NetBox, and back again. NetBox's own word: tests/clients."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import planned
import pytest

from fabrictool.cabling.panel_table import hanging, patches_of
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.rows import cable_rows, places_of
from fabrictool.formats import netbox
from fabrictool.formats.linked import port_words
from fabrictool.formats.netbox_plan import folder_plan
from fabrictool.formats.recognise import imported
from fabrictool.layout.reading import layout_from_tree
from fabrictool.verification import verify

LEAF = planned.switch(8, cages=4, cage="OSFP")


def plan(**panels: Any) -> CablePlan:
    """Four hosts in racks of their own, the leaf in another: a fibre from each over panels, four within the rack."""
    return planned.planned(planned.tree(4, hosts_per_leaf=4, leaf=LEAF) | {"cabling": {"panels": panels}})


def written(of: CablePlan) -> dict[str, str]:
    places = {place.device: place for place in places_of(of)}
    assert of.placement is not None
    racks = dict(zip(of.placement.racks.name.tolist(), of.placement.racks.units.tolist(), strict=True))
    words = port_words(of.fabric)
    inventory = netbox.Inventory(of.fabric, words, places, {}, racks, panels=hanging(of), patches=patches_of(of))
    return netbox.write(inventory, cable_rows(of, words))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def saved(files: dict[str, str], folder: Path) -> str:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def links(fabric: Any) -> Counter[frozenset[tuple[str, str]]]:
    words, device = port_words(fabric), fabric.ports.device.tolist()
    ends = zip(fabric.links.port_a.tolist(), fabric.links.port_z.tolist(), strict=True)
    return Counter(frozenset((fabric.names[device[port]], words[port]) for port in pair) for pair in ends)


def test_a_fibre_is_two_cords_and_a_plug_of_a_trunk() -> None:
    files = written(plan())
    mine = [
        row for row in rows(files["10-cables.csv"]) if "C-h-01-1" in row["label"] or row["label"] == "T-r01-r05-01.1"
    ]
    shown = [(row["side_a_device"], row["side_a_type"], row["side_a_name"], row["side_b_device"], row["side_b_type"],
              row["side_b_name"], row["label"], row["length"], row["bundle"]) for row in mine]  # fmt: skip
    assert shown == [
        ("h-01", "dcim.interface", "1", "r01-P1", "dcim.frontport", "1", "C-h-01-1 A", "3", ""),
        ("r01-P1", "dcim.rearport", "rear 1", "r05-P1", "dcim.rearport", "rear 1", "T-r01-r05-01.1", "7",
         "T-r01-r05-01"),
        ("leaf-01", "dcim.interface", "1", "r05-P1", "dcim.frontport", "1", "C-h-01-1 Z", "3", ""),
    ]  # fmt: skip
    bundles = [row["name"] for row in rows(files["10-cable-bundles.csv"])]
    assert bundles == [*(f"T-r0{n}-r05-01" for n in (1, 2, 3, 4)), "B-r05-r05-01"]
    panels = [row for row in rows(files["06-devices.csv"]) if row["role"] == "panel"]
    assert {(row["position"], row["face"]) for row in panels} == {("42", "rear")}


def test_a_panel_over_its_rack_has_no_unit() -> None:
    panels = [row for row in rows(written(plan(mount="overhead"))["06-devices.csv"]) if row["role"] == "panel"]
    assert {(row["rack"], row["position"], row["face"]) for row in panels} == {(f"r0{n}", "", "") for n in range(1, 6)}


@pytest.mark.parametrize("ports", [1, 3, 32])
def test_a_folder_with_panels_comes_back(ports: int, tmp_path: Path) -> None:
    """Cords and trunks are followed to the other device; panels are no devices of the fabric."""
    of = plan(ports=ports)
    found = imported(saved(written(of), tmp_path))
    assert found is not None
    assert sorted(found.fabric.names) == sorted(of.fabric.names)
    assert links(found.fabric) == links(of.fabric)
    assert found.cables == {"compute": 8}
    assert not found.findings


def test_a_trunk_that_is_missing_is_named_where_its_cord_is(tmp_path: Path) -> None:
    files = written(plan())
    lines = files["10-cables.csv"].splitlines(keepends=True)
    files["10-cables.csv"] = "".join(line for line in lines if "T-r01-r05-01.1" not in line)
    found = imported(saved(files, tmp_path))
    assert found is not None
    assert [finding.where.rpartition("/")[2] for finding in found.findings] == [
        f"{tmp_path.name}:{number}" for number in (2, 3)
    ]
    assert found.findings[0].message == "the cord of h-01 1 ends in r01-P1, behind which no cable leads on"
    assert len(found.fabric.links) == 7


def test_a_folder_with_panels_is_a_plan_of_others(tmp_path: Path) -> None:
    """Each link once, at the cell of its first cord; two cords exchanged in a panel are one mistake."""
    tree = planned.tree(4, hosts_per_leaf=4, leaf=LEAF) | {"cabling": {"panels": {}}}
    tree["racks"] = {"type": "rack-42u", "hosts_per_rack": 2}
    layout = layout_from_tree(tree)
    files = written(planned.plan_of(layout))
    folder = saved(files, tmp_path)
    table = folder_plan(folder)
    assert len(table.rows) == 8
    assert not table.findings
    assert verify(layout, folder, price=False).summary.as_expected == 8
    lines = files["10-cables.csv"].splitlines(keepends=True)
    cords = [at for at, line in enumerate(lines) if line.startswith(("h-01,", "h-02,"))]
    assert len(cords) == 2
    one, two = (lines[at].split(",") for at in cords)
    one[5], two[5] = two[5], one[5]
    for at, cells in zip(cords, (one, two), strict=True):
        lines[at] = ",".join(cells)
    saved({"10-cables.csv": "".join(lines)}, tmp_path)
    (cause,) = verify(layout, folder, price=False).causes
    assert (cause.root_cause, cause.subject) == ("swapped-pair", ("h-01:1", "h-02:1"))
    assert f"{folder}/10-cables.csv:2:3" in cause.finding.where


def test_links_of_two_fibres_come_back_once(tmp_path: Path) -> None:
    """Links of 800G take two fibre cables: both lead from panel to panel, and the link is one."""
    kind = planned.host(planned.nic("800G", "OSFP"))
    leaf = planned.switch(8, "800G", cage="OSFP")
    tree = planned.tree(4, kind, leaf, hosts_per_leaf=4, speed="800G") | {
        "cabling": {"panels": {}, "avoid": ["aec", "aoc"]}
    }
    of = planned.planned(tree)
    assert len(patches_of(of)) == 8
    folder = saved(written(of), tmp_path)
    found = imported(folder)
    assert found is not None
    assert links(found.fabric) == links(of.fabric)
    assert len(folder_plan(folder).rows) == 8
