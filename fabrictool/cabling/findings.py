"""What is wrong with a cable plan: reach, optics, power of cages, trays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fabrictool.cabling.bill import modules_by_cage
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.trays import TrayLoad, tray_findings, tray_loads
from fabrictool.fabric.counting import cables
from fabrictool.fabric.grouping import grouped
from fabrictool.records import Finding
from fabrictool.units import format_link_speed


def plan_findings(plan: CablePlan, trays: Sequence[TrayLoad] | None = None) -> list[Finding]:
    """Return what is wrong with a plan, errors first; ``trays`` are how full they are, if that is known already."""
    loads = tray_loads(plan) if trays is None else trays
    floor = plan.floor.findings if plan.floor else ()
    found = [
        *floor,
        *_beyond(plan),
        *_without_optic(plan),
        *_cage_power(plan),
        *tray_findings(plan, loads),
        *_unplaced(plan),
        *_over_panels(plan),
        *_homeless(plan),
        *_unlike(plan),
        *_counted(plan),
    ]
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


def plan_errors(plan: CablePlan) -> list[Finding]:
    """Return what keeps a plan from being built: no place on the floor, no reach, too little power in a cage."""
    floor = plan.floor.findings if plan.floor else ()
    found = [*floor, *_beyond(plan), *_cage_power(plan), *_over_panels(plan), *_homeless(plan)]
    return [finding for finding in found if finding.severity == "error"]


def _beyond(plan: CablePlan) -> Iterator[Finding]:
    rows = np.flatnonzero(plan.beyond)
    if not len(rows):
        return
    worst = int(rows[np.argmax(np.nan_to_num(plan.cables.route_m[rows]))])
    most = max(plan.options[row].max_m for row in np.unique(plan.cables.option[rows]).tolist())
    route = plan.cables.route_m[worst] + plan.slack_m
    name = plan.fabric.link_name(int(plan.cables.link[worst]))
    limit = f"{name} needs {route:,.1f} m, the limit is {most:,g} m"
    message = f"{len(rows):,} cables are longer than any medium reaches: {limit}"
    fix = "set racks nearer (hall.rows), add trays across (hall.trays.cross), or use optics of longer reach"
    yield Finding("cable-beyond-reach", "error", "cables", message, fix)


def _without_optic(plan: CablePlan) -> Iterator[Finding]:
    link = plan.cables.link[plan.cables.option < 0]
    ports, kinds = plan.fabric.links, plan.cages.kinds
    kind = plan.cages.cages.kind
    ends = (kind[plan.cages.of_port[end[link]]] for end in (ports.port_a, ports.port_z))
    alike, place = grouped(*ends, np.round(ports.speed_bps[link]).astype(np.int64))
    for (a, z, speed), count in zip(alike, np.bincount(place, minlength=len(alike)).tolist(), strict=True):
        words = [f"{kinds[row].cage or 'unknown cage'} of {kinds[row].type}" for row in (a, z)]
        joined = f"{words[0]} and {words[1]} at {format_link_speed(speed)}"
        message = f"no cable or optic is known that joins {joined}: {count:,} cables"
        fix = "give both types a cage, or use ports of the same lanes and speed"
        if plan.cabling.avoid:
            fix = f"{fix}, or avoid fewer media than {', '.join(plan.cabling.avoid)}"
        yield Finding("no-optic", "warning", f"{kinds[a].type} - {kinds[z].type}", message, fix)


def _counted(plan: CablePlan) -> Iterator[Finding]:
    """Say where the plan has more or fewer cables than the rule of a network counts."""
    planned = np.bincount(plan.cables.network, minlength=len(plan.fabric.networks)).tolist()
    for row, (network, count) in enumerate(zip(plan.fabric.networks, planned, strict=True)):
        counted = cables(plan.fabric, row)
        if count != counted:
            more, fewer = "no assembly joins all links of every cage", "narrow links share the connectors of fibres"
            why = more if count > counted else fewer
            message = f"{count:,} cables are planned where {counted:,} are counted: {why}"
            fix = "order by the plan, or state how cables are counted (networks: cables)"
            yield Finding("cables-counted", "note", f"network {network.name}", message, fix)


def _unlike(plan: CablePlan) -> Iterator[Finding]:
    """Name modules that a splitter and a straight fibre plug into, which those of twin ports do not take.

    References
    ----------
    NVIDIA MMA4Z00-NS400-T product specifications, Connectivity Scenarios: both fibres of a twin-port module are of one
    type, straight or splitter.
    """
    links = plan.fabric.links
    option = np.append(plan.cables.option, -1)[plan.cable]
    fibre = np.array([not row.medium.direct for row in plan.options] + [False])[option]
    split = np.array([row.legs > 1 for row in plan.options] + [False])[option]
    both = np.zeros((2, len(plan.cages.cages)), np.bool_)
    for port in (links.port_a, links.port_z):
        cage = plan.cages.of_port[port]
        both[0, cage[fibre & split]] = both[1, cage[fibre & ~split]] = True
    mixed = np.flatnonzero(both[0] & both[1])
    if len(mixed):
        names, number = plan.fabric.names, plan.cages.cages.number[mixed[0]] + 1
        first = f"cage {number} of {names[plan.cages.cages.device[mixed[0]]]}"
        message = f"{len(mixed):,} modules have a splitter and a straight fibre, such as {first}; they take two alike"
        fix = "give the links of a cage one speed, or leave half of it free"
        yield Finding("fibres-unlike", "warning", "cables", message, fix)


def _over_panels(plan: CablePlan) -> Iterator[Finding]:
    """Name ways over panels that are longer than their modules reach."""
    if plan.panels is None or not len(plan.panels.patched):
        if plan.cabling.panels is not None:
            why = "there are no racks" if plan.placement is None else "no fibre with an MPO connector leaves its rack"
            fix = "state racks, or avoid cables with ends of their own (cabling.avoid: [aec, aoc])"
            yield Finding("no-panels", "note", "cables", f"patch panels are asked for, but {why}", fix)
        return
    rows = np.unique(plan.panels.patched.cable)
    reach = np.array([option.max_m for option in plan.options])[plan.cables.option[rows]]
    long = rows[plan.cables.length_m[rows] > reach + 1e-9]
    if len(long):
        worst = int(long[np.argmax(plan.cables.length_m[long])])
        name, most = plan.fabric.link_name(int(plan.cables.link[worst])), plan.options[plan.cables.option[worst]].max_m
        ways = (
            "ways over patch panels are longer than their"
            if len(long) > 1
            else "way over patch panels is longer than its"
        )
        message = (
            f"{len(long):,} {ways} modules reach: {name} takes "
            f"{plan.cables.length_m[worst]:,g} m of cords and trunk, the limit is {most:,g} m"
        )
        fix = "lay these as one cable (cabling.panels.beyond), or avoid the medium (cabling.avoid)"
        yield Finding("panels-beyond-reach", "error", "cables", message, fix)


def _homeless(plan: CablePlan) -> Iterator[Finding]:
    """Name racks that have no units left for their patch panels."""
    if plan.panels is None or plan.placement is None:
        return
    racks, lacking = plan.placement.racks.name, plan.panels.homeless
    rows = np.flatnonzero(lacking)
    if len(rows):
        worst = int(rows[lacking[rows].argmax()])
        many = f"{len(rows):,} racks have" if len(rows) > 1 else f"rack {racks[worst]} has"
        such = f", most in {racks[worst]}" if len(rows) > 1 else ""
        message = (
            f"{many} no units left for patch panels: {int(lacking.sum()):,} of {int(plan.panels.units[rows].sum()):,} "
            f"hang nowhere{such}"
        )
        fix = "fewer devices a rack, panels of more ports (cabling.panels.ports), or over racks (mount: overhead)"
        where = f"rack {racks[worst]}" if len(rows) == 1 else "racks"
        yield Finding("panels-no-room", "error", where, message, fix)


def _cage_power(plan: CablePlan) -> Iterator[Finding]:
    for row, module, count in modules_by_cage(plan):
        supplied, drawn = plan.cages.kinds[row].power_w, module.power_w
        if supplied is not None and drawn is not None and drawn > supplied:
            title = plan.cages.kinds[row].type
            what = f"{count:,} cages of {title} supply {supplied:g} W, but {module.name} draws {drawn:g} W"
            yield Finding("cage-power", "error", title, what, "use modules that draw less, or copper")


def _unplaced(plan: CablePlan) -> Iterator[Finding]:
    count = int(np.count_nonzero(np.isnan(plan.cables.route_m)))
    if count:
        message = f"{count:,} of {len(plan.cables):,} cables lead to a device without a place: their length is assumed"
        yield Finding("no-route", "note", "cables", message, "state racks with room for every device")
