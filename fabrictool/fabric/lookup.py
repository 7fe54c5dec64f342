"""Looks up devices, ports and links of a fabric by name."""

from __future__ import annotations

import numpy as np

from fabrictool.errors import Problem, did_you_mean
from fabrictool.fabric.chassis import chassis_names
from fabrictool.fabric.tables import I4, Bool, Fabric


class Lookup:
    """Finds rows by name, -1 for what is not there, and collects that in ``problems``."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.rows = {name: row for row, name in enumerate(fabric.names)}
        self.chassis = chassis_names(fabric)
        self.problems: list[Problem] = []

    def device(self, name: str) -> int:
        """Return the row of a device."""
        if name not in self.rows:
            self.problems.append(Problem(name, "no such device", did_you_mean(name, [*self.rows, *self.chassis])))
            return -1
        return self.rows[name]

    def devices(self, name: str) -> list[int]:
        """Return the rows of a device, or of all chips of a director."""
        if name not in self.rows and name in self.chassis:
            return self.chassis[name]
        row = self.device(name)
        return [row] if row >= 0 else []

    def port(self, word: str, kept: Bool | None = None) -> int:
        """Return the row of the port that ``device:port`` names, by number or label; ``kept`` are devices that stay."""
        name, _, number = word.rpartition(":")
        device = self.device(name)
        if device < 0:
            return -1
        if kept is not None and not kept[device]:
            self.problems.append(Problem(word, f"{name} is dropped", "link devices that stay"))
            return -1
        first, end = self.fabric.first_port[device], self.fabric.first_port[device + 1]
        hits = np.flatnonzero(self.fabric.ports.number[first:end] == (int(number) if number.isdecimal() else -1))
        if self.fabric.ports.label is not None:
            labelled = np.flatnonzero(self.fabric.ports.label[first:end] == number)
            hits = labelled if len(labelled) else hits
        if not len(hits):
            self.problems.append(Problem(word, "no such port", f"{name} has ports 1 to {end - first}"))
            return -1
        return int(first + hits[0])

    def link(self, word: str) -> I4:
        """Return the row of the link at a port, an empty array if there is none."""
        if ":" not in word:
            what = "is no device:port" if word in self.rows else "is no link"
            self.problems.append(Problem(word, what, "name one of the link's two ends, such as leaf-01:5"))
            return np.zeros(0, np.int32)
        port = self.port(word)
        links = self.fabric.links
        hits = np.flatnonzero((links.port_a == port) | (links.port_z == port)).astype(np.int32)
        if not len(hits) and port >= 0:
            self.problems.append(Problem(word, "no link on this port", "name one of the link's two ends"))
        return hits
