"""Devices into racks: which rack, which unit, and what found no place."""

from fabrictool.placement.figures import TypeFigures, type_figures
from fabrictool.placement.fill import place
from fabrictool.placement.packing import Load, most_that_fit
from fabrictool.placement.racks import Placement, Racks

__all__ = ["Load", "Placement", "Racks", "TypeFigures", "most_that_fit", "place", "type_figures"]
