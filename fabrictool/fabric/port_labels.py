"""What vendors call ports: (cage, leg) of a switch, or the place of a host's port, as each system writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric.tables import Fabric


@dataclass(frozen=True, slots=True)
class PortPlace:
    """Where a port is.

    Parameters
    ----------
    number : int
        1-based number on its device.
    cage, leg : int
        0-based cage, and part of the cage.
    legs : int
        Parts that the cage is split into; 1 where it is one port.
    rail : int
        0-based rail of a host's port; its place on the host where it is on none.
    twin : bool
        Whether some cage of the device holds several ports.
    """

    number: int
    cage: int
    leg: int
    legs: int
    rail: int
    twin: bool


#: Electrical lanes of an OSFP or QSFP-DD cage, of which SONiC counts the first.
LANES = 8


def _split(place: PortPlace, before: str) -> str:
    """Return a suffix with the leg, counted from 1, of a split cage."""
    return f"{before}{place.leg + 1}" if place.legs > 1 else ""


def _cumulus(place: PortPlace) -> str:
    return f"swp{place.cage + 1}" + (f"s{place.leg}" if place.legs > 1 else "")


def _mlnx_os(place: PortPlace) -> str:
    return f"IB1/{place.cage + 1}/{place.leg + 1}" if place.twin else f"IB1/{place.number}"


def _sonic(place: PortPlace) -> str:
    return f"Ethernet{place.cage * LANES + place.leg * (LANES // place.legs)}"


def _junos(place: PortPlace) -> str:
    return f"et-0/0/{place.cage}" + (f":{place.leg}" if place.legs > 1 else "")


#: How each naming scheme writes a port.
SCHEMES: dict[str, Callable[[PortPlace], str]] = {
    "number": lambda place: str(place.number),
    "cumulus": _cumulus,
    "mlnx-os": _mlnx_os,
    "infiniband-split": lambda place: f"{place.cage + 1}{_split(place, '/')}",
    "nvos": lambda place: f"sw{place.cage + 1}p{place.leg + 1}",
    "sonic": _sonic,
    "eos": lambda place: f"Ethernet{place.cage + 1}{_split(place, '/')}",
    "junos": _junos,
    "nx-os": lambda place: f"Ethernet1/{place.cage + 1}{_split(place, '/')}",
    "sr-linux": lambda place: f"ethernet-1/{place.cage + 1}{_split(place, '/')}",
    "hedgehog": lambda place: f"E1/{place.cage + 1}{_split(place, '/')}",
    "rail": lambda place: f"rail{place.rail}",
    "rdma": lambda place: f"mlx5_{place.number - 1}",
}
#: Vendor of a switch, to what its ports are called over Ethernet.
_BY_VENDOR = {
    "NVIDIA": "cumulus", "Arista": "eos", "Juniper": "junos", "Cisco": "nx-os", "Nokia": "sr-linux",
    "Celestica": "sonic", "Dell": "sonic",
}  # fmt: skip


def scheme_of(vendor: str | None, protocol: str | None) -> str:
    """Return how the ports of a switch are called by the system that it comes with.

    Parameters
    ----------
    vendor, protocol : str or None
        Of the switch type in the catalogue, such as ``NVIDIA`` and ``infiniband-ndr``.

    Returns
    -------
    str
        ``number`` where nothing is known.
    """
    if protocol is not None and protocol.startswith("infiniband"):
        return "nvos" if protocol.endswith("xdr") else "mlnx-os"
    return _BY_VENDOR.get(vendor or "", "number")


def port_label(fabric: Fabric, port: int, scheme: str) -> str:
    """Return what a port is called in a scheme; a label that a discovered fabric brought wins.

    Parameters
    ----------
    fabric : Fabric
    port : int
        Row of the port.
    scheme : str
        ``cumulus`` (``swp1s0``), ``mlnx-os`` (``IB1/1/2``), ``infiniband-split`` (``1/2``), ``nvos``
        (``sw1p1``), ``sonic`` (``Ethernet0``), ``eos`` (``Ethernet1/1``), ``junos`` (``et-0/0/0:1``), ``nx-os``
        (``Ethernet1/1/1``), ``sr-linux`` (``ethernet-1/1/1``), ``hedgehog`` (``E1/1/1``); of hosts ``rail``
        (``rail0``) and ``rdma`` (``mlx5_0``, in the order of ports: an assumption, the system counts by PCI
        address); ``number``, which also is what ibdiagnet and OpenSM print.

    Raises
    ------
    InputError
        If the scheme is unknown.

    References
    ----------
    NVIDIA UFM Cable Validation Tool manual, P2P file (``swp``, ``rail``, ``sw…p…``, ``1/2``); MLNX-OS manual
    (``interface ib 1/1``); vendors' configuration guides for the others.
    """
    return port_labels(fabric, [port], scheme)[0]


def port_labels(fabric: Fabric, ports: Iterable[int], scheme: str, own: bool = True) -> list[str]:
    """Return the labels of several ports, as ``port_label`` does; without ``own``, brought labels do not win."""
    if scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        hint = did_you_mean(scheme, SCHEMES) or f"use one of {known}"
        raise InputError([Problem("", f"there is no port naming scheme '{scheme}'", hint)])
    write, brought = SCHEMES[scheme], fabric.ports.label if own else None
    found: list[str] = []
    places: dict[int, list[PortPlace]] = {}
    for port in ports:
        label = str(brought[port]) if brought is not None else ""
        if not label:
            device = int(fabric.ports.device[port])
            if device not in places:
                places[device] = places_of(fabric, device)
            label = write(places[device][port - int(fabric.first_port[device])])
        found.append(label)
    return found


def place_of(fabric: Fabric, port: int) -> PortPlace:
    """Return where a port is: cage, leg and rail."""
    device = int(fabric.ports.device[port])
    return places_of(fabric, device)[port - int(fabric.first_port[device])]


def places_of(fabric: Fabric, device: int) -> list[PortPlace]:
    """Return where each port of a device is, in order."""
    table = fabric.ports
    rows = slice(int(fabric.first_port[device]), int(fabric.first_port[device + 1]))
    cages = table.cage[rows]
    kinds, at, legs = np.unique(cages, return_inverse=True, return_counts=True)
    order = np.argsort(at, kind="stable")
    leg = np.empty(len(cages), np.int64)
    leg[order] = np.arange(len(cages)) - (np.cumsum(legs) - legs)[at[order]]
    twin = len(kinds) < len(cages)
    columns = (table.number[rows], cages, leg, legs[at], table.rail[rows])
    return [
        PortPlace(number, cage, place, count, rail if rail >= 0 else number - 1, twin)
        for number, cage, place, count, rail in zip(*(column.tolist() for column in columns), strict=True)
    ]
