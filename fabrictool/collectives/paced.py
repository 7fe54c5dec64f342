"""Jobs at once that each keep a pace of their own, as long as the links that they share leave it to them.

A model that knows what a job takes alone, but not its flows, sees a stretch of it as one flow: at the job's own pace
it takes a part of the speed of each channel that it uses, and where the parts of all jobs are more than a channel, the
paces are shared max-min fairly. When a stretch ends, what it leaves is given to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.collectives.underway import Running, advanced
from fabrictool.errors import NotSupportedError, Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.flows import Usage

#: Starts and ends of stretches after which the jobs are given up: a minute's work.
MOST_EVENTS = 1_000_000
#: Part of a channel by which it may be overdrawn: rounding.
SPARE = 1e-9


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a job: its latency and then its bytes, in s when alone.

    Parameters
    ----------
    latency_s, bytes_s : float
    channel : (uses,) int32
        Channels that it uses, each once.
    part : (uses,) float64
        Part of each one's speed that it takes at its own pace.
    """

    latency_s: float
    bytes_s: float
    channel: I4
    part: F8

    @classmethod
    def of(cls, latency_s: float, bytes_s: float, busy_s: F8) -> Stretch:
        """Return a stretch whose bytes keep each channel busy for so long, (channels,), in s.

        One that the model has go faster than a channel of its own allows fills this channel when it is alone.
        """
        channel = np.flatnonzero(busy_s).astype(np.int32)
        longest = max(bytes_s, float(busy_s.max(initial=0.0)))
        return cls(latency_s, bytes_s, channel, busy_s[channel] / longest if longest else busy_s[channel])


@dataclass(frozen=True, slots=True)
class Paced:
    """When a job ends, in s, and the shared channel that it is held by for longest: -1 and 0 s where by none."""

    time_s: float
    channel: int
    held_s: float


def paced_times(jobs: Sequence[Sequence[Stretch]], channels: int) -> list[Paced]:
    """Return when each of some jobs ends that start together.

    Parameters
    ----------
    jobs : sequence of sequences of Stretch
        The stretches of each, one after another.
    channels : int

    Raises
    ------
    NotSupportedError
        If there are more than ``MOST_EVENTS`` events.
    """
    most = np.zeros((2, channels))
    for job in jobs:
        most[1] = 0.0
        for one in job:
            most[1][one.channel] = np.maximum(most[1][one.channel], one.part)
        most[0] += most[1]
    tight = np.flatnonzero(most[0] > 1 + SPARE)
    place = np.full(channels, -1, np.int32)
    place[tight] = np.arange(len(tight), dtype=np.int32)
    held = [row for row, job in enumerate(jobs) if any((place[one.channel] >= 0).any() for one in job)]
    found = [Paced(sum(one.latency_s + one.bytes_s for one in job), -1, 0.0) for job in jobs]
    for row, (time_s, full_s) in zip(held, _at_once([jobs[row] for row in held], place, len(tight)), strict=True):
        longest = int(full_s.argmax())
        found[row] = Paced(time_s, int(tight[longest]) if full_s[longest] else -1, float(full_s[longest]))
    return found


def _at_once(jobs: Sequence[Sequence[Stretch]], place: I4, tight: int) -> list[tuple[float, F8]]:
    """Return when jobs end, and for how long each channel of those that may be short was full under each, in s."""
    speed = np.ones(tight + len(jobs))  # the last are the jobs' own paces
    ends, full_s = np.zeros(len(jobs)), np.zeros((len(jobs), tight))
    left = [iter(job) for job in jobs]
    now_s, under_way, waiting = 0.0, dict[int, Running](), list(range(len(jobs)))
    while True:
        for job in waiting:
            one = next(left[job], None)
            if one is None:
                ends[job] = now_s
                continue
            under_way[job] = _running(one, place, tight + job)
            under_way[job].begin(now_s)
        if not under_way:
            return list(zip(ends.tolist(), full_s, strict=True))
        rows = list(under_way)
        now_s, went_on, full = advanced([under_way[job] for job in rows], speed, now_s, MOST_EVENTS)
        if not went_on:
            what = f"the jobs have more than {MOST_EVENTS:,} starts and ends of rounds"
            raise NotSupportedError([Problem("", what, "use fewer ranks, or another algorithm")])
        full_s[rows] += full[:, :tight]
        waiting = [job for job in rows if under_way[job].ended]
        for job in waiting:
            del under_way[job]


def _running(one: Stretch, place: I4, own: int) -> Running:
    """Return a stretch as a flow over the channels that may be short, and one of its own."""
    short = place[one.channel] >= 0
    channel = np.append(place[one.channel[short]], np.int32(own))
    part = np.append(one.part[short], 1.0)
    usage = Usage(np.array([0, len(channel)], np.int64), channel, part, np.ones(1, np.int32))
    none, bytes_s = np.zeros(0, np.int64), np.array([one.bytes_s])
    return Running(
        usage, bytes_s, np.array([one.latency_s]), np.ones(1), none, none, 0, bytes_s, bytes_s, none
    )  # fmt: skip
