"""What ports are called in a file that is exported: numbers, or the names of the systems that devices run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from fabrictool.fabric import Fabric
from fabrictool.fabric.port_labels import port_labels, scheme_of
from fabrictool.formats.linked import port_words
from fabrictool.layout.model import Layout

#: Names by vendor and protocol, where a type tells them.
VENDOR = "vendor"
#: Names as point-to-point sheets have them: by vendor, and over InfiniBand cage and leg, adapters by number.
SHEETS = "sheets"
_HOST_SCHEMES = {"infiniband": "rdma"}


def named_ports(fabric: Fabric, scheme: str, types: Mapping[str, tuple[str | None, str | None]]) -> list[str]:
    """Return what each port is called, (ports,).

    Parameters
    ----------
    fabric : Fabric
    scheme : str
        ``number``, ``vendor``, or a scheme of :func:`fabrictool.fabric.port_labels.port_label` for all switches.
    types : mapping of str to (vendor, protocol)
        Of switch types, as far as they are known.

    Raises
    ------
    InputError
        If there is no such scheme.
    """
    words = port_words(fabric)
    if scheme == "number":
        return words
    for row in range(len(fabric.devices)):
        chosen = _scheme(fabric, row, scheme, types)
        if chosen == "number":
            continue
        ports = list(range(int(fabric.first_port[row]), int(fabric.first_port[row + 1])))
        found = port_labels(fabric, ports, chosen)
        if max(Counter(found).values(), default=0) == 1:  # a scheme that names two ports alike does not fit
            words[ports[0] : ports[-1] + 1] = found
    return words


def systems_of(layout: Layout | None) -> dict[str, tuple[str | None, str | None]]:
    """Return vendor and protocol of each switch type of a layout, by name."""
    return {kind.name: (kind.vendor, kind.protocol) for kind in layout.switch_types()} if layout else {}


def _scheme(fabric: Fabric, device: int, scheme: str, types: Mapping[str, tuple[str | None, str | None]]) -> str:
    if fabric.devices.tier[device] == 0:
        chosen = _HOST_SCHEMES.get(_protocol(fabric, device), "rail")
        return "number" if scheme == SHEETS and chosen == "rdma" else chosen
    if scheme not in (VENDOR, SHEETS):
        return scheme
    vendor, protocol = types.get(fabric.types[fabric.devices.type[device]], (None, None))
    network = int(fabric.devices.network[device])
    if protocol is None and network >= 0 and fabric.networks[network].protocol == "infiniband":
        protocol = "infiniband"
    found = scheme_of(vendor, protocol)
    return "infiniband-split" if scheme == SHEETS and found == "mlnx-os" else found


def _protocol(fabric: Fabric, device: int) -> str:
    """Return the protocol of the network that a host's first linked port is in."""
    first, end = int(fabric.first_port[device]), int(fabric.first_port[device + 1])
    linked = first + np.flatnonzero(fabric.ports.peer[first:end] >= 0)
    if not len(linked):
        return ""
    link = np.flatnonzero((fabric.links.port_a == linked[0]) | (fabric.links.port_z == linked[0]))[0]
    return fabric.networks[int(fabric.links.network[link])].protocol
