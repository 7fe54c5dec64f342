"""The cables of a plan as rows of a lock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.bundles import bundle_numbers
from fabrictool.cabling.locked import mirrored, option_words
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.rows import (
    Ends,
    cable_ids,
    cable_rows,
    cabled_links,
    colours_of,
    phases_of,
    slacks_of,
    trays_of,
)
from fabrictool.fabric.tables import I4
from fabrictool.locks.tables import Lock, LockedCables, Words, states_after

Rows = npt.NDArray[np.int64]
Medium = tuple[str, str, str, str, str]


def media_of(plan: CablePlan, before: Lock) -> list[Medium]:
    """Return the media of a plan as a lock lists them, those of the lock before first."""
    media = dict.fromkeys(before.media)
    for row, option in enumerate(plan.options):
        media |= dict.fromkeys(option_words(option, bps) for bps in _speeds(plan, row))
    return list(media)


def _speeds(plan: CablePlan, option: int) -> list[float]:
    links = plan.cables.link[plan.cables.option == option]
    speeds: list[float] = np.unique(plan.fabric.links.speed_bps[links]).tolist()
    return speeds


def ways_of(plan: CablePlan, before: Lock) -> tuple[tuple[tuple[str, float], ...], I4]:
    """Return trays and slack as a lock lists them, those of the lock before first, and which are each cable's."""
    found = {way: row for row, way in enumerate(before.ways)}
    known = (~np.isnan(plan.cables.route_m)).tolist()
    place = [
        found.setdefault((trays, slack), len(found)) if has else -1
        for trays, slack, has in zip(trays_of(plan), slacks_of(plan), known, strict=True)
    ]
    return tuple(found), np.array(place, np.int32)


def phases_now(plan: CablePlan, before: Lock) -> tuple[Words, I4]:
    """Return steps as a lock lists them, those of the lock before first, and which is each cable's."""
    found = {phase: row for row, phase in enumerate(before.phases)}
    place = [found.setdefault(phase, len(found)) for phase in phases_of(plan)]
    return tuple(found), np.array(place, np.int32)


def cables_now(plan: CablePlan, before: Lock, media: Sequence[Medium], way: I4, phase: I4) -> LockedCables:
    """Return the cables of a plan, link by link, with what the lock before says of those that it keeps.

    Parameters
    ----------
    plan : CablePlan
    before : Lock
    media : sequence
        As ``media_of`` returns them.
    way, phase : ndarray of int32, (cables,)
        Places in the lock's lists of ways and steps.
    """
    links, ports = plan.fabric.links, plan.fabric.ports
    order = cabled_links(plan)
    cable, a, z = plan.cable[order], links.port_a[order], links.port_z[order]
    of = cable.tolist()
    ids, colours = cable_ids(plan), colours_of(plan)
    rows = plan.pins.row[order] if plan.pins else np.full(len(order), -1, np.int64)
    moved = plan.pins.moved[order] if plan.pins else np.zeros(len(order), np.bool_)
    label_a, label_z = _labels(plan, before, order)
    serials = [*before.cables.serial, ""]
    return LockedCables(
        tuple(ids[row] for row in of), plan.leg[order], ports.device[a], ports.number[a].astype(np.int32),
        ports.device[z], ports.number[z].astype(np.int32), _media(plan, order, media),
        plan.cables.length_m[cable], np.round(plan.cables.route_m[cable], 2), way[cable], phase[cable],
        bundle_numbers(plan)[cable],
        tuple(colours[row] for row in of), label_a, label_z, tuple(serials[row] for row in rows.tolist()),
        states_after(before.cables.state, rows, moved),
    )  # fmt: skip


def _media(plan: CablePlan, order: Rows, media: Sequence[Medium]) -> I4:
    place = {words: row for row, words in enumerate(media)}
    option, bps = np.append(plan.cables.option, -1)[plan.cable[order]], plan.fabric.links.speed_bps[order]
    found = np.full(len(order), -1, np.int32)
    for row, chosen in enumerate(plan.options):
        for speed in _speeds(plan, row):
            found[(option == row) & (bps == speed)] = place[option_words(chosen, speed)]
    return found


def _labels(plan: CablePlan, before: Lock, order: Rows) -> tuple[Words, Words]:
    """Return the labels at both ends of links; that of the upper end is empty where it is the other's mirror."""
    if plan.cabling.label is not None:
        rows = list(cable_rows(plan))
        near = [row.a.label for row in rows]
        return tuple(near), tuple(
            "" if row.z.label == mirrored(label) else row.z.label for row, label in zip(rows, near, strict=True)
        )
    word, links = Ends(plan, None).word, plan.fabric.links
    ends = zip(links.port_a[order].tolist(), links.port_z[order].tolist(), strict=True)
    near, far = [f"{word[a]}/{word[z]}" for a, z in ends], [""] * len(order)
    if plan.pins is not None:
        kept = np.where(plan.pins.moved, -1, plan.pins.row)[order]
        for at in np.flatnonzero(kept >= 0).tolist():
            near[at], far[at] = before.cables.label_a[kept[at]], before.cables.label_z[kept[at]]
    return tuple(near), tuple(far)
