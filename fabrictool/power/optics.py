"""Power of what plugs into cages, end by end, as the cable plan chooses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cabling.cages import used_cages
from fabrictool.cabling.plan import CablePlan
from fabrictool.catalogue.types import Box
from fabrictool.fabric.tables import F8, Bool, Fabric
from fabrictool.placement.figures import has_figures
from fabrictool.records import Assumption

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout

#: Power of an optical end by the speed of its cage in bit/s, in W, where nobody publishes that of the module; assumed.
OPTIC_W = ((100e9, 2.5), (200e9, 5.0), (400e9, 8.5), (800e9, 17.0), (np.inf, 28.0))
#: Of a passive copper end.
COPPER_W = 0.1
PASSIVE = ("copper", "dac")


@dataclass(frozen=True)
class Optics:
    """Power of modules and active ends, in W.

    Parameters
    ----------
    device_w : ndarray, (devices,)
        Of all ends that plug into a device.
    media_w : dict of str to float
        Of both ends together, by medium.
    network_w : ndarray, (networks, 2)
        Of the ends at hosts and at switches, by network.
    assumptions : tuple of Assumption
        Ends whose power nobody publishes.
    """

    device_w: F8
    media_w: dict[str, float]
    network_w: F8
    assumptions: tuple[Assumption, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return ``power.optics`` in JSON."""
        media = [{"media": name, "power_w": watts} for name, watts in self.media_w.items()]
        return {"power_w": sum(self.media_w.values()), "media": media}


def optics_of(plan: CablePlan) -> Optics:
    """Add up the ends of a cable plan by device and by medium."""
    watts, assumed = end_w(plan)
    devices, networks = plan.fabric.devices, len(plan.fabric.networks)
    device_w, network_w = np.zeros(len(devices)), np.zeros((networks, 2))
    for at, drawn in zip(plan.fabric.ends, watts, strict=True):
        device_w += np.bincount(at, weights=drawn, minlength=len(device_w))
        np.add.at(network_w, (plan.fabric.links.network, (devices.tier[at] > 0).astype(int)), drawn)
    media = np.append(plan.media(), "")[plan.cable]
    both = watts.sum(axis=0)
    by_medium = {str(name): float(both[media == name].sum()) for name in np.unique(media) if name}
    made = tuple(
        Assumption(f"power of {medium} ends at {bps / 1e9:g}G", f"{value:g} W", "no figure published; assumed")
        for (medium, bps), value in sorted(assumed.items())
    )
    return Optics(device_w, by_medium, network_w, made)


def end_w(plan: CablePlan) -> tuple[F8, dict[tuple[str, float], float]]:
    """Return the power of each link's ends, (2, links) in W, and what was assumed by medium and speed of the cage.

    Links that share a module, or an assembly's end in a cage, take even parts of it.
    """
    links, cages = plan.fabric.links, plan.cages
    inside = np.flatnonzero(plan.cable >= 0)
    used = used_cages(cages, np.concatenate((links.port_a[inside], links.port_z[inside])))
    ends = [cages.of_port[port] for port in (links.port_a, links.port_z)]
    option_of = np.append(plan.cables.option, -1)[plan.cable]
    watts = np.zeros((2, len(links)))
    assumed: dict[tuple[str, float], float] = {}
    for row, option in enumerate(plan.options):
        mine = np.flatnonzero(option_of == row)
        for end, (cage, module) in enumerate(zip(ends, (option.a, option.z), strict=True)):
            each = _module_w(module.power_w, option.medium.name, cages.speed_bps[cage[mine]], assumed)
            alone = option.medium.connector == "RJ45"
            watts[end, mine] = each if alone else each / np.maximum(used[cage[mine]], 1)
    return watts, assumed


def _module_w(known_w: float | None, medium: str, speed_bps: F8, assumed: dict[tuple[str, float], float]) -> F8:
    """Return the power of modules as published, else by the speed of their cages, and note which."""
    if known_w is not None:
        return np.full(len(speed_bps), known_w)
    limits, watts = (np.array(column) for column in zip(*OPTIC_W, strict=True))
    place = np.searchsorted(limits, speed_bps * (1 - 1e-9))
    found = np.full(len(speed_bps), COPPER_W) if medium in PASSIVE else watts[place]
    assumed |= {(medium, float(bps)): float(found[speed_bps == bps][0]) for bps in np.unique(speed_bps)}
    return found


def on_top(layout: Layout, fabric: Fabric, optics: Optics) -> F8:
    """Return what optics add to the published maximum of one device of each type, (types,) in W.

    That is nothing, unless its ``power_basis`` says ``without optics``; then the most that any of its devices takes.
    """
    most = np.zeros(len(fabric.types))
    alone = has_figures(fabric)
    np.maximum.at(most, fabric.devices.type[alone], optics.device_w[alone])
    return np.where(without_optics(layout, fabric), most, 0.0)


def without_optics(layout: Layout, fabric: Fabric) -> Bool:
    """Say of each type whether its published maximum leaves out its optics, (types,)."""
    boxes: dict[str, Box] = {box.name: box for box in (*layout.switch_types(), *layout.host_types())}
    basis = [boxes[name].power_basis if name in boxes else None for name in fabric.types]
    return np.array(["without optics" in (words or "") for words in basis], dtype=bool)
