"""The kernel of the model ``fluid``: from event to event, a flow starts or a flow ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabrictool.kernels.jit import inner, kernel
from fabrictool.kernels.rates import F8, I4, I8
from fabrictool.kernels.standing import FULL, Standing, Ways, join, leave, settle, standing

#: Part of a flow that counts as nothing left, and part of its latency by which it may start early.
NOTHING, EARLY = 1e-11, 1e-9


class Traffic(NamedTuple):
    """Flows of some jobs, those of a job side by side.

    Parameters
    ----------
    first : (flows + 1,) int64
        Offsets of uses.
    channel : (uses,) int32
    share : (uses,) float64
        Part of the flow's rate that the channel carries.
    nbytes, latency_s, weight : (flows,) float64
        Bytes; time from when a flow may start until it sends; its part where channels are shared.
    job : (flows,) int32
    waits : (flows,) int64
        How many flows must have ended before.
    after_first : (flows + 1,) int64
        Offsets of what waits for each.
    after : (waits,) int64
    job_first : (jobs + 1,) int64
        Offsets of the jobs' flows.
    """

    first: I8
    channel: I4
    share: F8
    nbytes: F8
    latency_s: F8
    weight: F8
    job: I4
    waits: I8
    after_first: I8
    after: I8
    job_first: I8


class Progress(NamedTuple):
    """How far flows are.

    Parameters
    ----------
    left : (flows,) float64
        Bytes; -1 for a flow that has ended.
    start_s : (flows,) float64
        When a flow sends; infinity while it waits for others.
    waiting : (flows,) int64
        For how many flows each still waits.
    unfinished, again : (jobs,) int64
        Flows that have not ended, and how often all of them run once more.
    full_s : (jobs, channels) float64
        Seconds for which a channel was full and the job used it.
    """

    left: F8
    start_s: F8
    waiting: I8
    unfinished: I8
    again: I8
    full_s: F8


class Tools(NamedTuple):
    """What the loop works with.

    Parameters
    ----------
    sending, soon : (flows,) int64
        Flows that send, and flows that will.
    size : (3,) int64
        How many these are, and the job that has ended, or -1.
    ways : Ways
    now : Standing
    stamp : (jobs, channels) int64
        The event in which a channel was last found to be full.
    """

    sending: I8
    soon: I8
    size: I8
    ways: Ways
    now: Standing
    stamp: I8


SENDING, SOON, ENDED = 0, 1, 2


@kernel
def advance(flows: Traffic, at: Progress, speed: F8, now_s: float, most: int) -> tuple[float, int]:
    """Let flows send until all of a job have ended.

    Parameters
    ----------
    flows : Traffic
    at : Progress
        Is carried on.
    speed : (channels,) float64
        In bytes per s.
    now_s : float
    most : int
        Events after which to give up.

    Returns
    -------
    tuple of float and int
        The time in s, and a job that has ended; -1 if no flow can go on, -2 after ``most`` events.
    """
    tools = _tools(flows, at, speed)
    for flow in range(len(flows.nbytes)):
        if at.left[flow] >= 0 and at.start_s[flow] < np.inf:
            tools.soon[tools.size[SOON]] = flow
            tools.size[SOON] += 1
    return _run(flows, at, tools, now_s, most)


@kernel
def advance_each(flows: Traffic, at: Progress, speed: F8, most: int, time_s: F8) -> int:
    """Let the flows of each job send by themselves, from time 0; none of them runs again.

    Parameters
    ----------
    flows : Traffic
    at : Progress
    speed : (channels,) float64
    most : int
        Events of a job after which to give up.
    time_s : (jobs,) float64
        Gets when each ends.

    Returns
    -------
    int
        0, or the last job's -1 or -2 as of ``advance``.
    """
    tools = _tools(flows, at, speed)
    for job in range(len(time_s)):
        tools.size[ENDED] = -1
        for flow in range(flows.job_first[job], flows.job_first[job + 1]):
            if flows.waits[flow] == 0:
                _schedule(flows, at, tools, flow, 0.0)
        time_s[job], ended = _run(flows, at, tools, 0.0, most)
        if ended < 0:
            return ended
    return 0


@inner
def _tools(flows: Traffic, at: Progress, speed: F8) -> Tools:
    many = len(flows.nbytes)
    size = np.zeros(3, np.int64)
    size[ENDED] = -1
    stamp = np.zeros(at.full_s.shape, np.int64)
    ways = Ways(flows.first, flows.channel, flows.share, flows.weight, speed)
    return Tools(np.empty(many, np.int64), np.empty(many, np.int64), size, ways, standing(ways), stamp)


@inner
def _run(flows: Traffic, at: Progress, tools: Tools, now_s: float, most: int) -> tuple[float, int]:
    """Go from event to event until a job has ended."""
    for event in range(1, most + 1):
        _start(flows, at, tools, now_s)
        if tools.size[ENDED] >= 0:
            return now_s, tools.size[ENDED]
        start_s = np.inf
        for flow in tools.soon[: tools.size[SOON]]:
            start_s = min(start_s, at.start_s[flow])
        on = tools.sending[: tools.size[SENDING]]
        settle(tools.ways, tools.now)
        step_s = _until_an_end(at, on, tools.now.rate)
        if now_s + step_s >= start_s:
            step_s, then_s = start_s - now_s, start_s
        else:
            then_s = now_s + step_s
        if then_s == np.inf:
            return now_s, -1
        _note_full(flows, at, step_s, tools, event)
        now_s = then_s
        _send(flows, at, tools, step_s, now_s)
    return now_s, -2


@inner
def _until_an_end(at: Progress, on: I8, rate: F8) -> float:
    """Return how long it takes until the first of the flows that send has sent all."""
    step_s = np.inf
    for flow in on:
        if rate[flow] > 0:
            step_s = min(step_s, at.left[flow] / rate[flow])
    return step_s


@inner
def _send(flows: Traffic, at: Progress, tools: Tools, step_s: float, now_s: float) -> None:
    """Let flows send for a time, and end those that have sent all."""
    on = tools.sending[: tools.size[SENDING]].copy()
    tools.size[SENDING] = 0
    for flow in on:
        at.left[flow] -= tools.now.rate[flow] * step_s
        if at.left[flow] > NOTHING * flows.nbytes[flow]:
            tools.sending[tools.size[SENDING]] = flow
            tools.size[SENDING] += 1
        else:
            leave(tools.ways, tools.now, flow)
            _end(flows, at, tools, flow, now_s)


@inner
def _start(flows: Traffic, at: Progress, tools: Tools, now_s: float) -> None:
    """Let flows send whose time has come; those without bytes end at once, and may let others start."""
    turn = 0
    while turn < tools.size[SOON]:
        flow = tools.soon[turn]
        if at.start_s[flow] > now_s + EARLY * flows.latency_s[flow]:
            turn += 1
            continue
        tools.size[SOON] -= 1
        tools.soon[turn] = tools.soon[tools.size[SOON]]
        if flows.nbytes[flow] > 0:
            tools.sending[tools.size[SENDING]] = flow
            tools.size[SENDING] += 1
            join(tools.ways, tools.now, flow)
        else:
            _end(flows, at, tools, flow, now_s)


@inner
def _end(flows: Traffic, at: Progress, tools: Tools, flow: int, now_s: float) -> None:
    """End a flow: what waits for it may start, and the job's flows run once more if it was the last."""
    at.left[flow] = -1.0
    for later in flows.after[flows.after_first[flow] : flows.after_first[flow + 1]]:
        at.waiting[later] -= 1
        if at.waiting[later] == 0:
            _schedule(flows, at, tools, later, now_s)
    job = flows.job[flow]
    at.unfinished[job] -= 1
    if at.unfinished[job] > 0:
        return
    if at.again[job] == 0:
        tools.size[ENDED] = job
        return
    at.again[job] -= 1
    at.unfinished[job] = flows.job_first[job + 1] - flows.job_first[job]
    for later in range(flows.job_first[job], flows.job_first[job + 1]):
        at.left[later] = flows.nbytes[later]
        at.waiting[later] = flows.waits[later]
        at.start_s[later] = np.inf
        if flows.waits[later] == 0:
            _schedule(flows, at, tools, later, now_s)


@inner
def _schedule(flows: Traffic, at: Progress, tools: Tools, flow: int, now_s: float) -> None:
    at.start_s[flow] = now_s + flows.latency_s[flow]
    tools.soon[tools.size[SOON]] = flow
    tools.size[SOON] += 1


@inner
def _note_full(flows: Traffic, at: Progress, step_s: float, tools: Tools, event: int) -> None:
    """Count the time for which each channel is full, for the jobs that use it."""
    now = tools.now
    for channel in now.full[: now.size[FULL]]:
        for flow in now.user[now.begin[channel] : now.begin[channel] + now.users[channel]]:
            job = flows.job[flow]
            if tools.stamp[job, channel] != event:
                tools.stamp[job, channel] = event
                at.full_s[job, channel] += step_s
