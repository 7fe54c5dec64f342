"""Structured cabling as the installers read it: where panels hang, and what each fibre is patched to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.rows import cable_ids
from fabrictool.formats.linked import port_words
from fabrictool.placement.elevations import Standing
from fabrictool.records import Patch, PatchPanel

if TYPE_CHECKING:
    from fabrictool.tabular import Table

HEADINGS = (
    "cable_id", "strand", "a_device", "a_port", "a_cord [m]", "a_panel", "a_panel_unit", "a_panel_port", "trunk",
    "plug", "trunk_length [m]", "z_panel", "z_panel_unit", "z_panel_port", "z_cord [m]", "z_device", "z_port",
)  # fmt: skip
#: What a panel is called as a kind of device, and its type.
PANEL, PANEL_TYPE = "panel", "patch panel, {ports} MPO"


def hanging(plan: CablePlan) -> list[PatchPanel]:
    """Return the panels of a plan, rack by rack; they are called after their racks, as ``r05-P1``."""
    if plan.panels is None or plan.placement is None:
        return []
    racks, places = plan.placement.racks.name.tolist(), plan.panels.places
    sides = ["front" if front else "rear" for front in plan.panels.front.tolist()]
    rows = zip(*(column.tolist() for column in (places.rack, places.name, places.ports, places.unit)), strict=True)
    return [
        PatchPanel(name, PANEL_TYPE.format(ports=ports), racks[rack], unit, sides[rack], ports)
        for rack, name, ports, unit in rows
    ]


def panels_in_racks(plan: CablePlan) -> list[tuple[Standing, ...]]:
    """Return the panels that take units of each rack, (racks,), the highest first."""
    racks = 0 if plan.placement is None else len(plan.placement.racks)
    found: list[list[Standing]] = [[] for _ in range(racks)]
    if plan.panels is not None:
        for rack, one in zip(plan.panels.places.rack.tolist(), hanging(plan), strict=True):
            if one.unit > 0:
                found[rack].append(Standing(-1, one.name, one.type, PANEL, one.unit, 1))
    return [tuple(rack) for rack in found]


def panel_table(plan: CablePlan) -> Table:
    """Return a row for each fibre that goes over panels; ports count from 1, units are empty over racks."""
    from fabrictool.tabular import Table

    assert plan.panels is not None
    fabric, words = plan.fabric, port_words(plan.fabric)
    unit = {one.name: one.unit if one.unit > 0 else None for one in hanging(plan)}
    link = plan.cables.link[plan.panels.patched.cable]
    a, z = (
        [(fabric.names[device], words[port]) for device, port in zip(fabric.ports.device[end].tolist(), end.tolist(),
                                                                     strict=True)]
        for end in (fabric.links.port_a[link], fabric.links.port_z[link])
    )  # fmt: skip
    found = [
        (one.cable_id, one.strand, *near, one.a_cord_m, one.a_panel, unit[one.a_panel], one.a_port, one.trunk, one.plug,
         one.trunk_m, one.z_panel, unit[one.z_panel], one.z_port, one.z_cord_m, *far)
        for one, near, far in zip(patches_of(plan), a, z, strict=True)
    ]  # fmt: skip
    return Table.from_rows("panels", list(HEADINGS), found)


def patches_of(plan: CablePlan) -> list[Patch]:
    """Return the fibres that go over panels, cable by cable."""
    if plan.panels is None or plan.seats is None:
        return []
    panels, rows = plan.panels, plan.panels.patched
    ids, trunk, called = cable_ids(plan), panels.trunks.name.tolist(), [one.name for one in hanging(plan)]
    ends = (rows.panel_a, rows.port_a + 1, rows.panel_z, rows.port_z + 1)
    columns = (rows.cable, rows.strand + 1, *ends, rows.cord_a_m, rows.cord_z_m, rows.trunk, rows.plug + 1,
               panels.trunks.length_m[rows.trunk])  # fmt: skip
    return [
        Patch(ids[cable], strand, called[a], na, cord_a, trunk[t], plug, length, called[z], nz, cord_z)
        for cable, strand, a, na, z, nz, cord_a, cord_z, t, plug, length in zip(
            *(np.asarray(column).tolist() for column in columns), strict=True
        )
    ]
