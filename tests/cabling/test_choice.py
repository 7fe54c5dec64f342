"""Media by what both ends take, how fast the link is, and how far it leads."""

from __future__ import annotations

from typing import Any

import planned
import pytest

from fabrictool.cabling.cages import CageKind
from fabrictool.cabling.choice import Ending, lanes_of, modules_for, options, order_number
from fabrictool.cabling.media import media, medium_classes, socket_of
from fabrictool.cabling.rows import cable_rows
from fabrictool.catalogue import store


def _kind(cage: str, at: str, speed: float, vendor: str = "", power_w: float | None = None) -> CageKind:
    return CageKind("type", vendor, at, cage, socket_of(cage, at), speed, power_w, False)


def _media(needed_m: float, a: Ending, z: Ending, speed: float, whole: bool = False) -> str:
    """Return the first medium with a length in stock that is enough."""
    return next((o.medium.name for o in options(a, z, speed, whole) if o.lengths_m[-1] >= needed_m), "")


SINGLE = Ending(_kind("QSFP112", "host", 400e9), 1), Ending(_kind("QSFP112", "switch", 400e9), 1)


@pytest.mark.parametrize(
    ("needed_m", "medium"),
    # the catalogue's link prices reach 3 m (dac), 7 m (aec), 30 m (aoc), 100 m (mmf), 500 m (smf) at 400G
    [(0.4, "dac"), (3.0, "dac"), (3.01, "aec"), (7.0, "aec"), (7.1, "aoc"), (30, "aoc"), (30.1, "mmf"), (100, "mmf"),
     (101, "smf"), (500, "smf"), (501, "")],
)  # fmt: skip
def test_the_first_that_reaches_at_400g(needed_m: float, medium: str) -> None:
    assert _media(needed_m, *SINGLE, 400e9, whole=True) == medium


def test_a_cage_of_two_ports_takes_one_assembly_only_whole() -> None:
    twin = Ending(_kind("OSFP", "switch", 800e9, "NVIDIA"), 2)
    assert _media(1, twin, twin, 400e9, whole=True) == "dac"
    assert _media(1, twin, twin, 400e9, whole=False) == "mmf"


def test_the_modules_of_both_ends_are_those_of_their_cages() -> None:
    """RA-11333-001 Table 8: finned 980-9I510-00NS00 in switches, flat-top 980-9I51A-00NS00 in DGX cages."""
    switch, dgx = _kind("OSFP", "switch", 800e9, "NVIDIA"), _kind("OSFP twin-port", "host", 800e9, "NVIDIA")
    (a,), (z,) = modules_for(dgx, "mmf", 800e9), modules_for(switch, "mmf", 800e9)
    assert (a.sku, z.sku) == ("980-9I51A-00NS00", "980-9I510-00NS00")
    (adapter,) = modules_for(_kind("QSFP112", "host", 400e9, "NVIDIA"), "mmf", 400e9)
    assert (adapter.name, adapter.power_w) == ("mma1z00-ns400", 9)


def test_a_finned_module_does_not_go_into_a_host() -> None:
    """What the catalogue knows for switches alone is not taken for a host; a module of no maker's is."""
    (found,) = modules_for(_kind("OSFP twin-port", "host", 800e9, "Other"), "mmf", 800e9)
    assert found.sku == ""


@pytest.mark.parametrize(
    ("a", "z", "speed", "lanes"),
    [
        (("QSFP112", 400e9, 1), ("QSFP112", 400e9, 1), 400e9, 4),
        (("OSFP", 800e9, 2), ("QSFP112", 400e9, 1), 400e9, 4),
        (("OSFP", 800e9, 1), ("OSFP", 800e9, 1), 800e9, 8),
        (("QSFP28", 100e9, 1), ("QSFP28", 100e9, 1), 100e9, 4),
        (("OSFP", 800e9, 8), ("QSFP28", 100e9, 1), 100e9, 0),  # one lane of 100G against four of 25G
        (("QSFP28", 100e9, 1), ("QSFP112", 400e9, 1), 400e9, 0),
    ],
)
def test_lanes_that_both_ends_carry(a: Any, z: Any, speed: float, lanes: int) -> None:
    ends = (Ending(_kind(cage, "switch", cage_bps), ports) for cage, cage_bps, ports in (a, z))
    assert lanes_of(*ends, speed) == lanes


def test_ends_without_lanes_in_common_have_no_medium_and_a_finding() -> None:
    from fabrictool.cabling.findings import plan_findings

    leaf, kind = planned.switch(8, "100G", cages=1, cage="OSFP"), planned.host(planned.nic("100G", "QSFP28"))
    plan = planned.planned(planned.tree(kind=kind, speed="100G", leaf=leaf))
    found = [finding for finding in plan_findings(plan) if finding.id == "no-optic"]
    assert [finding.where for finding in found] == ["h - sw"]
    assert found[0].message == (
        "no cable or optic is known that joins QSFP28 of h and OSFP of sw at 100G: 4 cables"
    )  # fmt: skip
    rows = [row for row in cable_rows(plan) if row.a.kind == "host"]
    assert {(row.media, row.length_m) for row in rows} == {("", None)}


