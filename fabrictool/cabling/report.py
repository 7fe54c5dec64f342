"""The cable plan of a layout in figures: cables, materials, trays and racks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fabrictool.cabling.bill import bill_of_materials, spare_rule
from fabrictool.cabling.bundles import bundle_assumptions
from fabrictool.cabling.burden import cable_weights_kg
from fabrictool.cabling.findings import plan_findings
from fabrictool.cabling.lock_findings import lock_findings
from fabrictool.cabling.locking import lock_of
from fabrictool.cabling.panel_table import hanging, panel_table
from fabrictool.cabling.panels import SOURCE
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.rows import cable_rows, phases_of
from fabrictool.cabling.trays import TrayLoad, tray_loads
from fabrictool.errors import InputError
from fabrictool.fabric.grouping import grouped, parts
from fabrictool.fabric.tables import F8
from fabrictool.layout.model import Layout
from fabrictool.locks import Lock
from fabrictool.locks.difference import LockDifference, difference
from fabrictool.records import Assumption, BomRow, CableRow, Finding

if TYPE_CHECKING:
    from fabrictool.tabular import Table


@dataclass(frozen=True)
class PlanReport:
    """A cable plan with what is made of it."""

    plan: CablePlan
    layout: Layout | None = None

    def rows(self, words: Sequence[str] | None = None) -> list[CableRow]:
        """Return a row for each link that takes a cable, cable by cable.

        Parameters
        ----------
        words : (ports,) sequence of str, optional
            What the devices' systems call the ports of the fabric: the ``interface`` of each end.
        """
        return list(cable_rows(self.plan, words))

    @property
    def count(self) -> int:
        """Number of cables."""
        return len(self.plan.cables)

    @cached_property
    def bill(self) -> list[BomRow]:
        """What is to be ordered."""
        return bill_of_materials(self.plan)

    @cached_property
    def trays(self) -> list[TrayLoad]:
        """How full each tray is."""
        return tray_loads(self.plan)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is wrong with the plan."""
        found = plan_findings(self.plan, self.trays)
        if self.layout is not None and self.changes is not None:
            found += lock_findings(self.layout, self.plan, self.changes)
        return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))

    @cached_property
    def lock(self) -> Lock:
        """Everything that labels, orders and records say of the plan.

        Raises
        ------
        InputError
            If the plan is that of a fabric from elsewhere.
        """
        if self.layout is None:
            raise InputError("a fabric from elsewhere has no lock", "describe it by a layout with 'family: file'")
        return lock_of(self.layout, self.plan)

    @cached_property
    def changes(self) -> LockDifference | None:
        """What differs from the layout's lock; None without one."""
        before = self.layout.lock if self.layout is not None else None
        return None if before is None else difference(before, self.lock)

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the layout did not say."""
        rules = {part: spare_rule(self.plan, part) for part in ("cable", "transceiver")}
        spares = (
            Assumption(f"spares of each {part}", f"{rule.share:.0%}, {rule.least} at least", rule.source)
            for part, rule in rules.items()
            if rule.source != "layout"
        )
        return (*self.plan.assumptions, *bundle_assumptions(self.plan), *spares)

    def summary(self) -> list[dict[str, Any]]:
        """Return cables by network and medium: number, lengths in m, power of optics in W, price."""
        plan, cables = self.plan, self.plan.cables
        names = sorted({option.medium.name for option in plan.options})
        code = np.array([names.index(option.medium.name) for option in plan.options] + [-1])
        kinds, place = grouped(cables.network, code[cables.option])
        found = []
        for (network, name), rows in zip(kinds, parts(place, len(kinds)), strict=True):
            medium = names[name] if name >= 0 else ""
            length, route = cables.length_m[rows], cables.route_m[rows]
            found.append({
                "network": plan.fabric.networks[network].name,
                "media": medium or None,
                "cables": len(rows),
                "links": int(cables.links[rows].sum()),
                "shortest_m": _known(np.min, length),
                "longest_m": _known(np.max, length),
                "length_m": _known(np.sum, length),
                "route_m": _known(np.sum, route),
                "optics_w": _known(np.sum, cables.optics_w[rows]),
                "price": _known(np.sum, cables.usd[rows]),
            })  # fmt: skip
        return found

    def rack_weights_kg(self) -> dict[str, float]:
        """Return the weight of the cables that end in each rack, half of each at either end, in kg."""
        if self.plan.placement is None:
            return {}
        names = self.plan.placement.racks.name.tolist()
        return dict(zip(names, cable_weights_kg(self.plan).tolist(), strict=True))

    def phases(self) -> list[dict[str, Any]]:
        """Return the steps of the installation in their order: cables, links, and metres to lay."""
        names = phases_of(self.plan)
        order = {name: row for row, name in enumerate(sorted(set(names)))}
        place = np.array([order[name] for name in names], np.int64)
        found = []
        for name, rows in zip(order, parts(place, len(order)), strict=True):
            links, length = int(self.plan.cables.links[rows].sum()), self.plan.cables.length_m[rows]
            metres = _known(np.sum, length)
            found.append({"phase": name, "cables": len(rows), "links": links, "length_m": metres})
        return found

    def panels(self) -> dict[str, Any] | None:
        """Return trunks, cords and units of panels, None without structured cabling."""
        found = self.plan.panels
        if found is None or self.plan.placement is None:
            return None
        names = self.plan.placement.racks.name.tolist()
        racks = zip(names, found.ports.tolist(), found.units.tolist(), strict=True)
        units = [{"rack": name, "ports": ports, "units": count} for name, ports, count in racks if ports]
        hung = [{"panel": one.name, "rack": one.rack, "unit": one.unit if one.unit > 0 else None, "side": one.side,
                 "room": one.unit >= 0} for one in hanging(self.plan)]  # fmt: skip
        return {
            "fibres": len(found.patched),
            "cords": 2 * len(found.patched),
            "trunks": len(found.trunks),
            "plugs_per_trunk": found.plugs,
            "polarity": "B",
            "racks": units,
            "panels": hung,
            "source": SOURCE,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON of ``cables``."""
        return {
            "layout": self.plan.fabric.name,
            "cables": self.count,
            "summary": self.summary(),
            "bom": [
                {"sku": row.sku or None, "description": row.description, "media": row.media, "length_m": row.length_m,
                 "quantity": row.quantity, "spares": row.spares, "unit_price": row.unit_price, "total": row.total}
                for row in self.bill
            ],
            "trays": [
                {"tray": row.name, "cables": row.cables, "area_m2": row.area_m2, "fill": row.fill} for row in self.trays
            ],
            "racks": [{"rack": name, "cables_kg": value} for name, value in self.rack_weights_kg().items()],
            "phases": self.phases(),
            "panels": self.panels(),
            "currency": "USD",
            "lock": None if self.changes is None else self.changes.to_dict(),
            "assumptions": [row.to_dict() for row in self.assumptions],
            "findings": [row.to_dict() for row in self.findings],
        }  # fmt: skip

    def tables(self) -> list[Table]:
        """Return summary, materials, trays and findings for the terminal."""
        from fabrictool.tabular import Column, Table

        rows = self.summary()
        columns = {"network": "", "media": "", "cables": "", "links": "", "shortest_m": "m", "longest_m": "m",
                   "length_m": "m", "optics_w": "W", "price": "USD"}  # fmt: skip
        names = {"shortest_m": "shortest", "longest_m": "longest", "length_m": "together", "optics_w": "optics"}
        found = [
            Table(
                "cables",
                tuple(
                    Column(names.get(key, key), [row[key] for row in rows], unit, key=key)
                    for key, unit in columns.items()
                ),
            ),
            self.bill_table(),
        ]
        if self.trays:
            full = sorted(self.trays, key=lambda row: -row.fill)[:12]
            rows_ = [(row.name, row.cables, round(100 * row.fill, 1)) for row in full]
            found.append(Table.from_rows("trays, the fullest first", ["tray", "cables", "fill [%]"], rows_))
        if self.changes is not None and self.changes.changes:
            found.append(self.changes.table("changes since the lock", 24))
        if self.findings:
            said = [(row.severity, row.id, row.where, row.message, row.fix) for row in self.findings]
            found.append(Table.from_rows("findings", ["severity", "id", "where", "message", "fix"], said))
        return found

    def lists(self) -> dict[str, Table]:
        """Return ends with places, modules and labels, trays, and weights of racks as tables for files."""
        from fabrictool.tabular import Table

        headings = ["cable_id", "leg", "end", "site", "room", "row", "rack", "unit", "device", "port", "cage",
                    "cage_leg", "side", "optic", "connector", "label", "colour", "phase"]  # fmt: skip
        ends = [
            (row.cable_id, row.leg, side, end.place.site, end.place.room, end.place.row, end.place.rack, end.place.unit,
             end.place.device, end.port, end.cage, end.leg, end.side, end.optic, end.connector, end.label, row.colour,
             row.phase)
            for row in self.rows()
            for side, end in (("A", row.a), ("Z", row.z))
        ]  # fmt: skip
        trays = [(row.name, row.cables, row.area_m2, row.fill) for row in self.trays]
        structured = {} if self.plan.panels is None else {"panels": panel_table(self.plan)}
        return structured | {
            "ends": Table.from_rows("ends", headings, ends),
            "trays": Table.from_rows("trays", ["tray", "cables", "area [m2]", "fill"], trays),
            "racks": Table.from_rows("racks", ["rack", "cables [kg]"], list(self.rack_weights_kg().items())),
        }

    def bill_table(self) -> Table:
        """Return what is to be ordered as a table."""
        from fabrictool.tabular import Table

        headings = ["sku", "description", "length [m]", "quantity", "spares", "unit price [USD]", "total [USD]"]
        rows = [
            (row.sku or None, row.description, row.length_m, row.quantity, row.spares, row.unit_price, row.total)
            for row in self.bill
        ]
        return Table.from_rows("bill of materials", headings, rows)


def _known(function: Any, values: F8) -> float | None:
    """Return a figure of values, None if one of them is unknown."""
    return None if np.isnan(values).any() else float(function(values))
