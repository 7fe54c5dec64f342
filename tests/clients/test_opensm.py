"""The real subnet manager on our exports: it brings them up, takes our tables, and computes the same ones."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path

import fabrics
import numpy as np
import opensm
import pytest
from clients.subnet import Subnet, needed, subnet
from foreign import own

from fabrictool.fabric import Fabric
from fabrictool.fabric.edits import edit
from fabrictool.fabric.faults import faults_of_rows
from fabrictool.formats.identities import identities
from fabrictool.formats.lfts import opensm_dump, read_tables
from fabrictool.formats.netfile import netfile, root_guids
from fabrictool.formats.recognise import imported
from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.exported import forwarding_table
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.imported import read_routing
from fabrictool.routing.modk import ModK
from fabrictool.routing.up_down import roots
from fabrictool.routing.wiring import wiring

FABRICS = {
    "ft64": fabrics.pgft((8, 8), (1, 8), (1, 1)),
    "k4": fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1)),
    "pgft128": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "short leaves": fabrics.pgft((6, 5), (1, 4), (1, 1), ports=27),
    "superpod unit": fabrics.rails(32, 8, 32, 4, up=32),
    "two units": fabrics.rails(12, 4, 4, 4),
}
ENGINE = "Mellanox Technologies Aggregation Node"
ENGINES = {"min-hop": "minhop", "up-down": "updn", "ftree": "ftree"}


def _text(fabric: Fabric, hca: bool = False) -> str:
    return "".join(netfile(fabric, 0, ibsim=True, hca=hca))


def _came_up(log: str, engine: str) -> bool:
    return "SUBNET UP" in log and f"{engine} tables configured on all switches" in log


def _roots(fabric: Fabric, running: Subnet) -> str:
    found = wiring(fabric, 0)
    guids = identities(fabric, 0).switch_guid[found.switch[roots(found)]].tolist()
    (running.folder / "roots").write_text(root_guids(guids))
    return str(running.folder / "roots")


@pytest.mark.parametrize("name", sorted(FABRICS))
def test_opensm_computes_our_tables(name: str, tmp_path: Path) -> None:
    for engine in ENGINES:
        (tmp_path / engine).mkdir()
        _assert_same_tables(FABRICS[name], engine, tmp_path / engine)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["ft64", "k4", "pgft128", "two units"])
def test_opensm_computes_our_tables_where_cables_lack(name: str, seed: int, tmp_path: Path) -> None:
    """Some cables between switches are not there, and OpenSM routes from nothing: so they are no faults to repair."""
    fabric = FABRICS[name]
    tier = fabric.devices.tier
    between = np.flatnonzero((tier[fabric.ends[0]] > 0) & (tier[fabric.ends[1]] > 0))
    lost = np.random.default_rng(seed).choice(between, 6, replace=False)
    fabric = edit(fabric, drop=[fabric.port_name(int(fabric.links.port_a[link])) for link in lost])
    for engine in ENGINES:
        (tmp_path / engine).mkdir()
        _assert_same_tables(fabric, engine, tmp_path / engine)


def _assert_same_tables(fabric: Fabric, engine: str, folder: Path) -> None:
    with subnet(folder, _text(fabric)) as running:
        log = running.opensm("-R", f"{ENGINES[engine]},no_fallback", "-a", _roots(fabric, running))
    assert _came_up(log, ENGINES[engine])
    ours = routing_of(wiring(fabric, 0), Stated(name=engine))
    assert isinstance(ours, TableRouting)
    assert _differences(ours, folder) == []


@pytest.mark.parametrize("engine", ["min-hop", "up-down"])
@pytest.mark.parametrize("name", ["ft64", "k4", "pgft128"])
def test_a_running_opensm_repairs_its_tables_as_we_do(name: str, engine: str, tmp_path: Path) -> None:
    """Three cables between leaves and spines go down: what is live and shortest stays, the rest is balanced anew."""
    fabric = FABRICS[name]
    tier = fabric.devices.tier
    ups = np.flatnonzero(tier[fabric.ends[0]] == 1)
    lost = np.random.default_rng(4).choice(ups, 3, replace=False).tolist()
    before, after = (
        routing_of(wiring(fabric, 0, faults_of_rows(fabric, links)), Stated(name=engine)) for links in ([], lost)
    )
    with subnet(tmp_path, _text(fabric)) as running:
        options = ("-R", ENGINES[engine], "-a", _roots(fabric, running))
        with running.managed(*options) as manager:
            assert isinstance(before, TableRouting)
            assert isinstance(after, TableRouting)
            assert _settled(before, tmp_path)
            ids = identities(fabric, 0)
            for link in lost:
                port = int(fabric.links.port_a[link])
                guid = int(ids.switch_guid[fabric.ports.device[port]])
                running.console(f'Unlink "S-{guid:016x}"[{fabric.ports.number[port]}]')
            time.sleep(1.0)
            manager.send_signal(signal.SIGHUP)
            assert _settled(after, tmp_path)
            assert opensm.ports_of(before) != opensm.ports_of(after)


def _settled(ours: TableRouting, folder: Path, limit_s: float = 20.0) -> bool:
    """Wait for OpenSM, whose log comes late, to write the tables that are ours."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        with suppress(FileNotFoundError, KeyError):
            if _differences(ours, folder) == []:
                return True
        time.sleep(0.2)
    return False


