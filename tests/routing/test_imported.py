"""Imported tables: OpenSM's own give OpenSM's own loads, ours come back, and faults are found at their lines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fabrics
import numpy as np
import opensm
import pytest
from foreign import own

from fabrictool.errors import InputError
from fabrictool.fabric.faults import faults_by_name
from fabrictool.formats.lfts import dump_lfts, opensm_dump, read, read_tables
from fabrictool.records import Finding
from fabrictool.routing.exported import forwarding_table
from fabrictool.routing.flows import flows
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.imported import imported_routing, read_routing
from fabrictool.routing.min_hop import min_hop
from fabrictool.routing.modk import ModK
from fabrictool.routing.wiring import Wiring, wiring

DUMPED = sorted(tuple(path.name.split(".")[:2]) for path in opensm.DATA.glob("*.lfts.gz"))
FT16 = fabrics.pgft((4, 4), (1, 4), (1, 1))


@pytest.mark.parametrize(("case", "engine"), DUMPED)
def test_opensm_s_tables_give_opensm_s_loads(case: str, engine: str) -> None:
    stated = json.loads((opensm.DATA / f"{case}.expected.json").read_text())["engines"][engine]
    found = wiring(own(f"infiniband/{case}.net.gz").fabric, 0)
    routing, findings = read_routing(found, str(opensm.DATA / f"{case}.{engine}.lfts.gz"))
    assert not findings
    assert routing.name == "lft"
    load, hops = routing.all_to_all()
    between = found.ways.channel
    spread = stated["alltoall_flows_per_isl"]
    assert (load[between].max(), load[between].min()) == (spread["max"], spread["min"])
    assert round(load[between].mean(), 3) == spread["mean"]
    crossing = routing.destinations()[between]
    assert {"max": crossing.max(), "min": crossing.min()} == stated["dlids_per_isl"]
    assert {str(links - 1): pairs for links, pairs in hops.items()} == stated["switch_hops_hist"]
    worst = [_shift(routing, step)[between].max() for step in range(1, found.hosts)]
    shifts = stated["shift_max_isl_flows"]
    assert (len(worst), max(worst), round(float(np.mean(worst)), 4)) == (
        shifts["n_shifts"], shifts["worst"], shifts["mean"],
    )  # fmt: skip


def _shift(routing: TableRouting, step: int) -> np.ndarray:
    """Hosts in LID order, as this wiring has them: each sends to the one so many places on."""
    host = np.arange(routing.wiring.hosts)
    return routing.loads(flows(host, (host + step) % len(host)))


@pytest.mark.parametrize("made", [FT16, fabrics.rails(4, 4, 2, 2), own("infiniband/rail_4su.net.gz").fabric])
def test_our_tables_come_back(made) -> None:  # type: ignore[no-untyped-def]
    routing = min_hop(wiring(made, 0))
    back, findings = _again(routing, "")
    assert not findings
    assert np.array_equal(back.out, routing.out)


def _again(routing: TableRouting, before: str, after: str = "", onto: Wiring | None = None):  # type: ignore[no-untyped-def]
    text = "".join(opensm_dump(forwarding_table(routing)))
    assert before in text
    table, findings = read("x", text.replace(before, after) if before else text)
    back, more = imported_routing(onto or routing.wiring, table)
    return back, (*findings, *more)


def test_names_decide_where_guids_and_lids_are_others() -> None:
    """A fabric without GUIDs of its own, whose tables come from a subnet that has some, and other LIDs."""
    routing = min_hop(wiring(FT16, 0))
    table = forwarding_table(routing)
    switches = tuple(replace(entries, guid=entries.guid + 5, lids=entries.lids + 100) for entries in table.switches)
    others = {lid + 100: replace(to, guid=to.guid + 5) for lid, to in table.destinations.items()}
    back, findings = imported_routing(routing.wiring, replace(table, switches=switches, destinations=others))
    assert not findings
    assert np.array_equal(back.out, routing.out)


def test_a_port_that_got_another_lid_is_told_by_its_guid() -> None:
    routing = min_hop(wiring(own("infiniband/ft2_64.net.gz").fabric, 0))
    table = forwarding_table(routing)
    swap = {17: 18, 18: 17}
    switches = tuple(
        replace(entries, lids=np.array([swap.get(lid, lid) for lid in entries.lids.tolist()], np.int32))
        for entries in table.switches
    )
    others = {swap.get(lid, lid): to for lid, to in table.destinations.items()}
    back, findings = imported_routing(routing.wiring, replace(table, switches=switches, destinations=others))
    assert [finding.id for finding in findings] == ["lft-lid-moved"] * 2
    assert np.array_equal(back.out, routing.out)


def test_d_mod_k_of_a_listing_has_its_own_tables_too() -> None:
    found = wiring(own("infiniband/ft2_64.net.gz").fabric, 0)
    theirs, _ = read_routing(found, str(opensm.DATA / "ft2_64.ftree.lfts.gz"))
    assert np.array_equal(ModK("d-mod-k", found).table().out, theirs.out)


def _line(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def _ids(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.id for finding in findings]


def test_tables_of_another_fabric_are_refused() -> None:
    table, _ = read_tables(str(opensm.DATA / "ring6.minhop.lfts.gz"))
    with pytest.raises(InputError, match="none of its 6 switches is in network compute"):
        imported_routing(wiring(FT16, 0), table)
    foreign = replace(table, switches=tuple(replace(s, lids=s.lids + 4000) for s in table.switches), destinations={})
    with pytest.raises(InputError, match="LIDs is of a host in network infiniband"):
        imported_routing(wiring(own("infiniband/ring6.net.gz").fabric, 0), foreign)


def test_a_link_that_is_down_now_takes_its_entries_along() -> None:
    routing = min_hop(wiring(FT16, 0))
    broken = wiring(FT16, 0, faults_by_name(FT16, links=["leaf-01:6"]))
    back, findings = _again(routing, "", onto=broken)
    assert _ids(findings).count("lft-dead-port") == 2
    text = "".join(opensm_dump(forwarding_table(routing)))
    leaf = text.index("('leaf-01')")
    first = _line(text, text[text.index(" 006 # Channel", leaf) - 6 :][:40])
    assert findings[[f.where for f in findings].index(f"x:{first}")].id == "lft-dead-port"
    assert "and 2 more by port 6" in findings[[f.where for f in findings].index(f"x:{first}")].message
    assert _ids(findings).count("lft-unreachable") == 4  # hosts 6, 10, 14 from leaf 1, and host 2 by spine 2
    assert back.usage(flows([0], [6])).hops.tolist() == [4]


def test_a_missing_switch_and_an_unknown_one() -> None:
    routing = min_hop(wiring(FT16, 0))
    table = forwarding_table(routing)
    stranger = replace(table.switches[0], guid=99, description="stranger", line=7)
    back, findings = imported_routing(routing.wiring, replace(table, switches=(*table.switches[1:], stranger)))
    assert {"lft-unknown-switch", "lft-missing-switch", "lft-unreachable"} == set(_ids(findings))
    assert [finding.where for finding in findings if finding.id == "lft-unknown-switch"] == ["min-hop:7"]
    assert back.usage(flows([4], [8])).hops.tolist() == [4]


def test_a_loop_is_named_with_its_switches_and_line() -> None:
    """Spine 1 sends what is for host 1 down to leaf 2, which sends it up to spine 1."""
    routing = min_hop(wiring(FT16, 0))
    out = routing.out.copy()
    out[4, 0] = 1
    text = "".join(opensm_dump(forwarding_table(replace(routing, out=out))))
    _, findings = _again(replace(routing, out=out), "")
    assert _ids(findings) == ["lft-loop"]
    assert "traffic to host-01:1 runs in a loop" in findings[0].message
    assert {"leaf-02 - spine-01 - leaf-02", "spine-01 - leaf-02 - spine-01"} & {findings[0].message.rpartition(": ")[2]}
    line = text.split("\n")[int(findings[0].where.partition(":")[2]) - 1]
    assert line.endswith("'host-01 mlx5_0'")


def test_entries_for_nobody_and_for_a_wrong_port() -> None:
    routing = min_hop(wiring(FT16, 0))
    _, findings = _again(routing, "'host-01 mlx5_0'", "'host-77 mlx5_0'")
    assert not findings  # the GUID tells
    text = "".join(opensm_dump(forwarding_table(routing)))
    guid = text[text.index("'host-01 mlx5_0'") - 20 :][:18]
    _, findings = _again(routing, guid, "0x00000000000000aa")
    assert sorted(_ids(findings)) == ["lft-unknown-lid", "lft-unreachable"]
    _, findings = imported_routing(routing.wiring, read("x", text.replace("0x0009 001 ", "0x0009 004 ", 1))[0])
    assert _ids(findings) == ["lft-unreachable", "lft-dead-port"]
    assert "leaf-01 sends LID 0x0009 by port 4, which leads to no switch that is up" in findings[1].message
    assert findings[1].where == f"x:{_line(text, '0x0009 001 ')}"


def test_tables_of_leaves_that_nothing_joins_are_whole(tmp_path: Path) -> None:
    """A pair of leaves whose links are down: each serves its own ports, and nothing is wrong with the tables."""
    group = {"name": "h", "type": {"name": "h", "gpus": 0, "nics": 2, "speed": "100G"}, "count": 3}
    leaf = {"type": {"name": "s", "ports": 16, "speed": "100G"}}
    fabric = fabrics.fabric_of(group, family="switch-pair", isl=2, leaf=leaf, speed="100G")
    found = wiring(fabric, 0, faults_by_name(fabric, links=["leaf-01:4", "leaf-01:5"]))
    table = min_hop(found)
    (tmp_path / "lft.txt").write_text("".join(dump_lfts(forwarding_table(table))))
    again, findings = read_routing(found, str(tmp_path / "lft.txt"))
    assert findings == ()
    assert np.array_equal(again.out, table.out)
    assert again.all_to_all()[1] == {2: 6.0}
