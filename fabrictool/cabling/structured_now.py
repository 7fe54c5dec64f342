"""The panels and trunks of a plan as rows of a lock."""

from __future__ import annotations

import numpy as np

from fabrictool.cabling.panel_table import hanging
from fabrictool.cabling.plan import CablePlan
from fabrictool.locks.tables import Lock, LockedPanels, LockedTrunks, states_after


def panels_now(plan: CablePlan, before: Lock) -> LockedPanels:
    """Return the panels of a plan, with how far those of the lock before are; one that is moved is at most ordered."""
    old, panels = before.panels, hanging(plan)
    known = {name: row for row, name in enumerate(old.name)}
    rows = [known.get(panel.name, -1) for panel in panels]
    unit = np.array([max(panel.unit, 0) for panel in panels], np.int32)
    moved = [
        row >= 0 and (old.rack[row], int(old.unit[row])) != (panel.rack, high)
        for row, panel, high in zip(rows, panels, unit.tolist(), strict=True)
    ]
    return LockedPanels(
        tuple(panel.name for panel in panels), tuple(panel.rack for panel in panels), unit,
        tuple(panel.side for panel in panels), np.array([panel.ports for panel in panels], np.int32),
        states_after(old.state, np.array(rows, np.int64), moved),
    )  # fmt: skip


def trunks_now(plan: CablePlan, before: Lock) -> LockedTrunks:
    """Return the trunks of a plan, with what the lock before says of those that it keeps."""
    if plan.panels is None or plan.placement is None:
        return LockedTrunks()
    old, trunks, racks = before.trunks, plan.panels.trunks, plan.placement.racks.name.tolist()
    known = {name: row for row, name in enumerate(old.name)}
    names = tuple(trunks.name.tolist())
    rows = [known.get(name, -1) for name in names]
    chosen = [plan.options[row] for row in trunks.option.tolist()]
    serial = [*old.serial, ""]
    return LockedTrunks(
        names, tuple(racks[row] for row in trunks.rack_a.tolist()), tuple(racks[row] for row in trunks.rack_z.tolist()),
        tuple(option.medium.name for option in chosen), tuple(option.connector for option in chosen),
        trunks.plugs.astype(np.int32), trunks.length_m, tuple(serial[row] for row in rows),
        states_after(old.state, np.array(rows, np.int64)),
    )  # fmt: skip
