"""Cables of several links for NetBox: which profile, which interfaces, and back again. Its own word: tests/clients."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import fabrics
import pytest

from fabrictool.fabric import Fabric
from fabrictool.formats import netbox
from fabrictool.formats.netbox_cables import Cages, NetboxCable, cages_of, netbox_cables
from fabrictool.formats.plan_rows import cable_rows
from fabrictool.formats.port_naming import named_ports
from fabrictool.formats.recognise import imported
from fabrictool.records import CableRow

#: 800G cages of two 400G ports.
TWIN = {"name": "twin", "ports": 32, "cages": 16, "speed": "400G", "latency": "0 ns"}


@cache
def fabric() -> Fabric:
    """4 hosts of 2 rails, 2 leaves with a cage for two hosts each, 1 spine with two links to each leaf's cage."""
    spine = {"type": TWIN, "count": 1}
    return fabrics.rails(4, 2, 4, 1, protocol="ethernet", leaf={"type": TWIN}, spine=spine)


def rows(scheme: str = "cumulus") -> list[CableRow]:
    return list(cable_rows(fabric(), named_ports(fabric(), scheme, {})))


def of_hosts(scheme: str = "cumulus") -> list[CableRow]:
    """The two links of leaf-01's first cage, as one cable."""
    found = [row for row in rows(scheme) if row.z.place.device == "leaf-01" and row.z.cage == 1]
    return [replace(row, cable_id="C") for row in found]


def of_spine() -> list[CableRow]:
    """The two links between a cage of leaf-01 and one of the spine, as one cable."""
    found = [row for row in rows() if row.a.place.device == "leaf-01"]
    return [replace(row, cable_id="C") for row in found if row.a.cage == found[0].a.cage]


def joined(cables: list[CableRow], scheme: str = "cumulus") -> tuple[list[NetboxCable], Cages]:
    cages = cages_of(fabric(), named_ports(fabric(), scheme, {}))
    return netbox_cables(cables, cages), cages


def test_a_splitter_has_its_plug_at_side_a() -> None:
    (cable,), cages = joined(of_hosts())
    assert (cable.profile, cable.a, cable.b) == (
        "breakout-1c2p-2c1p", (("leaf-01", "swp1"),), (("host-01", "rail0"), ("host-02", "rail0")),
    )  # fmt: skip
    assert cages.used == {("leaf-01", "swp1")}


def test_the_far_ends_of_a_splitter_follow_its_channels() -> None:
    (cable,), _ = joined(of_hosts()[::-1])
    assert cable.b == (("host-01", "rail0"), ("host-02", "rail0"))


def test_a_cable_of_two_plugs_joins_cages() -> None:
    (cable,), cages = joined(of_spine())
    assert cable.profile == "single-1c2p"
    assert (cable.a[0][0], cable.b[0][0]) == ("leaf-01", "spine-01")
    assert cages.used == {*cable.a, *cable.b}


def test_crossed_legs_are_no_straight_cable() -> None:
    """NetBox joins equal positions: links that cross keep interfaces of their own."""
    first, second = of_spine()
    crossed = [replace(first, z=second.z), replace(second, z=first.z)]
    (cable,), cages = joined(crossed)
    assert (cable.profile, cages.used) == ("trunk-2c1p", set())
    assert cable.a == tuple((row.a.place.device, row.a.called) for row in crossed)
    assert cable.b == tuple((row.z.place.device, row.z.called) for row in crossed)


def test_half_a_cage_is_no_plug() -> None:
    """Two links of two cages: no end fills a cage."""
    chosen = [replace(row, cable_id="C") for row in rows() if row.a.place.device == "host-01"]
    (cable,), cages = joined(chosen)
    assert (cable.profile, cages.used) == ("trunk-2c1p", set())


def test_five_links_have_no_profile_and_go_one_by_one() -> None:
    found, _ = joined([replace(row, cable_id="C") for row in rows()[:5]])
    assert [cable.profile for cable in found] == ["single-1c1p"] * 5


@pytest.mark.parametrize(
    ("scheme", "cage"),
    [("cumulus", "swp1"), ("eos", "Ethernet1"), ("mlnx-os", "IB1/1"), ("nvos", "sw1"), ("sonic", "cage-1"),
     ("number", "cage-1"), ("junos", "et-0/0/0")],
)  # fmt: skip
def test_a_cage_is_called_what_its_ports_have_in_common(scheme: str, cage: str) -> None:
    (cable,), _ = joined(of_hosts(scheme), scheme)
    assert cable.a == (("leaf-01", cage),)


@pytest.mark.parametrize("scheme", ["cumulus", "number", "sonic"])
def test_a_folder_with_plugs_comes_back(scheme: str, tmp_path: Path) -> None:
    """All cables as whole as they get: the same links between the same ports."""
    before, words = fabric(), named_ports(fabric(), scheme, {})
    cables = []
    for row in cable_rows(before, words):
        end = row.z if row.a.kind == "host" else row.a
        cables.append(replace(row, cable_id=f"{end.place.device}-{end.cage}"))
    for file, text in netbox.write(netbox.Inventory(before, words), cables).items():
        (tmp_path / file).write_text(text)
    with (tmp_path / "08-cables.csv").open() as stream:
        assert {row["profile"] for row in csv.DictReader(stream)} == {"breakout-1c2p-2c1p", "single-1c2p"}
    found = imported(str(tmp_path))
    assert found is not None
    assert found.cables == {"compute": len({row.cable_id for row in cables})}

    def links(of: Fabric, called: list[str]) -> set[frozenset[tuple[str, str]]]:
        ends = zip(of.links.port_a.tolist(), of.links.port_z.tolist(), strict=True)
        device = of.ports.device.tolist()
        return {frozenset((of.names[device[port]], called[port]) for port in pair) for pair in ends}

    assert links(found.fabric, named_ports(found.fabric, "number", {})) == links(before, words)
    assert found.fabric.links.speed_bps.tolist() == before.links.speed_bps.tolist()
