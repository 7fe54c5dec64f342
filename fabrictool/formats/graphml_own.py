"""The attributes that our own GraphML has, and the way back from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.fabric import KINDS, Fabric, GpuPorts, Gpus
from fabrictool.fabric.store import network_facts
from fabrictool.formats.found import FoundDevice, FoundLink, FoundPort
from fabrictool.formats.imported import Report
from fabrictool.formats.joining import joined, usable_links

if TYPE_CHECKING:
    import networkx

#: Version of the attributes.
VERSION = 1
_DEVICE = ("tier", "plane", "rail", "pod", "index", "latency_s")
_PORT = ("number", "cage", "speed_bps", "rail", "plane", "label", "guid", "lid")


def attributed(fabric: Fabric) -> networkx.MultiGraph[str]:
    """Return a graph whose attributes are all numbers and text, as GraphML wants them."""
    import networkx

    graph: networkx.MultiGraph[str] = networkx.MultiGraph(
        name=fabric.name,
        fabrictool=VERSION,
        networks=json.dumps([astuple(network) for network in fabric.networks]),
        widths=json.dumps(dict(zip(fabric.groups, fabric.widths, strict=True))),
    )
    devices, ports, links = fabric.devices, fabric.ports, fabric.links
    columns = {name: getattr(devices, name).tolist() for name in _DEVICE}
    free, gpus = _free_ports(fabric), _gpus(fabric)
    for row, name in enumerate(fabric.names):
        network = int(devices.network[row])
        extra = {
            "kind": KINDS[devices.kind[row]],
            "type": fabric.types[devices.type[row]],
            "group": fabric.groups[devices.group[row]],
            "network": fabric.networks[network].name if network >= 0 else "",
        }
        extra |= {"guid": f"{devices.guid[row]:#018x}"} if devices.guid is not None else {}
        extra |= {"chassis": int(devices.chassis[row])} if devices.chassis is not None else {}
        extra |= {"free_ports": free[row]} if row in free else {}
        extra |= {"gpus": gpus[row]} if row in gpus else {}
        lid = {"lid": int(devices.lid[row])} if devices.lid is not None else {}
        graph.add_node(name, **extra, **lid, **{key: column[row] for key, column in columns.items()})
    a, z = (end.tolist() for end in fabric.ends)
    for row, (i, j) in enumerate(zip(links.port_a.tolist(), links.port_z.tolist(), strict=True)):
        graph.add_edge(
            fabric.names[a[row]],
            fabric.names[z[row]],
            key=row,
            a=fabric.names[a[row]],
            z=fabric.names[z[row]],
            network=fabric.networks[links.network[row]].name,
            speed_bps=float(links.speed_bps[row]),
            latency_s=float(links.latency_s[row]),
            **_end("a", _port(ports, i)),
            **_end("z", _port(ports, j)),
        )
    return graph


def _port(ports: Any, row: int) -> dict[str, Any]:
    columns = {name: getattr(ports, name) for name in _PORT}
    return {name: column[row].item() for name, column in columns.items() if column is not None}


def _end(side: str, port: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a link's end; ``a_port`` is its label if it has one."""
    found = {f"{side}_{name}": value for name, value in port.items() if name != "guid"}
    found[f"{side}_port"] = str(port.get("label") or port["number"])
    return found | ({f"{side}_guid": f"{port['guid']:#018x}"} if "guid" in port else {})


def _free_ports(fabric: Fabric) -> dict[int, str]:
    found: dict[int, list[list[Any]]] = {}
    for row in np.flatnonzero(fabric.ports.peer < 0).tolist():
        port = _port(fabric.ports, row)
        found.setdefault(int(fabric.ports.device[row]), []).append([port.get(name, 0) for name in _PORT])
    return {device: json.dumps(rows) for device, rows in found.items()}


def _gpus(fabric: Fabric) -> dict[int, str]:
    """Return the GPUs of each host: domain, index, scale-up speed and latency, and numbers of their ports."""
    used: dict[int, list[int]] = {}
    for gpu, port in zip(fabric.gpu_ports.gpu.tolist(), fabric.gpu_ports.port.tolist(), strict=True):
        used.setdefault(gpu, []).append(int(fabric.ports.number[port]))
    found: dict[int, list[list[Any]]] = {}
    gpus = fabric.gpus
    for row, host in enumerate(gpus.host.tolist()):
        facts = (gpus.domain[row], gpus.index[row], gpus.scale_up_bps[row], gpus.scale_up_latency_s[row])
        found.setdefault(host, []).append([*(fact.item() for fact in facts), used.get(row, [])])
    return {host: json.dumps(rows) for host, rows in found.items()}


