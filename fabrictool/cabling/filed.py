"""A cable plan that stands in a file: what its rows say holds, and what they leave open is planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fabrictool.cabling.filed_figures import (
    Cable,
    bill_of_rows,
    by_cable,
    phases_of_rows,
    summary_of,
    tray_loads_of,
    weights_kg,
)
from fabrictool.cabling.findings import plan_findings
from fabrictool.cabling.plan import plan_cables
from fabrictool.cabling.plan_checks import length_faults, place_faults
from fabrictool.cabling.plan_optics import optic_faults
from fabrictool.cabling.report import PlanReport
from fabrictool.cabling.rows import cable_rows
from fabrictool.cabling.trays import TrayLoad
from fabrictool.fabric import Fabric
from fabrictool.formats.linked import port_words
from fabrictool.formats.plan_table import PlanRow, PlanTable
from fabrictool.placement.standing import DEFAULTS
from fabrictool.records import Assumption, BomRow, CableEnd, CableRow, Finding, Place

End = tuple[str, str]
#: Units of a rack of which nothing more is known: what NetBox takes.
LEAST_UNITS = 42


@dataclass(frozen=True)
class FiledReport(PlanReport):
    """A cable plan in a file, with what is made of it.

    Parameters
    ----------
    filed : tuple of PlanRow
        Its rows, of those links that the fabric has.
    noted : tuple of Finding
        What was wrong with the file.
    renamed : bool
        Whether ports are called by another scheme than in the file.
    """

    filed: tuple[PlanRow, ...] = ()
    noted: tuple[Finding, ...] = ()
    renamed: bool = False

    def rows(self, words: Sequence[str] | None = None) -> list[CableRow]:
        """Return a row for each link, cable by cable, as the file says; blanks are filled by what is planned."""
        said = {_ends(row.cable): row for row in self.filed}
        found = []
        for planned in cable_rows(self.plan, words):
            a, z = _ends(planned)
            row = said.get((a, z)) or _turned(said.get((z, a)))
            found.append(planned if row is None else _merged(row.cable, planned, self.renamed))
        order = {name: place for place, name in enumerate(dict.fromkeys(row.cable_id for row in found))}
        return sorted(found, key=lambda row: (order[row.cable_id], row.leg))

    @cached_property
    def by_cable(self) -> list[Cable]:
        """The rows of each cable."""
        return by_cable(self.rows())

    @property
    def count(self) -> int:
        """Number of cables."""
        return len(self.by_cable)

    @cached_property
    def bill(self) -> list[BomRow]:
        """What is to be ordered."""
        return bill_of_rows(self.by_cable)

    @cached_property
    def trays(self) -> list[TrayLoad]:
        """How full each tray is that the file names."""
        return tray_loads_of(self.by_cable)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is wrong with the file and with what it plans."""
        found = [*self.noted, *length_faults(self.filed), *optic_faults(self.filed), *place_faults(self.filed)]
        if not all(row.cable.media and row.cable.length_m is not None for row in self.filed):
            found += plan_findings(self.plan, [])
        return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What neither file nor layout says."""
        if not self.trays:
            return super().assumptions
        trays = (
            Assumption(f"hall.trays.{key.removesuffix('_m')}", f"{DEFAULTS['trays'][key][0]:g} m",
                       DEFAULTS["trays"][key][1])
            for key in ("width_m", "depth_m")
        )  # fmt: skip
        return (*super().assumptions, *trays)

    def summary(self) -> list[dict[str, Any]]:
        """Return cables by network and medium: number, lengths in m, power of optics in W, price."""
        return summary_of(self.by_cable)

    def rack_weights_kg(self) -> dict[str, float]:
        """Return the weight of the cables that end in each rack, half of each at either end, in kg."""
        return weights_kg(self.by_cable)

    def phases(self) -> list[dict[str, Any]]:
        """Return the steps of the installation in their order: cables, links, and metres to lay."""
        return phases_of_rows(self.by_cable)

    def racks(self) -> dict[str, int]:
        """Return the racks that the file names, and how high they are at least, in units."""
        found: dict[str, int] = {}
        for place in self.places().values():
            if place.rack:
                found[place.rack] = max(found.get(place.rack, LEAST_UNITS), place.unit or 0)
        return dict(sorted(found.items()))

    def places(self) -> dict[str, Place]:
        """Return where devices stand, by name, as the file says."""
        return {end.place.device: end.place for row in self.filed for end in (row.cable.a, row.cable.z)}


def filed_report(fabric: Fabric, table: PlanTable, noted: Sequence[Finding] = (), renamed: bool = False) -> FiledReport:
    """Return the plan that a file holds.

    Parameters
    ----------
    fabric : Fabric
        As the same file describes it.
    table : PlanTable
        Its rows.
    noted : sequence of Finding
        What was wrong with it.
    renamed : bool
        Whether ports are called by another scheme than in it.
    """
    link_of = dict(_links(fabric))
    rows: list[PlanRow] = []
    length_m = np.full(len(fabric.links), np.nan)
    for row in table.rows:
        link = link_of.get(frozenset(_ends(row.cable)))
        if link is not None:
            rows.append(row)
            length_m[link] = np.nan if row.cable.length_m is None else row.cable.length_m
    return FiledReport(plan_cables(None, fabric, None, length_m), None, tuple(rows), tuple(noted), renamed)


def _links(fabric: Fabric) -> Iterator[tuple[frozenset[End], int]]:
    """Yield both ends of each link, by device and port, and its row."""
    words, names = port_words(fabric), fabric.names
    device = fabric.ports.device.tolist()
    pairs = zip(fabric.links.port_a.tolist(), fabric.links.port_z.tolist(), strict=True)
    for row, pair in enumerate(pairs):
        yield frozenset((names[device[port]], words[port]) for port in pair), row


def _ends(row: CableRow) -> tuple[End, End]:
    return (row.a.place.device, row.a.port), (row.z.place.device, row.z.port)


def _turned(row: PlanRow | None) -> PlanRow | None:
    return None if row is None else replace(row, cable=replace(row.cable, a=row.cable.z, z=row.cable.a))


def _merged(said: CableRow, planned: CableRow, renamed: bool) -> CableRow:
    """Return what a file says of a link, with blanks as planned where that says the same of medium and length."""
    same = said.media in ("", planned.media) and said.length_m in (None, planned.length_m)
    filled: dict[str, Any] = {
        name: getattr(said, name) or getattr(planned, name)
        for name in ("cable_id", "network", "speed_bps", "lanes", "bundle", "tray_path", "colour", "phase", "status")
    }
    filled["leg"] = said.leg if said.cable_id else planned.leg
    filled |= {name: getattr(said, name) for name in ("plane", "rail")}
    filled |= {name: getattr(said, name) for name in ("route_m", "slack_m", "length_m")}
    if said.length_m is None and not said.media:
        filled["length_m"] = planned.length_m
    made = {name: getattr(said, name) for name in ("media", "sku", "optics_w", "price")}
    if same:
        made = {name: value if value not in ("", None) else getattr(planned, name) for name, value in made.items()}
    elif not said.media:
        made = {name: getattr(planned, name) for name in made}
    filled |= made
    a, z = (_end(end, own, same or not said.media) for end, own in ((said.a, planned.a), (said.z, planned.z)))
    if renamed:
        a, z = replace(a, interface=planned.a.interface), replace(z, interface=planned.z.interface)
    return replace(planned, a=a, z=z, **filled)


def _end(said: CableEnd, planned: CableEnd, same: bool) -> CableEnd:
    """Return an end as the file says, with modules as planned where medium and length are."""
    return CableEnd(
        said.place, said.kind or planned.kind, planned.port, said.interface or planned.interface,
        said.cage or planned.cage, said.leg if said.cage else planned.leg, said.side or planned.side,
        said.optic or (planned.optic if same else ""), said.connector or (planned.connector if same else ""),
        said.label or planned.label,
    )  # fmt: skip
