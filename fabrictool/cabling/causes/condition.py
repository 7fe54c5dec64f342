"""Links that are where they should be and up, but with little light or with errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from fabrictool.cabling.board import Board
from fabrictool.cabling.sightings import AsBuilt
from fabrictool.cabling.told import RootCause
from fabrictool.records import Finding, Sighting

#: Light below the median of links of its medium and speed from which on a link stands out, in dB: half of it.
DIM_DB = 3.0
#: Links of a medium and speed from which on a median says something.
ENOUGH = 8
#: Share of wrong bits that a link may have: InfiniBand Architecture Specification, volume 2, 1e-12.
MOST_BER = 1e-12
_NAMED = 6
Lit = tuple[int, Sighting]


def conditions(board: Board, seen: AsBuilt) -> Iterator[RootCause]:
    """Yield one warning for all links with little light, and one for all with errors, the worst first."""
    lit = list(_lit(board, seen))
    yield from _dim(board, lit)
    yield from _failing(board, lit)


def _lit(board: Board, seen: AsBuilt) -> Iterator[Lit]:
    """Yield the planned links that were seen up, with what was said of each."""
    for port, other in enumerate(board.expected.tolist()):
        if port < other and board.seen[port] == other:
            said = seen.row.get(port) or seen.row.get(other)
            if said is not None:
                yield int(board.link[port]), said


def _dim(board: Board, lit: Sequence[Lit]) -> Iterator[RootCause]:
    alike: defaultdict[tuple[str, float], list[tuple[float, int]]] = defaultdict(list)
    for row, said in lit:
        if said.rx_power_dbm is not None:
            link = board.plan.links[row]
            alike[said.media or link.media, said.speed_bps or link.speed_bps].append((said.rx_power_dbm, row))
    dim = []
    for links in alike.values():
        usual = median(power for power, _ in links)
        dim += [(power - usual, power, row) for power, row in links if len(links) >= ENOUGH and power < usual - DIM_DB]
    if dim:
        words = [
            f"{_name(board, row)} {power:g} dBm, {-below:.1f} dB below the median" for below, power, row in sorted(dim)
        ]
        message = f"{_links(len(dim))} less than half the light of links like them: {_shown(words)}"
        fix = "clean both ends, then look for bends; replace module or cable if that does not help"
        yield _told(board, "dim-link", message, fix, [row for _, _, row in sorted(dim)], words)


def _failing(board: Board, lit: Sequence[Lit]) -> Iterator[RootCause]:
    found = []
    for row, said in lit:
        words = []
        if said.ber is not None and said.ber > MOST_BER:
            words.append(f"bit error rate {said.ber:.1e}, {MOST_BER:.0e} is the limit")
        counts = ((said.link_downed, "times down"), (said.symbol_errors, "symbol errors"))
        words += [f"{count:,.0f} {title}" for count, title in counts if count]
        if words:
            rank = (said.link_downed, said.ber or 0.0, said.symbol_errors)
            found.append((rank, row, f"{_name(board, row)} {', '.join(words)}"))
    if found:
        found.sort(key=lambda one: (tuple(-value for value in one[0]), one[1]))
        words = [text for _, _, text in found]
        message = f"{_links(len(found))} errors: {_shown(words)}"
        fix = "clear the counters, see which grow; clean or replace these cables and modules first"
        yield _told(board, "link-errors", message, fix, [row for _, row, _ in found], words)


def _links(count: int) -> str:
    return f"{count:,} links have" if count > 1 else "1 link has"


def _name(board: Board, row: int) -> str:
    link = board.plan.links[row]
    return f"{board.plan.port_name(link.a)} - {board.plan.port_name(link.z)}"


def _shown(words: Sequence[str]) -> str:
    left = len(words) - _NAMED
    return "; ".join(words[:_NAMED]) + (f"; and {left:,} more" if left > 0 else "")


def _told(
    board: Board, identity: str, message: str, fix: str, rows: Sequence[int], words: Sequence[str]
) -> RootCause:  # fmt: skip
    ports = [board.plan.port_name(end) for row in rows for end in (board.plan.links[row].a, board.plan.links[row].z)]
    links = tuple(_name(board, row) for row in rows)
    finding = Finding(identity, "warning", "dumps", message, fix)
    return RootCause(finding, ports=tuple(ports), links=links, rows=tuple(rows), evidence=tuple(words))
