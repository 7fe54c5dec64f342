"""What a design consists of, in words that line up from design to design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.explore.designs import Counted, Design
from fabrictool.explore.figures import prefix
from fabrictool.fabric import KINDS
from fabrictool.fabric.chassis import type_title
from fabrictool.fabric.counting import link_counts
from fabrictool.units import format_link_speed

if TYPE_CHECKING:
    from fabrictool.evaluation import Evaluation
    from fabrictool.fabric import Fabric
    from fabrictool.layout.model import Layout


def structure(design: Design) -> dict[str, str]:
    """Return networks, families, tiers, types, links per pair, algorithms and racks of a design, by what they are of.

    A fabric alone has neither groups of hosts nor routing, algorithms and racks.

    Parameters
    ----------
    design : Evaluation or Counted
    """
    fabric = design.fabric
    found: dict[str, str] = {}
    layout = None if isinstance(design, Counted) else design.layout
    if layout is not None:
        found |= {f"hosts {group.name}": f"{group.count:,} x {group.type.name}" for group in layout.hosts}
    found["networks"] = ", ".join(network.name for network in fabric.networks)
    for row, network in enumerate(fabric.networks):
        start = prefix(fabric, network.name)
        found[f"{start}family"] = network.family
        found[f"{start}protocol"] = network.protocol
        if layout is not None:
            found[f"{start}routing"] = layout.networks[network.name].routing_name
        found |= {f"{start}{key}": text for key, text in _tiers(fabric, row).items()}
    found |= _links(fabric)
    return found if isinstance(design, Counted) else found | _algorithms(design) | _racks(design.layout)


def _tiers(fabric: Fabric, network: int) -> dict[str, str]:
    """Return planes, and switches by kind and type."""
    devices = fabric.devices
    inside = (devices.network == network) & (devices.tier > 0)
    planes = len(np.unique(devices.plane[inside & (devices.plane >= 0)]))
    found = {"planes": str(planes)} if planes else {}
    for kind in np.unique(devices.kind[inside]).tolist():
        rows = np.flatnonzero(inside & (devices.kind == kind))
        _, first, counts = np.unique(devices.type[rows], return_index=True, return_counts=True)
        parts = [
            f"{n:,} x {type_title(fabric, at)}" for at, n in zip(rows[first].tolist(), counts.tolist(), strict=True)
        ]
        found[KINDS[kind]] = " + ".join(parts)
    return found


def _links(fabric: Fabric) -> dict[str, str]:
    """Return links by the kinds that they join; several speeds stand side by side."""
    found: dict[str, str] = {}
    for row in link_counts(fabric):
        each = "uneven" if row.per_pair is None else f"{row.per_pair} a pair"
        key = f"{prefix(fabric, row.network)}links {row.a} - {row.z}"
        text = f"{row.count:,} x {format_link_speed(row.speed_bps)}, {each}"
        text += f", {row.groups} groups" if row.groups > 1 else ""
        found[key] = f"{found[key]}; {text}" if key in found else text
    return found


def _algorithms(evaluation: Evaluation) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for result in evaluation.collectives:
        known = found.setdefault(f"{result.collective} by", [])
        word = result.algorithm or "no algorithm"
        if word not in known:
            known.append(word)
    return {key: ", ".join(words) for key, words in found.items()}


def _racks(layout: Layout) -> dict[str, str]:
    texts = []
    for group in layout.racks or ():
        each = f", {group.hosts_per_rack} hosts each" if group.hosts_per_rack else ""
        limit = f", {group.power_limit_w / 1e3:,g} kW" if group.power_limit_w else ""
        texts.append(f"{group.type.name}, {group.cooling}{each}{limit}")
    return {"racks": "; ".join(texts)} if texts else {}
