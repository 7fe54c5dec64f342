"""Links that are not there: grouped into the device, module, cable or single end that is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fabrictool.cabling.board import DARK, LIT, Board
from fabrictool.cabling.sightings import AsBuilt
from fabrictool.cabling.told import Impact, Move, RootCause, unique
from fabrictool.formats.found import natural
from fabrictool.records import Finding

#: Received light, in dBm, at which a module sees none; lost signals read -40 or the like.
NO_LIGHT_DBM = -30.0
#: Share of a device's links that must have been looked for, and be missing, before the device is.
LOOKED_FOR = 0.5


def missing(board: Board) -> list[int]:
    """Return the links that somebody looked for where they are expected, and that are not there."""
    found = []
    for port, other in enumerate(board.expected.tolist()):
        states = {int(board.state[port]), int(board.state[other])}
        if port < other and LIT not in states and DARK in states:
            found.append(int(board.link[port]))
    return sorted(found)


def absences(board: Board, seen: AsBuilt, rows: Iterable[int]) -> Iterator[RootCause]:
    """Yield one finding for each device, cable, module or link that is missing."""
    left = set(rows)
    at = _ports_of(board)
    for device, name in _absent_devices(board, left, at):
        gone = _of_device(board, device, left)
        if not gone:
            continue
        left -= set(gone)
        yield _device(board, device, name, gone)
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row in sorted(left):
        groups[board.plan.links[row].cable or f"link {row}"].append(row)
    for links in groups.values():
        yield from _cable(board, seen, links)


def _ports_of(board: Board) -> dict[int, tuple[int, int]]:
    """Return where each planned link is expected."""
    return {
        int(board.link[port]): (port, other)
        for port, other in enumerate(board.expected.tolist())
        if port < other and board.link[port] >= 0
    }


def _absent_devices(board: Board, left: set[int], at: dict[int, tuple[int, int]]) -> list[tuple[int, str]]:
    """Return devices of which nothing was seen, though somebody looked for all or most of their links."""
    lit = {int(board.device[port]) for port in (board.state == LIT).nonzero()[0]}
    touched = {int(board.device[port]) for row in left for port in at[row]}
    names = [(device, board.plan.devices[device].name) for device in touched - lit]
    return sorted(names, key=lambda pair: (-board.plan.devices[pair[0]].tier, natural(pair[1])))


def _of_device(board: Board, device: int, left: set[int]) -> list[int]:
    """Return a device's links that are missing; none if too few of its links were looked for to say that it is."""
    ports = board.plan.devices[device].ports.values()
    rows = {int(board.link[port]) for port in ports if board.link[port] >= 0}
    return sorted(rows & left) if len(rows & left) >= LOOKED_FOR * len(rows) else []


def _device(board: Board, device: int, name: str, rows: list[int]) -> RootCause:
    host = board.plan.devices[device].tier == 0
    kind = "host-absent" if host else "switch-absent"
    message = f"nothing of {name} was seen: its {len(rows)} links that others should see are dark"
    fix = f"power, cable or exclude {name}"
    others: list[tuple[str, tuple[str, ...]]] = []
    if len(rows) == 1:
        others = [("missing-link", (lower_end(board, rows[0]),))]
    effect = _impact(board, rows)
    return told(board, kind, (name,), message, fix, rows, (Move("bring up", name),), effect, tuple(others), (name,))


def _cable(board: Board, seen: AsBuilt, rows: list[int]) -> Iterator[RootCause]:
    plan = board.plan
    cable = plan.links[rows[0]].cable
    whole = plan.legs.get(cable, 1)
    if len(rows) < 2 or len(rows) < whole:
        for row in rows:
            yield _link(board, seen, row)
        return
    module, proof = _module(board, seen, rows)
    cage = plan.cage_name(plan.links[rows[0]].z)
    if module == "present":
        message = f"all {len(rows)} links of {cage} are dark, though it has a module: {proof}"
        moves = (Move("replace module", cage, unplugs=1),)
        fix = f"replace the module in {cage}"
        others = (("missing-cable", (cable,)),)
        yield told(
            board, "dead-transceiver", (cage,), message, fix, rows, moves, _impact(board, rows), others, (), (proof,)
        )
        return
    title = cable if cable.startswith("cable ") else f"cable {cable}"
    message = f"{title} is not there: its {len(rows)} links are dark"
    unsure = () if module == "absent" else (("dead-transceiver", (cage,)),)
    yield told(
        board, "missing-cable", (cable,), message, f"fit {title}", rows, (Move("fit", cable),), _impact(board, rows),
        unsure, (), (proof,) if proof else (),
    )  # fmt: skip


def _link(board: Board, seen: AsBuilt, row: int) -> RootCause:
    end = lower_end(board, row)
    _, proof = _module(board, seen, [row])
    message = f"the link {_name(board, row)} is not there"
    return told(
        board, "missing-link", (end,), message, f"seat or replace the cable at {end}", [row],
        (Move("reseat", end, unplugs=1),), _impact(board, [row]), (), (), (proof,) if proof else (),
    )  # fmt: skip


def _module(board: Board, seen: AsBuilt, rows: list[int]) -> tuple[str, str]:
    """Return ``present``, ``absent`` or nothing, and what says so."""
    for row in rows:
        for port in (board.plan.links[row].z, board.plan.links[row].a):
            said = seen.row.get(port)
            if said is None:
                continue
            light = [value for value in (said.rx_power_dbm, said.tx_power_dbm) if value is not None]
            words = f"module {said.module or 'unknown'}" + "".join(f", {value:g} dBm" for value in light)
            place = board.plan.port_name(port)
            if said.module.lower() in {"absent", "no", "none"}:
                return "absent", f"{place}: no module"
            if said.module or (light and min(light) <= NO_LIGHT_DBM):
                return "present", f"{place}: {words}"
    return "", ""


def _impact(board: Board, rows: list[int]) -> Impact:
    """Return that a host's link is down, or that bandwidth between switches is lost."""
    ends = [port for row in rows for port in (board.plan.links[row].a, board.plan.links[row].z)]
    return Impact("down" if any(board.tier[port] == 0 for port in ends) else "performance")


def lower_end(board: Board, row: int) -> str:
    """Return the lower end of a planned link."""
    return board.plan.port_name(board.plan.links[row].a)


def _name(board: Board, row: int) -> str:
    link = board.plan.links[row]
    return f"{board.plan.port_name(link.a)} - {board.plan.port_name(link.z)}"


def told(
    board: Board,
    kind: str,
    subject: tuple[str, ...],
    message: str,
    fix: str,
    rows: list[int],
    moves: tuple[Move, ...],
    impact: Impact,
    alternatives: tuple[tuple[str, tuple[str, ...]], ...] = (),
    devices: tuple[str, ...] = (),
    evidence: tuple[str, ...] = (),
) -> RootCause:
    """Return the finding about some planned links."""
    links = [board.plan.links[row] for row in rows]
    ports = [port for link in links for port in (link.a, link.z)]
    named = devices or unique(board.plan.devices[board.plan.ports[port].device].name for port in ports)
    finding = Finding(kind, "warning" if impact.effect == "risk" else "error", ", ".join(subject), message, fix)
    return RootCause(
        finding, kind, subject, moves, named, unique(board.plan.port_name(port) for port in ports),
        tuple(_name(board, row) for row in rows), tuple(rows), impact, alternatives, evidence,
    )  # fmt: skip
