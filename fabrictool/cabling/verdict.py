"""From a plan and what was seen to findings: coverage first, then one for each mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.cabling.board import DARK, LIT, Board, board_of
from fabrictool.cabling.causes.absent import absences, missing
from fabrictool.cabling.causes.attributes import differences
from fabrictool.cabling.causes.cause import Cause
from fabrictool.cabling.causes.condition import conditions
from fabrictool.cabling.causes.extra import extras
from fabrictool.cabling.planned import Plan
from fabrictool.cabling.search import search
from fabrictool.cabling.sightings import AsBuilt, located
from fabrictool.cabling.told import Effect, Impact, Move, RootCause, plain, unique
from fabrictool.fabric.tables import Bool
from fabrictool.formats.found import natural
from fabrictool.formats.plan_table import FORMAT as THEIR_PLAN
from fabrictool.records import Dump, Finding

_NAMED = 6


@dataclass(frozen=True, slots=True)
class Summary:
    """Links of the plan by what became of them, and links seen beside it."""

    planned: int
    as_expected: int
    missing: int
    unexpected: int
    moved: int
    not_seen: int

    def to_dict(self) -> dict[str, int]:
        """Return the object in the JSON output."""
        return {word: getattr(self, word) for word in self.__slots__}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Parameters
    ----------
    findings : tuple of RootCause
        Coverage first, then mistakes.
    summary : Summary
    moves : tuple of (planned ports a and z, ports where they are)
        For each cause that moved cables, by its place in ``findings``: the links' ends before and after.
    board : Board
        With every mistake made in its plan.
    """

    findings: tuple[RootCause, ...]
    summary: Summary
    moved: Mapping[int, tuple[tuple[int, int, int], ...]]
    board: Board


def verdict(plan: Plan, dumps: Sequence[Dump], aliases: Mapping[str, str]) -> Verdict:
    """Hold dumps against a plan."""
    seen = located(plan, dumps, aliases)
    board = board_of(plan, seen.peer, seen.state)
    before = board.expected.copy()
    kept: Bool = np.logical_and(before == board.seen, before >= 0)
    looked = _looked_at(board)
    causes = search(board)
    gone = missing(board)
    findings = [plain(row) for dump in dumps for row in dump.findings]
    findings += [plain(row) for row in seen.findings]
    findings += list(_coverage(board, seen, dumps, looked))
    findings += list(_renamed(board, seen))
    moved: dict[int, tuple[tuple[int, int, int], ...]] = {}
    for cause in causes:
        told, ends = _told(board, cause)
        moved[len(findings)] = ends
        findings.append(told)
    findings += list(absences(board, seen, gone))
    findings += list(differences(board, seen))
    findings += list(conditions(board, seen))
    if any(plan.devices[device].planned for device in seen.names.device.values()):
        findings += list(extras(board))
    else:
        findings.append(_nothing_matches(plan, seen))
    summary = _summary(board, kept, looked, gone)
    return Verdict(tuple(findings), summary, moved, board)


def _nothing_matches(plan: Plan, seen: AsBuilt) -> RootCause:
    ours = ", ".join(device.name for device in plan.devices[:2])
    theirs = ", ".join(list(seen.names.device)[:2]) or "none"
    message = f"no device of the dumps ({theirs}, …) is in the plan ({ours}, …): nothing was compared"
    return plain(Finding("nothing-matches", "error", "dumps", message, "give the right plan, or the names to --names"))


def _looked_at(board: Board) -> Bool:
    """Return which planned links somebody looked at, (links,)."""
    state = board.state >= DARK
    ends = np.array([(link.a, link.z) for link in board.plan.links], np.int64).reshape(-1, 2)
    result: Bool = np.any(state[ends], axis=1)
    return result


def _summary(board: Board, kept: Bool, looked: Bool, gone: list[int]) -> Summary:
    """Count links: those where they should be, elsewhere, missing, and those that nobody could see."""
    ends = np.array([(link.a, link.z) for link in board.plan.links], np.int64).reshape(-1, 2)
    good = kept[ends[:, 0]] if len(ends) else np.zeros(0, bool)
    lost = np.zeros(len(ends), bool)
    lost[gone] = True
    strange = board.strangers()
    both = (board.expected >= 0) & (board.expected == board.seen)
    found = np.zeros(len(ends), bool)
    found[board.link[both]] = True
    moved = found & ~good
    unlit = ~(board.state[ends] == LIT).any(axis=1) if len(ends) else np.zeros(0, bool)
    lost |= ~good & ~moved & looked & ~unlit
    return Summary(
        len(ends), int(good.sum()), int(lost.sum()), len(strange), int(moved.sum()),
        int((~good & ~moved & ~lost).sum()),
    )  # fmt: skip


