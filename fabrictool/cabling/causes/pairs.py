"""Single ends of cables: two exchanged, one in a port that should be free, several moved around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fabrictool.cabling.board import Board
from fabrictool.cabling.causes.cause import Alternative, Cause, Evidence, cycles, first_first, swap
from fabrictool.formats.found import natural

#: Ends moved around that are told as one mistake, at most.
LONGEST = 12


def single_ends(board: Board, found: Evidence) -> Iterator[Cause]:
    """Yield the exchange of two ends, or the move of one, for each link that was seen, but is not expected."""
    done = set()
    for a, z in zip(found.src.tolist(), found.dst.tolist(), strict=True):
        if board.expected[z] < 0:
            yield _moved(board, a, z)
            continue
        links = frozenset((int(board.link[a]), int(board.link[z])))
        sides = frozenset((a, z)), frozenset((int(board.expected[a]), int(board.expected[z])))
        if links not in done and len(links) == 2:
            done.add(links)
            yield _exchanged(board, *(sorted(side) for side in sides))


def _moved(board: Board, a: int, z: int) -> Cause:
    plan = board.plan
    kind, kept = free_end_kind(board, [a], [z])
    subject = [plan.port_name(kept), plan.port_name(z)]
    message = f"the cable from {subject[0]} sits in {subject[1]} instead of {plan.port_name(a)}"
    return Cause(kind, subject, *swap([a], [z]), message, f"move it from {subject[1]} to {plan.port_name(a)}", 1)


def free_end_kind(board: Board, src: Sequence[int], dst: Sequence[int]) -> tuple[str, int]:
    """Return what kind of mistake it is that an end is elsewhere, and the other end of its cable."""
    a, z = src[0], dst[0]
    kept = next(int(board.expected[p]) for p in src if board.expected[p] >= 0)
    one, two = (board.plan.devices[board.plan.ports[port].device] for port in (a, z))
    if one is two:
        return "wrong-port", kept
    if one.tier != two.tier:
        return "wrong-tier", kept
    if one.tier == 0:
        return "wrong-host", kept
    if one.plane != two.plane:
        return "wrong-plane", kept
    if one.tier == 1:
        return ("wrong-rail" if one.rail != two.rail else "wrong-leaf"), kept
    return "wrong-spine", kept


def other_ends(board: Board, ports: Sequence[int]) -> list[int]:
    """Return where the other ends of what is expected in some ports are."""
    return [int(board.expected[port]) for port in ports if board.expected[port] >= 0]


def _exchanged(board: Board, one: list[int], two: list[int]) -> Cause:
    """Return the exchange of two ends, told at those where it most likely happened."""
    near, far = sorted((one, two), key=lambda side: _likely(board, side))
    plan = board.plan
    names, others = ([plan.port_name(port) for port in _by_name(board, side)] for side in (near, far))
    kind, subject, alternatives = _told(board, near, far, names, others)
    message = f"the ends in {names[0]} and {names[1]} are exchanged"
    if kind == "crossed-splitter-legs":
        message = f"the legs of {subject[0]} are crossed: {names[0]} and {names[1]} are exchanged"
    fix = f"exchange the connectors in {names[0]} and {names[1]}"
    return Cause(kind, list(subject), *swap([near[0]], [near[1]]), message, fix, 2, alternatives=alternatives)


def _by_name(board: Board, side: list[int]) -> list[int]:
    return sorted(side, key=lambda port: natural(board.plan.port_name(port)))


def _likely(board: Board, side: list[int]) -> tuple[bool, bool, bool, int]:
    """Prefer ends on one host, then those of one tier, on one device between switches, and the lower tier."""
    tiers = [int(board.tier[port]) for port in side]
    one_device = board.device[side[0]] == board.device[side[1]]
    between = all(board.tier[port] > 0 and board.tier[board.expected[port]] > 0 for port in side)
    return not (one_device and tiers[0] == 0), tiers[0] != tiers[1], not (one_device and between), sum(tiers)


def _told(
    board: Board, near: list[int], far: list[int], names: list[str], others: list[str]
) -> tuple[str, list[object], list[Alternative]]:
    plan = board.plan
    cables = {plan.links[int(board.link[port])].cable for port in near}
    if len(cables) == 1 and "" not in cables:
        return "crossed-splitter-legs", [cables.pop()], [("swapped-pair", list(names))]
    devices = [{int(board.device[port]) for port in side} for side in (near, far)]
    if len(devices[0]) == 1 and board.tier[near[0]] == 0:
        words = [plan.ports[port].label for port in _by_name(board, near)]
        order = {words[0]: words[1], words[1]: words[0]}
        host = plan.devices[devices[0].pop()].name
        return "rails-swapped", list(names), [("nic-order", [host, order]), ("swapped-pair", list(others))]
    switches = all(board.tier[port] > 0 for port in (*near, *far))
    if switches and min(len(side) for side in devices) == 1:
        return "uplinks-swapped", list(names), [("uplinks-swapped", list(others))]
    single = [side for side in (near, far) if all(_only_port(board, port) for port in side)]
    exchanged: list[Alternative] = []
    for side in single:
        hosts = [plan.devices[int(board.device[port])].name for port in _by_name(board, side)]
        exchanged.append(("host-exchange" if board.tier[side[0]] == 0 else "switch-exchange", list(hosts)))
    return "swapped-pair", list(names), [("swapped-pair", list(others)), *exchanged]


def _only_port(board: Board, port: int) -> bool:
    ports = board.plan.devices[int(board.device[port])].ports.values()
    return sum(int(board.expected[row] >= 0) for row in ports) == 1


def moved_around(board: Board, found: Evidence) -> Iterator[Cause]:
    """Yield rotations of three ends and more, told at the lower ends of their links."""
    tier, other = board.tier[found.src], board.tier[found.kept]
    lower = (tier < other) | ((tier == other) & (found.src < found.kept))
    to = dict(zip(found.src[lower].tolist(), found.dst[lower].tolist(), strict=True))
    for cycle in cycles(to, LONGEST):
        if len(cycle) > 2:
            names = first_first([board.plan.port_name(port) for port in cycle])
            ports = (np.array(cycle, np.int32), np.array([*cycle[1:], cycle[0]], np.int32))
            message = f"the ends in {', '.join(names)} are rotated: each sits in the next"
            yield Cause("port-rotation", list(names), *ports, message, f"move {len(names)} connectors back", len(names))
