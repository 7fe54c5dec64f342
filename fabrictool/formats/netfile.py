"""Writes an InfiniBand network as ``ibnetdiscover`` lists it, which ``ibsim`` reads as its netfile.

What a fabric of our own lacks is given by :mod:`fabrictool.formats.identities`. A port of a host is an adapter
of its own, called ``mlx5_0`` and so on by its rail, unless its label names adapter and port. Adapters stand
before switches: OpenSM under ``ibsim`` runs on the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fabrictool.errors import InputError
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.faults import Faults
from fabrictool.formats.descriptions import LANE_BPS, adapter
from fabrictool.formats.identities import Identities, identities, switches_and_ports
from fabrictool.formats.subnet import LAST_PORT

#: Lanes of a link, the usual number first.
_LANES = (4, 2, 1, 8, 12)
_NEWEST_FIRST = ("XDR", "NDR", "HDR", "EDR", "FDR", "QDR", "DDR", "SDR")
#: The fastest rate that ibsim 0.10 knows.
_IBSIM_RATE, _IBSIM_BPS = "4xHDR", 200e9
_LABEL = re.compile(r"(?P<adapter>.+?)(?:/(?P<port>\d{1,3}))?")
_ENGINE = "Mellanox Technologies Aggregation Node"


@dataclass(slots=True)
class _Chip:
    """A switch or adapter; ``ports`` are rows of ``Fabric.ports`` by number."""

    word: str
    mark: str
    guid: int
    description: str
    device: int
    lid: int = 0
    ports: dict[int, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.mark}-{self.guid:016x}"


def netfile(
    fabric: Fabric, network: int, faults: Faults | None = None, ibsim: bool = False, hca: bool = False
) -> Iterator[str]:
    """Yield the listing of a network, block by block.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network.
    faults : Faults, optional
        Links that are down are left out, as a discovery does not see them.
    ibsim : bool
        State rates above HDR as 4xHDR, the fastest that ibsim 0.10 reads.
    hca : bool
        Call adapters ``HCA-1`` instead of ``mlx5_0``, which ibutils takes hosts' names from.

    Raises
    ------
    InputError
        If there are more devices than LIDs.
    """
    ids = identities(fabric, network)
    chips = list(_chips(fabric, network, ids, hca))
    place = {port: (chip, number) for chip in chips for number, port in chip.ports.items()}
    rate = _rates(fabric, network, faults, ibsim)
    for chip in chips:
        yield "\n".join([*_head(chip), *_rows(fabric, chip, place, rate, ids), "", ""])


def root_guids(guids: Iterable[int]) -> str:
    """Return the file that OpenSM takes with ``-a``: one switch a line."""
    return "".join(f"0x{guid:016x}\n" for guid in guids)


def descriptions(fabric: Fabric, network: int, hca: bool = False) -> dict[int, str]:
    """Return the description of the adapter of each adapter port, by the port's row."""
    _, ports = switches_and_ports(fabric, network)
    return {
        port: _described(fabric, port, label, hca) for port, (label, _) in _adapters(fabric, ports.tolist()).items()
    }


def _chips(fabric: Fabric, network: int, ids: Identities, hca: bool) -> Iterator[_Chip]:
    switches, ports = switches_and_ports(fabric, network)
    found: dict[tuple[int, str], _Chip] = {}
    for port, (label, number) in _adapters(fabric, ports.tolist()).items():
        device = int(fabric.ports.device[port])
        router = fabric.groups[fabric.devices.group[device]] == "router"
        guid = int(ids.port_guid[port]) - number
        new = _Chip(*(("Rt", "R") if router else ("Ca", "H")), guid, _described(fabric, port, label, hca), device)
        found.setdefault((device, label), new).ports[number] = port
    yield from found.values()
    for device in switches.tolist():
        name = fabric.names[device].replace('"', "'")
        first = int(fabric.first_port[device])
        rows = range(first, int(fabric.first_port[device + 1]))
        chip = _Chip("Switch", "S", int(ids.switch_guid[device]), name, device, int(ids.switch_lid[device]))
        chip.ports = _usable({int(fabric.ports.number[row]): row for row in rows}, fabric)
        yield chip


def _usable(ports: dict[int, int], fabric: Fabric) -> dict[int, int]:
    """Return the ports of a switch that can be listed: of one with too many, those up to the last in use.

    Raises
    ------
    InputError
        If a link is on a port whose number does not exist in InfiniBand.
    """
    if max(ports, default=0) <= LAST_PORT:
        return ports
    last = max((number for number, row in ports.items() if fabric.ports.peer[row] >= 0), default=0)
    if last > LAST_PORT:
        where = fabric.port_name(ports[last])
        raise InputError(
            f"{where} is in use, but ports of InfiniBand switches are 1 to {LAST_PORT}", "use other switches"
        )
    return {number: row for number, row in ports.items() if number <= last}


