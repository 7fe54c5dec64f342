"""NetBox: the CSV files of its bulk import, from sites to cables, and a folder of them as a fabric.

Files are numbered in the order in which NetBox takes them. A cable of several links is one row with a list of
interfaces at each side and a trunk profile, which NetBox takes from 4.7 on.

References
----------
NetBox 4.7, ``dcim/forms/bulk_import.py`` and ``dcim/choices.py``.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabrictool.fabric import KINDS, Fabric
from fabrictool.fabric.tables import NetworkFacts
from fabrictool.formats.cabled import Cabled, End
from fabrictool.formats.csv_rows import Row, rows
from fabrictool.formats.imported import Imported, Report
from fabrictool.formats.opening import read_all, text_of
from fabrictool.formats.plan_csv import kind_by_name
from fabrictool.records import CableRow, Place

FORMAT = "netbox"
NETWORK = "network"
#: Largest number of links of one cable that NetBox has a trunk profile for.
TRUNKS = (2, 4, 6, 8, 12)
_COLOURS = {"host": "4caf50", "leaf": "2196f3", "spine": "9c27b0", "core": "f44336", "service": "ff9800"}
_MEDIA = {"dac": "dac-passive", "acc": "dac-active", "aec": "dac-active", "aoc": "aoc", "mmf": "mmf", "smf": "smf",
          "copper": "cat6a"}  # fmt: skip
_INFINIBAND = {100e9: "edr", 200e9: "hdr", 400e9: "ndr", 800e9: "xdr"}
_ETHERNET = {
    1e9: "1000base-t", 10e9: "10gbase-x-sfpp", 25e9: "25gbase-x-sfp28", 40e9: "40gbase-x-qsfpp",
    50e9: "50gbase-x-sfp56", 100e9: "100gbase-x-qsfp28", 200e9: "200gbase-x-qsfp56", 400e9: "400gbase-x-osfp",
    800e9: "800gbase-x-osfp",
}  # fmt: skip
_FILE = re.compile(r"(?:\d+-)?(devices|interfaces|cables)\.csv$")


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
    """

    fabric: Fabric
    words: Sequence[str]
    places: Mapping[str, Place] = field(default_factory=dict)
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    racks: Mapping[str, int] = field(default_factory=dict)

    @property
    def site(self) -> str:
        """Name of the site: that of the fabric."""
        return self.fabric.name


def write(inventory: Inventory, cables: Iterable[CableRow]) -> dict[str, str]:
    """Return the files of an import by name, without racks where no device has a place."""
    fabric = inventory.fabric
    kinds = sorted({KINDS[kind] for kind in fabric.devices.kind.tolist()}, key=KINDS.index)
    used = [fabric.types[row] for row in dict.fromkeys(fabric.devices.type.tolist())]
    facts = {name: inventory.types.get(name, TypeFacts()) for name in used}
    vendors = dict.fromkeys(fact.vendor for fact in facts.values())
    site = inventory.site
    files = {
        "01-sites.csv": _table(("name", "slug", "status"), [(site, slug(site), "planned")]),
        "02-manufacturers.csv": _table(("name", "slug"), [(name, slug(name)) for name in vendors]),
        "03-device-roles.csv": _table(
            ("name", "slug", "color"), [(kind, slug(kind), _COLOURS.get(kind, "9e9e9e")) for kind in kinds]
        ),
        "04-device-types.csv": _table(
            ("manufacturer", "model", "slug", "part_number", "u_height", "is_full_depth"),
            [(fact.vendor, name, slug(name), fact.part, fact.units if fact.units is not None else 1, "true")
             for name, fact in facts.items()],
        ),
    }  # fmt: skip
    if inventory.racks:
        racks = [(site, name, "planned", 19, units) for name, units in inventory.racks.items()]
        files["05-racks.csv"] = _table(("site", "name", "status", "width", "u_height"), racks)
    files["06-devices.csv"] = _devices(inventory, facts)
    files["07-interfaces.csv"] = _interfaces(inventory)
    files["08-cables.csv"] = _cables(cables)
    return files


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
    return _table([*header, *(("rack", "position", "face") if inventory.racks else ())], lines)


def _interfaces(inventory: Inventory) -> str:
    """Return all ports; a linked one has its link's speed, in kbit/s, and its number as label."""
    fabric = inventory.fabric
    speed = fabric.ports.speed_bps.copy()
    network = [-1] * len(speed)
    links = fabric.links
    for port in (links.port_a, links.port_z):
        speed[port] = links.speed_bps
        for row, of in zip(port.tolist(), links.network.tolist(), strict=True):
            network[row] = of
    columns = (fabric.ports.device.tolist(), fabric.ports.number.tolist(), speed.tolist())
    lines = []
    for word, device, number, bps, of in zip(inventory.words, *columns, network, strict=True):
        row = of if of >= 0 else int(fabric.devices.network[device])
        kind = interface_type(bps, fabric.networks[row] if row >= 0 else None)
        lines.append((fabric.names[device], word, number, kind, int(bps / 1e3) if bps else "", "true"))
    return _table(("device", "name", "label", "type", "speed", "enabled"), lines)


