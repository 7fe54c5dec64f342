"""Which tier a switch of a discovered fabric is in, from what it is joined to.

Leaves are switches with hosts. A spine may carry a few machines as well, such as a fabric manager: a
switch that has at most half the hosts of the typical leaf next to it is not taken for a leaf. Every
other tier follows from the distance to the nearest leaf. A switch that joins nothing but the same
spines as some leaf is a leaf whose hosts are off.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from fabrictool.formats.found import SWITCH, FoundDevice, FoundLink
from fabrictool.formats.imported import Report

#: Kinds whose tier is known from their name.
TIER = {"host": 0, "service": 0, "aggregation": 0, "leaf": 1, "router": 1, "spine": 2, "core": 3, "supercore": 4}
#: Kinds of switch by tier, from 1.
NAMES = ("leaf", "spine", "core", "supercore")


def set_tiers(devices: Sequence[FoundDevice], links: Sequence[FoundLink], report: Report) -> None:
    """Give every device its tier, and every plain switch its kind."""
    hosts, near = _surroundings(devices, links)
    for device in devices:
        if device.tier < 0 and device.kind != SWITCH:
            device.tier = TIER[device.kind]
    known = {row: device.tier for row, device in enumerate(devices) if device.tier >= 1}
    unknown = [row for row, device in enumerate(devices) if device.kind == SWITCH]
    known |= dict.fromkeys(_leaves(unknown, hosts, near), 1)
    tier = _by_distance(known, near)
    for row in _silent_leaves(unknown, tier, near):
        tier[row] = 1
        report.add(
            "leaf-without-hosts", "note", devices[row].line, f"switch {devices[row].name} has no hosts, but the "
            "uplinks of a leaf: taken for a leaf", "see whether its hosts are switched off",
        )  # fmt: skip
    _name(devices, unknown, tier, report)
    _irregular(devices, links, report)


def _surroundings(
    devices: Sequence[FoundDevice], links: Sequence[FoundLink]
) -> tuple[Counter[int], list[Counter[int]]]:
    """Return the hosts' links on each device, and links to other switches by neighbour."""
    hosts: Counter[int] = Counter()
    near: list[Counter[int]] = [Counter() for _ in devices]
    below = [TIER.get(device.kind, 1) == 0 for device in devices]
    for link in links:
        for here, there in ((link.a, link.z), (link.z, link.a)):
            if below[here]:
                continue
            if not below[there]:
                near[here][there] += here != there
            elif devices[there].kind in {"host", "service"}:
                hosts[here] += 1
    return hosts, near


def _leaves(unknown: Sequence[int], hosts: Counter[int], near: Sequence[Counter[int]]) -> list[int]:
    leaves = []
    for row in unknown:
        around = sorted(hosts[other] for other in near[row] if hosts[other])
        typical = around[(len(around) - 1) // 2] if around else 0
        if hosts[row] and 2 * hosts[row] > typical:
            leaves.append(row)
    return leaves


def _by_distance(known: dict[int, int], near: Sequence[Counter[int]]) -> dict[int, int]:
    """Return the tier of each switch that known ones reach: one more than its lowest neighbour's."""
    tier = dict(known)
    waiting = deque(sorted(known, key=lambda row: known[row]))
    while waiting:
        row = waiting.popleft()
        for other in near[row]:
            if other not in tier:
                tier[other] = tier[row] + 1
                waiting.append(other)
    return tier


def _silent_leaves(unknown: Sequence[int], tier: dict[int, int], near: Sequence[Counter[int]]) -> list[int]:
    found = []
    for row in unknown:
        if tier.get(row, 0) != 3:
            continue
        spines = set(near[row])
        siblings = [other for other in near[min(spines)] if tier.get(other) == 1]
        if any(spines <= set(near[other]) for other in siblings):
            found.append(row)
    return found


def _name(devices: Sequence[FoundDevice], unknown: Sequence[int], tier: dict[int, int], report: Report) -> None:
    apart, deep = [], []
    for row in unknown:
        device = devices[row]
        if row not in tier:
            apart.append(device)
        elif tier[row] > len(NAMES):
            deep.append(device)
        device.tier = min(tier.get(row, 1), len(NAMES))
        device.kind = NAMES[device.tier - 1]
    for words, rows in (("no way to a switch with hosts", apart), ("more than four tiers above the hosts", deep)):
        if rows:
            names = ", ".join(device.name for device in rows[:5]) + (", …" if len(rows) > 5 else "")
            what = f"{len(rows)} switches have {words}: {names}; taken for tier {rows[0].tier}"
            report.warn("tier-unknown", rows[0].line, what, "see whether devices or links are missing in the file")


def _irregular(devices: Sequence[FoundDevice], links: Sequence[FoundLink], report: Report) -> None:
    level = [link for link in links if devices[link.a].tier == devices[link.z].tier >= 1]
    steep = [
        link for link in links if abs(devices[link.a].tier - devices[link.z].tier) > 1 and _switches(devices, link)
    ]
    if level:
        what = f"{len(level)} links join switches of one tier: the fabric is no tree"
        report.add("same-tier-links", "note", level[0].line, what, "tiers follow from the distance to the hosts")
    if steep:
        what = f"{len(steep)} links skip a tier: the fabric is no tree"
        report.add("tier-skipped", "note", steep[0].line, what, "tiers follow from the distance to the hosts")


def _switches(devices: Sequence[FoundDevice], link: FoundLink) -> bool:
    return devices[link.a].tier >= 1 and devices[link.z].tier >= 1
