"""Bundles: which cables between the same two racks are laid together, so many at most."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fabrictool.cabling.media import bundle_rule
from fabrictool.cabling.plan import CablePlan
from fabrictool.fabric.grouping import grouped
from fabrictool.fabric.tables import I4
from fabrictool.records import Assumption


def most_in_bundle(plan: CablePlan) -> int:
    """Return how many cables a bundle holds at most: as the layout says, else as usual."""
    return plan.cabling.bundle or bundle_rule()[0]


def bundle_numbers(plan: CablePlan) -> I4:
    """Return the number of each cable's bundle among those of its two racks, (cables,), from 1; 0 without racks.

    Bundles are filled in the order of cables. Cables that a lock keeps in their places stay in their bundles, and new
    ones take what room is left in them.
    """
    number = np.zeros(len(plan.cables), np.int32)
    if plan.seats is None:
        return number
    link, most = plan.cables.link, most_in_bundle(plan)
    ends = np.stack([plan.seats.rack[end[link]] for end in plan.fabric.ends])
    laid = np.flatnonzero((ends >= 0).all(axis=0))
    pairs, pair = grouped(ends.min(axis=0)[laid], ends.max(axis=0)[laid])
    kept = np.zeros(len(laid), np.int32) if plan.pins is None else plan.pins.bundles(link[laid])
    if kept.any():
        number[laid] = _filled(pair, kept, most)
    elif len(pairs):
        order = np.argsort(pair, kind="stable")
        place = np.empty(len(laid), np.int64)
        place[order] = np.arange(len(laid)) - np.searchsorted(pair[order], pair[order])
        number[laid] = place // most + 1
    return number


def _filled(pair: np.ndarray, kept: I4, most: int) -> I4:
    """Return the number of each cable's bundle, (cables,); ``kept`` are those of a lock, 0 for none."""
    number, held = kept.copy(), Counter(zip(pair.tolist(), kept.tolist(), strict=True))
    open_at: dict[int, int] = {}
    for row in np.flatnonzero(kept == 0).tolist():
        racks = int(pair[row])
        at = open_at.get(racks, 1)
        while held[racks, at] >= most:
            at += 1
        open_at[racks] = at
        held[racks, at] += 1
        number[row] = at
    return number


def bundles_of(plan: CablePlan) -> list[str]:
    """Name what each cable is laid with, (cables,): its two racks and a number; empty without racks."""
    if plan.seats is None or plan.placement is None:
        return [""] * len(plan.cables)
    names = plan.placement.racks.name.tolist()
    ends = np.stack([plan.seats.rack[end[plan.cables.link]] for end in plan.fabric.ends])
    columns = (ends.min(axis=0).tolist(), ends.max(axis=0).tolist(), bundle_numbers(plan).tolist())
    return [
        f"B-{names[low]}-{names[high]}-{number:02d}" if number else ""
        for low, high, number in zip(*columns, strict=True)
    ]  # fmt: skip


def bundle_assumptions(plan: CablePlan) -> tuple[Assumption, ...]:
    """Name how large bundles are taken to be."""
    if plan.seats is None or plan.cabling.bundle is not None:
        return ()
    most, source = bundle_rule()
    return (Assumption("cables in a bundle", f"{most} at most", source),)
