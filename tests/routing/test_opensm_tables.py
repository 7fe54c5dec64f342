"""Our tables against those of OpenSM 3.3.23, entry for entry."""

from __future__ import annotations

import json

import fabrics
import opensm
import pytest
from foreign import own

from fabrictool.layout.network import Routing as Stated
from fabrictool.routing.choose import routing_of
from fabrictool.routing.forwarding import TableRouting
from fabrictool.routing.wiring import wiring

ENGINES = {"minhop": "min-hop", "updn": "up-down", "ftree": "ftree"}
LISTED = sorted(path.stem for path in opensm.DATA.glob("opensm-*.json"))
DUMPED = sorted(tuple(path.name.split(".")[:2]) for path in opensm.DATA.glob("*.lfts.gz"))


@pytest.mark.parametrize("name", LISTED)
def test_tables_of_trees(name: str) -> None:
    sample = json.loads((opensm.DATA / f"{name}.json").read_text())
    params = sample["fabric"]["params"]
    fabric = fabrics.pgft(tuple(params["m"]), tuple(params["w"]), tuple(params["p"]))
    found = routing_of(wiring(fabric, 0), Stated(name=ENGINES[name.split("-")[2]]))
    assert isinstance(found, TableRouting)
    assert opensm.ports_of(found) == list(sample["expect"]["lft"].values())


@pytest.mark.parametrize(("case", "engine"), DUMPED)
def test_tables_of_real_listings(case: str, engine: str) -> None:
    """Also with a link missing, with switch links exchanged, and with a host and a switch link exchanged."""
    fabric = own(f"infiniband/{case}.net.gz").fabric
    found = routing_of(wiring(fabric, 0), Stated(name=ENGINES[engine]))
    assert isinstance(found, TableRouting)
    guid = fabric.devices.guid[found.wiring.switch].tolist()
    lid = fabric.ports.lid[found.wiring.terminals.port].tolist()
    assert opensm.differences(found, opensm.tables_in(opensm.DATA / f"{case}.{engine}.lfts.gz"), guid, lid) == []
