"""From devices and links as found to the tables of a fabric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fabrictool.errors import FabrictoolError, InputError
from fabrictool.fabric import KINDS, Devices, Fabric, GpuPorts, Gpus, LinkRows, NetworkFacts, PortRows, assemble
from fabrictool.formats.found import FoundDevice, FoundLink, FoundPort
from fabrictool.formats.imported import Report

#: Ports of a switch by which other networks manage it, at most.
MANAGEMENT_PORTS = 2


def usable_links(devices: Sequence[FoundDevice], links: Sequence[FoundLink], report: Report) -> list[FoundLink]:
    """Return the links that can stand side by side: the first on each port; others are reported as errors."""
    taken: dict[tuple[int, int], FoundLink] = {}
    kept = []
    for link in links:
        ends = ((link.a, link.a_port), (link.z, link.z_port))
        before = [taken[end] for end in ends if end in taken]
        if before or ends[0] == ends[1]:
            names = " - ".join(f"{devices[device].name}:{_label(devices[device], port)}" for device, port in ends)
            other = f"line {before[0].line} uses one of these ports" if before else "both ends are one port"
            report.add("port-used-twice", "error", link.line, f"link {names} is left out: {other}", "correct the file")
            continue
        taken |= dict.fromkeys(ends, link)
        kept.append(link)
    return kept


def _label(device: FoundDevice, number: int) -> str:
    port = device.ports.get(number)
    return port.label if port and port.label else str(number)


def joined(
    name: str,
    devices: Sequence[FoundDevice],
    links: Sequence[FoundLink],
    networks: Sequence[NetworkFacts],
    report: Report,
    gpus: tuple[Gpus, GpuPorts] | None = None,
    naming: Mapping[str, str] | None = None,
    widths: Mapping[str, int] | None = None,
) -> Fabric:
    """Make a fabric of devices whose tiers are known, in the order given.

    Raises
    ------
    InputError
        If the rows do not make a fabric; named by the file.
    """
    if not devices:
        raise report.refusal(1, "names no device", "see whether the file is whole")
    _number(devices)
    _port_speeds(devices, links)
    place = {network.name: row for row, network in enumerate(networks)}
    types = list(dict.fromkeys(device.type for device in devices))
    groups = list(dict.fromkeys(device.group for device in devices))
    flat = [(row, device.ports[number]) for row, device in enumerate(devices) for number in sorted(device.ports)]
    try:
        network = _networks(devices, links, place)
        return assemble(
            name,
            _device_rows(devices, types, groups, network),
            _port_rows(flat),
            _link_rows(devices, links, place, network),
            *(gpus or _no_gpus()),
            types,
            groups,
            networks,
            naming,
            None if widths is None else [widths.get(group, 2) for group in groups],
        )
    except OverflowError:
        what = "holds more than 127 networks, 32,767 types of device, or 32,767 ports of a device"
        raise report.refusal(1, what, "split the file, or look for a column that is not what its header says") from None
    except FabrictoolError as error:
        raise InputError(error.problems) from None


def _number(devices: Sequence[FoundDevice]) -> None:
    """Give a group, and a place within it, to devices that have none."""
    next_place: dict[str, int] = {}
    for device in devices:
        device.group = device.group or device.kind
        if device.index < 0:
            device.index = next_place.get(device.group, 0)
        next_place[device.group] = device.index + 1


def _port_speeds(devices: Sequence[FoundDevice], links: Sequence[FoundLink]) -> None:
    for link in links:
        for row, number in ((link.a, link.a_port), (link.z, link.z_port)):
            port = devices[row].port(number)
            port.speed_bps = max(port.speed_bps, link.speed_bps)


def _device_rows(
    devices: Sequence[FoundDevice], types: Sequence[str], groups: Sequence[str], network: npt.NDArray[np.int8]
) -> Devices:
    of_type = {word: row for row, word in enumerate(types)}
    of_group = {word: row for row, word in enumerate(groups)}
    guid = np.array([device.guid for device in devices], np.uint64)
    lid = np.array([device.lid for device in devices], np.int32)
    return Devices(
        kind=np.array([KINDS.index(device.kind) for device in devices], np.uint8),
        tier=np.array([device.tier for device in devices], np.int8),
        type=np.array([of_type[device.type] for device in devices], np.int16),
        group=np.array([of_group[device.group] for device in devices], np.int16),
        network=network,
        plane=np.array([device.plane for device in devices], np.int16),
        rail=np.array([device.rail for device in devices], np.int16),
        pod=np.array([device.pod for device in devices], np.int32),
        index=np.array([device.index for device in devices], np.int32),
        latency_s=np.array([device.latency_s for device in devices], np.float64),
        name=np.array([device.name for device in devices], np.str_),
        guid=guid if guid.any() else None,
        lid=lid if lid.any() else None,
        chassis=_chassis(devices),
    )


def _chassis(devices: Sequence[FoundDevice]) -> npt.NDArray[np.int32] | None:
    """Return the number of each device's director, -1 for others; None if there are no directors."""
    number = {name: row for row, name in enumerate(dict.fromkeys(d.chassis for d in devices if d.chassis))}
    return np.array([number.get(device.chassis, -1) for device in devices], np.int32) if number else None


