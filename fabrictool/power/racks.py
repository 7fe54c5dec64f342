"""What each rack draws, weighs and fills, held against its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cabling.burden import Burden
from fabrictool.fabric.tables import F8, I4, Fabric
from fabrictool.placement import Placement, TypeFigures, type_figures
from fabrictool.placement.figures import has_figures, with_assumed_units
from fabrictool.placement.racks import no_racks
from fabrictool.power.capping import cap_findings
from fabrictool.power.cords import cord_findings
from fabrictool.power.lines import Circuits, circuit_findings, circuits_of, phase_shares
from fabrictool.power.missing import missing_figures, types_without
from fabrictool.power.overloads import Overload, fewer_hosts, kilograms, kilowatts, overload_findings, rack_units
from fabrictool.records import Finding

if TYPE_CHECKING:
    from fabrictool.layout.model import Layout


@dataclass(frozen=True)
class RackPower:
    """Power, units and weight of racks, NaN where unknown.

    Parameters
    ----------
    rack : tuple of str, (racks,)
        Names of the racks.
    it_w : ndarray, (racks,)
        Sum of the known maxima of what stands in a rack, at most its cap, in W; NaN if none is known.
    nameplate_w : ndarray, (racks,)
        That sum without the cap, in W.
    it_typical_w : ndarray, (racks,)
        Sum of typical power, in W; NaN unless known for everything in a rack.
    limit_w : ndarray, (racks,)
        What a rack may draw, in W.
    units_used : ndarray of int32, (racks,)
        Rack units taken, those of patch panels among them.
    load_kg, weight_kg : ndarray, (racks,)
        Known weight of devices, cables and patch panels, without and with the rack's own, in kg.
    it_max_w, total_typical_w : float
        Totals over all racks, or over all devices where a layout has no racks.
    no_power_data : tuple of str
        Types of which no maximum power is known; they are in no sum.
    findings : tuple of Finding
        Overloaded racks and circuits, and types without data.
    phase_share : ndarray, (racks, 3)
        Share of each rack's power on each phase of a three-phase feed.
    circuits : tuple of Circuits
        What the lines of each feed carry, where feeds are stated.
    """

    rack: tuple[str, ...]
    it_w: F8
    nameplate_w: F8
    it_typical_w: F8
    limit_w: F8
    units_used: I4
    load_kg: F8
    weight_kg: F8
    it_max_w: float
    total_typical_w: float
    no_power_data: tuple[str, ...]
    findings: tuple[Finding, ...]
    phase_share: F8
    circuits: tuple[Circuits, ...] = ()

    def to_dict(self, facility_w: float = np.nan) -> dict[str, Any]:
        """Return the ``power`` object of the JSON output; ``facility_w`` comes from the cooling."""
        watts = {
            "it_w": self.it_w, "nameplate_w": self.nameplate_w, "it_typical_w": self.it_typical_w,
            "limit_w": self.limit_w,
        }  # fmt: skip
        columns = zip(*(column.tolist() for column in watts.values()), strict=True)
        racks = [
            {"rack": name} | {key: known(value) for key, value in zip(watts, row, strict=True)} | {"units_used": units}
            for name, row, units in zip(self.rack, columns, self.units_used.tolist(), strict=True)
        ]
        return {
            "it_max_w": known(self.it_max_w),
            "it_typical_w": known(self.total_typical_w),
            "facility_w": known(facility_w),
            "racks": racks,
            "circuits": [one.to_dict(list(self.rack)) for one in self.circuits],
        }


def known(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if np.isnan(value) else float(value)


def rack_power(
    layout: Layout,
    fabric: Fabric,
    placement: Placement | None,
    extra_w: F8 | None = None,
    burden: Burden | None = None,
) -> RackPower:
    """Add up what racks draw, fill and weigh, and find those over a limit.

    Parameters
    ----------
    placement : Placement or None
        None for a layout without racks: totals over all devices, and no racks.
    extra_w : ndarray, (types,), optional
        What optics add to the maximum of one device of each type, in W.
    burden : Burden, optional
        What cabling puts on racks.
    """
    figures, _ = with_assumed_units(type_figures(layout, fabric, extra_w), layout, fabric)
    types = fabric.devices.type
    maximum, typical = figures.power_max_w[types], figures.power_typical_w[types]
    placed = has_figures(fabric) if placement is None else placement.rack >= 0
    place_of = placement or no_racks(len(types))
    nameplate_w, devices_kg = known_sum(place_of, maximum), place_of.sum_by_rack(figures.weight_kg[types])
    load_kg = devices_kg if burden is None else devices_kg + burden.weight_kg
    units = place_of.sum_by_rack(figures.units[types])
    it_w = np.where(np.isnan(nameplate_w), np.nan, np.fmin(nameplate_w, place_of.racks.cap_w))
    share = phase_shares(layout, fabric, place_of, figures)
    circuits = circuits_of(layout, place_of, share, it_w)
    total_w = float(np.nansum(maximum[placed])) - float(np.nansum(nameplate_w - it_w))
    return RackPower(
        rack=tuple(place_of.racks.name.tolist()),
        it_w=it_w,
        nameplate_w=nameplate_w,
        it_typical_w=complete_sum(place_of, typical),
        limit_w=place_of.racks.limit_w,
        units_used=(units if burden is None else units + burden.units).astype(np.int32),
        load_kg=load_kg,
        weight_kg=load_kg + place_of.racks.tare_kg,
        it_max_w=total_w if np.isfinite(maximum[placed]).any() else np.nan,
        total_typical_w=float(typical[placed].sum()) if placed.any() else np.nan,
        no_power_data=tuple(fabric.types[row] for row in types_without(figures.power_max_w, fabric)),
        findings=(
            *_overloads(place_of, fabric, figures, it_w, load_kg, devices_kg),
            *circuit_findings(layout.hall, place_of, circuits, it_w),
            *cord_findings(layout),
            *cap_findings(layout, fabric, place_of, nameplate_w),
            *missing_figures(figures, fabric),
        ),
        phase_share=share,
        circuits=circuits,
    )


def known_sum(placement: Placement, values: F8) -> F8:
    """Add up the known values (devices,) in each rack; NaN where none is known."""
    return np.where(placement.sum_by_rack(np.isfinite(values)) > 0, placement.sum_by_rack(values), np.nan)


def complete_sum(placement: Placement, values: F8) -> F8:
    """Add up the values (devices,) in each rack; NaN where any is unknown."""
    return np.where(placement.sum_by_rack(np.isnan(values)) > 0, np.nan, placement.sum_by_rack(values))


def _overloads(
    placement: Placement, fabric: Fabric, figures: TypeFigures, it_w: F8, load_kg: F8, devices_kg: F8
) -> tuple[Finding, ...]:
    racks = placement.racks

    def fix(over: Overload) -> str:
        return fewer_hosts(placement, fabric, figures, over)

    units = placement.sum_by_rack(figures.units[fabric.devices.type])
    return (
        *overload_findings("rack-over-power", placement, it_w, racks.limit_w, kilowatts, fix),
        *overload_findings("rack-over-units", placement, units, racks.units.astype(np.float64), rack_units, fix),
        *overload_findings("rack-over-weight", placement, load_kg, racks.capacity_kg, kilograms, fix, devices_kg),
    )
