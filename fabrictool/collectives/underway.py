"""Entries of schedules under way: what their flows use, and how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.collectives.entries import I8, Pipeline, Round
from fabrictool.fabric.tables import F8, I4
from fabrictool.kernels import fluid as kernels
from fabrictool.routing.flows import Usage

#: Shortest latency that a weight of 1 / latency is taken of, in s.
SHORTEST_S = 1e-12
#: Steps of the kernel for each use of a channel: a few events, in each of which it is looked at some times.
STEPS_EACH = 40.0


@dataclass
class Running:
    """A round or a pipeline under way.

    Parameters
    ----------
    usage : Usage
    nbytes, latency_s, weight : (flows,) float64
        Bytes, latency of the way, and part where channels are shared.
    later, earlier : (waits,) int64
        Flow ``later[i]`` waits for flow ``earlier[i]``.
    again : int
        How often it runs once more.
    left, start_s : (flows,) float64
        Bytes that are left, -1 for a flow that has ended; when a flow sends.
    waiting : (flows,) int64
        For how many flows each waits.
    """

    usage: Usage
    nbytes: F8
    latency_s: F8
    weight: F8
    later: I8
    earlier: I8
    again: int
    left: F8
    start_s: F8
    waiting: I8

    @classmethod
    def of(cls, entry: Round | Pipeline, usage: Usage, nbytes: F8, latency_s: F8, weighted: bool) -> Running:
        """Return an entry that starts at time 0."""
        none = np.zeros(0, np.int64)
        later, earlier = (entry.later, entry.earlier) if isinstance(entry, Pipeline) else (none, none)
        repeat = entry.repeat if isinstance(entry, Round) else 1
        weight = 1.0 / np.maximum(latency_s, SHORTEST_S) if weighted else np.ones(len(nbytes))
        empty = np.zeros(len(nbytes))
        found = cls(usage, nbytes, latency_s, weight, later, earlier, repeat - 1, empty, empty, none)
        found.begin(0.0)
        return found

    def begin(self, now_s: float) -> None:
        """Let the flows start that wait for none."""
        self.left = self.nbytes.copy()
        self.waiting = np.bincount(self.later, minlength=len(self.nbytes)).astype(np.int64)
        self.start_s = np.where(self.waiting == 0, now_s + self.latency_s, np.inf)

    @property
    def ended(self) -> bool:
        """Whether all flows have ended, for the last time."""
        return self.again == 0 and not (self.left >= 0).any()


def without_bytes(entry: Running) -> float:
    """Return the latencies on the longest way through an entry together, in s."""
    if not len(entry.later):
        return float(entry.latency_s.max(initial=0.0))
    flows = len(entry.nbytes)
    empty = Usage(np.zeros(flows + 1, np.int64), np.zeros(0, np.int32), np.zeros(0), np.zeros(flows, np.int32))
    nothing = np.zeros(flows)
    one = Running(empty, nothing, entry.latency_s, entry.weight, entry.later, entry.earlier, 0, nothing, nothing,
                  np.zeros(0, np.int64))  # fmt: skip
    one.begin(0.0)
    return advanced([one], np.zeros(0), 0.0, flows + 1)[0]


def advanced(running: Sequence[Running], speed: F8, now_s: float, most: int) -> tuple[float, bool, F8]:
    """Let entries run until one has ended.

    Parameters
    ----------
    running : sequence of Running
        Are carried on.
    speed : (channels,) float64
        In bytes per s.
    now_s : float
    most : int
        Events after which to give up.

    Returns
    -------
    tuple of float, bool and (entries, channels) float64
        The time, whether an entry has ended, and seconds for which channels were full while entries used them.
    """
    used, place = _used(running, len(speed))
    flows = _traffic(running, place)
    state = _progress(running, flows, len(used))
    steps = (STEPS_EACH * len(flows.channel) + 4.0 * len(flows.after)) * float(1 + state.again.max())
    now_s, job = kernels.advance(steps)(flows, state, speed[used], now_s, most)
    for row, one in enumerate(running):
        part = slice(flows.job_first[row], flows.job_first[row + 1])
        one.left, one.start_s, one.waiting = state.left[part], state.start_s[part], state.waiting[part]
        one.again = int(state.again[row])
    full = np.zeros((len(running), len(speed)))
    full[:, used] = state.full_s
    return float(now_s), job >= 0, full


def one_by_one(running: Sequence[Running], speed: F8, most: int) -> tuple[float, F8] | None:
    """Let entries run, each by itself.

    Parameters
    ----------
    running : sequence of Running
        At their beginning.
    speed : (channels,) float64
        In bytes per s.
    most : int
        Events of an entry after which to give up.

    Returns
    -------
    tuple of float and (channels,) float64, or None
        The sum of their times, with all repeats, and seconds for which channels were full; None if one does not end.
    """
    used, place = _used(running, len(speed))
    flows = _traffic(running, place)
    state = _progress(running, flows, len(used))
    repeats = state.again + 1.0
    state.again[:] = 0
    time_s = np.zeros(len(running))
    steps = STEPS_EACH * len(flows.channel) + 4.0 * len(flows.after)
    if kernels.advance_each(steps)(flows, state, speed[used], most, time_s) < 0:
        return None
    full = np.zeros(len(speed))
    full[used] = repeats @ state.full_s
    return float(repeats @ time_s), full


def _used(running: Sequence[Running], channels: int) -> tuple[I8, I4]:
    """Return the channels that entries use, and the place of each channel among them."""
    mark = np.zeros(channels, bool)
    for one in running:
        mark[one.usage.channel] = True
    return np.flatnonzero(mark), np.cumsum(mark, dtype=np.int32) - np.int32(1)


def _progress(running: Sequence[Running], flows: kernels.Traffic, channels: int) -> kernels.Progress:
    """Return how far entries are, side by side."""
    left = np.concatenate([one.left for one in running])
    return kernels.Progress(
        left,
        np.concatenate([one.start_s for one in running]),
        np.concatenate([one.waiting for one in running]),
        np.add.reduceat(left >= 0, flows.job_first[:-1], dtype=np.int64),
        np.array([one.again for one in running], np.int64),
        np.zeros((len(running), channels)),
    )


def _traffic(running: Sequence[Running], place: I4) -> kernels.Traffic:
    """Return the flows of entries side by side."""
    job_first = np.concatenate(([0], np.cumsum([len(one.nbytes) for one in running], dtype=np.int64)))
    later = np.concatenate([one.later + start for one, start in zip(running, job_first.tolist(), strict=False)])
    earlier = np.concatenate([one.earlier + start for one, start in zip(running, job_first.tolist(), strict=False)])
    uses = np.concatenate([np.diff(one.usage.first) for one in running])
    total = int(job_first[-1])
    return kernels.Traffic(
        np.concatenate(([0], np.cumsum(uses, dtype=np.int64))),
        place[np.concatenate([one.usage.channel for one in running])] if len(place) else np.zeros(0, np.int32),
        np.concatenate([one.usage.share for one in running]),
        np.concatenate([one.nbytes for one in running]),
        np.concatenate([one.latency_s for one in running]),
        np.concatenate([one.weight for one in running]),
        np.repeat(np.arange(len(running), dtype=np.int32), np.diff(job_first)),
        np.bincount(later, minlength=total).astype(np.int64),
        np.concatenate(([0], np.cumsum(np.bincount(earlier, minlength=total), dtype=np.int64))),
        later[np.argsort(earlier, kind="stable")],
        job_first,
    )
