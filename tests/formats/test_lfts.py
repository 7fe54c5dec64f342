"""Listings of forwarding tables: three forms of one run agree, and broken ones are told line by line."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import opensm
import pytest

from fabrictool.errors import InputError
from fabrictool.formats.lfts import dump_lfts, opensm_dump, read, read_tables
from fabrictool.records import Destination, ForwardingTable

RUN = "ft2_64_faillink"
FORMS = ("dump_lfts.out", "opensm-lfts.dump", "opensm.fdbs")
SMALL = """Unicast lids [0-4] of switch Lid 1 guid 0x0000000000000010 ('leaf'):
0x0001 000 # Switch portguid 0x0000000000000010: 'leaf'
0x0003 002 # Channel Adapter portguid 0x0000000000000031: 'host mlx5_0'
0x0004 001 # Channel Adapter portguid 0x0000000000000041: 'other mlx5_0'
4 lids dumped
"""


def _entries(table: ForwardingTable) -> opensm.Tables:
    return {
        switch.guid: dict(zip(switch.lids.tolist(), switch.ports.tolist(), strict=True)) for switch in table.switches
    }


@pytest.mark.parametrize("form", FORMS)
def test_three_forms_of_one_run_hold_the_same_tables(form: str) -> None:
    table, findings = read_tables(str(opensm.DATA / f"{RUN}.{form}.gz"))
    assert not findings
    assert _entries(table) == opensm.tables_in(opensm.DATA / f"{RUN}.ftree.lfts.gz")
    assert sum(len(switch.lids) for switch in table.switches) == 1214  # 16 x 80 less 56 + 10 of spines and leaf 3


def test_places_names_and_guids_are_kept() -> None:
    table, _ = read_tables(str(opensm.DATA / f"{RUN}.opensm-lfts.dump.gz"))
    leaf = next(switch for switch in table.switches if switch.description == "leaf001")
    assert (leaf.lid, leaf.guid, leaf.line) == (1, 0x0C42A10300000010, 76)
    assert (leaf.lids[0], leaf.ports[0], leaf.lines[0]) == (1, 0, 77)
    assert table.destinations[80] == Destination("Channel Adapter", 0xB8599F0300000401, "node0064 mlx5_0")


def test_what_opensm_wrote_is_written_again_byte_for_byte() -> None:
    path = opensm.DATA / f"{RUN}.opensm-lfts.dump.gz"
    table, _ = read_tables(str(path))
    assert "".join(opensm_dump(table)).encode() == gzip.decompress(path.read_bytes())


def test_written_listings_are_read_back() -> None:
    table, _ = read_tables(str(opensm.DATA / f"{RUN}.dump_lfts.out.gz"))
    for text in ("".join(dump_lfts(table)), "".join(opensm_dump(table))):
        again, findings = read("again", text)
        assert not findings
        assert _entries(again) == _entries(table)
        assert again.destinations == table.destinations
        assert [switch.description for switch in again.switches] == [switch.description for switch in table.switches]


def test_xz_is_read(tmp_path: Path) -> None:
    (tmp_path / "small.xz").write_bytes(lzma.compress(SMALL.encode()))
    assert len(read_tables(str(tmp_path / "small.xz"))[0].switches[0].lids) == 3


@pytest.mark.parametrize(
    ("before", "after", "identity", "line", "says"),
    [
        ("4 lids dumped\n", "", "lft-cut", 1, "no closing line"),
        ("4 lids", "2 lids", "lft-cut", 1, "4 as its highest LID, but its closing line says 2"),
        ("4 lids dumped", "7 valid lids dumped", "lft-cut", 1, "has 3 entries, but its closing line says 7"),
        ("0x0003 002", "0x0003 xyz", "line-unreadable", 3, "is no entry"),
        ("0x0003 002", "0xC001 002", "lft-impossible", 3, "LID 0xc001"),
        ("0x0003 002", "0x0003 777", "lft-impossible", 3, "port 777"),
        ("0x0004 001", "0x0003 001", "lft-entry-twice", 4, "but by port 2 in line 3"),
        ("0x0001 000", "ibwarn: [7] oops\n0x0001 000", "line-unreadable", 2, "ibwarn"),
        ("4 lids dumped", "4 lids dumped\n0x0002 001 :", "line-unreadable", 6, "of no switch"),
    ],
)
def test_broken_listings(before: str, after: str, identity: str, line: int, says: str) -> None:
    _, findings = read("small", SMALL.replace(before, after))
    assert [(finding.id, finding.where) for finding in findings] == [(identity, f"small:{line}")]
    assert says in findings[0].message


def test_a_switch_that_stands_twice_has_its_later_table() -> None:
    table, findings = read("small", SMALL + SMALL.replace("0x0003 002", "0x0003 003"))
    assert [(finding.id, finding.where) for finding in findings] == [("device-twice", "small:6")]
    assert _entries(table) == {0x10: {1: 0, 3: 3, 4: 1}}


@pytest.mark.parametrize("text", ["", "no table\n", "Unicast lids [0-4] of switch Lid 1 guid 0x10 ('leaf'):\n"])
def test_no_table_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="small:1:1: holds no forwarding table"):
        read("small", text)
