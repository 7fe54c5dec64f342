"""Whole devices in one another's place: two exchanged, several moved around, racks exchanged, parts exchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from fabrictool.cabling.board import LIT, Board
from fabrictool.cabling.causes.cause import Alternative, Cause, Evidence, cycles, first_first, grouped, swap
from fabrictool.cabling.planned import in_order
from fabrictool.formats.found import natural


def device_exchanges(board: Board, found: Evidence) -> Iterator[Cause]:
    """Yield exchanges of two devices, of some of their ports, rotations of several, and exchanges of racks."""
    other = board.device[found.src] != board.device[found.dst]
    same = board.label[found.src] == board.label[found.dst]
    tiers = board.tier[found.src] == board.tier[found.dst]
    votes = found.where(other & same & tiers)
    if not len(votes.src):
        return
    a, z = board.device[votes.src].astype(np.int64), board.device[votes.dst].astype(np.int64)
    low, high = np.minimum(a, z), np.maximum(a, z)
    best: dict[int, tuple[int, int]] = {}
    for key, rows in grouped(a * len(board.plan.devices) + z):
        one, two = divmod(key, len(board.plan.devices))
        best[one] = max(best.get(one, (0, -1)), (len(rows), two))
    pairs: list[tuple[int, int]] = []
    for key, rows in grouped(low * len(board.plan.devices) + high):
        if len(rows) < 3:
            continue
        one, two = divmod(key, len(board.plan.devices))
        pairs.append((one, two))
        yield _exchange(board, one, two)
        yield from _parts(board, one, two, votes.src[rows])
    to = {one: two for one, (count, two) in best.items() if count > 1}
    yield from (_rotation(board, cycle) for cycle in cycles(to, len(to)) if len(cycle) > 2)
    yield from _racks(board, pairs)


def _common(board: Board, a: int, z: int) -> tuple[list[int], list[int]]:
    one, other = (board.plan.devices[row].ports for row in (a, z))
    words = [word for word in one if word in other]
    return [one[word] for word in words], [other[word] for word in words]


def _exchange(board: Board, a: int, z: int) -> Cause:
    one, two = sorted((board.plan.devices[row] for row in (a, z)), key=lambda row: natural(row.name))
    kind = "host-exchange" if one.tier == 0 else "switch-exchange"
    names = [one.name, two.name]
    message = f"{one.name} and {two.name} are exchanged: each sits on the other's ports"
    fix = f"exchange the names or the places of {one.name} and {two.name}; their serial numbers decide"
    others = [("hostname-exchange", names)]
    if one.tier == 0:
        others.append(("rack-position-exchange", names))
    return Cause(kind, list(names), *swap(*_common(board, a, z)), message, fix, 1, True, list(others))


def _parts(board: Board, a: int, z: int, src: np.ndarray) -> Iterator[Cause]:
    """Yield the exchange of those ports of two devices that were seen exchanged, if they are consecutive."""
    one, two = sorted((a, z), key=lambda row: natural(board.plan.devices[row].name))
    words = {board.plan.ports[port].label for port in src.tolist()}
    ordered = [board.plan.ports[port].label for port in in_order(board.plan, one) if board.expected[port] >= 0]
    at = [place for place, word in enumerate(ordered) if word in words]
    if len(at) < 2:
        return
    block = ordered[at[0] : at[-1] + 1]
    ports = [(board.plan.devices[one].ports[word], board.plan.devices[two].ports.get(word, -1)) for word in block]
    if any(board.state[p] == LIT and q >= 0 and board.seen[p] == board.expected[p] for p, q in ports):
        return
    ports = [pair for pair in ports if pair[1] >= 0]
    names = [board.plan.devices[row].name for row in (one, two)]
    where = f"{block[0]}..{block[-1]}"
    host = board.plan.devices[one].tier == 0
    kind = "half-host-exchange" if host else "harness-exchange"
    message = f"{where} of {names[0]} and {names[1]} are exchanged"
    fix = f"exchange the {len(ports)} connectors of {names[0]} with those of {names[1]}"
    yield Cause(
        kind, [*names, where], *swap([p for p, _ in ports], [q for _, q in ports]), message, fix, 2 * len(ports)
    )


def _rotation(board: Board, cycle: list[int]) -> Cause:
    rows = [board.plan.devices[row].ports for row in cycle]
    words = [word for word in rows[0] if all(word in ports for ports in rows)]
    src = [ports[word] for ports in rows for word in words]
    dst = [ports[word] for ports in (*rows[1:], rows[0]) for word in words]
    names = first_first([board.plan.devices[row].name for row in cycle])
    message = f"{', '.join(names)} are rotated: each sits on the ports of the next"
    fix = "correct the names, or move the devices; their serial numbers decide"
    others: list[Alternative] = [("hostname-rotation", list(names))]
    ports = (np.array(src, np.int32), np.array(dst, np.int32))
    return Cause("device-rotation", list(names), *ports, message, fix, len(names) - 1, True, others)


def _racks(board: Board, pairs: Iterable[tuple[int, int]]) -> Iterator[Cause]:
    """Yield exchanges of racks whose devices, in their order, were seen exchanged."""
    votes: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one, two in pairs:
        racks = sorted((board.plan.devices[row].rack for row in (one, two)), key=natural)
        if all(racks) and racks[0] != racks[1]:
            votes[racks[0], racks[1]] += 1
    standing: defaultdict[str, list[int]] = defaultdict(list)
    if any(count > 1 for count in votes.values()):
        for row, device in enumerate(board.plan.devices):
            if device.rack and device.planned:
                standing[device.rack].append(row)
    for (left, right), count in votes.items():
        sides = [_in_rack(board, standing[rack]) for rack in (left, right)]
        kinds = [[board.plan.devices[row].kind for row in side] for side in sides]
        if count < 2 or kinds[0] != kinds[1]:
            continue
        ports = [_common(board, a, z) for a, z in zip(*sides, strict=True)]
        src, dst = swap([p for a, _ in ports for p in a], [p for _, z in ports for p in z])
        message = f"racks {left} and {right} are exchanged: their {len(sides[0])} devices each sit on the other's ports"
        fix = f"exchange the names of the racks {left} and {right}, or their cables"
        names = [board.plan.devices[row].name for side in sides for row in side]
        yield Cause("rack-exchange", [left, right], src, dst, message, fix, 1, True, [("hostname-exchange", names)])


def _in_rack(board: Board, rows: list[int]) -> list[int]:
    devices = board.plan.devices
    return sorted(rows, key=lambda row: (devices[row].unit, natural(devices[row].name)))