def test_fibres_of_one_module_are_of_one_kind() -> None:
    """A host near and a host far on one twin-port cage: where one needs single-mode, the other gets it too."""
    leaf = planned.switch(8, "400G", cages=4, cage="OSFP")
    hall = planned.HALL | {"rows": {"count": 1, "racks": 6, "network": "end"}}
    near = planned.planned(planned.tree(hosts=4, hosts_per_leaf=4, leaf=leaf, hall=hall))
    assert {row.media for row in cable_rows(near) if row.a.kind == "host"} == {"mmf"}
    # 45 m from rack to rack: over OM4 an 800G module reaches 50 m, so rack 1 of 5 is 180 m away, rack 4 45 m
    far = planned.planned(planned.tree(hosts=4, hosts_per_leaf=4, leaf=leaf,
                                       hall=hall | {"pitch": planned.HALL["pitch"] | {"rack": "40 m"}}))  # fmt: skip
    media_of = {row.a.place.device: row.media for row in cable_rows(far) if row.a.kind == "host"}
    assert media_of == {"h-01": "smf", "h-02": "smf", "h-03": "smf", "h-04": "smf"}
    lengths = {row.a.place.device: row.length_m for row in cable_rows(far) if row.a.kind == "host"}
    assert lengths == {"h-01": 200, "h-02": 150, "h-03": 100, "h-04": 50}


def test_switches_far_apart_take_the_modules_that_reach() -> None:
    """MMS4X00-NS reaches 100 m, -NM 500 m (product specifications); adapters 100 m whatever is at the other end."""
    twin = Ending(_kind("OSFP", "switch", 800e9, "NVIDIA"), 2)
    adapter = Ending(_kind("OSFP", "host", 400e9, "NVIDIA"), 1)

    def single_mode(a: Ending, z: Ending) -> list[tuple[str, str, float]]:
        return [(o.a.name, o.z.name, o.max_m) for o in options(a, z, 400e9, False) if o.medium.name == "smf"]

    assert single_mode(twin, twin) == [("mms4x00-ns", "mms4x00-ns", 100), ("mms4x00-nm", "mms4x00-nm", 500)]
    assert single_mode(adapter, twin) == [
        ("mms4x00-ns400", "mms4x00-ns", 100), ("mms4x00-ns400", "mms4x00-nm", 100),
    ]  # fmt: skip


@pytest.mark.parametrize(("needed", "module"), [(40, "mma4z00-ns"), (90, "mms4x00-ns"), (400, "mms4x00-nm")])
def test_modules_of_switches_by_length(needed: float, module: str) -> None:
    leaf = planned.switch(8, "400G", cages=4, cage="OSFP", vendor="NVIDIA")
    hall = planned.HALL | {"rows": {"count": 1, "racks": 6, "network": "end"}}
    tree = planned.tree(hosts=4, hosts_per_leaf=4, leaf=leaf, hall=hall)
    tree["racks"] = [{"type": "rack-42u", "hosts_per_rack": 1}]
    tree["hall"] = hall | {"trays": hall["trays"] | {"slack": f"{(needed - 1) / 2} m"}}
    rows = [row for row in cable_rows(planned.planned(tree)) if row.a.kind == "leaf"]
    assert {row.z.optic for row in rows} == {part_of(module)}


def part_of(module: str) -> str:
    entry = store.entry("transceivers", module)
    return entry.part or module.upper()


@pytest.mark.parametrize(
    ("cage", "ports", "speed", "medium", "connector", "polarity", "strands"),
    [  # NVIDIA structured cabling requirements: type B on MPO-12/APC, A-B on LC; SR4 up to 200G: MPO-12/UPC
        ("OSFP", 2, 400e9, "mmf", "MPO-12/APC", "B", 1),
        ("OSFP", 1, 800e9, "mmf", "MPO-12/APC", "B", 2),  # eight lanes: two cables of eight fibres
        ("QSFP56", 1, 200e9, "mmf", "MPO-12/UPC", "B", 1),
        ("QSFP28", 1, 100e9, "smf", "MPO-12/APC", "B", 1),
        ("SFP28", 1, 25e9, "mmf", "LC/UPC duplex", "A-B", 1),
    ],
)
def test_what_fibres_end_in(
    cage: str, ports: int, speed: float, medium: str, connector: str, polarity: str, strands: int
) -> None:
    end = Ending(_kind(cage, "switch", speed * ports), ports)
    (found,) = [option for option in options(end, end, speed, False) if option.medium.name == medium]
    assert (found.connector, found.polarity, found.strands) == (connector, polarity, strands)


def test_order_numbers() -> None:
    """NVIDIA: MFP7E10-N030 is 30 m (RA-11333-001 Table 8), MCP4Y10-N01A 1.5 m."""
    twin = Ending(_kind("OSFP", "switch", 800e9, "NVIDIA"), 2)
    found = {option.medium.name: option for option in options(twin, twin, 400e9, True)}
    assert order_number(found["mmf"], 30) == "MFP7E10-N030"
    assert order_number(found["dac"], 1.5) == "MCP4Y10-N01A"
    assert order_number(found["dac"], 0.5) == "MCP4Y10-N00A"
    assert order_number(found["aec"], 5) == ""  # no such cable in the catalogue


def test_rules_have_sources() -> None:
    assert all(medium.source for medium in media())
    assert all(row.source and row.max_m > 0 for row in medium_classes())


def test_lanes_of_200g_have_single_mode_alone() -> None:
    """NVIDIA's XDR list: no multimode, no AOC, no passive copper at 200G a lane."""
    switch = Ending(_kind("OSFP", "switch", 1600e9, "NVIDIA"), 2)
    adapter = Ending(_kind("OSFP", "host", 800e9, "NVIDIA"), 1)
    for ends in ((adapter, switch), (switch, switch)):
        assert {option.medium.name for option in options(*ends, 800e9, False)} == {"smf"}
        assert lanes_of(*ends, 800e9) == 4
    assert {option.medium.name for option in options(switch, switch, 800e9, True) if option.medium.direct} == set()
