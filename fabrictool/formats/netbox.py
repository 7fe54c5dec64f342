"""NetBox: the CSV files of its bulk import, from sites to cables.

Files are numbered in the order in which NetBox takes them. A cable of several links is one row with a profile; a plug
of several links goes into a cage that has their ports as channels, which NetBox takes from 4.7 on.

References
----------
NetBox 4.7, ``dcim/forms/bulk_import.py`` and ``dcim/choices.py``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import NetworkFacts
from fabrictool.formats import netbox_panels
from fabrictool.formats.netbox_cables import Cages, NetboxCable, cages_of, netbox_cables
from fabrictool.records import CableRow, Patch, PatchPanel, Place

_COLOURS = {"host": "4caf50", "leaf": "2196f3", "spine": "9c27b0", "core": "f44336", "service": "ff9800"}
_MEDIA = {"dac": "dac-passive", "acc": "dac-active", "aec": "dac-active", "aoc": "aoc", "mmf": "mmf", "smf": "smf",
          "copper": "cat6a"}  # fmt: skip
_INFINIBAND = {100e9: "edr", 200e9: "hdr", 400e9: "ndr", 800e9: "xdr"}
_ETHERNET = {
    1e9: "1000base-t", 10e9: "10gbase-x-sfpp", 25e9: "25gbase-x-sfp28", 40e9: "40gbase-x-qsfpp",
    50e9: "50gbase-x-sfp56", 100e9: "100gbase-x-qsfp28", 200e9: "200gbase-x-qsfp56", 400e9: "400gbase-x-osfp",
    800e9: "800gbase-x-osfp",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What NetBox wants to know of a device type; ``units`` None is unknown."""

    vendor: str = "Generic"
    units: int | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is written beside the cables.

    Parameters
    ----------
    fabric : Fabric
    words : (ports,) sequence of str
        Names of interfaces.
    places : mapping of str to Place
    types : mapping of str to TypeFacts
    racks : mapping of str to int
        Height of each rack in units.
    colours : mapping of str to str
        Six hexadecimal digits for colours of cables.
    media : mapping of str to str
        NetBox's types of cables for media, where more is known than the medium.
    panels : sequence of PatchPanel
    patches : sequence of Patch
        Fibres that go over panels.
    """

    fabric: Fabric
    words: Sequence[str]
    places: Mapping[str, Place] = field(default_factory=dict)
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    racks: Mapping[str, int] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)
    panels: Sequence[PatchPanel] = ()
    patches: Sequence[Patch] = ()

    @property
    def site(self) -> str:
        """Name of the site: that of the fabric."""
        return self.fabric.name


def write(inventory: Inventory, cables: Iterable[CableRow]) -> dict[str, str]:
    """Return the files of an import by name, without racks where no device has a place."""
    fabric, panels = inventory.fabric, inventory.panels
    kinds = sorted({KINDS[kind] for kind in fabric.devices.kind.tolist()}, key=KINDS.index)
    used = [fabric.types[row] for row in dict.fromkeys(fabric.devices.type.tolist())]
    facts = {name: inventory.types.get(name, TypeFacts()) for name in used}
    roles, boxes = [*kinds, *([netbox_panels.ROLE] if panels else [])], _types(facts, panels)
    vendors = dict.fromkeys(str(vendor) for vendor, *_ in boxes)
    site = inventory.site
    files = {
        "01-sites.csv": _table(("name", "slug", "status"), [(site, slug(site), "planned")]),
        "02-manufacturers.csv": _table(("name", "slug"), [(name, slug(name)) for name in vendors]),
        "03-device-roles.csv": _table(
            ("name", "slug", "color"), [(kind, slug(kind), _COLOURS.get(kind, "9e9e9e")) for kind in roles]
        ),
        "04-device-types.csv": _table(
            ("manufacturer", "model", "slug", "part_number", "u_height", "is_full_depth"), boxes
        ),
    }
    if inventory.racks:
        racks = [(site, name, "planned", 19, units) for name, units in inventory.racks.items()]
        files["05-racks.csv"] = _table(("site", "name", "status", "width", "u_height"), racks)
    files["06-devices.csv"] = _devices(inventory, facts)
    cages = cages_of(fabric, inventory.words)
    joined = netbox_cables(cables, cages)
    files["07-interfaces.csv"] = _interfaces(inventory, cages)
    if panels:
        rear = ("device", "name", "type", "positions")
        files["08-rear-ports.csv"] = _table(rear, netbox_panels.rear_lines(panels))
        front = (*rear, "rear_port", "rear_port_position")
        files["09-front-ports.csv"] = _table(front, netbox_panels.front_lines(panels))
    lines, number = _cables(joined, inventory), "10" if panels else "08"
    bundles = dict.fromkeys(line["bundle"] for line in lines if line.get("bundle"))
    if bundles:
        files[f"{number}-cable-bundles.csv"] = _table(("name",), [(name,) for name in bundles])
    header = list(dict.fromkeys(word for line in lines for word in line)) or ["side_a_name"]
    files[f"{number}-cables.csv"] = _table(header, ([line.get(word, "") for word in header] for line in lines))
    return files


def _types(facts: Mapping[str, TypeFacts], panels: Sequence[PatchPanel]) -> list[tuple[object, ...]]:
    """Return the device types, those of panels last."""
    found: list[tuple[object, ...]] = [
        (fact.vendor, name, slug(name), fact.part, fact.units if fact.units is not None else 1, "true")
        for name, fact in facts.items()
    ]
    return found + [
        (TypeFacts().vendor, name, slug(name), "", 1, "false") for name in dict.fromkeys(p.type for p in panels)
    ]


def slug(name: str) -> str:
    """Return a name as NetBox has it in addresses: lower case, digits, hyphens."""
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-") or "x"


def _table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return out.getvalue()


def _devices(inventory: Inventory, facts: Mapping[str, TypeFacts]) -> str:
    fabric = inventory.fabric
    header = ["name", "role", "manufacturer", "device_type", "status", "site"]
    lines = []
    for name, kind, row in zip(fabric.names, fabric.devices.kind.tolist(), fabric.devices.type.tolist(), strict=True):
        model = fabric.types[row]
        cells: list[object] = [name, KINDS[kind], facts[model].vendor, model, "planned", inventory.site]
        if inventory.racks:
            place = inventory.places.get(name, Place(name))
            standing = place.unit is not None and bool(place.rack)
            cells += [place.rack, place.unit if standing else "", "front" if standing else ""]
        lines.append(cells)
    lines += [list(line) for line in netbox_panels.device_lines(inventory.panels, inventory.site, TypeFacts().vendor)]
    return _table([*header, *(("rack", "position", "face") if inventory.racks else ())], lines)


def _interfaces(inventory: Inventory, cages: Cages) -> str:
    """Return all ports; a linked one has its link's speed, in kbit/s, and its number as label.

    Cages that a plug of several links is in stand before their ports, which are channels of theirs.
    """
    fabric = inventory.fabric
    speed = fabric.ports.speed_bps.copy()
    network = np.full(len(speed), -1, np.int64)
    for port in (fabric.links.port_a, fabric.links.port_z):
        speed[port], network[port] = fabric.links.speed_bps, fabric.links.network
    own = fabric.devices.network[fabric.ports.device]
    network = np.where(network >= 0, network, own)
    columns = (fabric.ports.device, fabric.ports.number, speed, network)
    lines: list[tuple[object, ...]] = []
    for word, device, number, bps, row in zip(inventory.words, *(column.tolist() for column in columns), strict=True):
        facts, end = fabric.networks[row] if row >= 0 else None, (fabric.names[device], word)
        parent = cages.parent.get(end)
        channelled = parent in cages.used
        if parent is not None and channelled and cages.channel[end] == 1:
            count = len(cages.ports[parent])
            lines.append((*parent, "", interface_type(bps * count, facts), int(bps * count / 1e3) or "", "true", "",
                          count, ""))  # fmt: skip
        within = (parent[1], "", cages.channel[end]) if parent is not None and channelled else ("", "", "")
        lines.append((*end, number, interface_type(bps, facts), int(bps / 1e3) or "", "true", *within))
    header = ("device", "name", "label", "type", "speed", "enabled", "parent", "channels", "channel_id")
    shown = len(header) if cages.used else len(header) - 3
    return _table(header[:shown], (line[:shown] for line in lines))


def interface_type(speed_bps: float, network: NetworkFacts | None) -> str:
    """Return NetBox's type of an interface; ``other`` where none fits."""
    if network is not None and network.protocol == "infiniband" and speed_bps in _INFINIBAND:
        return f"infiniband-{_INFINIBAND[speed_bps]}"
    return _ETHERNET.get(speed_bps, "other")


