"""What tools say of neighbours: numbers from the files themselves, counted by plain text search."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from foreign import DATA, SHARED

from fabrictool.errors import InputError
from fabrictool.formats.dumps import dump_from, read_dump

NAME = "infiniband/ft2_64_faillink"


@pytest.mark.parametrize("form", ["iblinkinfo", "iblinkinfo-l"])
def test_iblinkinfo_has_all_ports(form: str) -> None:
    found = read_dump(str(DATA / f"{NAME}.{form}.out.gz"))
    text = gzip.decompress((DATA / f"{NAME}.{form}.out.gz").read_bytes()).decode()
    assert len(found.sightings) == text.count("==>") > 300
    lit = [row for row in found.sightings if row.seen]
    assert len(lit) == text.count("LinkUp") == 2 * 127
    assert {row.speed_bps for row in lit} == {200e9}
    assert {(row.device, row.port) for row in lit} == {(row.peer, row.peer_port) for row in lit}
    assert ("node0064", "mlx5_0", "leaf008", "8") in {(r.device, r.port, r.peer, r.peer_port) for r in lit}
    assert not found.findings


def test_dark_ports_are_told() -> None:
    found = read_dump(str(DATA / f"{NAME}.iblinkinfo.out.gz"))
    assert ("leaf003", "13", False) in {(row.device, row.port, row.seen) for row in found.sightings}


@pytest.mark.parametrize("form", ["json", "json0"])
@pytest.mark.parametrize(
    ("host", "rows"),
    [
        ("leaf1", {("swp1s0", "gpu01", "rail0"), ("swp1s1", "gpu02", "rail0")}),
        ("gpu01", {("rail0", "leaf1", "swp1s0"), ("rail1", "leaf2", "swp1s0")}),
    ],
)
def test_lldpd(host: str, rows: set[tuple[str, str, str]], form: str) -> None:
    found = read_dump(str(DATA / "lldp" / f"{host}.{form}"))
    assert found.reporters == {host}
    assert {(row.port, row.peer, row.peer_port) for row in found.sightings} == rows


def test_lldpd_with_one_neighbour_is_a_mapping() -> None:
    document = json.loads((DATA / "lldp" / "leaf1.json").read_text())
    document["lldp"]["interface"] = document["lldp"]["interface"][0]
    found = dump_from("leaf1.json", json.dumps(document).encode())
    assert [(row.port, row.peer) for row in found.sightings] == [("swp1s0", "gpu01")]


def test_mac_port_identity_gives_way_to_the_description() -> None:
    port = {"id": {"type": "mac", "value": "00:11:22:33:44:55"}, "descr": "rail3", "ttl": "120"}
    entry = {"age": "0 day, 00:01:00", "chassis": {"id": {"type": "mac", "value": "aa:bb:cc:dd:ee:ff"}}, "port": port}
    text = json.dumps({"lldp": {"interface": {"swp9": entry}}})
    (row,) = dump_from("leaf1.json", text.encode()).sightings
    assert (row.peer, row.peer_port) == ("aa:bb:cc:dd:ee:ff", "rail3")


def test_eos_table() -> None:
    text = (
        '{"lldpNeighbors": [{"port": "Ethernet1/1", "neighborDevice": "gpu01.example.org", "neighborPort": "rail0"}]}'
    )
    (row,) = dump_from("leaf1.json", text.encode()).sightings
    assert (row.device, row.port, row.peer, row.peer_port) == ("leaf1", "Ethernet1/1", "gpu01.example.org", "rail0")


def test_eos_detail_as_published() -> None:
    path = SHARED / "formats/real/eos-lldp-neighbors-detail.json"
    if not path.is_file():
        pytest.skip("published files are not part of the repository")
    rows = {(row.port, row.peer, row.peer_port) for row in read_dump(str(path)).sightings}
    assert ("Ethernet8", "78m3", "eth3") in rows
    assert len(rows) == sum(len(entry["lldpNeighborInfo"]) for entry in _neighbours(path).values())


def _neighbours(path: Path) -> dict[str, dict[str, list[object]]]:
    found: dict[str, dict[str, list[object]]] = json.loads(path.read_text())["lldpNeighbors"]
    return found


def test_junos_and_nxos() -> None:
    junos = {
        "lldp-neighbors-information": [
            {
                "lldp-neighbor-information": [
                    {
                        "lldp-local-port-id": [{"data": "et-0/0/1"}],
                        "lldp-remote-system-name": [{"data": "gpu01"}],
                        "lldp-remote-port-id": [{"data": "rail0"}],
                    }
                ]
            }
        ]
    }
    nxos = {"TABLE_nbor_detail": {"ROW_nbor_detail": {"l_port_id": "Eth1/1", "sys_name": "gpu01", "port_id": "rail0"}}}
    for port, document in (("et-0/0/1", junos), ("Eth1/1", nxos)):
        (row,) = dump_from("leaf1.json", json.dumps(document).encode()).sightings
        assert (row.device, row.port, row.peer, row.peer_port) == ("leaf1", port, "gpu01", "rail0")


def test_several_devices_in_one_file() -> None:
    parts = {host: json.loads((DATA / "lldp" / f"{host}.json0").read_text()) for host in ("leaf1", "gpu01")}
    found = dump_from("all.json", json.dumps(parts).encode())
    assert found.reporters == {"leaf1", "gpu01"}
    assert len(found.sightings) == 4


TABLE = "a_device,a_port,z_device,z_port,speed_gbps,seen,module,rx_power_dbm\n"


def test_table_rows() -> None:
    text = TABLE + "gpu01,rail0,leaf0,swp1s0,400,yes,,\nleaf0,swp2,,,,no,present,-40\ngpu02,rail0,leaf0,swp1s1,,,,\n"
    lit, dark, unseen = dump_from("built.csv", text.encode()).sightings
    assert (lit.seen, lit.speed_bps) == (True, 400e9)
    assert (dark.seen, dark.device, dark.peer, dark.module, dark.rx_power_dbm) == (False, "leaf0", "", "present", -40.0)
    assert unseen.seen is None


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ('{"lldp": {"interface": [', "1:", "no whole JSON"),
        ('{"lldpx": 1}\n', "1:1", "holds no neighbours"),
        ("a_device,a_port,seen\n", "1:1", "holds no row"),
        ("a_device,a_port,seen\n" + '"x', "2:1", "cannot be read"),
        ("nothing at all", "1:1", "holds no neighbours"),
    ],
)
def test_broken_files_are_refused(text: str, place: str, word: str) -> None:
    with pytest.raises(InputError) as refusal:
        dump_from("x", text.encode())
    assert f"x:{place}" in str(refusal.value)
    assert word in str(refusal.value)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InputError, match="lldp"):
        dump_from("x", b"", "lldb")


def test_eos_entries_that_grew_old_are_left_out() -> None:
    def entry(name: str, heard_s: float) -> dict[str, object]:
        port = {"interfaceIdType": "interfaceName", "interfaceId": '"rail0"'}
        return {"systemName": name, "ttl": 120, "lastContactTime": heard_s, "neighborInterfaceInfo": port}

    rows = {f"Ethernet{n}": {"lldpNeighborInfo": [entry(f"gpu{n}", 1000.0 - 200 * n)]} for n in range(4)}
    found = dump_from("leaf1.json", json.dumps({"lldpNeighbors": rows}).encode())
    assert [(row.peer, row.peer_port) for row in found.sightings] == [("gpu0", "rail0"), ("gpu1", "rail0")]
