"""The samples in ``tests/data/routing`` as fabrics and flows, cable by cable as they are listed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.fabric.faults import faults_of_rows
from fabrictool.formats import edges_csv
from fabrictool.routing.flows import Flows, flows
from fabrictool.routing.wiring import Wiring, wiring

HERE = Path(__file__).parent / "data" / "routing"
LINE_RATE = 400e9


@dataclass(frozen=True)
class Sample:
    """A sample with its wiring, its demands, and our channel of each of its channels."""

    text: dict[str, Any]
    wiring: Wiring
    flows: Flows
    channel: np.ndarray

    @property
    def expect(self) -> dict[str, Any]:
        """The listed answers."""
        answers: dict[str, Any] = self.text["expect"]
        return answers

    def listed(self, loads: dict[str, float]) -> np.ndarray:
        """Return listed loads on our channels."""
        found = np.zeros(len(self.wiring.channels))
        for at, value in loads.items():
            found[self.channel[int(at)]] = value
        return found

    def endpoint(self, name: str) -> int:
        """Return the endpoint of a host."""
        return int(np.flatnonzero(self.wiring.device == self.wiring.fabric.names.index(name))[0])


def names(*kinds: str) -> list[str]:
    """Return the samples whose expected answers have one of some keys."""
    found = [(path.stem, json.loads(path.read_text())["expect"]) for path in sorted(HERE.glob("*.json"))]
    return [name for name, expect in found if set(kinds) & set(expect)]


def text(name: str) -> dict[str, Any]:
    """Return what stands in a sample."""
    found: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text())
    return found


def sample(name: str) -> Sample:
    """Return a sample by name."""
    listed = text(name)
    fabric = _fabric(listed)
    row = {device: at for at, device in enumerate(fabric.names)}
    channel = []
    a, z = fabric.ends
    for link, (u, v, _) in enumerate(listed["fabric"]["cables"]):
        forward = (a[link], z[link]) == (row[u], row[v])
        assert forward or (a[link], z[link]) == (row[v], row[u])
        channel += [2 * link, 2 * link + 1] if forward else [2 * link + 1, 2 * link]
    found = wiring(fabric, 0, faults_of_rows(fabric, listed["dead_cables"]))
    place = {fabric.names[device]: end for end, device in enumerate(found.device.tolist())}
    assert [fabric.names[device] for device in found.device] == listed["fabric"]["hosts"]
    keys = listed.get("keys", [])
    rows = listed["demands"] or [(source, target, 1.0) for _, source, target in keys]
    source, target = ([end if isinstance(end, int) else place[end] for end in column] for column in ends(rows))
    demands = flows(source, target, [volume for _, _, volume in rows])
    if keys:
        demands = Flows(demands.source, demands.target, demands.volume, [bytes.fromhex(key) for key, _, _ in keys])
    return Sample(listed, found, demands, np.array(channel))


def ends(rows: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the first and the second column."""
    return [row[0] for row in rows], [row[1] for row in rows]


def _fabric(text: dict[str, Any]) -> Fabric:
    """Build a sample's fabric by way of ``edges.csv``, ports in the order of its cables, links to hosts first."""
    hosts = set(text["fabric"]["hosts"])
    number: dict[str, int] = {}
    lines = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency,network,a_group,z_group"]
    for u, v, capacity in text["fabric"]["cables"]:
        for end in (u, v):
            number[end] = number.get(end, 0) + 1
        kinds = ["host" if end in hosts else _kind(end) for end in (u, v)]
        groups = [end[1:].split("_")[0] if "dragonfly" in str(text["fabric"]["params"]) else "" for end in (u, v)]
        cells = (u, kinds[0], number[u], v, kinds[1], number[v], capacity * LINE_RATE, 0, "compute", *groups)
        lines.append(",".join(map(str, cells)))
    return edges_csv.read("sample", "\n".join(lines)).fabric


def _kind(name: str) -> str:
    """Return the kind of a switch: level 1 and T, L are leaves, level 2 and A, P spines, level 3 cores."""
    if "_" not in name:
        return "switch"
    return {"T": "leaf", "L": "leaf", "A": "spine", "P": "spine"}.get(name[0]) or ("leaf", "spine", "core")[
        int(name[1]) - 1
    ]
