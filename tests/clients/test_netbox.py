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
from fabrictool.cabling.panel_table import hanging, patches_of
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

_WIDE = {"name": "sw8", "ports": 8, "cage": "OSFP", "speed": "800G", "u": 1, "power_max": "500 W"}
PATCHED = {
    "name": "panels", "hosts": {"name": "h", "type": _HOST, "count": 8},
    "networks": {"compute": {
        "family": "fat-tree", "protocol": "ethernet", "speed": "400G", "levels": 2, "hosts_per_leaf": 4,
        "leaf": {"type": _SWITCH, "down": 4, "up": 2, "up_speed": "800G"}, "spine": {"type": _WIDE, "count": 2},
    }},
    "racks": {"type": "rack-48u", "hosts_per_rack": 3},
    "placement": {"switches": "in-rack"},
    "cabling": {"panels": {"ports": 8}, "avoid": ["dac", "acc", "aec", "aoc"]},
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


def exported(folder: Path, tree: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that ``export`` writes of a layout."""
    (folder / "site.json").write_text(json.dumps(tree), encoding="utf-8")
    subprocess.run([*PROGRAM, "export", str(folder / "site.json"), "--to", "netbox", "--port-names", "cumulus", "-o",
                    str(folder / "netbox")], check=True, timeout=120)  # fmt: skip
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "netbox").iterdir())}


@pytest.fixture(scope="module")
def netbox(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What NetBox holds after an import of what ``export`` writes."""
    return imported(exported(tmp_path_factory.mktemp("netbox"), TREE))


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same of a fabric over patch panels: 400G links on one fibre, 800G links on two."""
    return imported(exported(tmp_path_factory.mktemp("panels"), PATCHED))


def test_netbox_takes_all_files(netbox: dict[str, Any]) -> None:
    answers = netbox["answers"]
    assert {name: answer["status"] for name, answer in answers.items()} == dict.fromkeys(
        ("01-sites.csv", "02-manufacturers.csv", "03-device-roles.csv", "04-device-types.csv", "05-racks.csv",
         "06-devices.csv", "07-interfaces.csv", "08-cable-bundles.csv", "08-cables.csv"), 302
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


def test_netbox_takes_panels(patched: dict[str, Any]) -> None:
    answers = patched["answers"]
    assert {answer["status"] for answer in answers.values()} == {302}, answers
    assert [name for name in answers if "port" in name or "cable" in name] == [
        "08-rear-ports.csv", "09-front-ports.csv", "10-cable-bundles.csv", "10-cables.csv",
    ]  # fmt: skip


def test_ports_lead_over_panels_where_the_plan_says(patched: dict[str, Any]) -> None:
    """NetBox traces cord, trunk and cord; both fibres of a wide link end at the same port."""
    layout = layout_from_tree(PATCHED)
    fabric = build(layout)
    rows = planned_cables(layout, fabric).rows(named_ports(fabric, "cumulus", {}))
    over = [row for row in rows if row.a.place.rack != row.z.place.rack]
    assert {row.speed_bps for row in over} == {400e9, 800e9}
    for row in rows:
        for near, far in ((row.a, row.z), (row.z, row.a)):
            reached = patched["reached"][f"{near.place.device}:{near.called}"]
            assert reached == [f"{far.place.device}:{far.called}"]


def test_panels_stand_in_their_units_with_trunks_as_bundles(patched: dict[str, Any]) -> None:
    layout = layout_from_tree(PATCHED)
    plan = planned_cables(layout, build(layout)).plan
    wanted = [(one.name, one.rack, one.unit, one.side, 1.0) for one in hanging(plan)]
    panels = [row for row in patched["devices"] if row["role"] == "panel"]
    found = [(row["name"], row["rack"], row["position"], row["face"], row["height"]) for row in panels]
    assert sorted(found) == sorted(wanted)
    fibres = patches_of(plan)
    trunks = [cable for cable in patched["cables"] if cable["kinds"] == ["rearport", "rearport"]]
    assert Counter(cable["bundle"] for cable in trunks) == Counter(fibre.trunk for fibre in fibres)
    cords = [cable for cable in patched["cables"] if cable["kinds"] == ["interface", "frontport"]]
    assert len(cords) == 2 * len({fibre.cable_id for fibre in fibres})