def _networks(
    devices: Sequence[FoundDevice], links: Sequence[FoundLink], place: Mapping[str, int]
) -> npt.NDArray[np.int8]:
    """Return the network of each device: that of a switch's links, -1 for hosts and for what is in several.

    A few links of a switch in other networks are those that it is managed by.
    """
    touched: list[Counter[int]] = [Counter() for _ in devices]
    for link in links:
        touched[link.a][place[link.network]] += 1
        touched[link.z][place[link.network]] += 1
    only = 0 if len(place) == 1 else -1
    found = []
    for device, rows in zip(devices, touched, strict=True):
        if device.network is not None:
            found.append(place.get(device.network, -1))
        elif device.tier == 0:
            found.append(-1)
        elif not rows:
            found.append(only)
        else:
            (most, links_there), *others = rows.most_common()
            managed = sum(count for _, count in others) <= min(MANAGEMENT_PORTS, links_there - 1)
            found.append(most if managed else -1)
    return np.array(found, np.int8)


def _port_rows(flat: Sequence[tuple[int, FoundPort]]) -> PortRows:
    ports = [port for _, port in flat]
    label = np.array([port.label for port in ports], np.str_)
    guid = np.array([port.guid for port in ports], np.uint64)
    lid = np.array([port.lid for port in ports], np.int32)
    return PortRows(
        device=np.array([row for row, _ in flat], np.int32),
        number=np.array([port.number for port in ports], np.int16),
        cage=np.array([max(port.number - 1, 0) if port.cage < 0 else port.cage for port in ports], np.int16),
        speed_bps=np.array([port.speed_bps for port in ports], np.float64),
        rail=np.array([port.rail for port in ports], np.int16),
        plane=np.array([port.plane for port in ports], np.int16),
        label=label if any(port.label for port in ports) else None,
        guid=guid if guid.any() else None,
        lid=lid if lid.any() else None,
    )


def _link_rows(
    devices: Sequence[FoundDevice], links: Sequence[FoundLink], place: Mapping[str, int], network: npt.NDArray[np.int8]
) -> LinkRows:
    """Return links with the lower end first: a switch that is managed in another network, then by tier."""
    own = network.tolist()

    def height(row: int, link: FoundLink) -> tuple[bool, int]:
        return own[row] in (-1, place[link.network]), devices[row].tier

    ends = [
        (link.a, link.a_port, link.z, link.z_port)
        if height(link.a, link) <= height(link.z, link)
        else (link.z, link.z_port, link.a, link.a_port)
        for link in links
    ]
    a, a_port, z, z_port = np.array(ends, np.int32).reshape(-1, 4).T
    return LinkRows(
        a, a_port, z, z_port,
        np.array([place[link.network] for link in links], np.int8),
        np.array([link.speed_bps for link in links], np.float64),
        np.array([link.latency_s for link in links], np.float64),
    )  # fmt: skip


def _no_gpus() -> tuple[Gpus, GpuPorts]:
    none4, none8 = np.zeros(0, np.int32), np.zeros(0)
    return Gpus(none4, none4, np.zeros(0, np.int16), none8, none8), GpuPorts(none4, none4)
