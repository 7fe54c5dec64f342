"""What racks draw, and what their feeds carry."""

from fabrictool.power.feeds import carried_w, lost_feeds, single_phase_va, three_phase_va
from fabrictool.power.limits import RackLimits, rack_limits
from fabrictool.power.racks import RackPower, rack_power

__all__ = [
    "RackLimits",
    "RackPower",
    "carried_w",
    "lost_feeds",
    "rack_limits",
    "rack_power",
    "single_phase_va",
    "three_phase_va",
]
