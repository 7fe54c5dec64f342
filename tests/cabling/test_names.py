"""Devices and ports that dumps call otherwise than the plan."""

from __future__ import annotations

import re
from pathlib import Path

import as_built
import pytest

import fabrictool as ft
from fabrictool.cabling.naming import folded, is_address
from fabrictool.cabling.port_words import cage_and_leg, order_key
from fabrictool.errors import InputError
from fabrictool.fabric.port_labels import port_labels
from fabrictool.verification import Verification

PLAN = str(as_built.PLAN)


def _verified(text: str, folder: Path, **options: object) -> Verification:
    (folder / "built.csv").write_text(text)
    return ft.verify(PLAN, str(folder / "built.csv"), price=False, **options)  # type: ignore[arg-type]


def _clean() -> str:
    return as_built.built([])


@pytest.mark.parametrize(("word", "place"), [
    ("swp9s1", (8, 1, "swp9")), ("swp9", (8, 0, "swp9")), ("sw3p2", (2, 1, "sw3")), ("IB1/7/2", (6, 1, "IB1/7")),
    ("Ethernet12/4", (11, 3, "Ethernet12")), ("et-0/0/5:2", (5, 2, "et-0/0/5")), ("4/2", (3, 1, "4")),
])  # fmt: skip
def test_cages_of_vendors(word: str, place: tuple[int, int, str]) -> None:
    assert cage_and_leg(word) == place


def test_pci_addresses_sort_as_numbers() -> None:
    words = ["0000:d8:00.0", "0000:1a:00.1", "0000:1a:00.0", "0000:3b:00.0"]
    assert sorted(words, key=order_key) == ["0000:1a:00.0", "0000:1a:00.1", "0000:3b:00.0", "0000:d8:00.0"]
    assert sorted(["enp216s0np0", "enp26s0np0"], key=order_key) == ["enp26s0np0", "enp216s0np0"]


def test_names_and_addresses() -> None:
    assert folded("GPU14.dc1.example.org") == "gpu14"
    assert all(map(is_address, ["aa:bb:cc:dd:ee:ff", "0c42.a103.0000", "0x0c42a10300000080", "S-0c42a10300000080"]))
    assert not any(map(is_address, ["gpu14", "leaf1", "deadbeef"]))


PCI = ["1a", "3c", "4d", "5e", "9c", "bc", "cc", "dc"]


@pytest.mark.parametrize("pattern", ["mlx5_{}", "rail-{}", "0000:{pci}:00.0", "enp{bus}s0np0"])
def test_rails_known_by_their_order(pattern: str, tmp_path: Path) -> None:
    def named(match: re.Match[str]) -> str:
        rail = int(match[1])
        return pattern.format(rail, pci=PCI[rail], bus=int(PCI[rail], 16)) + ","

    found = _verified(re.sub(r"rail(\d),", named, _clean()), tmp_path)
    assert found.causes == ()
    assert found.summary.as_expected == 256
    assert [row.finding.id for row in found.findings] == ["ports-by-order"]


def test_rails_that_count_from_one(tmp_path: Path) -> None:
    text = re.sub(r"rail(\d),", lambda match: f"rail{int(match[1]) + 1},", _clean())
    found = _verified(text, tmp_path)
    assert (found.causes, found.summary.as_expected) == ((), 256)


def test_a_mistake_among_pci_addresses(tmp_path: Path) -> None:
    case = next(case for case in as_built.cases() if case["id"] == "A04")
    text = re.sub(r"rail(\d),", lambda match: f"0000:{PCI[int(match[1])]}:00.0,", as_built.built([case]))
    (cause,) = _verified(text, tmp_path).causes
    assert (cause.root_cause, cause.subject) == ("rails-swapped", ("gpu05:rail2", "gpu05:rail3"))


def test_other_port_names_of_switches(tmp_path: Path) -> None:
    """``swp3s1`` is cage 3, leg 1 counted from 0, which EOS writes ``Ethernet3/2``."""
    text = re.sub(r"swp(\d+)s(\d)", lambda match: f"Ethernet{match[1]}/{int(match[2]) + 1}", _clean())
    found = _verified(text, tmp_path)
    assert (found.causes, found.summary.as_expected) == ((), 256)


def test_addresses_without_names_are_found_by_place(tmp_path: Path) -> None:
    found = _verified(_clean().replace("gpu14,", "02:00:00:00:00:14,").replace("leaf3,", "0c42a10300000080,"), tmp_path)
    assert (found.causes, found.summary.as_expected) == ((), 256)
    assert {row.finding.where for row in found.findings} == {"gpu14", "leaf3"}


def test_all_switches_nameless(tmp_path: Path) -> None:
    """Leaves are found by their hosts, then spines by their leaves."""
    text = re.sub(r"leaf(\d),", r"0c42a1030000000\1,", _clean())
    text = re.sub(r"spine(\d),", r"0c42a1030000010\1,", text)
    found = _verified(text, tmp_path)
    assert (found.causes, found.summary.as_expected) == ((), 256)


def test_aliases(tmp_path: Path) -> None:
    text = _clean().replace("gpu13,", "node-x,")
    assert [row.root_cause for row in _verified(text, tmp_path).causes] == ["hostname-mismatch"]
    (tmp_path / "names.csv").write_text("seen,planned\nnode-x,gpu13\n")
    assert _verified(text, tmp_path, names=str(tmp_path / "names.csv")).findings == ()
    assert _verified(text, tmp_path, names={"node-x": "gpu13"}).findings == ()


