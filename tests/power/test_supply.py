"""A hall's supply: loads and losses balance, and failures shift what they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from racked import DGX_H100, RACK, fabric, layout

from fabrictool.errors import InputError
from fabrictool.layout.reading import layout_from_tree
from fabrictool.placement import place
from fabrictool.power import SupplyLoads, rack_limits, rack_power, supply_loads
from fabrictool.power.supply import rack_feeds

FEED = {"voltage": "415 V", "amps": 80, "redundancy": "2N"}


def hall(supply: list[dict[str, Any]], feeds: str = "AB", **keys: Any) -> dict[str, Any]:
    """A hall whose feeds come from ``ups-a`` and so on, at unity power factor."""
    redundancy = "2N" if feeds == "AB" else "4N3R"
    stated = [FEED | {"name": f, "from": f"ups-{f.lower()}", "redundancy": redundancy} for f in feeds]
    return {"feeds": stated, "supply": supply, "power_factor": 1.0} | keys


def loaded(stated: dict[str, Any], racks: int = 8) -> SupplyLoads:
    """The supply of racks of 40.8 kW."""
    plan = layout({"type": DGX_H100, "count": 4 * racks}, {"type": RACK, "hosts_per_rack": 4}, hall=stated)
    devices = fabric(plan)
    placement = place(plan, devices)
    return supply_loads(plan, placement, rack_power(plan, devices, placement))


def ups(name: str, source: Any = "utility", **keys: Any) -> dict[str, Any]:
    return {"name": f"ups-{name}", "kind": "ups", "from": source, "efficiency": 0.96} | keys


UTILITY = {"name": "utility", "kind": "utility"}


def test_two_systems_share_a_load_and_each_takes_all_of_it() -> None:
    found = loaded(hall([UTILITY, ups("a", rating="400 kVA"), ups("b", rating="400 kVA")]))
    rows = {one.name: one for one in found.elements}
    assert rows["ups-a"].load_w == pytest.approx(8 * 40800 / 2)
    assert (rows["ups-a"].worst_w, rows["ups-a"].worst_failure) == (pytest.approx(8 * 40800), "ups-b")
    assert rows["ups-a"].loss_w == pytest.approx(8 * 40800 / 2 * (1 / 0.96 - 1))
    assert found.utility_w == pytest.approx(8 * 40800 / 0.96)
    assert found.dark == {"ups-a": (), "ups-b": (), "utility": tuple(range(8))}
    (finding,) = found.findings
    assert (finding.id, finding.where) == ("single-point-of-power", "utility")


def test_a_second_source_takes_over() -> None:
    generator = {"name": "genset", "kind": "generator", "rating": "300 kVA"}
    both = ["utility", "genset"]
    found = loaded(hall([UTILITY, generator, ups("a", both), ups("b", both)]))
    rows = {one.name: one for one in found.elements}
    assert (rows["genset"].load_w, rows["genset"].worst_failure) == (0, "utility")
    assert rows["genset"].worst_w == pytest.approx(8 * 40800 / 0.96)
    assert [(f.id, f.where) for f in found.findings] == [("supply-overload-after-loss", "generator genset")]
    assert found.findings[0].message == "would carry 340.0 of 300.0 kW once utility has failed"


def test_four_to_make_three_by_pairs() -> None:
    """Racks on all six pairs: what one system leaves goes to the three others evenly, 3/4 to full."""
    systems = [ups(f, rating="330 kVA", efficiency=1.0) for f in "abcd"]
    found = loaded(hall([UTILITY, *systems], "ABCD", feeds_per_rack=2), racks=24)
    rows = [one for one in found.elements if one.kind == "ups"]
    assert [one.load_w for one in rows] == [pytest.approx(24 * 40800 / 4)] * 4
    assert [one.worst_w for one in rows] == [pytest.approx(24 * 40800 / 3)] * 4
    assert {f.id for f in found.findings} == {"single-point-of-power"}
    tight = loaded(hall([UTILITY, *[one | {"rating": "326 kVA"} for one in systems]], "ABCD", feeds_per_rack=2), 24)
    assert sum(f.id == "supply-overload-after-loss" for f in tight.findings) == 4


def test_pairs_come_in_turn() -> None:
    assert rack_feeds(7, 4, 2).sum(axis=0).tolist() == [4, 4, 3, 3]
    assert rack_feeds(3, 2, None).all()


def test_a_module_of_several_may_fail() -> None:
    found = loaded(hall([UTILITY, ups("a", rating="120 kVA", count=3), ups("b", rating="200 kVA", count=3)]))
    assert [f.where for f in found.findings if f.id == "supply-overload-after-loss"] == []
    (a, _), _ = [one for one in found.elements if one.kind == "ups"], None
    assert (a.rating_w, a.left_w, a.worst_w) == (360e3, 240e3, a.load_w)
    tight = loaded(hall([UTILITY, ups("a", rating="80 kVA", count=3), ups("b", rating="200 kVA", count=3)]))
    (finding,) = (f for f in tight.findings if f.id == "supply-overload-after-loss")
    assert finding.message == "would carry 163.2 of 160.0 kW once one of its modules has failed"


def test_busways_each_have_their_racks() -> None:
    supply = [UTILITY, ups("a"), ups("b")]
    supply += [{"name": f"bus-{f}", "kind": "busway", "racks": 3, "from": f"ups-{f}", "efficiency": 0.99} for f in "ab"]
    stated = hall(supply)
    stated["feeds"] = [feed | {"from": f"bus-{feed['name'].lower()}"} for feed in stated["feeds"]]
    found = loaded(stated)
    rows = {one.name: one for one in found.elements}
    assert [rows[f"bus-a-0{n}"].load_w / 20400 for n in (1, 2, 3)] == pytest.approx([3, 3, 2])
    assert rows["bus-b-01"].worst_failure == "bus-a-01"
    assert found.utility_w == pytest.approx(8 * 40800 / 0.99 / 0.96)


def test_an_efficiency_curve_is_followed() -> None:
    curve = [[0.25, 0.9], [0.75, 0.95]]
    found = loaded(hall([UTILITY, ups("a", rating="326.4 kVA", efficiency=curve), ups("b")]))
    (row,) = (one for one in found.elements if one.name == "ups-a")
    assert row.loss_w == pytest.approx(163200 * (1 / 0.925 - 1))


def test_feeds_of_a_rack_set_its_limit() -> None:
    plan = layout({"type": DGX_H100, "count": 4}, {"type": RACK}, hall=hall([UTILITY], "ABCD", feeds_per_rack=2))
    (limit,) = rack_limits(plan).limit_w
    assert limit == pytest.approx(np.sqrt(3) * 415 * 80 * 0.8)


@given(
    racks=st.integers(1, 30),
    a=st.floats(0.8, 1),
    b=st.floats(0.8, 1),
    diversity=st.floats(0.5, 1),
    run=st.integers(1, 9),
)
def test_energy_is_conserved(racks: int, a: float, b: float, diversity: float, run: int) -> None:
    supply = [UTILITY, {"name": "tx", "kind": "transformer", "from": "utility"}]
    supply += [ups("a", "tx", efficiency=a, racks=run), ups("b", ["tx", "utility"], efficiency=b)]
    found = loaded(hall(supply, diversity=diversity), racks)
    assert found.utility_w == pytest.approx(racks * 40800 * diversity + found.loss_w, rel=1e-9)
    assert all(one.loss_w >= 0 and one.worst_w >= one.load_w for one in found.elements)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"supply": [ups("a"), ups("b")]}, "ups-a draws from 'utility', which is not there"),
        ({"supply": [ups("a", "ups-b"), ups("b", "ups-a")]}, "ups-a draws from itself in a circle"),
        ({"supply": [UTILITY, UTILITY, ups("a"), ups("b")]}, "two elements are called 'utility'"),
        ({"supply": [UTILITY, ups("a")]}, "feed B comes from 'ups-b', which is not there; did you mean 'ups-a'?"),
        ({"feeds_per_rack": 3}, "feeds_per_rack is 3, but the hall has 2 feeds; list more feeds, or lower it"),
        ({"supply": [UTILITY, ups("a", efficiency=0), ups("b")]}, "it must be more than 0"),
        ({"supply": [UTILITY, ups("a", rating="0 kVA"), ups("b")]}, "'0 kVA' is out of range for an apparent power"),
        ({"supply": [UTILITY, ups("a", efficiency=[[0.2, 0.9], [0.5, 0.9]]), ups("b")]}, "needs a rating; add rating"),
        ({"supply": [UTILITY, ups("a", efficiency=[[0.5, 0.9], [0.2, 0.9]]), ups("b")]}, "not in order of load"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], words: str) -> None:
    stated = hall([UTILITY, ups("a"), ups("b")]) | change
    tree = {"name": "t", "hosts": {"type": DGX_H100, "count": 4}, "racks": {"type": RACK}, "hall": stated}
    with pytest.raises(InputError) as error:
        layout_from_tree(tree)
    assert words in str(error.value)