def interface_type(speed_bps: float, network: NetworkFacts | None) -> str:
    """Return NetBox's type of an interface; ``other`` where none fits."""
    if network is not None and network.protocol == "infiniband" and speed_bps in _INFINIBAND:
        return f"infiniband-{_INFINIBAND[speed_bps]}"
    return _ETHERNET.get(speed_bps, "other")


def _cables(cables: Iterable[CableRow]) -> str:
    grouped: defaultdict[object, list[CableRow]] = defaultdict(list)
    for place, row in enumerate(cables):
        grouped[row.cable_id or place].append(row)
    groups = [part for group in grouped.values() for part in _in_trunks(group)]
    header = ["side_a_device", "side_a_type", "side_a_name", "side_b_device", "side_b_type", "side_b_name", "status",
              "label", "description"]  # fmt: skip
    present = {
        "type": any(group[0].media for group in groups),
        "length": any(group[0].length_m is not None for group in groups),
        "profile": any(len(group) > 1 for group in groups),
    }
    more = [name for name, there in present.items() if there]
    lines = []
    for group in groups:
        first = group[0]
        cells: list[object] = []
        for ends in ([row.a for row in group], [row.z for row in group]):
            cells += [",".join(end.place.device for end in ends), "dcim.interface",
                      ",".join(end.interface or end.port for end in ends)]  # fmt: skip
        cells += [_STATUS.get(first.status, "planned"), first.cable_id, first.network]
        extra = {"type": _MEDIA.get(first.media, ""), "length": "" if first.length_m is None else f"{first.length_m:g}",
                 "profile": f"trunk-{len(group)}c1p" if len(group) > 1 else "single-1c1p"}  # fmt: skip
        cells += [extra[name] for name in more] + (["m" if extra["length"] else ""] if "length" in more else [])
        lines.append(cells)
    return _table([*header, *more, *(["length_unit"] if "length" in more else [])], lines)


_STATUS = {"planned": "planned", "ordered": "planned", "installed": "connected", "connected": "connected"}


def _in_trunks(group: list[CableRow]) -> list[list[CableRow]]:
    """Return the links of a cable as one group where NetBox has a profile for so many, else one by one."""
    return [group] if len(group) in TRUNKS else [[row] for row in group]


def read_folder(path: str) -> Imported:
    """Read the devices, interfaces and cables of a folder of import files.

    Raises
    ------
    InputError
        If there is no file of cables, or one cannot be read.
    """
    report = Report(path)
    found = {match[1]: place for place in sorted(Path(path).iterdir()) if (match := _FILE.match(place.name))}
    if "cables" not in found:
        raise report.refusal(1, "is a folder without cables.csv", "name a layout, a fabric, or a folder of NetBox CSV")
    cabled = Cabled(report)
    kinds, speeds, numbers = _described(found, cabled, report)
    networks: set[str] = set()
    for line, row in _rows(found["cables"], ("side_a_device", "side_a_name", "side_b_device", "side_b_name"), report):
        sides = [[[word.strip() for word in row[f"side_{side}_{part}"].split(",")] for part in ("device", "name")]
                 for side in "ab"]  # fmt: skip
        count = max(len(words) for side in sides for words in side)
        for leg in range(count):
            names = [_chosen(side[0], side[1], leg) for side in sides]
            a, z = (End(name, kinds.get(name, kind_by_name(name)), port, number=numbers.get((name, port), 0))
                    for name, port in names)  # fmt: skip
            known = [speeds[end] for end in names if speeds.get(end)]
            network = row.get("description") or NETWORK
            networks.add(network)
            cabled.add(line, a, z, min(known, default=0.0), 0.0, network)
    if not cabled.devices:
        raise report.refusal(1, "names no cable", "see whether the files are whole")
    return Imported(FORMAT, cabled.fabric(Path(path).resolve().name, "unknown"), report.sorted())


def _chosen(devices: Sequence[str], ports: Sequence[str], leg: int) -> tuple[str, str]:
    """Return the device and port of a link of a cable; one that is named once counts for all of them."""
    return devices[min(leg, len(devices) - 1)], ports[min(leg, len(ports) - 1)]


def _described(
    found: Mapping[str, Path], cabled: Cabled, report: Report
) -> tuple[dict[str, str], dict[tuple[str, str], float], dict[tuple[str, str], int]]:
    """Return kinds of devices, and speeds in bit/s and numbers of interfaces."""
    kinds: dict[str, str] = {}
    if "devices" in found:
        for line, row in _rows(found["devices"], ("name", "role"), report):
            role = row["role"].lower()
            kinds[row["name"]] = role if role in KINDS else kind_by_name(role)
            cabled.device(line, End(row["name"], kinds[row["name"]], ""))
    speeds, numbers = {}, {}
    if "interfaces" in found:
        for _, row in _rows(found["interfaces"], ("device", "name"), report):
            end = (row["device"], row["name"])
            if row.get("speed", "").isdecimal():
                speeds[end] = int(row["speed"]) * 1e3
            if row.get("label", "").isdecimal() and len(row["label"]) < 6:
                numbers[end] = int(row["label"])
    return kinds, speeds, numbers


def _rows(path: Path, needed: Sequence[str], report: Report) -> Iterable[tuple[int, Row]]:
    inner = Report(str(path))
    content = read_all(str(path))[1]
    yield from rows(text_of(content), {}, needed, inner)
    report.findings += inner.findings
