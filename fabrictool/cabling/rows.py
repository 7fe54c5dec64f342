"""A cable plan as rows for sheets and labels: names, places, colours, texts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fabrictool.cabling.choice import Option, order_number
from fabrictool.cabling.media import rail_colours
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.routes import tray_paths
from fabrictool.fabric.tables import KINDS
from fabrictool.records import CableEnd, CableRow, Place


def cable_ids(plan: CablePlan) -> list[str]:
    """Name each cable after the port that its lower end is plugged into, (cables,), so that growth renames none."""
    ports, names = plan.fabric.ports, plan.fabric.names
    port = plan.fabric.links.port_a[plan.cables.link]
    whole = plan.cables.links > 1
    number = np.where(whole, ports.cage[port] + 1, ports.number[port])
    return [
        f"C-{names[device]}-{'c' if cage else ''}{place}"
        for device, cage, place in zip(ports.device[port].tolist(), whole.tolist(), number.tolist(), strict=True)
    ]


def places_of(plan: CablePlan) -> list[Place]:
    """Return where each device stands, (devices,)."""
    names, floor, seats, placement = plan.fabric.names, plan.floor, plan.seats, plan.placement
    if floor is None or seats is None or placement is None:
        return [Place(name) for name in names]
    racks = placement.racks.name.tolist()
    row = [floor.row_name(number) for number in floor.row.tolist()]
    return [
        Place(name, floor.site, floor.room, row[rack], racks[rack], unit if unit > 0 else None)
        if rack >= 0
        else Place(name, floor.site, floor.room)
        for name, rack, unit in zip(names, seats.rack.tolist(), seats.unit.tolist(), strict=True)
    ]


def bundles_of(plan: CablePlan) -> list[str]:
    """Name what each cable is laid with, (cables,): the cables between the same two racks; empty without racks."""
    if plan.seats is None or plan.placement is None:
        return [""] * len(plan.cables)
    names = plan.placement.racks.name.tolist()
    low, high = (plan.seats.rack[end[plan.cables.link]].tolist() for end in plan.fabric.ends)
    return [f"B-{names[a]}-{names[z]}" if min(a, z) >= 0 else "" for a, z in zip(low, high, strict=True)]


def phases_of(plan: CablePlan) -> list[str]:
    """Return the step in which each cable is laid, (cables,): its scalable unit, else its network."""
    pod, links = plan.fabric.devices.pod, plan.fabric.links
    a, z = plan.fabric.ends
    unit = np.maximum(pod[a], pod[z])[plan.cables.link]
    names = [network.name for network in plan.fabric.networks]
    network = links.network[plan.cables.link]
    return [
        f"{names[row]} su-{place + 1:02d}" if place >= 0 else names[row]
        for place, row in zip(unit.tolist(), network.tolist(), strict=True)
    ]


def rails_of(plan: CablePlan) -> list[int]:
    """Return the rail of each cable, (cables,), -1 for none."""
    ports, link = plan.fabric.ports, plan.fabric.links
    rail = np.maximum(ports.rail[link.port_a], plan.fabric.devices.rail[plan.fabric.ends[1]])
    found: list[int] = rail[plan.cables.link].tolist()
    return found


def colours_of(plan: CablePlan) -> list[str]:
    """Return the colour of each cable, (cables,): that of its rail, else of its network."""
    words = rail_colours()
    network = plan.cables.network.tolist()
    return [
        words[(rail if rail >= 0 else place) % len(words)] for rail, place in zip(rails_of(plan), network, strict=True)
    ]


def _trays(plan: CablePlan) -> list[str]:
    """Return the trays that each cable lies in, (cables,)."""
    if plan.floor is None or plan.seats is None or plan.routes is None:
        return [""] * len(plan.cables)
    link = plan.cables.link
    rack_a, rack_z = (plan.seats.rack[end[link]] for end in plan.fabric.ends)
    laid = (rack_a >= 0) & (rack_z >= 0) & ~plan.routes.in_rack[link]
    row_a, row_z = plan.floor.row[rack_a], plan.floor.row[rack_z]
    found = tray_paths(plan.floor, row_a, row_z, plan.routes.cross[link])
    return [path if lies else "" for path, lies in zip(found, laid.tolist(), strict=True)]


def label_text(near: CableEnd, far: CableEnd) -> str:
    """Return the text of a label: near end, then far end, in the form of ANSI/TIA-606-B as it is published.

    Rack, unit and port stand for an end, as ``r01-08:3/r33-40:17``; a device's name where it has no rack.
    """
    return f"{_identifier(near)}/{_identifier(far)}"


def _identifier(end: CableEnd) -> str:
    place = end.place
    seat = f"{place.rack}-{place.unit:02d}" if place.rack and place.unit else place.rack or place.device
    return f"{seat}:{end.interface or end.port}"


def cable_rows(plan: CablePlan, words: Sequence[str] | None = None) -> Iterator[CableRow]:
    """Yield the rows of a plan, one for each link that takes a cable, cable by cable.

    ``words`` are what the devices' systems call their ports, (ports,).
    """
    per_cable = list(
        zip(
            cable_ids(plan), bundles_of(plan), _trays(plan), colours_of(plan), phases_of(plan), rails_of(plan),
            plan.cables.option.tolist(), *_lengths(plan), strict=True,
        )
    )  # fmt: skip
    fabric, options = plan.fabric, plan.options
    networks = [network.name for network in fabric.networks]
    ends = _Ends(plan, words)
    links, plane = fabric.links, fabric.ports.plane
    rows = np.lexsort((plan.leg, plan.cable))
    for link in rows[np.searchsorted(plan.cable[rows], 0) :].tolist():
        identity, bundle, tray, colour, phase, rail, option, route, length, watts, usd = per_cable[plan.cable[link]]
        chosen = options[option] if option >= 0 else None
        a, z = ends.pair(link, chosen)
        yield CableRow(
            cable_id=identity,
            leg=int(plan.leg[link]),
            network=networks[links.network[link]],
            a=a,
            z=z,
            media=chosen.medium.name if chosen else "",
            sku=order_number(chosen, length) if chosen and length is not None else "",
            speed_bps=float(links.speed_bps[link]),
            lanes=int(plan.lanes[link]),
            plane=int(plane[links.port_a[link]]),
            rail=rail,
            route_m=route,
            slack_m=plan.slack_m if route is not None else None,
            length_m=length,
            bundle=bundle,
            tray_path=tray,
            colour=colour,
            optics_w=watts,
            price=usd,
            phase=phase,
        )


def _lengths(plan: CablePlan) -> tuple[list[float | None], ...]:
    """Return route, length, power and price of each cable; None where unknown."""
    columns = (np.round(plan.cables.route_m, 2), plan.cables.length_m, plan.cables.optics_w, plan.cables.usd)
    return tuple([None if math.isnan(value) else value for value in column.tolist()] for column in columns)


class _Ends:
    """Ends of links with their places, ports and labels."""

    def __init__(self, plan: CablePlan, words: Sequence[str] | None) -> None:
        fabric = plan.fabric
        self.places, self.seats = places_of(plan), plan.seats
        self.kinds = [KINDS[code] for code in fabric.devices.kind.tolist()]
        self.device, self.number = fabric.ports.device.tolist(), fabric.ports.number.tolist()
        self.interface = words if words is not None else [""] * len(fabric.ports)
        self.words = fabric.ports.label.tolist() if fabric.ports.label is not None else [""] * len(self.number)
        cage = plan.cages.of_port
        self.cage = (plan.cages.cages.number[cage] + 1).tolist()
        first = np.full(len(plan.cages.cages), len(cage))
        np.minimum.at(first, cage, np.arange(len(cage)))
        order = np.argsort(cage, kind="stable")
        leg = np.empty(len(cage), np.int64)
        leg[order] = np.arange(len(cage)) - np.searchsorted(cage[order], cage[order]) + 1
        self.leg = leg.tolist()
        self.a, self.z = fabric.links.port_a.tolist(), fabric.links.port_z.tolist()
        self.front = plan.seats.front.tolist() if plan.seats else []

    def pair(self, link: int, chosen: Option | None) -> tuple[CableEnd, CableEnd]:
        """Return both ends of a link with their labels."""
        a = self._end(self.a[link], chosen, chosen.a.sku or chosen.a.name if chosen else "")
        z = self._end(self.z[link], chosen, chosen.z.sku or chosen.z.name if chosen else "")
        return replace(a, label=label_text(a, z)), replace(z, label=label_text(z, a))

    def _end(self, port: int, chosen: Option | None, optic: str) -> CableEnd:
        device = self.device[port]
        side = ("front" if self.front[device] else "rear") if self.front else ""
        direct = chosen is None or chosen.medium.direct
        return CableEnd(
            place=self.places[device],
            kind=self.kinds[device],
            port=self.words[port] or str(self.number[port]),
            interface=self.interface[port],
            cage=self.cage[port],
            leg=self.leg[port],
            side=side,
            optic="" if direct else optic,
            connector=chosen.connector if chosen else "",
        )
