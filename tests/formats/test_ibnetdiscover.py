"""Listings with one thing wrong each, made by hand, and what is said about them."""

from __future__ import annotations

import pytest
from foreign import ids, kinds

from fabrictool.errors import InputError
from fabrictool.formats import ibnetdiscover
from fabrictool.formats.imported import Imported

SHARP = "Mellanox Technologies Aggregation Node"


def switch(number: int, lines: list[str], ports: int = 8, lid: str = "", name: str = "") -> str:
    guid = f"{0xA0 + number:016x}"
    head = f'switchguid=0x{guid}({guid})\nSwitch\t{ports} "S-{guid}"\t\t# "{name or f"sw{number}"}" base port 0 '
    return head + f"lid {lid or number} lmc 0\n" + "\n".join(lines) + "\n\n"


def adapter(number: int, peer: int, port: int, name: str = "", rate: str = "4xHDR", lid: str = "") -> str:
    guid = f"{0xB00 + 16 * number:016x}"
    head = f'caguid=0x{guid}\nCa\t1 "H-{guid}"\t\t# "{name or f"host{number} mlx5_0"}"\n'
    peer_id = f"S-{0xA0 + peer:016x}"
    line = (
        f'[1]({int(guid, 16) + 1:x}) \t"{peer_id}"[{port}]\t\t# lid {lid or 100 + number} lmc 0 "sw{peer}" lid {peer}'
    )
    return f"{head}{line} {rate}\n\n"


def to_host(port: int, number: int, rate: str = "4xHDR", name: str = "") -> str:
    guid = f"{0xB00 + 16 * number:016x}"
    title = name or f"host{number} mlx5_0"
    return f'[{port}]\t"H-{guid}"[1]({int(guid, 16) + 1:x}) \t\t# "{title}" lid {100 + number} {rate}'


def to_switch(port: int, number: int, far: int, rate: str = "4xHDR") -> str:
    return f'[{port}]\t"S-{0xA0 + number:016x}"[{far}]\t\t# "sw{number}" lid {number} {rate}'


def tree(hosts: int = 6) -> list[str]:
    """Return the blocks of two leaves with hosts, and a spine above them."""
    per_leaf = hosts // 2
    blocks = []
    for leaf in (1, 2):
        mine = range(per_leaf * (leaf - 1), per_leaf * leaf)
        lines = [to_host(place + 1, host) for place, host in enumerate(mine)]
        blocks.append(switch(leaf, [*lines, to_switch(8, 3, leaf)]))
        blocks += [adapter(host, leaf, place + 1) for place, host in enumerate(mine)]
    return [*blocks, switch(3, [to_switch(1, 1, 8), to_switch(2, 2, 8)])]


def read(*blocks: str) -> Imported:
    return ibnetdiscover.read("f.txt", "".join(blocks))


def test_a_whole_tree_has_no_findings() -> None:
    found = read(*tree())
    assert not found.findings
    assert kinds(found.fabric) == {"host": 6, "leaf": 2, "spine": 1}


def test_aggregation_nodes_on_every_switch_are_set_apart() -> None:
    blocks = tree()
    engines = [adapter(20 + number, number, 7, SHARP) for number in (1, 2, 3)]
    for at, number in ((0, 1), (4, 2), (8, 3)):
        blocks[at] = blocks[at].rstrip("\n") + "\n" + to_host(7, 20 + number, name=SHARP) + "\n\n"
    found = read(*blocks, *engines)
    assert kinds(found.fabric) == {"host": 6, "leaf": 2, "spine": 1, "aggregation": 3}
    assert found.set_apart == {"aggregation_nodes": 3, "aggregation_links": 3}
    assert {finding.severity for finding in found.findings} <= {"note"}


def test_a_spine_with_a_manager_on_it_is_still_a_spine() -> None:
    blocks = tree(12)
    blocks[-1] = switch(3, [to_switch(1, 1, 8), to_switch(2, 2, 8), to_host(3, 40)])
    found = read(*blocks, adapter(40, 3, 3))
    assert kinds(found.fabric) == {"host": 13, "leaf": 2, "spine": 1}


def test_a_leaf_without_hosts_is_still_a_leaf() -> None:
    blocks = tree()
    blocks[-1] = switch(3, [to_switch(1, 1, 8), to_switch(2, 2, 8), to_switch(3, 4, 8)])
    found = read(*blocks, switch(4, [to_switch(8, 3, 3)]))
    assert kinds(found.fabric) == {"host": 6, "leaf": 3, "spine": 1}
    assert [kind for kind, _ in ids(found)] == ["leaf-without-hosts"]


def test_a_peer_without_a_block_is_reported_and_kept() -> None:
    blocks = tree()
    del blocks[2]
    found = read(*blocks)
    assert ids(found) == [("undefined-peer", "4")]
    assert found.findings[0].severity == "warning"
    assert len(found.fabric.links) == 8
    assert found.stated["channel_adapters"] == 5


def test_a_link_seen_from_one_end_is_reported_and_kept() -> None:
    blocks = tree()
    blocks[-1] = switch(3, [to_switch(1, 1, 8)])
    found = read(*blocks)
    assert [kind for kind, _ in ids(found)] == ["one-sided-link"]
    assert len(found.fabric.links) == 8


