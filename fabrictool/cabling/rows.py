"""A cable plan as rows for sheets and labels: names, places, colours, texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import repeat

import numpy as np
import numpy.typing as npt

from fabrictool.cabling.bundles import bundles_of
from fabrictool.cabling.cages import used_cages
from fabrictool.cabling.choice import order_number
from fabrictool.cabling.labels import labelled
from fabrictool.cabling.media import rail_colours
from fabrictool.cabling.plan import CablePlan
from fabrictool.cabling.routes import tray_paths
from fabrictool.fabric.tables import I4, KINDS
from fabrictool.formats.linked import port_words
from fabrictool.records import CableEnd, CableRow, Place


def cable_ids(plan: CablePlan) -> list[str]:
    """Name each cable after the port that its lower end is plugged into, (cables,), so that growth renames none.

    A cable of several links is named after its cage, ``c3``, if it fills that; a splitter after its single end.
    """
    ports, names, links = plan.fabric.ports, plan.fabric.names, plan.fabric.links
    port = _single_end(plan)
    cage = plan.cages.of_port[port]
    used = used_cages(plan.cages, np.concatenate((links.port_a[plan.cable >= 0], links.port_z[plan.cable >= 0])))
    whole = (plan.cables.links > 1) & (plan.cables.links == used[cage])
    number = np.where(whole, ports.cage[port] + 1, ports.number[port])
    natural = [
        f"C-{names[device]}-{'c' if full else ''}{place}"
        for device, full, place in zip(ports.device[port].tolist(), whole.tolist(), number.tolist(), strict=True)
    ]
    return natural if plan.pins is None else plan.pins.ids(natural, plan.cables.link)


def _single_end(plan: CablePlan) -> I4:
    """Return the port of each cable's first link at its single end, (cables,); at the lower one where it has two."""
    links, link = plan.fabric.links, plan.cables.link
    last = np.zeros(len(plan.cables), np.int32)
    last[plan.cable[plan.cable >= 0]] = np.flatnonzero(plan.cable >= 0)
    cage = plan.cages.of_port
    spread = cage[links.port_a[link]] != cage[links.port_a[last]]
    return np.where(spread, links.port_z[link], links.port_a[link]).astype(np.int32)


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


def phases_of(plan: CablePlan) -> list[str]:
    """Return the step in which each cable is laid, (cables,): its scalable unit, else its network."""
    pod, links = plan.fabric.devices.pod, plan.fabric.links
    a, z = plan.fabric.ends
    unit = np.maximum(pod[a], pod[z])[plan.cables.link]
    names = [network.name for network in plan.fabric.networks]
    network = links.network[plan.cables.link]
    found = [
        f"{names[row]} su-{place + 1:02d}" if place >= 0 else names[row]
        for place, row in zip(unit.tolist(), network.tolist(), strict=True)
    ]
    return found if plan.pins is None else plan.pins.phases(found, plan.cables.link)


def rails_of(plan: CablePlan) -> list[int]:
    """Return the rail of each cable, (cables,), -1 for none."""
    ports, link = plan.fabric.ports, plan.fabric.links
    rail = np.maximum(ports.rail[link.port_a], plan.fabric.devices.rail[plan.fabric.ends[1]])
    found: list[int] = rail[plan.cables.link].tolist()
    return found


def colours_of(plan: CablePlan) -> list[str]:
    """Return the colour of each cable, (cables,): that stated for its network, else that of its rail or network."""
    stated = plan.cabling.colours
    words = tuple(stated.rails) if stated and stated.rails else rail_colours()
    own = [(stated.networks if stated else {}).get(network.name) for network in plan.fabric.networks]
    found = [
        own[place] or words[(rail if rail >= 0 else place) % len(words)]
        for rail, place in zip(rails_of(plan), plan.cables.network.tolist(), strict=True)
    ]
    return found if plan.pins is None else plan.pins.words(found, plan.cables.link, plan.pins.lock.cables.colour)


def trays_of(plan: CablePlan) -> list[str]:
    """Return the trays that each cable lies in, (cables,)."""
    if plan.floor is None or plan.seats is None or plan.routes is None:
        return [""] * len(plan.cables)
    link = plan.cables.link
    rack_a, rack_z = (plan.seats.rack[end[link]] for end in plan.fabric.ends)
    laid = (rack_a >= 0) & (rack_z >= 0) & ~plan.routes.in_rack[link]
    row_a, row_z = plan.floor.row[rack_a], plan.floor.row[rack_z]
    found = tray_paths(plan.floor, row_a, row_z, plan.routes.cross[link])
    found = [path if lies else "" for path, lies in zip(found, laid.tolist(), strict=True)]
    return found if plan.pins is None else plan.pins.words(found, link, plan.pins.trays())


def cabled_links(plan: CablePlan) -> npt.NDArray[np.int64]:
    """Return the links that take a cable, cable by cable, leg by leg."""
    order = np.lexsort((plan.leg, plan.cable))
    return order[np.searchsorted(plan.cable[order], 0) :]