def restored(name: str, graph: networkx.MultiGraph[str], report: Report) -> Fabric:
    """Return the fabric of a graph that ``attributed`` made.

    Raises
    ------
    InputError
        If attributes are missing or of another kind.
    """
    version = graph.graph["fabrictool"]
    if version != VERSION:
        what = f"its attributes have version {version}; this program reads {VERSION}"
        raise report.refusal(1, what, "install a newer fabrictool")
    try:
        networks = [network_facts(row) for row in json.loads(graph.graph["networks"])]
        widths = {str(group): int(width) for group, width in json.loads(graph.graph["widths"]).items()}
        devices = [_device(node, row) for node, row in graph.nodes(data=True)]
        place = {device.name: row for row, device in enumerate(devices)}
        ordered = sorted(graph.edges(keys=True, data=True), key=lambda edge: int(edge[2]))
        links = [_link(row, place, devices) for *_, row in ordered]
        known = {network.name for network in networks}
        if any(link.network not in known for link in links):
            raise ValueError("a link is in no network of the graph")
        gpus = _restored_gpus(graph, devices)
        fabric_name = str(graph.graph.get("name") or name)
        return joined(fabric_name, devices, usable_links(devices, links, report), networks, report, gpus, widths=widths)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        what = f"its attributes are not whole ({type(error).__name__}: {str(error)[:80]})"
        raise report.refusal(1, what, "write it again") from None


def _device(name: str, row: Mapping[str, Any]) -> FoundDevice:
    device = FoundDevice(str(name), str(row["kind"]), type=str(row["type"]), group=str(row["group"]))
    if device.kind not in KINDS:
        raise ValueError(f"kind '{device.kind}' of {name}")
    device.network = str(row["network"])
    device.tier, device.plane, device.rail, device.pod, device.index = (int(row[key]) for key in _DEVICE[:5])
    device.latency_s = float(row["latency_s"])
    device.chassis = str(row["chassis"]) if int(row.get("chassis", -1)) >= 0 else ""
    device.guid, device.lid = int(str(row.get("guid", "0")), 16), int(row.get("lid", 0))
    for values in json.loads(row.get("free_ports", "[]")):
        device.ports[int(values[0])] = FoundPort(**_port_facts(dict(zip(_PORT, values, strict=True))))
    return device


def _port_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    guid = row.get("guid") or 0
    return {
        "number": int(row["number"]),
        "cage": int(row["cage"]),
        "speed_bps": float(row["speed_bps"]),
        "rail": int(row["rail"]),
        "plane": int(row["plane"]),
        "label": str(row.get("label") or ""),
        "guid": int(guid, 16) if isinstance(guid, str) else int(guid),
        "lid": int(row.get("lid") or 0),
    }


def _link(row: Mapping[str, Any], place: Mapping[str, int], devices: list[FoundDevice]) -> FoundLink:
    ends: list[tuple[int, int]] = []
    for side in "az":
        device = place[str(row[side])]
        port = FoundPort(**_port_facts({name: row.get(f"{side}_{name}") for name in _PORT}))
        devices[device].ports[port.number] = port
        ends.append((device, port.number))
    return FoundLink(*ends[0], *ends[1], float(row["speed_bps"]), float(row["latency_s"]), str(row["network"]))


def _restored_gpus(graph: networkx.MultiGraph[str], devices: list[FoundDevice]) -> tuple[Gpus, GpuPorts]:
    rows: list[list[Any]] = []
    pairs: list[tuple[int, int]] = []
    first = 0
    for host, (device, (_, facts)) in enumerate(zip(devices, graph.nodes(data=True), strict=True)):
        place = {number: first + at for at, number in enumerate(sorted(device.ports))}
        for *columns, used in json.loads(facts.get("gpus", "[]")):
            pairs += [(len(rows), place[number]) for number in used]
            rows.append([host, *columns])
        first += len(device.ports)
    host_, domain, index, speed, latency = zip(*rows, strict=True) if rows else ((),) * 5
    gpu, port = zip(*pairs, strict=True) if pairs else ((), ())
    gpus = Gpus(
        np.array(host_, np.int32), np.array(domain, np.int32), np.array(index, np.int16),
        np.array(speed, np.float64), np.array(latency, np.float64),
    )  # fmt: skip
    return gpus, GpuPorts(np.array(gpu, np.int32), np.array(port, np.int32))
