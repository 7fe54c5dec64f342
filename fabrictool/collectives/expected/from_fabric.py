"""The setting of a job, read off a fabric: hosts, domains, what GPUs share of their hosts' ports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fabrictool.collectives.expected.setting import Setting, generation
from fabrictool.errors import FabrictoolError
from fabrictool.fabric import Fabric
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import F8, I4


class UnmeasuredError(FabrictoolError):
    """A machine of a kind that no measured point tells of."""


def setting_of(fabric: Fabric, network: int, gpus: I4, kinds: Mapping[str, str | None]) -> Setting:
    """Return the setting of a job.

    Parameters
    ----------
    fabric : Fabric
    network : int
        Row of the network that the job uses.
    gpus : (N,) int array
        GPU of each rank.
    kinds : mapping of str to str
        Accelerator by name of host type.

    Raises
    ------
    UnmeasuredError
        If the accelerators are of unknown or several kinds, or GPUs of a host have no scale-up between them.
    """
    if len(gpus) < 2:
        raise UnmeasuredError("one rank exchanges nothing")
    hosts = distinct(fabric.gpus.host[gpus])
    scale_up = float(fabric.gpus.scale_up_bps[gpus].min()) / 8
    domains = len(distinct(fabric.gpus.domain[gpus])) if scale_up else len(gpus)
    if not scale_up and len(hosts) < len(gpus):
        raise UnmeasuredError("GPUs of a host have no scale-up links between them")
    speed_bps, ports, held = _ports(fabric, network)
    return Setting(
        _generation(fabric, hosts, kinds),
        float(len(gpus)),
        float(len(hosts)),
        float(domains),
        scale_up,
        float((speed_bps / np.maximum(held, 1))[hosts].min()) / 8,
        float((ports / np.maximum(held, 1))[hosts].max()),
        fabric.networks[network].protocol,
    )


def _generation(fabric: Fabric, hosts: I4, kinds: Mapping[str, str | None]) -> str:
    names = sorted({fabric.types[row] for row in np.unique(fabric.devices.type[hosts])})
    found = {name: generation(kinds.get(name)) for name in names}
    unknown = [name for name, known in found.items() if known is None]
    if unknown:
        stated = ", ".join(f"{name} ({kinds.get(name) or 'no gpu stated'})" for name in unknown)
        raise UnmeasuredError(f"nothing was measured on accelerators like those of {stated}")
    if len(set(found.values())) > 1:
        raise UnmeasuredError(f"hosts of several generations take part: {', '.join(names)}")
    return next(iter(found.values())) or ""


def _ports(fabric: Fabric, network: int) -> tuple[F8, F8, F8]:
    """Return speed in bit/s and number of ports in a network, and number of GPUs, of each device."""
    rows = np.flatnonzero(fabric.links.network == network)
    ends = np.concatenate(
        [fabric.ports.device[fabric.links.port_a[rows]], fabric.ports.device[fabric.links.port_z[rows]]]
    )
    speeds = np.tile(fabric.links.speed_bps[rows], 2)
    size = len(fabric.devices)
    return (
        np.bincount(ends, speeds, minlength=size).astype(np.float64),
        np.bincount(ends, minlength=size).astype(np.float64),
        np.bincount(fabric.gpus.host, minlength=size).astype(np.float64),
    )
