"""What can be at fault: links, hosts' insides, hosts, switches, rails, planes, and everything at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.acceptance.subject import Ints, Subject

#: How much better than a single part a larger one has to explain, in units of a log-likelihood: faults of one
#: cable are common, those of a whole rail are not.
_PRIOR = {"link": 0.0, "inside": 0.0, "host": 6.0, "switch": 8.0, "plane": 10.0, "rail": 10.0, "everything": 10.0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be at fault, with the parts (links and hosts' insides) that it slows.

    Parameters
    ----------
    kind : {"link", "inside", "host", "switch", "rail", "plane", "everything"}
    name : str
    parts : (parts,) int
        Empty for everything in the network.
    """

    kind: str
    name: str
    parts: npt.NDArray[np.int64]

    @property
    def prior(self) -> float:
        """What it has to explain more than a single part has."""
        return _PRIOR[self.kind]


@dataclass(frozen=True)
class Catalogue:
    """The candidates of a subject."""

    subject: Subject

    @property
    def links(self) -> int:
        """Number of links of the fabric: parts from here on are hosts' insides."""
        return len(self.subject.fabric.links)

    def single(self, part: int) -> Candidate:
        """Return a link, or what is inside a host, as a candidate."""
        subject = self.subject
        if part >= self.links:
            name = f"{subject.names[part - self.links]}: GPUs and scale-up"
            return Candidate("inside", name, np.array([part]))
        return Candidate("link", subject.fabric.link_name(part), np.array([part]))

    @cached_property
    def own(self) -> Ints:
        """Links of the network, by row."""
        return np.flatnonzero(self.subject.fabric.links.network == self.subject.transport.network)

    @cached_property
    def groups(self) -> list[Candidate]:
        """All larger candidates: hosts, switches, rails and planes whose parts differ, and everything."""
        found = [*self._hosts(), *self._switches(), *self._alike("plane"), *self._alike("rail")]
        seen: set[bytes] = set()
        kept = []
        for one in found:
            key = one.parts.tobytes()
            if len(one.parts) > 1 and key not in seen:
                seen.add(key)
                kept.append(one)
        return [*kept, Candidate("everything", "everything in the network alike", np.zeros(0, np.int64))]

    def _hosts(self) -> list[Candidate]:
        fabric, place = self.subject.fabric, self._place
        lower = fabric.ends[0][self.own]
        rows = self.own[place[lower] >= 0]
        return [
            Candidate("host", f"{self.subject.names[row]}: all its adapters", np.sort(parts))
            for row, parts in _by_label(place[fabric.ends[0][rows]], rows)
        ]

    def _switches(self) -> list[Candidate]:
        fabric = self.subject.fabric
        ends = [fabric.ends[side][self.own] for side in (0, 1)]
        device, part = np.concatenate(ends), np.tile(self.own, 2)
        above = fabric.devices.tier[device] > 0
        return [
            Candidate("switch", f"{fabric.names[row]}: the whole switch", np.sort(parts))
            for row, parts in _by_label(device[above], part[above])
        ]

    def _alike(self, kind: str) -> list[Candidate]:
        """Return rails or planes: host links whose ports bear the same number, and the uplinks of their leaves."""
        fabric = self.subject.fabric
        ports = fabric.ports.rail if kind == "rail" else fabric.ports.plane
        lower, upper = (fabric.ends[side][self.own] for side in (0, 1))
        number = np.where(self._place[lower] >= 0, ports[fabric.links.port_a[self.own]], -1)
        found = []
        for row in np.unique(number[number >= 0]).tolist():
            leaf = np.zeros(len(fabric.devices), bool)
            leaf[upper[number == row]] = True
            shared = np.isin(np.flatnonzero(leaf), upper[(number >= 0) & (number != row)])
            leaf[np.flatnonzero(leaf)[shared]] = False
            if len(np.unique(upper[number == row])) == 1:
                continue  # one switch, which is a candidate itself
            parts = self.own[(number == row) | leaf[lower]]
            found.append(Candidate(kind, f"{kind} {row + 1}", parts.astype(np.int64)))
        return found if len(np.unique(number[number >= 0])) > 1 else []

    @cached_property
    def _place(self) -> npt.NDArray[np.int64]:
        """Place of each device among the hosts, -1 for others."""
        place = np.full(len(self.subject.fabric.devices), -1, np.int64)
        place[self.subject.device] = np.arange(len(self.subject.device))
        return place


def _by_label(label: Ints, value: Ints) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """Return the values of each label, in order of labels."""
    order = np.argsort(label, kind="stable")
    labels, first = np.unique(label[order], return_index=True)
    return list(zip(labels.tolist(), np.split(value[order].astype(np.int64), first[1:]), strict=True))
