"""Chips of directors in files: told by their board, joined without cables, and not lost on the way through a file."""

from __future__ import annotations

from pathlib import Path

import fabrics
import pytest

from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import counts
from fabrictool.fabric.store import read_fabric, save
from fabrictool.formats.descriptions import chassis_name, switch_name
from fabrictool.formats.graphml import write
from fabrictool.formats.recognise import imported

#: A leaf board with two chips, a spine chip, and a switch at the first chip, as ibnetdiscover prints them.
DISCOVERED = """\
vendid=0x2c9
devid=0xcf08
sysimgguid=0x1
switchguid=0x10(10)
Switch  36 "S-0000000000000010"         # "MF0;core1:CS7520/S01/U1" enhanced port 0 lid 1 lmc 0
[1]     "S-0000000000000011"[24]                # "MF0;core1:CS7520/L01/U1" lid 2 4xEDR
[2]     "S-0000000000000012"[24]                # "MF0;core1:CS7520/L01/U2" lid 3 4xEDR

vendid=0x2c9
devid=0xcf08
sysimgguid=0x1
switchguid=0x11(11)
Switch  36 "S-0000000000000011"         # "MF0;core1:CS7520/L01/U1" enhanced port 0 lid 2 lmc 0
[1]     "S-0000000000000013"[19]                # "MF0;tor1:SB7800/U1" lid 4 4xEDR
[24]    "S-0000000000000010"[1]         # "MF0;core1:CS7520/S01/U1" lid 1 4xEDR

vendid=0x2c9
devid=0xcf08
sysimgguid=0x1
switchguid=0x12(12)
Switch  36 "S-0000000000000012"         # "MF0;core1:CS7520/L01/U2" enhanced port 0 lid 3 lmc 0
[24]    "S-0000000000000010"[2]         # "MF0;core1:CS7520/S01/U1" lid 1 4xEDR

vendid=0x2c9
devid=0xcf08
sysimgguid=0x1
switchguid=0x13(13)
Switch  36 "S-0000000000000013"         # "MF0;tor1:SB7800/U1" enhanced port 0 lid 4 lmc 0
[1]     "H-0000000000000020"[1](21)             # "node1 HCA-1" lid 5 4xEDR
[19]    "S-0000000000000011"[1]         # "MF0;core1:CS7520/L01/U1" lid 2 4xEDR

vendid=0x2c9
devid=0x1017
sysimgguid=0x20
caguid=0x20
Ca      1 "H-0000000000000020"          # "node1 HCA-1"
[1](21)         "S-0000000000000013"[1]         # lid 5 lmc 0 "MF0;tor1:SB7800/U1" lid 4 4xEDR
"""


@pytest.mark.parametrize(
    ("description", "name", "chassis"),
    [
        ("MF0;core1:CS7500/L11/U1", "core1/L11", "core1"),
        ("MF0;core1:CS7500/L11/U2", "core1/L11/U2", "core1"),
        ("MF0;a-b:MCS8500/S01/U1", "a-b/S01", "a-b"),
        ("MF0;tor1:MQM8700/U1", "tor1", ""),
        ("SwitchIB Mellanox Technologies", "SwitchIB Mellanox Technologies", ""),
    ],
)
def test_descriptions_tell_chips_of_a_director(description: str, name: str, chassis: str) -> None:
    assert switch_name(description)[0] == name
    assert chassis_name(description) == chassis


def test_discovered_chips_share_a_chassis(tmp_path: Path) -> None:
    """Five switches' links: two inside the director, one cable to the switch and one to the host."""
    path = tmp_path / "fabric.txt"
    path.write_text(DISCOVERED)
    found = imported(str(path))
    assert found is not None
    assert {"core1/S01", "core1/L01", "core1/L01/U2", "tor1"} <= {*found.fabric.names}
    assert {key: counts(found.fabric)[key] for key in ("switches", "links", "cables", "transceivers", "directors")} == {
        "switches": 4, "links": 4, "cables": 2, "transceivers": 4, "directors": 1,
    }  # fmt: skip


@pytest.fixture
def built() -> Fabric:
    kind = {"name": "dir", "ports": 16, "speed": "400G", "director": {"leaf_chips": 4, "spine_chips": 4}}
    leaf, group = {"type": fabrics.SWITCH, "down": 4, "up": 4}, {"name": "h", "type": fabrics.host_type(), "count": 16}
    return fabrics.fabric_of(group, family="fat-tree", levels=2, leaf=leaf, spine={"type": kind, "count": 2})


def test_chassis_outlive_graphml(built: Fabric, tmp_path: Path) -> None:
    path = tmp_path / "fabric.graphml"
    path.write_text(write(built))
    found = imported(str(path))
    assert found is not None
    assert counts(found.fabric) == counts(built)
    assert found.fabric.names == built.names


def test_chassis_outlive_npz(built: Fabric, tmp_path: Path) -> None:
    path = tmp_path / "fabric.npz"
    save(built, path)
    assert counts(read_fabric(path)) == counts(built)
    assert read_fabric(path).names == built.names
