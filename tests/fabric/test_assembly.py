"""``assemble`` refuses what is no fabric, and names every violation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from fabrictool.errors import FabricError
from fabrictool.fabric import Devices, Fabric, GpuPorts, Gpus, LinkRows, NetworkFacts, PortRows, assemble

G400 = 400e9
Link = tuple[int, int, int, int]


@dataclass(frozen=True)
class Parts:
    """Two hosts with one GPU and two ports each, under a switch of four ports."""

    links: Sequence[Link] = ((0, 1, 2, 1), (1, 1, 2, 2))
    link_bps: Sequence[float] = (G400, G400)
    port_bps: Sequence[float] = (G400,) * 8
    numbers: Sequence[int] = (1, 2, 1, 2, 1, 2, 3, 4)
    gpu_ports: Sequence[tuple[int, int]] = ((0, 0), (0, 1), (1, 2), (1, 3))


def _devices(**more: Any) -> Devices:
    columns = {
        "kind": np.array([0, 0, 2], np.uint8),
        "tier": np.array([0, 0, 1], np.int8),
        "type": np.array([0, 0, 1], np.int16),
        "group": np.array([0, 0, 1], np.int16),
        "network": np.array([-1, -1, 0], np.int8),
        "plane": np.full(3, -1, np.int16),
        "rail": np.full(3, -1, np.int16),
        "pod": np.full(3, -1, np.int32),
        "index": np.array([0, 1, 0], np.int32),
        "latency_s": np.zeros(3),
    }
    return Devices(**(columns | more))


def _assembled(parts: Parts = Parts(), **more: Any) -> Fabric:
    ends = np.array(parts.links, np.int32).reshape(-1, 4)
    links = LinkRows(*ends.T, np.zeros(len(ends), np.int8), np.array(parts.link_bps, float), np.full(len(ends), 5e-7))
    device = np.array([0, 0, 1, 1, 2, 2, 2, 2], np.int32)
    number = np.array(parts.numbers, np.int16)
    lane = np.full(8, -1, np.int16)
    ports = PortRows(device, number, (number - 1).astype(np.int16), np.array(parts.port_bps, float), lane, lane)
    gpus = Gpus(np.array([0, 1], np.int32), np.array([0, 1], np.int32), np.zeros(2, np.int16), np.zeros(2), np.zeros(2))
    pairs = np.array(parts.gpu_ports, np.int32).reshape(-1, 2)
    facts = [NetworkFacts("compute", "infiniband", "fat-tree")]
    devices = more.pop("devices", _devices())
    return assemble(
        "small", devices, ports, links, gpus, GpuPorts(pairs[:, 0], pairs[:, 1]), ["h", "sw"], ["host", "leaf"], facts,
        **more,
    )  # fmt: skip


def _problems(parts: Parts) -> list[str]:
    with pytest.raises(FabricError) as caught:
        _assembled(parts)
    return [str(problem) for problem in caught.value.problems]


def test_a_link_joins_two_ports() -> None:
    fabric = _assembled()
    assert fabric.names == ["host-01", "host-02", "leaf-01"]
    assert fabric.ports.peer.tolist() == [4, -1, 5, -1, 0, 2, -1, -1]
    assert [fabric.link_name(row) for row in range(2)] == ["host-01:1 - leaf-01:1", "host-02:1 - leaf-01:2"]
    assert fabric.first_port.tolist() == [0, 2, 4, 8]


def test_no_links_are_a_fabric_too() -> None:
    fabric = _assembled(Parts(links=(), link_bps=()))
    assert len(fabric.links) == 0
    assert (fabric.ports.peer == -1).all()
    assert fabric.to_scipy().nnz == 0


def test_columns_cannot_be_written() -> None:
    fabric = _assembled()
    with pytest.raises(ValueError, match="read-only"):
        fabric.links.speed_bps[0] = 1.0


def test_a_port_used_by_several_links_is_named_with_its_uses() -> None:
    parts = Parts(links=((0, 1, 2, 1), (1, 1, 2, 1), (1, 2, 2, 1), (0, 2, 2, 3), (0, 2, 2, 4)), link_bps=(G400,) * 5)
    assert _problems(parts) == [
        "host-01:2: 2 links use this port; give each link a port of its own",
        "leaf-01:1: 3 links use this port; give each link a port of its own",
    ]


def test_a_link_from_a_port_to_itself_is_refused() -> None:
    assert _problems(Parts(links=((0, 1, 2, 1), (2, 3, 2, 3)))) == [
        "leaf-01:3: 2 links use this port; give each link a port of its own"
    ]


def test_links_to_nowhere_and_missing_ports_come_together() -> None:
    parts = Parts(links=((0, 3, 2, 5), (1, 1, 3, 1), (-1, 1, 2, 0), (0, 1, 2, 1)), link_bps=(G400,) * 4)
    found = _problems(parts)
    assert len(found) == 5
    assert (
        "host-01: link 0 needs port 3, but host-01 has 2 ports; use fewer links, or a device with more ports" in found
    )
    assert (
        "leaf-01: link 0 needs port 5, but leaf-01 has 4 ports; use fewer links, or a device with more ports" in found
    )
    assert any("link 1: leads to device row 3" in text for text in found)
    assert any("link 2: leads to device row -1" in text for text in found)
    assert any("link 2 needs port 0" in text for text in found)


def test_every_slow_port_under_a_fast_link_is_named() -> None:
    parts = Parts(link_bps=(800e9, 800e9), port_bps=(800e9, G400, G400, G400, 800e9, 800e9, G400, G400))
    assert _problems(parts) == [
        "host-02:1 - leaf-01:2: a link of 800 Gbit/s on a port of 400 Gbit/s; give both ends the link's speed"
    ]


def test_a_port_used_twice_and_a_slow_port_come_together() -> None:
    parts = Parts(links=((0, 1, 2, 1), (1, 1, 2, 1)), link_bps=(800e9, G400))
    assert len(_problems(parts)) == 2


def test_a_port_number_twice_in_a_device_is_refused() -> None:
    assert any("port row 1" in text for text in _problems(Parts(numbers=(1, 1, 1, 2, 1, 2, 3, 4))))


def test_port_numbers_may_have_gaps() -> None:
    fabric = _assembled(Parts(numbers=(1, 2, 3, 7, 1, 2, 3, 4), links=((0, 1, 2, 1), (1, 7, 2, 2))))
    assert fabric.link_name(1) == "host-02:7 - leaf-01:2"
    lost = Parts(numbers=(1, 2, 3, 7, 1, 2, 3, 4), links=((1, 5, 2, 2),), link_bps=(G400,))
    assert any("needs port 5" in text for text in _problems(lost))


def test_gpus_use_ports_of_their_own_host() -> None:
    assert _problems(Parts(gpu_ports=((0, 0), (1, 0), (1, 1)))) == [
        "gpu_ports: 2 rows give a GPU a port of another host"
    ]
    assert _problems(Parts(gpu_ports=((2, 0), (0, 8), (0, -1)))) == ["gpu_ports: 3 rows point at no GPU or no port"]


def test_of_many_equal_violations_twenty_are_shown_and_the_rest_counted() -> None:
    links = tuple((0, number, 2, 1) for number in range(10, 60))
    found = _problems(Parts(links=links, link_bps=(G400,) * 50))
    assert sum("needs port" in text for text in found) == 20
    assert found[20].startswith("and 30 more")


def test_given_names_and_templates() -> None:
    named = _devices(name=np.array(["", "login", ""]))
    assert _assembled(devices=named).names == ["host-01", "login", "leaf-01"]
    fabric = _assembled(naming={"leaf": "L{index:03d}", "host": "{group}{index}"})
    assert fabric.names == ["host1", "host2", "L001"]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="rows"):
        replace(_devices(), index=np.zeros(2, np.int32))


def test_missing_ports_do_not_hide_ports_used_twice() -> None:
    parts = Parts(links=((0, 3, 2, 1), (0, 1, 2, 2), (1, 1, 2, 2), (1, 2, 2, 4)), link_bps=(G400, G400, G400, 1e12))
    found = _problems(parts)
    assert len(found) == 3
    assert "needs port 3" in found[0]
    assert found[1].startswith("leaf-01:2: 2 links use this port")
    assert found[2].startswith("host-02:2 - leaf-01:4: a link of 1000 Gbit/s")
