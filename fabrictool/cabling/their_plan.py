"""A plan that somebody else made, held against the design: its own faults, and what it would plug where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.plan_checks import LISTED, cells, finding, length_faults, place_faults, port_faults
from fabrictool.cabling.plan_optics import optic_faults
from fabrictool.cabling.plan_ways import floor_faults
from fabrictool.cabling.plan_words import OWN, PlanWords, by_pair, plan_words
from fabrictool.cabling.told import RootCause
from fabrictool.errors import nearest
from fabrictool.fabric import Fabric
from fabrictool.fabric.counting import internal_links
from fabrictool.formats.plan_table import FORMAT, PlanRow, PlanTable
from fabrictool.records import CableEnd, Dump, Finding, Sighting
from fabrictool.units import format_speed

#: Devices that the design has not, up to which each is a finding of its own.
MOST_STRANGERS = 10
#: Names of devices that are listed.
_LISTED = 5


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """A plan as sightings in the words of the fabric, with the plan's faults among its findings.

    ``places`` are the cells of each ``device:port`` of the fabric.
    """

    dump: Dump
    places: Mapping[str, str]


def check_plan(fabric: Fabric, table: PlanTable, own: CablePlan | None = None) -> CheckedPlan:
    """Check a plan against a fabric.

    Parameters
    ----------
    fabric : Fabric
        What is designed.
    table : PlanTable
        What somebody plans, each value with its cell.
    own : CablePlan, optional
        The layout's own plan, which knows places and ways.

    Returns
    -------
    CheckedPlan
        Its findings are faults that no comparison of links would name: ports that several rows use, places,
        lengths, media, speeds, devices and ports that the design has not. Links that such a fault keeps from
        being judged are sightings that nobody looked at.
    """
    words = plan_words(fabric, [end for row in table.rows for end in (row.cable.a, row.cable.z)])
    faults = list(port_faults(table.rows))
    unclear = {id(row) for _, rows in faults for row in rows}
    known, strangers = _known(words, table.rows)
    findings = [
        *table.findings, *_called(words), *(fault for fault, _ in faults), *strangers,
        *place_faults([row for row in table.rows if id(row) not in unclear]), *length_faults(table.rows),
        *optic_faults(table.rows), *_speed_faults(fabric, known),
    ]  # fmt: skip
    judged = [(row, a, z) for row, a, z in known if id(row) not in unclear]
    if own is not None:
        findings += floor_faults(own, words, judged)
    sightings = [_sighting(fabric, words, row, a, z) for row, a, z in judged]
    sightings += _inside(fabric, words)
    doubtful = [port for row, *ports in known if id(row) in unclear for port in ports]
    doubtful += _half_known(words, table)
    sightings += _not_judged(fabric, words, doubtful, {port for _, a, z in judged for port in (a, z)})
    places = {
        words.port_name(port): row.place(f"{side}_port") for row, a, z in known for side, port in (("a", a), ("z", z))
    }
    named = {words.device(end.place.device) for row in table.rows for end in (row.cable.a, row.cable.z)}
    switches = frozenset(fabric.names[row] for row in named if row >= 0 and fabric.devices.tier[row] > 0)
    return CheckedPlan(Dump(table.source, FORMAT, tuple(sightings), switches, tuple(findings)), places)


def _known(words: PlanWords, rows: Sequence[PlanRow]) -> tuple[list[tuple[PlanRow, int, int]], list[Finding]]:
    """Return rows with their ports in the fabric, and findings about devices and ports that it has not."""
    known, devices, ports = [], defaultdict(list), defaultdict(list)
    for row in rows:
        a, z = words.port(row.cable.a), words.port(row.cable.z)
        if a >= 0 and z >= 0:
            known.append((row, a, z))
        for side, end, port in (("a", row.cable.a, a), ("z", row.cable.z, z)):
            if port < 0 and words.device(end.place.device) < 0:
                devices[end.place.device].append((row, side))
            elif port < 0:
                ports[end.place.device].append((row, side, end))
    if len(devices) > MOST_STRANGERS:
        strange = [row for uses in devices.values() for row, _ in uses]
        what = f"{len(devices)} devices are not in the layout: {', '.join(list(devices)[:_LISTED])}, …"
        found = [
            finding("device-not-in-layout", "error", strange, "", what, "see whether it is the plan of this layout")
        ]
    else:
        found = [_strange_device(words, name, uses) for name, uses in devices.items()]
    found += [_strange_port(words, name, uses) for name, uses in ports.items()]
    return known, found


def _strange_device(words: PlanWords, name: str, uses: list[tuple[PlanRow, str]]) -> Finding:
    guess = nearest(name, words.fabric.names)
    fix = f"did you mean {guess}?" if guess else "correct the name, or add the device to the layout"
    where = cells([row for row, _ in uses], [f"{side}_device" for _, side in uses])
    return Finding("device-not-in-layout", "error", where, f"{name} is in {len(uses)} rows, but not in the layout", fix)


def _strange_port(words: PlanWords, name: str, uses: list[tuple[PlanRow, str, CableEnd]]) -> Finding:
    listed = ", ".join(dict.fromkeys(end.port for *_, end in uses[:_LISTED]))
    row = words.device(name)
    count = int(words.fabric.first_port[row + 1] - words.fabric.first_port[row])
    where = cells([row for row, *_ in uses], [f"{side}_port" for _, side, _ in uses])
    what = f"{name} has no port {listed}" + (" and others" if len(uses) > _LISTED else "") + f"; it has {count} ports"
    return Finding("port-not-in-layout", "error", where, what, f"call ports as {words.sample(row)}")


def _called(words: PlanWords) -> list[Finding]:
    """Say how the plan's names of ports were taken, where they are not those of the design."""
    said = [f"{kind.rpartition(' ')[0]}: {scheme}" for kind, scheme in words.schemes.items() if scheme != OWN]
    if not said:
        return []
    what = f"ports are called otherwise than in the layout: read as {', '.join(said)}"
    return [Finding("ports-called", "note", words.fabric.name, what, "see whether that is meant")]


