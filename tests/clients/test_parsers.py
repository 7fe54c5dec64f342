"""The programs that our files are for read them: graphviz, slurmctld, the schema of containerlab, ibutils."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import fabrics
import pytest
import yaml
from clients.needed import missing, program
from clients.slurm import topology_shown
from foreign import SHARED
from jsonschema import Draft7Validator, Draft202012Validator

from fabrictool.explore.routed import routed_network
from fabrictool.explore.simgrid_routes import simgrid_routes
from fabrictool.fabric import Fabric
from fabrictool.formats import containerlab, dot, ibutils_topo, simgrid, slurm
from fabrictool.formats.port_naming import named_ports

FABRICS = {
    "ft64": fabrics.pgft((8, 8), (1, 8), (1, 1)),
    "parallel cables": fabrics.pgft((8, 4, 4), (1, 4, 4), (1, 2, 2)),
    "rails": fabrics.rails(12, 4, 4, 4),
    "rail only": fabrics.rail_only(6, 4),
}


def hosts(fabric: Fabric) -> list[str]:
    return [name for name, tier in zip(fabric.names, fabric.devices.tier.tolist(), strict=True) if tier == 0]


@pytest.mark.parametrize("name", sorted(FABRICS))
def test_graphviz_counts_our_devices_and_links(name: str, tmp_path: Path) -> None:
    fabric = FABRICS[name]
    (tmp_path / "topology.dot").write_text(dot.write(fabric, named_ports(fabric, "cumulus", {})))
    counted = subprocess.run(
        (program("gc", "graphviz"), "-n", "-e", "topology.dot"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert counted.stderr == ""
    assert [int(word) for word in counted.stdout.split()[:2]] == [len(fabric.devices), len(fabric.links)]


def test_graphviz_writes_what_we_read(tmp_path: Path) -> None:
    fabric = FABRICS["rails"]
    (tmp_path / "topology.dot").write_text(dot.write(fabric))
    canonical = subprocess.run(
        (program("dot", "graphviz"), "-Tcanon", "topology.dot"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    after = dot.read("canonical", canonical.stdout).fabric
    assert sorted(after.names) == sorted(fabric.names)
    assert sorted(after.link_name(row) for row in range(len(after.links))) == sorted(
        fabric.link_name(row) for row in range(len(fabric.links))
    )
    assert after.links.speed_bps.tolist() == fabric.links.speed_bps.tolist()


@pytest.mark.parametrize("name", sorted(FABRICS))
def test_slurmctld_takes_our_tree(name: str, tmp_path: Path) -> None:
    fabric = FABRICS[name]
    shown, log = topology_shown(tmp_path, slurm.write(fabric), hosts(fabric))
    found = {row.split()[0]: row for row in shown.splitlines()}
    written = re.findall(r"^SwitchName=(\S+)", slurm.write(fabric), re.MULTILINE)
    assert sorted(found) == sorted(f"SwitchName={name}" for name in written)
    top = found[f"SwitchName={written[-1]}"]
    assert f"Nodes=host-[{hosts(fabric)[0][5:]}-{hosts(fabric)[-1][5:]}]" in top
    assert "lack access" not in log
    assert "no switch can reach all nodes" not in log


def test_slurmctld_refuses_what_we_call_an_error(tmp_path: Path) -> None:
    text = "SwitchName=a Nodes=host-[1-2]\nSwitchName=t Switches=a,b\n"
    shown, log = topology_shown(tmp_path, text, ["host-1", "host-2"])
    assert shown == ""
    assert "has invalid child" in log
    assert [f.id for f in slurm.read("topology.conf", text).findings if f.severity == "error"] == ["switch-unknown"]


@pytest.mark.parametrize("scheme", ["number", "cumulus", "junos", "eos"])
@pytest.mark.parametrize("name", sorted(FABRICS))
def test_containerlab_s_schema_takes_our_topology(name: str, scheme: str) -> None:
    place = SHARED / "formats" / "clab.schema.json"
    if not place.is_file():
        pytest.skip("the schema of containerlab is not here: it is not part of the repository")
    schema = json.loads(place.read_text().replace(r"%[\\p{N}\\p{L}]+", r"%\\w+"))
    fabric = FABRICS[name]
    document = yaml.safe_load(containerlab.write(fabric, named_ports(fabric, scheme, {})))
    for validator in (Draft7Validator, Draft202012Validator):
        assert [error.message for error in validator(schema).iter_errors(document)] == []
    used = [end for link in document["topology"]["links"] for end in link["endpoints"]]
    assert len(set(used)) == 2 * len(fabric.links)
    assert {end.partition(":")[0] for end in used} <= set(document["topology"]["nodes"])


def test_ibutils_reads_our_topo(tmp_path: Path) -> None:
    fabric = FABRICS["ft64"]
    (tmp_path / "a.topo").write_text(ibutils_topo.write(fabric))
    for name, text in ibutils_topo.written_definitions(fabric).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        (program("ibdmtr", "ibutils"), "-t", "a.topo", "-s", "host-01/U1", "-p", "1", "-d", "0,1,9,8,1"),
        cwd=tmp_path, env={"IBDM_IBNL_PATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "-W-" not in done.stdout
    assert "-I- Defined 80/80 systems/nodes" in done.stdout
    ways = re.findall(r"FROM Host:(\S+) Plug:(\S+)\s+Node:\S+ Port:\d+\s+TO   Host:(\S+) Plug:(\S+)", done.stdout)
    assert ways == [
        ("host-01", "P1", "leaf-01", "P1"), ("leaf-01", "P9", "spine-01", "P1"), ("spine-01", "P8", "leaf-08", "P9"),
        ("leaf-08", "P1", "host-57", "P1"),
    ]  # fmt: skip


#: Run by the system's own Python, for which Debian has SimGrid.
LOADER = """
import json, sys
from simgrid import Engine
engine = Engine(["check"])
engine.load_platform(sys.argv[1])
hosts = sorted(engine.all_hosts, key=lambda host: host.name)
ways = {}
for a in hosts:
    for z in hosts:
        if a.name != z.name:
            links, latency = a.route_to(z)
            ways[a.name + " " + z.name] = [[link.name for link in links], latency, links[0].bandwidth]
print(json.dumps(ways))
"""


@pytest.mark.parametrize("name", ["ft64", "rails"])
def test_simgrid_goes_our_routes(name: str, tmp_path: Path) -> None:
    fabric = FABRICS[name]
    routes = simgrid_routes(routed_network(fabric, "d-mod-k"))
    (tmp_path / "platform.xml").write_text("".join(simgrid.write(fabric, 0, routes)))
    python = program("python3", "python3", path="/usr/bin")
    if subprocess.run((python, "-c", "import simgrid"), capture_output=True, check=False).returncode:
        missing("needs SimGrid: install python3-simgrid")
    done = subprocess.run(
        (python, "-c", LOADER, "platform.xml"), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    ways = json.loads(done.stdout.splitlines()[-1])
    assert len(ways) == len(routes.routes) == len(routes.endpoints) * (len(routes.endpoints) - 1)
    speed = fabric.links.speed_bps.tolist() + [bps for _, bps, _ in routes.scale_up]
    for route in routes.routes:
        links, latency, bandwidth = ways[f"{route.source} {route.target}"]
        assert links == [f"l{channel // 2}_{'DOWN' if channel % 2 else 'UP'}" for channel in route.channels]
        assert bandwidth == pytest.approx(speed[route.channels[0] // 2] / 8, rel=1e-9)
        if all(channel < 2 * len(fabric.links) for channel in route.channels):
            assert latency == pytest.approx(500e-9 * len(links), rel=1e-6)