def _coverage(board: Board, seen: AsBuilt, dumps: Sequence[Dump], looked: Bool) -> Iterator[RootCause]:
    """Say how much of the plan the dumps cover, which devices said nothing, and what stands for what."""
    unseen = int((~looked).sum())
    if unseen:
        told = f"{len(looked) - unseen:,} of {len(looked):,} planned links"
        silent = [row.name for row, said in zip(board.plan.devices, seen.reporting, strict=True) if not said]
        some = ", ".join(sorted(silent, key=natural)[:_NAMED]) + (" …" if len(silent) > _NAMED else "")
        message, fix = f"{told} could be seen: no dump of {len(silent)} devices ({some})", "dump these devices as well"
        if all(dump.format == THEIR_PLAN for dump in dumps):
            message, fix = f"{told} are compared: rows of the others are left out, or unclear", "mend these rows first"
        yield plain(Finding("coverage", "note", "dumps", message, fix))
    for address, device in seen.names.addressed.items():
        name = board.plan.devices[device].name
        message = f"{address} is plugged where {name} belongs and gives no name: taken for {name}"
        yield plain(Finding("nameless-device", "note", name, message, f"let {name} send its name"))
    for text, count in seen.host_ports.patterns.items():
        message = f"ports of {count} hosts are told by their order: {text}"
        yield plain(Finding("ports-by-order", "note", "hosts", message, "name ports in the plan as the hosts do"))


def _renamed(board: Board, seen: AsBuilt) -> Iterator[RootCause]:
    """Say which devices bear another name; one finding where most do."""
    pairs = [(name, board.plan.devices[device].name) for name, device in seen.names.renamed.items()]
    if 2 * len(pairs) > len(seen.names.device) and len(pairs) > 2:
        some = ", ".join(f"{name} is {planned}" for name, planned in pairs[:3])
        message = f"{len(pairs)} devices bear other names than in the plan, and were found by their links: {some} …"
        yield plain(Finding("other-names", "note", "names", message, "give the names to --names to be sure"))
        return
    for name, planned in pairs:
        links = sum(row >= 0 for row in board.link[board.device == _device(board, planned)].tolist())
        message = f"a device called {name} has the links that are planned for {planned}"
        finding = Finding("hostname-mismatch", "warning", planned, message, "correct the name, or add an alias")
        yield RootCause(
            finding, "hostname-mismatch", (planned, name), (Move("rename", name, name, planned),), (planned,),
            impact=Impact("none"), evidence=(f"{links} links",),
        )  # fmt: skip


def _device(board: Board, name: str) -> int:
    return next(row for row, device in enumerate(board.plan.devices) if device.name == name)


#: Mistakes that lengthen ways or load links unevenly even where no link has more to carry.
_SLOWING = (
    "rails-swapped", "rail-rotation", "rail-reversal", "wrong-tier", "wrong-rail", "wrong-spine", "wrong-plane",
    "wrong-leaf",
)  # fmt: skip


def _told(board: Board, cause: Cause) -> tuple[RootCause, tuple[tuple[int, int, int], ...]]:
    """Return the finding of a cause, and for each of its links the ports where its ends went."""
    plan = board.plan
    links = [plan.links[row] for row in cause.links.tolist()]
    to = dict(zip(cause.src.tolist(), cause.dst.tolist(), strict=True))
    ends = tuple((link.row, to.get(link.a, link.a), to.get(link.z, link.z)) for link in links)
    slowing = cause.kind in _SLOWING or not _alike(board, ends)
    effect: Effect = "performance" if slowing and not cause.record else "none"
    ports = [port for link in links for port in (link.a, link.z)]
    finding = Finding(cause.kind, "error", _where(cause), cause.message, cause.fix)
    told = RootCause(
        finding, cause.kind, tuple(cause.subject), _moves(board, cause),
        unique(plan.devices[plan.ports[port].device].name for port in ports),
        unique(plan.port_name(port) for port in ports),
        tuple(f"{plan.port_name(link.a)} - {plan.port_name(link.z)}" for link in links),
        tuple(link.row for link in links), Impact(effect),
        tuple((word, tuple(subject)) for word, subject in cause.alternatives),
        (f"explains {cause.gain} links",),
    )  # fmt: skip
    return told, ends


def _where(cause: Cause) -> str:
    return ", ".join(str(word) for word in cause.subject if not isinstance(word, dict))


def _alike(board: Board, ends: Sequence[tuple[int, int, int]]) -> bool:
    """Return whether links that went elsewhere join the same devices, or on a host's end the same leaf and rail."""
    plan = board.plan

    def pairs(ports: list[tuple[int, int]]) -> list[tuple[object, ...]]:
        found = []
        for a, z in ports:
            one, two = plan.ports[a], plan.ports[z]
            host = plan.devices[one.device].tier == 0
            found.append((one.label if host else one.device, two.device))
        return sorted(found, key=str)

    rows = {link.row: link for link in plan.links}
    return pairs([(rows[row].a, rows[row].z) for row, _, _ in ends]) == pairs([(a, z) for _, a, z in ends])


def _moves(board: Board, cause: Cause) -> tuple[Move, ...]:
    """Return what undoes a mistake: one correction of records, or each cable's end back to its place."""
    plan = board.plan
    if cause.record:
        return (Move("correct records", cause.fix),)
    caged = cause.moves < len(cause.links)
    done: dict[tuple[str, str], Move] = {}
    for src, dst in zip(cause.src.tolist(), cause.dst.tolist(), strict=True):
        if src == dst or board.link[dst] < 0:
            continue
        name = plan.cage_name if caged else plan.port_name
        key = (name(dst), name(src))
        cable = plan.links[int(board.link[dst])].cable
        done.setdefault(key, Move("move", cable or f"cable in {key[0]}", *key, unplugs=1))
    return tuple(done.values())
