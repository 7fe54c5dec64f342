"""A hall in figures: racks, cables by medium, optics, cost, and what the worst rack takes along."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from fabrictool.changes.capacity import of_hosts
from fabrictool.changes.domains import domains_of
from fabrictool.changes.ranking import Loss, Losses, Rebuilding, losses_of, ranked
from fabrictool.collectives.host_bus import limited
from fabrictool.errors import InputError, Problem
from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import F8
from fabrictool.facility import racked
from fabrictool.layout.model import Layout
from fabrictool.power.racks import known
from fabrictool.power.settling import Settled
from fabrictool.power.supply import feeds_of_racks
from fabrictool.routing.wiring import wiring


@dataclass(frozen=True)
class HallFigures:
    """What a placement comes to.

    Parameters
    ----------
    hosts_per_rack : int
        Most hosts in one rack.
    racks, network_racks, rows : int
        All racks, those of switches alone, and rows of racks.
    unplaced : int
        Devices that fit no rack.
    worst_rack_w, mean_rack_w : float
        Maximum IT power of the heaviest rack and mean of all, in W.
    feed_spread : float or None
        Load of the heaviest feed over the mean of all, None without feeds.
    it_w, optics_w : float
        Maximum IT power and power of all optical and active ends, in W.
    cables : int
    cable_m, longest_m : float
        Length of all cables together and of the longest, in m.
    media : dict of str to int
        Cables by medium.
    network_cost : float or None
        Switches, cables and modules; None where a price is missing.
    rounds : int
        How often devices were placed until racks and cables fitted each other.
    worst_loss : Loss or None
        The worst rack; None where that is not computed.
    """

    hosts_per_rack: int
    racks: int
    network_racks: int
    rows: int
    unplaced: int
    worst_rack_w: float
    mean_rack_w: float
    feed_spread: float | None
    it_w: float
    optics_w: float
    cables: int
    cable_m: float
    longest_m: float
    network_cost: float | None
    rounds: int
    media: dict[str, int] = field(default_factory=dict)
    worst_loss: Loss | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures in JSON, null where unknown."""
        rows = asdict(self) | {"worst_loss": None}
        found = {key: known(value) if isinstance(value, float) else value for key, value in rows.items()}
        loss = self.worst_loss
        if loss is not None:
            found["worst_loss"] = {
                "rack": loss.domain.name, "all_reduce_lost": loss.all_reduce_lost,
                "all_to_all_lost": loss.all_to_all_lost, "hosts_lost": loss.hosts_lost, "connected": loss.connected,
            }  # fmt: skip
        return found


def hall_of(layout: Layout | str | PathLike[str]) -> Layout:
    """Return a layout, or that in a file.

    Raises
    ------
    InputError
        If it cannot be read, is a fabric from elsewhere, or has no racks.
    """
    from fabrictool.formats.recognise import opened

    given = layout if isinstance(layout, Layout) else opened(layout)
    if not isinstance(given, Layout):
        what = "is a fabric from elsewhere, which says nothing of racks"
        raise InputError([Problem(str(layout), what, "state hosts and racks in a layout with 'family: file'")])
    if not given.racks:
        raise InputError([Problem(given.name, "has no racks, so nothing stands anywhere", "add 'racks'")])
    return given


def losses_for(layout: Layout, fabric: Fabric) -> Losses | None:
    """Return what computes losses of the network that most GPUs are on; None without one, or where that takes long."""
    wired = [of_hosts(limited(wiring(fabric, row), layout.types())) for row in range(len(fabric.networks))]
    best = max(wired, key=lambda one: one.hosts, default=None)
    if best is None or best.hosts < 2:
        return None
    found = losses_of(best, layout.stated_routing(best.name) if best.name in layout.networks else None)
    return None if isinstance(found, Rebuilding) else found


def hall_figures(layout: Layout, fabric: Fabric, losses: Losses | None = None) -> HallFigures:
    """Place a layout's devices, plan its cables, and count.

    Parameters
    ----------
    losses : Losses, optional
        To rank its racks by what each takes along.
    """
    found, power, cost = racked(layout, fabric)
    placement = found.placement
    assert placement is not None
    it_w = power.it_w[np.isfinite(power.it_w)]
    plan, floor = found.plan, found.plan.floor
    names, counts = np.unique([name or "none fits" for name in plan.media()], return_counts=True)
    length = plan.cables.length_m[np.isfinite(plan.cables.length_m)]
    hosts = placement.sum_by_rack(fabric.devices.kind == KINDS.index("host"))
    return HallFigures(
        hosts_per_rack=int(hosts.max(initial=0)),
        racks=len(placement.racks),
        network_racks=int((placement.racks.role != "compute").sum()),
        rows=int(floor.row.max(initial=-1)) + 1 if floor else 0,
        unplaced=sum(finding.id == "unplaced" for finding in placement.findings),
        worst_rack_w=float(it_w.max()) if len(it_w) else np.nan,
        mean_rack_w=float(it_w.mean()) if len(it_w) else np.nan,
        feed_spread=_feed_spread(layout, power.it_w),
        it_w=power.it_max_w,
        optics_w=float(found.optics.device_w.sum()),
        cables=len(plan.cables),
        cable_m=float(length.sum()),
        longest_m=float(length.max()) if len(length) else np.nan,
        network_cost=cost.network,
        rounds=found.rounds,
        media=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        worst_loss=_worst_rack(layout, fabric, found, losses),
    )


def _feed_spread(layout: Layout, it_w: F8) -> float | None:
    has = feeds_of_racks(layout, it_w)
    if not has.shape[1]:
        return None
    load = (has * (np.nan_to_num(it_w) / np.maximum(has.sum(axis=1), 1))[:, None]).sum(axis=0)
    return float(load.max() / load.mean()) if load.any() else None


def _worst_rack(layout: Layout, fabric: Fabric, found: Settled, losses: Losses | None) -> Loss | None:
    if losses is None:
        return None
    network = losses.before.wiring.network
    return ranked(losses, domains_of("rack", fabric, network, layout, found.placement))[0]
