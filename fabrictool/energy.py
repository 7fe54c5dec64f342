"""What a workload draws: mean power, energy of collectives and steps, and how far synchronous work swings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.collectives.schedules import bus_factor
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.grouping import distinct
from fabrictool.fabric.tables import F8, I4, Bool
from fabrictool.layout.model import Layout
from fabrictool.placement.figures import has_figures
from fabrictool.placement.racks import no_racks
from fabrictool.power.demand import ramp_w_per_s, two_level_swing
from fabrictool.power.levels import Levels, levels_of
from fabrictool.power.optics import Optics, without_optics
from fabrictool.power.racks import known, known_sum
from fabrictool.records import Assumption, Finding
from fabrictool.units import format_power, format_time

if TYPE_CHECKING:
    from fabrictool.collectives.workloads import CollectiveResult
    from fabrictool.facility import Facility
    from fabrictool.layout.workload import Step

#: Power of an adapter for each bit/s of its speed, in W: 25 W at 400 Gbit/s, assumed. It is part of its host's.
NIC_W_PER_BPS = 25 / 400e9
#: What the supplies of a GB300 NVL72 hold for each accelerator, in J (NVIDIA developer blog, 2025).
GB300_J_PER_GPU = 65.0


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


@dataclass(frozen=True)
class StepEnergy:
    """A training step: seconds that it computes and communicates visibly, and what it takes, in J and W."""

    compute_s: float
    communication_s: float
    mean_w: float
    rms_w: float
    buffer_j: float
    gpus: int

    @property
    def time_s(self) -> float:
        """Of the whole step."""
        return self.compute_s + self.communication_s

    @property
    def energy_j(self) -> float:
        """Of all IT over the step."""
        return self.mean_w * self.time_s

    def to_dict(self) -> dict[str, Any]:
        """Return ``power.work.step`` in JSON."""
        each = max(self.gpus, 1)
        return {
            "time_s": self.time_s, "compute_s": self.compute_s, "communication_s": self.communication_s,
            "energy_j": known(self.energy_j), "j_per_gpu": known(self.energy_j / each), "rms_w": known(self.rms_w),
            "buffer_j": known(self.buffer_j), "buffer_j_per_gpu": known(self.buffer_j / each),
        }  # fmt: skip


@dataclass(frozen=True)
class Work:
    """What racks and hall draw at work.

    Parameters
    ----------
    rack_idle_w, rack_mean_w, rack_swing_w : ndarray, (racks,)
        Idle, under the workload, and between computing and waiting, in W.
    row_swing_w : dict of str to float
        Swing of each row of racks, in W; empty where no floor is known.
    parts : dict of str to ndarray (4,)
        Idle, waiting, computing and mean power of hosts, service hosts and each network's switches, in W.
    ramp_w_per_s : float
        How fast the hall's load changes; NaN where the layout does not say how long a change takes.
    """

    rack_idle_w: F8
    rack_mean_w: F8
    rack_swing_w: F8
    row_swing_w: dict[str, float]
    parts: dict[str, F8]
    collectives: tuple[OperationEnergy, ...]
    step: StepEnergy | None
    ramp_w_per_s: float
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...]

    @property
    def totals_w(self) -> F8:
        """Idle, waiting, computing and mean power of all IT, (4,) in W; NaN where nothing is known."""
        return sum(self.parts.values(), np.zeros(4)) if self.parts else np.full(4, np.nan)

    @property
    def swing_w(self) -> float:
        """Of all IT together: one job computes and waits everywhere at once."""
        return float(self.totals_w[2] - self.totals_w[1])

    def to_dict(self) -> dict[str, Any]:
        """Return ``power.work`` in JSON."""
        keys = ("idle_w", "waiting_w", "computing_w", "mean_w")
        racks = self.rack_swing_w[np.isfinite(self.rack_swing_w)]
        return {
            **{key: known(value) for key, value in zip(keys, self.totals_w.tolist(), strict=True)},
            "parts": [
                {"part": name} | {key: known(value) for key, value in zip(keys, row.tolist(), strict=True)}
                for name, row in self.parts.items()
            ],
            "swing": {
                "rack_w": float(racks.max()) if len(racks) else None,
                "row_w": max(self.row_swing_w.values(), default=None),
                "hall_w": known(self.swing_w),
                "ramp_w_per_s": known(self.ramp_w_per_s),
            },
            "step": None if self.step is None else self.step.to_dict(),
            "collectives": [row.to_dict() for row in self.collectives],
        }


def work_of(layout: Layout, fabric: Fabric, house: Facility, results: Sequence[CollectiveResult]) -> Work:
    """Return what the layout's workload draws, in racks, rows and hall.

    Parameters
    ----------
    house : Facility
        Where devices stand, what racks may draw, and the optics of the cable plan.
    results : sequence of CollectiveResult
        Of the jobs that ran; a step runs each of them once.
    """
    step = layout.workload.step if layout.workload else None
    communication_s = _communication_s(step, results, bool(layout.scenario and layout.scenario.jobs))
    duty = step.compute_s / (step.compute_s + communication_s) if step else None
    levels, assumed = levels_of(layout, fabric, duty)
    place_of = house.placement or no_racks(len(fabric.devices))
    drawn = _device_w(layout, fabric, levels, house.optics)
    racks = [_held(known_sum(place_of, column), house.power.it_w) for column in drawn.T]
    counted = has_figures(fabric) if house.placement is None else house.placement.rack >= 0
    parts = _capped(_parts(fabric, drawn, counted), house, [known_sum(place_of, column) for column in drawn.T], racks)
    swing = racks[2] - racks[1]
    taken = _step_energy(step, communication_s, parts, len(fabric.gpus))
    total = float(sum(part[2] - part[1] for part in parts.values()))
    ramp = float(ramp_w_per_s(1, total, 0.0, step.ramp_s)) if step and step.ramp_s else np.nan
    return Work(
        racks[0], racks[3], swing, _row_swings(house, swing), parts,
        tuple(_energies(fabric, levels, drawn[:, 1], house.optics, results)), taken, ramp,
        tuple(_findings(layout, taken, total)), assumed,
    )  # fmt: skip


def _columns(levels: Levels) -> tuple[F8, F8, F8, F8]:
    return levels.idle_w, levels.low_w, levels.high_w, levels.mean_w


def _device_w(layout: Layout, fabric: Fabric, levels: Levels, optics: Optics) -> F8:
    """Return idle, waiting, computing and mean power of each device, (devices, 4) in W.

    Typical figures of switches hold no optics, nor do maxima whose basis says so: what plugs in comes on top.
    """
    boxes = {box.name: box for box in layout.switch_types()}
    typical = np.array([name in boxes and boxes[name].power_typical_w is not None for name in fabric.types])
    bare = (typical | without_optics(layout, fabric))[fabric.devices.type] & (fabric.devices.tier > 0)
    columns = np.column_stack(_columns(levels))[fabric.devices.type]
    return np.asarray(columns + np.where(bare, optics.device_w, 0.0)[:, None])


def _row_swings(house: Facility, swing_w: F8) -> dict[str, float]:
    """Return how far each row of racks swings, in W."""
    floor = house.plan.floor
    if floor is None:
        return {}
    total = np.bincount(floor.row, weights=np.nan_to_num(swing_w))
    return {floor.row_name(row): value for row, value in enumerate(total.tolist())}


def _held(drawn_w: F8, it_w: F8) -> F8:
    """Return what racks draw, at most what they may."""
    return np.where(np.isnan(drawn_w), np.nan, np.fmin(drawn_w, it_w))


def _communication_s(step: Step | None, results: Sequence[CollectiveResult], together: bool) -> float:
    """Return the seconds of a step that collectives add to computing: one after another, or all at the same time."""
    times = [result.time_s or 0.0 for result in results]
    total = max(times, default=0.0) if together else sum(times)
    return total * (1 - step.overlap) if step else total


def _parts(fabric: Fabric, columns: F8, counted: Bool) -> dict[str, F8]:
    """Return idle, waiting, computing and mean power by part; what is unknown is left out, as in every sum."""
    devices = fabric.devices
    counted = counted & np.isfinite(columns).all(axis=1)
    part = np.where(devices.tier > 0, 2 + devices.network, (devices.kind != KINDS.index("host")).astype(int))
    names = ["hosts", "service hosts", *(f"{network.name} switches" for network in fabric.networks)]
    found = {}
    for row, name in enumerate(names):
        mine = counted & (part == row)
        if mine.any():
            found[name] = columns[mine].sum(axis=0)
    return found


def _capped(parts: dict[str, F8], house: Facility, free_w: list[F8], held_w: list[F8]) -> dict[str, F8]:
    """Take what caps of racks hold back off the hosts, whose accelerators they slow down."""
    if house.placement is None or "hosts" not in parts:
        return parts
    capped = np.isfinite(house.placement.racks.cap_w)
    cut = np.array([np.nansum((free - held)[capped]) for free, held in zip(free_w, held_w, strict=True)])
    return parts | {"hosts": parts["hosts"] - cut}


def _step_energy(step: Step | None, communication_s: float, parts: dict[str, F8], gpus: int) -> StepEnergy | None:
    if step is None or not parts:
        return None
    total = sum(parts.values(), np.zeros(4))
    time_s = step.compute_s + communication_s
    swing = two_level_swing(total[2], total[1], step.compute_s / time_s, time_s)
    return StepEnergy(
        step.compute_s, communication_s, float(swing.mean_w), float(swing.rms_w), float(swing.buffer_j), gpus
    )


def _energies(
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


def _findings(layout: Layout, step: StepEnergy | None, swing_w: float) -> Iterator[Finding]:
    """Yield a swing over the limit, and what it takes to keep a step's power even."""
    hall = layout.hall
    limit = hall.swing_limit_w if hall else None
    if limit is not None and swing_w > limit * (1 + 1e-9):
        message = f"synchronous work swings by {format_power(swing_w)}, more than the {format_power(limit)} allowed"
        fix = "cap accelerators, let jobs compute at different times, or even it out by storage"
        if step is not None:
            fix += f": {step.buffer_j / max(step.gpus, 1):.3g} J an accelerator"
        yield Finding("swing-over-limit", "error", "hall", message, fix)
    if step is not None and step.buffer_j > 0 and step.gpus:
        each = step.buffer_j / step.gpus
        message = (
            f"power falls by {format_power(float(f'{swing_w:.4g}'))} for {format_time(step.communication_s)} of each "
            f"{format_time(step.time_s)}: {each:.3g} J an accelerator would keep it even"
        )
        fix = f"supplies of GB300 NVL72 hold {GB300_J_PER_GPU:g} J each; else let generators and UPS bear the steps"
        yield Finding("power-swing", "note", "hall", message, fix)