def _speed_faults(fabric: Fabric, known: Sequence[tuple[PlanRow, int, int]]) -> list[Finding]:
    link = by_pair(fabric)
    wrong: defaultdict[tuple[float, float], list[PlanRow]] = defaultdict(list)
    for row, a, z in known:
        at = link.get((a, z))
        designed = float(fabric.links.speed_bps[at]) if at is not None else 0.0
        if designed and row.cable.speed_bps and row.cable.speed_bps != designed:
            wrong[row.cable.speed_bps, designed].append(row)
    return [
        finding(
            "speed-differs", "error", rows, "speed_gbps" if "speed_gbps" in rows[0].columns else "speed",
            f"{len(rows)} links are planned at {format_speed(stated)}; the layout has {format_speed(designed)}",
            "correct the column, or the layout's speed",
        )
        for (stated, designed), rows in wrong.items()
    ]  # fmt: skip


def _sighting(fabric: Fabric, words: PlanWords, row: PlanRow, a: int, z: int) -> Sighting:
    device, (x, y) = fabric.ports.device, (words.own(port) for port in (a, z))
    cable = row.cable
    return Sighting(
        fabric.names[device[a]], x, fabric.names[device[z]], y, where=row.place("z_port"),
        cable_id=cable.cable_id, rack=cable.a.place.rack, peer_rack=cable.z.place.rack,
    )  # fmt: skip


def _inside(fabric: Fabric, words: PlanWords) -> list[Sighting]:
    """Return the links inside devices, which no plan of cables has."""
    links, device = fabric.links, fabric.ports.device
    rows = np.flatnonzero(internal_links(fabric))
    return [
        Sighting(fabric.names[device[a]], words.own(a), fabric.names[device[z]], words.own(z))
        for a, z in zip(links.port_a[rows].tolist(), links.port_z[rows].tolist(), strict=True)
    ]


def _half_known(words: PlanWords, table: PlanTable) -> list[int]:
    """Return the ports of rows whose other end cannot be read, or is not in the design."""
    found = [words.port(end) for end in table.unread]
    for row in table.rows:
        ports = [words.port(end) for end in (row.cable.a, row.cable.z)]
        if min(ports) < 0:
            found.append(max(ports))
    return [port for port in found if port >= 0]


def _not_judged(fabric: Fabric, words: PlanWords, doubtful: Sequence[int], taken: set[int]) -> list[Sighting]:
    """Return the designed links of ports whose rows are in doubt, as links that nobody looked at."""
    peer, device = fabric.ports.peer, fabric.ports.device
    wanted: dict[tuple[int, int], None] = {}
    for port in doubtful:
        far = int(peer[port])
        if far >= 0 and not {port, far} & taken:
            wanted[min(port, far), max(port, far)] = None
    return [
        Sighting(fabric.names[device[a]], words.own(a), fabric.names[device[z]], words.own(z), seen=None)
        for a, z in wanted
    ]


def at_cells(cause: RootCause, places: Mapping[str, str]) -> RootCause:
    """Return a mistake in the words of a plan, with the cells that its ports stand in; others as they are."""
    if cause.root_cause is None or not places:
        return cause
    ports = dict.fromkeys((*cause.ports, *(end for link in cause.links for end in link.split(" - "))))
    found = list(dict.fromkeys(places[port] for port in ports if port in places))
    if not found:
        return _without_a_row(cause, next(iter(places.values())).partition("[")[0])
    source = found[0].partition("[")[0]
    shown = [found[0], *(place.removeprefix(source).strip("[]:") for place in found[1:LISTED])]
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return replace(cause, finding=replace(cause.finding, where=", ".join(shown) + more))


def _without_a_row(cause: RootCause, source: str) -> RootCause:
    """Return a mistake that no row of a plan shows: rows that are missing."""
    links = ", ".join(cause.links[:LISTED]) + (", …" if len(cause.links) > LISTED else "")
    if not links or not (cause.root_cause or "").startswith(("missing", "host-absent", "switch-absent")):
        return cause
    what = (
        f"no row has the link {links}" if len(cause.links) == 1 else f"no rows have {len(cause.links)} links: {links}"
    )
    fix = "add the row" if len(cause.links) == 1 else "add the rows"
    return replace(cause, finding=replace(cause.finding, where=source, message=what, fix=fix))