def test_node_name_map(tmp_path: Path) -> None:
    (tmp_path / "map").write_text('# map\n0x0c42a10300000080 "leaf3"  # first\n')
    text = _clean().replace("leaf3,", "0c42a10300000080,")
    assert _verified(text, tmp_path, names=str(tmp_path / "map")).findings == ()


def test_a_broken_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("leaf3 is here\n")
    with pytest.raises(InputError, match=r"map:1:1"):
        _verified(_clean(), tmp_path, names=str(tmp_path / "map"))


def test_two_dumps_that_contradict(tmp_path: Path) -> None:
    (tmp_path / "late.csv").write_text("a_device,a_port,z_device,z_port\ngpu01,rail0,leaf0,swp2s0\n")
    (tmp_path / "built.csv").write_text(_clean())
    found = ft.verify(PLAN, [str(tmp_path / "built.csv"), str(tmp_path / "late.csv")], price=False)
    (conflict,) = found.findings
    assert (conflict.finding.id, conflict.finding.where) == ("sighting-conflict", f"{tmp_path}/late.csv:2")
    assert found.summary.as_expected == 256


def test_partly_dark(tmp_path: Path) -> None:
    """Only two leaves were dumped: 2 x 32 links could be seen, the others are no fault."""
    rows = [row for row in _clean().splitlines() if "leaf0," in row or "leaf5," in row or row.startswith("a_node")]
    lldp = '{"lldpNeighbors": [%s]}'
    for leaf in ("leaf0", "leaf5"):
        pairs = [row.split(",")[:4] for row in rows if f",{leaf}," in row or row.startswith(f"{leaf},")]
        ends = [(p[1], p[2], p[3]) if p[0] == leaf else (p[3], p[0], p[1]) for p in pairs]
        entries = [f'{{"port": "{i}", "neighborDevice": "{z}", "neighborPort": "{j}"}}' for i, z, j in ends]
        (tmp_path / f"{leaf}.json").write_text(lldp % ", ".join(entries))
    found = ft.verify(PLAN, [str(tmp_path / f"{leaf}.json") for leaf in ("leaf0", "leaf5")], price=False)
    assert found.causes == ()
    assert (found.summary.as_expected, found.summary.not_seen) == (64, 192)
    assert "64 of 256" in next(row.finding.message for row in found.findings if row.finding.id == "coverage")


def test_one_dump_does_not_make_hosts_absent(tmp_path: Path) -> None:
    """lldpd's own dump of a leaf that sees two hosts: one link of eight says nothing of the other hosts."""
    text = (as_built.DATA / "lldp" / "leaf1.json").read_text()
    (tmp_path / "lldpcli-leaf1.json").write_text(text.replace('"rail0"', '"rail1"'))
    found = ft.verify(PLAN, str(tmp_path / "lldpcli-leaf1.json"), price=False)
    assert {row.root_cause for row in found.causes} == {"missing-cable"}
    assert (found.summary.as_expected, found.summary.missing, found.summary.not_seen) == (2, 30, 224)


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    found = _verified("a_device,a_port,z_device,z_port\nx1,1,y1,1\nx2,1,y1,2\n", tmp_path)
    assert [row.finding.id for row in found.findings if row.finding.severity == "error"] == ["nothing-matches"]
    assert not found.causes


def test_of_several_neighbours_the_planned_one_counts(tmp_path: Path) -> None:
    """An adapter's own agent answers before the host does."""
    lines = _clean().splitlines()
    agent = lines[1].replace("gpu01", "02:00:00:00:aa:01").replace("rail0", "02:00:00:00:aa:02")
    found = _verified("\n".join([lines[0], agent, *lines[1:], ""]), tmp_path)
    assert (found.causes, found.summary.as_expected) == ((), 256)
    assert [row.finding.id for row in found.findings] == ["second-neighbour"]


TWINS = """
name: twins
hosts: {name: h, type: {name: h, gpus: 1, nics: 1, speed: 400G}, count: 16}
networks:
  compute: {family: fat-tree, speed: 400G, levels: 2, hosts_per_leaf: 8,
    leaf: {type: {name: sw, ports: 16, cages: 8, speed: 400G}}, spine: {type: {name: sw, ports: 16, cages: 8,
    speed: 400G}}}
"""


@pytest.mark.parametrize("scheme", ["cumulus", "eos", "junos", "mlnx-os", "sr-linux"])
def test_dumps_of_switches_with_twin_cages_find_the_ports_of_a_layout(scheme: str, tmp_path: Path) -> None:
    """A layout numbers ports; what its switches call them says cage and leg, however the vendor counts those."""
    layout = tmp_path / "layout.yaml"
    layout.write_text(TWINS)
    fabric = ft.build(ft.read_layout(str(layout)))
    words = port_labels(fabric, list(range(len(fabric.ports))), scheme)
    names = [fabric.names[device] for device in fabric.ports.device.tolist()]
    rows = zip(fabric.links.port_a.tolist(), fabric.links.port_z.tolist(), strict=True)
    at_host = fabric.devices.tier[fabric.ports.device] == 0
    text = "".join(
        f"{names[a]},{fabric.ports.number[a] if at_host[a] else words[a]},{names[z]},{words[z]},yes\n" for a, z in rows
    )
    (tmp_path / "built.csv").write_text(f"a_device,a_port,z_device,z_port,seen\n{text}")
    found = ft.verify(str(layout), str(tmp_path / "built.csv"), price=False)
    assert (found.causes, found.summary.as_expected) == ((), 32)
