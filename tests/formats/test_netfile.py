"""Exported InfiniBand networks are read back without loss."""

from __future__ import annotations

import fabrics
import numpy as np
import pytest
from foreign import own

from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_by_name
from fabrictool.formats.identities import identities, switch_guids, switches_and_ports
from fabrictool.formats.imported import Imported
from fabrictool.formats.netfile import netfile, root_guids
from fabrictool.formats.recognise import imported_from

FT16 = fabrics.pgft((4, 4), (1, 4), (1, 1))
RAILS = fabrics.rails(8, 4, 4, 4)


def _again(fabric: Fabric, **options: object) -> Imported:
    found = imported_from("again.net", "".join(netfile(fabric, 0, **options)).encode())  # type: ignore[arg-type]
    assert found is not None
    return found


def _links(fabric: Fabric) -> set[tuple[str, int, str, int, float]]:
    """Both ends of each link: a host's port by its place among its own, a switch's by its number."""
    place = np.arange(len(fabric.ports)) - fabric.first_port[fabric.ports.device] + 1
    number = np.where(fabric.devices.tier[fabric.ports.device] == 0, place, fabric.ports.number).tolist()
    name = [fabric.names[device] for device in fabric.ports.device.tolist()]
    ends = zip(fabric.links.port_a.tolist(), fabric.links.port_z.tolist(), fabric.links.speed_bps, strict=True)
    return {(name[a], number[a], name[z], number[z], float(speed)) for a, z, speed in ends}


@pytest.mark.parametrize("fabric", [FT16, RAILS, fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2))])
def test_a_fabric_of_ours_comes_back(fabric: Fabric) -> None:
    found = _again(fabric)
    assert not found.findings
    assert _links(found.fabric) == _links(fabric)
    back, ids = found.fabric, identities(fabric, 0)
    row = [back.names.index(name) for name in fabric.names]
    assert back.devices.tier[row].tolist() == fabric.devices.tier.tolist()
    switches = fabric.devices.tier > 0
    assert back.devices.lid[row][switches].tolist() == ids.switch_lid[switches].tolist()
    assert back.devices.guid[row][switches].tolist() == ids.switch_guid[switches].tolist()
    _, ports = switches_and_ports(fabric, 0)
    _, again = switches_and_ports(back, 0)
    assert back.ports.lid[again].tolist() == ids.port_lid[ports].tolist()
    assert back.ports.guid[again].tolist() == ids.port_guid[ports].tolist()
    if fabric is RAILS:
        assert back.ports.rail[again].tolist() == fabric.ports.rail[ports].tolist()


@pytest.mark.parametrize("case", ["ft2_64", "ft2_64_swap_mixed", "rail_4su", "ft3_k8"])
def test_a_listing_comes_back_as_it_was(case: str) -> None:
    fabric = own(f"infiniband/{case}.net.gz").fabric
    found = _again(fabric)
    before = own(f"infiniband/{case}.net.gz").findings
    assert [finding.id for finding in found.findings] == [finding.id for finding in before]
    back = found.fabric
    assert back.names == fabric.names
    assert _links(back) == _links(fabric)
    for column in ("guid", "lid", "tier", "kind"):
        assert getattr(back.devices, column).tolist() == getattr(fabric.devices, column).tolist()
    for column in ("guid", "lid", "rail", "label"):
        assert getattr(back.ports, column).tolist() == getattr(fabric.ports, column).tolist()


def test_the_text_of_a_host_and_a_switch() -> None:
    blocks = list(netfile(FT16, 0, ibsim=True, hca=True))
    assert blocks[0] == (
        "vendid=0x2c9\ndevid=0x1021\nsysimgguid=0x2fab00209000000\ncaguid=0x2fab00209000000\n"
        'Ca\t1 "H-02fab00209000000"\t\t# "host-01 HCA-1"\n'
        '[1](2fab00209000001) \t"S-02fab00101000000"[1]\t\t# lid 9 lmc 0 "leaf-01" lid 1 4xHDR\n\n'
    )
    assert blocks[16].splitlines()[3:6] == [
        "switchguid=0x2fab00101000000(2fab00101000000)",
        'Switch\t8 "S-02fab00101000000"\t\t# "leaf-01" enhanced port 0 lid 1 lmc 0',
        '[1]\t"H-02fab00209000000"[1](2fab00209000001)\t\t# "host-01 HCA-1" lid 9 4xHDR',
    ]
    assert "4xNDR" in "".join(netfile(FT16, 0))


def test_links_that_are_down_are_not_listed() -> None:
    found = _again(FT16, faults=faults_by_name(FT16, links=["leaf-01:6"]))
    assert len(found.fabric.links) == len(FT16.links) - 1


def test_our_guids_are_visited_in_order() -> None:
    """OpenSM compares GUIDs as they lie in memory: the last byte counts most."""
    guids = switch_guids(FT16, np.arange(70_000, dtype=np.int32))
    in_memory = [int(guid).to_bytes(8, "big")[::-1] for guid in guids.tolist()]
    assert in_memory == sorted(in_memory)
    assert len(set(in_memory)) == 70_000
    assert root_guids(guids[:2].tolist()) == "0x02fab00101000000\n0x02fab00102000000\n"


def test_lids_that_a_listing_lacks_are_the_lowest_free_ones() -> None:
    fabric = own("infiniband/ring6.net.gz").fabric
    lids = identities(fabric, 0)
    used = [lid for lid in (*lids.switch_lid.tolist(), *lids.port_lid.tolist()) if lid]
    assert len(set(used)) == len(used) == 18


def test_a_speed_that_infiniband_lacks_is_refused() -> None:
    slow = fabrics.fabric_of(
        {"name": "host", "type": fabrics.host_type(speed="10G"), "count": 4},
        family="fat-tree",
        pgft={"m": [2, 2], "w": [1, 2], "p": [1, 1]},
        leaf={"type": fabrics.SWITCH | {"speed": "10G"}},
    )
    assert "4xSDR" in "".join(netfile(slow, 0))
    odd = fabrics.fabric_of(
        {"name": "host", "type": fabrics.host_type(speed="33G"), "count": 4},
        family="fat-tree",
        pgft={"m": [2, 2], "w": [1, 2], "p": [1, 1]},
        leaf={"type": fabrics.SWITCH | {"speed": "33G"}},
    )
    with pytest.raises(InputError, match="33 Gbit/s has no InfiniBand rate"):
        list(netfile(odd, 0))
