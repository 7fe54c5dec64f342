"""Energy of collectives: of all hosts and switches that take part, and of the network alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.collectives.schedules import bus_factor
from fabrictool.fabric import Fabric
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import F8, I4
from fabrictool.placement.figures import has_figures
from fabrictool.power.levels import Levels
from fabrictool.power.optics import Optics
from fabrictool.power.racks import known

if TYPE_CHECKING:
    from fabrictool.collectives.workloads import CollectiveResult

#: Power of an adapter for each bit/s of its speed, in W: 25 W at 400 Gbit/s, assumed. It is part of its host's.
NIC_W_PER_BPS = 25 / 400e9


@dataclass(frozen=True, slots=True)
class OperationEnergy:
    """Energy of one collective, in J: of all hosts and switches that take part, and of its network alone."""

    job: int
    collective: str
    nbytes: float
    time_s: float
    total_j: float
    network_j: float
    gpus: int
    sent_bits: float

    def to_dict(self) -> dict[str, Any]:
        """Return a row of ``power.work.collectives`` in JSON."""
        bits = self.sent_bits
        return {
            "job": self.job, "collective": self.collective, "nbytes": self.nbytes, "time_s": self.time_s,
            "total_j": known(self.total_j), "network_j": known(self.network_j),
            "j_per_gpu": known(self.total_j / self.gpus) if self.gpus else None,
            "network_j_per_bit": known(self.network_j / bits) if bits else None,
        }  # fmt: skip


def operation_energies(
    fabric: Fabric, levels: Levels, waiting_w: F8, optics: Optics, results: Sequence[CollectiveResult]
) -> Iterator[OperationEnergy]:
    """Yield the energy of each collective: hosts wait for it, and all switches of its network are on."""
    devices, networks = fabric.devices, [network.name for network in fabric.networks]
    per_gpu = _host_w_per_gpu(fabric, levels.low_w)
    for result in results:
        if result.time_s is None:
            continue
        row = networks.index(result.network) if result.network in networks else -1
        switches = (devices.tier > 0) & (devices.network == row) & has_figures(fabric)
        ports = np.isin(fabric.ports.device, np.flatnonzero(devices.tier == 0)) & (fabric.ports.peer >= 0)
        nic_w = NIC_W_PER_BPS * float(_inside(fabric, row, fabric.ports.speed_bps, ports))
        switches_w = float(waiting_w[switches].sum())
        network_w = switches_w + nic_w + float(optics.network_w[row, 0]) if row >= 0 else np.nan
        total_w = switches_w + result.ranks * per_gpu
        bits = 8 * bus_factor(result.collective, result.ranks) * result.nbytes * result.ranks
        yield OperationEnergy(
            result.job, result.collective, result.nbytes, result.time_s, total_w * result.time_s,
            network_w * result.time_s, result.ranks, bits,
        )  # fmt: skip


def _inside(fabric: Fabric, network: int, speed_bps: F8, ports: np.ndarray) -> float:
    """Add up the speed of hosts' ports on a network."""
    links = fabric.links
    mine = links.network == network
    at: I4 = np.concatenate((links.port_a[mine], links.port_z[mine]))
    return float(speed_bps[at[ports[at]]].sum())


def _host_w_per_gpu(fabric: Fabric, low_w: F8) -> float:
    """Return the mean power of hosts with accelerators for each accelerator, in W; NaN where any is unknown."""
    hosts = distinct(fabric.gpus.host)
    return float(low_w[fabric.devices.type[hosts]].sum() / len(fabric.gpus)) if len(hosts) else np.nan
