"""Links that the plan does not have, and those that nothing explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fabrictool.cabling.board import Board
from fabrictool.cabling.told import Impact, Move, RootCause
from fabrictool.records import Finding

#: Links beside the plan, from ports of one name, that are told together.
MANY = 3


def extras(board: Board) -> Iterator[RootCause]:
    """Yield links on ports that are free in the plan, then those that stand where others should."""
    outside: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for port in board.strangers().tolist():
        other = int(board.seen[port])
        if board.expected[port] < 0 and board.expected[other] < 0:
            unknown = [not board.plan.devices[int(board.device[p])].planned for p in (port, other)]
            ends = (port, other) if unknown[1] else (other, port)
            alien = board.plan.ports[ends[0]]
            key = f"*:{alien.label}" if board.plan.devices[alien.device].tier == 0 and any(unknown) else ""
            outside[key or board.plan.port_name(port)].append(ends)
        else:
            yield _unexplained(board, port, other)
    for key, pairs in outside.items():
        if key.startswith("*:") and len(pairs) >= MANY:
            yield _beside(board, key, pairs)
        else:
            yield from (_extra(board, *pair) for pair in pairs)


def _extra(board: Board, port: int, other: int) -> RootCause:
    names = (board.plan.port_name(port), board.plan.port_name(other))
    message = f"{names[0]} is linked with {names[1]}, which the plan does not have"
    finding = Finding("extra-link", "warning", names[0], message, "remove it, or add it to the plan")
    moves = (Move("remove", f"{names[0]} - {names[1]}", unplugs=2),)
    return RootCause(finding, "extra-link", names, moves, _devices(board, port, other), names, impact=Impact("none"))


def _beside(board: Board, key: str, pairs: list[tuple[int, int]]) -> RootCause:
    names = tuple(board.plan.port_name(pair[0]) for pair in pairs)
    message = f"{len(pairs)} hosts have a link at {key[2:]} that the plan does not have: it is left out"
    finding = Finding("outside-the-plan", "note", key, message, "add that network to the plan to check it as well")
    return RootCause(finding, ports=names)


def _unexplained(board: Board, port: int, other: int) -> RootCause:
    names = (board.plan.port_name(port), board.plan.port_name(other))
    meant = [
        f"{board.plan.port_name(p)} is for {board.plan.port_name(int(board.expected[p]))}"
        for p in (port, other)
        if board.expected[p] >= 0
    ]
    message = f"{names[0]} is linked with {names[1]}, but {' and '.join(meant)}; no mistake explains it"
    finding = Finding("unexplained-link", "error", names[0], message, "look at both ends, and dump them again")
    return RootCause(
        finding, "unexplained-link", names, (), _devices(board, port, other), names, impact=Impact("performance")
    )


def _devices(board: Board, *ports: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(board.plan.devices[int(board.device[port])].name for port in ports))