def _adapters(fabric: Fabric, ports: list[int]) -> dict[int, tuple[str, int]]:
    """Return label and port number of the adapter of each port."""
    found: dict[int, tuple[str, int]] = {}
    by_device: dict[int, list[int]] = {}
    for port in ports:
        by_device.setdefault(int(fabric.ports.device[port]), []).append(port)
    for rows in by_device.values():
        rails = [int(fabric.ports.rail[row]) for row in rows]
        by_rail = len(set(rails)) == len(rails) and min(rails) >= 0
        for place, row in enumerate(rows):
            label = str(fabric.ports.label[row]) if fabric.ports.label is not None else ""
            match = _LABEL.fullmatch(label)
            if match and adapter(f"host {match['adapter']}")[1]:
                found[row] = match["adapter"], int(match["port"] or 1)
            else:
                found[row] = f"mlx5_{rails[place] if by_rail else place}", 1
    return found


def _described(fabric: Fabric, port: int, label: str, hca: bool) -> str:
    device = int(fabric.ports.device[port])
    name = fabric.names[device].replace('"', "'")
    if KINDS[fabric.devices.kind[device]] == "aggregation":
        return _ENGINE
    number = re.search(r"\d+$", label)
    return f"{name} HCA-{int(number[0]) + 1 if number else 1}" if hca else f"{name} {label}"


def _rates(fabric: Fabric, network: int, faults: Faults | None, ibsim: bool) -> dict[int, str]:
    """Return the rate of each live link of a network, by the rows of both of its ports."""
    links = fabric.links
    live = np.flatnonzero((links.network == network) & ~(faults.links.dead if faults is not None else False))
    speed = links.speed_bps[live].tolist()
    words = {value: _IBSIM_RATE if ibsim and value > _IBSIM_BPS else _rate(value) for value in set(speed)}
    rows = zip(links.port_a[live].tolist(), links.port_z[live].tolist(), speed, strict=True)
    return {port: words[value] for a, z, value in rows for port in (a, z)}


def _rate(speed_bps: float) -> str:
    """Return the rate of a speed, empty where it is unknown.

    Raises
    ------
    InputError
        If no number of lanes makes up that speed.
    """
    for lanes in _LANES:
        for word in _NEWEST_FIRST:
            if speed_bps == lanes * LANE_BPS[word]:
                return f"{lanes}x{word}"
    if speed_bps:
        raise InputError(f"a link of {speed_bps / 1e9:g} Gbit/s has no InfiniBand rate", "use 100G, 200G, 400G or 800G")
    return ""


def _head(chip: _Chip) -> list[str]:
    device = "0xd2f2" if chip.word == "Switch" else "0xcf09" if chip.description == _ENGINE else "0x1021"
    word, own, lid = {"Ca": "caguid", "Rt": "rtguid"}.get(chip.word, "switchguid"), "", ""
    if chip.word == "Switch":
        own, lid = f"({chip.guid:x})", f" enhanced port 0 lid {chip.lid} lmc 0"
    head = ["vendid=0x2c9", f"devid={device}", f"sysimgguid=0x{chip.guid:x}", f"{word}=0x{chip.guid:x}{own}"]
    return [*head, f'{chip.word}\t{max(chip.ports, default=0)} "{chip.key}"\t\t# "{chip.description}"{lid}']


def _rows(
    fabric: Fabric, chip: _Chip, place: dict[int, tuple[_Chip, int]], rate: dict[int, str], ids: Identities
) -> Iterator[str]:
    for number, port in sorted(chip.ports.items()):
        if port not in rate:
            continue
        far = int(fabric.ports.peer[port])
        peer, at = place[far]
        own = "" if chip.word == "Switch" else f"({int(ids.port_guid[port]):x}) "
        theirs = "" if peer.word == "Switch" else f"({int(ids.port_guid[far]):x})"
        lid = f"lid {int(ids.port_lid[port])} lmc 0 " if own else ""
        far_lid = peer.lid if peer.word == "Switch" else int(ids.port_lid[far])
        end = f'"{peer.description}" lid {far_lid} {rate[port]}'.rstrip()
        yield f'[{number}]{own}\t"{peer.key}"[{at}]{theirs}\t\t# {lid}{end}'
