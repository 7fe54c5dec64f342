"""What the lock of a layout and its design do not agree on, and the way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fabrictool.cabling.plan import CablePlan
from fabrictool.errors import Problem
from fabrictool.layout.model import Layout
from fabrictool.locks.changes import THINGS, LockChange
from fabrictool.locks.difference import LockDifference
from fabrictool.locks.names import natural_names
from fabrictool.locks.tables import Lock
from fabrictool.records import Finding

_SHOWN = 3
INSTALLED = "installed"
_WORDS = {"state": "of another state", "recorded": "with another record"}


def contradictions(changes: LockDifference) -> list[tuple[LockChange, str, str]]:
    """Return devices that stand installed, but are not in the layout or of another type there; with what, way out."""
    found = []
    for row in changes.of("device", "removed") + changes.of("device", "exchanged"):
        if row.state != INSTALLED:
            continue
        if row.change == "removed":
            what = f"{row.name} is installed at {row.old or 'no place'}, but the layout has no such device"
            fix = "take it back into the layout, or write 'removed' there once it is taken out"
        else:
            what = f"{row.name} is installed as {row.old}, but the layout says {row.new}"
            fix = "keep its type in the layout, or write 'planned' there if it is to be exchanged"
        found.append((row, what, fix))
    return found


def lock_problems(changes: LockDifference) -> list[Problem]:
    """Return why a lock cannot be written anew: what it says stands there would be lost."""
    return [Problem(_line(changes.old, row), what, fix) for row, what, fix in contradictions(changes)]


def _line(lock: Lock, row: LockChange) -> str:
    lines = lock.lines.get("device", ())
    at = lock.device_rows.get(row.name, -1)
    return f"{lock.source}:{lines[at]}:1" if 0 <= at < len(lines) else lock.source


def lock_findings(layout: Layout, plan: CablePlan, changes: LockDifference) -> Iterator[Finding]:
    """Yield what a lock and its layout do not agree on."""
    for row, what, fix in contradictions(changes):
        yield Finding("lock-contradiction", "error", _line(changes.old, row), what, fix)
    yield from _too_short(plan)
    yield from _to_move(changes)
    yield from _behind(changes)
    yield from _overruled(layout, plan)


def _too_short(plan: CablePlan) -> Iterator[Finding]:
    if plan.pins is None or plan.routes is None:
        return
    link = plan.cables.link
    needed = plan.routes.route_m[link] + plan.slack_m
    rows = np.flatnonzero((plan.pins.row[link] >= 0) & (plan.cables.length_m < needed - 0.01))
    if len(rows):
        worst = int(rows[np.argmax((needed - plan.cables.length_m)[rows])])
        names = plan.pins.lock.cables.id[plan.pins.row[link[worst]]]
        has_m = plan.cables.length_m[worst]
        what = f"{len(rows):,} locked cables are shorter than their ways now: {names} has {has_m:g} m"
        fix = "put the hall back (pitch, trays), or delete the lines of these cables in the lock to plan them anew"
        yield Finding("lock-too-short", "error", "cables", f"{what}, {needed[worst]:.1f} m are needed", fix)


def _to_move(changes: LockDifference) -> Iterator[Finding]:
    """Yield what was ordered or installed and must be touched."""
    must = (("moved", "move"), ("exchanged", "be exchanged"), ("repatched", "be patched anew"), ("removed", "go"))
    for thing in THINGS:
        for change, word in must:
            rows = [row for row in changes.of(thing, change) if row.state in ("ordered", INSTALLED)]
            if not rows or (thing == "device" and change != "moved" and rows[0].state == INSTALLED):
                continue
            first = rows[0]
            message = f"{_count(rows, thing)} that {_are(rows)} ordered or installed must {word}: {_names(rows)}"
            reason = f" ({first.reason})" if first.reason else ""
            fix = "see the changes since the lock, then pin them by --lock; or undo the edit of the layout"
            yield Finding(f"lock-{change}", "warning", f"{thing} {first.name}{reason}", message, fix)


def _count(rows: Sequence[LockChange], thing: str) -> str:
    return f"{len(rows):,} {thing}{'s' if len(rows) > 1 else ''}"


def _are(rows: Sequence[LockChange]) -> str:
    return "are" if len(rows) > 1 else "is"


def _names(rows: Sequence[LockChange]) -> str:
    shown = ", ".join(row.name for row in rows[:_SHOWN])
    return f"{shown}, …" if len(rows) > _SHOWN else shown


def _behind(changes: LockDifference) -> Iterator[Finding]:
    counts = [
        f"{number:,} {thing}{'s' if number > 1 else ''} {_WORDS.get(change, change)}"
        for thing, found in changes.counts().items()
        for change, number in found.items()
    ]
    if counts:
        message = f"the layout was edited since it was locked: {', '.join(counts)}"
        yield Finding("lock-behind", "note", changes.old.source, message, "pin the present state by --lock")


def _overruled(layout: Layout, plan: CablePlan) -> Iterator[Finding]:
    if not layout.naming or layout.lock is None:
        return
    names = natural_names(plan.fabric)
    known = layout.lock.device_rows
    kept = [(old, new) for old, new in zip(plan.fabric.names, names, strict=True) if old != new and old in known]
    if kept:
        message = (
            f"{len(kept):,} devices keep their locked names, whatever 'naming' says now: {kept[0][0]}, not {kept[0][1]}"
        )
        fix = "new devices are named by the templates; to rename one, replace its name in the whole lock"
        yield Finding("lock-names", "note", "naming", message, fix)
