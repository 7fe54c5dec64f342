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
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import fabrics
import pytest

from fabrictool.fabric import Fabric
from fabrictool.formats import netbox
from fabrictool.formats.plan_rows import cable_rows
from fabrictool.formats.port_naming import named_ports
from fabrictool.records import CableRow, Place

COMMAND = os.environ.get("FABRICTOOL_NETBOX", "")
IMPORTER = Path(__file__).with_name("netbox_import.py").read_text(encoding="utf-8")
#: 800G cages of two 400G ports.
TWIN = {"name": "twin", "ports": 32, "cages": 16, "speed": "400G", "latency": "0 ns"}

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
def design() -> tuple[Fabric, list[CableRow]]:
    """4 hosts of 2 rails below 2 leaves and 2 spines: splitters to hosts, twin-port cables above, one loose link."""
    leaf, spine = {"type": TWIN}, {"type": TWIN, "count": 1}
    fabric = fabrics.rails(4, 2, 4, 1, protocol="ethernet", leaf=leaf, spine=spine)
    words = named_ports(fabric, "cumulus", {})
    places = {name: Place(name, rack="R01", unit=row + 1) for row, name in enumerate(fabric.names)}
    found = []
    for row in cable_rows(fabric, words, places):
        end, medium = (row.z, "aoc") if row.a.kind == "host" else (row.a, "dac")
        identity = f"{end.place.device}-{end.cage}"
        found.append(replace(row, cable_id=identity, media=medium, length_m=2.5, colour="blue"))
    found[-2:] = [replace(row, cable_id=f"loose-{place}") for place, row in enumerate(found[-2:])]
    return fabric, found


@cache
def held() -> dict[str, Any]:
    fabric, rows = design()
    places = {name: Place(name, rack="R01", unit=row + 1) for row, name in enumerate(fabric.names)}
    types = {"twin": netbox.TypeFacts("NVIDIA", 1, "SW-1"), "h": netbox.TypeFacts("Generic", 1)}
    words = named_ports(fabric, "cumulus", {})
    inventory = netbox.Inventory(fabric, words, places, types, {"R01": 52}, {"blue": "1f77b4"})
    return imported(netbox.write(inventory, rows))


def test_netbox_takes_all_files() -> None:
    answers = held()["answers"]
    assert {name: answer["status"] for name, answer in answers.items()} == dict.fromkeys(
        ("01-sites.csv", "02-manufacturers.csv", "03-device-roles.csv", "04-device-types.csv", "05-racks.csv",
         "06-devices.csv", "07-interfaces.csv", "08-cables.csv"), 302
    ), answers  # fmt: skip


def test_every_port_leads_where_the_plan_says() -> None:
    """NetBox traces its cables through plugs and channels: its word for each end is the far end of the plan."""
    _, rows = design()
    wanted = {}
    for row in rows:
        for near, far in ((row.a, row.z), (row.z, row.a)):
            wanted[f"{near.place.device}:{near.called}"] = [f"{far.place.device}:{far.called}"]
    reached = held()["reached"]
    assert {port: reached[port] for port in wanted} == wanted


def test_cables_keep_profile_length_type_and_colour() -> None:
    _, rows = design()
    cables = held()["cables"]
    assert Counter(cable["profile"] for cable in cables) == {
        "breakout-1c2p-2c1p": 4, "single-1c2p": 3, "single-1c1p": 2,
    }  # fmt: skip
    assert {cable["label"] for cable in cables} == {row.cable_id for row in rows}
    facts = {(cable["type"], cable["length"], cable["unit"], cable["colour"], cable["status"]) for cable in cables}
    assert facts == {(kind, 2.5, "m", "1f77b4", "planned") for kind in ("aoc", "dac-passive")}


def test_devices_stand_where_they_are_placed() -> None:
    fabric, _ = design()
    assert [(row["name"], row["rack"], row["position"], row["height"]) for row in held()["devices"]] == sorted(
        (name, "R01", row + 1.0, 1.0) for row, name in enumerate(fabric.names)
    )
