"""What racks draw, and what their feeds carry."""

from fabrictool.power.feeds import carried_w, lost_feeds, single_phase_va, three_phase_va
from fabrictool.power.limits import RackLimits, rack_limits
from fabrictool.power.racks import RackPower, rack_power
from fabrictool.power.supply_loads import SupplyLoads, supply_loads

__all__ = [
    "RackLimits",
    "RackPower",
    "SupplyLoads",
    "carried_w",
    "lost_feeds",
    "rack_limits",
    "rack_power",
    "single_phase_va",
    "supply_loads",
    "three_phase_va",
]
