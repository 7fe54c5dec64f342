"""What rounds use of a network: their messages by routing, their reductions by trees over switches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.collectives.costs import UnreachableError
from fabrictool.collectives.entries import Pipeline, Round, Trees
from fabrictool.errors import Problem
from fabrictool.fabric.tables import F8, I4
from fabrictool.routing.aggregation import aggregation_tree
from fabrictool.routing.flows import Routing, Usage, flows
from fabrictool.routing.wiring import Wiring


@dataclass(frozen=True)
class Carried:
    """What the flows of a round use: those of its messages, then one for each of its trees.

    Parameters
    ----------
    sender : (flows,) int32
        Place of the rank that sends; of a tree that of its first member.
    usage : Usage
    latency_s : (flows,) float64
        Of each flow's way; of one that is split the mean over its ways.
    share : (flows,) float64
        Bytes for one byte of the collective's size.
    """

    sender: I4
    usage: Usage
    latency_s: F8
    share: F8


def carried(routing: Routing, entries: Sequence[Round | Pipeline], ranks: I4) -> Iterator[Carried]:
    """Yield what the flows of each entry use; messages are routed all at once, those without a way have -1 hops.

    Parameters
    ----------
    routing : Routing
        With scale-up domains before it.
    entries : sequence of Round or Pipeline
    ranks : (ranks,) int32
        Endpoints of the places in the job.

    Raises
    ------
    UnreachableError
        If no tree joins the members of a reduction.
    """
    if not entries:
        return
    source = ranks[np.concatenate([entry.source for entry in entries])]
    target = ranks[np.concatenate([entry.target for entry in entries])]
    used = routing.usage(flows(source, target))
    latency = used.along(routing.wiring.channels.latency_s)
    end = np.cumsum([len(entry.source) for entry in entries]).tolist()
    for entry, start, stop in zip(entries, [0, *end[:-1]], end, strict=True):
        parts = [Carried(entry.source, _part(used, start, stop), latency[start:stop], entry.shares)]
        load = np.zeros(len(routing.wiring.channels) if entry.trees else 0)
        parts += [reduced(routing.wiring, trees, ranks, 0, load) for trees in entry.trees]
        yield joined(parts)


def _part(used: Usage, start: int, stop: int) -> Usage:
    """Return the usage of some flows in a row."""
    uses = slice(used.first[start], used.first[stop])
    first = used.first[start : stop + 1] - used.first[start]
    return Usage(first, used.channel[uses], used.share[uses], used.hops[start:stop])


def joined(parts: Sequence[Carried]) -> Carried:
    """Return what several use, flow after flow."""
    if len(parts) == 1:
        return parts[0]
    usages = [part.usage for part in parts]
    first = np.concatenate(([0], np.cumsum(np.concatenate([np.diff(one.first) for one in usages]))))
    channel, share = (np.concatenate([getattr(one, name) for one in usages]) for name in ("channel", "share"))
    usage = Usage(first, channel, share, np.concatenate([one.hops for one in usages]))
    latency, sent = (np.concatenate([getattr(part, name) for part in parts]) for name in ("latency_s", "share"))
    sender = np.concatenate([part.sender for part in parts])
    return Carried(sender, usage, latency, sent)


@dataclass(frozen=True)
class _Tree:
    """Channels of a tree, what each carries of its bytes, latency in s and links on the longest way."""

    channel: I4
    share: F8
    latency_s: float
    hops: int


def reduced(wiring: Wiring, trees: Trees, ranks: I4, turn: int, load: F8) -> Carried:
    """Return what reductions in switches use, one flow each.

    Parameters
    ----------
    wiring : Wiring
    trees : Trees
    ranks : (ranks,) int32
        Endpoints of the places in the job.
    turn : int
        Trees over the same switches take equally good roots in turn, from this one on.
    load : (channels,) float64
        Trees on each channel so far; those found are added.

    Raises
    ------
    UnreachableError
        If no tree joins the members of a reduction.
    """
    spanned = _inside if trees.inside else _outside
    groups = [slice(*ends) for ends in zip(trees.first[:-1].tolist(), trees.first[1:].tolist(), strict=True)]
    found = [
        spanned(wiring, trees, ranks[trees.member[group]], trees.part[group], turn + root, load)
        for group, root in zip(groups, _turns(wiring, ranks[trees.member[trees.first[:-1]]]), strict=True)
    ]
    used = [one.share > 0 for one in found]
    first = np.concatenate(([0], np.cumsum([np.count_nonzero(on) for on in used], dtype=np.int64)))
    channel = np.concatenate([one.channel[on] for one, on in zip(found, used, strict=True)])
    share = np.concatenate([one.share[on] for one, on in zip(found, used, strict=True)])
    usage = Usage(first, channel, share, np.array([one.hops for one in found], np.int32))
    latency = np.array([one.latency_s for one in found])
    return Carried(trees.member[trees.first[:-1]], usage, latency, np.full(len(found), trees.share))


def _turns(wiring: Wiring, head: I4) -> list[int]:
    """Return which root each tree takes: those of one leaf in turn, those of each other leaf from the next on."""
    leaf = np.unique(wiring.terminals.seat[wiring.lanes[head, 0]], return_inverse=True)[1]
    order = np.argsort(leaf, kind="stable")
    turn = np.empty(len(leaf), np.int64)
    turn[order] = np.arange(len(leaf)) - np.searchsorted(leaf[order], leaf[order])
    found: list[int] = (leaf + turn).tolist()
    return found


def _inside(wiring: Wiring, trees: Trees, member: I4, part: F8, turn: int, load: F8) -> _Tree:
    """Return a reduction in the switch of a scale-up domain."""
    out = wiring.scale_up[member]
    latency = wiring.channels.latency_s
    longest = float(latency[out].max() + latency[out + 1].max())
    channel = np.concatenate((out, out + np.int32(1)))
    return _Tree(channel, np.concatenate(trees.shares(part)), len(trees.passes) * longest, 0)


def _outside(wiring: Wiring, trees: Trees, member: I4, part: F8, turn: int, load: F8) -> _Tree:
    """Return a reduction in switches of the network: the bytes are split over the lanes that join all members."""
    lanes = [aggregation_tree(wiring, lane, member, part, turn, load) for lane in range(wiring.lanes.shape[1])]
    found = [tree for tree in lanes if tree is not None]
    if not found:
        raise UnreachableError([_apart(wiring, *_lost(wiring, member))])
    for tree in found:
        load[tree.up] += 1.0
    channel = np.concatenate([way for tree in found for way in (tree.up, tree.up ^ 1)])
    share = np.concatenate([share for tree in found for share in trees.shares(tree.part)]) / len(found)
    longest = max(tree.latency_s for tree in found)
    return _Tree(channel, share, len(trees.passes) * longest, 2 * max(tree.depth for tree in found))


def _lost(wiring: Wiring, member: I4) -> tuple[int, int]:
    """Return two members that the first lane does not join."""
    part = np.where(wiring.up[member, 0] >= 0, wiring.parts_of(0)[member], -1 - member)
    other = int(np.flatnonzero(part != part[0])[0]) if (part != part[0]).any() else 1
    return int(member[0]), int(member[other])


def _apart(wiring: Wiring, one: int, other: int) -> Problem:
    what = f"{wiring.rank_name(one)} cannot reach {wiring.rank_name(other)} in this network"
    return Problem("", what, "join them by switches or a scale-up domain")