def _differences(ours: TableRouting, folder: Path) -> list[tuple[str, int, int]]:
    ids = identities(ours.wiring.fabric, 0)
    guid = ids.switch_guid[ours.wiring.switch].tolist()
    lid = ids.port_lid[ours.wiring.terminals.port].tolist()
    return opensm.differences(ours, opensm.tables_in(folder / "opensm-lfts.dump"), guid, lid)


@pytest.mark.parametrize("engine", ["d-mod-k", "min-hop", "ftree"])
@pytest.mark.parametrize("name", ["ft64", "superpod unit", "pgft128"])
def test_opensm_takes_our_tables_and_finds_no_loop(name: str, engine: str, tmp_path: Path) -> None:
    fabric = FABRICS[name]
    ours = routing_of(wiring(fabric, 0), Stated(name=engine))
    ours = ours.table() if isinstance(ours, ModK) else ours
    assert isinstance(ours, TableRouting)
    with subnet(tmp_path, _text(fabric, hca=True)) as running:
        (tmp_path / "ours.lfts").write_text("".join(opensm_dump(forwarding_table(ours, hca=True))))
        log = running.opensm("-R", "file,no_fallback", "-U", str(tmp_path / "ours.lfts"))
        assert _came_up(log, "file")
        found = running.ibdmchk()
        listing = running.run("dump_lfts")
    assert "-I- no credit loops found" in found
    assert "-E-" not in found.replace("-E- Wrong link speed", "")
    count = len(ours.wiring.terminals)
    assert f"-I- Scanned:{count * (count - 1)} CA to CA paths" in found
    (tmp_path / "dump_lfts.out").write_text(listing)
    for written in ("opensm-lfts.dump", "opensm.fdbs", "dump_lfts.out"):
        back, findings = read_routing(ours.wiring, str(tmp_path / written))
        assert not [finding for finding in findings if finding.severity == "error"]
        assert np.array_equal(back.out, ours.out)


def test_what_opensm_discovers_is_what_we_exported(tmp_path: Path) -> None:
    fabric = FABRICS["superpod unit"]
    with subnet(tmp_path, _text(fabric)) as running:
        log = running.opensm("-R", "minhop")
        assert _came_up(log, "minhop")
        (tmp_path / "ibnetdiscover.out").write_text(running.run("ibnetdiscover"))
    found = imported(str(tmp_path / "ibnetdiscover.out"))
    assert found is not None
    assert not found.findings
    assert sorted(found.fabric.names) == sorted(fabric.names)
    assert len(found.fabric.links) == len(fabric.links)
    assert sorted(found.fabric.devices.tier.tolist()) == sorted(fabric.devices.tier.tolist())


def _with_engines(text: str) -> str:
    """Hang an aggregation engine on the last port of three switches, so that they carry more than others."""
    blocks = text.split("\n\n")
    switches = [place for place, block in enumerate(blocks) if "\nSwitch" in block]
    engines = []
    for number, place in enumerate(switches[2:5]):
        switch, lid, guid = blocks[place].split('"')[1], 500 + number, 0x02FAB003_00000000 + (number << 8)
        blocks[place] = blocks[place].replace("Switch\t8 ", "Switch\t9 ")
        blocks[place] += f'\n[9]\t"H-{guid:016x}"[1]({guid + 1:x})\t# "{ENGINE}" lid {lid} 4xHDR'
        engines.append(
            f'devid=0xcf09\ncaguid=0x{guid:x}\nCa\t1 "H-{guid:016x}"\t# "{ENGINE}"\n'
            f'[1]({guid + 1:x}) \t"{switch}"[9]\t# lid {lid} lmc 0 "x" lid 1 4xHDR'
        )
    return "\n\n".join([*blocks[:-1], *engines, ""])


def test_engines_in_switches_count_in_opensm_s_balance(tmp_path: Path) -> None:
    k4 = fabrics.pgft((2, 2, 4), (1, 2, 2), (1, 1, 1), leaf={"type": fabrics.SWITCH | {"ports": 8}})
    text = _with_engines(_text(k4))
    with subnet(tmp_path, text) as running:
        assert _came_up(running.opensm("-R", "minhop"), "minhop")
    found = imported(str(tmp_path / "fabric.net"))
    assert found is not None
    assert found.set_apart["aggregation_nodes"] == 3
    ours = routing_of(wiring(found.fabric, 0), Stated(name="min-hop"))
    assert isinstance(ours, TableRouting)
    assert _differences(ours, tmp_path) == []
    without = routing_of(wiring(k4, 0), Stated(name="min-hop"))
    assert isinstance(without, TableRouting)
    assert opensm.ports_of(ours) != opensm.ports_of(without)


def test_a_ring_has_the_loops_that_ibdmchk_finds(tmp_path: Path) -> None:
    fabric = own("infiniband/ring6.net.gz").fabric
    ours = routing_of(wiring(fabric, 0), Stated(name="up-down"))
    assert isinstance(ours, TableRouting)
    with subnet(tmp_path, _text(fabric, hca=True)) as running:
        assert _came_up(running.opensm("-R", "minhop"), "minhop")
        assert "-E- credit loops in routing" in running.ibdmchk()
        (tmp_path / "ours.lfts").write_text("".join(opensm_dump(forwarding_table(ours))))
        assert _came_up(running.opensm("-R", "file,no_fallback", "-U", str(tmp_path / "ours.lfts")), "file")
        found = running.ibdmchk()
    assert "-I- no credit loops found" in found
    assert read_tables(str(tmp_path / "opensm-lfts.dump"))[0].switches
    needed()
