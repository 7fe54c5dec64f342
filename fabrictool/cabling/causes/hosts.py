"""Rails of a host out of order: two swapped, rotated, reversed, or the same wrong map of adapters on many hosts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fabrictool.cabling.board import DARK, Board
from fabrictool.cabling.causes.cause import Cause, Evidence, cycles, grouped
from fabrictool.formats.found import natural

#: Share of the hosts looked at that must show a map before it is held against all of them.
MAJORITY = 0.5


def host_orders(board: Board, found: Evidence) -> Iterator[Cause]:
    """Yield rotations, reversals and other orders of a host's rails, and orders that many hosts share."""
    same = (board.device[found.src] == board.device[found.dst]) & (board.tier[found.src] == 0)
    votes = found.where(same)
    if not len(votes.src):
        return
    order = _rails(board)
    yield from _everywhere(board, votes, order)
    for host, rows in grouped(board.device[votes.src]):
        yield from _of_host(board, order[host], votes.src[rows], votes.dst[rows])


def _rails(board: Board) -> dict[int, list[list[int]]]:
    """Return the planned ports of each host, network by network, in the order of their names."""
    found: defaultdict[int, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for link in board.plan.links:
        for port in (link.a, link.z):
            device = board.plan.ports[port].device
            if board.plan.devices[device].tier == 0:
                found[device][link.network].append(port)
    return {
        device: [sorted(ports, key=lambda port: natural(board.plan.ports[port].label)) for ports in networks.values()]
        for device, networks in found.items()
    }


def _of_host(board: Board, networks: list[list[int]], src: np.ndarray, dst: np.ndarray) -> Iterator[Cause]:
    for ports in networks:
        place = {port: at for at, port in enumerate(ports)}
        moves = [
            (place[a], place[z]) for a, z in zip(src.tolist(), dst.tolist(), strict=True) if {a, z} <= place.keys()
        ]
        if len(moves) < 2 or len(ports) < 3:
            continue
        count = len(ports)
        turns = Counter((a - z) % count for a, z in moves)
        yield from (_turned(board, ports, turn) for turn, votes in turns.items() if votes > 1)
        if sum(a + z == count - 1 for a, z in moves) > 1:
            yield _reversed(board, ports)
        mapping = dict(moves)
        if set(mapping) == set(mapping.values()) and len(mapping) > 2:
            yield _other_order(board, ports, mapping)


def _name(board: Board, port: int) -> str:
    return board.plan.devices[board.plan.ports[port].device].name


def _map_words(board: Board, ports: list[int], mapping: Mapping[int, int]) -> dict[str, str]:
    """Return which rail each adapter is on, given where the end of each rail went."""
    words = [board.plan.ports[port].label for port in ports]
    return {words[to]: words[rail] for rail, to in sorted(mapping.items(), key=lambda pair: pair[1]) if rail != to}


def _turned(board: Board, ports: list[int], turn: int) -> Cause:
    name, count = _name(board, ports[0]), len(ports)
    mapping = {rail: (rail - turn) % count for rail in range(count)}
    message = f"all {count} rails of {name} are rotated by {turn}: each adapter is on the rail {turn} further"
    fix = f"rotate the {count} connectors of {name} back, or correct the order of its adapters"
    return _permuted("rail-rotation", [name, turn], board, ports, mapping, message, fix)


def _reversed(board: Board, ports: list[int]) -> Cause:
    name, count = _name(board, ports[0]), len(ports)
    mapping = {rail: count - 1 - rail for rail in range(count)}
    message = f"the {count} rails of {name} are reversed"
    fix = f"reverse the {count} connectors of {name}, or correct the order of its adapters"
    return _permuted("rail-reversal", [name], board, ports, mapping, message, fix)


def _other_order(board: Board, ports: list[int], mapping: dict[int, int]) -> Cause:
    name = _name(board, ports[0])
    message = f"{len(mapping)} rails of {name} are in another order"
    fix = f"correct the order of the adapters of {name}, or move {len(mapping)} connectors"
    subject: list[Any] = [name, _map_words(board, ports, mapping)]
    return _permuted("nic-order", subject, board, ports, mapping, message, fix)


def _permuted(
    kind: str, subject: list[Any], board: Board, ports: list[int], mapping: dict[int, int], message: str, fix: str
) -> Cause:
    src = np.array([ports[rail] for rail in mapping], np.int32)
    dst = np.array([ports[to] for to in mapping.values()], np.int32)
    moved = sum(rail != to for rail, to in mapping.items())
    others = [] if kind == "nic-order" else [("nic-order", [_name(board, ports[0]), _map_words(board, ports, mapping)])]
    return Cause(kind, subject, src, dst, message, fix, moved, kind == "nic-order", others)


def _everywhere(board: Board, votes: Evidence, order: dict[int, list[list[int]]]) -> Iterator[Cause]:
    """Yield a map of adapters that most hosts, or most of a rack, share."""
    looked = {host for host in order if any(board.state[p] >= DARK for row in order[host] for p in row)}
    racks: defaultdict[str, set[int]] = defaultdict(set)
    for host in looked:
        racks[board.plan.devices[host].rack].add(host)
    scopes = {"*": looked} | {
        rack: hosts for rack, hosts in racks.items() if rack and len(racks) > 1 and len(hosts) > 2
    }
    voters = board.device[votes.src]
    for scope, hosts in scopes.items():
        inside = np.isin(voters, list(hosts))
        if inside.sum() > MAJORITY * 2 * len(hosts):
            yield from _shared(board, scope, hosts, votes.where(inside))


def _shared(board: Board, scope: str, hosts: set[int], votes: Evidence) -> Iterator[Cause]:
    words = [port.label for port in board.plan.ports]
    counts = Counter(zip(board.label[votes.src].tolist(), board.label[votes.dst].tolist(), strict=True))
    text = {int(label): words[row] for row, label in enumerate(board.label.tolist())}
    mapping = {text[a]: text[z] for (a, z), count in counts.items() if count > MAJORITY * len(hosts)}
    if not mapping or set(mapping) != set(mapping.values()):
        return
    yield _shared_order(board, scope, hosts, mapping)
    parts = list(cycles(mapping, len(mapping)))
    if len(parts) > 1:  # two mistakes may have met in it
        yield from (_shared_order(board, scope, hosts, {word: mapping[word] for word in part}) for part in parts)


def _shared_order(board: Board, scope: str, hosts: set[int], mapping: dict[str, str]) -> Cause:
    src: list[int] = []
    dst: list[int] = []
    for host in hosts:
        ports = board.plan.devices[host].ports
        if all(word in ports for word in mapping):
            src += [ports[word] for word in mapping]
            dst += [ports[word] for word in mapping.values()]
    told = {to: rail for rail, to in sorted(mapping.items(), key=lambda pair: natural(pair[1]))}
    where = "every host" if scope == "*" else f"every host of rack {scope}"
    pairs = ", ".join(f"{nic} on {rail}" for nic, rail in told.items())
    message = f"adapters of {where} are in another order than the plan's: {pairs}"
    fix = "correct the map of adapters to rails; no cable is wrong"
    return Cause("nic-order", [scope, told], np.array(src, np.int32), np.array(dst, np.int32), message, fix, 1, True)
