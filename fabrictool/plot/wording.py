"""The words beside the rows of a topology: what stands in a tier, and which links lead up from it."""

from __future__ import annotations

from fabrictool.fabric.chassis import type_title
from fabrictool.fabric.counting import LinkCount, free_ports, link_counts
from fabrictool.plot.outline import Outline
from fabrictool.units import format_link_speed


def row_lines(shown: Outline, tier: int) -> list[str]:
    """Return the devices of a tier by kind and type, their free ports, and how many share a box."""
    boxes = [box for box in shown.boxes if box.tier == tier]
    counts: dict[tuple[str, str], int] = {}
    for box in boxes:
        for device in box.devices:
            key = (box.kind, type_title(shown.fabric, device))
            counts[key] = counts.get(key, 0) + 1
    lines = [f"{count:,} {_kinds(kind, count, tier)} · {name}" for (kind, name), count in counts.items()]
    if tier:
        free = free_ports(shown.fabric, shown.network)
        lines += [f"{free[kind]:,} free ports" for kind in dict.fromkeys(kind for kind, _ in counts) if kind in free]
    each = {len(box.devices) for box in boxes}
    return lines + ([f"{max(each):,} in each box"] if len(each) == 1 and len(boxes) > 1 and max(each) > 1 else [])


def _kinds(kind: str, count: int, tier: int) -> str:
    """Return the name of a kind in the plural; switches at the bottom are managed by the network, no part of it."""
    plural = {"leaf": "leaves", "service": "service"}.get(kind, f"{kind}s") if count > 1 else kind
    return f"managed {plural}" if not tier and kind not in ("host", "service") else plural


def link_lines(shown: Outline, tier: int) -> list[str]:
    """Return the links that lead up or sideways from a tier, and how many a line stands for."""
    sizes = sorted({len(bundle.links) for bundle in shown.bundles if shown.boxes[bundle.a].tier == tier})
    most = f" to {sizes[-1]:,}" if len(sizes) > 1 else ""
    alone = shown.single or not sizes or sizes == [1]
    return _by_kind(shown, tier) + ([] if alone else [f"a line: {sizes[0]:,}{most} links"])


def _by_kind(shown: Outline, tier: int) -> list[str]:
    """Return the links up of a tier by the kinds that they join; by speed alone where switches are managed."""
    name = shown.fabric.networks[shown.network].name
    rows = [row for row in link_counts(shown.fabric) if row.network == name]
    kinds = {box.kind for box in shown.boxes if box.tier == tier}
    managing = any(box.kind not in ("host", "service") for box in shown.boxes if box.tier == 0)
    if managing:
        uplinks = [row for row in rows if row.z == "uplink" and row.a in kinds and tier]
        return _by_speed(shown, tier) + [_link_line(row) for row in uplinks]
    return [_link_line(row) for row in rows if row.a in kinds]


def _by_speed(shown: Outline, tier: int) -> list[str]:
    links = [link for bundle in shown.bundles if shown.boxes[bundle.a].tier == tier for link in bundle.links]
    counts: dict[float, int] = {}
    for speed_bps in shown.fabric.links.speed_bps[links].tolist():
        counts[speed_bps] = counts.get(speed_bps, 0) + 1
    return [f"{count:,} x {format_link_speed(speed_bps)}" for speed_bps, count in counts.items()]


def _link_line(row: LinkCount) -> str:
    each = "" if row.per_pair in (None, 1) else f", {row.per_pair} a pair"
    out = " out" if row.z == "uplink" else ""
    scope = f" {row.scope}" if row.scope else ""
    return f"{row.count:,} x {format_link_speed(row.speed_bps)}{scope}{out}{each}"