def _cables(cables: Sequence[NetboxCable], inventory: Inventory) -> list[dict[str, object]]:
    """Return the cables, by column; those that go over panels in parts."""
    patches, lines = netbox_panels.patches_by_cable(inventory.patches), list[dict[str, object]]()
    profiles = bool(patches) or any(len(cable.links) > 1 for cable in cables)
    for cable in cables:
        first = cable.links[0]
        line: dict[str, object] = {}
        for side, ends in (("a", cable.a), ("b", cable.b)):
            line |= {f"side_{side}_device": ",".join(device for device, _ in ends),
                     f"side_{side}_type": netbox_panels.INTERFACE,
                     f"side_{side}_name": ",".join(name for _, name in ends)}  # fmt: skip
        line |= {"status": _STATUS.get(first.status, "planned"), "label": first.cable_id, "description": first.network}
        optional = {
            "type": inventory.media.get(first.media) or _MEDIA.get(first.media),
            "color": inventory.colours.get(first.colour),
            "length": None if first.length_m is None else f"{first.length_m:.12g}",
            "length_unit": None if first.length_m is None else "m",
            "profile": cable.profile if profiles else None,
            "bundle": first.bundle,
        }
        line |= {word: value for word, value in optional.items() if value}
        fibres = netbox_panels.fibres_of(cable, patches)
        lines += [line | part for part in netbox_panels.parts(cable, fibres)] if fibres else [line]
    return lines


_STATUS = {"planned": "planned", "ordered": "planned", "installed": "connected", "connected": "connected"}
