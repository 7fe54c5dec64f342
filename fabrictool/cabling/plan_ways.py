"""A plan that somebody else made against the layout's floor: where devices stand, and how long cables have to be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.plan_checks import LISTED, cells
from fabrictool.cabling.plan_words import PlanWords
from fabrictool.cabling.routes import routes_between
from fabrictool.cabling.rows import places_of
from fabrictool.formats.plan_table import PlanRow
from fabrictool.records import Finding, Place, Severity

#: Share of devices up to which those that stand elsewhere are named; beyond it is another floor.
ELSEWHERE = 0.25
#: What lengths are rounded by, in m.
ROUNDED_M = 0.05


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where a plan has a device of the layout, and where the layout has it."""

    row: PlanRow
    side: str
    device: int
    theirs: Place
    ours: Place


def floor_faults(plan: CablePlan, words: PlanWords, known: Sequence[tuple[PlanRow, int, int]]) -> list[Finding]:
    """Return what a plan has at other places than the layout, and cables that are shorter than their way.

    Racks may be called otherwise than in the layout: each is taken for the one that most of its devices stand in. Ways
    are judged between devices whose racks agree.

    Parameters
    ----------
    plan : CablePlan
        Of the layout.
    words : PlanWords
    known : sequence of (PlanRow, int, int)
        Rows of the plan with the ports of both ends.
    """
    if plan.floor is None or plan.seats is None:
        return []
    stands = _stands(plan, words, [row for row, _, _ in known])
    rack = _racks(list(stands.values()))
    away = [stand for stand in stands.values() if rack.get(stand.theirs.rack) != stand.ours.rack]
    moved = [
        stand for stand in stands.values()
        if rack.get(stand.theirs.rack) == stand.ours.rack and None not in (stand.theirs.unit, stand.ours.unit)
        and stand.theirs.unit != stand.ours.unit
    ]  # fmt: skip
    found = [*_elsewhere(away, len(stands)), *_other_units(moved, len(stands))]
    elsewhere = {stand.device for stand in (*away, *moved)}
    return [*found, *_too_short(plan, known, elsewhere)]


def _stands(plan: CablePlan, words: PlanWords, rows: Sequence[PlanRow]) -> dict[int, _Stand]:
    """Return where each device stands that has a rack in both."""
    places = places_of(plan)
    found: dict[int, _Stand] = {}
    for row in rows:
        for side, end in (("a", row.cable.a), ("z", row.cable.z)):
            if end.place.rack:
                device = words.device(end.place.device)
                if device >= 0 and device not in found and places[device].rack:
                    found[device] = _Stand(row, side, device, end.place, places[device])
    return found


def _racks(stands: Sequence[_Stand]) -> dict[str, str]:
    """Return the layout's rack for each rack of the plan: that of the same name, else that of most of its devices.

    No two racks of a plan are one of the layout's: the one with more devices of it is, the other is none.
    """
    ours = {stand.ours.rack.lower(): stand.ours.rack for stand in stands}
    named = {stand.theirs.rack for stand in stands if stand.theirs.rack.lower() in ours}
    found = {rack: ours[rack.lower()] for rack in named}
    votes = Counter((stand.theirs.rack, stand.ours.rack) for stand in stands if stand.theirs.rack not in named)
    taken = set(found.values())
    for (rack, candidate), _ in votes.most_common():
        if rack not in found and candidate not in taken:
            found[rack] = candidate
            taken.add(candidate)
    return found


def _elsewhere(away: Sequence[_Stand], total: int) -> Iterator[Finding]:
    """Yield devices that stand among others than in the layout, in one finding if they are many."""
    fix = "correct the racks, or state in the layout how many hosts stand in each (racks.hosts_per_rack)"
    if len(away) > ELSEWHERE * total:
        what = f"{len(away)} of {total} devices stand among others than in the layout; lengths to them are not judged"
        yield _at(away, "rack", "rack-differs", "warning", what, fix)
        return
    for stand in away:
        what = (
            f"{stand.ours.device} stands in {stand.theirs.rack}, among others than in {stand.ours.rack} of the layout"
        )
        yield _at([stand], "rack", "rack-differs", "warning", what, fix)


def _other_units(moved: Sequence[_Stand], total: int) -> Iterator[Finding]:
    if moved:
        listed = ", ".join(f"{one.ours.device} U{one.theirs.unit} for U{one.ours.unit}" for one in moved[:LISTED])
        more = ", …" if len(moved) > LISTED else ""
        what = f"{len(moved)} of {total} devices stand in other units than in the layout: {listed}{more}"
        yield _at(
            moved, "u", "unit-differs", "warning", what, "correct the units, or know that lengths differ a little"
        )


def _at(
    stands: Sequence[_Stand], column: str, identity: str, severity: Severity, message: str, fix: str
) -> Finding:  # fmt: skip
    where = cells([stand.row for stand in stands], [f"{stand.side}_{column}" for stand in stands])
    return Finding(identity, severity, where, message, fix)


def _too_short(plan: CablePlan, known: Sequence[tuple[PlanRow, int, int]], elsewhere: set[int]) -> Iterator[Finding]:
    """Yield cables that do not reach along the trays, one finding for each length."""
    assert plan.floor is not None
    assert plan.seats is not None
    device = plan.fabric.ports.device
    rows = [(row, a, z) for row, a, z in known if row.cable.length_m]
    ends = [np.array([device[port] for port in ports], np.int32) for ports in list(zip(*rows, strict=True))[1:]]
    if not rows:
        return
    ways = routes_between(plan.floor, plan.seats, ends[0], ends[1]).route_m.tolist()
    short: defaultdict[float, list[tuple[PlanRow, float]]] = defaultdict(list)
    for (row, _, _), a, z, way in zip(rows, *(end.tolist() for end in ends), ways, strict=True):
        length = row.cable.length_m or 0.0
        if way > length + ROUNDED_M and not {a, z} & elsewhere:
            short[length].append((row, way))
    sure = not any(said.what.startswith("hall.") for said in plan.floor.assumptions)
    for length, group in sorted(short.items()):
        longest = max(way for _, way in group)
        what = (
            f"{len(group)} cables of {length:,g} m are shorter than their ways along the trays, up to {longest:,.1f} m"
        )
        fix = "order longer cables" + ("" if sure else ", or state the hall: its rows, pitch and trays are assumed")
        where = cells([row for row, _ in group], ["length"] * len(group))
        yield Finding("length-short", "error" if sure else "warning", where, what, fix)
