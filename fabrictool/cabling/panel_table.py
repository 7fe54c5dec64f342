"""Structured cabling as the installers read it: what each fibre is patched to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.rows import cable_ids
from fabrictool.formats.linked import port_words

if TYPE_CHECKING:
    from fabrictool.tabular import Table

HEADINGS = (
    "cable_id", "strand", "a_device", "a_port", "a_cord [m]", "a_panel", "a_panel_port", "trunk", "plug",
    "trunk_length [m]", "z_panel", "z_panel_port", "z_cord [m]", "z_device", "z_port",
)  # fmt: skip


def panel_table(plan: CablePlan) -> Table:
    """Return a row for each fibre that goes over panels; panels are called after their racks, ports count from 1."""
    from fabrictool.tabular import Table

    panels = plan.panels
    assert panels is not None
    assert plan.placement is not None
    assert plan.seats is not None
    fabric, rows, racks = plan.fabric, panels.patched, plan.placement.racks.name.tolist()
    link = plan.cables.link[rows.cable]
    ports = [end[link] for end in (fabric.links.port_a, fabric.links.port_z)]
    device = [fabric.ports.device[port] for port in ports]
    rack = [plan.seats.rack[row] for row in device]
    panel = [port // panels.per_unit + 1 for port in (rows.port_a, rows.port_z)]
    place = [port % panels.per_unit + 1 for port in (rows.port_a, rows.port_z)]
    words, names, ids = port_words(fabric), fabric.names, cable_ids(plan)
    trunk = trunk_names(plan)
    columns = [np.asarray(column).tolist() for column in (
        rows.cable, rows.strand + 1, *device, *ports, rows.cord_a_m, rows.cord_z_m, *rack, *panel, *place, rows.trunk,
        rows.plug + 1, panels.trunks.length_m[rows.trunk],
    )]  # fmt: skip
    found = [
        (ids[cable], strand, names[a], words[i], cord_a, f"{racks[ra]}-P{pa}", na, trunk[t], plug, length,
         f"{racks[rz]}-P{pz}", nz, cord_z, names[z], words[j])
        for cable, strand, a, z, i, j, cord_a, cord_z, ra, rz, pa, pz, na, nz, t, plug, length in zip(
            *columns, strict=True
        )
    ]  # fmt: skip
    return Table.from_rows("panels", list(HEADINGS), found)


def trunk_names(plan: CablePlan) -> list[str]:
    """Return what each trunk is called: T, its racks, and its number among theirs."""
    assert plan.panels is not None
    assert plan.placement is not None
    racks, trunks = plan.placement.racks.name.tolist(), plan.panels.trunks
    seen: dict[tuple[int, int], int] = {}
    found = []
    for pair in zip(trunks.rack_a.tolist(), trunks.rack_z.tolist(), strict=True):
        seen[pair] = seen.get(pair, 0) + 1
        found.append(f"T-{racks[pair[0]]}-{racks[pair[1]]}-{seen[pair]:02d}")
    return found