def cable_rows(plan: CablePlan, words: Sequence[str] | None = None) -> Iterator[CableRow]:
    """Yield the rows of a plan, one for each link that takes a cable, cable by cable.

    ``words`` are what the devices' systems call their ports, (ports,).
    """
    per_cable = list(
        zip(
            cable_ids(plan), bundles_of(plan), trays_of(plan), colours_of(plan), phases_of(plan), rails_of(plan),
            plan.cables.option.tolist(), *_lengths(plan), slacks_of(plan), _states(plan), strict=True,
        )
    )  # fmt: skip
    links = plan.fabric.links
    order = cabled_links(plan)
    network = [network.name for network in plan.fabric.networks]
    columns = (
        plan.cable, plan.leg, links.port_a, links.port_z, links.network, links.speed_bps, plan.lanes,
        plan.fabric.ports.plane[links.port_a],
    )  # fmt: skip
    end, made, sku_of = Ends(plan, words), _made(plan), cache(order_number)
    template, printed = plan.cabling.label, _printed(plan, order)
    rows = zip(*(column[order].tolist() for column in columns), strict=True)
    for (cable, leg, a, z, row, bps, lanes, plane), labels in zip(rows, printed, strict=False):
        identity, bundle, trays, colour, phase, rail, option, route, length, watts, usd, slack, state = per_cable[cable]
        media, connector, optic_a, optic_z = made[option]
        sku = sku_of(plan.options[option], length) if media and length is not None else ""
        near, far = labels or (f"{end.word[a]}/{end.word[z]}", f"{end.word[z]}/{end.word[a]}")
        found = CableRow(
            identity, leg, network[row], end(a, optic_a, connector, near), end(z, optic_z, connector, far), media, sku,
            bps, lanes, plane, rail, route, None if route is None else slack, length, bundle, trays, colour, watts,
            usd, phase, state,
        )  # fmt: skip
        yield found if template is None or labels else labelled(found, template)


def _made(plan: CablePlan) -> list[tuple[str, str, str, str]]:
    """Return medium, connector and modules at both ends of each option, and after the last of none."""
    found = [
        (option.medium.name, option.connector, "", "")
        if option.medium.direct
        else (option.medium.name, option.connector, option.a.sku or option.a.name, option.z.sku or option.z.name)
        for option in plan.options
    ]
    return [*found, ("", "", "", "")]


def slacks_of(plan: CablePlan) -> list[float]:
    """Return what is kept at both ends of each cable, (cables,), in m."""
    own = plan.slack_m
    return [own] * len(plan.cables) if plan.pins is None else plan.pins.slack_m(plan.cables.link, own)


def _states(plan: CablePlan) -> list[str]:
    """Return how far each cable is."""
    return ["planned"] * len(plan.cables) if plan.pins is None else plan.pins.states(plan.cables.link)


def _printed(plan: CablePlan, order: npt.NDArray[np.int64]) -> Iterable[tuple[str, str] | None]:
    """Return the labels that a lock keeps of some links."""
    if plan.pins is None:
        return repeat(None)
    labels = plan.pins.labels()
    return [labels[link] for link in order.tolist()]


def _lengths(plan: CablePlan) -> tuple[list[float | None], ...]:
    """Return route, length, power and price of each cable; None where unknown."""
    columns = (np.round(plan.cables.route_m, 2), plan.cables.length_m, plan.cables.optics_w, plan.cables.usd)
    return tuple([None if math.isnan(value) else value for value in column.tolist()] for column in columns)


class Ends:
    """Ends of links by the rows of their ports; ``word`` is what a label calls each port, (ports,).

    Rack, unit and port number stand for an end, as ``r01-08:3``, in the form of ANSI/TIA-606-B as it is published; the
    device's name where it has no rack. Labels are the same whatever the devices' systems call their ports.
    """

    def __init__(self, plan: CablePlan, words: Sequence[str] | None) -> None:
        fabric = plan.fabric
        self.places = places_of(plan)
        self.kinds = [KINDS[code] for code in fabric.devices.kind.tolist()]
        self.device = fabric.ports.device.tolist()
        self.port = port_words(fabric)
        self.interface = words if words is not None else [""] * len(self.port)
        self.cage = (plan.cages.cages.number[plan.cages.of_port] + 1).tolist()
        self.leg = _legs(plan).tolist()
        self.side = plan.seats.sides() if plan.seats else [""] * len(self.places)
        seats = [
            f"{place.rack}-{place.unit:02d}" if place.rack and place.unit else place.rack or place.device
            for place in self.places
        ]
        self.word = [f"{seats[device]}:{name}" for device, name in zip(self.device, self.port, strict=True)]

    def __call__(self, port: int, optic: str, connector: str, label: str) -> CableEnd:
        """Return the end at a port."""
        device = self.device[port]
        return CableEnd(
            self.places[device], self.kinds[device], self.port[port], self.interface[port], self.cage[port],
            self.leg[port], self.side[device], optic, connector, label,
        )  # fmt: skip


def _legs(plan: CablePlan) -> npt.NDArray[np.int64]:
    """Return which of its cage's ports each port is, (ports,), from 1."""
    cage = plan.cages.of_port
    order = np.argsort(cage, kind="stable")
    leg = np.empty(len(cage), np.int64)
    leg[order] = np.arange(len(cage)) - np.searchsorted(cage[order], cage[order]) + 1
    return leg
