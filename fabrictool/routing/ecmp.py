"""ECMP: each flow takes, at every hop, the one minimal way that a hash of its header picks.

References
----------
C. Hopps, RFC 2992, "Analysis of an Equal-Cost Multi-Path Algorithm", 2000. A. Gangidi et al., "RDMA over Ethernet
for Distributed AI Training at Meta Scale", SIGCOMM 2024: several queue pairs for each pair of GPUs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError
from fabrictool.fabric.tables import F8
from fabrictool.kernels.goals import FAR
from fabrictool.kernels.hashing import Choices, hashed_paths
from fabrictool.routing.flows import Flows, Routing, Usage, joined_usage, usage_of_paths
from fabrictool.routing.hash_words import U1, crc32_words, five_tuples, mix_words, stated_keys
from fabrictool.routing.minimal_ways import goals_of, hops_to_seats
from fabrictool.routing.wiring import Wiring

I8 = npt.NDArray[np.int64]

#: Paths that are followed at once: about 2 GB.
MOST_PATHS = 1 << 24
#: Queue pairs of a flow; libraries use 1 to 16.
MOST_QUEUE_PAIRS = 1024
HASHES = {"mix": mix_words, "crc32": crc32_words}


@dataclass(frozen=True)
class Ecmp(Routing):
    """Hash-based choice among the live minimal ways, in order of ports; hosts choose among their live ports.

    Parameters
    ----------
    name : str
    wiring : Wiring
    hash : {"mix", "crc32"}
        ``mix`` stirs all bits, so that tiers of different seeds choose independently. ``crc32`` is what
        many switches compute, modulo the number of ways: there seeds do not keep tiers from choosing
        alike.
    seeds : tuple of int, optional
        One for each tier: the hosts', the leaves', the spines', ...; by default 0, 1, 2, ...
    flows_per_pair : int
        Queue pairs that the volume of a flow is split over evenly, each hashed on its own.
    planes : {"hash", "round-robin"}
        How the port of a host is chosen; in turn, queue pair by queue pair, or by the hash.
    seed : int
        Of the source ports that are made up for flows without keys.

    Raises
    ------
    InputError
        If the hash is unknown, or there are fewer seeds than tiers.
    """

    name: str
    wiring: Wiring
    hash: str = "mix"
    seeds: tuple[int, ...] | None = None
    flows_per_pair: int = 1
    planes: str = "hash"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be hashed."""
        if self.hash not in HASHES:
            raise InputError(f"hash '{self.hash}' is not known", f"use {' or '.join(HASHES)}")
        if self.flows_per_pair > MOST_QUEUE_PAIRS:
            what = f"{self.flows_per_pair:,} queue pairs a flow are more than {MOST_QUEUE_PAIRS:,}"
            raise InputError(what, "use flows_per_pair from 1 to 64")
        tiers = int(self.choices.tier.max(initial=0)) + 1
        if self.seeds is not None and len(self.seeds) == tiers - 1:  # the top tier chooses among parallel cables only
            object.__setattr__(self, "seeds", (*self.seeds, self.seeds[-1]))
        if self.seeds is not None and len(self.seeds) < tiers:
            given = f"{len(self.seeds)} seed{'s' * (len(self.seeds) != 1)}"
            what = f"{given} for the {tiers} tiers of network {self.wiring.name}, the hosts' among them"
            raise InputError(what, f"give {tiers} seeds: the hosts' first, then one for each tier of switches")

    @cached_property
    def choices(self) -> Choices:
        """What flows choose among, as the kernel reads it."""
        wiring, ways, terminals = self.wiring, self.wiring.ways, self.wiring.terminals
        up = np.where(wiring.lanes >= 0, terminals.up[wiring.lanes], -1).astype(np.int32)
        seat = np.where(up >= 0, terminals.seat[wiring.lanes], -1).astype(np.int32)
        goals = goals_of(wiring, np.zeros(len(wiring.channels), np.int16))
        hops = hops_to_seats(wiring, goals.stops[0])
        tier = wiring.fabric.devices.tier[wiring.switch].astype(np.int32)
        return Choices(ways.first, ways.channel, ways.to, hops, goals.goal, seat, up, tier)

    def usage(self, flows: Flows) -> Usage:
        """Return the path of each flow, or of its queue pairs, one after the other.

        Raises
        ------
        InputError
            If these are more than fit into memory.
        """
        self._check(flows)
        return joined_usage([self._paths(flows, word) for word in self._words(flows)])

    def loads(self, flows: Flows) -> F8:
        """Return the volume on each channel, (channels,)."""
        total = np.zeros(len(self.wiring.channels))
        for word in self._words(flows):
            total += self._paths(flows, word).loads(flows.volume, len(total))
        return total / self.flows_per_pair

    def subflows(self, flows: Flows) -> tuple[Flows, Ecmp]:
        """Return each queue pair as a flow of its own, those of a pair together, and the routing of these.

        Raises
        ------
        InputError
            If these are more than fit into memory.
        """
        self._check(flows)
        count = self.flows_per_pair
        keys = [b""] * (count * len(flows))
        for pair in range(count):
            for rows, place in self._keys(flows, pair):
                for row, at in zip(rows, place.tolist(), strict=True):
                    keys[at * count + pair] = row.tobytes()
        source, target = np.repeat(flows.source, count), np.repeat(flows.target, count)
        return Flows(source, target, np.repeat(flows.volume / count, count), keys), replace(self, flows_per_pair=1)

    def _check(self, flows: Flows) -> None:
        """Refuse more queue pairs than are followed at once."""
        if len(flows) * self.flows_per_pair > MOST_PATHS:
            most = max(1, MOST_PATHS // len(flows))
            what = f"{len(flows):,} flows of {self.flows_per_pair:,} queue pairs are more than {MOST_PATHS:,} paths"
            raise InputError(what, f"use flows_per_pair up to {most:,}, or a pattern of fewer flows")

    def _paths(self, flows: Flows, word: I8) -> Usage:
        """Return the paths of flows with given hashes."""
        hops = self.choices.hops
        most = int(np.where(hops < FAR, hops, 0).max(initial=0)) + 2
        path, length = np.full((len(flows), most), -1, np.int32), np.empty(len(flows), np.int32)
        modulo = (self.planes == "round-robin" or self.hash == "crc32", self.hash == "crc32")
        run = hashed_paths(len(flows) * 64.0)
        run(self.choices, flows.source, flows.target, word, modulo, path, length)
        return usage_of_paths(path, length)

    def _words(self, flows: Flows) -> Iterator[I8]:
        """Yield the hashes of flows at each tier, (tiers, flows), queue pair by queue pair."""
        tiers = int(self.choices.tier.max(initial=0)) + 1
        seeds = range(tiers) if self.seeds is None else self.seeds[:tiers]
        for pair in range(self.flows_per_pair):
            word = np.empty((tiers, len(flows)), np.int64)
            for rows, place in self._keys(flows, pair):
                word[:, place] = HASHES[self.hash](rows, seeds)
            if self.planes == "round-robin":
                word[0] = pair
            yield word

    def _keys(self, flows: Flows, pair: int) -> list[tuple[U1, I8]]:
        """Return the keys of a queue pair of each flow by length: stated ones and its number, or made-up ones."""
        if flows.key is None:
            return [(five_tuples(flows.source, flows.target, pair, self.seed), np.arange(len(flows)))]
        number = b"" if self.flows_per_pair == 1 else pair.to_bytes(3, "big")
        return stated_keys([key + number for key in flows.key])
