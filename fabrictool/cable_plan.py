"""``cables``: from a layout to the plan of all its cables."""

from __future__ import annotations

from os import PathLike

from fabrictool.cabling.plan import plan_cables
from fabrictool.cabling.report import PlanReport
from fabrictool.fabric import Fabric
from fabrictool.formats.imported import Imported
from fabrictool.formats.recognise import opened
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.power.settling import settled


def cables(layout: Layout | Fabric | str | PathLike[str]) -> PlanReport:
    """Plan the cables of all networks, as the ``cables`` command does.

    Parameters
    ----------
    layout : Layout, Fabric, str or path
        A layout or a fabric, or the name of a file with one. Devices of a fabric alone have no places, so all ways
        are of the length that is assumed elsewhere.

    Returns
    -------
    PlanReport
        ``rows(words)`` gives one :class:`~fabrictool.records.CableRow` for each link that takes a cable, cable by
        cable, with both ends' places, ports and labels, length, medium, order number, bundle, trays, colour, power,
        price and step; ``bill`` what to order, ``trays`` how full they are, ``findings`` what is wrong, ``plan`` the
        tables behind it, aligned with the fabric's links.

    Raises
    ------
    FabrictoolError
        If the layout cannot be built, or the file not be read.
    """
    found = opened(layout) if isinstance(layout, str | PathLike) else layout
    if isinstance(found, Layout):
        return planned_cables(found, build(found))
    return planned_cables(None, found.fabric if isinstance(found, Imported) else found)


def planned_cables(layout: Layout | None, fabric: Fabric) -> PlanReport:
    """Plan the cables of a fabric that was built from a layout, or of one from elsewhere."""
    if layout is None:
        return PlanReport(plan_cables(None, fabric, None))
    return PlanReport(settled(layout, fabric).plan, layout)
