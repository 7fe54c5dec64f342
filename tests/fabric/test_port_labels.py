"""Names of ports as the vendors' documents and samples write them."""

from dataclasses import replace
from typing import Any

import fabrics
import numpy as np
import pytest

from fabrictool.catalogue.store import entry
from fabrictool.errors import InputError
from fabrictool.fabric import Fabric
from fabrictool.fabric.port_labels import port_label, port_labels, scheme_of


def _leaf(switch: dict[str, Any] | str, speed: str, hosts: int = 4) -> tuple[Fabric, int]:
    """A fabric of rails, and the row of the first port of its first leaf."""
    group = {"name": "host", "type": fabrics.host_type(2, speed), "count": hosts}
    fabric = fabrics.fabric_of(
        group, family="rail-optimized", scalable_unit={"hosts": hosts}, leaf={"type": switch}, protocol="ethernet"
    )
    return fabric, int(fabric.first_port[fabric.names.index("leaf-01")])


TWIN = _leaf({"name": "osfp", "ports": 64, "cages": 64, "speed": "800G"}, "400G")
WHOLE = _leaf({"name": "osfp", "ports": 64, "cages": 64, "speed": "800G"}, "800G")


@pytest.mark.parametrize(
    ("scheme", "labels"),
    [
        ("cumulus", ["swp1s0", "swp1s1", "swp2s0"]),
        ("sonic", ["Ethernet0", "Ethernet4", "Ethernet8"]),
        ("eos", ["Ethernet1/1", "Ethernet1/2", "Ethernet2/1"]),
        ("nx-os", ["Ethernet1/1/1", "Ethernet1/1/2", "Ethernet1/2/1"]),
        ("junos", ["et-0/0/0:0", "et-0/0/0:1", "et-0/0/1:0"]),
        ("sr-linux", ["ethernet-1/1/1", "ethernet-1/1/2", "ethernet-1/2/1"]),
        ("hedgehog", ["E1/1/1", "E1/1/2", "E1/2/1"]),
        ("infiniband-split", ["1/1", "1/2", "2/1"]),
        ("nvos", ["sw1p1", "sw1p2", "sw2p1"]),
        ("number", ["1", "2", "3"]),
    ],
)
def test_cages_split_in_two(scheme: str, labels: list[str]) -> None:
    fabric, first = TWIN
    assert port_labels(fabric, range(first, first + 3), scheme) == labels


@pytest.mark.parametrize(
    ("scheme", "labels"),
    [
        ("cumulus", ["swp1", "swp2"]),
        ("sonic", ["Ethernet0", "Ethernet8"]),
        ("eos", ["Ethernet1", "Ethernet2"]),
        ("nx-os", ["Ethernet1/1", "Ethernet1/2"]),
        ("junos", ["et-0/0/0", "et-0/0/1"]),
        ("sr-linux", ["ethernet-1/1", "ethernet-1/2"]),
        ("hedgehog", ["E1/1", "E1/2"]),
        ("mlnx-os", ["IB1/1", "IB1/2"]),
        ("infiniband-split", ["1", "2"]),
    ],
)
def test_whole_cages(scheme: str, labels: list[str]) -> None:
    fabric, first = WHOLE
    assert port_labels(fabric, range(first, first + 2), scheme) == labels


def test_quantum_2_counts_cage_and_port() -> None:
    """QM9700: 1/1 to 32/2 on 32 cages; OpenSM's number is 2 (cage - 1) + leg."""
    fabric, first = _leaf("qm9700", "400G", hosts=32)
    labels = port_labels(fabric, range(first, first + 64), "mlnx-os")
    assert (labels[0], labels[1], labels[63]) == ("IB1/1/1", "IB1/1/2", "IB1/32/2")
    for number, label in enumerate(labels, 1):
        _, cage, leg = label.split("/")
        assert number == 2 * (int(cage) - 1) + int(leg)


def test_hosts_by_rail_and_by_adapter() -> None:
    fabric, _ = TWIN
    assert port_labels(fabric, range(2), "rail") == ["rail0", "rail1"]
    assert port_labels(fabric, range(2), "rdma") == ["mlx5_0", "mlx5_1"]


def test_a_label_that_was_brought_wins() -> None:
    fabric, first = TWIN
    label = np.full(len(fabric.ports), "", "U8")
    label[first] = "swp7"
    labelled = replace(fabric, ports=replace(fabric.ports, label=label))
    assert port_label(labelled, first, "sonic") == "swp7"
    assert port_label(labelled, first + 1, "sonic") == "Ethernet4"


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("qm9700", "mlnx-os"),
        ("q3400-ra", "nvos"),
        ("sn5610", "cumulus"),
        ("arista-7060x6-64pe", "eos"),
        ("cisco-n9364e-sg2", "nx-os"),
        ("juniper-qfx5240-64od", "junos"),
        ("celestica-ds5000", "sonic"),
        ("rosetta-tor", "number"),
    ],
)
def test_schemes_of_the_catalogue(name: str, scheme: str) -> None:
    kind = entry("switches", name)
    assert scheme_of(kind.vendor, kind.protocol) == scheme  # type: ignore[attr-defined]


def test_an_unknown_scheme_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'cumulus'"):
        port_label(TWIN[0], 0, "cumulos")
