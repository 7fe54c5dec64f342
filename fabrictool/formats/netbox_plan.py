"""A folder of CSV files for NetBox's bulk import as a plan that somebody made: each link keeps its cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fabrictool.formats.csv_rows import rows
from fabrictool.formats.imported import Report
from fabrictool.formats.netbox_cables import Interface
from fabrictool.formats.netbox_folder import files_of
from fabrictool.formats.netbox_panels import FRONT, INTERFACE, REAR, Termination, over_panels
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.plan_table import PlanRow, PlanTable, plan_table
from fabrictool.records import CableEnd, Finding, Place


def folder_plan(path: str) -> PlanTable:
    """Read the cables of a folder, with what its devices and interfaces say of their ends.

    Of a cable between cages each channel is a link; devices stand where they are said to, links have the speed of
    their interfaces.

    Raises
    ------
    InputError
        If there is no file of cables, or one cannot be read.
    """
    found = files_of(path)
    table = plan_table(str(found["cables"]), read_all(str(found["cables"]))[1])
    known = _Known(found)
    rows_ = [row for one in table.rows for row in known.links(one)]
    return replace(
        table,
        rows=tuple(_over_panels(rows_, known) if known.fronts else rows_),
        findings=(*table.findings, *known.findings),
        unread=tuple(known.placed(end) for end in table.unread),
    )


@dataclass
class _Known:
    """What the files of devices and interfaces say."""

    found: Mapping[str, Path]
    findings: list[Finding] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    speeds: dict[Interface, float] = field(default_factory=dict)
    fronts: dict[Interface, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.channels: defaultdict[Interface, dict[int, str]] = defaultdict(dict)
        for row in self._rows("devices", ("name",)):
            unit = row.get("position", "").partition(".")[0]
            place = Place(row["name"], row.get("site", ""), row.get("location", ""), "", row.get("rack", ""),
                          int(unit) if unit.isdecimal() and len(unit) < 4 else None)  # fmt: skip
            self.places[row["name"]] = place
        for row in self._rows("front-ports", ("device", "name", "rear_port")):
            self.fronts[row["device"], row["name"]] = row["rear_port"]
        for row in self._rows("interfaces", ("device", "name")):
            end = (row["device"], row["name"])
            if row.get("speed", "").isdecimal():
                self.speeds[end] = int(row["speed"]) * 1e3
            if row.get("parent") and row.get("channel_id", "").isdecimal():
                self.channels[row["device"], row["parent"]][int(row["channel_id"])] = row["name"]

    def _rows(self, word: str, needed: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
        if word in self.found:
            report = Report(str(self.found[word]))
            text = text_of(read_all(report.name)[1])
            yield from (row for _, row in rows(text, {}, needed, report))
            self.findings += report.findings

    def placed(self, end: CableEnd) -> CableEnd:
        """Return an end with the place of its device."""
        place = self.places.get(end.place.device)
        return end if place is None else replace(end, place=place)

    def links(self, row: PlanRow) -> Iterator[PlanRow]:
        """Yield a row, or of a cage one for each of its channels, with places and speed."""
        sides = [self._ports(end) for end in (row.cable.a, row.cable.z)]
        count = max(len(side) for side in sides)
        for leg in range(count):
            a, z = (self.placed(side[min(leg, len(side) - 1)]) for side in sides)
            known = [speed for end in (a, z) if (speed := self.speeds.get((end.place.device, end.port)))]
            speed_bps = row.cable.speed_bps or min(known, default=0.0)
            number = row.cable.leg if count == 1 else leg + 1
            yield replace(row, cable=replace(row.cable, a=a, z=z, leg=number, speed_bps=speed_bps))

    def _ports(self, end: CableEnd) -> list[CableEnd]:
        channels = self.channels.get((end.place.device, end.port), {})
        return [replace(end, port=channels[number]) for number in sorted(channels)] or [end]


def _over_panels(rows_: Sequence[PlanRow], known: _Known) -> Iterator[PlanRow]:
    """Yield the links of a plan, those over patch panels from device to device, at the cell of their first cord."""
    panels = {panel for panel, _ in known.fronts}
    report = Report(str(known.found["cables"]))

    def termination(end: CableEnd) -> Termination:
        port = (end.place.device, end.port)
        return (FRONT if port in known.fronts else REAR if end.place.device in panels else INTERFACE, *port)

    ends = {termination(end): (row, end) for row in reversed(rows_) for end in (row.cable.a, row.cable.z)}
    plugged = [(row.line, [[termination(row.cable.a)], [termination(row.cable.z)]], "") for row in rows_]
    for _, (near, far), _ in over_panels(plugged, known.fronts, report):
        row, a = ends[INTERFACE, *near[0]]
        direct = {row.cable.a.place.device, row.cable.z.place.device}.isdisjoint(panels)
        for port in far:
            z = ends[INTERFACE, *port][1]
            name = row.cable.cable_id.removesuffix(" A")
            yield row if direct else replace(row, cable=replace(row.cable, cable_id=name, a=a, z=z, length_m=None))
    known.findings += report.findings
