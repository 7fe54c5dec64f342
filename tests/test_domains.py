"""Domains of failure agree with what racks draw once their optics are in."""

from __future__ import annotations

import planned

from fabrictool.domains import domains
from fabrictool.facility import facility_of
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree

BARE = {"power_basis": "without optics"}


def test_a_cdu_that_is_too_small_for_optics_takes_its_loop_along() -> None:
    """Six devices of 30 W are less than one CDU of 200 W takes; with modules, 4 x 8 W and 2 x 60 W, they are more."""
    leaf = planned.switch(8, cages=4, cage="OSFP", **BARE | {"power_max": "30 W"})
    cdu = {"name": "c", "capacity": "200 W", "approach_k": 5, "flow": "0.5 l/min", "primary_flow": "0.5 l/min"}
    loop = {"name": "D", "supply_temperature": "20 C", "rise": "6 K", "facility_temperature": "15 C", "count": 2,
            "cdu": cdu}  # fmt: skip
    kind = planned.host(**BARE | {"power_max": "30 W"})
    tree = planned.tree(4, kind, leaf, planned.HALL | {"loops": [loop]}, hosts_per_leaf=4)
    layout = layout_from_tree(tree | {"racks": tree["racks"] | {"cooling": "rear-door", "loop": "D"}})
    fabric = build(layout)
    house = facility_of(layout, fabric)
    assert house.power.it_w.sum() == 6 * 30 + 4 * 8 + 2 * 60
    assert {domain.name: domain.devices for domain in domains("cdu", fabric, layout, house.placement)} == {
        "D-cdu1": tuple(range(len(fabric.devices))), "D-cdu2": tuple(range(len(fabric.devices))),
    }  # fmt: skip
