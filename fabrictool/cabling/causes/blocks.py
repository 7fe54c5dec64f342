"""Blocks of a switch's ports, or of its cages, plugged some places too high or too low; blocks exchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.cabling.board import LIT, Board
from fabrictool.cabling.causes.cause import Cause, Evidence, grouped, runs, swap
from fabrictool.cabling.causes.pairs import free_end_kind, other_ends
from fabrictool.cabling.planned import in_order
from fabrictool.formats.found import natural

#: Places beside a block that are taken to belong to it, at most, where nobody knows what became of their ends.
REACH = 2


@dataclass(frozen=True, slots=True)
class _Row:
    """Places of a switch in order: each a port, or all ports of a cage."""

    name: str
    places: Sequence[Sequence[int]]
    titles: Sequence[str]


class _Rows:
    """The ports and the cages of switches in their order, made when asked for."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.rows: dict[int, tuple[_Row, _Row]] = {}
        self.port_place: dict[int, int] = {}
        self.cage_place: dict[int, int] = {}

    def of(self, device: int) -> tuple[_Row, _Row]:
        if device not in self.rows:
            plan = self.board.plan
            ports = in_order(plan, device)
            cages: dict[int, list[int]] = {}
            for port in ports:
                cages.setdefault(int(self.board.cage[port]), []).append(port)
            ordered = sorted(cages.values(), key=lambda legs: plan.ports[legs[0]].cage)
            self.port_place |= {port: place for place, port in enumerate(ports)}
            self.cage_place |= {port: place for place, legs in enumerate(ordered) for port in legs}
            name = plan.devices[device].name
            self.rows[device] = (
                _Row(name, [[port] for port in ports], [plan.ports[port].label for port in ports]),
                _Row(name, ordered, [plan.cage_label(legs[0]) for legs in ordered]),
            )
        return self.rows[device]


def block_shifts(board: Board, found: Evidence) -> Iterator[Cause]:
    """Yield shifts of blocks of ports and cages of one switch, and exchanges of two blocks."""
    switch = (board.tier[found.src] > 0) & (board.tier[found.dst] > 0)
    votes = found.where(switch)
    rows = _Rows(board)
    devices = [board.device[votes.src].tolist(), board.device[votes.dst].tolist()]
    ports: defaultdict[tuple[int, int, int], set[int]] = defaultdict(set)
    cages: defaultdict[tuple[int, int, int], set[int]] = defaultdict(set)
    for a, z, p, q in zip(*devices, votes.src.tolist(), votes.dst.tolist(), strict=True):
        rows.of(a), rows.of(z)
        ports[a, z, rows.port_place[q] - rows.port_place[p]].add(rows.port_place[p])
        twin = board.legs[p] > 1
        if twin and board.leg[p] == board.leg[q] and rows.cage_place[p] != rows.cage_place[q]:
            cages[a, z, rows.cage_place[q] - rows.cage_place[p]].add(rows.cage_place[p])
    for which, places in ((0, ports), (1, cages)):
        for (a, z, step), moved in places.items():
            if len(moved) > 1:
                yield from _blocks(board, rows.of(a)[which], rows.of(z)[which], step, sorted(moved), a == z, which)


def _blocks(board: Board, one: _Row, two: _Row, step: int, moved: list[int], same: bool, caged: int) -> Iterator[Cause]:
    for first, last in _extents(one, moved, lambda port: _lost(board, port)):
        if last == first:
            continue
        if same and abs(step) <= last - first:
            yield from _shift(one, first, last, step, caged)
        elif not (same and step < 0):
            yield from _exchange(one, two, first, last, step)
            if same:
                yield from _shift(one, first, last, step, caged)


def _lost(board: Board, port: int) -> bool:
    """Return whether nobody knows where the end that belongs in a port is."""
    other = int(board.expected[port])
    return other < 0 or bool(board.state[other] != LIT)


def _extents(row: _Row, moved: list[int], lost: Callable[[int], bool]) -> set[tuple[int, int]]:
    """Return first and last places of blocks: of each run, of all, and with what is lost beside them."""

    def idle(place: int) -> bool:
        return 0 <= place < len(row.places) and all(lost(port) for port in row.places[place])

    found = set(runs(moved, idle))
    if len(moved) > 2:
        found.add((moved[0], moved[-1]))
    for first, last in list(found):
        before = next(
            (place for place in range(first - 1, first - 1 - REACH, -1) if not idle(place)), first - 1 - REACH
        )
        behind = next((place for place in range(last + 1, last + 1 + REACH) if not idle(place)), last + 1 + REACH)
        found |= {(low, high) for low in range(before + 1, first + 1) for high in range(last, behind)}
    return found


