"""Halls at other powers a rack and under other placements: the reference's counts, and what must be so."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from commands import call
from hypothesis import given, settings
from hypothesis import strategies as st
from racked import vectors

import fabrictool as ft
from fabrictool.explore.density import circuit_a
from fabrictool.explore.halls import hall_figures
from fabrictool.layout.reading import layout_from_tree

SUPERPOD = Path(__file__).parents[2] / "topologies" / "dgx-superpod-h100-4su.yaml"
TYPES: dict[str, Any] = {
    "DGX H100": "dgx-h100",
    "DGX B200": "dgx-b200",
    "DGX B300": "dgx-b300",
    "generic 2U 1.2 kW": {"name": "generic", "gpus": 1, "nics": 1, "speed": "100G", "u": 2, "power_max": "1.2 kW"},
}
COLUMNS, ROWS = vectors("layout")
CASES = [(row[0], row[1], column, row[2 + at]) for row in ROWS for at, column in enumerate(COLUMNS[2:])]


@pytest.mark.parametrize(("machine", "count", "limit", "expected"), CASES)
def test_racks_are_those_of_the_reference(machine: str, count: int, limit: str, expected: str) -> None:
    """Hosts a rack and racks, in 42 units or 48 where the column says so; a rack carries 1,200 kg."""
    kilowatts = re.match(r"[\d.]+", limit)
    assert kilowatts is not None
    rack = {"name": "r", "u": 48 if "48U" in limit else 42, "tare": "150 kg", "capacity": "1200 kg"}
    tree = {"name": "t", "hosts": {"type": TYPES[machine], "count": count}, "racks": {"type": rack}}
    (row,) = ft.density(layout_from_tree(tree), [f"{kilowatts[0]} kW"]).rows
    each, racks = expected.split(" / ")
    if racks == "infeasible":
        assert row.reason is not None
        assert row.figures is None
        return
    assert row.figures is not None
    assert (row.figures.hosts_per_rack, row.figures.racks) == (int(each), int(racks))


def test_a_superpod_at_four_powers() -> None:
    """127 hosts of 10.2 kW: none at 10 kW, one at 20.3, three at 40, six by their height at 130."""
    found = ft.density(SUPERPOD, ["10 kW", "20 kW", "40 kW", "130 kW"])
    none, one, three, six = found.rows
    assert (none.figures, none.reason) == (None, "a dgx-h100 takes more power than a rack has")
    assert one.figures is not None
    assert three.figures is not None
    assert six.figures is not None
    halls = [one.figures, three.figures, six.figures]
    assert [hall.hosts_per_rack for hall in halls] == [1, 3, 6]
    assert [hall.racks - hall.network_racks for hall in halls] == [127, 43, 22]
    assert [row.bound_by for row in (one, three, six)] == ["power", "power", "units"]
    assert halls[0].cable_m > halls[1].cable_m > halls[2].cable_m
    assert len({hall.it_w for hall in halls}) == 1
    assert [hall.worst_loss is not None for hall in halls] == [True] * 3
    assert six.cooling == "immersion"  # no liquid in the hosts, and 130 kW are more than air or a door carries
    assert not found.ok


def test_power_moves_hosts_apart_and_changes_media() -> None:
    """Hosts beside their switch take copper; one host a rack of forty makes ways too long for it."""
    nic = {
        "name": "h",
        "gpus": 1,
        "nics": [{"count": 1, "speed": "400G", "cage": "QSFP112"}],
        "u": 1,
        "power_max": "9 kW",
    }
    leaf = {"type": {"name": "s", "ports": 64, "speed": "400G", "cage": "QSFP112", "u": 1, "power_max": "1 kW"}}
    network = {"family": "fat-tree", "levels": 1, "speed": "400G", "leaf": leaf | {"down": 40, "up": 0}}
    tree = {"name": "t", "hosts": {"type": nic, "count": 40}, "racks": {"type": "rack-48u"}, "networks": {"n": network}}
    apart, dense = ft.density(layout_from_tree(tree), ["9 kW", "370 kW"]).rows
    assert apart.figures is not None
    assert dense.figures is not None
    assert (apart.figures.racks, dense.figures.racks) == (41, 2)
    assert dense.figures.media == {"aec": 40}
    assert "mmf" in apart.figures.media or "aoc" in apart.figures.media
    assert dense.figures.optics_w == 40 * 2 * 10  # retimed copper draws 10 W an end


def test_the_loop_ends_with_optics_on_top() -> None:
    switch = {"name": "s", "ports": 64, "speed": "400G", "u": 1, "power_max": "1 kW", "power_basis": "without optics"}
    host = {"name": "h", "gpus": 8, "nics": 8, "speed": "400G", "u": 4, "power_max": "5 kW"}
    network = {"family": "fat-tree", "speed": "400G", "leaf": {"type": switch}, "spine": {"type": switch}}
    tree = {
        "name": "t",
        "hosts": {"type": host, "count": 64},
        "networks": {"n": network},
        "racks": {"type": "rack-48u"},
    }
    for row in ft.density(layout_from_tree(tree)).rows:
        assert row.figures is not None
        assert 2 <= row.figures.rounds <= 3
        assert row.figures.worst_rack_w <= row.limit_w


@settings(max_examples=20, deadline=None)
@given(
    hosts=st.integers(1, 60), watts=st.integers(100, 9000), limits=st.lists(st.integers(9, 60), min_size=2, max_size=5)
)
def test_racks_never_increase_with_their_power(hosts: int, watts: int, limits: list[int]) -> None:
    kind = {"name": "h", "gpus": 1, "nics": 1, "speed": "400G", "u": 2, "power_max": f"{watts} W"}
    tree = {"name": "t", "hosts": {"type": kind, "count": hosts}, "racks": {"type": "rack-48u"}}
    rows = ft.density(layout_from_tree(tree), [f"{limit} kW" for limit in sorted(limits)]).rows
    halls = [row.figures for row in rows if row.figures]
    assert len(halls) == len(limits)
    assert all(a.racks >= b.racks for a, b in pairwise(halls))
    for hall in halls:
        assert hall.racks * hall.hosts_per_rack >= hosts > (hall.racks - 1) * hall.hosts_per_rack


def test_a_circuit_is_that_of_the_reference() -> None:
    """40.8 kW at 415 V and 0.95, loaded to 80 %."""
    row = next(row for row in vectors("breaker")[1] if row[:2] == [40.8, 415])
    assert circuit_a(40.8e3) == pytest.approx(row[4], rel=1e-6)


def test_placements_are_what_a_layout_with_them_comes_to() -> None:
    layout = ft.read_layout(SUPERPOD)
    found = {row.words: row.figures for row in ft.placements(layout).rows}
    assert next(iter(found)) == "switches: in-order"
    assert {"switches: by-unit", "switches: spread", "switches: by-rail", "switches: dealt"} <= set(found)
    tree = {"placement": {"switches": "spread"}}
    other = layout.model_copy(update={"placement": type(layout.placement).model_validate(tree["placement"])})
    alone = hall_figures(other, ft.build(other))
    assert (found["switches: spread"].racks, found["switches: spread"].cable_m) == (alone.racks, alone.cable_m)
    worst = found["switches: spread"].worst_loss
    assert worst is not None
    assert worst.all_reduce_lost == pytest.approx(0.25, abs=0.01)


def test_the_command_prints_rows_and_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "compare", str(SUPERPOD), "--density", "8kW,40kW", "--json")
    assert status == 1  # no host fits 8 kW
    rows = json.loads(out)["densities"]
    assert [row["hall"] and row["hall"]["racks"] for row in rows] == [None, 46]
    status, out, _ = call(capsys, "compare", str(SUPERPOD), "--placements", "--format", "csv")
    assert status == 0
    assert out.splitlines()[1].startswith("switches: in-order (stated),35,")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--density", "8"], "'8' has no unit"),
        (["--density", "0 kW"], "'0 kW' is out of range for a power"),
        (["--density", ","], "--density names no power"),
        (["--density", "8kW", "--placements"], "take one LAYOUT, one of them"),
        (["--placements", str(SUPERPOD)], "take one LAYOUT"),
    ],
)
def test_what_cannot_be_asked(capsys: pytest.CaptureFixture[str], options: list[str], words: str) -> None:
    status, out, err = call(capsys, "compare", str(SUPERPOD), *options)
    assert (status, out) == (2, "")
    assert words in err


def test_a_layout_without_racks_is_named() -> None:
    bare = {"name": "t", "hosts": {"type": "dgx-h100", "count": 4}}
    for function in (ft.density, ft.placements):
        with pytest.raises(ft.InputError, match="add 'racks'"):
            function(layout_from_tree(bare))
