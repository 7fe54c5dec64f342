"""A network that stands in a file: a discovered or neutral fabric, dressed with the layout's types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fabrictool.errors import InputError, NotSupportedError, Problem
from fabrictool.fabric import KINDS, Fabric, GpuPorts, Gpus
from fabrictool.fabric.tables import I4
from fabrictool.formats.imported import Imported
from fabrictool.formats.recognise import imported
from fabrictool.generators.endpoints import scale_up_latency_s
from fabrictool.generators.site import TIERS
from fabrictool.layout.model import HostGroup, Layout
from fabrictool.layout.network import Network
from fabrictool.records import Finding

KEYS = frozenset({"path", *TIERS})


def file_network(layout: Layout) -> tuple[str, Network] | None:
    """Return the network of family ``file``, if a layout has one.

    Raises
    ------
    NotSupportedError
        If it stands beside other networks.
    """
    for name, network in layout.networks.items():
        if network.family == "file":
            if len(layout.networks) > 1:
                what = "a network from a file stands beside others"
                fix = "put all of them into the file, or give each a layout of its own"
                raise NotSupportedError([Problem("", what, fix, ("networks", name, "family"))])
            return name, network
    return None


def imported_network(layout: Layout, name: str, network: Network) -> Imported:
    """Return what stands in the file; its path is relative to the layout's.

    Raises
    ------
    InputError
        If no path is given, or the file holds no fabric or several networks.
    """
    place = ("networks", name, "path")
    if network.path is None:
        raise InputError([Problem("", "the path of the file is not given", "add 'path: fabric.txt'", place[:2])])
    source = layout.source
    folder = Path(source.name).parent if source is not None else Path()
    found = imported(str(folder / network.path))
    if found is None:
        what = f"{network.path} is no fabric file"
        fix = "name an ibnetdiscover, ibutils, GraphML, edges.csv, plan CSV or .npz file"
        raise InputError([Problem("", what, fix, place)])
    if len(found.fabric.networks) != 1:
        what = f"{network.path} holds {len(found.fabric.networks)} networks"
        raise InputError([Problem("", what, "name a file of one network", place)])
    return found


def file_findings(layout: Layout) -> tuple[Finding, ...]:
    """Return what is wrong in the file that a layout's network comes from."""
    found = file_network(layout)
    return imported_network(layout, *found).findings if found else ()


def fabric_from_file(layout: Layout, name: str, network: Network) -> Fabric:
    """Return the fabric of the file with the layout's types, and GPUs on the ports of their hosts.

    The layout's compute hosts are those of the file in row order, which is LID order where there are
    LIDs; names, GUIDs and port labels of the file stay.

    Raises
    ------
    InputError
        If the layout's hosts are more or fewer than those of the file.
    """
    fabric = imported_network(layout, name, network).fabric
    hosts = np.flatnonzero(fabric.devices.kind == KINDS.index("host")).astype(np.int32)
    groups = [group for group in layout.hosts if group.role == "compute"]
    total = sum(group.hosts for group in groups)
    if total != len(hosts):
        what = f"the layout has {total} compute hosts, but {network.path} has {len(hosts)}"
        raise InputError([Problem("", what, f"use counts that add up to {len(hosts)}", ("hosts",))])
    bounds = np.cumsum([0, *(group.hosts for group in groups)])
    parts = [(group, hosts[low:high]) for group, low, high in zip(groups, bounds[:-1], bounds[1:], strict=True)]
    types, kinds = list(fabric.types), fabric.devices.type.copy()
    for group, rows in parts:
        kinds[rows] = _place(types, group.type.name)
    for level, title in enumerate(TIERS, 1):
        tier = getattr(network, title)
        if tier is not None and tier.type.director is not None:
            what = f"{tier.type.name} is a director, but the {title} switches of a file are chips, one each"
            fix = "describe the chips by a type without director"
            raise NotSupportedError([Problem("", what, fix, ("networks", name, title))])
        if tier is not None:
            kinds[fabric.devices.tier == level] = _place(types, tier.type.name)
    facts = replace(fabric.networks[0], name=name, protocol=network.protocol, family="file")
    gpus, pairs = _gpus(fabric, parts)
    return replace(
        fabric,
        name=layout.name,
        devices=replace(fabric.devices, type=kinds),
        gpus=gpus,
        gpu_ports=pairs,
        types=tuple(types),
        networks=(facts,),
        naming=dict(layout.naming),
    )


def _place(types: list[str], name: str) -> int:
    if name not in types:
        types.append(name)
    return types.index(name)


def _gpus(fabric: Fabric, parts: list[tuple[HostGroup, I4]]) -> tuple[Gpus, GpuPorts]:
    """Return GPUs host by host, and the linked ports that each uses."""
    host, index, domain, speed, latency = [], [], [], [], []
    pair_gpu, pair_port = [], []
    done = 0
    linked = np.flatnonzero(fabric.ports.peer >= 0)
    for group, rows in parts:
        each, scale_up = group.type.gpus_per_host, group.type.scale_up
        count = each * len(rows)
        size = scale_up.domain if scale_up else 1
        host.append(np.repeat(rows, each))
        index.append(np.tile(np.arange(each), len(rows)))
        domain.append(done + np.arange(count) // size * size)
        speed.append(np.full(count, scale_up.speed_bps if scale_up else 0.0))
        latency.append(np.full(count, scale_up_latency_s(group.type)))
        mine = linked[np.isin(fabric.ports.device[linked], rows)]
        if each and len(mine):
            gpu, port = _shared_out(fabric.ports.device[mine], mine, each)
            pair_gpu.append(done + gpu)
            pair_port.append(port)
        done += count
    columns = [np.concatenate(column) for column in (host, domain, index, speed, latency)]
    types = (np.int32, np.int32, np.int16, np.float64, np.float64)
    pairs = [np.concatenate(side or [np.zeros(0)]).astype(np.int32) for side in (pair_gpu, pair_port)]
    return Gpus(*(c.astype(kind) for c, kind in zip(columns, types, strict=True))), GpuPorts(*pairs)


def _shared_out(device: I4, port: np.ndarray, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return GPU places and ports: the ports of a host go to its GPUs in order, several to one or one to several."""
    hosts, place, ports = np.unique(device, return_inverse=True, return_counts=True)
    lane = np.arange(len(device)) - np.searchsorted(device, device)
    if (ports >= each).all():
        return place * each + lane * each // ports[place], port
    gpu = np.arange(len(hosts) * each)
    at, turn = gpu // each, gpu % each
    first = np.searchsorted(device, hosts)
    return gpu, port[first[at] + turn * ports[at] // each]