def _shift(row: _Row, first: int, last: int, step: int, caged: int) -> Iterator[Cause]:
    """Yield the shift of a block, with what stood in its way filling the gap behind it."""
    low, high = (first, last + step) if step > 0 else (first + step, last)
    if low < 0 or high >= len(row.places):
        return
    size = high - low + 1
    src: list[int] = []
    dst: list[int] = []
    for place in range(low, high + 1):
        inside = first <= place <= last
        to = place + step if inside else place + (-(last - first + 1) if step > 0 else last - first + 1)
        if len(row.places[place]) != len(row.places[to]):
            return
        src += row.places[place]
        dst += row.places[to]
    what = "cables" if caged else "connectors"
    names = f"{row.titles[first]}..{row.titles[last]}"
    whole = f"{row.titles[low]}..{row.titles[high]}"
    message = f"{last - first + 1} {what} of {row.name} ({names}) sit {abs(step)} too {'high' if step > 0 else 'low'}"
    fix = f"move {size} {what} of {row.name} ({whole}) back"
    kind = "cage-block-shift" if caged else "port-block-shift"
    yield Cause(
        kind, [row.name, names, step], np.array(src, np.int32), np.array(dst, np.int32), message, fix, size,
        alternatives=[(kind, [row.name, whole, step])],
    )  # fmt: skip


def _exchange(one: _Row, two: _Row, first: int, last: int, step: int) -> Iterator[Cause]:
    """Yield the exchange of two blocks of places."""
    if not (first + step >= 0 and last + step < len(two.places)):
        return
    here, there = one.places[first : last + 1], two.places[first + step : last + step + 1]
    if [len(place) for place in here] != [len(place) for place in there]:
        return
    src, dst = swap([p for place in here for p in place], [p for place in there for p in place])
    names = [
        f"{one.name}:{one.titles[first]}..{one.titles[last]}",
        f"{two.name}:{two.titles[first + step]}..{two.titles[last + step]}",
    ]
    message = f"the harnesses in {names[0]} and {names[1]} are exchanged"
    yield Cause("harness-exchange", list(names), src, dst, message, "exchange the two harnesses", 2 * len(here))


def cage_swaps(board: Board, found: Evidence) -> Iterator[Cause]:
    """Yield exchanges of the cables in two cages, and cables in a free cage, all legs in order."""
    fits = (board.leg[found.src] == board.leg[found.dst]) & (board.cage[found.src] != board.cage[found.dst])
    votes = found.where(fits)
    count = int(board.cage.max(initial=0)) + 1
    a, z = board.cage[votes.src].astype(np.int64), board.cage[votes.dst].astype(np.int64)
    legs: dict[int, list[int]] = {}
    wanted = set(a.tolist()) | set(z.tolist())
    for port, cage in enumerate(board.cage.tolist()):
        if cage in wanted:
            legs.setdefault(cage, []).append(port)
    for key, _ in grouped(np.minimum(a, z) * count + np.maximum(a, z)):
        one, two = (sorted(legs[cage], key=lambda port: board.leg[port]) for cage in divmod(key, count))
        common = {int(board.leg[p]) for p in one} & {int(board.leg[p]) for p in two}
        one, two = ([p for p in side if board.leg[p] in common] for side in (one, two))
        if len(one) > 1 and len(one) == len(two):
            yield from _of_cages(board, one, two)


def _of_cages(board: Board, one: list[int], two: list[int]) -> Iterator[Cause]:
    plan = board.plan
    used = [any(board.expected[p] >= 0 for p in side) for side in (one, two)]
    if not all(used):
        full, empty = (one, two) if used[0] else (two, one)
        kind, kept = free_end_kind(board, full, empty)
        subject = [plan.cage_name(kept), plan.cage_name(empty[0])]
        message = f"the cable from {subject[0]} sits in {subject[1]} instead of {plan.cage_name(full[0])}"
        fix = f"move it from {subject[1]} to {plan.cage_name(full[0])}"
        yield Cause(kind, subject, *swap(one, two), message, fix, 1)
        return
    between = all(
        board.tier[p] > 0 and board.tier[board.expected[p]] > 0 for p in (*one, *two) if board.expected[p] >= 0
    )
    kind = "uplinks-swapped" if between else "cages-swapped"
    names = sorted((plan.cage_name(side[0]) for side in (one, two)), key=natural)
    ends = [other_ends(board, side) for side in (one, two)]
    far = sorted((plan.cage_name(side[0]) if side else "" for side in ends), key=natural)
    others = [(kind, far)] if between and all(far) and far[0] != far[1] else []
    at = len({plan.ports[side[0]].device for side in (one, two)}) == 1
    if not at and others and len({name.rpartition(":")[0] for name in far}) == 1:
        return  # the reading at the other ends, which are on one device, comes as well
    message = f"the cables in {names[0]} and {names[1]} are exchanged"
    yield Cause(kind, list(names), *swap(one, two), message, "exchange the two cables", 2, alternatives=list(others))
