"""What a layout decides about its cables: labels, colours, spares, media."""

from __future__ import annotations

from typing import Any

import planned
import pytest

from fabrictool.cabling.bill import bill_of_materials
from fabrictool.cabling.findings import plan_findings
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import cable_rows
from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_bytes


def _rows(**cabling: Any) -> dict[str, Any]:
    return {row.cable_id: row for row in cable_rows(planned.planned(planned.tree() | {"cabling": cabling}))}


def test_labels_follow_a_template_and_turn_round() -> None:
    row = _rows(label="{row}.{rack}.U{unit:02d}.{device}.{port}>{far_rack}.{far_port} {media} {length:g}m")["C-h-04-1"]
    assert row.a.label == "02.r04.U01.h-04.1>r05.2 aec 7m"
    assert row.z.label == "02.r05.U02.leaf-02.2>r04.1 aec 7m"


def test_a_label_whose_numbers_are_unknown_stays_as_it_is() -> None:
    tree = planned.tree() | {"cabling": {"label": "{rack}-{unit:02d}"}}
    rows = list(cable_rows(planned.planned({name: tree[name] for name in tree if name not in ("racks", "hall")})))
    assert rows[0].a.label == "h-01:1/leaf-01:1"


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("{rak}", "a label does not know 'rak'; use bundle, cable"),
        ("{unit:02d", "cannot be filled in: unmatched '{' in format spec"),
        ("{device:02d}", "cannot be filled in"),
        ("{device.__class__}", "a label does not know 'device.__class__'"),
        ("{device[0]}", "a label does not know 'device[0]'"),
        ("{unit:0999999999d}", "a label has 200 characters at most"),
        ("{}", "a label does not know ''"),
    ],
)
def test_labels_that_cannot_be_are_named_with_their_place(label: str, said: str) -> None:
    import yaml

    text = yaml.safe_dump(planned.tree()) + f"cabling:\n  label: '{label}'\n"
    with pytest.raises(InputError) as caught:
        layout_from_bytes("site.yaml", text.encode())
    assert f"site.yaml:{text.count(chr(10))}:3: " in str(caught.value)
    assert said in str(caught.value)


def test_colours_of_networks_go_before_those_of_rails() -> None:
    rows = _rows(colours={"rails": ["pink", "grey"], "networks": {"compute": "magenta"}})
    assert {row.colour for row in rows.values()} == {"magenta"}
    assert {row.colour for row in _rows(colours={"rails": ["pink", "grey"]}).values()} == {"pink"}


def test_spares_as_stated() -> None:
    """Of 3, 1 and 4 cables a half: 2, 1 and 2; at least two."""
    plan = planned.planned(planned.tree() | {"cabling": {"spares": {"cables": {"share": "50 %", "least": 2}}}})
    assert {row.media: row.spares for row in bill_of_materials(plan)} == {"aoc": 2, "aec": 2, "dac": 2}
    assert [row.what for row in PlanReport(plan).assumptions if "spares" in row.what] == ["spares of each transceiver"]
    none = planned.planned(planned.tree() | {"cabling": {"spares": {"cables": {"share": 0, "least": 0}}}})
    assert {row.spares for row in bill_of_materials(none)} == {0}


def test_where_all_media_are_avoided_no_cable_has_one() -> None:
    everything = ["copper", "dac", "acc", "aec", "aoc", "mmf", "smf"]
    plan = planned.planned(planned.tree() | {"cabling": {"avoid": everything}})
    assert {row.media for row in cable_rows(plan)} == {""}
    (finding, _) = [finding for finding in plan_findings(plan) if finding.id == "no-optic"]
    assert finding.fix.endswith("or avoid fewer media than copper, dac, acc, aec, aoc, mmf, smf")


def test_media_that_are_avoided_are_not_taken() -> None:
    rows = _rows(avoid=["aec", "aoc"])
    assert (rows["C-h-04-1"].media, rows["C-h-01-1"].media, rows["C-leaf-01-3"].media) == ("mmf", "mmf", "dac")
