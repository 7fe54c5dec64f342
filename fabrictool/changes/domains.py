"""What may be lost together: links, switches and rails of a network, and what other rooms know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fabrictool.domains import DOMAINS, domains
from fabrictool.errors import InputError, Problem, did_you_mean
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import I4
from fabrictool.layout.model import Layout
from fabrictool.placement import Placement
from fabrictool.records import Domain

HOST = KINDS.index("host")


def links(fabric: Fabric, network: int) -> list[Domain]:
    """Return every link of a network as a domain of its own."""
    rows = np.flatnonzero(fabric.links.network == network)
    return [Domain("link", fabric.link_name(row), (), (row,)) for row in rows.tolist()]


def switches(fabric: Fabric, network: int) -> list[Domain]:
    """Return every switch that a network has links on as a domain of its own."""
    return [Domain("switch", fabric.names[row], (row,)) for row in _switches(fabric, network).tolist()]


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


def rails(fabric: Fabric, network: int) -> list[Domain]:
    """Return the rails: their leaves."""
    return _by_column(fabric.devices.rail, _switches(fabric, network), "rail")


#: Kind of domain that only changes know, to what makes all of that kind of a fabric and a network's row.
KNOWN: Mapping[str, Callable[[Fabric, int], list[Domain]]] = {"link": links, "switch": switches, "rail": rails}


def domains_of(
    kind: str,
    fabric: Fabric,
    network: int,
    layout: Layout | None = None,
    placement: Placement | None = None,
    others: Iterable[Domain] = (),
) -> list[Domain]:
    """Return the domains of a kind: given ones, those of a network, or what racks, feeds, loops and hosts share.

    Parameters
    ----------
    kind : str
    fabric : Fabric
    network : int
    layout, placement : optional
        What racks, feeds and loops are found in.
    others : iterable of Domain
        Domains of any kinds, which go first.

    Raises
    ------
    InputError
        If there is none of that kind.
    """
    name = fabric.networks[network].name
    found = [domain for domain in others if domain.kind == kind]
    if not found and kind in KNOWN:
        found = KNOWN[kind](fabric, network)
    elif not found and kind not in DOMAINS:
        what = f"no domains of kind '{kind}' are known"
        hint = did_you_mean(kind, {*KNOWN, *DOMAINS})
        if ":" in kind:
            what, hint = f"'{kind}' is one domain, and all of a kind are ranked", f"fail it with --fail-domain {kind}"
        raise InputError([Problem("--domain", what, hint)])
    elif not found:
        found = _of_network(domains(kind, fabric, layout, placement), fabric, network)
    if not found:
        there = ", ".join(_kinds_there(fabric, network, layout, placement))
        raise InputError([Problem("--domain", f"there is no {kind} in network {name}", f"there are {there}")])
    return found


def _kinds_there(fabric: Fabric, network: int, layout: Layout | None, placement: Placement | None) -> Iterator[str]:
    """Name the kinds of which a network has at least one."""
    yield from (kind for kind, find in KNOWN.items() if find(fabric, network))
    for kind in DOMAINS:
        with suppress(InputError):
            if _of_network(domains(kind, fabric, layout, placement), fabric, network):
                yield kind


def _of_network(shared: Iterable[Domain], fabric: Fabric, network: int) -> list[Domain]:
    """Return the pods and planes of a network, and of trays those with its links, which alone count."""
    name, found = fabric.networks[network].name, []
    for domain in shared:
        if domain.kind == "tray":
            links = np.array(domain.links, np.int64)
            mine = links[fabric.links.network[links] == network]
            found += [replace(domain, links=tuple(mine.tolist()))] if len(mine) else []
        elif domain.kind not in ("pod", "plane") or domain.name.startswith(f"{name}-"):
            found.append(domain)
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
