"""Changes make a new fabric: links and devices dropped, links slowed, links added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from fabrictool.errors import InputError, Problem
from fabrictool.fabric.assembly import LinkRows, PortRows, assemble
from fabrictool.fabric.faults import Faults
from fabrictool.fabric.lookup import Lookup
from fabrictool.fabric.tables import I4, Bool, Devices, Fabric, GpuPorts, Gpus


def edit(
    fabric: Fabric,
    drop: Iterable[str] = (),
    slow: Mapping[str, float] | None = None,
    add: Iterable[tuple[str, str]] = (),
) -> Fabric:
    """Return a fabric with some things changed; the old one stays as it is.

    Parameters
    ----------
    fabric : Fabric
        The fabric before.
    drop : iterable of str
        Devices by name, a director with all its chips, or links by either end as ``device:port``.
    slow : mapping of str to float
        Links by either end, to the fraction of their speed that is left.
    add : iterable of pair of str
        Links to add, both ends as ``device:port``; network, speed and latency are those of the
        first free port's device: the slower port's speed, the latency of that device's other links.

    Returns
    -------
    Fabric
        With the same names: widths and places are kept.

    Raises
    ------
    InputError
        Naming every device, port or link that does not exist.
    """
    find = Lookup(fabric)
    keep_device = np.ones(len(fabric.devices), bool)
    keep_link = np.ones(len(fabric.links), bool)
    for word in drop:
        if ":" in word and word not in find.rows:
            keep_link[find.link(word)] = False
        else:
            keep_device[find.devices(word)] = False
    speed = fabric.links.speed_bps.copy()
    for word, factor in (slow or {}).items():
        if not 0 < factor <= 1:
            find.problems.append(Problem(word, f"factor {factor} is not between 0 and 1", "drop the link instead"))
        speed[find.link(word)] *= factor
    extra = [(find.port(a, keep_device), find.port(z, keep_device)) for a, z in add]
    if find.problems:
        raise InputError(find.problems)
    a, z = fabric.ends
    keep_link &= keep_device[a] & keep_device[z]
    return _rebuild(fabric, keep_device, keep_link, speed, extra)


def remaining(fabric: Fabric, faults: Faults) -> Fabric:
    """Return what is left of a fabric: devices and links that are down dropped, slow links at what is left."""
    speed = fabric.links.speed_bps * faults.links.factor
    return _rebuild(fabric, ~faults.device, ~faults.links.dead, speed, [])


def _rebuild(
    fabric: Fabric, keep_device: Bool, keep_link: Bool, speed: np.ndarray, extra: list[tuple[int, int]]
) -> Fabric:
    new_row = (np.cumsum(keep_device) - 1).astype(np.int32)
    ports, links = fabric.ports, fabric.links
    keep_port = keep_device[ports.device]
    new_port = (np.cumsum(keep_port) - 1).astype(np.int32)
    kept = np.flatnonzero(keep_link)
    a = np.concatenate((links.port_a[kept], [pair[0] for pair in extra])).astype(np.int32)
    z = np.concatenate((links.port_z[kept], [pair[1] for pair in extra])).astype(np.int32)
    model = _like(fabric, extra)
    rows = LinkRows(
        new_row[ports.device[a]],
        ports.number[a].astype(np.int32),
        new_row[ports.device[z]],
        ports.number[z].astype(np.int32),
        np.concatenate((links.network[kept], links.network[model])).astype(np.int8),
        np.concatenate((speed[kept], [float(min(ports.speed_bps[x], ports.speed_bps[y])) for x, y in extra])),
        np.concatenate((links.latency_s[kept], links.latency_s[model])),
    )
    columns = {name: value[keep_device] for name, value in fabric.devices.columns().items()}
    keep_gpu = keep_device[fabric.gpus.host]
    new_gpu = (np.cumsum(keep_gpu) - 1).astype(np.int32)
    gpu_columns = {name: value[keep_gpu] for name, value in fabric.gpus.columns().items()}
    port_columns = {name: value[keep_port] for name, value in ports.columns().items() if name != "peer"}
    port_columns["device"] = new_row[port_columns["device"]]
    gpu_columns["host"] = new_row[gpu_columns["host"]]
    pairs = keep_gpu[fabric.gpu_ports.gpu]
    return assemble(
        fabric.name,
        Devices(**columns),
        PortRows(**port_columns),
        rows,
        Gpus(**gpu_columns),
        GpuPorts(new_gpu[fabric.gpu_ports.gpu[pairs]], new_port[fabric.gpu_ports.port[pairs]]),
        fabric.types,
        fabric.groups,
        fabric.networks,
        fabric.naming,
        fabric.widths,
    )


def _like(fabric: Fabric, extra: list[tuple[int, int]]) -> I4:
    """Return for each added link an existing link of the same upper device, whose network and latency it takes."""
    a, z = fabric.ends
    rows = []
    for _, port in extra:
        device = fabric.ports.device[port]
        hits = np.flatnonzero((a == device) | (z == device))
        rows.append(int(hits[0]) if len(hits) else 0)
    return np.array(rows, np.int32)


def network_alone(fabric: Fabric, network: int) -> Fabric:
    """Return one network of a fabric: its links, and the devices that are in it."""
    links = fabric.links.network == network
    devices = fabric.devices.network == network
    for end in fabric.ends:
        devices[end[links]] = True
    return _rebuild(fabric, devices, links, fabric.links.speed_bps, [])
