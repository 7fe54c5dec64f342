"""From the chips of an InfiniBand subnet to a fabric: hosts, tiers, rails and suspicious links."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from fabrictool.fabric import NetworkFacts
from fabrictool.formats.adapters import host_name, hosts_of, port_labels, rails
from fabrictool.formats.descriptions import LAST_LID, chassis_name, link_speed, switch_name
from fabrictool.formats.found import SWITCH, FoundDevice, FoundLink, FoundPort, make_unique, natural, title
from fabrictool.formats.imported import Imported
from fabrictool.formats.joining import joined, usable_links
from fabrictool.formats.subnet import Pair, Subnet, paired
from fabrictool.formats.tiers import set_tiers

NETWORK = "infiniband"
#: A rate that more than this share of a kind's links have is a design, not damage.
DESIGN_SHARE = 0.2

_Place = dict[tuple[str, int], tuple[FoundDevice, int]]


def imported(form: str, name: str, subnet: Subnet) -> Imported:
    """Return the fabric of a subnet."""
    report = subnet.report
    pairs = paired(subnet)
    place: _Place = {}
    devices = [*_hosts(subnet, place), *_others(subnet, place)]
    for device in make_unique(devices):
        if device.kind not in {"aggregation", "host"}:
            what = f"the name of {device.name} belongs to several devices: its GUID stands behind it"
            report.add("name-duplicate", "note", device.line, what, "give each device a name of its own")
    links = _links(pairs, place, devices)
    set_tiers(devices, links, report)
    _unknown_rates(links, subnet)
    _degraded(devices, links, subnet)
    devices, links = _in_order(devices, usable_links(devices, links, report))
    _set_rails(devices, links)
    fabric = joined(title(name), devices, links, [NetworkFacts(NETWORK, "infiniband", "file")], report)
    return Imported(form, fabric, report.sorted(), _set_apart(subnet, pairs), _stated(subnet, pairs))


def _hosts(subnet: Subnet, place: _Place) -> list[FoundDevice]:
    adapters = [chip for chip in subnet.chips.values() if chip.kind == "ca" and not chip.aggregation]
    devices = []
    for chips in hosts_of(adapters, subnet.report):
        device = FoundDevice(host_name(chips), "host", chips[0].line, guid=chips[0].guid)
        for number, (chip, port, label) in enumerate(port_labels(chips), 1):
            end = chip.ends.get(port)
            lid = end.lid if end else 0
            device.ports[number] = FoundPort(number, label, guid=end.guid if end else 0, lid=lid)
            place[chip.key, port] = device, number
        device.lid = min((port.lid for port in device.ports.values() if port.lid), default=0)
        devices.append(device)
    return devices


def _others(subnet: Subnet, place: _Place) -> list[FoundDevice]:
    devices = []
    for chip in subnet.chips.values():
        if chip.kind == "ca" and not chip.aggregation:
            continue
        name, model = switch_name(chip.description) if chip.kind == "switch" else (chip.description, "")
        kind = {"switch": SWITCH, "ca": "aggregation"}.get(chip.kind, "service")
        lid = chip.lid or next((end.lid for end in chip.ends.values() if end.lid), 0)
        device = FoundDevice(name or chip.key, kind, chip.line, guid=chip.guid, lid=lid)
        device.chassis = chassis_name(chip.description) if chip.kind == "switch" else ""
        device.type = model or (f"device {chip.device_id:#06x}" if chip.device_id else "unknown")
        device.group = "router" if chip.kind == "router" else ""
        for number in sorted({*range(1, chip.port_count + 1), *chip.ends}):
            end = chip.ends.get(number)
            device.ports[number] = FoundPort(number, guid=end.guid if end else 0, lid=end.lid if end else 0)
            place[chip.key, number] = device, number
        devices.append(device)
    return devices


def _links(pairs: Sequence[Pair], place: _Place, devices: Sequence[FoundDevice]) -> list[FoundLink]:
    row = {id(device): at for at, device in enumerate(devices)}
    links = []
    for pair in pairs:
        ends: list[tuple[int, int]] = []
        for key, number in ((pair.a, pair.a_number), (pair.z, pair.z_number)):
            device, port = place[key, number]
            ends.append((row[id(device)], port))
        links.append(FoundLink(*ends[0], *ends[1], link_speed(pair.rate), 0.0, NETWORK, pair.line, pair.rate))
    return links


def _unknown_rates(links: Sequence[FoundLink], subnet: Subnet) -> None:
    unknown = [link for link in links if not link.speed_bps]
    if unknown:
        what = f"{len(unknown)} of {len(links)} links have no rate: their speed is unknown"
        subnet.report.warn("rate-unknown", unknown[0].line, what, "discover with a newer tool")


def _degraded(devices: Sequence[FoundDevice], links: Sequence[FoundLink], subnet: Subnet) -> None:
    """Report links that are slower or narrower than the others between the same kinds of device."""
    kinds: defaultdict[tuple[str, str], list[FoundLink]] = defaultdict(list)
    for link in links:
        if link.rate:
            a, z = sorted((devices[link.a].kind, devices[link.z].kind))
            kinds[a, z].append(link)
    for (a, z), rows in kinds.items():
        uses = Counter(link.rate for link in rows)
        usual = max(uses, key=lambda rate: (uses[rate], link_speed(rate)))
        for link in rows:
            if link_speed(link.rate) < link_speed(usual) and uses[link.rate] <= max(1, DESIGN_SHARE * len(rows)):
                ends = ((link.a, link.a_port), (link.z, link.z_port))
                names = " - ".join(f"{devices[row].name}:{devices[row].ports[n].label or n}" for row, n in ends)
                what = f"link {names} runs at {link.rate}, {uses[usual]} of {len(rows)} {a}-{z} links at {usual}"
                subnet.report.warn("link-degraded", link.line, what, "look at the cable and its modules")


def _in_order(devices: Sequence[FoundDevice], links: Sequence[FoundLink]) -> tuple[list[FoundDevice], list[FoundLink]]:
    """Sort hosts by LID, then what is set apart, then switches by tier and name; links follow."""

    def place(row: int) -> tuple[object, ...]:
        device = devices[row]
        group = ("host", "service", "aggregation").index(device.kind) if device.tier == 0 else 2 + device.tier
        lid = (device.lid or LAST_LID + 1) if device.kind == "host" else 0
        return group, lid, natural(device.name)

    order = sorted(range(len(devices)), key=place)
    new = {old: row for row, old in enumerate(order)}
    for link in links:
        link.a, link.z = new[link.a], new[link.z]
    return [devices[row] for row in order], sorted(links, key=lambda link: _link_order(devices, order, link))


def _link_order(devices: Sequence[FoundDevice], order: Sequence[int], link: FoundLink) -> tuple[int, int, int]:
    a, z = (devices[order[row]].tier for row in (link.a, link.z))
    return (link.a, link.a_port, link.z) if (a, link.a) <= (z, link.z) else (link.z, link.z_port, link.a)


def _set_rails(devices: Sequence[FoundDevice], links: Sequence[FoundLink]) -> None:
    """Give rails to the ports of hosts, and to leaves whose hosts all are on one."""
    leaf_of: dict[tuple[int, int], int] = {}
    for link in links:
        leaf_of |= {(link.a, link.a_port): link.z, (link.z, link.z_port): link.a}
    hosts = [row for row, device in enumerate(devices) if device.kind == "host"]
    used = [[number for number in devices[row].ports if (row, number) in leaf_of] for row in hosts]
    labels = [
        [devices[row].ports[n].label or str(n) for n in numbers] for row, numbers in zip(hosts, used, strict=True)
    ]
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for row, numbers, found in zip(hosts, used, rails(labels), strict=True):
        for number, rail in zip(numbers, found, strict=True):
            devices[row].ports[number].rail = rail
            seen[leaf_of[row, number]].add(rail)
    for row, found_rails in seen.items():
        if devices[row].tier == 1 and len(found_rails) == 1:
            devices[row].rail = min(found_rails)


def _set_apart(subnet: Subnet, pairs: Sequence[Pair]) -> dict[str, int]:
    inside = {chip.key for chip in subnet.chips.values() if chip.aggregation}
    count = sum(pair.a in inside or pair.z in inside for pair in pairs)
    return {"aggregation_nodes": len(inside), "aggregation_links": count}


def _stated(subnet: Subnet, pairs: Sequence[Pair]) -> dict[str, int]:
    """Return the counts that InfiniBand's own tools would give, devices without a block left out."""
    kinds = Counter(chip.kind for chip in subnet.chips.values() if chip.defined)
    switch = {chip.key for chip in subnet.chips.values() if chip.kind == "switch"}
    return {
        "switches": kinds["switch"],
        "channel_adapters": kinds["ca"],
        "routers": kinds["router"],
        "links": len(pairs),
        "switch_links": sum(pair.a in switch and pair.z in switch for pair in pairs),
    }


def chip_kind(word: str) -> str:
    """Return the kind of chip that a tool's word stands for."""
    return {"sw": "switch", "switch": "switch", "rt": "router", "router": "router"}.get(word.lower(), "ca")
