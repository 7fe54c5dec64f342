"""Links that are where they should be, but slower, narrower, or of another cable than planned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from fabrictool.cabling.board import Board
from fabrictool.cabling.causes.absent import lower_end, told
from fabrictool.cabling.planned import PlannedLink
from fabrictool.cabling.sightings import AsBuilt
from fabrictool.cabling.told import Impact, Move, RootCause
from fabrictool.records import Sighting

#: Relative difference of speeds that is rounding, not another speed.
SPEED_ROUNDING = 0.05
_WORDS = {
    "wrong-speed": ("runs at {found} instead of {planned}", "reseat it, check FEC and firmware"),
    "degraded-lanes": ("has {found} of {planned} lanes up", "clean or replace the cable"),
    "wrong-media": ("is {found} where {planned} is planned", "check the reach; replace or accept it"),
    "cable-too-short": ("is {found} m long where {planned} m are planned", "replace it, or check its bends"),
}
Difference = tuple[int, float | str, float | str]


def differences(board: Board, seen: AsBuilt) -> Iterator[RootCause]:
    """Yield one finding for each link, or for each cable all of whose links differ alike."""
    groups: defaultdict[tuple[str, str], list[Difference]] = defaultdict(list)
    for port, other in enumerate(board.expected.tolist()):
        if not port < other or board.seen[port] != other:
            continue
        row = int(board.link[port])
        said = seen.row.get(port) or seen.row.get(other)
        if said is not None:
            link = board.plan.links[row]
            for kind, planned, found in _of_link(link, said):
                groups[kind, link.cable or f"link {row}"].append((row, planned, found))
    for (kind, cable), rows in groups.items():
        yield from _grouped(board, kind, cable, rows)


def _of_link(link: PlannedLink, said: Sighting) -> Iterator[tuple[str, float | str, float | str]]:
    if said.lanes and link.lanes and said.lanes != link.lanes:
        yield "degraded-lanes", link.lanes, said.lanes
    elif said.speed_bps and link.speed_bps and abs(said.speed_bps / link.speed_bps - 1) > SPEED_ROUNDING:
        yield "wrong-speed", link.speed_bps, said.speed_bps
    if said.media and link.media and said.media.lower() != link.media.lower():
        yield "wrong-media", link.media, said.media
    if said.length_m is not None and link.length_m is not None and said.length_m < link.length_m:
        yield "cable-too-short", link.length_m, said.length_m


def _grouped(board: Board, kind: str, cable: str, rows: list[Difference]) -> Iterator[RootCause]:
    whole = board.plan.legs.get(cable, 0)
    of_cable = kind in {"wrong-media", "cable-too-short"} and whole
    if of_cable or (whole > 1 and len(rows) == whole):
        yield _finding(board, kind, cable, rows)
    else:
        for row in rows:
            yield _finding(board, kind, lower_end(board, row[0]), [row])


def _finding(board: Board, kind: str, subject: str, rows: list[Difference]) -> RootCause:
    _, planned, found = rows[0]
    template, fix = _WORDS[kind]
    what = template.format(found=_shown(kind, found), planned=_shown(kind, planned))
    slow = kind in {"wrong-speed", "degraded-lanes"}
    moves = (Move("reseat" if slow else "replace", subject, unplugs=1 if slow else 2),)
    effect = Impact("performance" if slow else "risk")
    links = [row for row, _, _ in rows]
    cause = told(board, kind, (subject,), f"{subject} {what}", fix, links, moves, effect)
    left = found / planned if slow and not isinstance(planned, str) and not isinstance(found, str) else 1.0
    return replace(cause, left=min(left, 1.0))


def _shown(kind: str, value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value / 1e9:g} Gbit/s" if kind == "wrong-speed" else f"{value:g}"
