"""What may be lost together, straight from the columns of a fabric: links, switches, hosts, pods, planes, rails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import I4
from fabrictool.records import Domain

HOST = KINDS.index("host")


def links(fabric: Fabric, network: int) -> list[Domain]:
    """Return every link of a network as a domain of its own."""
    rows = np.flatnonzero(fabric.links.network == network)
    return [Domain("link", fabric.link_name(row), (), (row,)) for row in rows.tolist()]


def switches(fabric: Fabric, network: int) -> list[Domain]:
    """Return every switch that a network has links on as a domain of its own."""
    return [Domain("switch", fabric.names[row], (row,)) for row in _switches(fabric, network).tolist()]


def hosts(fabric: Fabric, network: int) -> list[Domain]:
    """Return every host that a network has links on as a domain of its own."""
    a = np.unique(fabric.ends[0][fabric.links.network == network])
    return [Domain("host", fabric.names[row], (row,)) for row in a[fabric.devices.kind[a] == HOST].tolist()]


def pods(fabric: Fabric, network: int) -> list[Domain]:
    """Return the scalable units or pods: their switches in this network, and the hosts on these alone."""
    column = pod_of(fabric, network)
    return _by_column(column, np.flatnonzero(column >= 0), "pod")


def pod_of(fabric: Fabric, network: int) -> I4:
    """Return the pod of each switch of a network and of each host all of whose switches are in one, else -1."""
    pod = np.full(len(fabric.devices), -1, np.int32)
    rows = _switches(fabric, network)
    pod[rows] = fabric.devices.pod[rows]
    a, z = fabric.ends
    at_host = (fabric.links.network == network) & (fabric.devices.kind[a] == HOST)
    host, its = a[at_host], pod[z[at_host]]
    low, high = np.full(len(pod), np.iinfo(np.int32).max), np.full(len(pod), -1)
    np.minimum.at(low, host, its)
    np.maximum.at(high, host, its)
    same = low == high
    pod[same] = high[same]
    return pod


def planes(fabric: Fabric, network: int) -> list[Domain]:
    """Return the planes: their switches."""
    return _by_column(fabric.devices.plane, _switches(fabric, network), "plane")


def rails(fabric: Fabric, network: int) -> list[Domain]:
    """Return the rails: their leaves."""
    return _by_column(fabric.devices.rail, _switches(fabric, network), "rail")


#: Kind of domain, to what makes all of that kind of a fabric and a network's row.
KNOWN: Mapping[str, Callable[[Fabric, int], list[Domain]]] = {
    "link": links, "switch": switches, "host": hosts, "pod": pods, "plane": planes, "rail": rails,
}  # fmt: skip


def domains_of(fabric: Fabric, network: int, kind: str, others: Iterable[Domain] = ()) -> list[Domain]:
    """Return the domains of a kind: those that fabrics tell of themselves, or of others that are given.

    Parameters
    ----------
    fabric : Fabric
    network : int
    kind : str
    others : iterable of Domain
        Racks, feeds, loops and the like, of any kinds.

    Raises
    ------
    InputError
        If there is none of that kind.
    """
    given = list(others)
    found = [domain for domain in given if domain.kind == kind]
    if not found and kind in KNOWN:
        found = KNOWN[kind](fabric, network)
    if not found:
        known = {*(domain.kind for domain in given), *(word for word, make in KNOWN.items() if make(fabric, network))}
        where = fabric.networks[network].name
        what = f"there is no {kind} in network {where}" if kind in KNOWN else f"no domains of kind '{kind}' are known"
        raise InputError([Problem("--domain", what, did_you_mean(kind, known))])
    return found


def label(fabric: Fabric, domain: Domain) -> str:
    """Return what a domain is in one word or two: the kind of a switch, the kinds that a link joins."""
    kinds = fabric.devices.kind
    if domain.kind == "switch" and len(domain.devices) == 1:
        return KINDS[kinds[domain.devices[0]]]
    if domain.kind == "link" and len(domain.links) == 1:
        a, z = (int(end[domain.links[0]]) for end in fabric.ends)
        return "-".join(KINDS[kinds[row]] for row in (a, z)) + " link"
    return domain.kind


def _switches(fabric: Fabric, network: int) -> npt.NDArray[np.int64]:
    a, z = fabric.ends
    rows = fabric.links.network == network
    found = np.union1d(a[rows], z[rows])
    chosen: npt.NDArray[np.int64] = found[fabric.devices.tier[found] > 0].astype(np.int64)
    return chosen


def _by_column(column: npt.NDArray[np.integer], rows: npt.NDArray[np.int64], kind: str) -> list[Domain]:
    """Return one domain for each number in a column of devices, -1 left out; numbers are named from 1."""
    numbers = np.unique(column[rows])
    return [
        Domain(kind, f"{kind} {number + 1}", tuple(rows[column[rows] == number].tolist()))
        for number in numbers[numbers >= 0].tolist()
    ]