def test_ends_that_contradict_each_other_are_an_error() -> None:
    blocks = tree()
    blocks[-1] = switch(3, [to_switch(1, 1, 8), to_switch(2, 1, 8)])
    found = read(*blocks)
    errors = [finding for finding in found.findings if finding.severity == "error"]
    assert [finding.id for finding in errors] == ["ends-disagree"]
    assert "sw3 port 2 claims sw1 port 8, but line 6 says" in errors[0].message
    assert len(found.fabric.links) == 8


@pytest.mark.parametrize("rate", ["1xHDR", "4xEDR", "2xHDR"])
def test_a_link_below_the_others_of_its_kind_is_degraded(rate: str) -> None:
    blocks = tree(12)
    blocks[0] = blocks[0].replace("lid 102 4xHDR", f"lid 102 {rate}")
    blocks[3] = adapter(2, 1, 3, rate=rate)
    found = read(*blocks)
    assert ids(found) == [("link-degraded", "5")]
    assert f"host2:mlx5_0 runs at {rate}, 11 of 12 host-leaf links at 4xHDR" in found.findings[0].message


@pytest.mark.parametrize("lid", ["", "-4", "0", "49152", "65335"])
def test_lids_that_are_none_are_reported(lid: str) -> None:
    blocks = tree()
    blocks[1] = adapter(0, 1, 1).replace("# lid 100 lmc", f"# lid {lid} lmc")
    found = read(*blocks)
    assert [kind for kind, _ in ids(found)] == ["lid-invalid"]
    fabric = found.fabric
    assert fabric.devices.lid[fabric.names.index("host0")] == 0


def test_one_lid_of_two_ports_is_reported() -> None:
    blocks = tree()
    blocks[2] = adapter(1, 1, 2, lid="100")
    assert ("lid-duplicate" in dict(ids(read(*blocks)))) is True


def test_adapters_with_one_host_s_name_are_one_host_unless_a_name_repeats() -> None:
    lines = [to_host(port, port, name="n mlx5_0") for port in (1, 2, 3)]
    names = ("n mlx5_0", "n mlx5_1", "n mlx5_2")
    found = read(switch(1, lines), *(adapter(port, 1, port, names[port - 1]) for port in (1, 2, 3)))
    assert found.fabric.names == ["n", "sw1"]
    names = ("n mlx5_0", "n mlx5_1", "n mlx5_0")
    found = read(switch(1, lines), *(adapter(port, 1, port, names[port - 1]) for port in (1, 2, 3)))
    assert kinds(found.fabric)["host"] == 3
    assert len(set(found.fabric.names)) == 4
    assert "name-duplicate" in dict(ids(found))


def test_switches_take_their_name_from_managed_descriptions() -> None:
    blocks = [
        switch(1, [to_host(1, 1), to_switch(8, 2, 1)], name="MF0;leaf7:MQM9700/U1"),
        switch(2, [to_switch(1, 1, 8)], name="MF0;big:CS7500/L11/U1"),
    ]
    fabric = read(*blocks, adapter(1, 1, 1)).fabric
    assert fabric.names[1:] == ["leaf7", "big/L11"]
    assert fabric.types[fabric.devices.type[1]] == "MQM9700"


def test_equal_descriptions_are_told_apart_by_guid() -> None:
    blocks = [
        switch(1, [to_host(1, 1), to_switch(8, 2, 1)], name="Quantum Mellanox Technologies"),
        switch(2, [to_switch(1, 1, 8)], name="Quantum Mellanox Technologies"),
    ]
    names = read(*blocks, adapter(1, 1, 1)).fabric.names[1:]
    assert names == [f"Quantum Mellanox Technologies-{guid:016x}" for guid in (0xA1, 0xA2)]


def test_blocks_in_any_order_give_the_same_fabric() -> None:
    blocks = tree()
    first, second = read(*blocks).fabric, read(*reversed(blocks)).fabric
    assert first.names == second.names
    links = [{fabric.link_name(row) for row in range(8)} for fabric in (first, second)]
    assert links[0] == links[1]


def test_a_netfile_of_the_simulator_needs_no_comments_and_no_far_port() -> None:
    text = 'Switch 4 "Sw1"\n[1] "H1"\n[2] "H2"[1]\n\nHca 1 "H1"\n[1] "Sw1"[1]\n\nHca 1 "H2"\n[1] "Sw1"[2]\n'
    fabric = ibnetdiscover.read("x.net", text).fabric
    assert [fabric.link_name(row) for row in range(2)] == ["H1:1 - Sw1:1", "H2:1 - Sw1:2"]


def test_includes_are_named_as_not_followed() -> None:
    found = ibnetdiscover.read("x.net", 'include "other.net"\nSwitch 4 "Sw1"\n')
    assert ("not-followed", "1") in ids(found)
    assert found.findings[0].severity == "error"


def test_a_listing_without_devices_is_refused() -> None:
    with pytest.raises(InputError, match=r"f\.txt:1:1: holds no device"):
        read("# Topology file: generated on Mon\n")
