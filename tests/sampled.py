"""Listed routing samples as wirings: cable i of a sample is link i, with the same ends and the same channels."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fabrictool.fabric.faults import faults_of_rows
from fabrictool.formats.recognise import imported_from
from fabrictool.routing.flows import Flows, flows
from fabrictool.routing.wiring import Wiring, wiring

HERE = Path(__file__).parent / "data" / "routing"
#: What capacity 1 of a sample stands for.
UNIT_BPS = 1e9
_KINDS = {"H": "host", "S1": "leaf", "S2": "spine", "S3": "core", "L": "leaf", "P": "spine", "T": "leaf", "A": "spine"}


@dataclass(frozen=True)
class Sample:
    """A sample: its wiring, its demands as flows between endpoints, and all that it says."""

    wiring: Wiring
    flows: Flows
    says: dict[str, Any]

    @property
    def expect(self) -> dict[str, Any]:
        found: dict[str, Any] = self.says["expect"]
        return found

    def loads(self, key: str = "link_load") -> np.ndarray:
        """Return the listed load of each channel, (channels,)."""
        listed = np.zeros(len(self.wiring.channels))
        for channel, amount in self.expect[key].items():
            listed[int(channel)] = amount
        return listed


def names(*keys: str) -> list[str]:
    """Return the samples that list all of these answers."""
    return [path.stem for path in sorted(HERE.glob("*.json")) if keys_of(path) >= set(keys)]


def keys_of(path: Path) -> set[str]:
    return set(json.loads(path.read_text())["expect"])


@cache
def sample(name: str) -> Sample:
    says = json.loads((HERE / f"{name}.json").read_text())
    found = imported_from("edges.csv", _edges(says["fabric"]).encode())
    assert found is not None
    fabric = found.fabric
    a, z = (np.array(fabric.names)[end] for end in fabric.ends)
    assert [(row[0], row[2 if len(row) == 4 else 1]) for row in says["fabric"]["cables"]] == list(
        zip(a.tolist(), z.tolist(), strict=True)
    )
    seen = wiring(fabric, 0, faults_of_rows(fabric, says.get("dead_cables") or ()))
    place = {fabric.names[device]: row for row, device in enumerate(seen.device.tolist())}
    assert list(place) == says["fabric"]["hosts"]
    columns = list(zip(*says["demands"], strict=True)) if says.get("demands") else [(), (), ()]
    source, target = ([place[word] for word in column] for column in columns[:2])
    return Sample(seen, flows(source, target, columns[2]), says)


def _edges(fabric: dict[str, Any]) -> str:
    """Return the cables as a table of links; ports count up in the order of cables, down ports come first."""
    used: Counter[str] = Counter()
    rows = ["a_device,a_kind,a_port,z_device,z_kind,z_port,speed,latency"]
    for cable in fabric["cables"]:
        if len(cable) == 4:  # ends with their ports, of capacity 1
            (a, a_port, z, z_port), capacity = cable, 1.0
        else:
            a, z, capacity = cable
            used.update((a, z))
            a_port, z_port = used[a], used[z]
        rows.append(f"{a},{_kind(a)},{a_port},{z},{_kind(z)},{z_port},{capacity * UNIT_BPS},0")
    return "\n".join(rows)


def _kind(name: str) -> str:
    word = name.split("_", maxsplit=1)[0]
    return _KINDS[word] if word in _KINDS else _KINDS[word[0]]
