"""A fabric as rows of a cable plan: a row for each link, with names and places and nothing that a plan decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.formats.linked import LinkEnd, link_texts
from fabrictool.records import CableEnd, CableRow, Place


def cable_rows(
    fabric: Fabric, words: Sequence[str] | None = None, places: Mapping[str, Place] | None = None
) -> Iterator[CableRow]:
    """Yield a row for each link, in row order; each link is a cable of its own.

    Parameters
    ----------
    fabric : Fabric
    words : (ports,) sequence of str, optional
        What the devices' systems call their ports.
    places : mapping of str to Place, optional
        Where devices stand, by name.
    """
    links, ports = fabric.links, fabric.ports
    interface = list(words) if words is not None else [""] * len(ports)
    columns = (links.port_a, links.port_z, ports.rail[links.port_a], ports.plane[links.port_a])
    rows = zip(link_texts(fabric), *(np.asarray(column).tolist() for column in columns), strict=True)
    where = places or {}
    for link, a, z, rail, plane in rows:
        ends = (_end(end, interface[port], int(ports.cage[port]), where) for end, port in ((link.a, a), (link.z, z)))
        identity = f"C-{link.z.device}-{link.z.port}"
        lower, upper = ends
        yield CableRow(identity, 1, link.network, lower, upper, speed_bps=link.speed_bps, plane=plane, rail=rail)


def _end(end: LinkEnd, interface: str, cage: int, places: Mapping[str, Place]) -> CableEnd:
    place = places.get(end.device) or Place(end.device)
    return CableEnd(place, end.kind, end.port, interface if interface != end.port else "", cage + 1)
