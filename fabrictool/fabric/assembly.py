"""The only way into a fabric: rows are checked, ends are resolved, every violation is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from fabrictool.errors import FabricError, Problem
from fabrictool.fabric.naming import index_widths
from fabrictool.fabric.tables import F8, I1, I2, I4, Bool, Devices, Fabric, GpuPorts, Gpus, Links, NetworkFacts, Ports

SHOWN = 20


@dataclass(frozen=True)
class LinkRows:
    """Links as generators and readers state them: both ends by device row and port number."""

    a_device: I4
    a_number: I4
    z_device: I4
    z_number: I4
    network: I1
    speed_bps: F8
    latency_s: F8


@dataclass(frozen=True)
class PortRows:
    """Ports as generators and readers state them, in ascending order of device and number."""

    device: I4
    number: I2
    cage: I2
    speed_bps: F8
    rail: I2
    plane: I2
    label: npt.NDArray[np.str_] | None = None
    guid: npt.NDArray[np.uint64] | None = None
    lid: I4 | None = None


def assemble(
    name: str,
    devices: Devices,
    ports: PortRows,
    links: LinkRows,
    gpus: Gpus,
    gpu_ports: GpuPorts,
    types: Sequence[str],
    groups: Sequence[str],
    networks: Sequence[NetworkFacts],
    naming: Mapping[str, str] | None = None,
    widths: Sequence[int] | None = None,
) -> Fabric:
    """Join rows to a fabric.

    Parameters
    ----------
    name : str
        Name of the fabric.
    devices, ports, links, gpus, gpu_ports : tables
        Rows; link ends are device rows and port numbers, ``gpu_ports.port`` are port rows.
    types, groups, networks : sequences
        What the code columns point at.
    naming : mapping of str to str, optional
        Name templates by group.
    widths : sequence of int, optional
        Digits of the index in names by group; kept by edits so that nothing is renamed.

    Returns
    -------
    Fabric

    Raises
    ------
    FabricError
        Naming every port used twice, link to nowhere, missing port and speed mismatch.
    """
    row_a, found_a = _port_rows(ports, len(devices), links.a_device, links.a_number)
    row_z, found_z = _port_rows(ports, len(devices), links.z_device, links.z_number)
    placeholder = np.full(len(ports.device), -1, np.int32)
    widths = tuple(widths) if widths is not None else index_widths(devices, groups)

    def fabric(peer: I4, a: I4, z: I4, rows: LinkRows) -> Fabric:
        table = Ports(
            ports.device, ports.number, ports.cage, ports.speed_bps, ports.rail, ports.plane, peer,
            ports.label, ports.guid, ports.lid,
        )  # fmt: skip
        joined = Links(a, z, rows.network, rows.speed_bps, rows.latency_s)
        return Fabric(
            name, devices, table, joined, gpus, gpu_ports, tuple(types), tuple(groups), tuple(networks), widths,
            dict(naming or {}),
        )  # fmt: skip

    problems = list(_duplicate_ports(ports))
    bare = fabric(placeholder, row_a[:0], row_z[:0], _some(links, np.zeros(len(found_a), bool)))
    problems += _missing(bare, links.a_device, links.a_number, found_a)
    problems += _missing(bare, links.z_device, links.z_number, found_z)
    if problems:
        both = found_a & found_z
        row_a, row_z, links = row_a[both], row_z[both], _some(links, both)
    peer = placeholder.copy()
    peer[row_a] = row_z
    peer[row_z] = row_a
    done = fabric(peer, row_a, row_z, links)
    problems += [*_used_twice(done, row_a, row_z), *_speed_mismatch(done), *_gpu_rows(done)]
    if problems:
        raise FabricError(problems)
    return done


def _some(links: LinkRows, rows: Bool) -> LinkRows:
    return LinkRows(*(getattr(links, column.name)[rows] for column in fields(links)))


def _port_rows(ports: PortRows, device_count: int, device: I4, number: I4) -> tuple[I4, np.ndarray]:
    """Return the row of each port asked for, and whether it exists."""
    first = np.searchsorted(ports.device, np.arange(device_count + 1, dtype=np.int32)).astype(np.int32)
    inside = (device >= 0) & (device < device_count)
    device = device if inside.all() else np.where(inside, device, 0).astype(np.int32)
    row = first[device] + number.astype(np.int32) - 1
    good = inside & (row >= first[device]) & (row < first[device + 1])
    if good.all() and (ports.number[row] == number).all():
        return row, good
    key = ports.device.astype(np.int64) << 32 | ports.number.astype(np.int64)
    wanted = device.astype(np.int64) << 32 | (number.astype(np.int64) & 0xFFFFFFFF)
    row = np.searchsorted(key, wanted).astype(np.int32)
    capped = np.minimum(row, max(len(key) - 1, 0))
    good = inside & (key[capped] == wanted) if len(key) else np.zeros(len(device), bool)
    return capped, good


def _capped(problems: list[Problem], total: int) -> list[Problem]:
    if total > len(problems):
        problems.append(Problem("", f"and {total - len(problems)} more of the same kind"))
    return problems


def _duplicate_ports(ports: PortRows) -> list[Problem]:
    same = (ports.device[1:] == ports.device[:-1]) & (ports.number[1:] <= ports.number[:-1])
    unsorted = np.flatnonzero((ports.device[1:] < ports.device[:-1]) | same)
    shown = [
        Problem(f"port row {i + 1}", "ports are not in ascending order of device and number", "sort and deduplicate")
        for i in unsorted[:SHOWN].tolist()
    ]
    return _capped(shown, len(unsorted))


def _missing(bare: Fabric, device: I4, number: I4, found: np.ndarray) -> list[Problem]:
    rows = np.flatnonzero(~found)
    shown = []
    for row in rows[:SHOWN].tolist():
        at = int(device[row])
        if not 0 <= at < len(bare.devices):
            shown.append(Problem(f"link {row}", f"leads to device row {at}, which does not exist"))
            continue
        have = int(bare.first_port[at + 1] - bare.first_port[at])
        what = f"link {row} needs port {int(number[row])}, but {bare.names[at]} has {have} ports"
        shown.append(Problem(bare.names[at], what, "use fewer links, or a device with more ports"))
    return _capped(shown, len(rows))


def _used_twice(done: Fabric, row_a: I4, row_z: I4) -> list[Problem]:
    uses = np.bincount(np.concatenate((row_a, row_z)), minlength=len(done.ports))
    rows = np.flatnonzero(uses > 1)
    shown = [
        Problem(done.port_name(row), f"{int(uses[row])} links use this port", "give each link a port of its own")
        for row in rows[:SHOWN].tolist()
    ]
    return _capped(shown, len(rows))


def _speed_mismatch(done: Fabric) -> list[Problem]:
    speed = done.ports.speed_bps
    links = done.links
    slower = np.minimum(speed[links.port_a], speed[links.port_z])
    rows = np.flatnonzero(links.speed_bps > slower * (1 + 1e-9))
    shown = [
        Problem(
            done.link_name(row),
            f"a link of {links.speed_bps[row] / 1e9:g} Gbit/s on a port of {slower[row] / 1e9:g} Gbit/s",
            "give both ends the link's speed",
        )
        for row in rows[:SHOWN].tolist()
    ]
    return _capped(shown, len(rows))


def _gpu_rows(done: Fabric) -> list[Problem]:
    pairs = done.gpu_ports
    if not len(pairs):
        return []
    outside = (pairs.gpu < 0) | (pairs.gpu >= len(done.gpus)) | (pairs.port < 0) | (pairs.port >= len(done.ports))
    if outside.any():
        return [Problem("gpu_ports", f"{int(outside.sum())} rows point at no GPU or no port")]
    foreign = done.ports.device[pairs.port] != done.gpus.host[pairs.gpu]
    if foreign.any():
        return [Problem("gpu_ports", f"{int(foreign.sum())} rows give a GPU a port of another host")]
    return []
