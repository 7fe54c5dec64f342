"""``cables``: from a layout, or from a file that holds a plan, to the plan of all its cables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from fabrictool.cabling.filed import filed_report
from fabrictool.cabling.plan import plan_cables
from fabrictool.cabling.report import PlanReport
from fabrictool.fabric import Fabric
from fabrictool.formats.imported import Imported
from fabrictool.formats.plan_table import PlanTable
from fabrictool.formats.recognise import opened_with_plan
from fabrictool.generators.building import build
from fabrictool.layout.model import Layout
from fabrictool.power.settling import settled
from fabrictool.records import Finding


@dataclass(frozen=True, slots=True)
class Planned:
    """What a file names: a fabric, its layout if it is one, and the rows of a plan if it holds one."""

    fabric: Fabric
    layout: Layout | None = None
    table: PlanTable | None = None
    findings: Sequence[Finding] = ()

    def report(self, renamed: bool = False) -> PlanReport:
        """Return the plan of all cables; ``renamed`` says that ports get other names than a file has."""
        if self.layout is None and self.table is not None:
            return filed_report(self.fabric, self.table, self.findings, renamed)
        return planned_cables(self.layout, self.fabric)


def opened_plan(path: str | PathLike[str]) -> Planned:
    """Return what a LAYOUT argument names, with all that is said of its cables.

    Raises
    ------
    FabrictoolError
        If the layout cannot be built, or the file not be read.
    """
    found, table = opened_with_plan(path)
    if isinstance(found, Layout):
        return Planned(build(found), found)
    return Planned(found.fabric, None, table, found.findings)


def cables(layout: Layout | Fabric | str | PathLike[str]) -> PlanReport:
    """Plan the cables of all networks, as the ``cables`` command does.

    Parameters
    ----------
    layout : Layout, Fabric, str or path
        A layout or a fabric, or the name of a file with one. Devices of a fabric alone have no places, so all ways
        are of the length that is assumed elsewhere. What a file with a plan says of its cables holds: only what it
        leaves open is planned.

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
    if isinstance(layout, str | PathLike):
        return opened_plan(layout).report()
    if isinstance(layout, Layout):
        return planned_cables(layout, build(layout))
    return planned_cables(None, layout.fabric if isinstance(layout, Imported) else layout)


def planned_cables(layout: Layout | None, fabric: Fabric) -> PlanReport:
    """Plan the cables of a fabric that was built from a layout, or of one from elsewhere."""
    if layout is None:
        return PlanReport(plan_cables(None, fabric, None))
    return PlanReport(settled(layout, fabric).plan, layout)
