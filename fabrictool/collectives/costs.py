"""Cost models: what a schedule takes on a fabric, as a latency and seconds per byte.

In all models here a collective's time is linear in its size, so one pass over the rounds serves
every size: ``time_s = latency_s + nbytes * seconds_per_byte``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fabrictool.collectives.schedules import Round
from fabrictool.errors import InputError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import flows
from fabrictool.kernels.flows import RouteTables
from fabrictool.routing.loads import Channels

#: Models that this version computes; ``bound`` is computed beside each of the others.
MODELS = ("rounds", "alpha-beta", "bound")


@dataclass(frozen=True, slots=True)
class ScheduleCost:
    """Cost of a schedule: ``latency_s + nbytes * seconds_per_byte``.

    ``spent`` says which channel was the slowest for how many of the seconds per byte.
    """

    latency_s: float
    seconds_per_byte: float
    spent: Mapping[int, float]

    def time_s(self, nbytes: float) -> float:
        """Return the time for a size in bytes."""
        return self.latency_s + nbytes * self.seconds_per_byte


def seconds_per_byte(channels: Channels, tables: RouteTables, model: str) -> F8:
    """Return the seconds that a byte takes on each channel; 0 where a model sees no limit.

    Parameters
    ----------
    channels : Channels
    tables : RouteTables
    model : {"rounds", "alpha-beta"}
        ``alpha-beta`` knows only the ends: host links and scale-up, no congestion between switches.
    """
    speed = channels.speed_bps
    seconds = np.divide(8.0, speed, out=np.zeros_like(speed), where=speed > 0)
    if model == "alpha-beta":
        ends = np.concatenate((tables.port_channel, tables.port_channel ^ 1))
        inside = np.ones(len(seconds), bool)
        inside[ends] = False
        inside[2 * channels.links :] = False
        seconds[inside] = 0.0
    return seconds


def schedule_cost(
    rounds: Iterable[Round],
    ranks: I4,
    tables: RouteTables,
    channels: Channels,
    model: str = "rounds",
    steps: float = float("inf"),
) -> ScheduleCost:
    """Return what a schedule costs: the sum over rounds of their slowest link and longest path.

    Parameters
    ----------
    rounds : iterable of Round
    ranks : (ranks,) int32
        GPU of each place in the job.
    tables : RouteTables
    channels : Channels
    model : {"rounds", "alpha-beta"}
        ``rounds`` is exact for equal flows with a barrier after each round.
    steps : float
        Channels that all flows of all rounds cross, about; little work runs uncompiled.

    Raises
    ------
    InputError
        If two ranks have no path.
    """
    seconds = seconds_per_byte(channels, tables, model)
    load, touched = np.zeros(len(channels)), np.empty(len(channels), np.int32)
    total_latency, total = 0.0, 0.0
    spent: dict[int, float] = {}
    run = flows.round_cost(steps)
    for entry in rounds:
        source, target = ranks[entry.source], ranks[entry.target]
        share = np.full(len(source), entry.share)
        cost, channel, latency, lost = run(tables, source, target, share, seconds, channels.latency_s, load, touched)
        cost, channel, latency = float(cost), int(channel), float(latency)
        if lost >= 0:
            what = f"GPU {source[lost]} cannot reach GPU {target[lost]} in this network"
            raise InputError([Problem("", what, "join them by switches or a scale-up domain")])
        total += entry.repeat * cost
        total_latency += entry.repeat * latency
        spent[channel] = spent.get(channel, 0.0) + entry.repeat * cost
    return ScheduleCost(total_latency, total, spent)
