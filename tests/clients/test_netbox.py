"""NetBox's own import views on our files, and what NetBox then holds.

Its empty database takes five minutes to set up, so this runs where FABRICTOOL_NETBOX is a command that runs the Python
of an environment with NetBox 4.7, ready for ``django.setup()``; ``.ci/netbox start FOLDER`` makes one and prints it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM

from fabrictool.cable_plan import planned_cables
from fabrictool.cabling.media import colour_hex
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import places_of
from fabrictool.formats.port_naming import named_ports
from fabrictool.generators.building import build
from fabrictool.layout.reading import layout_from_tree
from fabrictool.records import CableRow

COMMAND = os.environ.get("FABRICTOOL_NETBOX", "")
IMPORTER = Path(__file__).with_name("netbox_import.py").read_text(encoding="utf-8")
_SWITCH = {"name": "sw16", "ports": 16, "cages": 8, "cage": "OSFP", "speed": "400G", "u": 1, "vendor": "NVIDIA",
           "power_max": "500 W"}  # fmt: skip
_HOST = {"name": "h4", "gpus": 1, "nics": [{"role": "compute", "count": 1, "speed": "400G", "cage": "QSFP112"}], "u": 4,
         "vendor": "NVIDIA", "power_max": "5 kW"}  # fmt: skip
TREE = {
    "name": "splitters", "hosts": {"name": "h", "type": _HOST, "count": 7},
    "networks": {"compute": {
        "family": "fat-tree", "protocol": "ethernet", "speed": "400G", "levels": 2, "hosts_per_leaf": 4,
        "leaf": {"type": _SWITCH}, "spine": {"type": _SWITCH},
        "cables": {"host": "per-upper-cage", "fabric": "per-cage"},
    }},
    "racks": {"type": "rack-48u", "hosts_per_rack": 8},
}  # fmt: skip

pytestmark = pytest.mark.skipif(not COMMAND, reason="FABRICTOOL_NETBOX is no command that runs NetBox's Python")


def imported(files: Mapping[str, str]) -> dict[str, Any]:
    """Empty NetBox, import files, and return its answers and what it holds."""
    done = subprocess.run(
        [*shlex.split(COMMAND), "-c", IMPORTER], input=json.dumps({"": ""} | dict(files)), capture_output=True,
        text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@cache
def design() -> tuple[PlanReport, list[CableRow]]:
    """7 hosts, 2 leaves and a spine: splitters to hosts, one host alone in a cage, twin-port cables above."""
    layout = layout_from_tree(TREE)
    fabric = build(layout)
    report = planned_cables(layout, fabric)
    return report, report.rows(named_ports(fabric, "cumulus", {}))


@pytest.fixture(scope="module")
def netbox(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What NetBox holds after an import of what ``export`` writes."""
    folder = tmp_path_factory.mktemp("netbox")
    (folder / "site.json").write_text(json.dumps(TREE), encoding="utf-8")
    subprocess.run([*PROGRAM, "export", str(folder / "site.json"), "--to", "netbox", "--port-names", "cumulus", "-o",
                    str(folder / "netbox")], check=True, timeout=120)  # fmt: skip
    return imported({path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "netbox").iterdir())})


def test_netbox_takes_all_files(netbox: dict[str, Any]) -> None:
    answers = netbox["answers"]
    assert {name: answer["status"] for name, answer in answers.items()} == dict.fromkeys(
        ("01-sites.csv", "02-manufacturers.csv", "03-device-roles.csv", "04-device-types.csv", "05-racks.csv",
         "06-devices.csv", "07-interfaces.csv", "08-cables.csv"), 302
    ), answers  # fmt: skip


def test_every_port_leads_where_the_plan_says(netbox: dict[str, Any]) -> None:
    """NetBox traces its cables through plugs and channels: its word for each end is the far end of the plan."""
    _, rows = design()
    wanted = {}
    for row in rows:
        for near, far in ((row.a, row.z), (row.z, row.a)):
            wanted[f"{near.place.device}:{near.called}"] = [f"{far.place.device}:{far.called}"]
    assert {port: netbox["reached"][port] for port in wanted} == wanted


def test_cables_keep_profile_length_type_and_colour(netbox: dict[str, Any]) -> None:
    _, rows = design()
    cables = netbox["cables"]
    assert Counter(cable["profile"] for cable in cables) == {
        "breakout-1c2p-2c1p": 3, "single-1c1p": 1, "single-1c2p": 4,
    }  # fmt: skip
    words = {"dac": "dac-passive", "aec": "dac-active", "mmf": "mmf-om4"}
    wanted = {row.cable_id: (words[row.media], row.length_m, "m", colour_hex(row.colour), "planned") for row in rows}
    found = {row["label"]: (row["type"], row["length"], row["unit"], row["colour"], row["status"]) for row in cables}
    assert found == wanted


def test_devices_stand_where_they_are_placed(netbox: dict[str, Any]) -> None:
    report, _ = design()
    heights = {"h4": 4.0, "sw16": 1.0}
    wanted = [(place.device, place.rack, place.unit) for place in places_of(report.plan)]
    assert sorted((row["name"], row["rack"], row["position"]) for row in netbox["devices"]) == sorted(wanted)
    assert {(row["type"], row["height"]) for row in netbox["devices"]} == set(heights.items())
